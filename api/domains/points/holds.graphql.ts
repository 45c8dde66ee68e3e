import { completeValue } from '@pothos/core'
import { builder } from '../../graph/builder.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import type { PayloadFields } from './graphql.ts'

/** What became of a hold. */
export const HoldState = builder.enumType('HoldState', {
  description: 'What became of a hold.',
  values: {
    OPEN: { description: 'It reserves its points.' },
    CAPTURED: { description: 'Its points were spent, as far as asked; the rest went back.' },
    VOIDED: { description: 'It was let go; its points went back.' },
    EXPIRED: { description: 'Its time ran out; its points went back.' },
  },
})
type HoldStateName = typeof HoldState.$inferType

/** Points that a member has reserved. */
export const Hold = builder.prismaNode('Hold', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ wallet: { memberId } })),
  }),
  authScopes: { reads: 'points:read' },
  select: { id: true },
  fields: (t) => ({
    points: t.expose('amount', { type: 'Points', description: 'How many points were reserved.' }),
    state: t.field({
      type: HoldState,
      description: 'What became of it, by the clock too.',
      select: { state: true, expiresAt: true },
      resolve: ({ state, expiresAt }, _args, context) =>
        completeValue(
          context.now(),
          (now) => (state === 'OPEN' && expiresAt <= now ? 'EXPIRED' : state) as HoldStateName, // a check holds it
        ),
    }),
    captured: t.expose('captured', { type: 'Points', description: 'How many of them were spent.' }),
    released: t.field({
      type: 'Points',
      description: 'How many of them went back.',
      select: { state: true, expiresAt: true, released: true, amount: true },
      resolve: ({ state, expiresAt, released, amount }, _args, context) =>
        completeValue(context.now(), (now) => (state === 'OPEN' && expiresAt <= now ? amount : released)),
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it lets go by itself.' }),
  }),
})

/** The field `hold` of a payload that knows which it changed. */
export const holdOf = <Payload extends { readonly hold: string }>(t: PayloadFields<Payload>) =>
  t.prismaField({
    type: Hold,
    nullable: true,
    description: 'The hold, as it is now.',
    resolve: (query, { hold }, _args, { db }) => read(db).hold.findFirst({ ...query, where: { id: hold } }),
  })
