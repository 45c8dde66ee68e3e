import { beforeAll, describe, expect, it, test } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { headOf, history } from '../support/history.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'
let shop: Shop
let mia: TestMember

beforeAll(async () => {
  shop = await open({ testClock: NOW })
  mia = await shop.member('mia', { attributes: { theme: 'zen' } })
})

const define = (key: string, offer: object) =>
  shop.do('defineOffer', { key, offer: { type: 'INFORMATION', ...offer } })
const claim = (offer: string, { token }: TestMember = mia) => shop.do('claimOffer', { offer }, { as: token })
const buy = (by: object, orderId: string, purchasedAt = NOW) =>
  shop.do('recordPurchase', { member: by, orderId, purchasedAt, currency: 'JPY', total: 900 })

describe('a member takes an offer', () => {
  it('and is told why it cannot take another: each reason by its name, and nothing is taken', async () => {
    const theme = (equals: string) => ({ attribute: { name: 'theme', equals } })
    await define('given', {})
    await define('others', { howGiven: 'CLAIMED', audience: theme('tea') })
    await define('soon', { howGiven: 'CLAIMED', from: '2026-05-01T00:00:00Z' })
    await define('gone', { howGiven: 'CLAIMED', until: NOW })
    await define('none', { howGiven: 'CLAIMED', stock: 0 })
    await define('once', { howGiven: 'CLAIMED', perMember: 1, audience: theme('zen') })
    expect(await claim('once')).toMatchObject({ __typename: 'ClaimOfferPayload' })
    const reasons = { given: 'NOT_CLAIMABLE', others: 'NOT_ELIGIBLE', soon: 'NOT_YET', gone: 'OVER' }
    for (const [key, reason] of Object.entries({ ...reasons, none: 'OUT_OF_STOCK', once: 'LIMIT_REACHED' })) {
      expect(await claim(key)).toMatchObject({ code: 'OFFER_REFUSED', reason })
    }
    const query = '{ viewer { offers { offer { key remaining } viewerCanClaim whyNot receipts { state } } } }'
    const { offers } = (await shop.ask(mia.token, query)).data.viewer
    expect(
      offers.map((each: { offer: { key: string }; whyNot: string }) => [each.offer.key, each.whyNot]),
    ).toEqual([
      ['none', 'OUT_OF_STOCK'],
      ['once', 'LIMIT_REACHED'],
      ['soon', 'NOT_YET'],
    ])
    expect(offers[1].receipts).toEqual([{ state: 'ISSUED' }])
  })

  it('and for nobody else', async () => {
    await define('free', { howGiven: 'CLAIMED' })
    const aki = await shop.member('aki')
    expect(await shop.do('claimOffer', { offer: 'free', member: aki.by }, { as: mia.token })).toMatchObject({
      code: 'NOT_FOUND',
    })
  })
})

test('of 20 members who take the last 7 at once 7 have it, and the stock is told live to the last', async () => {
  const after = await headOf(shop)
  await define('seven', { howGiven: 'CLAIMED', stock: 7 })
  const many = await Promise.all(Array.from({ length: 20 }, (_, i) => shop.member(`m${i}`)))
  const answers = await Promise.all(many.map((member) => claim('seven', member)))
  expect(answers.filter(({ __typename }) => __typename === 'ClaimOfferPayload')).toHaveLength(7)
  expect(answers.filter(({ reason }) => reason === 'OUT_OF_STOCK')).toHaveLength(13)
  const told = (await history(shop, shop.staff, { after })).filter(
    ({ type }) => type === 'offer.stock_changed',
  )
  expect(told).toHaveLength(8)
  const { nodes } = (await shop.ask(shop.staff, '{ offers { nodes { key remaining } } }')).data.offers
  expect(nodes).toContainEqual({ key: 'seven', remaining: 0 })
})

test('20 attempts of one member at an offer for two leave it with two', async () => {
  await define('two', { howGiven: 'CLAIMED', perMember: 2 })
  const answers = await Promise.all(Array.from({ length: 20 }, () => claim('two')))
  expect(answers.filter(({ __typename }) => __typename === 'ClaimOfferPayload')).toHaveLength(2)
  expect(answers.filter(({ reason }) => reason === 'LIMIT_REACHED')).toHaveLength(18)
})

