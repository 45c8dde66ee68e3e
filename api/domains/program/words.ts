import { z } from 'zod'
import { isCurrency } from '../../platform/money.ts'

/** The pieces that bodies of definitions are made of. What comes in by GraphQL and what is stored read alike. */

/** A whole number above zero, stored as decimal text; a number or bigint is taken as well. */
export const amount = z
  .union([z.bigint(), z.int(), z.string()], 'must be a whole number above zero')
  .transform(String)
  .refine((digits) => /^[1-9]\d{0,17}$/.test(digits), 'must be a whole number above zero')

/** The same, or zero. */
export const amountOrZero = z
  .union([z.bigint(), z.int(), z.string()], 'must be a whole number, zero or more')
  .transform(String)
  .refine((digits) => /^(0|[1-9]\d{0,17})$/.test(digits), 'must be a whole number, zero or more')

/** A currency of ISO 4217. */
export const moneyCurrency = z
  .string()
  .refine(isCurrency, 'must be a currency code of ISO 4217 in capitals, such as JPY')

/** A currency of points. */
export const pointsCurrency = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,31}$/, 'must be a currency of points in capitals, such as POINTS')

/** A key of a definition. */
export const key = z
  .string()
  .regex(/^[a-zA-Z0-9][\w.-]{0,99}$/, 'must be 1 to 100 letters, digits, hyphens, dots and underscores')

/** A length of time above zero, ISO 8601. */
export const duration = z
  .string()
  .regex(
    /^P(?=\d|T\d)(\d{1,4}Y)?(\d{1,5}M)?(\d{1,5}W)?(\d{1,5}D)?(T(?=\d)(\d{1,6}H)?(\d{1,7}M)?(\d{1,8}S)?)?$/,
    'must be a length of time in ISO 8601, such as P30D',
  )
  .refine((text) => /[1-9]/.test(text), 'must be longer than nothing')

/** An instant, stored in UTC with milliseconds. */
export const instant = z
  .union([z.date(), z.iso.datetime({ offset: true })], 'must be an instant such as 2026-04-01T09:00:00+09:00')
  .transform((at) => (at instanceof Date ? at : new Date(at)).toISOString())

const sentence = z.string().trim().min(1).max(200)

/** A text for members, in English and Japanese. */
export const text = z.strictObject({ en: sentence, ja: sentence })

/** What GraphQL leaves out comes as null; in a body it is not there. */
export function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema
    .nullish()
    .transform((value) => value ?? undefined)
    .optional()
}

/** The same without what is undefined or null, at any depth: equal meanings are equal JSON. */
export function bare<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value, (_, item) => item ?? undefined)) as Value // JSON in, JSON out
}

const PARTS = /(\d+)([YMWDHS])/g
const DATE = { Y: 31_557_600, M: 2_629_800, W: 604_800, D: 86_400 }
const TIME = { H: 3_600, M: 60, S: 1 }

/** About how many seconds a length of time has; months and years are those of the calendar's average. */
export function secondsOf(duration: string): number {
  const [date = '', time = ''] = duration.split('T')
  const sum = (part: string, units: Readonly<Record<string, number>>) =>
    [...part.matchAll(PARTS)].reduce((all, [, n, unit]) => all + Number(n) * (units[unit ?? ''] ?? 0), 0)
  return sum(date, DATE) + sum(time, TIME)
}
