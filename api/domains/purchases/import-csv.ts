import { createReadStream } from 'node:fs'
import { parse as csvParser } from 'csv-parse'
import { isDay } from '../../platform/calendar.ts'
import { isCurrency, minorFromMajor } from '../../platform/money.ts'
import type { ImportRow, Parsed } from './import.ts'
import type { NewPurchaseLine } from './service.ts'

/** How amounts of a purchase CSV are to be read. */
export interface CsvOptions {
  /** The currency of rows that name none. */
  readonly currency?: string | undefined
  /** Amounts are whole minor units instead of decimals in major units. */
  readonly isMinor: boolean
  readonly onBytes?: (read: number) => void
}

const REQUIRED = ['external_id', 'order_id', 'purchased_at', 'total'] as const
const OPTIONAL = ['currency', 'display_name', 'email', 'sku', 'name', 'quantity', 'amount'] as const
type Column = (typeof REQUIRED)[number] | (typeof OPTIONAL)[number]

/** The header of a CSV lacks something or names what is not known. */
export class CsvHeaderError extends Error {
  override readonly name = 'CsvHeaderError'
}

/**
 * Reads a purchase CSV: UTF-8 with a header, columns by name in any order. Rows with one order id are lines of one
 * purchase wherever they stand, so the file is read twice: first to count the rows of each order. A bad row rejects
 * its order, every line of it named. Throws CsvHeaderError.
 */
export async function* readCsv(file: string, options: CsvOptions): AsyncGenerator<Parsed> {
  const left = await rowsOfOrders(file)
  const open = new Map<string, OpenOrder>()
  for await (const { line, cells, reason } of records(file, options.onBytes)) {
    const orderId = cells.order_id ?? ''
    const order = open.get(orderId) ?? { lines: [], rows: [], rejects: [] }
    order.lines.push(line)
    const row = reason === undefined ? parseRow(cells, line, options) : { line, reason }
    if ('reason' in row) order.rejects.push(row)
    else order.rows.push(row)
    const remaining = (left.get(orderId) ?? 1) - 1
    if (remaining > 0) {
      left.set(orderId, remaining)
      open.set(orderId, order)
      continue
    }
    open.delete(orderId)
    yield* closed(order)
  }
}

interface OpenOrder {
  readonly lines: number[]
  readonly rows: ImportRow[]
  readonly rejects: { line: number; reason: string }[]
}

/** One purchase of all the rows of an order, or why not, line by line. */
function* closed({ lines, rows, rejects }: OpenOrder): Generator<Parsed> {
  const [head] = rows
  for (const row of head ? rows : []) {
    const other = (['externalId', 'purchasedAt', 'currency', 'total'] as const).find(
      (name) => row[name] !== head?.[name],
    )
    if (other)
      rejects.push({ line: row.line, reason: `${other} differs from line ${head?.line} of the same order` })
  }
  if (head && rejects.length === 0) {
    yield { ...head, lines: rows.flatMap((row) => row.lines) }
    return
  }
  yield* rejects
  const named = new Set(rejects.map(({ line }) => line))
  for (const line of lines) {
    if (!named.has(line)) yield { line, reason: `line ${rejects[0]?.line} of the same order is bad` }
  }
}

async function rowsOfOrders(file: string): Promise<Map<string, number>> {
  const rows = new Map<string, number>()
  for await (const { cells } of records(file)) {
    const orderId = cells.order_id ?? ''
    rows.set(orderId, orderId === '' ? 1 : (rows.get(orderId) ?? 0) + 1)
  }
  for (const [orderId, count] of rows) if (count === 1) rows.delete(orderId)
  return rows
}

interface CsvRecord {
  readonly line: number
  readonly cells: Partial<Record<Column, string>>
  /** Why it cannot be read. */
  readonly reason?: string
}

async function* records(file: string, onBytes?: (read: number) => void): AsyncGenerator<CsvRecord> {
  const stream = createReadStream(file)
  const parser = stream.pipe(
    csvParser({
      bom: true,
      info: true,
      trim: true,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
    }),
  )
  stream.on('error', (error) => parser.destroy(error))
  let header: string[] | undefined
  let line = 1
  for await (const { record, info } of parser as AsyncIterable<{
    record: string[]
    info: { lines: number }
  }>) {
    const begins = line
    line = info.lines + 1
    onBytes?.(stream.bytesRead)
    if (!header) {
      header = checkHeader(record)
      continue
    }
    const cells = Object.fromEntries(header.map((name, i) => [name, record[i] ?? '']))
    const isWhole = record.length === header.length
    const reason = `expected ${header.length} columns as in the header, found ${record.length}`
    yield { line: begins, cells, ...(!isWhole && { reason }) }
  }
}

