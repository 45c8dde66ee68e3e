import { expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00.000Z'

async function openShop() {
  const shop = await open({ testClock: NOW })
  const mia = await shop.member('mia')
  const prices = [
    { sku: 'soap', price: 1000 },
    { sku: 'lotion', price: 333 },
  ]
  const priceList = { name: { en: 'Everybody', ja: '定価' }, currency: 'JPY', prices }
  await shop.do('definePriceList', { key: 'everybody', priceList })
  const give = async (benefit: object): Promise<string> => {
    const input = { member: mia.by, benefit, reason: 'Birthday' }
    return (await shop.do('giveBenefit', input, { select: 'benefit { id }' })).benefit.id
  }
  return { shop, mia, give }
}

const QUOTE = `query ($input: QuotePurchaseInput!) { quotePurchase(input: $input) { amount total
  lines { amount total } discounts { reason amount benefit { id } excludedBy { id } } } }`
const cart = [{ sku: 'soap', quantity: 2 }, { sku: 'lotion' }]

async function quote(shop: Shop, token: string, more: object = {}) {
  const input = { currency: 'JPY', lines: cart, ...more }
  const { data, errors } = await shop.ask(token, QUOTE, { input })
  return errors[0] ?? data.quotePurchase
}

test('a quote takes what is open off the prices of the member, to the yen, and changes nothing', async () => {
  const { shop, mia, give } = await openShop()
  const tenth = await give({ percent: { basisPoints: 1000 } })
  const money = await give({ money: { amount: 500, currency: 'JPY' } })
  await give({ money: { amount: 5, currency: 'USD' } })
  const told = {
    ...{ amount: '2333', total: '1650' },
    lines: [
      { amount: '2000', total: '1414' },
      { amount: '333', total: '236' },
    ],
    discounts: [
      { reason: 'APPLIED', amount: '500', benefit: { id: money }, excludedBy: null },
      { reason: 'APPLIED', amount: '183', benefit: { id: tenth }, excludedBy: null },
    ],
  }
  expect(await quote(shop, mia.token)).toEqual(told)
  expect(await quote(shop, shop.integration, { member: mia.by })).toEqual(told)
})

test('the rules of the tenant decide what goes together', async () => {
  const { shop, mia, give } = await openShop()
  const tenth = await give({ percent: { basisPoints: 1000 } })
  const money = await give({ money: { amount: 500, currency: 'JPY' } })
  const categories = [{ key: 'benefit', order: 1, isExclusive: true }]
  await shop.do('defineStacking', { stacking: { categories, floor: { basisPoints: 9000 }, rounding: 'UP' } })
  const { total, discounts } = await quote(shop, mia.token)
  expect(discounts).toEqual([
    { reason: 'APPLIED', amount: '233', benefit: { id: money }, excludedBy: null },
    { reason: 'EXCLUDED', amount: '0', benefit: { id: tenth }, excludedBy: { id: money } },
  ])
  expect(total).toBe('2100')
})

test('named benefits alone count, and one that is used up makes no quote', async () => {
  const { shop, mia, give } = await openShop()
  const tenth = await give({ percent: { basisPoints: 1000 } })
  await give({ money: { amount: 500, currency: 'JPY' } })
  expect(await quote(shop, mia.token, { benefits: [tenth] })).toMatchObject({ total: '2100' })
  expect(await quote(shop, mia.token, { benefits: [] })).toMatchObject({ total: '2333', discounts: [] })
  await shop.do('useBenefit', { benefit: tenth, amount: 233, currency: 'JPY' })
  expect(await quote(shop, mia.token, { benefits: [tenth] })).toBeNull()
})

test('a line says what it costs where no price list does', async () => {
  const { shop, mia } = await openShop()
  const lines = [{ sku: 'soap' }, { sku: 'towel', amount: 70 }]
  expect(await quote(shop, mia.token, { lines })).toMatchObject({ amount: '1070' })
  expect(await quote(shop, mia.token, { lines: [{ sku: 'towel' }] })).toMatchObject({
    ...{ code: 'BAD_INPUT', field: 'input.lines.0.amount' },
  })
})

test('a quote of many lines is as many statements as one of few', async () => {
  const { shop, mia, give } = await openShop()
  for (let i = 0; i < 5; i++) await give({ percent: { basisPoints: 100 } })
  const count = async (lines: object[]) => {
    const { statements } = await shop.ask(mia.token, QUOTE, { input: { currency: 'JPY', lines } })
    return statements.length
  }
  const many = Array.from({ length: 100 }, () => ({ sku: 'soap' }))
  expect([await count(cart), await count(many)]).toEqual([4, 4])
})

test.each([
  [{ categories: [] }, 'input.stacking.categories'],
  [
    {
      categories: [
        { key: 'a', order: 1 },
        { key: 'a', order: 2 },
      ],
    },
    'input.stacking.categories',
  ],
  [{ categories: [{ key: 'a', order: 1 }], maxDiscounts: 0 }, 'input.stacking.maxDiscounts'],
])('stacking by %j is refused', async (stacking, field) => {
  const { shop } = await openShop()
  expect(await shop.do('defineStacking', { stacking })).toMatchObject({ code: 'BAD_INPUT', field })
})
