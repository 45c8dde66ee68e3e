import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { type Ledger, openLedger } from './ledger.ts'

const database = testDatabase()
let ledger: Ledger

beforeAll(async () => {
  ledger = await openLedger(database.url)
})
afterAll(() => ledger[Symbol.asyncDispose]())

const TOKYO = 'Asia/Tokyo'
const BERLIN = 'Europe/Berlin'
const NEW_YORK = 'America/New_York'

async function asked(zone: string, text: string, values: unknown[]): Promise<string | null> {
  await ledger.db.system.query('update tenant set time_zone = $1 where id = $2', [zone, ledger.tx.tenantId])
  const { rows } = await ledger.owner.query(`select ${text} as at`, values)
  return rows[0].at?.toISOString().replace('.000Z', 'Z') ?? null
}

const days = (n: number) => ({ rolling: { days: n } })
const months = (n: number, endOf?: string) => ({ rolling: { months: n, ...(endOf && { endOf }) } })
const halves = { fixed: ['03-31', '09-30'] }

test.each<[what: string, zone: string, policy: object, from: string, dead: string | null]>([
  ['never', TOKYO, { never: true }, '2025-01-31T00:00Z', null],
  [
    '31 January and a month is the end of February',
    TOKYO,
    months(1),
    '2025-01-31T00:00Z',
    '2025-02-28T15:00:00Z',
  ],
  ['in a leap year too', TOKYO, months(1), '2024-01-31T00:00Z', '2024-02-29T15:00:00Z'],
  ['29 February and a year', TOKYO, months(12), '2024-02-29T00:00Z', '2025-02-28T15:00:00Z'],
  ['the zone decides which day it is', TOKYO, days(30), '2025-01-31T15:00Z', '2025-03-03T15:00:00Z'],
  ['to the end of the month', TOKYO, months(12, 'MONTH'), '2025-01-31T15:00Z', '2026-02-28T15:00:00Z'],
  ['to the end of the quarter', TOKYO, months(1, 'QUARTER'), '2025-02-15T00:00Z', '2025-03-31T15:00:00Z'],
  ['to the end of the half year', TOKYO, months(6, 'HALF'), '2025-02-15T00:00Z', '2025-12-31T15:00:00Z'],
  ['to the end of the first half', TOKYO, months(4, 'HALF'), '2025-02-15T00:00Z', '2025-06-30T15:00:00Z'],
  ['to the end of the year', TOKYO, months(3, 'YEAR'), '2025-10-01T00:00Z', '2026-12-31T15:00:00Z'],
  [
    'days, to the end of the month',
    TOKYO,
    { rolling: { days: 40, endOf: 'MONTH' } },
    '2025-01-01T00:00Z',
    '2025-02-28T15:00:00Z',
  ],
  ['a fixed day counts to its last minute', TOKYO, halves, '2025-03-31T14:59Z', '2025-03-31T15:00:00Z'],
  ['the minute after it belongs to the next', TOKYO, halves, '2025-03-31T15:00Z', '2025-09-30T15:00:00Z'],
  [
    'the last fixed day of a year is followed by the first',
    TOKYO,
    halves,
    '2025-10-01T00:00Z',
    '2026-03-31T15:00:00Z',
  ],
  ['29 February as a fixed day', TOKYO, { fixed: ['02-29'] }, '2025-01-01T00:00Z', '2025-02-28T15:00:00Z'],
  [
    'sliding, from the last activity',
    TOKYO,
    { sliding: { months: 6 } },
    '2025-08-31T00:00Z',
    '2026-02-28T15:00:00Z',
  ],
  [
    '02:30 on the day before Berlin springs forward',
    BERLIN,
    days(1),
    '2025-03-29T01:30Z',
    '2025-03-30T22:00:00Z',
  ],
  [
    'the instant after the hour that Berlin leaves out',
    BERLIN,
    days(1),
    '2025-03-30T01:30Z',
    '2025-03-31T22:00:00Z',
  ],
  [
    'the first 02:30 of the day Berlin falls back',
    BERLIN,
    days(1),
    '2025-10-26T00:30Z',
    '2025-10-27T23:00:00Z',
  ],
  ['the second 02:30 of that day', BERLIN, days(1), '2025-10-26T01:30Z', '2025-10-27T23:00:00Z'],
  ['a day ending on the day Berlin falls back', BERLIN, days(1), '2025-10-25T00:30Z', '2025-10-26T23:00:00Z'],
  [
    '02:30 on the day before New York springs forward',
    NEW_YORK,
    days(1),
    '2025-03-08T07:30Z',
    '2025-03-10T04:00:00Z',
  ],
  [
    '02:30 on the day before New York falls back',
    NEW_YORK,
    days(1),
    '2025-11-01T06:30Z',
    '2025-11-03T05:00:00Z',
  ],
  ['a year across both changes', NEW_YORK, months(12), '2025-03-09T12:00Z', '2026-03-10T04:00:00Z'],
  [
    'a midnight that does not exist',
    'America/Santiago',
    { fixed: ['09-07'] },
    '2024-08-15T00:00Z',
    '2024-09-08T04:00:00Z',
  ],
])('expiry: %s', async (_, zone, policy, from, dead) => {
  const text = `points_expiry($1::jsonb, 'POINTS', $2::timestamptz)`
  expect(await asked(zone, text, [JSON.stringify(policy), from])).toBe(dead)
})

test.each<[what: string, pending: object | null, at: string, until: string]>([
  ['not at all', null, '2025-03-29T01:30Z', '2025-03-29T01:30:00Z'],
  [
    'two weeks, over the change: the same time of day',
    { for: 'P14D' },
    '2025-03-20T01:30Z',
    '2025-04-03T00:30:00Z',
  ],
  [
    'until 02:30 of the day that has none: an hour later',
    { for: 'P1D' },
    '2025-03-29T01:30Z',
    '2025-03-30T01:30:00Z',
  ],
  [
    'until 02:30 of the day that has two: the second',
    { for: 'P1D' },
    '2025-10-25T00:30Z',
    '2025-10-26T01:30:00Z',
  ],
  ['until a date', { until: '2025-05-01T00:00:00Z' }, '2025-03-29T01:30Z', '2025-05-01T00:00:00Z'],
  [
    'until a date that has passed',
    { until: '2024-05-01T00:00:00Z' },
    '2025-03-29T01:30Z',
    '2025-03-29T01:30:00Z',
  ],
  [
    'for an event, until it is cancelled',
    { event: 'x', cancelAfter: 'P90D' },
    '2025-01-01T12:00Z',
    '2025-04-01T11:00:00Z',
  ],
])('pending: %s', async (_, pending, at, until) => {
  const text = '(select available_at from points_pending($1::jsonb, $2::timestamptz))'
  expect(await asked(BERLIN, text, [pending && JSON.stringify(pending), at])).toBe(until)
})

test('a policy that says nothing is an error, not points that never die', async () => {
  await expect(asked(TOKYO, `points_expiry('{"rolling": {}}', 'POINTS', now())`, [])).rejects.toThrow(
    'no policy',
  )
  await expect(asked(TOKYO, `(points_pending('{"event": "x"}', now())).available_at`, [])).rejects.toThrow(
    'until when',
  )
})