function checkHeader(names: readonly string[]): string[] {
  const missing = REQUIRED.filter((name) => !names.includes(name))
  if (missing.length > 0) throw new CsvHeaderError(`The header lacks ${missing.join(', ')}.`)
  const unknown = names.filter((name) => ![...REQUIRED, ...OPTIONAL].includes(name as Column))
  if (unknown.length > 0) {
    throw new CsvHeaderError(
      `The header names ${unknown.join(', ')}; known are ${[...REQUIRED, ...OPTIONAL].join(', ')}.`,
    )
  }
  return [...names]
}

function parseRow(cells: CsvRecord['cells'], line: number, { currency: usual, isMinor }: CsvOptions): Parsed {
  try {
    const currency = cells.currency || usual || ''
    if (!isCurrency(currency))
      throw new RangeError(`currency ${JSON.stringify(currency)} is not a code of ISO 4217`)
    const total = amountOf('total', cells.total ?? '', { currency, isMinor })
    return {
      line,
      externalId: textOf('external_id', cells.external_id, 200),
      displayName: cells.display_name ? textOf('display_name', cells.display_name, 200) : undefined,
      email: cells.email ? emailOf(cells.email) : undefined,
      orderId: textOf('order_id', cells.order_id, 200),
      ...instantOf(cells.purchased_at ?? ''),
      currency,
      total,
      lines: cells.sku ? [lineOf(cells, { currency, isMinor, total })] : [],
    }
  } catch (error) {
    if (error instanceof RangeError) return { line, reason: error.message }
    throw error
  }
}

interface Money {
  readonly currency: string
  readonly isMinor: boolean
}

function lineOf(cells: CsvRecord['cells'], { total, ...money }: Money & { total: bigint }): NewPurchaseLine {
  const quantity = cells.quantity ? Number(cells.quantity) : 1
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > 2_147_483_647) {
    throw new RangeError(`quantity ${cells.quantity} is not a whole number of 1 or more`)
  }
  return {
    sku: textOf('sku', cells.sku, 100),
    name: cells.name || null,
    quantity,
    amount: cells.amount ? amountOf('amount', cells.amount, money) : total,
  }
}

function amountOf(name: string, text: string, { currency, isMinor }: Money): bigint {
  if (isMinor && !/^-?\d{1,18}$/.test(text))
    throw new RangeError(`${name} ${JSON.stringify(text)} is not a whole number of minor units`)
  try {
    const amount = isMinor ? BigInt(text) : minorFromMajor(text, currency)
    if (amount < 0n) throw new RangeError('it is negative')
    return amount
  } catch (error) {
    throw new RangeError(`${name} ${JSON.stringify(text)}: ${(error as Error).message}`) // RangeErrors of money.ts
  }
}

function textOf(name: string, text: string | undefined, most: number): string {
  if (!text || text.length > most) throw new RangeError(`${name} must have 1 to ${most} characters`)
  if (text.includes('\0')) throw new RangeError(`${name} must not contain a zero character`)
  return text
}

function emailOf(text: string): string {
  if (text.length <= 254 && /^[^\s@]+@[^\s@]+$/.test(text)) return text
  throw new RangeError(`email ${JSON.stringify(text)} does not look like name@example.com`)
}

const INSTANT = /^(\d{4}-\d{2}-\d{2})[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/i

function instantOf(text: string): { purchasedAt: string; isLocal: boolean } {
  if (isDay(text)) return { purchasedAt: text, isLocal: true }
  const match = INSTANT.exec(text)
  if (match?.[1] && isDay(match[1]) && !Number.isNaN(Date.parse(text))) {
    return { purchasedAt: new Date(text).toISOString(), isLocal: false }
  }
  throw new RangeError(
    `purchased_at ${JSON.stringify(text)} is neither an instant such as 2026-03-01T09:30:00+09:00 nor a date such as 2026-03-01`,
  )
}
