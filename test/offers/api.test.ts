import { beforeAll, describe, expect, it, test } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'
let shop: Shop
let mia: TestMember

beforeAll(async () => {
  shop = await open({ testClock: NOW })
  mia = await shop.member('mia')
})

let orders = 0
const buy = async (total: number, more: object = {}) => {
  const orderId = `order ${++orders}`
  const bought = { member: mia.by, orderId, purchasedAt: NOW, currency: 'JPY', total, ...more }
  const done = await shop.do('recordPurchase', bought)
  expect(done.__typename).toBe('RecordPurchasePayload')
  return orderId
}

/** Puts an offer in force, and gives it to mia when it is given. */
async function offered(key: string, offer: object): Promise<string> {
  const done = await shop.do('defineOffer', { key, offer }, { select: 'offer { key version }' })
  expect(done).toMatchObject({ offer: { key } })
  const given = await shop.do('receiveOffer', { member: mia.by, offer: key }, { select: 'receipt { id }' })
  return given.receipt?.id
}

const RECEIPT = `state completedAt endsAt progress { currency reached needed missing } offer { key version name remaining
  benefits { points money currency basisPoints entitlement } }`

async function receipt(id: string) {
  const query = `query ($id: ID!) { node(id: $id) { ... on OfferReceipt { ${RECEIPT} } } }`
  return (await shop.ask(mia.token, query, { id })).data.node
}

describe('a receipt', () => {
  it('tells how much is missing, is completed, used, and reversed when the purchase is given back', async () => {
    const money = { amount: 500, currency: 'JPY' }
    const offer = {
      type: 'SPEND_TOTAL',
      threshold: 5000,
      currency: 'JPY',
      benefits: [{ money }],
      validFor: 'P7D',
    }
    const id = await offered('total', offer)
    expect(await receipt(id)).toMatchObject({
      state: 'ISSUED',
      endsAt: '2026-04-08T00:00:00.000Z',
      progress: [{ currency: 'JPY', reached: '0', needed: '5000', missing: '5000' }],
      offer: { key: 'total', benefits: [{ money: '500', currency: 'JPY', points: null }] },
    })
    await buy(3800)
    expect(await receipt(id)).toMatchObject({ progress: [{ reached: '3800', missing: '1200' }] })
    const second = await buy(1200)
    expect(await receipt(id)).toMatchObject({ state: 'COMPLETED', completedAt: NOW.replace('Z', '.000Z') })
    expect(await shop.do('useOffer', { receipt: id })).toMatchObject({ __typename: 'UseOfferPayload' })
    expect(await receipt(id)).toMatchObject({ state: 'USED' })
    await shop.do('refundPurchase', { orderId: second, amount: 1 })
    expect(await receipt(id)).toMatchObject({
      state: 'REVERSED',
      completedAt: null,
      progress: [{ missing: '1' }],
    })
    await buy(1)
    expect(await receipt(id)).toMatchObject({ state: 'COMPLETED' })
  })
})

test('a purchase given back whole reverses what it completed', async () => {
  const id = await offered('single', { type: 'SINGLE_PURCHASE', threshold: 70_000 })
  const orderId = await buy(70_000)
  expect(await receipt(id)).toMatchObject({ state: 'COMPLETED' })
  await shop.do('refundPurchase', { orderId })
  expect(await receipt(id)).toMatchObject({ state: 'REVERSED' })
})
