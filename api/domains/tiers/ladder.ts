/** What a ladder of tiers is made of. What comes in by GraphQL and what is stored read alike. */
import { z } from 'zod'
import {
  amountOrZero,
  bare,
  definePart,
  moneyCurrency,
  optional,
  pointsCurrency,
  readBody,
  text,
} from '../program/index.ts'

const period = z.enum(['MONTH', 'QUARTER', 'HALF', 'YEAR'], 'must be MONTH, QUARTER, HALF or YEAR')
const yes = z.literal(true, 'must be true, or left out')
const length = {
  days: optional(z.int().min(1).max(3_650)),
  months: optional(z.int().min(1).max(120)),
}
const isLength = ({ days, months }: { days?: number | undefined; months?: number | undefined }) =>
  (days === undefined) !== (months === undefined)
const ONE_LENGTH = 'must have days or months, one of them'
const span = z.strictObject(length).refine(isLength, ONE_LENGTH)
const spanToEnd = z.strictObject({ ...length, endOf: optional(period) }).refine(isLength, ONE_LENGTH)

const isOne = (value: object) => Object.values(value).filter((given) => given !== undefined).length === 1
const points = pointsCurrency.nullish().transform((currency) => currency ?? 'POINTS')

const measure = z
  .strictObject({
    pointsEarned: optional(z.strictObject({ currency: points, withGrants: optional(z.boolean()) })),
    balance: optional(z.strictObject({ currency: points })),
    spend: optional(z.strictObject({ currency: moneyCurrency })),
    purchases: optional(yes),
    activities: optional(
      z.strictObject({
        name: z.string().trim().min(1, 'must name an activity').max(100, 'must have at most 100 characters'),
      }),
    ),
  })
  .refine(isOne, 'must have exactly one of pointsEarned, balance, spend, purchases, activities')

const window = z
  .strictObject({
    calendar: optional(period),
    rolling: optional(span),
    anniversary: optional(yes),
    sinceTierStart: optional(yes),
    ever: optional(yes),
  })
  .refine(isOne, 'must have exactly one of calendar, rolling, anniversary, sinceTierStart, ever')

const tier = z.strictObject({
  key: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,49}$/, 'must be 1 to 50 small letters, digits, hyphens and underscores'),
  name: text,
  threshold: amountOrZero,
  neverFalls: optional(z.boolean()),
})

const body = z
  .strictObject({
    tiers: z.array(tier).min(1, 'must have at least one tier').max(20, 'must have at most 20 tiers'),
    measure,
    window,
    falls: z.enum(['NEVER', 'ONE_LEVEL', 'FULL'], 'must be NEVER, ONE_LEVEL or FULL'),
    validFor: optional(spanToEnd),
    grace: optional(spanToEnd),
  })
  .superRefine((ladder, check) => {
    for (const [path, message] of contradictions(ladder)) check.addIssue({ code: 'custom', path, message })
  })

/** A ladder as it is stored. */
export type LadderBody = z.infer<typeof body>

/** `tierLadders` of the program: what members rise on, and how they fall. */
export const ladderPart = definePart<LadderBody>({
  kind: 'tierLadder',
  section: 'tierLadders',
  read: (given, field) => bare(readBody(body, given, field)),
})

type Contradiction = readonly [path: (string | number)[], message: string]

/** What of a ladder does not go together. */
function* contradictions(ladder: LadderBody): Generator<Contradiction> {
  const { tiers, window, measure, falls, validFor, grace } = ladder
  for (const [i, { key, threshold }] of tiers.entries()) {
    const before = tiers[i - 1]
    if (before && BigInt(threshold) <= BigInt(before.threshold)) {
      yield [['tiers', i, 'threshold'], `must be more than ${before.threshold}, as the tier before asks for`]
    }
    if (tiers.slice(0, i).some((other) => other.key === key)) {
      yield [['tiers', i, 'key'], 'must be another key than that of a tier before']
    }
  }
  const endsItself = window.calendar !== undefined || window.anniversary !== undefined
  if (endsItself && validFor) {
    yield [['validFor'], 'goes with rolling, sinceTierStart and ever; this window ends by itself']
  }
  if (falls === 'NEVER' && validFor) yield [['validFor'], 'has no meaning where nobody falls']
  if (falls === 'NEVER' && grace) yield [['grace'], 'has no meaning where nobody falls']
  if (window.sinceTierStart && falls !== 'NEVER' && !validFor) {
    yield [['validFor'], 'is needed: a window that begins with the tier has no end of its own']
  }
  if (falls === 'ONE_LEVEL' && !endsItself && !validFor) {
    yield [['validFor'], 'is needed to fall by one level: it says how long the lower tier lasts']
  }
  if (measure.balance && (window.rolling || window.sinceTierStart)) {
    yield [['window'], 'must be calendar, anniversary or ever for a balance, which has no history']
  }
}
