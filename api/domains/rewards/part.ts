import { z } from 'zod'
import { Benefit } from '../benefits/index.ts'
import {
  amount,
  bare,
  definePart,
  duration,
  instant,
  optional,
  pointsCurrency,
  readBody,
  text,
} from '../program/index.ts'

const count = (most: number) => z.int().min(1, 'must be 1 or more').max(most, `must be at most ${most}`)

const rule = z.record(z.string(), z.json())

/** A reward as its definition has it. */
const Reward = z
  .strictObject({
    name: text,
    description: optional(text),
    cost: z.strictObject({ points: amount, currency: optional(pointsCurrency) }),
    costs: optional(
      z.array(z.strictObject({ when: rule, points: amount })).max(20, 'must be at most 20 prices'),
    ),
    audience: optional(rule),
    window: optional(z.strictObject({ from: optional(instant), until: optional(instant) })),
    stock: optional(z.int().min(0, 'must be 0 or more').max(2_000_000_000)),
    perMember: optional(
      z.strictObject({
        limit: count(1_000),
        period: optional(z.enum(['DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR'])),
      }),
    ),
    benefit: optional(Benefit),
    goods: optional(z.strictObject({ sku: z.string().trim().min(1).max(100) })),
    fulfilment: z.enum(['AT_ONCE', 'MANUAL']),
    reservation: optional(z.strictObject({ for: duration })),
  })
  .superRefine((reward, { addIssue }) => {
    const wrong = (at: string, message: string) => addIssue({ code: 'custom', path: [at], message })
    const { from, until } = reward.window ?? {}
    if (from && until && from >= until) wrong('window', 'must begin before it ends')
    if ((reward.benefit === undefined) === (reward.goods === undefined)) {
      wrong('benefit', 'must be given, or goods, and not both')
    }
    if (reward.fulfilment === 'AT_ONCE' && reward.goods) wrong('fulfilment', 'must be MANUAL for goods')
    if (reward.fulfilment === 'AT_ONCE' && reward.reservation) {
      wrong('reservation', 'must not be given for what is fulfilled at once')
    }
  })
  .transform(bare)

/** A reward as its definition has it. */
export type RewardBody = z.infer<typeof Reward>

/** Rewards, as the program keeps them. */
export const rewardPart = definePart<RewardBody>({
  kind: 'reward',
  section: 'rewards',
  read: (given, field) => readBody(Reward, given, field),
  audiences: ({ audience, costs = [] }) => ({
    audience,
    ...Object.fromEntries(costs.map(({ when }, i) => [`costs.${i}`, when])),
  }),
})
