import { builder, type Types } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import type { LoggedEvent } from '../../platform/events.ts'
import type { SqlCondition } from '../../platform/read/index.ts'
import { Member } from '../members/index.ts'
import {
  referralClaimed,
  referralPaid,
  referralQualified,
  referralRejected,
  referralReversed,
} from './events.ts'

/** How a referral stands. */
export const ReferralState = builder.enumType('ReferralState', {
  description: 'How a referral stands.',
  values: {
    CLAIMED: { description: 'The friend said who recommended the shop, and has yet to do what counts.' },
    REVIEW: { description: 'Somebody has to look at it: one person may be behind both sides.' },
    QUALIFIED: { description: 'The friend did what counts; it is about to be paid.' },
    HELD: { description: 'The friend did what counts; it is paid when there is no giving back any more.' },
    PAID: { description: 'Both sides got their benefits.' },
    REJECTED: { description: 'It does not count.' },
    REVERSED: { description: 'What it counted by was given back.' },
  },
})
type State = typeof ReferralState.$inferType

const ReferralChange = builder.prismaObject('ReferralChange', {
  fields: (t) => ({
    from: t.field({
      type: ReferralState,
      nullable: true,
      description: 'How it stood before; null for the first step.',
      select: { fromState: true },
      resolve: ({ fromState }) => fromState as State | null, // a check constraint holds it
    }),
    to: t.field({
      type: ReferralState,
      description: 'How it stood then.',
      select: { toState: true },
      resolve: ({ toState }) => toState as State, // likewise
    }),
    at: t.expose('at', { type: 'DateTime' }),
    actor: t.exposeString('actor'),
    reason: t.exposeString('reason', { nullable: true }),
  }),
})

/** For a member's token, that it is one of the two sides; for staff and integrations nothing. */
function ofViewer({ viewer }: Context): object[] {
  if (viewer?.kind !== 'MEMBER') return []
  const sql: SqlCondition = (alias, param) => {
    const me = param(viewer.memberId)
    return `(${alias}.referrer_id = ${me} or ${alias}.friend_id = ${me})`
  }
  return [{ sql }]
}

/** A member that was recommended by another. Each side knows the other by name alone. */
export const Referral = builder.prismaNode('Referral', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ofViewer(context),
  }),
  authScopes: { reads: 'referrals:read' },
  select: { id: true },
  fields: (t) => ({
    program: t.exposeString('key'),
    programName: t.string({
      description: 'What members call the program.',
      select: { key: true, program: { select: { name: true } } },
      resolve: ({ key, program }, _args, context) => inLanguage(program.name, context) ?? key,
    }),
    state: t.field({
      type: ReferralState,
      description: 'How it stands.',
      select: { state: true },
      resolve: ({ state }) => state as State, // a check constraint holds it
    }),
    referrerName: t.string({
      description: 'How whoever recommended the shop is greeted.',
      select: { referrer: { select: { displayName: true } } },
      resolve: ({ referrer }) => referrer.displayName,
    }),
    friendName: t.string({
      description: 'How whoever came is greeted.',
      select: { friend: { select: { displayName: true } } },
      resolve: ({ friend }) => friend.displayName,
    }),
    referrer: t.relation('referrer', {
      nullable: true,
      authScopes: { lists: 'referrals:read' },
      description: 'Who recommended the shop. Not for members.',
    }),
    friend: t.relation('friend', {
      nullable: true,
      authScopes: { lists: 'referrals:read' },
      description: 'Who came. Not for members.',
    }),
    claimedAt: t.expose('claimedAt', { type: 'DateTime' }),
    qualifiedAt: t.expose('qualifiedAt', { type: 'DateTime', nullable: true }),
    paysAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it is paid, unless what counts is given back before.',
      select: { dueAt: true, owesBack: true },
      resolve: ({ dueAt, owesBack }) => (owesBack ? null : dueAt),
    }),
    paidAt: t.expose('paidAt', { type: 'DateTime', nullable: true }),
    closedAt: t.expose('closedAt', { type: 'DateTime', nullable: true }),
    suspicions: t.exposeStringList('suspicions', {
      nullable: true,
      authScopes: { lists: 'referrals:read' },
      description:
        'What speaks for one person behind both sides, as in SAME_DEVICE; CUSTOMER when the friend had bought before, NOT_GIVEN when a benefit could not be given. At most 10. Not for members.',
    }),
    history: t.relation('changes', {
      type: ReferralChange,
      nullable: true,
      authScopes: { lists: 'referrals:read' },
      description: 'Its steps, in order. At most 20. Not for members.',
      query: { orderBy: { id: 'asc' }, take: 20 },
    }),
  }),
})

const ReferralConnection = connectionOf(Referral, 'Referral')

builder.prismaObjectFields(Member, (t) => ({
  referrals: t.relatedConnection(
    'referrals',
    {
      type: Referral,
      description:
        'Whom the member brought, the newest first. For the member itself and who may read referrals.',
      nullable: true,
      authScopes: { reads: 'referrals:read' },
      cursor: 'tenantId_id',
      query: (_args, context) => ({
        where: { AND: ofViewer(context) } as object, // the reader's own words
        orderBy: { id: 'desc' },
      }),
    },
    ReferralConnection,
  ),
  referrer: t.relation('referral', {
    type: Referral,
    nullable: true,
    authScopes: { reads: 'referrals:read' },
    description: 'The claim by which the member came; null when nobody recommended the shop to it.',
    query: (_args, context) => ({ where: { AND: ofViewer(context) } as object }),
  }),
}))

builder.queryField('referrals', (t) =>
  t.prismaConnection(
    {
      type: Referral,
      nullable: true,
      description:
        'Claims of all members, the oldest first: with REVIEW, the queue of those who look at them.',
      authScopes: { lists: 'referrals:read' },
      cursor: 'tenantId_id',
      args: { state: t.arg({ type: ReferralState, description: 'Only those that stand so.' }) },
      resolve: (query, _root, { state }, { db }) =>
        read(db).referral.findMany({
          ...query,
          where: state == null ? {} : { state },
          orderBy: { id: 'asc' },
        }),
    },
    ReferralConnection,
  ),
)

/** The field `referral` of a payload that knows which it changed. */
export const referralOf = <Payload extends { readonly referral: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.prismaField({
    type: Referral,
    nullable: true,
    description: 'The referral, as it is now.',
    resolve: (query, { referral }, _args, { db }) =>
      read(db).referral.findFirst({ ...query, where: { id: referral } }),
  })

const eventReferral = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, LoggedEvent>) => ({
  referral: t.prismaField({
    type: Referral,
    nullable: true,
    description: 'The referral, as it is now.',
    resolve: (query, event, _args, { db }) =>
      read(db).referral.findFirst({ ...query, where: { id: factOf(event, 'referral') } }),
  }),
})

for (const fact of [referralClaimed, referralQualified, referralPaid, referralRejected, referralReversed]) {
  eventType(fact, eventReferral)
}
