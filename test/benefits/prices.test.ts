import { expect, test } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00.000Z'
const vip = { attribute: { name: 'vip', equals: true } }

async function openShop() {
  const shop = await open({ testClock: NOW })
  const mia = await shop.member('mia', { attributes: { vip: true } })
  return { shop, mia, aki: await shop.member('aki') }
}

/** Puts a list in force. */
const define = (shop: Shop, key: string, prices: Record<string, number>, more: object = {}) =>
  shop.do('definePriceList', {
    key,
    priceList: {
      ...{ name: { en: key, ja: key }, currency: 'JPY' },
      prices: Object.entries(prices).map(([sku, price]) => ({ sku, price })),
      ...more,
    },
  })

/** What soap costs a member, as the till asks. */
async function soapFor(shop: Shop, { by: member }: TestMember, at: string | null = null) {
  const query = `query ($member: MemberBy, $at: DateTime) { priceFor(member: $member, sku: "soap", currency: "JPY", at: $at) {
    price regularPrice lowestPriorPrice changesAt priceList { key } } }`
  const { data, errors } = await shop.ask(shop.integration, query, { member, at })
  if (errors.length > 0 || data.priceFor === null) return errors[0] ?? null
  const { price, regularPrice, lowestPriorPrice, changesAt, priceList } = data.priceFor
  return [
    Number(price),
    regularPrice && Number(regularPrice),
    lowestPriorPrice && Number(lowestPriorPrice),
    changesAt,
    priceList.key,
  ]
}

test('members of the audience have its price, the others the regular one', async () => {
  const { shop, mia, aki } = await openShop()
  await define(shop, 'regular', { soap: 1000 })
  await define(shop, 'vip', { soap: 900 }, { audience: vip })
  expect(await soapFor(shop, mia)).toEqual([900, 1000, null, null, 'vip'])
  expect(await soapFor(shop, aki)).toEqual([1000, 1000, null, null, 'regular'])
})

test('the highest priority decides, then the lowest price, then the key', async () => {
  const { shop, mia } = await openShop()
  await define(shop, 'b', { soap: 800 })
  await define(shop, 'a', { soap: 800 })
  await define(shop, 'c', { soap: 801 })
  expect(await soapFor(shop, mia)).toMatchObject([800, 800, null, null, 'a'])
  await define(shop, 'd', { soap: 999 }, { priority: 1 })
  expect(await soapFor(shop, mia)).toMatchObject([999, 999, null, null, 'd'])
})

test('a list holds from its first instant to the one before its end, and both changes are told before', async () => {
  const { shop, mia } = await openShop()
  await define(shop, 'regular', { soap: 1000 })
  const window = { from: '2026-04-10T00:00:00Z', until: '2026-04-20T00:00:00Z' }
  await define(shop, 'vip', { soap: 900 }, { audience: vip, ...window })
  const [from, until] = ['2026-04-10T00:00:00.000Z', '2026-04-20T00:00:00.000Z']
  expect(await soapFor(shop, mia)).toEqual([1000, 1000, null, from, 'regular'])
  expect(await soapFor(shop, mia, from)).toEqual([900, 1000, 1000, until, 'vip'])
  expect(await soapFor(shop, mia, '2026-04-19T23:59:59.999Z')).toHaveProperty('0', 900)
  expect(await soapFor(shop, mia, until)).toHaveProperty('0', 1000)
})

test('beside a reduction stands the lowest price of the 30 days before it began', async () => {
  const { shop, mia } = await openShop()
  await define(shop, 'regular', { soap: 700 })
  await shop.clock('2026-04-05T00:00:00Z')
  await define(shop, 'regular', { soap: 1200 })
  await shop.clock('2026-04-20T00:00:00Z')
  await define(shop, 'regular', { soap: 1000 })
  await shop.clock('2026-04-25T00:00:00Z')
  await define(shop, 'regular', { soap: 900, lotion: 5 })
  expect(await soapFor(shop, mia)).toEqual([900, 900, 700, null, 'regular'])
  await define(shop, 'regular', { soap: 900, lotion: 6 }) // another version at the same price is no new price
  await shop.clock('2026-05-06T00:00:00Z')
  expect(await soapFor(shop, mia)).toEqual([900, 900, 700, null, 'regular'])
  await define(shop, 'regular', { soap: 850 }) // 700 ended on 5 April, more than 30 days ago
  expect(await soapFor(shop, mia)).toEqual([850, 850, 900, null, 'regular'])
})

