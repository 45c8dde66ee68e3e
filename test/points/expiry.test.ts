import { afterAll, beforeAll, expect, test } from 'vitest'
import { grantPoints, holdPoints, settleDue, spendPoints } from '../../api/domains/points/index.ts'
import { testDatabase } from '../support/database.ts'
import { day, type Ledger, openLedger, operation } from './ledger.ts'

const database = testDatabase()
let ledger: Ledger
let today = 0

beforeAll(async () => {
  ledger = await openLedger(database.url)
})
afterAll(async () => {
  expect(await ledger.differences()).toEqual([])
  await ledger[Symbol.asyncDispose]()
})

/** Moves the clock on by so many days and tells the day it is. */
async function later(days: number): Promise<number> {
  today += days
  await ledger.setClock(day(today))
  return today
}

const give = (id: string, points: bigint, dates: { availableAt?: Date; expiresAt?: Date } = {}) =>
  grantPoints(ledger.tx, { member: { id }, points, reason: 'Hello', ...dates }, operation())
const spend = (id: string, points: bigint) =>
  spendPoints(ledger.tx, { member: { id }, points, reason: 'Tea' }, operation())

async function now(member: string) {
  const text = `select n.available, n.pending, n.held, n.debt, w.version from wallet w, wallets_now(array[w.id]) n where own(w) and member_id = $1`
  return (await ledger.tx.query({ text, values: [member] }))[0]
}

async function history(member: string) {
  const text = `select o.kind, o.at, o.points, o.idempotency_key like 'engawa:%' as is_derived from op o join wallet w on w.id = o.wallet_id
    where w.member_id = $1 order by o.wallet_version`
  return (await ledger.owner.query(text, [member])).rows.map(({ kind, at, points }) => [kind, at, points])
}

test('only dead lots that nobody has booked remain: a spend is rejected, and the deaths are booked', async () => {
  const id = await ledger.member()
  await give(id, 60n, { expiresAt: day(today + 1) })
  await give(id, 40n, { expiresAt: day(today + 2) })
  await later(2)
  expect(await ledger.wallet(id)).toMatchObject({ available: 100n })
  expect(await now(id)).toMatchObject({ available: 0n })
  expect(await spend(id, 1n)).toEqual({ is: 'insufficient_points', available: '0', required: '1' })
  expect(await ledger.wallet(id)).toMatchObject({ available: 0n, expired: 100n, version: 4n, due_at: null })
  expect((await history(id)).slice(2)).toEqual([
    ['EXPIRE', day(today - 1), 60n],
    ['EXPIRE', day(today), 40n],
  ])
})

test('a lot lives up to its instant and is dead at it', async () => {
  const id = await ledger.member()
  const end = day(today + 1)
  await give(id, 5n, { expiresAt: end })
  await ledger.setClock(new Date(end.getTime() - 1))
  expect(await spend(id, 2n)).toMatchObject({ is: 'done' })
  await later(1)
  expect(await spend(id, 1n)).toEqual({ is: 'insufficient_points', available: '0', required: '1' })
})

test('pending points become spendable at their instant, whether or not a job has run', async () => {
  const id = await ledger.member()
  await give(id, 8n, { availableAt: day(today + 3), expiresAt: day(today + 5) })
  expect(await spend(id, 1n)).toMatchObject({ is: 'insufficient_points', available: '0' })
  await later(3)
  expect(await now(id)).toMatchObject({ available: 8n, pending: 0n })
  expect(await spend(id, 8n)).toMatchObject({ is: 'done' })
  expect((await history(id)).map(([kind, at]) => [kind, at])).toEqual([
    ['GRANT', day(today - 3)],
    ['ACTIVATE', day(today)],
    ['SPEND', day(today)],
  ])
})

test('a life that came and went unseen is booked in its own order, at its own instants', async () => {
  const id = await ledger.member()
  await give(id, 8n, { availableAt: day(today + 3), expiresAt: day(today + 5) })
  await later(400)
  expect(await now(id)).toMatchObject({ available: 0n, pending: 0n })
  expect(await settleDue(ledger.tx)).toBeGreaterThanOrEqual(1)
  expect((await history(id)).slice(1)).toEqual([
    ['ACTIVATE', day(today - 397), 8n],
    ['EXPIRE', day(today - 395), 8n],
  ])
})