test('a receipt is known by its key: again it is the same, for another member it is refused', async () => {
  await define('keyed', {})
  const given = { member: mia.by, offer: 'keyed', key: 'r-1' }
  const first = await shop.do('receiveOffer', given)
  expect(await shop.do('receiveOffer', given)).toEqual(first)
  const { by: member } = await shop.member('somebody')
  expect(await shop.do('receiveOffer', { ...given, member })).toMatchObject({ reason: 'RECEIPT_EXISTS' })
})

describe('entering a stage gives a repeat discount', () => {
  const HELD = 'offerReceipts { nodes { state way endsAt offer { key label } } }'
  const heldBy = async ({ token }: TestMember) =>
    (await shop.ask(token, `{ viewer { member { ${HELD} } } }`)).data.viewer.member.offerReceipts.nodes

  it('exactly once ever, with an end, and the purchase that brought the stage does not complete it', async () => {
    const percent = { basisPoints: 1000 }
    const discount = { type: 'SINGLE_PURCHASE', threshold: 0, benefits: [{ percent }], validFor: 'P14D' }
    await define('again', {
      ...discount,
      howGiven: 'ON_STAGE',
      stages: ['customer'],
      label: 'REPEAT_DISCOUNT',
    })
    const rin = await shop.member('rin')
    await buy(rin.by, 'rin 1')
    const offer = { key: 'again', label: 'REPEAT_DISCOUNT' }
    const held = { state: 'ISSUED', way: 'ON_STAGE', endsAt: '2026-04-15T00:00:00.000Z', offer }
    expect(await heldBy(rin)).toEqual([held])
    await shop.do('refundPurchase', { orderId: 'rin 1' })
    await shop.clock('2026-04-02T00:00:00Z')
    await buy(rin.by, 'rin 2', '2026-04-02T00:00:00Z')
    expect(await heldBy(rin)).toEqual([{ ...held, state: 'COMPLETED' }])
  })
})

test('a set of products is completed by the purchase that brings the last of so many', async () => {
  await define('set', { type: 'PRODUCT_SET', skus: ['SOAP', 'OIL', 'TEA'], needed: 2 })
  const yui = await shop.member('yui')
  await shop.do('receiveOffer', { member: yui.by, offer: 'set' })
  const order = (orderId: string, sku: string) =>
    shop.do('recordPurchase', {
      ...{ member: yui.by, orderId, purchasedAt: '2026-04-02T00:00:00Z', currency: 'JPY', total: 100 },
      lines: [{ sku, amount: 100 }],
    })
  const stateOf = async () =>
    (
      await shop.ask(yui.token, '{ viewer { offers { receipts { state } offer { key } } } }')
    ).data.viewer.offers.find((each: { offer: { key: string } }) => each.offer.key === 'set').receipts[0]
      .state
  await order('yui 1', 'SOAP')
  await order('yui 2', 'SOAP')
  expect(await stateOf()).toBe('ISSUED')
  await order('yui 3', 'TEA')
  expect(await stateOf()).toBe('COMPLETED')
  await shop.do('refundPurchase', { orderId: 'yui 1' })
  expect(await stateOf()).toBe('COMPLETED')
  await shop.do('refundPurchase', { orderId: 'yui 2' })
  expect(await stateOf()).toBe('REVERSED')
})

test('a page of members with their offers costs as many statements however long it is', async () => {
  const query = (
    first: number,
  ) => `{ members(first: ${first}) { nodes { externalId offers { viewerCanClaim whyNot
    offer { key name remaining } receipts { state completedAt progress { missing } offer { key } } } } } }`
  const [few, many] = [await shop.ask(shop.staff, query(2)), await shop.ask(shop.staff, query(20))]
  expect(many.errors).toEqual([])
  expect(many.data.members.nodes).toHaveLength(20)
  expect([few.statements.length, many.statements.length]).toEqual([9, 9])
})
