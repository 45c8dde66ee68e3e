import { GraphQLError, GraphQLScalarType, Kind, type ValueNode, valueFromASTUntyped } from 'graphql'
import { isDay } from '../platform/calendar.ts'
import { isCurrency } from '../platform/money.ts'
import { instantText } from './instant-text.ts'

/** What each scalar is inside the product and on the wire. The builder wants a type here, not an interface. */
export type Scalars = {
  ID: { Input: string; Output: string }
  DateTime: { Input: Date; Output: Date | string }
  LocalDate: { Input: string; Output: string }
  LocalTime: { Input: string; Output: string }
  Duration: { Input: string; Output: string }
  TimeZone: { Input: string; Output: string }
  Points: { Input: bigint; Output: bigint | string }
  Minor: { Input: bigint; Output: bigint | string }
  Amount: { Input: bigint; Output: bigint | string }
  CurrencyCode: { Input: string; Output: string }
  Cursor: { Input: string; Output: string }
  JSON: { Input: JsonValue; Output: unknown }
}

/** A value of JSON. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }

/** An instant. RFC 3339 with any offset in; UTC with milliseconds out. */
export const DateTime = scalar<Date, string>('DateTime', {
  description:
    'An instant: RFC 3339 with an offset in (`2026-04-01T09:00:00+09:00`), UTC with milliseconds out.',
  right: 'an instant of RFC 3339 with an offset, such as 2026-04-01T09:00:00+09:00',
  parse: (value) => (typeof value === 'string' ? instant(value) : undefined),
  serialize(value) {
    const date = value instanceof Date ? value : typeof value === 'string' ? new Date(value) : undefined
    return date && !Number.isNaN(date.getTime()) ? instantText(date) : undefined
  },
})

/** A day of the calendar, in whatever zone its owner lives. */
export const LocalDate = scalar<string, string>('LocalDate', {
  description: 'A day of the calendar without a time zone: `2026-04-01`.',
  right: 'a day that exists, such as 2026-04-01',
  parse: (value) => (typeof value === 'string' && isDay(value) ? value : undefined),
  serialize: (value) => (typeof value === 'string' && isDay(value) ? value : undefined),
})

/** A time of the day, on the clocks of whatever zone its owner lives in. */
export const LocalTime = scalar<string, string>('LocalTime', {
  description: 'A time of the day without a time zone, from 00:00 to 23:59: `08:30`.',
  right: 'a time of the day, such as 08:30',
  parse: (value) => (typeof value === 'string' && TIME.test(value) ? value : undefined),
  serialize: (value) => (typeof value === 'string' && TIME.test(value) ? value : undefined),
})
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/

/** A length of time. Inside it stays ISO 8601 text, which PostgreSQL reads as an interval. */
export const Duration = scalar<string, string>('Duration', {
  description: 'A length of time in ISO 8601, zero or more and at most 100 years: `P30D`, `P1Y6M`, `PT15M`.',
  right: 'a length of time in ISO 8601 of at most 100 years, such as P30D or PT15M',
  parse: (value) => (typeof value === 'string' && durationParts(value) ? value : undefined),
  serialize: (value) => (typeof value === 'string' && durationParts(value) ? value : undefined),
})

/** A time zone of the IANA database. */
export const TimeZone = scalar<string, string>('TimeZone', {
  description: 'A time zone of the IANA database: `Asia/Tokyo`.',
  right: 'a time zone of the IANA database, such as Asia/Tokyo',
  parse: (value) => (typeof value === 'string' ? zone(value) : undefined),
  serialize: (value) => (typeof value === 'string' ? value : undefined),
})

/** A whole number of points. */
export const Points = whole('Points', 'points', 'A whole number of points.')

/** A whole number of minor units of a currency. */
export const Minor = whole(
  'Minor',
  'minor units',
  'An amount of money in minor units of its currency (cents; yen).',
)

/** A whole amount of something that is named beside it. */
export const Amount = whole('Amount', 'units', 'A whole amount, in the unit that stands beside it.')

/** A currency of ISO 4217. */
export const CurrencyCode = scalar<string, string>('CurrencyCode', {
  description: 'A currency code of ISO 4217, in capitals: `JPY`.',
  right: 'a currency code of ISO 4217 in capitals, such as JPY',
  parse: (value) => (typeof value === 'string' && isCurrency(value) ? value : undefined),
  serialize: (value) => (typeof value === 'string' ? value : undefined),
})

/** A place in the event log. */
export const Cursor = scalar<string, string>('Cursor', {
  description: "An opaque place in the tenant's log of events. Keep it to go on from there.",
  right: 'a cursor that this API gave',
  parse: (value) => (typeof value === 'string' && /^[\w-]{1,200}$/.test(value) ? value : undefined),
  serialize: (value) => (typeof value === 'string' ? value : undefined),
})

/** Any JSON: for attributes that a tenant declared, and at the border to plugins. */
export const Json = new GraphQLScalarType<JsonValue, unknown>({
  name: 'JSON',
  description: 'Any JSON value, at most 16 levels deep.',
  serialize: (value) => value,
  parseValue: (value) => plainJson(value),
  parseLiteral(node, variables) {
    try {
      return plainJson(valueFromASTUntyped(node, variables))
    } catch (error) {
      throw new GraphQLError(error instanceof Error ? error.message : 'JSON must be a JSON value.', {
        nodes: node,
      })
    }
  },
})

