/** What a ladder of tiers is made of. What comes in by GraphQL and what is stored read alike. */
import { z } from 'zod'
import { isCurrency } from '../../platform/money.ts'
import { definePart, readBody } from '../program/index.ts'

const optional = <Schema extends z.ZodType>(schema: Schema) =>
  schema
    .nullish()
    .transform((value) => value ?? undefined)
    .optional()

const whole = z
  .union([z.bigint(), z.int(), z.string()], 'must be a whole number, zero or more')
  .transform(String)
  .refine((digits) => /^(0|[1-9]\d{0,17})$/.test(digits), 'must be a whole number, zero or more')

const sentence = z.string().trim().min(1).max(200)
const text = z.strictObject({ en: sentence, ja: sentence })
const points = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,31}$/, 'must be a currency of points in capitals, such as POINTS')
const period = z.enum(['MONTH', 'QUARTER', 'HALF', 'YEAR'], 'must be MONTH, QUARTER, HALF or YEAR')
const yes = z.literal(true, 'must be true, or left out')

const span = z
  .strictObject({ days: optional(z.int().min(1).max(3_650)), months: optional(z.int().min(1).max(120)) })
  .refine(
    ({ days, months }) => (days === undefined) !== (months === undefined),
    'must have days or months, one of them',
  )
const spanToEnd = z
  .strictObject({
    days: optional(z.int().min(1).max(3_650)),
    months: optional(z.int().min(1).max(120)),
    endOf: optional(period),
  })
  .refine(
    ({ days, months }) => (days === undefined) !== (months === undefined),
    'must have days or months, one of them',
  )

const oneOf = (value: object) => Object.values(value).filter((given) => given !== undefined).length === 1

const measure = z
  .strictObject({
    pointsEarned: optional(
      z.strictObject({ currency: points.default('POINTS'), withGrants: optional(z.boolean()) }),
    ),
    balance: optional(z.strictObject({ currency: points.default('POINTS') })),
    spend: optional(
      z.strictObject({
        currency: z
          .string()
          .refine(isCurrency, 'must be a currency code of ISO 4217 in capitals, such as JPY'),
      }),
    ),
    purchases: optional(yes),
    activities: optional(
      z.strictObject({
        name: z.string().regex(/^[a-z][a-z0-9_.-]{0,99}$/, 'must be a name such as lesson.finished'),
      }),
    ),
  })
  .refine(oneOf, 'must have exactly one of pointsEarned, balance, spend, purchases, activities')

const window = z
  .strictObject({
    calendar: optional(period),
    rolling: optional(span),
    anniversary: optional(yes),
    sinceTierStart: optional(yes),
    ever: optional(yes),
  })
  .refine(oneOf, 'must have exactly one of calendar, rolling, anniversary, sinceTierStart, ever')

const tier = z.strictObject({
  key: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,49}$/, 'must be 1 to 50 small letters, digits, hyphens and underscores'),
  name: text,
  threshold: whole,
  neverFalls: optional(z.boolean()),
})

/** The body of a ladder. */
export const ladderBody = z
  .strictObject({
    tiers: z.array(tier).min(1, 'must have at least one tier').max(20, 'must have at most 20 tiers'),
    measure,
    window,
    falls: z.enum(['NEVER', 'ONE_LEVEL', 'FULL'], 'must be NEVER, ONE_LEVEL or FULL'),
    validFor: optional(spanToEnd),
    grace: optional(spanToEnd),
  })
  .superRefine((ladder, check) => {
    const wrong = (path: (string | number)[], message: string) =>
      check.addIssue({ code: 'custom', path, message })
    const { tiers, window, measure, falls, validFor, grace } = ladder
    tiers.forEach(({ key, threshold }, i) => {
      const before = tiers[i - 1]
      if (before && BigInt(threshold) <= BigInt(before.threshold))
        wrong(
          ['tiers', i, 'threshold'],
          `must be more than ${before.threshold}, the threshold of the tier before`,
        )
      if (tiers.slice(0, i).some((other) => other.key === key))
        wrong(['tiers', i, 'key'], 'must be another key than that of a tier before')
    })
    const ownEnd = window.calendar !== undefined || window.anniversary !== undefined
    if (ownEnd && validFor)
      wrong(['validFor'], 'goes with rolling, sinceTierStart and ever; this window ends by itself')
    if (falls === 'NEVER' && validFor) wrong(['validFor'], 'has no meaning where nobody falls')
    if (falls === 'NEVER' && grace) wrong(['grace'], 'has no meaning where nobody falls')
    if (window.sinceTierStart && falls !== 'NEVER' && !validFor)
      wrong(['validFor'], 'is needed: a window that begins with the tier has no end of its own')
    if (falls === 'ONE_LEVEL' && !ownEnd && !validFor)
      wrong(['validFor'], 'is needed to fall by one level: it says how long the lower tier lasts')
    if (measure.balance && (window.rolling || window.sinceTierStart))
      wrong(['window'], 'must be calendar, anniversary or ever for a balance, which has no history')
  })

/** A ladder as it is stored. */
export type LadderBody = z.infer<typeof ladderBody>

/** `tierLadders` of the program: what members rise on, and how they fall. */
export const ladderPart = definePart<LadderBody>({
  kind: 'tierLadder',
  section: 'tierLadders',
  read: (given, field) => readBody(ladderBody, given, field),
})
