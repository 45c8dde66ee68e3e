import { z } from 'zod'
import {
  amountOrZero,
  bare,
  duration,
  instant,
  key,
  moneyCurrency,
  optional,
  text,
} from '../program/index.ts'

const endOf = optional(z.enum(['MONTH', 'QUARTER', 'HALF', 'YEAR']))
const count = z.int().min(1).max(10_000)
const calendarDay = z
  .string()
  .regex(
    /^((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2\d))$/,
    'must be a day of the year, such as 03-31',
  )

/** Which of these were given; what GraphQL leaves out is null. */
const isOneOf = (given: object) => Object.values(given).filter((value) => value != null).length === 1

const span = { days: optional(count), months: optional(count) }
const isSpan = ({ days, months }: { days?: number | undefined; months?: number | undefined }) =>
  isOneOf({ days, months })
const ONE_SPAN = 'must have either days or months'

/** How points die, as points_expiry of 0017_ledger.sql reads it: never, rolling, on fixed days, or sliding. */
export const expiryPolicy = z
  .strictObject({
    never: optional(z.literal(true, 'must be true, or left out')),
    rolling: optional(z.strictObject({ ...span, endOf }).refine(isSpan, ONE_SPAN)),
    fixed: optional(z.array(calendarDay).min(1).max(24)),
    sliding: optional(
      z
        .strictObject({ ...span, endOf, activities: optional(z.array(key).min(1).max(50)) })
        .refine(isSpan, ONE_SPAN),
    ),
  })
  .refine(isOneOf, 'must have exactly one of never, rolling, fixed, sliding')
  .transform(bare)

/** When points become spendable, as points_pending reads it: after a time, at an instant, or at an event. */
export const pendingRule = z
  .strictObject({
    for: optional(duration),
    until: optional(instant),
    event: optional(key),
    cancelAfter: optional(duration),
  })
  .refine(
    ({ event, cancelAfter, ...rest }) =>
      event == null ? cancelAfter == null && isOneOf(rest) : cancelAfter != null && !rest.for && !rest.until,
    'must have one of for, until, or event with cancelAfter',
  )
  .transform(bare)

/** A currency of points, as its definition says it. */
export const currencyBody = z
  .strictObject({
    name: text,
    expiry: expiryPolicy,
    value: optional(z.strictObject({ currency: moneyCurrency, micro: amountOrZero })),
    debtLimit: optional(amountOrZero),
    warning: optional(z.strictObject({ before: duration, extendBy: duration, purpose: key })),
  })
  .transform(bare)

/** What staff may do by hand, in points of any one currency. */
export const operationsBody = z
  .strictObject({
    adjustment: z.strictObject({ approvalAbove: amountOrZero, dailyPerOperator: amountOrZero }),
    delight: z.strictObject({ monthlyPerOperator: amountOrZero }),
  })
  .transform(bare)

/** How points die. */
export type ExpiryPolicy = z.infer<typeof expiryPolicy>
/** When points become spendable. */
export type PendingRule = z.infer<typeof pendingRule>
/** A currency of points. */
export type CurrencyBody = z.infer<typeof currencyBody>
/** What staff may do by hand. */
export type OperationsBody = z.infer<typeof operationsBody>