/** A duration taken apart. Months and days have no fixed length; the rest is milliseconds. */
export interface DurationParts {
  readonly months: number
  readonly days: number
  readonly milliseconds: number
}

const DURATION =
  /^P(?=\d|T\d)(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?=\d)(?:(\d{1,7})H)?(?:(\d{1,9})M)?(?:(\d{1,10})(?:\.(\d{1,3}))?S)?)?$/
const CENTURY_IN_DAYS = 36_525

/** Takes ISO 8601 text apart; undefined when it is none, is negative, or is longer than 100 years. */
export function durationParts(text: string): DurationParts | undefined {
  const match = DURATION.exec(text)
  if (!match) return undefined
  const [years, months, weeks, days, hours, minutes, seconds] = match
    .slice(1)
    .map((part) => Number(part ?? 0))
  const parts = {
    months: (years ?? 0) * 12 + (months ?? 0),
    days: (weeks ?? 0) * 7 + (days ?? 0),
    milliseconds:
      ((hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)) * 1000 +
      Number((match[8] ?? '').padEnd(3, '0')),
  }
  const total = parts.months * 30.4375 + parts.days + parts.milliseconds / 86_400_000
  return total <= CENTURY_IN_DAYS ? parts : undefined
}

interface Definition<Inside, Outside> {
  description: string
  /** What a caller should have sent, as the end of "… must be". */
  right: string
  /** Undefined when the value is not one of this scalar. */
  parse(value: unknown): Inside | undefined
  serialize(value: unknown): Outside | undefined
}

function scalar<Inside, Outside>(name: string, is: Definition<Inside, Outside>) {
  const parse = (value: unknown, node?: ValueNode) => {
    const parsed = is.parse(value)
    // With its node, because graphql reports the error of a literal as it is.
    if (parsed === undefined) throw new GraphQLError(`${name} must be ${is.right}.`, { nodes: node ?? null })
    return parsed
  }
  return new GraphQLScalarType<Inside, Outside>({
    name,
    description: is.description,
    parseValue: (value) => parse(value),
    parseLiteral: (node) => parse(literal(node), node),
    serialize(value) {
      const serialized = is.serialize(value)
      // A fault of ours; the value itself may be personal.
      if (serialized === undefined) throw new TypeError(`a ${typeof value} was given out as ${name}`)
      return serialized
    },
  })
}

function literal(node: ValueNode): unknown {
  if (node.kind === Kind.INT) return BigInt(node.value)
  return node.kind === Kind.STRING ? node.value : undefined
}

const LARGEST = 9_223_372_036_854_775_807n

function whole(name: string, unit: string, description: string) {
  const fits = (value: bigint) => (value <= LARGEST && value >= -LARGEST - 1n ? value : undefined)
  return scalar<bigint, string>(name, {
    description: `${description} A decimal string out, because it may pass 2^53; a decimal string or an integer in.`,
    right: `a whole number of ${unit} within 64 bits, as a decimal string or an integer`,
    parse(value) {
      if (typeof value === 'bigint') return fits(value)
      if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
      return typeof value === 'string' && /^(0|-?[1-9]\d{0,18})$/.test(value)
        ? fits(BigInt(value))
        : undefined
    },
    serialize(value) {
      if (typeof value === 'bigint') return value.toString()
      if (typeof value === 'string' && /^-?\d{1,19}$/.test(value)) return value
      return Number.isSafeInteger(value) ? String(value) : undefined
    },
  })
}

const INSTANT =
  /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i

function instant(text: string): Date | undefined {
  const day = INSTANT.exec(text)?.[1]
  if (day === undefined || !isDay(day)) return undefined
  const date = new Date(text.toUpperCase())
  return date.getUTCFullYear() >= 1 && date.getUTCFullYear() <= 9999 ? date : undefined
}

const zones = new Map<string, string>()

/** The zone in the spelling of the database, or undefined. Links such as Asia/Kolkata stay what they are. */
function zone(name: string): string | undefined {
  const known = zones.get(name)
  if (known !== undefined) return known
  if (!/^[A-Za-z][\w+-]*(\/[\w+-]+){0,2}$/.test(name)) return undefined
  try {
    const resolved = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
    const spelled = resolved.toLowerCase() === name.toLowerCase() ? resolved : name
    if (zones.size < 1_000) zones.set(name, spelled)
    return spelled
  } catch {
    return undefined
  }
}

const DEEPEST = 16

function plainJson(value: unknown, depth = 0): JsonValue {
  if (depth > DEEPEST) throw new GraphQLError(`JSON must be at most ${DEEPEST} levels deep.`)
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (Array.isArray(value)) return value.map((item) => plainJson(item, depth + 1))
  if (typeof value !== 'object') throw new GraphQLError('JSON must be a JSON value.')
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      // Such a key turns a later copy of the object into an attack on every object.
      if (key === '__proto__') throw new GraphQLError('JSON must not have a key named __proto__.')
      return [key, plainJson(item, depth + 1)]
    }),
  )
}

/** The instant at which a duration from `start` is over; months and days are those of UTC. */
export function durationEnd(duration: string, start: Date): Date {
  const parts = durationParts(duration)
  if (!parts) throw new RangeError(`${duration} is no duration`)
  const end = new Date(start)
  end.setUTCMonth(end.getUTCMonth() + parts.months)
  return new Date(end.getTime() + parts.days * 86_400_000 + parts.milliseconds)
}
