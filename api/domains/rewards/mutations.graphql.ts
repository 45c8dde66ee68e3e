import { builder, type Types } from '../../graph/builder.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import {
  BadInputError,
  HoldResolvedError,
  IdempotencyKeyReusedError,
  InsufficientPointsError,
  MembershipEndedError,
  RedemptionClosedError,
  RewardUnavailableError,
} from '../../platform/errors/index.ts'
import { MemberByInput, memberOf, onlyOf, ownOrWrites, subjectOf } from '../members/index.ts'
import { transactionOf } from '../points/index.ts'
import { Reward, RewardRefusal } from './graphql.ts'
import { RewardInput } from './input.graphql.ts'
import { rewardPart } from './part.ts'
import { RewardRedemptionState, redemptionOf } from './redemptions.graphql.ts'
import { cancelRedemption, defineReward, fulfilReward, redeemReward, retireReward } from './service.ts'

const rewardOf = <Payload extends { readonly key: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.prismaField({
    type: Reward,
    nullable: true,
    description: 'The reward, as it is now.',
    resolve: (query, { key }, _args, { db }) => read(db).rewardShelf.findFirst({ ...query, where: { key } }),
  })

mutation('defineReward', {
  description:
    'Puts a reward into force as its next version; the same once more changes nothing. What was redeemed keeps its version. Needs: `program:write`. Emits: `program.published`.',
  scopes: { staff: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({ required: true, description: 'The name that programs use; 1 to 100 characters.' }),
    reward: t.field({ type: RewardInput, required: true, description: 'The reward.' }),
  }),
  resolve: ({ key, reward }, { db }, op) =>
    defineReward(
      db,
      { key: text(key, 'input.key', 100), reward: rewardPart.read(reward, 'input.reward') },
      op,
    ),
  payload: (t) => ({ reward: rewardOf(t) }),
})

mutation('retireReward', {
  description:
    'Takes a reward out of force. What was redeemed goes on as it was. Needs: `program:write`. Emits: `program.published`.',
  scopes: { staff: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({ key: t.string({ required: true, description: 'Which reward.' }) }),
  resolve: ({ key }, { db }, op) => retireReward(db, text(key, 'input.key', 100), op),
  payload: (t) => ({ reward: rewardOf(t) }),
})

mutation('redeemReward', {
  description:
    "Redeems a reward: its points are held, or spent at once, and what is fulfilled at once is given. Needs: a member's token, for its own, or `rewards:write`. Emits: `reward.redeemed`, `points.posted`, `points.held`, `reward.fulfilled`.",
  scopes: ownOrWrites('rewards:write'),
  errors: [IdempotencyKeyReusedError, RewardUnavailableError, InsufficientPointsError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: "For whom; a member's own when left out." }),
    reward: t.string({ required: true, description: 'The key of the reward.' }),
    quantity: t.int({ defaultValue: 1, description: 'How many; 1 to 100.' }),
  }),
  resolve: ({ member, reward, quantity }, context, op) => {
    const field = 'input.quantity'
    const many = quantity ?? 1
    if (many < 1 || many > 100)
      throw new BadInputError(field, `${field} must be from 1 to 100; it is ${many}.`)
    return redeemReward(context.db, { member: subjectOf(member, context), reward, quantity: many }, op)
  },
  payload: (t) => ({ redemption: redemptionOf(t), member: memberOf(t), transaction: transactionOf(t) }),
})

mutation('fulfilReward', {
  description:
    'Says that a member got what was redeemed: held points are spent, a benefit is given. Needs: `rewards:write`. Emits: `reward.fulfilled`, `points.posted`.',
  scopes: { writes: 'rewards:write' },
  errors: [IdempotencyKeyReusedError, RedemptionClosedError, HoldResolvedError],
  input: (t) => ({
    redemption: t.id({ required: true, description: 'Which redemption.' }),
    reference: t.string({
      description:
        'What the sender calls it, such as a tracking number; the member sees it. 1 to 200 characters.',
    }),
  }),
  resolve: ({ redemption, reference }, { db }, op) =>
    fulfilReward(
      db,
      {
        redemption: idOf('RewardRedemption', redemption, 'input.redemption'),
        reference: reference == null ? null : text(reference, 'input.reference', 200),
      },
      op,
    ),
  payload: (t) => ({ redemption: redemptionOf(t), member: memberOf(t), transaction: transactionOf(t) }),
})

mutation('cancelRedemption', {
  description:
    "Calls a redemption off: its points go back, and its place in the stock and in the member's limit. A member may as long as nothing was fulfilled; for others, what was given is taken back. Needs: a member's token, for its own, or `rewards:write`. Emits: `reward.cancelled`, `points.posted`.",
  scopes: ownOrWrites('rewards:write'),
  errors: [IdempotencyKeyReusedError, RedemptionClosedError],
  input: (t) => ({
    redemption: t.id({ required: true, description: 'Which redemption.' }),
    reason: t.string({ description: 'Why, in words for the member; 1 to 200 characters.' }),
  }),
  resolve: ({ redemption, reason }, context, op) =>
    cancelRedemption(
      context.db,
      {
        redemption: idOf('RewardRedemption', redemption, 'input.redemption'),
        member: onlyOf(context),
        reason: reason == null ? null : text(reason, 'input.reason', 200),
      },
      op,
    ),
  payload: (t) => ({ redemption: redemptionOf(t), member: memberOf(t), transaction: transactionOf(t) }),
})

builder.objectField(RewardUnavailableError, 'reason', (t) =>
  t.field({ type: RewardRefusal, description: 'Why.', resolve: ({ reason }) => reason }),
)
// Named apart from the state of a hold, beside which it may be selected.
builder.objectField(RedemptionClosedError, 'redemptionState', (t) =>
  t.field({
    type: RewardRedemptionState,
    description: 'How the redemption stands.',
    resolve: ({ state }) => state,
  }),
)
