import { afterAll, beforeAll, expect, test } from 'vitest'
import { captureHold, grantPoints, holdPoints, spendPoints } from '../../api/domains/points/index.ts'
import { testDatabase } from '../support/database.ts'
import { day, type Ledger, openLedger, operation } from './ledger.ts'

const database = testDatabase()
let ledger: Ledger

beforeAll(async () => {
  ledger = await openLedger(database.url, { connections: 50 })
})
afterAll(async () => {
  expect(await ledger.differences()).toEqual([])
  await ledger[Symbol.asyncDispose]()
})

const times = <T>(n: number, work: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: n }, (_, i) => work(i)))
const count = (answers: readonly { is: string }[]) =>
  Object.fromEntries([...Map.groupBy(answers, ({ is }) => is)].map(([is, all]) => [is, all.length]))

async function memberWith(...lots: readonly { points: bigint; expiresAt?: Date }[]): Promise<string> {
  const id = await ledger.member()
  for (const lot of lots)
    await grantPoints(ledger.tx, { member: { id }, reason: 'Hello', ...lot }, operation())
  return id
}

test('of 1,000 spends of 1 from a wallet of 100 in two lots, exactly 100 succeed', async () => {
  const id = await memberWith({ points: 60n, expiresAt: day(9) }, { points: 40n })
  const answers = await times(1_000, () =>
    spendPoints(ledger.tx, { member: { id }, points: 1n, reason: 'Tea' }, operation()),
  )
  expect(count(answers)).toEqual({ done: 100, insufficient_points: 900 })
  expect(await ledger.wallet(id)).toMatchObject({ issued: 100n, available: 0n, spent: 100n, version: 102n })
  const { rows } = await ledger.owner.query(
    `select sum(p.amount)::int as points, count(*)::int from posting p join wallet w on w.id = p.wallet_id
     where w.member_id = $1 and p.to_bucket = 'SPENT'`,
    [id],
  )
  expect(rows).toEqual([{ points: 100, count: 100 }])
})

test('500 calls with one key make one posting and give 500 equal answers', async () => {
  const id = await memberWith({ points: 1_000n })
  const once = operation()
  const answers = await times(500, () =>
    spendPoints(ledger.tx, { member: { id }, points: 7n, reason: 'Tea' }, once),
  )
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  expect(answers[0]).toMatchObject({ is: 'done' })
  expect(await ledger.wallet(id)).toMatchObject({ available: 993n, spent: 7n, version: 2n })
})

test('a rejected key stays rejected after a top-up', async () => {
  const id = await memberWith({ points: 5n })
  const tea = { member: { id }, points: 7n, reason: 'Tea' }
  const once = operation()
  const rejected = { is: 'insufficient_points', available: '5', required: '7' }
  expect(await spendPoints(ledger.tx, tea, once)).toEqual(rejected)
  await grantPoints(ledger.tx, { member: { id }, points: 100n, reason: 'Top-up' }, operation())
  expect(await times(20, () => spendPoints(ledger.tx, tea, once))).toEqual(Array(20).fill(rejected))
  expect(await spendPoints(ledger.tx, tea, operation())).toMatchObject({ is: 'done' })
  expect(await ledger.wallet(id)).toMatchObject({ available: 98n })
})

test('the same order under another key is refused by the business key, and leaves nothing', async () => {
  const member = await ledger.member()
  const order = { member, source: 'order 1', base: 1_000n, points: 10n, at: day(0), expiresAt: null }
  await ledger.earn(order)
  const before = await ledger.owner.query('select count(*) from op')
  await expect(ledger.earn(order)).rejects.toMatchObject({ code: '23505', constraint: 'lot_once' })
  expect(await ledger.wallet(member)).toMatchObject({ issued: 10n, version: 1n })
  expect((await ledger.owner.query('select count(*) from op')).rows).toEqual(before.rows)
})

test('of 200 captures of one hold of 70, 60 each, one succeeds and 10 return to the right lot', async () => {
  const id = await memberWith({ points: 30n, expiresAt: day(9) }, { points: 90n })
  const held = await holdPoints(
    ledger.tx,
    { member: { id }, points: 70n, expiresIn: 'PT1H', reason: 'Checkout' },
    operation(),
  )
  if (held.is !== 'done') throw new Error(held.is)
  const answers = await times(200, () =>
    captureHold(ledger.tx, { hold: held.hold, points: 60n }, operation()),
  )
  expect(count(answers)).toEqual({ done: 1, hold_resolved: 199 })
  expect(answers.filter(({ is }) => is !== 'done')[0]).toEqual({ is: 'hold_resolved', state: 'CAPTURED' })
  const { rows } = await ledger.owner.query(
    'select granted, available, held, spent from lot where wallet_id = $1 order by granted',
    [held.wallet],
  )
  expect(rows).toEqual([
    { granted: 30n, available: 0n, held: 0n, spent: 30n },
    { granted: 90n, available: 60n, held: 0n, spent: 30n },
  ])
})

test('a first wallet of a currency that twenty clients make at once is one wallet', async () => {
  for (let attempt = 0; attempt < 20; attempt++) {
    const id = await ledger.member()
    const answers = await times(20, () =>
      grantPoints(ledger.tx, { member: { id }, points: 3n, currency: 'GEMS', reason: 'Hello' }, operation()),
    )
    expect(new Set(answers.map((answer) => answer.is === 'done' && answer.wallet)).size).toBe(1)
    const gems = "select available, version from wallet where member_id = $1 and currency = 'GEMS'"
    expect((await ledger.owner.query(gems, [id])).rows).toEqual([{ available: 60n, version: 20n }])
  }
})

test('a key that two different requests race for serves one of them', async () => {
  const id = await memberWith({ points: 1_000n })
  for (let attempt = 0; attempt < 20; attempt++) {
    const key = operation().key
    const answers = await times(10, (i) =>
      spendPoints(
        ledger.tx,
        { member: { id }, points: BigInt(i + 1), reason: 'Tea' },
        { ...operation(key), hash: Buffer.alloc(32, i) },
      ),
    )
    expect(count(answers)).toEqual({ done: 1, key_reused: 9 })
  }
  expect(await ledger.wallet(id)).toMatchObject({ version: 21n })
})
