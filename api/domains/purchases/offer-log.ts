import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { BadInputError } from '../../platform/errors/index.ts'
import { isCurrency } from '../../platform/money.ts'
import { type OfferRow, offerPart } from '../offers/index.ts'
import type { ImportRow, Reject } from './import.ts'

/** One line of a log of offers, checked as far as it alone allows. */
export type LogLine =
  | { readonly kind: 'offer'; readonly line: number; readonly key: string; readonly body: object }
  | {
      readonly kind: 'receipt' | 'view'
      readonly line: number
      readonly row: OfferRow
      readonly member: string
    }
  | { readonly kind: 'purchase'; readonly line: number; readonly row: ImportRow; readonly member: string }
  | ({ readonly kind: 'bad' } & Reject)

/** Reads a log of offers, newline-delimited JSON, a line at a time. What is more in a line is passed over. */
export async function* readOfferLog(file: string, onBytes?: (read: number) => void): AsyncGenerator<LogLine> {
  const stream = createReadStream(file, 'utf8')
  if (onBytes) stream.on('data', () => onBytes(stream.bytesRead))
  let line = 0
  for await (const text of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    line++
    const bare = line === 1 ? text.replace(/^\uFEFF/, '') : text
    if (bare.trim() !== '') yield parse(bare, line)
  }
}

type Given = Readonly<Record<string, unknown>>

function parse(text: string, line: number): LogLine {
  try {
    const given = objectOf(text)
    switch (given.kind) {
      case 'offer':
        return { kind: 'offer', line, key: textOf(given, 'id', 100), body: offerOf(given) }
      case 'receipt': {
        const [member, offer, key] = [
          textOf(given, 'member', 200),
          textOf(given, 'offer', 100),
          keyOf(given, 'key'),
        ]
        return {
          kind: 'receipt',
          line,
          member,
          row: { line, externalId: member, offer, key, at: atOf(given) },
        }
      }
      case 'view':
        return viewOf(given, line)
      case 'purchase': {
        const member = textOf(given, 'member', 200)
        return { kind: 'purchase', line, member, row: purchaseOf(given, { line, member }) }
      }
      default:
        throw new RangeError(`kind ${shown(given.kind)} is none of offer, receipt, view, purchase`)
    }
  } catch (error) {
    if (error instanceof RangeError) return { kind: 'bad', line, reason: error.message }
    if (error instanceof BadInputError) return { kind: 'bad', line, reason: error.message }
    throw error
  }
}

function objectOf(text: string): Given {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    throw new RangeError(`this is not JSON: ${text.slice(0, 60)}`)
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new RangeError('a line is one JSON object')
  return given as Given // JSON in
}

/** The offer as the program stores it. Its reward is money in minor units, or a benefit, or nothing. */
function offerOf({ type, threshold, thresholdIs, reward, validFor, endIs, ...more }: Given): object {
  const isInformation = type === 'INFORMATION'
  return offerPart.read(
    {
      type,
      validFor,
      endIs,
      currency: more.currency,
      benefits: benefitsOf(reward),
      // An offer that informs asks for nothing, whatever stands there.
      ...(!isInformation && { threshold, thresholdIs }),
    },
    'offer',
  )
}

function benefitsOf(reward: unknown): unknown[] {
  if (reward === undefined || reward === null) return []
  if (typeof reward === 'object') return Array.isArray(reward) ? reward : [reward]
  const amount = minorOf(reward, 'reward')
  return amount === 0n ? [] : [{ money: { amount } }]
}

function viewOf(given: Given, line: number): LogLine {
  const loose = given.receipt === undefined
  const key = keyOf(given, loose ? 'key' : 'receipt', true)
  const at = atOf(given)
  if (key !== null && given.member === undefined)
    return { kind: 'view', line, member: '', row: { line, externalId: null, offer: null, key, at } }
  const member = textOf(given, 'member', 200)
  const offer = key !== null && given.offer === undefined ? null : textOf(given, 'offer', 100)
  return { kind: 'view', line, member, row: { line, externalId: member, offer, key, loose, at } }
}

function purchaseOf(given: Given, { line, member }: { line: number; member: string }): ImportRow {
  const { currency } = given
  if (typeof currency !== 'string' || !isCurrency(currency))
    throw new RangeError(`currency ${shown(currency)} is not a code of ISO 4217, such as USD or JPY`)
  return {
    line,
    externalId: member,
    orderId: textOf(given, 'orderId', 200),
    purchasedAt: atOf(given),
    isLocal: false,
    currency,
    total: minorOf(given.total, 'total'),
    lines: [],
  }
}

function minorOf(given: unknown, name: string): bigint {
  const isRight =
    typeof given === 'number'
      ? Number.isSafeInteger(given) && given >= 0
      : typeof given === 'string' && /^\d{1,18}$/.test(given)
  if (isRight) return BigInt(given as number | string) // one of the two, as just seen
  throw new RangeError(`${name} ${shown(given)} is not a whole number of minor units, zero or more`)
}

function textOf(given: Given, name: string, most: number): string {
  // Keys that are numbers in the source are the same keys.
  const text = Number.isSafeInteger(given[name]) ? String(given[name]) : given[name]
  if (typeof text !== 'string' || text.trim() === '' || text.length > most || text.includes('\0'))
    throw new RangeError(`${name} ${shown(text)} is not a text of 1 to ${most} characters`)
  return text
}

function keyOf(given: Given, name: string, mayLack: true): string | null
function keyOf(given: Given, name: string): string
function keyOf(given: Given, name: string, mayLack?: true): string | null {
  if (mayLack && (given[name] === undefined || given[name] === null)) return null
  const key = textOf(given, name, 200)
  if (key.startsWith('engawa:')) throw new RangeError(`${name} must not begin with "engawa:", which is ours`)
  return key
}

const INSTANT = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/

function atOf({ at }: Given): string {
  if (typeof at === 'string' && INSTANT.test(at)) {
    const day = at.slice(0, 10)
    const isDay = new Date(`${day}T00:00:00Z`).toJSON()?.startsWith(day)
    if (isDay && !Number.isNaN(Date.parse(at))) return at
  }
  throw new RangeError(`at ${shown(at)} is not an instant such as 2026-03-01T09:30:00Z`)
}

function shown(given: unknown): string {
  return (JSON.stringify(given) ?? 'that is missing').slice(0, 60)
}
