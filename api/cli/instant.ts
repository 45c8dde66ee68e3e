import type pg from 'pg'
import { UsageError } from './command.ts'

/**
 * The instant that an operator names: ISO 8601 with its offset, or a date, which means midnight in the time zone.
 * Throws UsageError, naming the option, for anything else.
 */
export async function instantOf(
  system: pg.Pool,
  text: string,
  { option, timeZone }: { option: string; timeZone: string },
): Promise<Date> {
  const wrong = () =>
    new UsageError(
      `${option} ${text} is neither an instant such as 2026-03-01T09:30:00+09:00 nor a date such as 2026-03-01.`,
    )
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(text)
  if (!isDate && !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})$/i.test(text))
    throw wrong()
  try {
    const { rows } = await system.query<{ at: Date }>(
      isDate ? 'select $1::timestamp at time zone $2 as at' : 'select $1::timestamptz as at',
      isDate ? [text, timeZone] : [text],
    )
    const [row] = rows
    if (row) return row.at
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === '22023')
      throw new UsageError(
        `--time-zone ${timeZone} is not a time zone. Give an IANA name such as Asia/Tokyo.`,
      )
    if (code !== '22008') throw error
  }
  throw wrong()
}