test('the price of a past day is the one of the version in force then', async () => {
  const { shop, mia } = await openShop()
  await define(shop, 'regular', { soap: 700 })
  await shop.clock('2026-04-05T00:00:00Z')
  await define(shop, 'regular', { soap: 1200 })
  expect(await soapFor(shop, mia, '2026-04-04T23:59:59.999Z')).toHaveProperty('0', 700)
  expect(await soapFor(shop, mia, '2026-03-31T00:00:00Z')).toBeNull()
})

test('a member asks about itself alone', async () => {
  const { shop, mia, aki } = await openShop()
  await define(shop, 'vip', { soap: 900 }, { audience: vip })
  const query =
    'query ($member: MemberBy) { priceFor(member: $member, sku: "soap", currency: "JPY") { price } }'
  const ask = async (token: string, member: object | null) => {
    const { data, errors } = await shop.ask(token, query, { member })
    return errors[0]?.code ?? data.priceFor
  }
  expect([await ask(mia.token, null), await ask(mia.token, mia.by)]).toEqual([
    { price: '900' },
    { price: '900' },
  ])
  expect([await ask(aki.token, null), await ask(aki.token, mia.by)]).toEqual([null, null])
  expect([await ask(shop.staff, { externalId: 'nobody' }), await ask(shop.staff, null)]).toEqual([
    null,
    'BAD_INPUT',
  ])
})

test('whose membership has ended pays what everybody pays', async () => {
  const { shop, mia } = await openShop()
  await define(shop, 'regular', { soap: 1000 })
  await define(shop, 'vip', { soap: 900 }, { audience: { all: [] } })
  await shop.do('endMembership', { member: mia.by, end: 'LEFT' })
  expect(await soapFor(shop, mia)).toHaveProperty('0', 1000)
})

test('a hundred articles are as many statements as one, and keep their order', async () => {
  const { shop, mia } = await openShop()
  const all = Array.from({ length: 100 }, (_, i) => `s${i}`)
  await define(shop, 'regular', Object.fromEntries(all.map((sku, i) => [sku, i + 1])))
  await define(shop, 'vip', { s7: 3 }, { audience: vip })
  const query = 'query ($skus: [String!]!) { pricesFor(skus: $skus, currency: "JPY") { sku price } }'
  const asked = [...all].reverse()
  const { data, statements } = await shop.ask(mia.token, query, { skus: asked })
  expect(data.pricesFor.map(({ sku }: { sku: string }) => sku)).toEqual(asked)
  expect(data.pricesFor[92]).toEqual({ sku: 's7', price: '3' })
  const { statements: few } = await shop.ask(mia.token, query, { skus: ['s7'] })
  expect([statements.length, few.length]).toEqual([2, 2])
  const { errors } = await shop.ask(mia.token, query, { skus: [...all, 'one more'] })
  expect(errors).toMatchObject([{ code: 'BAD_INPUT', field: 'skus' }])
})

test.each([
  [{ from: NOW, until: NOW }, 'input.priceList.until'],
  [{ priority: 1001 }, 'input.priceList.priority'],
  [{ prices: [] }, 'input.priceList.prices'],
  [
    {
      prices: [
        { sku: 'a', price: 1 },
        { sku: 'a', price: 2 },
      ],
    },
    'input.priceList.prices',
  ],
])('a price list with %j is refused', async (more, field) => {
  const { shop } = await openShop()
  expect(await define(shop, 'x', { soap: 1 }, more)).toMatchObject({ code: 'BAD_INPUT', field })
})
