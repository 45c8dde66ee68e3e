import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  grantPoints,
  holdPoints,
  refundSpend,
  spendPoints,
  voidHold,
} from '../../api/domains/points/index.ts'
import { testDatabase } from '../support/database.ts'
import { day, type Ledger, openLedger, operation } from './ledger.ts'

const database = testDatabase()
let ledger: Ledger

beforeAll(async () => {
  ledger = await openLedger(database.url)
})
afterAll(async () => {
  expect(await ledger.differences()).toEqual([])
  await ledger[Symbol.asyncDispose]()
})

let sources = 0

/** A member who earned points for a purchase, and the purchase. */
async function buyer(points: bigint, base: bigint): Promise<{ id: string; source: string }> {
  const id = await ledger.member()
  const source = `order ${sources++}`
  await ledger.earn({ member: id, source, base, points, at: day(0), expiresAt: null })
  return { id, source }
}

async function spend(id: string, points: bigint): Promise<string> {
  const spent = await spendPoints(ledger.tx, { member: { id }, points, reason: 'Tea' }, operation())
  if (spent.is !== 'done') throw new Error(spent.is)
  return spent.transaction
}

async function debtPostings(id: string) {
  const text = `select d.kind, d.amount from debt_posting d join wallet w on w.id = d.wallet_id where w.member_id = $1
    order by d.wallet_version, d.seq`
  return (await ledger.owner.query(text, [id])).rows.map(({ kind, amount }) => [kind, amount])
}

test('refunds take back in proportion, cumulatively, and never more than was granted', async () => {
  const { id, source } = await buyer(33n, 1_000n)
  const revoked = []
  for (const refunded of [333n, 334n, 667n, 999n, 1_000n, 1_000n]) {
    await ledger.clawBack(source, refunded, day(0))
    revoked.push((await ledger.wallet(id)).revoked)
  }
  expect(revoked).toEqual([10n, 11n, 22n, 32n, 33n, 33n])
  expect(await ledger.wallet(id)).toMatchObject({ available: 0n, debt: 0n, version: 6n })
})

test('what was spent comes from other lots in burn order, then becomes debt, which new points repay first', async () => {
  const { id, source } = await buyer(100n, 1_000n)
  await spend(id, 90n)
  await grantPoints(ledger.tx, { member: { id }, points: 30n, reason: 'Hello' }, operation())
  await ledger.clawBack(source, 1_000n, day(0))
  expect(await ledger.wallet(id)).toMatchObject({ available: 0n, revoked: 40n, debt: 60n })
  await grantPoints(ledger.tx, { member: { id }, points: 45n, reason: 'Hello' }, operation())
  expect(await ledger.wallet(id)).toMatchObject({ available: 0n, revoked: 85n, debt: 15n })
  await ledger.earn({
    member: id,
    source: `${source} b`,
    base: 100n,
    points: 20n,
    at: day(0),
    expiresAt: null,
  })
  expect(await ledger.wallet(id)).toMatchObject({ available: 5n, revoked: 100n, debt: 0n })
  expect(await debtPostings(id)).toEqual([
    ['RAISED', 60n],
    ['REPAID', 45n],
    ['REPAID', 15n],
  ])
})

test('beyond the limit of the wallet a claw-back is booked as lost', async () => {
  const { id, source } = await buyer(100n, 1_000n)
  await ledger.owner.query('update wallet set debt_limit = 25 where member_id = $1', [id])
  await spend(id, 100n)
  await ledger.clawBack(source, 600n, day(0))
  expect(await ledger.wallet(id)).toMatchObject({ debt: 25n, revoked: 0n })
  expect(await debtPostings(id)).toEqual([
    ['RAISED', 25n],
    ['LOST', 35n],
  ])
  await ledger.clawBack(source, 1_000n, day(0))
  expect((await debtPostings(id)).slice(2)).toEqual([['LOST', 40n]])
})

test('points that had expired count as taken back', async () => {
  const id = await ledger.member()
  const source = `order ${sources++}`
  await ledger.earn({ member: id, source, base: 1_000n, points: 100n, at: day(-9), expiresAt: day(-1) })
  await grantPoints(ledger.tx, { member: { id }, points: 50n, reason: 'Hello' }, operation())
  await ledger.clawBack(source, 1_000n, day(0))
  expect(await ledger.wallet(id)).toMatchObject({
    available: 50n,
    expired: 100n,
    revoked: 0n,
    debt: 0n,
    version: 3n,
  })
  const { rows } = await ledger.owner.query(
    'select revoked, expired_counted from earn_basis where source_id = $1',
    [source],
  )
  expect(rows).toEqual([{ revoked: 100n, expired_counted: 100n }])
})

test('a base of nothing takes nothing back, and a source that earned nothing likewise', async () => {
  const { id, source } = await buyer(100n, 0n)
  await ledger.clawBack(source, 0n, day(0))
  await ledger.clawBack('nothing', 500n, day(0))
  expect(await ledger.wallet(id)).toMatchObject({ available: 100n, version: 1n })
})

