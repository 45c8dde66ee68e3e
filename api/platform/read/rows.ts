import type { Column } from './model.ts'

/** A row that the reader made. What it holds of a column is the column's value, whatever else was asked for. */
class Row {
  readonly [name: string]: unknown
}

/** Whether a value is a row that the reader made. */
export function isRow(value: unknown): value is Readonly<Record<string, unknown>> {
  return value instanceof Row
}

/** Turns the array that PostgreSQL built for one row of a tenant back into an object. */
export type Decode = (row: readonly unknown[], tenantId: string) => Record<string, unknown>

/** Turns one value of that array, which is not null, into what Prisma would give. */
export type DecodeValue = (value: unknown, tenantId: string) => unknown

/**
 * The decoder of rows whose values stand in the order of these names. The tenant is not among the values: whatever a
 * statement reads is its tenant's.
 */
export function decoderOf(
  names: readonly string[],
  decoders: ReadonlyArray<DecodeValue | undefined>,
  { hasTenant }: { readonly hasTenant: boolean },
): Decode {
  return (values, tenantId) => {
    const row: Record<string, unknown> = new Row()
    for (let i = 0; i < names.length; i++) {
      const decode = decoders[i]
      const value = values[i]
      row[names[i] as string] = decode && value !== null ? decode(value, tenantId) : value // as many names as values
    }
    if (hasTenant) row.tenantId = tenantId
    return row
  }
}

/** How a column stands in JSON, so that nothing of it is lost; `value` is the SQL of the column. */
export function jsonOf(value: string, { type, isList }: Column): string {
  return type === 'BigInt' && !isList ? `${value}::text` : value
}

/** How that is read back; undefined when it is right as it is. */
export function valueDecoder({ type, isList }: Column): DecodeValue | undefined {
  if (isList) return undefined
  switch (type) {
    case 'DateTime':
      return (value) => instant(value as string) // PostgreSQL's JSON has text for it
    case 'BigInt':
      return (value) => BigInt(value as string) // text, by jsonOf
    case 'Bytes':
      return (value) => Uint8Array.from(Buffer.from((value as string).slice(2), 'hex')) // \x and hexadecimal digits
    default:
      return undefined
  }
}

/**
 * An instant as PostgreSQL's JSON writes it in UTC, `2026-04-01T00:00:00.123456+00:00`; what is finer than a
 * millisecond is cut off. In half the time of `new Date(text)`, which takes what is written otherwise.
 */
function instant(text: string): Date {
  const { length } = text
  const isUsual = length >= 25 && length <= 32 && text.charCodeAt(4) === HYPHEN && text.endsWith('+00:00')
  if (!isUsual) return new Date(text)
  let milliseconds = 0
  if (length > 26) milliseconds += 100 * digit(text, 20)
  if (length > 27) milliseconds += 10 * digit(text, 21)
  if (length > 28) milliseconds += digit(text, 22)
  const year = 100 * two(text, 0) + two(text, 2)
  if (year < 100) return new Date(text) // Date.UTC takes these for the 20th century
  return new Date(
    Date.UTC(year, two(text, 5) - 1, two(text, 8), two(text, 11), two(text, 14), two(text, 17), milliseconds),
  )
}

const HYPHEN = 0x2d

function digit(text: string, at: number): number {
  return text.charCodeAt(at) - 0x30
}

function two(text: string, at: number): number {
  return 10 * digit(text, at) + digit(text, at + 1)
}
