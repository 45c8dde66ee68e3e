import { completeValue } from '@pothos/core'
import { builder, type Types } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import type { LoggedEvent } from '../../platform/events.ts'
import { Member } from '../members/index.ts'
import { rewardCancelled, rewardFulfilled, rewardLapsed, rewardRedeemed } from './events.ts'
import { Reward } from './graphql.ts'

/** How a redemption stands. */
export const RewardRedemptionState = builder.enumType('RewardRedemptionState', {
  description: 'How a redemption stands.',
  values: {
    REQUESTED: { description: 'Its points are spent; it waits to be fulfilled.' },
    RESERVED: { description: 'Its points are held until it is fulfilled, for a time.' },
    FULFILLED: { description: 'The member has it.' },
    CANCELLED: { description: 'It was called off; its points went back.' },
    LAPSED: { description: 'Its time ran out before it was fulfilled; its points went back.' },
  },
})
type State = typeof RewardRedemptionState.$inferType

const RewardRedemptionChange = builder.prismaObject('RewardRedemptionChange', {
  fields: (t) => ({
    from: t.field({
      type: RewardRedemptionState,
      nullable: true,
      description: 'How it stood before; null for the first step.',
      select: { fromState: true },
      resolve: ({ fromState }) => fromState as State | null, // a check constraint holds it
    }),
    to: t.field({
      type: RewardRedemptionState,
      description: 'How it stood then.',
      select: { toState: true },
      resolve: ({ toState }) => toState as State, // likewise
    }),
    at: t.expose('at', { type: 'DateTime' }),
    reason: t.exposeString('reason', { nullable: true }),
    actor: t.exposeString('actor', {
      nullable: true,
      authScopes: { lists: 'rewards:read' },
      description: 'Who did it, as in staff:anna. Not for members.',
    }),
  }),
})

/** One member's taking of a reward. */
export const RewardRedemption = builder.prismaNode('RewardRedemption', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { reads: 'rewards:read' },
  select: { id: true },
  fields: (t) => ({
    member: t.relation('member', { description: 'Who redeemed it.' }),
    reward: t.relation('shelf', { type: Reward, description: 'What was redeemed, as it is now.' }),
    name: t.string({
      description: 'What it was called when it was redeemed.',
      select: { key: true, terms: { select: { name: true } } },
      resolve: ({ key, terms }, _args, context) => inLanguage(terms.name, context) ?? key,
    }),
    quantity: t.exposeInt('quantity'),
    points: t.expose('points', { type: 'Points' }),
    currency: t.exposeString('currency'),
    state: t.field({
      type: RewardRedemptionState,
      description: 'How it stands, by the clock too.',
      select: { state: true, reservedUntil: true },
      resolve: ({ state, reservedUntil }, _args, context) =>
        completeValue(context.now(), (now) =>
          // A check constraint holds it.
          state === 'RESERVED' && reservedUntil !== null && reservedUntil <= now
            ? 'LAPSED'
            : (state as State),
        ),
    }),
    redeemedAt: t.expose('redeemedAt', { type: 'DateTime' }),
    lapsesAt: t.expose('reservedUntil', { type: 'DateTime', nullable: true }),
    fulfilledAt: t.expose('fulfilledAt', { type: 'DateTime', nullable: true }),
    closedAt: t.expose('closedAt', { type: 'DateTime', nullable: true }),
    reference: t.exposeString('reference', { nullable: true }),
    history: t.relation('changes', {
      type: RewardRedemptionChange,
      description: 'Its steps, in order. At most 10.',
      query: { orderBy: { id: 'asc' }, take: 10 },
    }),
  }),
})

const RewardRedemptionConnection = connectionOf(RewardRedemption, 'RewardRedemption')

builder.prismaObjectFields(Member, (t) => ({
  rewardRedemptions: t.relatedConnection(
    'rewardRedemptions',
    {
      type: RewardRedemption,
      description:
        'What the member redeemed, the newest first. For the member itself and who may read rewards.',
      nullable: true,
      authScopes: { reads: 'rewards:read' },
      cursor: 'tenantId_id',
      query: (_args, context) => ({
        where: { AND: ownOnly(context, (memberId) => ({ memberId })) },
        orderBy: { id: 'desc' },
      }),
    },
    RewardRedemptionConnection,
  ),
}))

builder.queryField('rewardRedemptions', (t) =>
  t.prismaConnection(
    {
      type: RewardRedemption,
      nullable: true,
      description:
        'Redemptions of all members, the oldest first: with REQUESTED or RESERVED, the queue of those who fulfil them.',
      authScopes: { lists: 'rewards:read' },
      cursor: 'tenantId_id',
      args: {
        state: t.arg({ type: RewardRedemptionState, description: 'Only those that were booked as this.' }),
        reward: t.arg.string({ description: 'Only those of the reward with this key.' }),
      },
      resolve: (query, _root, { state, reward }, { db }) =>
        read(db).rewardRedemption.findMany({
          ...query,
          where: { ...(state != null && { state }), ...(reward != null && { key: reward }) },
          orderBy: { id: 'asc' },
        }),
    },
    RewardRedemptionConnection,
  ),
)

/** The field `redemption` of a payload that knows which it changed. */
export const redemptionOf = <Payload extends { readonly redemption: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.prismaField({
    type: RewardRedemption,
    nullable: true,
    description: 'The redemption, as it is now.',
    resolve: (query, { redemption }, _args, { db }) =>
      read(db).rewardRedemption.findFirst({ ...query, where: { id: redemption } }),
  })

const eventRedemption = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, LoggedEvent>) => ({
  redemption: t.prismaField({
    type: RewardRedemption,
    nullable: true,
    description: 'The redemption, as it is now.',
    resolve: (query, event, _args, { db }) =>
      read(db).rewardRedemption.findFirst({ ...query, where: { id: factOf(event, 'redemption') } }),
  }),
})

for (const fact of [rewardRedeemed, rewardFulfilled, rewardCancelled, rewardLapsed]) {
  eventType(fact, eventRedemption)
}
