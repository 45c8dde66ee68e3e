import { afterAll, beforeAll, expect, test } from 'vitest'
import { day } from '../points/ledger.ts'
import { testDatabase } from '../support/database.ts'
import { count, type House, openHouse, times } from './house.ts'

const database = testDatabase()
let house: House

beforeAll(async () => {
  house = await openHouse(database.url, { connections: 20 })
})
afterAll(async () => {
  expect(await house.wrong()).toEqual([])
  await house[Symbol.asyncDispose]()
})

const refused = (reason: string) => ({ is: 'coupon_not_usable', reason })
const run = (campaign: string) =>
  house.row('select state, due_at from campaign_run where campaign = $1', campaign)
const take = (campaign: string, source: string, minor = 0, units = 1) =>
  house
    .row(`select campaign_take($1, null, 'test', $2, $3, $4, 'JPY') as ok`, campaign, source, units, minor)
    .then(({ ok }) => ok)

test('the clock starts and ends a campaign at its window, and tells of each at its instant', async () => {
  await house.campaign('clock', { window: { from: day(1).toISOString(), to: day(3).toISOString() } })
  await house.coupon('clocked', { campaign: 'clock' })
  const [word, ann] = [await house.word('clocked', 'CLOCKED'), await house.member()]
  expect(await house.redeem(ann, word)).toEqual(refused('CAMPAIGN_NOT_RUNNING'))
  expect(await house.move('clock', 'ACTIVE')).toMatchObject({ is: 'bad_input', field: 'campaign' })
  await house.setClock(day(1))
  expect(await house.redeem(ann, word)).toMatchObject({ is: 'done' })
  await house.setClock(day(5))
  expect(await house.redeem(ann, word)).toEqual(refused('CAMPAIGN_NOT_RUNNING'))
  await house.settle()
  const { rows } = await house.owner.query(
    `select at, payload ->> 'to' as to from outbox where type = 'campaign.state_changed' and tenant_id = app_tenant() order by n`,
  )
  expect(rows).toEqual([
    { at: day(1), to: 'ACTIVE' },
    { at: day(3), to: 'ENDED' },
  ])
  await house.setClock(day(0))
})

test('staff start, pause and end a campaign, and what has ended stays so', async () => {
  await house.campaign('hand')
  await house.coupon('handed', { campaign: 'hand' })
  const [word, ann] = [await house.word('handed', 'HANDED'), await house.member()]
  expect(await house.redeem(ann, word)).toEqual(refused('CAMPAIGN_NOT_RUNNING'))
  expect(await house.move('hand', 'ACTIVE')).toEqual({ is: 'done', campaign: 'hand' })
  expect(await house.move('hand', 'ACTIVE')).toEqual({ is: 'campaign_state', state: 'ACTIVE' })
  await house.move('hand', 'PAUSED')
  expect(await house.redeem(ann, word)).toEqual(refused('CAMPAIGN_NOT_RUNNING'))
  await house.move('hand', 'ACTIVE')
  expect(await house.redeem(ann, word)).toMatchObject({ is: 'done' })
  await house.move('hand', 'ENDED')
  expect(await house.move('hand', 'ACTIVE')).toEqual({ is: 'campaign_state', state: 'ENDED' })
  expect(await house.redeem(ann, word)).toEqual(refused('CAMPAIGN_NOT_RUNNING'))
})

test('of twenty who pause and end a campaign at once each move is made once', async () => {
  for (let i = 0; i < 20; i++) {
    await house.campaign(`race-${i}`)
    const answers = await times(10, (j) => house.move(`race-${i}`, j % 2 > 0 ? 'ENDED' : 'ACTIVE'))
    const { done = 0, campaign_state = 0 } = count(answers)
    expect(done).toBeGreaterThan(0)
    expect(done).toBeLessThan(3)
    expect(done + campaign_state).toBe(10)
    expect(await run(`race-${i}`)).toMatchObject({ state: 'ENDED' })
  }
})

