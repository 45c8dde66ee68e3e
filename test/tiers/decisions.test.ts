import { expect, test } from 'vitest'
import { grantPoints, spendPoints } from '../../api/domains/points/index.ts'
import { moveTier } from '../../api/domains/tiers/service.ts'
import { operation } from '../points/ledger.ts'
import { testDatabase } from '../support/database.ts'
import { type House, openHouse, spending } from './house.ts'

const database = testDatabase()
const START = '2025-01-01T00:00:00+09:00'

async function withLadder(more: object): Promise<House> {
  const house = await openHouse(database.url, { start: START })
  await house.define(spending(more))
  await house.settle()
  return house
}

test('a refund takes a rise back at once, and only as far as the facts that are left', async () => {
  await using house = await withLadder({ window: { calendar: 'YEAR' } })
  const ann = await house.member()
  await house.buy(ann, 120)
  const large = await house.buy(ann, 200)
  await house.refund(large, 19)
  expect(await house.tier(ann)).toBe('gold')
  await house.refund(large, 2)
  expect(await house.tier(ann)).toBe('silver')
  expect((await house.story(ann)).map((line) => line.slice(0, -17))).toEqual([
    'RISE bronze',
    'RISE silver',
    'RISE gold',
    'FALL silver',
  ])
})

test('where nobody falls by time, a refund still takes back what it alone carried', async () => {
  await using house = await withLadder({ window: { ever: true }, falls: 'NEVER' })
  const ann = await house.member()
  const bought = await house.buy(ann, 300)
  await house.refund(bought, 300)
  expect(await house.tier(ann)).toBe('bronze')
})

test('what is given back of a year that is over takes the tier that it carried into this one', async () => {
  await using house = await withLadder({ window: { calendar: 'YEAR' } })
  const ann = await house.member()
  await house.until('2025-12-30T00:00:00+09:00')
  const bought = await house.buy(ann, 300)
  await house.until('2026-01-05T00:00:00+09:00')
  expect(await house.tier(ann)).toBe('gold')
  await house.refund(bought, 250)
  expect(await house.story(ann)).toEqual([
    'RISE bronze 2025-01-01 00:00',
    'RISE gold 2025-12-30 00:00',
    'KEEP gold 2026-01-01 00:00',
    'FALL bronze 2026-01-05 00:00',
  ])
})

test('given back within the grace of a year that is over, it may still be made good', async () => {
  await using house = await withLadder({ window: { calendar: 'YEAR' }, grace: { months: 1 } })
  const ann = await house.member()
  await house.until('2025-12-30T00:00:00+09:00')
  const bought = await house.buy(ann, 300)
  await house.until('2026-01-05T00:00:00+09:00')
  await house.refund(bought, 250)
  expect(await house.tier(ann)).toBe('gold')
  await house.until('2026-03-01T00:00:00+09:00')
  expect((await house.story(ann)).slice(2)).toEqual([
    'KEEP gold 2026-01-01 00:00',
    'KEEP gold 2026-01-05 00:00',
    'FALL bronze 2026-02-01 00:00',
  ])
})

test('what a refund took of the last year is not taken of this one', async () => {
  await using house = await withLadder({ window: { calendar: 'YEAR' } })
  const ann = await house.member()
  const bought = await house.buy(ann, 200)
  await house.until('2026-02-01T00:00:00+09:00')
  await house.buy(ann, 120)
  await house.refund(bought, 200)
  expect(await house.tier(ann)).toBe('silver')
  await house.until('2027-01-02T00:00:00+09:00')
  expect((await house.story(ann)).slice(1)).toEqual([
    'RISE silver 2025-01-01 00:00',
    'KEEP silver 2026-01-01 00:00',
    'KEEP silver 2027-01-01 00:00',
  ])
})

test('a purchase of the last year that is told late gives back the tier that was lost without it', async () => {
  await using house = await withLadder({ window: { calendar: 'YEAR' } })
  const ann = await house.member()
  await house.buy(ann, 300)
  await house.until('2027-01-03T00:00:00+09:00')
  expect(await house.tier(ann)).toBe('bronze')
  await house.buy(ann, 300, '2026-12-31T23:00:00+09:00')
  expect((await house.story(ann)).slice(2)).toEqual([
    'KEEP gold 2026-01-01 00:00',
    'FALL bronze 2027-01-01 00:00',
    'RISE gold 2027-01-03 00:00',
  ])
  await house.until('2027-12-31T00:00:00+09:00')
  expect(await house.tier(ann)).toBe('gold')
})

