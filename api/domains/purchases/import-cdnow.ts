import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { isDay } from '../../platform/calendar.ts'
import { minorFromMajor } from '../../platform/money.ts'
import type { Parsed } from './import.ts'

/**
 * Reads the CDNOW layout: blank-separated columns without a header, customer, (sample id,) date as YYYYMMDD, pieces,
 * amount in major units. It has no order ids, so the line's number makes them; customer and date may repeat.
 */
export async function* readCdnow(
  file: string,
  currency: string,
  onBytes?: (read: number) => void,
): AsyncGenerator<Parsed> {
  const stream = createReadStream(file, 'utf8')
  if (onBytes) stream.on('data', () => onBytes(stream.bytesRead))
  let line = 0
  for await (const text of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    line++
    if (text.trim() !== '') yield parse(text, line, currency)
  }
}

function parse(text: string, line: number, currency: string): Parsed {
  const columns = text.trim().split(/\s+/)
  const [customer = '', date = '', pieces = '', amount = ''] =
    columns.length === 5 ? [columns[0], ...columns.slice(2)] : columns
  if (columns.length !== 4 && columns.length !== 5) {
    return {
      line,
      reason: `expected 4 or 5 columns (customer, [sample id,] YYYYMMDD, pieces, amount), found ${columns.length}`,
    }
  }
  if (!/^\w{1,200}$/.test(customer))
    return { line, reason: `customer ${customer.slice(0, 40)} is not letters and digits` }
  const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`
  if (!isDay(day)) return { line, reason: `date ${date.slice(0, 40)} is not a day as YYYYMMDD` }
  if (!/^\d{1,9}$/.test(pieces))
    return { line, reason: `pieces ${pieces.slice(0, 40)} is not a whole number` }
  try {
    const total = minorFromMajor(amount, currency)
    if (total < 0n) return { line, reason: `amount ${amount} is negative` }
    return {
      line,
      externalId: customer,
      orderId: `cdnow-${line}`,
      purchasedAt: day,
      isLocal: true,
      currency,
      total,
      lines: [],
    }
  } catch (error) {
    if (error instanceof RangeError)
      return { line, reason: `amount ${amount.slice(0, 40)}: ${error.message}` }
    throw error
  }
}
