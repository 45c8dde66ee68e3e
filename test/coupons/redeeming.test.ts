import { afterAll, beforeAll, expect, test } from 'vitest'
import { day, operation } from '../points/ledger.ts'
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

const counter = (coupon: string) =>
  house.row('select reserved, used, released from coupon_counter where coupon = $1', coupon)
const refused = (reason: string) => ({ is: 'coupon_not_usable', reason })

test('a code is used once, however it is typed, and by nobody else', async () => {
  await house.coupon('tea')
  const [code = ''] = await house.codes('tea', 1)
  const [ann, bob] = [await house.member(), await house.member()]
  const typed = ` ${code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')} `
  expect(await house.redeem(ann, typed)).toMatchObject({ is: 'done', member: ann })
  expect(await house.redeem(bob, code)).toEqual(refused('CODE_USED'))
  expect(await house.redeem(ann, code)).toEqual(refused('MEMBER_LIMIT'))
  expect(await house.row('select used, taken from coupon_code where coupon = $1', 'tea')).toEqual({
    used: 1n,
    taken: 1n,
  })
})

test('a use of points gives them, and its cancelling takes them back with the stock', async () => {
  await house.coupon('gift', { benefit: { points: { amount: '120' } }, limits: { total: 5, perMember: 1 } })
  const ann = await house.member()
  const redemption = await house.redeemed(ann, await house.word('gift', 'GIFT120'))
  expect(await house.wallet(ann)).toMatchObject({ available: 120n })
  expect(await house.release(redemption)).toEqual({ is: 'redemption_resolved', state: 'USED' })
  expect(await house.release(redemption, true)).toMatchObject({ is: 'done' })
  expect(await house.wallet(ann)).toMatchObject({ available: 0n, revoked: 120n })
  expect(await counter('gift')).toEqual({ reserved: 0n, used: 0n, released: 1n })
  expect(await house.release(redemption, true)).toEqual({ is: 'redemption_resolved', state: 'RELEASED' })
  expect(await house.redeem(ann, 'gift 120')).toMatchObject({ is: 'done' })
})

test('a reservation takes the stock until its time is over, whether or not a job has run', async () => {
  await house.coupon('one', { limits: { total: 1, perMember: 1 }, reservation: { for: 'PT30M' } })
  const [ann, bob] = [await house.member(), await house.member()]
  const word = await house.word('one', 'ONEONLY')
  const redemption = await house.redeemed(ann, word, { isHeld: true })
  expect(await house.redeem(bob, word)).toEqual(refused('STOCK_USED_UP'))
  await house.setClock(new Date(day(0).getTime() + 30 * 60_000))
  expect(await house.usable(bob, word)).toMatchObject({ is: 'done', coupon: 'one' })
  expect(await house.redeem(bob, word)).toMatchObject({ is: 'done' })
  expect(await house.release(redemption)).toEqual({ is: 'redemption_resolved', state: 'RELEASED' })
  expect(await counter('one')).toEqual({ reserved: 0n, used: 1n, released: 1n })
  await house.setClock(day(0))
})

test('the clock releases what lapsed, and tells of it at that instant', async () => {
  await house.coupon('lapse', { limits: { total: 3 }, reservation: { for: 'P1D' } })
  const word = await house.word('lapse', 'LAPSE')
  for (const member of await house.members(2)) await house.redeemed(member, word, { isHeld: true })
  await house.setClock(day(1))
  await house.settle()
  expect(await counter('lapse')).toEqual({ reserved: 0n, used: 0n, released: 2n })
  const { at } = await house.row(
    `select at from outbox where type = 'coupon.released' and payload ->> 'coupon' = 'lapse' and tenant_id = app_tenant() limit 1`,
  )
  expect(at).toEqual(day(1))
  expect(await house.settle()).toBe(0)
  await house.setClock(day(0))
})