test('a purchase of the last year that is told late raises as it would have in time', async () => {
  await using house = await withLadder({ window: { calendar: 'YEAR' } })
  const ann = await house.member()
  await house.buy(ann, 100)
  await house.until('2026-01-03T00:00:00+09:00')
  await house.buy(ann, 200, '2025-12-31T23:00:00+09:00')
  expect((await house.story(ann)).slice(2)).toEqual([
    'KEEP silver 2026-01-01 00:00',
    'RISE gold 2026-01-03 00:00',
  ])
})

test('what ended while nobody looked is decided by what was known then, before what came since', async () => {
  await using house = await withLadder({ window: { calendar: 'YEAR' } })
  const ann = await house.member()
  const bought = await house.buy(ann, 300)
  const late = `reset role; update tenant set clock_at = '2026-01-05T00:00:00+09:00'; set role engawa_owner`
  await house.owner.query(late)
  await house.refund(bought, 300)
  expect((await house.story(ann)).slice(2)).toEqual([
    'KEEP gold 2026-01-01 00:00',
    'FALL bronze 2026-01-05 00:00',
  ])
})

test('a tier with a term that a refund takes back falls to the one before, on its old date', async () => {
  await using house = await withLadder({ window: { rolling: { months: 12 } }, validFor: { months: 12 } })
  const ann = await house.member()
  await house.buy(ann, 100)
  await house.until('2025-03-01T00:00:00+09:00')
  const large = await house.buy(ann, 200)
  await house.refund(large, 200)
  const held = 'select tier, valid_until from tier_standing where member_id = $1'
  expect((await house.owner.query(held, [ann])).rows).toEqual([
    { tier: 'silver', valid_until: new Date('2025-12-31T15:00:00Z') },
  ])
})

test('points that were earned count, what a claw-back took does not, and spending takes nothing', async () => {
  await using house = await openHouse(database.url, { start: START })
  await house.define({ ...spending({ window: { ever: true } }), measure: { pointsEarned: {} } })
  const ann = await house.member()
  await house.owner.query(EARNS, [ann, 'A', 100])
  await house.owner.query(EARNS, [ann, 'B', 200])
  await grantPoints(house.tx, { member: { id: ann }, points: 1_000n, reason: 'A gift' }, operation())
  await spendPoints(house.tx, { member: { id: ann }, points: 1_200n, reason: 'Tea' }, operation())
  await house.settle()
  expect(await house.tier(ann)).toBe('gold')
  await house.owner.query(GIVES_BACK, ['B'])
  await house.settle()
  expect(await house.tier(ann)).toBe('silver')
})

test('granted points count where the ladder says so', async () => {
  await using house = await openHouse(database.url, { start: START })
  await house.define({
    ...spending({ window: { ever: true } }),
    measure: { pointsEarned: { withGrants: true } },
  })
  const ann = await house.member()
  await grantPoints(house.tx, { member: { id: ann }, points: 100n, reason: 'A gift' }, operation())
  await house.settle()
  expect(await house.tier(ann)).toBe('silver')
})

test('a balance carries a tier as long as it is there, spent or expired', async () => {
  await using house = await openHouse(database.url, { start: START })
  await house.define({ ...spending({ window: { ever: true } }), measure: { balance: {} } })
  const ann = await house.member()
  const grant = { member: { id: ann }, points: 300n, reason: 'A gift' }
  await grantPoints(house.tx, { ...grant, expiresAt: new Date('2025-02-01T00:00:00Z') }, operation())
  await house.settle()
  expect(await house.tier(ann)).toBe('gold')
  await spendPoints(house.tx, { member: { id: ann }, points: 100n, reason: 'Tea' }, operation())
  await house.settle()
  expect(await house.tier(ann)).toBe('silver')
  await house.until('2025-02-02T00:00:00Z')
  await house.owner.query('select points_settle_due(10)')
  await house.settle()
  expect(await house.tier(ann)).toBe('bronze')
})

test('a balance over a period keeps its tier to the end of it, whatever is spent', async () => {
  await using house = await openHouse(database.url, { start: START })
  await house.define({ ...spending({ window: { calendar: 'MONTH' } }), measure: { balance: {} } })
  const ann = await house.member()
  await grantPoints(house.tx, { member: { id: ann }, points: 300n, reason: 'A gift' }, operation())
  await house.settle()
  await spendPoints(house.tx, { member: { id: ann }, points: 250n, reason: 'Tea' }, operation())
  await house.until('2025-03-01T00:00:00+09:00')
  expect(await house.story(ann)).toEqual([
    'RISE bronze 2025-01-01 00:00',
    'RISE gold 2025-01-01 00:00',
    'FALL bronze 2025-02-01 00:00',
  ])
})

