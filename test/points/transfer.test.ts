import { afterAll, beforeAll, expect, test } from 'vitest'
import { extendPoints, grantPoints, spendPoints, transferPoints } from '../../api/domains/points/index.ts'
import { testDatabase } from '../support/database.ts'
import { day, type Ledger, openLedger, operation } from './ledger.ts'

const database = testDatabase()
let ledger: Ledger

beforeAll(async () => {
  ledger = await openLedger(database.url, { connections: 10 })
})
afterAll(async () => {
  expect(await ledger.differences()).toEqual([])
  await ledger[Symbol.asyncDispose]()
})

const give = (id: string, points: bigint, expiresAt?: Date) =>
  grantPoints(ledger.tx, { member: { id }, points, reason: 'Hello', expiresAt }, operation())
const transfer = (from: string, to: string, points: bigint, once = operation()) =>
  transferPoints(ledger.tx, { member: { id: from }, to: { id: to }, points, reason: 'For you' }, once)
const owner = async (text: string, values: unknown[] = []) => (await ledger.owner.query(text, values)).rows

const lots = (member: string) =>
  owner(
    `select l.granted, l.available, l.expires_at, l.class, l.priority, l.parent_lot_id is not null as has_parent
     from lot l join wallet w on w.id = l.wallet_id where w.member_id = $1 order by l.id`,
    [member],
  )

test('points that are moved keep their dates, and name the lot they came from', async () => {
  const [ann = '', bob = ''] = await ledger.members(2)
  await give(ann, 30n, day(50))
  await give(ann, 40n, day(20))
  await give(ann, 50n)
  const answer = await transfer(ann, bob, 60n)
  expect(answer).toMatchObject({ is: 'done' })
  const born = { class: 'EARNED', priority: 50, has_parent: true }
  expect(await lots(bob)).toEqual([
    { granted: 40n, available: 40n, expires_at: day(20), ...born },
    { granted: 20n, available: 20n, expires_at: day(50), ...born },
  ])
  expect(await ledger.wallet(ann)).toMatchObject({ available: 60n, spent: 60n, version: 4n })
  expect(await ledger.wallet(bob)).toMatchObject({ available: 60n, issued: 60n, version: 1n })
  const told = await owner(`select member_id from outbox where type = 'points.transferred' order by n`)
  expect(told.map(({ member_id }) => member_id)).toEqual([ann, bob])
})

test('the same request again moves nothing, and answers alike', async () => {
  const [ann = '', bob = ''] = await ledger.members(2)
  await give(ann, 30n)
  const once = operation()
  const first = await transfer(ann, bob, 10n, once)
  expect(await transfer(ann, bob, 10n, once)).toEqual(first)
  expect(await ledger.wallet(bob)).toMatchObject({ available: 10n })
})

test('what is not there cannot be moved, nor to oneself, nor a hold; nothing changes', async () => {
  const [ann = '', bob = ''] = await ledger.members(2)
  await give(ann, 30n)
  expect(await transfer(ann, bob, 31n)).toEqual({
    is: 'insufficient_points',
    available: '30',
    required: '31',
  })
  expect(await transfer(ann, ann, 1n)).toMatchObject({ is: 'bad_input', field: 'to' })
  expect(await transfer(ann, bob, 0n)).toMatchObject({ is: 'bad_input', field: 'points' })
  expect(await ledger.wallet(ann)).toMatchObject({ available: 30n, version: 1n })
  expect(await ledger.wallet(bob)).toMatchObject({ issued: 0n, version: 0n })
})

test('what arrives repays the debt of whoever gets it first', async () => {
  const [ann = '', bob = ''] = await ledger.members(2)
  await give(ann, 30n)
  await ledger.earn({ member: bob, source: 'owed', base: 100n, points: 25n, at: day(0), expiresAt: null })
  await spendPoints(ledger.tx, { member: { id: bob }, points: 25n, reason: 'Tea' }, operation())
  await ledger.clawBack('owed', 100n, day(0))
  expect(await transfer(ann, bob, 30n)).toMatchObject({ is: 'done' })
  expect(await ledger.wallet(bob)).toMatchObject({ debt: 0n, available: 5n })
})

test('of twenty transfers each way at once every one ends, and no point is lost or made', async () => {
  const [ann = '', bob = ''] = await ledger.members(2)
  await give(ann, 100n, day(30))
  await give(bob, 100n)
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => [
      transfer(ann, bob, BigInt(i + 1)),
      transfer(bob, ann, BigInt(i + 1)),
    ]).flat(),
  )
  expect(answers.every(({ is }) => is === 'done' || is === 'insufficient_points')).toBe(true)
  const [a, b] = [await ledger.wallet(ann), await ledger.wallet(bob)]
  expect(a.available + b.available).toBe(200n)
  expect(await ledger.differences()).toEqual([])
})

test('of twenty transfers of all the points at once, to two members, one succeeds', async () => {
  const [ann = '', bob = '', eve = ''] = await ledger.members(3)
  await give(ann, 50n)
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => transfer(ann, i % 2 ? bob : eve, 50n)),
  )
  expect(answers.filter(({ is }) => is === 'done')).toHaveLength(1)
  expect((await ledger.wallet(bob)).available + (await ledger.wallet(eve)).available).toBe(50n)
})

test('verify finds a lot that came from nowhere, whatever its sums say', async () => {
  const [ann = '', bob = ''] = await ledger.members(2)
  await give(ann, 30n, day(20))
  const moved = await transfer(ann, bob, 10n)
  if (moved.is !== 'done') throw new Error(moved.is)
  // Extending one of the two is no difference; a class that differs is one.
  await extendPoints(ledger.tx, { member: { id: bob }, within: 'P30D', by: 'P9D', reason: 'x' }, operation())
  expect(await ledger.differences()).toEqual([])
  await ledger.owner.query('begin')
  await ledger.owner.query('alter table lot disable trigger same_lot')
  await ledger.owner.query(`update lot set priority = 7 where source_type = 'transfer' and source_id = $1`, [
    moved.transaction,
  ])
  const found = await ledger.differences()
  await ledger.owner.query('rollback')
  expect(found).toMatchObject([
    { expected: expect.stringContaining('priority 50'), found: expect.stringContaining('priority 7') },
  ])
})
