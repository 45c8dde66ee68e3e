import { builder } from '../../graph/builder.ts'
import { loader } from '../../graph/load.ts'
import { Member } from '../members/index.ts'
import { type Brought, readBrought, readCodes } from './store.ts'

const codeOf = loader<string, string>(async (members, { db }) => {
  const codes = await readCodes(db, members)
  return members.map((member) => codes.get(member) ?? new TypeError(`no code of ${member}`))
})

const broughtOf = loader<string, Brought>(async (members, { db }) => {
  const brought = await readBrought(db, members)
  return members.map((member) => brought.get(member) ?? { friends: 0, revenue: [] })
})

const ReferredRevenue = builder.objectRef<Brought['revenue'][number]>('ReferredRevenue').implement({
  description: 'What friends of a member bought, in one currency.',
  fields: (t) => ({
    currency: t.expose('currency', { type: 'CurrencyCode', description: 'The currency.' }),
    amount: t.expose('amount', {
      type: 'Minor',
      description: 'What they bought since they came, less what they gave back.',
    }),
  }),
})

const Promoter = builder.objectRef<Brought>('Promoter').implement({
  description: 'What a member does for the shop by recommending it.',
  fields: (t) => ({
    isPromoter: t.boolean({
      description: 'Whether the member has brought somebody who really came.',
      resolve: ({ friends }) => friends > 0,
    }),
    realReferrals: t.exposeInt('friends', {
      description: 'How many friends did what counts, and kept it.',
    }),
    revenue: t.field({
      type: [ReferredRevenue],
      description: 'What friends bought, by currency; claims that were rejected left out. At most 50.',
      resolve: ({ revenue }) => revenue.slice(0, 50),
    }),
  }),
})

builder.prismaObjectFields(Member, (t) => ({
  referralCode: t.string({
    nullable: true,
    description:
      'The code that friends give when they come; it never changes. For the member itself and who may read referrals.',
    authScopes: { reads: 'referrals:read' },
    select: { id: true },
    resolve: ({ id }, _args, context) =>
      context.viewer?.kind === 'MEMBER' && context.viewer.memberId !== id ? null : codeOf(context, id),
  }),
  promoter: t.field({
    type: Promoter,
    nullable: true,
    description:
      'What the member does for the shop by recommending it. For the member itself and who may read referrals.',
    authScopes: { reads: 'referrals:read' },
    select: { id: true },
    resolve: ({ id }, _args, context) =>
      context.viewer?.kind === 'MEMBER' && context.viewer.memberId !== id ? null : broughtOf(context, id),
  }),
}))