test('moved up by hand, a member stands no lower until that ends, and may rise further', async () => {
  await using house = await withLadder({ window: { calendar: 'YEAR' } })
  const ann = await house.member()
  await move(house, ann, 'silver', '2025-06-01T00:00:00+09:00')
  expect(await house.tier(ann)).toBe('silver')
  const bought = await house.buy(ann, 300)
  expect(await house.tier(ann)).toBe('gold')
  await house.refund(bought, 300)
  expect(await house.tier(ann)).toBe('silver')
  await house.until('2025-07-01T00:00:00+09:00')
  expect((await house.story(ann)).at(-1)).toBe('FALL bronze 2025-06-01 00:00')
})

test('moved down by hand, a member stays there whatever is bought, until staff end it', async () => {
  await using house = await withLadder({ window: { calendar: 'YEAR' } })
  const ann = await house.member()
  await house.buy(ann, 300)
  await move(house, ann, 'bronze', null)
  await house.buy(ann, 500)
  expect(await house.tier(ann)).toBe('bronze')
  await move(house, ann, null, null)
  expect(await house.tier(ann)).toBe('gold')
})

test('a new version lets everybody keep the tier held to the end of the window, and raises at once', async () => {
  await using house = await withLadder({ window: { calendar: 'YEAR' } })
  const [gold, silver] = await house.members(2)
  if (!gold || !silver) throw new Error('nobody registered')
  await house.buy(gold, 300)
  await house.buy(silver, 150)
  await house.until('2025-02-01T00:00:00+09:00')
  const stricter = spending({ window: { calendar: 'YEAR' } })
  const { tiers } = stricter as { tiers: object[] }
  await house.define({
    ...stricter,
    tiers: [tiers[0], { ...tiers[1], threshold: 100 }, { ...tiers[2], threshold: 1_000 }],
  })
  await house.settle()
  expect([await house.tier(gold), await house.tier(silver)]).toEqual(['gold', 'silver'])
  await house.define({
    ...stricter,
    tiers: [tiers[0], { ...tiers[1], threshold: 100 }, { ...tiers[2], threshold: 120 }],
  })
  await house.settle()
  expect((await house.story(silver)).at(-1)).toBe('PROGRAM gold 2025-02-01 00:00')
})

test('where tiers do not end by themselves, a stricter version is felt at once', async () => {
  await using house = await withLadder({ window: { ever: true } })
  const ann = await house.member()
  await house.buy(ann, 300)
  const { tiers, ...rest } = spending({ window: { ever: true } }) as { tiers: object[] }
  await house.define({ ...rest, tiers: [tiers[0], tiers[1], { ...tiers[2], threshold: 301 }] })
  await house.settle()
  expect((await house.story(ann)).at(-1)).toBe('PROGRAM silver 2025-01-01 00:00')
})

test('a tier that is taken away leaves its members on the one below it', async () => {
  await using house = await withLadder({ window: { calendar: 'YEAR' } })
  const ann = await house.member()
  await house.buy(ann, 300)
  const { tiers, ...rest } = spending({ window: { calendar: 'YEAR' } }) as { tiers: object[] }
  await house.define({ ...rest, tiers: tiers.slice(0, 2) })
  await house.settle()
  expect((await house.story(ann)).at(-1)).toBe('PROGRAM silver 2025-01-01 00:00')
})

const move = (house: House, id: string, tier: string | null, until: string | null) =>
  moveTier(
    house.tx,
    { member: { id }, ladder: 'default', tier, until: until ? new Date(until) : null, reason: 'A mishap' },
    operation(),
  )

/** What a room above does to earn, and to take back. */
const EARNS = `select points_earn((op_begin('earn ' || gen_random_uuid(), '\\x01', 'EARN', 'test', tenant_now(current_tenant()))).transaction_id,
  $1, 'POINTS', 'order', $2, '', 'rule', 1, 100, $3, tenant_now(current_tenant()), null, 'Earned')`
const GIVES_BACK = `select points_claw_back((op_begin('back ' || gen_random_uuid(), '\\x01', 'REFUND_EARN', 'test', tenant_now(current_tenant()))).transaction_id,
  'order', $1, '', 100, tenant_now(current_tenant()), 'Refund')`