test('stock and budget are hard for whoever takes at once, and come back', async () => {
  const budget = { money: { amount: '1000', currency: 'JPY' } }
  await house.campaign('hard', { stock: 15, budget })
  await house.move('hard', 'ACTIVE')
  const taken = (source: string, minor: number) =>
    house.tx
      .query<{ ok: boolean }>({
        text: `select test_take('hard', $1, $2) as ok`,
        values: [source, minor],
      })
      .then(([row]) => row?.ok)
  await house.owner.query(`create or replace function test_take(p_campaign text, p_source text, p_minor int) returns boolean
    language sql security definer set search_path = public as
    $$ select campaign_take(p_campaign, null, 'test', p_source, 1, p_minor, 'JPY') $$`)
  await house.owner.query('grant execute on function test_take to public')
  const answers = await times(60, (i) => taken(`s${i}`, 90))
  expect(answers.filter(Boolean)).toHaveLength(11) // 990 of 1,000
  expect(await taken('small', 10)).toBe(true)
  expect(await taken('small', 10)).toBe(true) // for this fact it was taken before
  expect(await take('hard', 'more', 1)).toBe(false)
  expect(await house.row(`select campaign_give_back('test', 'small') as ok`)).toEqual({ ok: true })
  expect(await house.row(`select campaign_give_back('test', 'small') as ok`)).toEqual({ ok: false })
  const left = `select unit, cap - used - reserved as left from budget where campaign = 'hard' and unit <> 'POINTS' order by unit`
  expect((await house.owner.query(left)).rows).toEqual([
    { unit: 'MONEY', left: 10n },
    { unit: 'STOCK', left: 4n },
  ])
})

test('a percentage counts with what it takes off, points with how many there are', async () => {
  const budget = { money: { amount: '1000', currency: 'JPY' }, points: { amount: '250' } }
  await house.campaign('both', { budget })
  await house.move('both', 'ACTIVE')
  await house.coupon('percent', { campaign: 'both', benefit: { percent: { basisPoints: 1000 } } })
  await house.coupon('points', { campaign: 'both', benefit: { points: { amount: '100' } } })
  await house.coupon('euro', { campaign: 'both', benefit: { money: { amount: '5', currency: 'EUR' } } })
  const [ann, ten, hundred] = [
    await house.member(),
    await house.word('percent', 'TEN'),
    await house.word('points', 'HUN'),
  ]
  expect(await house.redeem(ann, ten)).toMatchObject({ is: 'bad_input', field: 'discount' })
  const discount = { amount: 900n, currency: 'JPY' }
  expect(await house.redeem(ann, ten, { discount })).toMatchObject({ is: 'done' })
  expect(await house.redeem(ann, ten, { discount })).toEqual(refused('BUDGET_USED_UP'))
  expect(count(await times(5, () => house.redeem(ann, hundred)))).toEqual({ done: 2, BUDGET_USED_UP: 3 })
  expect(await house.redeem(ann, await house.word('euro', 'EURO'))).toEqual(refused('BUDGET_CURRENCY'))
})

test('a stock that changed many times is told of once for each look', async () => {
  await house.campaign('told', { stock: 50 })
  await house.move('told', 'ACTIVE')
  await house.coupon('telling', { campaign: 'told', limits: { total: 30 } })
  const [word, members] = [await house.word('telling', 'TELLING'), await house.members(20)]
  await house.settle()
  const before = (await house.told()).length
  await times(20, (i) => house.redeem(members[i] ?? '', word))
  expect(await house.settle()).toBe(2)
  expect(await house.settle()).toBe(0)
  const told = (await house.told()).slice(before).filter(([type]) => type !== 'coupon.redeemed')
  expect(told).toEqual([
    ['coupon.stock_changed', '10'],
    ['campaign.stock_changed', 'told'],
  ])
})
