import { expect, it, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { bonus, define, memberWith, mug, REDEMPTION, redeem, state, tea, wallet } from './shop.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'

const fulfil = (shop: Shop, redemption: string, more: object = {}) =>
  shop.do('fulfilReward', { redemption, ...more }, { select: REDEMPTION })
const cancel = (shop: Shop, redemption: string, as = shop.staff) =>
  shop.do('cancelRedemption', { redemption, reason: 'Changed her mind' }, { as, select: REDEMPTION })

it('holds the points of a reservation and spends them when it is fulfilled', async () => {
  const shop = await open({ testClock: NOW })
  const mia = await memberWith(shop, 'mia', 250)
  await define(shop, 'mug', { ...mug, stock: 5 })
  const { redemption } = await redeem(shop, mia, 'mug', { quantity: 2 })
  expect(redemption).toMatchObject({ state: 'RESERVED', quantity: 2, points: '200' })
  expect(redemption.lapsesAt).toBe('2026-04-01T00:30:00.000Z')
  expect(await wallet(shop, mia)).toEqual({ available: '50', held: '200' })
  expect(await state(shop, 'mug')).toEqual({ left: 3, differences: [] })

  const done = await fulfil(shop, redemption.id, { reference: 'JP-1' })
  expect(done.redemption).toMatchObject({
    state: 'FULFILLED',
    reference: 'JP-1',
    fulfilledAt: '2026-04-01T00:00:00.000Z',
  })
  expect(done.redemption.history.map(({ to }: { to: string }) => to)).toEqual(['RESERVED', 'FULFILLED'])
  expect(await wallet(shop, mia)).toEqual({ available: '50', held: '0' })
  expect(await state(shop, 'mug')).toEqual({ left: 3, differences: [] })
})

it('spends the points of what nobody reserves, and gives them back when it is called off', async () => {
  const shop = await open({ testClock: NOW })
  const mia = await memberWith(shop, 'mia', 100)
  await define(shop, 'tea', { ...tea, stock: 1 })
  const { redemption } = await redeem(shop, mia, 'tea')
  expect(redemption).toMatchObject({ state: 'REQUESTED', lapsesAt: null })
  expect(await wallet(shop, mia)).toEqual({ available: '0', held: '0' })
  expect((await cancel(shop, redemption.id, mia.token)).redemption).toMatchObject({ state: 'CANCELLED' })
  expect(await wallet(shop, mia)).toEqual({ available: '100', held: '0' })
  expect(await state(shop, 'tea')).toEqual({ left: 1, differences: [] })
  expect(await fulfil(shop, redemption.id)).toMatchObject({
    code: 'REDEMPTION_CLOSED',
    redemptionState: 'CANCELLED',
  })
})

it('gives the benefit of what is fulfilled at once, each piece once, and takes it back from whoever staff calls it off', async () => {
  const shop = await open({ testClock: NOW })
  const mia = await memberWith(shop, 'mia', 100)
  await define(shop, 'stars', bonus)
  const { redemption } = await redeem(shop, mia, 'stars', { quantity: 2 })
  expect(redemption).toMatchObject({ state: 'FULFILLED', points: '40' })
  expect(await wallet(shop, mia, 'STARS')).toEqual({ available: '100', held: '0' })
  expect(await cancel(shop, redemption.id, mia.token)).toMatchObject({
    code: 'REDEMPTION_CLOSED',
    redemptionState: 'FULFILLED',
  })
  expect((await cancel(shop, redemption.id)).redemption).toMatchObject({ state: 'CANCELLED' })
  expect(await wallet(shop, mia, 'STARS')).toEqual({ available: '0', held: '0' })
  expect(await wallet(shop, mia)).toEqual({ available: '100', held: '0' })
  expect(await state(shop, 'stars')).toEqual({ left: null, differences: [] })
})

it('gives the benefit of a reservation when it is fulfilled, and not before', async () => {
  const shop = await open({ testClock: NOW })
  const mia = await memberWith(shop, 'mia', 20)
  await define(shop, 'stars', { ...bonus, fulfilment: 'MANUAL', reservation: { for: 'P1D' } })
  const { redemption } = await redeem(shop, mia, 'stars')
  expect(await wallet(shop, mia, 'STARS')).toBeNull()
  await fulfil(shop, redemption.id)
  expect(await wallet(shop, mia, 'STARS')).toEqual({ available: '50', held: '0' })
})

it('lets a reservation lapse at its instant, with its points, its piece and its place in the limit', async () => {
  const shop = await open({ testClock: NOW })
  const mia = await memberWith(shop, 'mia', 100)
  await define(shop, 'mug', { ...mug, stock: 1, perMember: { limit: 1 } })
  const { redemption } = await redeem(shop, mia, 'mug')
  expect(await redeem(shop, mia, 'mug')).toMatchObject({
    code: 'REWARD_UNAVAILABLE',
    reason: 'LIMIT_REACHED',
  })
  await shop.clock('2026-04-01T00:30:00Z')
  expect(await fulfil(shop, redemption.id)).toMatchObject({
    code: 'REDEMPTION_CLOSED',
    redemptionState: 'LAPSED',
  })
  expect(await wallet(shop, mia)).toEqual({ available: '100', held: '0' })
  expect(await state(shop, 'mug')).toEqual({ left: 1, differences: [] })
  const again = await redeem(shop, mia, 'mug')
  expect(again.redemption.state).toBe('RESERVED')
})

it('keeps a held lot alive: it dies only when the reservation is called off', async () => {
  const shop = await open({ testClock: NOW })
  const mia = await shop.member('mia')
  await shop.do('grantPoints', {
    member: mia.by,
    points: 100,
    reason: 'Gift',
    expiresAt: '2026-04-02T00:00:00Z',
  })
  await define(shop, 'mug', { ...mug, reservation: { for: 'P7D' } })
  const first = await redeem(shop, mia, 'mug')
  await shop.clock('2026-04-03T00:00:00Z')
  expect(await wallet(shop, mia)).toEqual({ available: '0', held: '100' })
  await cancel(shop, first.redemption.id)
  expect(await wallet(shop, mia)).toEqual({ available: '0', held: '0' })
  expect((await state(shop, 'mug')).differences).toEqual([])
})

it('counts a limit by the days of the tenant’s zone', async () => {
  const shop = await open({ testClock: '2026-04-01T14:00:00Z' })
  const mia = await memberWith(shop, 'mia', 500)
  await define(shop, 'tea', { ...tea, perMember: { limit: 2, period: 'DAY' } })
  expect((await redeem(shop, mia, 'tea', { quantity: 2 })).redemption.state).toBe('REQUESTED')
  expect(await redeem(shop, mia, 'tea')).toMatchObject({ reason: 'LIMIT_REACHED' })
  await shop.clock('2026-04-01T15:00:00Z') // midnight in Tokyo
  expect((await redeem(shop, mia, 'tea')).redemption.state).toBe('REQUESTED')
})

it('charges the lowest of the prices that a member is in for', async () => {
  const shop = await open({ testClock: NOW })
  const mia = await memberWith(shop, 'mia', 100)
  const vip = await shop.member('vip', { attributes: { level: 'gold' } })
  await shop.do('grantPoints', { member: vip.by, points: 100, reason: 'Welcome' })
  const costs = [
    { when: { attribute: { name: 'level', equals: 'gold' } }, points: 60 },
    { when: { membership: ['PAUSED'] }, points: 1 },
  ]
  await define(shop, 'tea', { ...tea, costs })
  expect((await redeem(shop, mia, 'tea')).redemption.points).toBe('100')
  expect((await redeem(shop, vip, 'tea')).redemption.points).toBe('60')
})

test.each([
  ['NOT_STARTED', { window: { from: '2026-04-02T00:00:00Z' } }],
  ['ENDED', { window: { until: '2026-04-01T00:00:00Z' } }],
  ['NOT_FOR_MEMBER', { audience: { membership: ['PAUSED'] } }],
  ['SOLD_OUT', { stock: 0 }],
])('refuses with %s, remembers it, and changes nothing', async (reason, more) => {
  const shop = await open({ testClock: NOW })
  const mia = await memberWith(shop, 'mia', 100)
  await define(shop, 'tea', { ...tea, ...more })
  const key = { idempotencyKey: 'k' }
  expect(await redeem(shop, mia, 'tea', key)).toMatchObject({ code: 'REWARD_UNAVAILABLE', reason })
  await define(shop, 'tea', tea)
  expect(await redeem(shop, mia, 'tea', key)).toMatchObject({ reason })
  expect(await wallet(shop, mia)).toEqual({ available: '100', held: '0' })
  expect((await redeem(shop, mia, 'tea')).redemption.state).toBe('REQUESTED')
})

it('tells a member what each reward is to it', async () => {
  const shop = await open({ testClock: NOW })
  const mia = await memberWith(shop, 'mia', 70)
  await define(shop, 'tea', { ...tea, perMember: { limit: 3 } })
  await define(shop, 'stars', { ...bonus, audience: { membership: ['PAUSED'] } })
  const query = `{ rewards { nodes { key name left viewer { points missing isAffordable remaining viewerCanRedeem refusal } } } }`
  const { data, statements } = await shop.ask(mia.token, query)
  expect(data.rewards.nodes).toEqual([
    {
      key: 'tea',
      name: 'お茶',
      left: null,
      viewer: {
        points: '100',
        missing: '30',
        isAffordable: false,
        remaining: 3,
        viewerCanRedeem: false,
        refusal: null,
      },
    },
    {
      key: 'stars',
      name: '星',
      left: null,
      viewer: {
        points: '20',
        missing: '0',
        isAffordable: true,
        remaining: null,
        viewerCanRedeem: false,
        refusal: 'NOT_FOR_MEMBER',
      },
    },
  ])
  expect(statements).toHaveLength(3) // who asks, the rewards, how they stand
})

it('keeps what was redeemed as it was when the reward changes or retires', async () => {
  const shop = await open({ testClock: NOW })
  const mia = await memberWith(shop, 'mia', 300)
  await define(shop, 'mug', { ...mug, stock: 3 })
  const first = await redeem(shop, mia, 'mug', { quantity: 2 })
  await define(shop, 'mug', { ...mug, stock: 1, cost: { points: 1 } })
  expect(await state(shop, 'mug')).toMatchObject({ left: 0 })
  expect(await redeem(shop, mia, 'mug')).toMatchObject({ reason: 'SOLD_OUT' })
  await shop.do('retireReward', { key: 'mug' })
  expect(await redeem(shop, mia, 'mug')).toMatchObject({ reason: 'RETIRED' })
  expect((await fulfil(shop, first.redemption.id)).redemption).toMatchObject({
    state: 'FULFILLED',
    points: '200',
  })
})

test.each([
  [{ benefit: { points: { amount: 1 } } }, 'input.reward.benefit'],
  [{ fulfilment: 'AT_ONCE', reservation: null }, 'input.reward.fulfilment'],
  [{ perMember: { limit: 0 } }, 'input.reward.perMember.limit'],
  [{ window: { from: NOW, until: NOW } }, 'input.reward.window'],
  [{ cost: { points: -1 } }, 'input.reward.cost.points'],
  [{ audience: { not: {} } }, 'input.reward.audience.not'],
])('refuses a definition with %j', async (wrong, field) => {
  const shop = await open()
  expect(await define(shop, 'mug', { ...mug, ...wrong })).toMatchObject({ code: 'BAD_INPUT', field })
})

it('is open to members for themselves alone, and to staff by scope', async () => {
  const shop = await open({ testClock: NOW })
  const [mia, aki] = [await memberWith(shop, 'mia', 100), await memberWith(shop, 'aki', 100)]
  await define(shop, 'tea', tea)
  expect(await redeem(shop, mia, 'tea', { member: aki.by })).toMatchObject({ code: 'NOT_FOUND' })
  const { redemption } = await redeem(shop, aki, 'tea')
  expect(await cancel(shop, redemption.id, mia.token)).toMatchObject({ code: 'NOT_FOUND' })
  const reader = await shop.token('staff', 'bob', 'rewards:read')
  expect(await cancel(shop, redemption.id, reader)).toMatchObject({ code: 'FORBIDDEN' })
  const queue =
    '{ rewardRedemptions(state: REQUESTED, reward: "tea") { nodes { id member { externalId } } } }'
  expect((await shop.ask(mia.token, queue)).errors).toMatchObject([{ code: 'FORBIDDEN' }])
  expect((await shop.ask(shop.staff, queue)).data.rewardRedemptions.nodes).toEqual([
    { id: redemption.id, member: { externalId: 'aki' } },
  ])
})
