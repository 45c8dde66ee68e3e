import { afterAll, beforeAll, expect, test } from 'vitest'
import { extendPoints, grantPoints, settleDue, spendPoints } from '../../api/domains/points/index.ts'
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

async function later(days: number): Promise<number> {
  today += days
  await ledger.setClock(day(today))
  return today
}

const give = (id: string, points: bigint, dates: { availableAt?: Date; expiresAt?: Date } = {}) =>
  grantPoints(ledger.tx, { member: { id }, points, reason: 'Hello', ...dates }, operation())
const spend = (id: string, points: bigint) =>
  spendPoints(ledger.tx, { member: { id }, points, reason: 'Tea' }, operation())
const owner = async (text: string, values: unknown[] = []) => (await ledger.owner.query(text, values)).rows

/** Earns 10 points for a fact, pending or by a policy. */
const earn = (member: string, source: string, given: { pending?: object; expiry?: object }) =>
  ledger.earn({ member, source, base: 1n, points: 10n, at: day(today), expiresAt: null, ...given })

async function now(member: string) {
  const text = `select n.available, n.pending from wallet w, wallets_now(array[w.id]) n where w.member_id = $1`
  return (await owner(text, [member]))[0]
}

/** The dates of a member's lots, in whole days after the start of the tests, which is 09:00 in Tokyo. */
const lives = async (member: string) =>
  (
    await owner(
      `select extract(epoch from l.expires_at - '2024-12-31T15:00Z') / 86400 as dead from lot l join wallet w on w.id = l.wallet_id
       where w.member_id = $1 order by l.id`,
      [member],
    )
  ).map(({ dead }) => Number(dead))

const slide = async (member: string, activity: string, at: Date) =>
  Number((await owner('select points_slide($1, $2, $3) as n', [member, activity, at]))[0]?.n)
const happen = async (member: string, event: string, at: Date) =>
  Number((await owner('select points_activate_event($1, $2, $3) as n', [member, event, at]))[0]?.n)

test('sliding points live on with what the member does, counted from that, and never shorter', async () => {
  const id = await ledger.member()
  const sliding = { sliding: { days: 30, activities: ['purchase'] } }
  await earn(id, 'slide 1', { expiry: sliding })
  expect(await lives(id)).toEqual([today + 31])
  await later(20)
  expect(await slide(id, 'login', day(today))).toBe(0)
  expect(await slide(id, 'purchase', day(today - 5))).toBe(1)
  expect(await lives(id)).toEqual([today - 5 + 31])
  expect(await slide(id, 'purchase', day(today - 10))).toBe(0)
  expect(await slide(id, 'purchase', day(today))).toBe(1)
  expect(await slide(id, 'purchase', day(today))).toBe(0)
  const rows = await owner(
    `select n, cause, at, booked from lot_date d join lot l on l.id = d.lot_id where l.source_id = 'slide 1' order by n`,
  )
  expect(rows).toEqual([
    { n: 1, cause: 'SLIDING', at: day(today - 5), booked: day(today) },
    { n: 2, cause: 'SLIDING', at: day(today), booked: day(today) },
  ])
  await later(31)
  expect(await slide(id, 'purchase', day(today - 5))).toBe(0)
  expect(await now(id)).toEqual({ available: 0n, pending: 0n })
})

test('points whose policy is not sliding never move, and their lots keep no policy', async () => {
  const id = await ledger.member()
  await earn(id, 'rolling', { expiry: { rolling: { days: 30 } } })
  expect(await slide(id, 'purchase', day(today))).toBe(0)
  expect(await lives(id)).toEqual([today + 31])
  expect(await owner(`select expiry from lot where source_id = 'rolling'`)).toEqual([{ expiry: null }])
})

test('pending for a time: the clock of their life starts when they become spendable', async () => {
  const id = await ledger.member()
  await earn(id, 'for', { pending: { for: 'P10D' }, expiry: { rolling: { days: 30 } } })
  expect(await now(id)).toEqual({ available: 0n, pending: 10n })
  expect(await lives(id)).toEqual([today + 10 + 31])
  await later(10)
  expect(await spend(id, 4n)).toMatchObject({ is: 'done' })
})

test('pending for an event: it brings them, and their life begins there', async () => {
  const id = await ledger.member()
  const pending = { event: 'lesson.finished', cancelAfter: 'P90D' }
  await earn(id, 'event 1', { pending, expiry: { rolling: { days: 30 } } })
  expect(await lives(id)).toEqual([0])
  await later(40)
  expect(await happen(id, 'lesson.started', day(today))).toBe(0)
  expect(await happen(id, 'lesson.finished', day(today - 50))).toBe(0)
  expect(await now(id)).toEqual({ available: 0n, pending: 10n })
  expect(await happen(id, 'lesson.finished', day(today - 1))).toBe(1)
  expect(await happen(id, 'lesson.finished', day(today))).toBe(0)
  expect(await now(id)).toEqual({ available: 10n, pending: 0n })
  expect(await lives(id)).toEqual([today - 1 + 31])
  const history = await owner(
    `select o.kind, o.at from op o join wallet w on w.id = o.wallet_id where w.member_id = $1 order by o.wallet_version`,
    [id],
  )
  expect(history.map(({ kind, at }) => [kind, at])).toEqual([
    ['EARN', day(today - 40)],
    ['ACTIVATE', day(today - 1)],
  ])
})