test('limits hold in the calendar of the tenant: a day in Tokyo, a week, a month, a year', async () => {
  const ann = await house.member()
  const limits = { perMemberPer: { DAY: 1, WEEK: 2, MONTH: 3, YEAR: 4 } }
  await house.coupon('cake', { limits })
  const word = await house.word('cake', 'CAKE')
  const at = async (instant: string) => {
    await house.setClock(new Date(instant))
    const outcome = await house.redeem(ann, word)
    return 'reason' in outcome ? outcome.reason : outcome.is
  }
  expect(await at('2025-02-03T14:59:59Z')).toBe('done') // Monday 23:59 in Tokyo
  expect(await at('2025-02-03T14:59:59Z')).toBe('PERIOD_LIMIT')
  expect(await at('2025-02-03T15:00:00Z')).toBe('done')
  expect(await at('2025-02-04T15:00:00Z')).toBe('PERIOD_LIMIT') // the week has two
  expect(await at('2025-02-09T15:00:00Z')).toBe('done') // the next Monday
  expect(await at('2025-02-16T15:00:00Z')).toBe('PERIOD_LIMIT') // the month has three
  expect(await at('2025-02-28T15:00:00Z')).toBe('done')
  expect(await at('2025-12-31T14:59:59Z')).toBe('PERIOD_LIMIT') // the year has four
  expect(await at('2025-12-31T15:00:00Z')).toBe('done')
  await house.setClock(day(0))
})

test('a coupon of one’s own is nobody else’s, ends at its own date, and works once', async () => {
  const [ann, bob] = [await house.member(), await house.member()]
  await house.coupon('birthday')
  const code = await house.issue('birthday', ann, 'P30D')
  expect(code).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/)
  expect(await house.redeem(bob, code)).toEqual(refused('NOT_THEIRS'))
  await house.setClock(day(30))
  expect(await house.redeem(ann, code)).toEqual(refused('EXPIRED'))
  await house.setClock(new Date(day(30).getTime() - 1))
  expect(await house.redeem(ann, code)).toMatchObject({ is: 'done' })
  expect(await house.redeem(ann, code)).toEqual(refused('MEMBER_LIMIT'))
  await house.setClock(day(0))
})

test('a code counts once for an order, and the order’s key answers alike', async () => {
  await house.coupon('order')
  const [ann, word] = [await house.member(), await house.word('order', 'ORDERED')]
  const op = operation()
  const first = await house.redeem(ann, word, { orderId: 'A-1', op })
  expect(await house.redeem(ann, word, { orderId: 'A-1', op })).toEqual(first)
  expect(await house.redeem(ann, word, { orderId: 'A-2', op })).toMatchObject({ is: 'done' })
  expect(await house.redeem(ann, word, { orderId: 'A-1' })).toEqual(refused('ON_ORDER'))
  expect(await house.redeem(ann, word, { orderId: 'A-2' })).toMatchObject({ is: 'done' })
})

test('a window, an audience and a retirement close a coupon, each by its name', async () => {
  const ann = await house.member()
  const window = { from: day(1).toISOString(), to: day(2).toISOString() }
  await house.coupon('window', { window })
  const word = await house.word('window', 'WINDOW')
  expect(await house.redeem(ann, word)).toEqual(refused('NOT_STARTED'))
  await house.setClock(day(2))
  expect(await house.redeem(ann, word)).toEqual(refused('EXPIRED'))
  await house.setClock(day(1))
  expect(await house.redeem(ann, word)).toMatchObject({ is: 'done' })
  await house.setClock(day(0))
  await house.coupon('window', { audience: { membership: ['ENDED'] } })
  expect(await house.redeem(ann, word)).toEqual(refused('NOT_IN_AUDIENCE'))
  await house.owner.query(`select definition_publish('[{"kind": "coupon", "key": "window"}]', null, 'test')`)
  expect(await house.redeem(ann, word)).toEqual(refused('WITHDRAWN'))
})

test('a new version keeps what was taken, counts what had no limit before, and cannot promise less', async () => {
  await house.coupon('grow')
  const word = await house.word('grow', 'GROWING')
  for (const member of await house.members(3)) await house.redeemed(member, word)
  expect(await counter('grow')).toEqual({ reserved: 0n, used: 0n, released: 0n })
  await house.coupon('grow', { limits: { total: 4 } })
  expect(await counter('grow')).toEqual({ reserved: 0n, used: 3n, released: 0n })
  await house.redeemed(await house.member(), word)
  expect(await house.redeem(await house.member(), word)).toEqual(refused('STOCK_USED_UP'))
  await expect(house.coupon('grow', { limits: { total: 3 } })).rejects.toThrow(
    '4 of this coupon are taken already',
  )
  await house.coupon('grow', { limits: { total: 5 } })
  expect(await house.redeem(await house.member(), word)).toMatchObject({ is: 'done' })
})
