import { expect, it } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { headOf, history } from '../support/history.ts'
import { define, memberWith, mug, redeem, state, tea, wallet } from './shop.ts'

const open = testApp({ role: 'web' })
const times = <T>(n: number, work: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: n }, (_, i) => work(i)))
const count = (answers: readonly { __typename?: string; reason?: string; redemptionState?: string }[]) =>
  Object.fromEntries(
    [...Map.groupBy(answers, (each) => each.reason ?? each.redemptionState ?? each.__typename)].map(
      ([is, all]) => [is, all.length],
    ),
  )

it('gives the last piece to one of twenty', async () => {
  const shop = await open({ testClock: '2026-04-01T00:00:00Z' })
  await define(shop, 'mug', { ...mug, stock: 1 })
  const members = await times(20, (i) => memberWith(shop, `m${i}`, 100))
  const answers = await times(20, (i) => redeem(shop, members[i] ?? expect.fail(), 'mug'))
  expect(count(answers)).toEqual({ RedeemRewardPayload: 1, SOLD_OUT: 19 })
  const wallets = await times(20, (i) => wallet(shop, members[i] ?? expect.fail()))
  expect(wallets.filter(({ held }) => held === '100')).toHaveLength(1)
  expect(wallets.filter(({ available }) => available === '100')).toHaveLength(19)
  expect(await state(shop, 'mug')).toEqual({ left: 0, differences: [] })
})

it('lets one member have as many as its limit, however many it asks for at once', async () => {
  const shop = await open()
  const mia = await memberWith(shop, 'mia', 5_000)
  await define(shop, 'tea', { ...tea, stock: 50, perMember: { limit: 3, period: 'MONTH' } })
  expect(count(await times(20, () => redeem(shop, mia, 'tea')))).toEqual({
    RedeemRewardPayload: 3,
    LIMIT_REACHED: 17,
  })
  expect(await wallet(shop, mia)).toEqual({ available: '4700', held: '0' })
  expect(await state(shop, 'tea')).toEqual({ left: 47, differences: [] })
})

it('redeems once for one key', async () => {
  const shop = await open()
  const mia = await memberWith(shop, 'mia', 5_000)
  await define(shop, 'tea', tea)
  const answers = await times(20, () => redeem(shop, mia, 'tea', { idempotencyKey: 'k' }))
  expect(new Set(answers.map((answer) => answer.redemption.id)).size).toBe(1)
  expect(await wallet(shop, mia)).toEqual({ available: '4900', held: '0' })
})

/** Twenty fulfil or call off one redemption, in turns. */
async function contend(shop: Shop, id: string, verbs: readonly string[]) {
  const answers = await times(20, (i) =>
    shop.do(verbs[i % verbs.length] ?? '', { redemption: id }, { select: 'redemption { id }' }),
  )
  return count(answers)
}

it.each([
  ['mug', mug],
  ['tea', tea],
])('calls a %s off once, and gives its points and its piece back once', async (key, reward) => {
  const shop = await open()
  const mia = await memberWith(shop, 'mia', 100)
  await define(shop, key, { ...reward, stock: 1, perMember: { limit: 1 } })
  const { redemption } = await redeem(shop, mia, key)
  expect(await contend(shop, redemption.id, ['cancelRedemption'])).toEqual({
    CancelRedemptionPayload: 1,
    CANCELLED: 19,
  })
  expect(await wallet(shop, mia)).toEqual({ available: '100', held: '0' })
  expect(await state(shop, key)).toEqual({ left: 1, differences: [] })
})

it('fulfils once, and tells each step once', async () => {
  const shop = await open()
  const mia = await memberWith(shop, 'mia', 100)
  await define(shop, 'mug', mug)
  const head = await headOf(shop)
  const { redemption } = await redeem(shop, mia, 'mug')
  expect(await contend(shop, redemption.id, ['fulfilReward'])).toEqual({
    FulfilRewardPayload: 1,
    FULFILLED: 19,
  })
  expect(await wallet(shop, mia)).toEqual({ available: '0', held: '0' })
  const told = (await history(shop, shop.staff, { after: head }))
    .map(({ type }) => type)
    .filter((type) => /^reward/.test(type))
  expect(told).toEqual(['reward.redeemed', 'reward.fulfilled'])
})

it('ends as one of the two when some fulfil and some call off', async () => {
  const shop = await open()
  const mia = await memberWith(shop, 'mia', 2_000)
  await define(shop, 'mug', { ...mug, stock: 20 })
  for (let i = 0; i < 5; i++) {
    const { redemption } = await redeem(shop, mia, 'mug')
    const told = await contend(shop, redemption.id, ['fulfilReward', 'cancelRedemption'])
    expect(told.CancelRedemptionPayload).toBe(1) // staff may call off what was fulfilled, too
  }
  expect(await wallet(shop, mia)).toEqual({ available: '2000', held: '0' })
  expect(await state(shop, 'mug')).toEqual({ left: 20, differences: [] })
})