test.each(['one by one', 'together'])('the clock cancels what waited in vain, booked %s', async (how) => {
  const id = await ledger.member()
  const source = `vain ${how}`
  await earn(id, source, { pending: { event: 'review', cancelAfter: 'P5D' }, expiry: { never: true } })
  await later(5)
  expect(await now(id)).toEqual({ available: 0n, pending: 0n })
  if (how === 'together') await settleDue(ledger.tx)
  expect(await happen(id, 'review', day(today))).toBe(0)
  expect(await spend(id, 1n)).toMatchObject({ is: 'insufficient_points', available: '0' })
  expect(await ledger.wallet(id)).toMatchObject({ pending: 0n, expired: 10n, due_at: null })
  await ledger.clawBack(source, 1n, day(today))
  expect(await ledger.wallet(id)).toMatchObject({ debt: 0n, expired: 10n })
})

test('of twenty who bring the event at once, one brings the points', async () => {
  const id = await ledger.member()
  await earn(id, 'raced', { pending: { event: 'review', cancelAfter: 'P5D' }, expiry: { never: true } })
  const moved = await Promise.all(
    Array.from({ length: 20 }, async () => {
      await using session = await openSession()
      return await session.happen(id, 'review')
    }),
  )
  expect(moved.reduce((a, b) => a + b)).toBe(1)
  expect(await ledger.wallet(id)).toMatchObject({ pending: 0n, available: 10n, version: 2n })
})

test('extending moves what dies soon, by the calendar, and nothing else', async () => {
  const id = await ledger.member()
  await give(id, 5n, { expiresAt: day(today + 3) })
  await give(id, 6n, { expiresAt: day(today + 40) })
  await give(id, 7n)
  const wish = { member: { id }, within: 'P30D', by: 'P1M', reason: 'Our shop was closed' }
  const once = operation()
  const answer = await extendPoints(ledger.tx, wish, once)
  expect(answer).toMatchObject({ is: 'done', points: '5' })
  expect(await extendPoints(ledger.tx, wish, once)).toEqual(answer)
  await later(4)
  expect(await now(id)).toEqual({ available: 18n, pending: 0n })
  const [first, second, third] = await lives(id)
  expect(third).toBe(0)
  expect((first ?? 0) > today && (first ?? 0) < (second ?? 0)).toBe(true)
  const told = `select payload from outbox where type = 'points.extended' and member_id = $1`
  expect(await owner(told, [id])).toMatchObject([{ payload: { points: '5' } }])
})

test('what is dead stays dead: it cannot be extended', async () => {
  const id = await ledger.member()
  await give(id, 5n, { expiresAt: day(today + 1) })
  await later(1)
  const wish = { member: { id }, within: 'P30D', by: 'P30D', reason: 'Too late' }
  expect(await extendPoints(ledger.tx, wish, operation())).toMatchObject({ is: 'done', points: '0' })
  expect(await now(id)).toEqual({ available: 0n, pending: 0n })
})

const CHECK = '23514'

test.each<[what: string, sql: string]>([
  ['a later date', `update lot set expires_at = expires_at + interval '1 day' where id = $1`],
  ['no date', 'update lot set expires_at = null where id = $1'],
  ['an earlier start', `update lot set available_at = available_at - interval '1 day' where id = $1`],
  ['a wait', `update lot set awaits = 'x' where id = $1`],
  ['a policy', `update lot set expiry = '{"never": true}' where id = $1`],
  ['a worth', 'update lot set unit_cost_micro = 1 where id = $1'],
  ['a nearer date', `insert into lot_date ${dated('expires_at - $$1 day$$::interval')}`],
  ['the same date', `insert into lot_date ${dated('expires_at')}`],
  ['a start', `insert into lot_date ${dated('expires_at', 'ACTIVATION')}`],
])('not even the owner of the tables can give a lot %s', async (_, sql) => {
  const id = await ledger.member()
  await give(id, 5n, { expiresAt: day(today + 10) })
  const [lot] = await owner(
    'select l.id from lot l join wallet w on w.id = l.wallet_id where w.member_id = $1',
    [id],
  )
  await expect(owner(sql, [lot?.id])).rejects.toMatchObject({ code: CHECK })
})

test('nor change a row of dates, nor move what has died already', async () => {
  const id = await ledger.member()
  await give(id, 5n, { expiresAt: day(today + 10) })
  const [lot] = await owner(
    'select l.id from lot l join wallet w on w.id = l.wallet_id where w.member_id = $1',
    [id],
  )
  const move = `insert into lot_date ${dated('expires_at + $$1 day$$::interval')}`
  await owner(move, [lot?.id])
  expect(await lives(id)).toHaveLength(1)
  for (const sql of ['update lot_date set n = n + 1', 'delete from lot_date', 'truncate lot_date']) {
    await expect(owner(sql)).rejects.toMatchObject({ code: CHECK })
  }
  await later(11)
  await expect(owner(move, [lot?.id])).rejects.toMatchObject({ code: CHECK })
})

/** The rows of an insert into lot_date that gives the lot $1 this date. */
function dated(expiresAt: string, cause = 'EXTENSION'): string {
  return `(tenant_id, lot_id, available_at, expires_at, cause, at)
    select tenant_id, id, available_at, ${expiresAt}, '${cause}', now() from lot where id = $1`
}

async function openSession() {
  const tenant = ledger.tx.tenantId
  const client = new (await import('pg')).default.Client({ connectionString: database.url })
  await client.connect()
  await client.query(`select set_config('app.tenant', $1, false)`, [tenant])
  await client.query('set role engawa_owner')
  return {
    happen: async (member: string, event: string) =>
      Number(
        (
          await client.query('select points_activate_event($1, $2, tenant_now($3)) as n', [
            member,
            event,
            tenant,
          ])
        ).rows[0].n,
      ),
    [Symbol.asyncDispose]: () => client.end(),
  }
}
