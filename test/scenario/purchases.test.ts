import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { fingerprint } from '../support/fingerprint.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00.000Z'

/** A shop on a test clock, and somebody who buys there. */
async function begin(testClock = NOW): Promise<{ shop: Shop; mia: TestMember }> {
  const shop = await open({ testClock })
  return { shop, mia: await shop.member('mia') }
}

const buy = (shop: Shop, { by: member }: TestMember, purchase: object = {}) =>
  shop.do(
    'recordPurchase',
    { member, orderId: randomUUID(), purchasedAt: NOW, currency: 'JPY', total: 1000, ...purchase },
    { select: 'purchase { id orderId } member { stage { key } } transaction { points }' },
  )

const refund = (shop: Shop, orderId: string, how: object = {}) =>
  shop.do(
    'refundPurchase',
    { orderId, ...how },
    {
      select: `purchase { refunded state lines { refundedQuantity } }
               member { stage { key } wallet { available debt } }`,
    },
  )

describe('a purchase', () => {
  it.each([
    ['1000', '10'],
    ['1099', '10'],
    ['100', '1'],
    ['9007199254740993', '90071992547409'],
  ])('of %s minor units earns %s points', async (total, points) => {
    const { shop, mia } = await begin()
    expect(await buy(shop, mia, { total })).toMatchObject({ transaction: { points } })
  })

  it.each(['0', '99'])('of %s is a purchase and makes no lot', async (total) => {
    const { shop, mia } = await begin()
    const bought = await buy(shop, mia, { total })
    expect(bought).toMatchObject({ member: { stage: { key: 'customer' } }, transaction: null })
    expect(await countsOf(shop)).toEqual({ purchases: 1, lots: 0 })
  })

  it('earns points that die at the end of the month a year later, in the zone of the tenant', async () => {
    const { shop, mia } = await begin('1998-07-01T00:00:00Z')
    await buy(shop, mia, { purchasedAt: '1997-06-15T00:00:00Z' })
    await buy(shop, mia, { purchasedAt: '1997-07-31T15:00:00Z' }) // the first of August in Tokyo
    const { data } = await shop.ask(
      mia.token,
      '{ viewer { member { wallet { available expiring(within: "P90D") { points expiresAt } } } } }',
    )
    expect(data.viewer.member.wallet).toEqual({
      available: '10',
      expiring: [{ points: '10', expiresAt: '1998-08-31T15:00:00.000Z' }],
    })
  })

  it('is told back as it was told, lines in their order', async () => {
    const { shop, mia } = await begin()
    const lines = [
      { sku: 'z-serum', name: 'Serum', quantity: 1, amount: '700' },
      { sku: 'a-soap', name: null, quantity: 3, amount: '300' },
    ]
    const { purchase } = await buy(shop, mia, { orderId: '注文 1', lines })
    const query = `query ($orderId: String!, $id: ID!) {
      purchase(orderId: $orderId) { id orderId purchasedAt currency total refunded state lines { sku name quantity amount refundedQuantity } member { externalId } }
      node(id: $id) { ... on Purchase { orderId } } }`
    const { data } = await shop.ask(mia.token, query, { orderId: '注文 1', id: purchase.id })
    expect(data).toEqual({
      purchase: {
        ...{
          id: purchase.id,
          orderId: '注文 1',
          purchasedAt: NOW,
          currency: 'JPY',
          total: '1000',
          refunded: '0',
        },
        ...{ state: 'COMPLETED', lines: lines.map((line) => ({ ...line, refundedQuantity: 0 })) },
        member: { externalId: 'mia' },
      },
      node: { orderId: '注文 1' },
    })
  })

  it('under another key is refused for its order, and the refusal shows the one there is', async () => {
    const { shop, mia } = await begin()
    const { purchase } = await buy(shop, mia, { orderId: 'o-1' })
    const aki = await shop.member('aki')
    const before = await countsOf(shop)
    for (const buyer of [mia, aki]) {
      const refusal = await buy(shop, buyer, { orderId: 'o-1', total: 5 })
      expect(refusal).toMatchObject({ code: 'DUPLICATE_ORDER', purchase: { id: purchase.id } })
    }
    expect(await countsOf(shop)).toEqual(before)
  })

  it('recorded by twenty tills at once is recorded once', async () => {
    const { shop, mia } = await begin()
    const answers = await Promise.all(Array.from({ length: 20 }, () => buy(shop, mia, { orderId: 'o-1' })))
    expect(answers.filter(({ __typename }) => __typename === 'RecordPurchasePayload')).toHaveLength(1)
    expect(answers.filter(({ code }) => code === 'DUPLICATE_ORDER')).toHaveLength(19)
    expect(await countsOf(shop)).toEqual({ purchases: 1, lots: 1 })
  })

  it('may be five minutes ahead of the clock and not a millisecond more', async () => {
    const { shop, mia } = await begin()
    expect(await buy(shop, mia, { purchasedAt: '2026-04-01T00:05:00Z' })).toHaveProperty('purchase.id')
    const before = await fingerprint(shop.ground.databaseUrl)
    expect(await buy(shop, mia, { purchasedAt: '2026-04-01T00:05:00.001Z' })).toMatchObject({
      code: 'BAD_INPUT',
      field: 'input.purchasedAt',
      message: `A purchase cannot lie in the future; the tenant's clock says ${NOW}.`,
    })
    expect(await fingerprint(shop.ground.databaseUrl)).toEqual(before)
  })

  it('of an ended member is refused, and says since when', async () => {
    const { shop, mia } = await begin()
    await shop.do('endMembership', { member: mia.by, end: 'LEFT' })
    expect(await buy(shop, mia)).toMatchObject({ code: 'MEMBERSHIP_ENDED', endedAt: NOW })
    expect(await countsOf(shop)).toEqual({ purchases: 0, lots: 0 })
  })

  it('makes a customer, the second one a repeat customer, also when they come in the wrong order', async () => {
    const { shop, mia } = await begin()
    expect(await buy(shop, mia)).toMatchObject({ member: { stage: { key: 'customer' } } })
    expect(await buy(shop, mia, { purchasedAt: '2026-03-01T00:00:00Z' })).toMatchObject({
      member: { stage: { key: 'repeat' } },
    })
  })
})