test('held points are not taken back; when they come free they repay the debt', async () => {
  const { id, source } = await buyer(100n, 1_000n)
  const hold = { member: { id }, points: 100n, expiresIn: 'PT1H', reason: 'Checkout' }
  const held = await holdPoints(ledger.tx, hold, operation())
  if (held.is !== 'done') throw new Error(held.is)
  await ledger.clawBack(source, 1_000n, day(0))
  expect(await ledger.wallet(id)).toMatchObject({ held: 100n, debt: 100n })
  await voidHold(ledger.tx, held.hold, operation())
  expect(await ledger.wallet(id)).toMatchObject({ available: 0n, held: 0n, revoked: 100n, debt: 0n })
})

test('amounts beyond 2^53 stay exact', async () => {
  const id = await ledger.member()
  const points = 2n ** 62n
  await grantPoints(ledger.tx, { member: { id }, points, reason: 'Hello' }, operation())
  await spend(id, points - 1n)
  expect(await ledger.wallet(id)).toMatchObject({ available: 1n, spent: points - 1n })
  const { source, id: other } = await buyer(points, points)
  await ledger.clawBack(source, points - 1n, day(0))
  expect(await ledger.wallet(other)).toMatchObject({ available: 1n, revoked: points - 1n })
})

test('a refunded spend goes back to the lots it came from, the last taken first', async () => {
  const id = await ledger.member()
  const give = (points: bigint, expiresAt: Date) =>
    grantPoints(ledger.tx, { member: { id }, points, reason: 'Hello', expiresAt }, operation())
  await give(30n, day(1))
  await give(50n, day(2))
  const transaction = await spend(id, 60n)
  const back = (points?: bigint) =>
    refundSpend(ledger.tx, { transaction, points, reason: 'Back' }, operation())
  expect(await back(20n)).toMatchObject({ is: 'done' })
  const lots = async () =>
    (
      await ledger.owner.query(
        'select l.available from lot l join wallet w on w.id = l.wallet_id where member_id = $1 order by expires_at',
        [id],
      )
    ).rows.map(({ available }) => available)
  expect(await lots()).toEqual([0n, 40n])
  expect(await back(41n)).toEqual({ is: 'refund_exceeds_purchase', refundable: '40' })
  expect(await back()).toMatchObject({ is: 'done' })
  expect(await lots()).toEqual([30n, 50n])
  expect(await back()).toEqual({ is: 'refund_exceeds_purchase', refundable: '0' })
})

test('a refunded spend whose lot is past its date dies at once', async () => {
  const id = await ledger.member()
  const grant = { member: { id }, points: 30n, reason: 'Hello', expiresAt: day(1) }
  await grantPoints(ledger.tx, grant, operation())
  await grantPoints(ledger.tx, { ...grant, expiresAt: null }, operation())
  const transaction = await spend(id, 40n)
  await ledger.setClock(day(1))
  await refundSpend(ledger.tx, { transaction, reason: 'Back' }, operation())
  expect(await ledger.wallet(id)).toMatchObject({ available: 30n, spent: 0n, expired: 30n })
})

test('a refund of what is no spend of this tenant is not found', async () => {
  const id = await ledger.member()
  const granted = await grantPoints(ledger.tx, { member: { id }, points: 30n, reason: 'Hello' }, operation())
  if (granted.is !== 'done') throw new Error(granted.is)
  const refund = { transaction: granted.transaction, reason: 'Back' }
  expect(await refundSpend(ledger.tx, refund, operation())).toEqual({ is: 'not_found', what: 'transaction' })
})

test('an import books what the same purchases book one by one, and leaves wallets in debt to them', async () => {
  const [one, many] = [await ledger.member(), await ledger.member()]
  const of = (member: string) =>
    [5, 2, 9, 2].map((days, i) => ({
      member,
      source: `${member} ${i}`,
      base: 1_000n,
      points: BigInt(10 + i),
      at: day(-days),
      expiresAt: day(-days + 30),
    }))
  for (const earning of of(one).toSorted((a, b) => a.at.getTime() - b.at.getTime()))
    await ledger.earn(earning)
  const { id: owing, source } = await buyer(10n, 100n)
  await spend(owing, 10n)
  await ledger.clawBack(source, 100n, day(0))
  const first = of(owing).slice(0, 1)
  expect(await ledger.import([...of(many), ...first])).toEqual([first[0]?.source])
  const books = async (member: string) =>
    (
      await ledger.owner.query(
        `select o.kind, o.at, o.points, o.reason, l.available, l.expires_at, l.rule, b.base_minor, b.granted, p.seq, p.from_bucket,
           p.to_bucket, p.amount, x.type
         from op o join wallet w on w.id = o.wallet_id join lot l on l.transaction_id = o.transaction_id
         join earn_basis b on b.lot_id = l.id join posting p on p.transaction_id = o.transaction_id
         join outbox x on x.payload ->> 'transaction' = o.transaction_id::text
         where w.member_id = $1 order by o.at, o.points`,
        [member],
      )
    ).rows
  expect(await books(many)).toEqual(await books(one))
  expect(await books(many)).toHaveLength(4)
  const { available, version, due_at } = await ledger.wallet(one)
  expect(await ledger.wallet(many)).toMatchObject({ available, version, due_at })
  expect(await ledger.wallet(owing)).toMatchObject({ issued: 10n, debt: 10n })
})
