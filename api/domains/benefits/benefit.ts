import { z } from 'zod'
import { amount, currency, duration, instant, key, optional, pointsCurrency } from './words.ts'

/** When points become spendable: after a time, at an instant, or at an event that must come within a time. */
const Pending = z.union(
  [
    z.strictObject({ for: duration }),
    z.strictObject({ until: instant }),
    z.strictObject({ event: key, cancelAfter: duration }),
  ],
  'must have one of for, until, or event with cancelAfter',
)

const calendarDay = z.string().regex(/^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, 'must be a day such as 03-31')
const count = z.int().min(1).max(10_000)

/** When points die. */
const Expiry = z.union(
  [
    z.strictObject({ never: z.literal(true) }),
    z.strictObject({
      rolling: z.union([
        z.strictObject({ days: count, endOf: optional(z.enum(['MONTH', 'QUARTER', 'HALF', 'YEAR'])) }),
        z.strictObject({ months: count, endOf: optional(z.enum(['MONTH', 'QUARTER', 'HALF', 'YEAR'])) }),
      ]),
    }),
    z.strictObject({ fixed: z.array(calendarDay).min(1).max(12) }),
    z.strictObject({
      sliding: z.union([
        z.strictObject({ days: count, activities: optional(z.array(key).max(50)) }),
        z.strictObject({ months: count, activities: optional(z.array(key).max(50)) }),
      ]),
    }),
  ],
  'must have one of never, rolling, fixed, sliding',
)

/** What a member can be given. One of four kinds; only the first is about points. */
export const Benefit = z
  .strictObject(
    {
      points: optional(
        z.strictObject({
          amount,
          currency: optional(pointsCurrency),
          pending: optional(Pending),
          expiry: optional(Expiry),
        }),
      ),
      entitlement: optional(
        z.strictObject({
          key,
          quota: optional(z.int().min(1).max(1_000_000_000)),
          validFor: optional(duration),
        }),
      ),
      money: optional(z.strictObject({ amount, currency })),
      percent: optional(z.strictObject({ basisPoints: z.int().min(1).max(10_000) })),
    },
    'must be an object with one of points, entitlement, money, percent',
  )
  .refine(
    (benefit) => Object.values(benefit).filter((kind) => kind !== undefined).length === 1,
    'must have exactly one of points, entitlement, money, percent',
  )
  .transform(bare)

/** A benefit as bodies of definitions have it, and as benefit_give takes it. */
export type Benefit = z.infer<typeof Benefit>

/** The same without what is undefined, at any depth: equal meanings are equal JSON. */
export function bare<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value // JSON in, JSON out
}