describe('a refund', () => {
  const lines = [
    { sku: 'soap', quantity: 3, amount: 1000 },
    { sku: 'serum', quantity: 1, amount: 500 },
  ]

  it('by lines gives back in proportion to the quantity, and never more than the line', async () => {
    const { shop, mia } = await begin()
    await buy(shop, mia, { orderId: 'o-1', total: 1500, lines })
    const soap = { lines: [{ sku: 'soap', quantity: 1 }] }
    const refunded = []
    for (let i = 0; i < 3; i++) refunded.push((await refund(shop, 'o-1', soap)).purchase.refunded)
    expect(refunded).toEqual(['333', '666', '1000'])
    expect(await refund(shop, 'o-1', soap)).toMatchObject({
      code: 'REFUND_EXCEEDS_PURCHASE',
      refundable: '500',
    })
    expect(await refund(shop, 'o-1')).toMatchObject({
      purchase: {
        refunded: '1500',
        state: 'REFUNDED',
        lines: [{ refundedQuantity: 3 }, { refundedQuantity: 1 }],
      },
    })
  })

  it('by amount, then of the rest, takes the points back in proportion', async () => {
    const { shop, mia } = await begin()
    await buy(shop, mia, { orderId: 'o-1', total: 999 })
    const part = await refund(shop, 'o-1', { amount: 500 })
    expect(part).toMatchObject({
      purchase: { refunded: '500', state: 'PARTLY_REFUNDED' },
      member: { stage: { key: 'customer' }, wallet: { available: '5', debt: '0' } }, // 9 less ⌊9 × 500 ÷ 999⌋
    })
    expect(await refund(shop, 'o-1')).toMatchObject({
      purchase: { refunded: '999', state: 'REFUNDED' },
      member: { stage: { key: 'prospect' }, wallet: { available: '0', debt: '0' } },
    })
    expect(await refund(shop, 'o-1')).toMatchObject({ code: 'REFUND_EXCEEDS_PURCHASE', refundable: '0' })
  })

  it('of points already spent leaves a debt, which the next purchase repays first', async () => {
    const { shop, mia } = await begin()
    await buy(shop, mia, { orderId: 'o-1' })
    await shop.do('spendPoints', { member: mia.by, points: 7, reason: 'Soap' })
    expect(await refund(shop, 'o-1')).toMatchObject({ member: { wallet: { available: '0', debt: '7' } } })
    await buy(shop, mia)
    const { data } = await shop.ask(mia.token, '{ viewer { member { wallet { available debt } } } }')
    expect(data.viewer.member.wallet).toEqual({ available: '3', debt: '0' })
  })

  it('of a zero total gives the purchase back', async () => {
    const { shop, mia } = await begin()
    await buy(shop, mia, { orderId: 'o-1', total: 0 })
    expect(await refund(shop, 'o-1')).toMatchObject({
      purchase: { state: 'REFUNDED' },
      member: { stage: { key: 'prospect' } },
    })
  })

  it.each([
    ['both lines and amount', { lines: [{ sku: 'soap', quantity: 1 }], amount: 1 }, 'input.amount'],
    ['no line at all', { lines: [] }, 'input.lines'],
    ['a line that was not bought', { lines: [{ sku: 'comb', quantity: 1 }] }, 'input.lines.0.sku'],
    ['nothing of a line', { lines: [{ sku: 'soap', quantity: 0 }] }, 'input.lines.0.quantity'],
    ['an amount of nothing', { amount: 0 }, 'input.amount'],
    ['a time before the purchase', { refundedAt: '2026-03-31T23:59:59Z' }, 'input.refundedAt'],
    ['a time to come', { refundedAt: '2026-04-01T00:06:00Z' }, 'input.refundedAt'],
  ])('of %s is bad input and changes nothing', async (_, how, field) => {
    const { shop, mia } = await begin()
    await buy(shop, mia, { orderId: 'o-1', total: 1500, lines })
    const before = await fingerprint(shop.ground.databaseUrl)
    expect(await refund(shop, 'o-1', how)).toMatchObject({ code: 'BAD_INPUT', field })
    expect(await fingerprint(shop.ground.databaseUrl)).toEqual(before)
  })

  it('of more than was paid says what is left', async () => {
    const { shop, mia } = await begin()
    await buy(shop, mia, { orderId: 'o-1' })
    await refund(shop, 'o-1', { amount: 400 })
    expect(await refund(shop, 'o-1', { amount: 601 })).toMatchObject({
      code: 'REFUND_EXCEEDS_PURCHASE',
      refundable: '600',
    })
    expect(await refund(shop, 'o-2')).toMatchObject({ code: 'NOT_FOUND', what: 'purchase' })
  })

  it('asked for twenty times at once never gives back more than was paid', async () => {
    const { shop, mia } = await begin()
    await buy(shop, mia, { orderId: 'o-1' })
    const answers = await Promise.all(Array.from({ length: 20 }, () => refund(shop, 'o-1', { amount: 300 })))
    expect(answers.filter(({ purchase }) => purchase)).toHaveLength(3)
    const { data } = await shop.ask(
      shop.staff,
      '{ purchase(orderId: "o-1") { refunded } ledgerCheck { differences { found } } }',
    )
    expect(data).toEqual({ purchase: { refunded: '900' }, ledgerCheck: { differences: [] } })
  })

  it('goes through after the membership has ended: money is owed all the same', async () => {
    const { shop, mia } = await begin()
    await buy(shop, mia, { orderId: 'o-1' })
    await shop.do('endMembership', { member: mia.by, end: 'LEFT' })
    expect(await refund(shop, 'o-1')).toMatchObject({ purchase: { state: 'REFUNDED' } })
  })
})

async function countsOf({ ground, tenant }: Shop) {
  const text =
    'select (select count(*)::int from purchase where own()) as purchases, (select count(*)::int from lot where own()) as lots'
  const [counts] = await ground.app.db.tenant(tenant.id).query({ text, values: [] })
  return counts
}
