import { expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { define } from './house.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'
const name = { en: 'Spring', ja: '春' }
const spa = { entitlement: { key: 'spa' } }
const rise = { type: 'SINGLE_PURCHASE', threshold: 900, benefits: [{ points: { amount: 1 } }, spa] }
const friends = { name, benefits: { friend: spa }, qualifying: { nthPurchase: 1 } }
const reward = { name, cost: { points: 10 }, benefit: spa, fulfilment: 'MANUAL' }

const WAYS = [
  ['defineOffer', { key: 'k', offer: rise }, 'input.offer.benefits.1.entitlement.key'],
  ['defineCoupon', { key: 'k', coupon: { name, benefit: spa } }, 'input.coupon.benefit.entitlement.key'],
  ['defineReward', { key: 'k', reward }, 'input.reward.benefit.entitlement.key'],
  ['defineReferralProgram', { key: 'k', program: friends }, 'input.program.benefits.friend.entitlement.key'],
] as const

test.each(WAYS)(
  '%s promises no entitlement that is not in force, by the field',
  async (mutation, input, field) => {
    const shop = await open({ testClock: NOW })
    expect(await shop.do(mutation, input)).toMatchObject({ code: 'BAD_INPUT', field })
    await define(shop, 'spa')
    await retire(shop, 'entitlement', 'spa')
    expect(await shop.do(mutation, input)).toMatchObject({ code: 'BAD_INPUT', field })
    await define(shop, 'spa')
    expect((await shop.do(mutation, input)).code).toBeUndefined()
  },
)

test('what is published together comes in the right order, and what is retired together does not', async () => {
  const shop = await open({ testClock: NOW })
  const program = (await shop.ask(shop.staff, '{ program { document } }')).data.program.document
  const offers = { rise: { ...rise, benefits: [spa] } }
  const entitlements = { spa: { name, kind: 'TOOL' } }
  const put = (document: object) => shop.do('importProgram', { document: { ...program, ...document } })
  expect(await put({ offers })).toMatchObject({ code: 'PROGRAM_INVALID' })
  expect((await put({ offers, entitlements })).code).toBeUndefined()
  const more = { ...offers, again: offers.rise }
  expect(await put({ offers: more, entitlements: {} })).toMatchObject({ code: 'PROGRAM_INVALID' })
})

const retire = async (shop: Shop, kind: string, key: string) =>
  expect((await shop.do('retireDefinition', { kind, key })).code).toBeUndefined()

test('what was promised is given although it was retired meanwhile, and the purchase succeeds', async () => {
  const shop = await open({ testClock: NOW })
  const { by, token } = await shop.member('mia')
  await define(shop, 'spa', { quota: { times: 3, per: 'GRANT' } })
  await shop.do('defineOffer', { key: 'rise', offer: rise })
  await shop.do('receiveOffer', { member: by, offer: 'rise' })
  await retire(shop, 'entitlement', 'spa')
  const bought = { member: by, orderId: 'a', purchasedAt: NOW, currency: 'JPY', total: 900 }
  expect(await shop.do('recordPurchase', bought)).toMatchObject({ __typename: 'RecordPurchasePayload' })
  const { data } = await shop.ask(token, '{ viewer { entitlements { left entitlement { key } } } }')
  expect(data.viewer.entitlements).toEqual([{ left: 3, entitlement: { key: 'spa' } }])
})

test('an entitlement does not stand on entitlements by way of segments, whichever is published last', async () => {
  const shop = await open({ testClock: NOW })
  const segment = (key: string, audience: object) =>
    shop.do('defineSegment', { key, segment: { name, audience } })
  const entitlement = (key: string, audience: object) =>
    shop.do('defineEntitlement', { key, entitlement: { name, kind: 'TOOL', audience } })
  await define(shop, 'tea')
  await segment('guests', { not: { any: [{ entitlement: ['tea'] }] } })
  await segment('round', { all: [{ segment: ['guests'] }] })
  const spa = await entitlement('spa', { any: [{ segment: ['round'] }] })
  expect(spa).toMatchObject({ code: 'BAD_INPUT', field: 'input.entitlement.audience' })
  await segment('guests', { all: [] })
  expect((await entitlement('spa', { any: [{ segment: ['round'] }] })).code).toBeUndefined()
  const guests = await segment('guests', { not: { entitlement: ['tea'] } })
  expect(guests).toMatchObject({ code: 'BAD_INPUT', field: 'input.segment.audience' })
  expect((await segment('others', { entitlement: ['spa'] })).code).toBeUndefined()
})
