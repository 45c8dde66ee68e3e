import { beforeEach, expect, test } from 'vitest'
import { Benefit } from '../../api/domains/benefits/index.ts'
import { day, type Ledger, openLedger, START } from '../points/ledger.ts'
import { testDatabase } from '../support/database.ts'
import { give, giveAtOnce, grantOf, takeBack, told } from './giving.ts'

const database = testDatabase()
let ledger: Ledger
let mia: string
beforeEach(async () => {
  ledger = await openLedger(database.url)
  mia = await ledger.member()
  return () => ledger[Symbol.asyncDispose]()
})

const points: Benefit = { points: { amount: '100' } }

test('points are earned by an operation of their own, in a lot that names the benefit', async () => {
  const id = await give(ledger, mia, points)
  const { rows } = await ledger.owner.query(
    `select l.granted, l.transaction_id, o.kind, o.reason, o.outcome ->> 'is' as outcome, b.base_minor
     from lot l join op o on o.transaction_id = l.transaction_id join earn_basis b on b.lot_id = l.id
     where l.source_type = 'benefit' and l.source_id = $1`,
    [id],
  )
  const { transaction_id } = await grantOf(ledger, id)
  const earned = { granted: 100n, kind: 'EARN', reason: 'Spring offer', outcome: 'done', base_minor: 1n }
  expect(rows).toEqual([{ transaction_id, ...earned }])
  expect(await ledger.wallet(mia)).toMatchObject({ available: 100n, version: 1n })
  expect(await told(ledger, 'benefit.%')).toEqual(['benefit.given'])
})

test('a fact gives once', async () => {
  const first = await give(ledger, mia, points, { source: 'receipt 1' })
  expect(await give(ledger, mia, points, { source: 'receipt 1' })).toBe(first)
  expect(await ledger.wallet(mia)).toMatchObject({ available: 100n })
  expect(await told(ledger, 'benefit.%')).toHaveLength(1)
})

test('of twenty who give for one fact at once, one gives', async () => {
  const all = await giveAtOnce(ledger, { member: mia, benefit: points, source: 'receipt 1', times: 20 })
  expect(new Set(all).size).toBe(1)
  expect(await ledger.wallet(mia)).toMatchObject({ available: 100n, version: 1n })
})

test('points taken back leave with the fact, what was spent of them is owed', async () => {
  await give(ledger, mia, points, { source: 'receipt 1' })
  await ledger.owner.query(`select points_spend('s', '\\x01', $1, null, 70, null, 'Soap', 'staff:test')`, [
    mia,
  ])
  const id = await takeBack(ledger, 'receipt 1')
  expect(await grantOf(ledger, id ?? '')).toMatchObject({ state: 'TAKEN_BACK', settled_reason: 'Sent back' })
  expect(await ledger.wallet(mia)).toMatchObject({ available: 0n, spent: 70n, revoked: 30n, debt: 70n })
  expect(await takeBack(ledger, 'receipt 1')).toBeNull()
  expect(await ledger.differences()).toEqual([])
  expect(await told(ledger, 'benefit.%')).toEqual(['benefit.given', 'benefit.taken_back'])
})

test('what was never given cannot be taken back', async () => {
  expect(await takeBack(ledger, 'receipt 1')).toBeNull()
})

test('money and percentages need no points', async () => {
  const [money, percent] = [
    await give(ledger, mia, { money: { amount: '500', currency: 'JPY' } }),
    await give(ledger, mia, { percent: { basisPoints: 1000 } }),
  ]
  expect(await grantOf(ledger, money)).toMatchObject({ kind: 'MONEY', minor: 500n, currency: 'JPY' })
  expect(await grantOf(ledger, percent)).toMatchObject({ kind: 'PERCENT', basis_points: 1000 })
  expect(await ledger.wallet(mia)).toMatchObject({ issued: 0n, version: 0n })
})

test.each([
  ['state', `state = 'EXPIRED'`],
  ['another member', 'member_id = gen_random_uuid()'],
  ['the amount', 'minor = 501'],
  ['a use without an amount', `state = 'USED', settled_at = now()`],
])('%s of what was given does not change by itself, even for the owner', async (_, change) => {
  const id = await give(ledger, mia, { money: { amount: '500', currency: 'JPY' } })
  await expect(
    ledger.owner.query(`update benefit_grant set ${change} where id = $1`, [id]),
  ).rejects.toMatchObject({ code: '23514' })
  expect(await grantOf(ledger, id)).toMatchObject({ state: 'GIVEN', minor: 500n })
})

test('what ended does not come to life again', async () => {
  const id = await give(ledger, mia, { percent: { basisPoints: 500 } }, { source: 'receipt 1' })
  await takeBack(ledger, 'receipt 1', day(1))
  const attempt = `update benefit_grant set state = 'GIVEN', settled_at = null, settled_reason = null where id = $1`
  await expect(ledger.owner.query(attempt, [id])).rejects.toMatchObject({ code: '23514' })
  await expect(ledger.owner.query('delete from benefit_grant')).rejects.toMatchObject({ code: '23514' })
})

test.each([
  [{ points: { amount: '0' } }, 'points.amount'],
  [{ points: { amount: '1.5' } }, 'points.amount'],
  [{ points: { amount: '1', pending: { event: 'x' } } }, 'points.pending'],
  [{ points: { amount: '1', expiry: { fixed: ['02-32'] } } }, 'points.expiry.fixed.0'],
  [{ money: { amount: '5', currency: 'YEN' } }, 'money.currency'],
  [{ percent: { basisPoints: 10_001 } }, 'percent.basisPoints'],
  [{ entitlement: { key: 'spa', validFor: 'P0D' } }, 'entitlement.validFor'],
  [{ points: { amount: '1' }, percent: { basisPoints: 1 } }, ''],
  [{}, ''],
])('%j is no benefit', (given, path) => {
  const { error } = Benefit.safeParse(given)
  expect(error?.issues[0]?.path.join('.')).toBe(path)
})

test('a benefit reads the same from GraphQL as from a stored body', () => {
  const stored = { points: { amount: '100', pending: { until: '2025-01-01T00:00:00.000Z' } } }
  const given = { points: { amount: 100n, currency: null, pending: { until: START } }, money: null }
  expect([Benefit.parse(given), Benefit.parse(stored)]).toEqual([stored, stored])
})