test('a held lot does not die under the shopper; what comes back to it then does', async () => {
  const id = await ledger.member()
  await give(id, 10n, { expiresAt: day(today + 1) })
  const hold = { member: { id }, points: 7n, expiresIn: 'P3D', reason: 'Checkout' }
  expect(await holdPoints(ledger.tx, hold, operation())).toMatchObject({ is: 'done' })
  await later(2)
  expect(await now(id)).toMatchObject({ available: 0n, held: 7n })
  await later(1)
  expect(await now(id)).toMatchObject({ available: 0n, held: 0n })
  expect(await settleDue(ledger.tx)).toBeGreaterThanOrEqual(1)
  expect(await ledger.wallet(id)).toMatchObject({ expired: 10n, held: 0n })
})

test('expiring tells what dies within a time, soonest first, as if all that is due were booked', async () => {
  const id = await ledger.member()
  await give(id, 5n, { expiresAt: day(today + 9) })
  await give(id, 6n, { expiresAt: day(today + 9) })
  await give(id, 7n, { availableAt: day(today + 1), expiresAt: day(today + 20) })
  await give(id, 8n, { expiresAt: day(today + 1) })
  await later(1)
  const text = `select e.points, e.expires_at from wallet w, wallet_expiring(array[w.id], $2::interval) e where own(w) and member_id = $1`
  const within = (interval: string) => ledger.tx.query({ text, values: [id, interval] })
  expect(await within('P8D')).toEqual([{ points: 11n, expires_at: day(today + 8) }])
  expect(await within('P7D')).toEqual([])
  expect(await within('P1Y')).toEqual([
    { points: 11n, expires_at: day(today + 8) },
    { points: 7n, expires_at: day(today + 19) },
  ])
})

test('the next due instant is known without looking at a lot', async () => {
  await settleDue(ledger.tx)
  const id = await ledger.member()
  await give(id, 5n, { expiresAt: day(today + 2) })
  await give(id, 5n, { availableAt: day(today + 1) })
  const { rows } = await ledger.owner.query('select min(due_at) as due_at from wallet')
  expect(rows).toEqual([{ due_at: day(today + 1) }])
})

test.each([
  [
    '12 months on, at the end of that month in the zone',
    '1997-06-15T10:00Z',
    12,
    'America/New_York',
    '1998-07-01T04:00Z',
  ],
  ['31 January + 1 month is the end of February', '2025-01-31T00:00Z', 1, 'UTC', '2025-03-01T00:00Z'],
  ['29 February + 12 months', '2024-02-29T12:00Z', 12, 'UTC', '2025-03-01T00:00Z'],
  ['the zone decides which month it is', '2025-01-31T15:00Z', 1, 'Asia/Tokyo', '2025-03-31T15:00Z'],
  ['a midnight that does not exist', '2024-08-15T00:00Z', 0, 'America/Santiago', '2024-09-01T04:00Z'],
  ['never', '2025-01-31T00:00Z', null, 'UTC', null],
])('expiry: %s', async (_, at, months, zone, expected) => {
  const text = 'select points_expiry_month_end($1::timestamptz, $2::int, $3) as expires_at'
  const { rows } = await ledger.owner.query(text, [at, months, zone])
  expect(rows[0].expires_at).toEqual(expected === null ? null : new Date(expected))
})

test('points that would be dead on arrival are bad input, but a replay is answered after their date', async () => {
  const id = await ledger.member()
  const grant = { member: { id }, points: 5n, reason: 'Hello', expiresAt: day(today + 1) }
  const once = operation()
  const granted = await grantPoints(ledger.tx, grant, once)
  await later(1)
  expect(await grantPoints(ledger.tx, grant, once)).toEqual(granted)
  expect(await grantPoints(ledger.tx, grant, operation())).toMatchObject({
    is: 'bad_input',
    field: 'expiresAt',
  })
  expect(await ledger.wallet(id)).toMatchObject({ issued: 5n })
})
