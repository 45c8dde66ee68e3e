import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { day } from '../points/ledger.ts'
import { testDatabase } from '../support/database.ts'
import { type House, openHouse } from './house.ts'

const database = testDatabase()
let house: House

beforeAll(async () => {
  house = await openHouse(database.url)
})
afterAll(async () => {
  expect(await house.wrong()).toEqual([])
  await house[Symbol.asyncDispose]()
})

const hash = Buffer.alloc(32)
const call = async (text: string, ...values: readonly unknown[]) => {
  const { outcome } = await house.row(`select ${text} as outcome`, ...values)
  return outcome
}
const buy = (member: string, orderId: string, at = day(0)) =>
  call(
    `purchase_record($1, $2, $3, null, $4, $5, 'JPY', 1000, '[]', 'till')`,
    ...[randomUUID(), hash, member, orderId, at],
  )
const refund = (orderId: string, amount: number | null = null) =>
  call(`purchase_refund($1, $2, $3, null, $4, null, null, 'till')`, randomUUID(), hash, orderId, amount)
const state = async (redemption: string) =>
  (await house.row('select state, used_at from coupon_redemption where id = $1', redemption)).state

test('a purchase uses what was reserved for its order, by its own member, and no more', async () => {
  await house.coupon('cart', { benefit: { points: { amount: '50' } }, limits: { total: 9 } })
  const [word, [ann = '', bob = '']] = [await house.word('cart', 'CART'), await house.members(2)]
  const mine = await house.redeemed(ann, word, { isHeld: true, orderId: 'O-1' })
  const another = await house.redeemed(ann, word, { isHeld: true, orderId: 'O-2' })
  const foreign = await house.redeemed(bob, word, { isHeld: true, orderId: 'O-1' }).catch(String)
  expect(foreign).toContain('ON_ORDER')
  await buy(ann, 'O-1')
  expect([await state(mine), await state(another)]).toEqual(['USED', 'RESERVED'])
  expect(await house.wallet(ann)).toMatchObject({ available: 60n }) // 10 for the purchase itself
})

test('a reservation counts when the purchase was made in its time, however late it is told', async () => {
  await house.coupon('late', { limits: { total: 2 }, reservation: { for: 'P1D' } })
  const [word, ann] = [await house.word('late', 'LATE'), await house.member()]
  const redemption = await house.redeemed(ann, word, { isHeld: true, orderId: 'L-1' })
  const missed = await house.redeemed(ann, word, { isHeld: true, orderId: 'L-2' })
  await house.setClock(day(2))
  await buy(ann, 'L-1', day(0.5))
  await buy(ann, 'L-2', day(1))
  await house.settle()
  expect([await state(redemption), await state(missed)]).toEqual(['USED', 'RELEASED'])
  await house.setClock(day(0))
})

test('a full refund releases a coupon with what it gave, a part of one does not', async () => {
  await house.coupon('back', { benefit: { points: { amount: '50' } }, limits: { total: 1, perMember: 1 } })
  const [word, ann] = [await house.word('back', 'BACK'), await house.member()]
  const redemption = await house.redeemed(ann, word, { isHeld: true, orderId: 'R-1' })
  await buy(ann, 'R-1')
  await refund('R-1', 400)
  expect(await state(redemption)).toBe('USED')
  await refund('R-1')
  expect(await state(redemption)).toBe('RELEASED')
  expect(await house.wallet(ann)).toMatchObject({ available: 0n, debt: 0n, revoked: 60n })
  expect(await house.redeem(ann, word, { orderId: 'R-2' })).toMatchObject({ is: 'done' })
})

test('a coupon whose rule keeps it stays used when the purchase is refunded', async () => {
  await house.coupon('keep', { onRefund: 'KEEP', limits: { perMember: 1 } })
  const [word, ann] = [await house.word('keep', 'KEEP'), await house.member()]
  const redemption = await house.redeemed(ann, word, { orderId: 'K-1' })
  await buy(ann, 'K-1')
  await refund('K-1')
  expect(await state(redemption)).toBe('USED')
  expect(await house.redeem(ann, word)).toEqual({ is: 'coupon_not_usable', reason: 'MEMBER_LIMIT' })
})

test('an import uses reservations as well', async () => {
  await house.coupon('import')
  const [word, ann] = [await house.word('import', 'IMPORT'), await house.member()]
  const redemption = await house.redeemed(ann, word, { isHeld: true, orderId: 'I-1' })
  const { external_id: externalId } = await house.row('select external_id from member where id = $1', ann)
  const row = {
    ...{ line: 1, external_id: externalId, order_id: 'I-1', purchased_at: day(0), is_local: false },
    ...{ currency: 'JPY', total: '100', lines: [] },
  }
  const done = await call(`purchase_import($1::jsonb, 'operator:import')`, JSON.stringify([row]))
  expect(done).toMatchObject({ purchases: 1 })
  expect(await state(redemption)).toBe('USED')
})
