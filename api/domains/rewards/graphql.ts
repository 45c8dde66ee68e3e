import { builder } from '../../graph/builder.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { loader } from '../../graph/load.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { type RewardNow, rewardsNow } from './store.ts'

/** Why a reward may not be had. */
export const RewardRefusal = builder.enumType('RewardRefusal', {
  description: 'Why a reward may not be redeemed.',
  values: {
    RETIRED: { description: 'It is offered no longer.' },
    NOT_STARTED: { description: 'Its time has not come.' },
    ENDED: { description: 'Its time is over.' },
    NOT_FOR_MEMBER: { description: 'It is for others.' },
    LIMIT_REACHED: { description: 'The member has had as many as it may, for now.' },
    SOLD_OUT: { description: 'There are too few left.' },
  },
})

/** How a redemption comes to be fulfilled. */
export const RewardFulfilment = builder.enumType('RewardFulfilment', {
  description: 'How a redemption comes to be fulfilled.',
  values: {
    AT_ONCE: { description: 'With the redemption itself.' },
    MANUAL: { description: 'By staff, or a system that sends it.' },
  },
})

/** The span in which a limit counts. */
export const RewardPeriod = builder.enumType('RewardPeriod', {
  description: "The calendar span, by the tenant's time zone, in which a limit counts.",
  values: {
    DAY: { description: 'A day.' },
    WEEK: { description: 'A week from Monday.' },
    MONTH: { description: 'A month.' },
    QUARTER: { description: 'A quarter of a year.' },
    YEAR: { description: 'A year.' },
  },
})

/** How rewards stand to the viewer's member, when there is one: one statement for all that are asked for. */
const nowOf = loader<string, RewardNow>(async (keys, { db, viewer }) => {
  const found = await rewardsNow(db, keys, viewer?.memberId ?? null)
  return keys.map((key) => found.get(key) ?? new TypeError(`no reward ${key}`))
})

/** A reward as it is to the member who asks. */
const ViewerReward = builder.objectRef<NonNullable<RewardNow['viewer']>>('ViewerReward').implement({
  description: 'A reward as it is to the member who asks.',
  fields: (t) => ({
    points: t.expose('cost', { type: 'Points', description: 'What one costs the member.' }),
    missing: t.field({
      type: 'Points',
      description: 'How many points the member lacks for one; 0 when it can afford it.',
      resolve: ({ cost, available }) => (cost > available ? cost - available : 0n),
    }),
    isAffordable: t.boolean({
      description: 'Whether the member has the points for one.',
      resolve: ({ cost, available }) => cost <= available,
    }),
    remaining: t.exposeInt('allowance', {
      nullable: true,
      description: 'How many more the member may have in this period; null: as many as it likes.',
    }),
    viewerCanRedeem: t.boolean({
      description: 'Whether the member can redeem one now.',
      resolve: ({ cost, available, refusal }) => refusal === null && cost <= available,
    }),
    refusal: t.expose('refusal', {
      type: RewardRefusal,
      nullable: true,
      description: 'What stands against it besides points; null: nothing does.',
    }),
  }),
})

/** Something that members spend points on. */
export const Reward = builder.prismaNode('RewardShelf', {
  variant: 'Reward',
  nullable: true,
  description: 'Something that members spend points on, as it is defined and stands now.',
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({ tenantId_id: { tenantId: context.db.tenantId, id } }),
  authScopes: { reads: 'rewards:read' },
  select: { id: true, key: true },
  fields: (t) => ({
    key: t.exposeString('key'),
    version: t.exposeInt('version'),
    isLive: t.exposeBoolean('isLive'),
    name: t.string({
      description: "What members call it, in the language of the viewer's tenant.",
      select: { current: { select: { name: true } } },
      resolve: ({ current, key }, _args, context) => inLanguage(current.name, context) ?? key,
    }),
    description: t.string({
      nullable: true,
      description: 'What it is, in words for members.',
      select: { current: { select: { description: true } } },
      resolve: ({ current }, _args, context) => inLanguage(current.description, context) ?? null,
    }),
    points: t.field({
      type: 'Points',
      description: 'What one costs, unless a lower price applies.',
      select: { current: { select: { points: true } } },
      resolve: ({ current }) => current.points,
    }),
    currency: t.string({
      description: 'Which points it costs.',
      select: { current: { select: { currency: true } } },
      resolve: ({ current }) => current.currency,
    }),
    startsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'From when on it can be redeemed; null: at once.',
      select: { current: { select: { startsAt: true } } },
      resolve: ({ current }) => current.startsAt,
    }),
    endsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'From when on it cannot be redeemed any more; null: never.',
      select: { current: { select: { endsAt: true } } },
      resolve: ({ current }) => current.endsAt,
    }),
    fulfilment: t.field({
      type: RewardFulfilment,
      description: 'How a redemption comes to be fulfilled.',
      select: { current: { select: { fulfilment: true } } },
      resolve: ({ current }) => current.fulfilment as typeof RewardFulfilment.$inferType, // a check holds it
    }),
    reservedFor: t.field({
      type: 'Duration',
      nullable: true,
      description: 'For how long its points are held until it is fulfilled; null: they are spent at once.',
      select: { current: { select: { reservationFor: true } } },
      resolve: ({ current }) => current.reservationFor,
    }),
    left: t.int({
      nullable: true,
      description: 'How many are left now; null: there is no end of them.',
      select: { key: true },
      resolve: async ({ key }, _args, context) => (await nowOf(context, key)).left,
    }),
    viewer: t.field({
      type: ViewerReward,
      nullable: true,
      description: 'What it is to the member who asks; null for staff and integrations.',
      select: { key: true },
      resolve: async ({ key }, _args, context) => (await nowOf(context, key)).viewer,
    }),
  }),
})

const RewardConnection = connectionOf(Reward, 'Reward')

builder.queryField('rewards', (t) =>
  t.prismaConnection(
    {
      type: Reward,
      nullable: true,
      description: 'The rewards on offer, in the order in which they were first defined.',
      authScopes: { reads: 'rewards:read' },
      cursor: 'tenantId_id',
      resolve: (query, _root, _args, { db }) =>
        read(db).rewardShelf.findMany({ ...query, where: { isLive: true }, orderBy: { id: 'asc' } }),
    },
    RewardConnection,
  ),
)
