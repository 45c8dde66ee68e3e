import { beforeAll, expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { makeTask } from '../support/world.ts'

const open = testApp({ role: 'web' })
let shop: Shop
beforeAll(async () => {
  shop = await open({ testClock: '2026-06-15T00:00:00Z' })
  for (const [name, purchases] of Object.entries(BOUGHT)) {
    const { by } = await shop.member(name)
    for (const [i, [purchasedAt, total]] of purchases.entries()) {
      const order = { member: by, orderId: `${name} ${i}`, purchasedAt, currency: 'JPY', total }
      await shop.do('recordPurchase', order)
    }
  }
  await shop.do('refundPurchase', { orderId: 'aki 1', amount: 1_000 })
  await shop.do('refundPurchase', { orderId: 'ume 0' })
})

/** Who bought when, and for how much. */
const BOUGHT: Record<string, readonly (readonly [string, number])[]> = {
  aki: [
    ['2026-01-31T15:00:00Z', 8_000], // 1 February in Tokyo
    ['2026-06-10T00:00:00Z', 2_000],
  ],
  emi: [['2026-01-31T14:59:59Z', 500]],
  ken: [
    ['2026-06-01T00:00:00Z', 300],
    ['2026-06-02T00:00:00Z', 200],
  ],
  leo: [['2026-06-03T00:00:00Z', 100]],
  ume: [['2026-06-04T00:00:00Z', 9_999]],
}
const asked = async (query: string) => {
  const { data, errors } = await shop.ask(shop.staff, query)
  expect(errors).toEqual([])
  return data
}
const june = 'from: "2026-06-01T00:00:00Z", until: "2026-07-01T00:00:00Z"'

test('the best fifth of the customers is told with what it brings, and with a threshold', async () => {
  const facts = 'customers revenue topCustomers topRevenue shareBasisPoints threshold'
  const { fifth, half, none } = await asked(`{
    fifth: revenueConcentration(currency: "JPY") { ${facts} }
    half: revenueConcentration(currency: "JPY", topShareBasisPoints: 5000, from: "2026-06-01T00:00:00Z") { ${facts} }
    none: revenueConcentration(currency: "USD") { ${facts} } }`)
  expect(fifth).toEqual({
    ...{ customers: 4, revenue: '10100', topCustomers: 1, topRevenue: '9000' },
    ...{ shareBasisPoints: 8910, threshold: '9000' },
  })
  expect(half).toEqual({
    ...{ customers: 3, revenue: '1600', topCustomers: 2, topRevenue: '1500' },
    ...{ shareBasisPoints: 9375, threshold: '500' },
  })
  expect(none).toMatchObject({ customers: 0, revenue: '0', shareBasisPoints: null, threshold: null })
})

test("a member's lifetime value is its purchases less refunds, in all or lately, in one statement for a page", async () => {
  const value = '{ revenue refunded purchases firstPurchaseAt }'
  const query = `{ members(orderBy: OLDEST) { nodes { externalId
    all: lifetimeValue(currency: "JPY") ${value} lately: lifetimeValue(currency: "JPY", within: "P30D") ${value} } } }`
  const { data, statements } = await shop.ask(shop.staff, query)
  const of = (name: string) =>
    data.members.nodes.find((each: { externalId: string }) => each.externalId === name)
  expect(of('aki').all).toEqual({
    ...{ revenue: '9000', refunded: '1000', purchases: 2, firstPurchaseAt: '2026-01-31T15:00:00.000Z' },
  })
  expect(of('aki').lately).toMatchObject({ revenue: '1000', refunded: '1000', purchases: 1 })
  expect(of('ume').all).toEqual({ revenue: '0', refunded: '9999', purchases: 0, firstPurchaseAt: null })
  expect(statements.filter((text) => text.includes('from purchase p'))).toHaveLength(2)
})

test("cohorts go by the month of the first purchase on the tenant's calendar", async () => {
  const { lifetimeValueByCohort: cohorts } = await asked(
    '{ lifetimeValueByCohort(currency: "JPY") { month members revenue purchases revenuePerMember } }',
  )
  expect(cohorts).toEqual([
    { month: '2026-06-01', members: 2, revenue: '600', purchases: 3, revenuePerMember: '300' },
    { month: '2026-02-01', members: 1, revenue: '9000', purchases: 2, revenuePerMember: '9000' },
    { month: '2026-01-01', members: 1, revenue: '500', purchases: 1, revenuePerMember: '500' },
  ])
})

test('what it cost to win a member stands beside what it cost to keep one', async () => {
  const cost = (purpose: string, amount: number, more: object = {}) =>
    shop.do('recordCost', { purpose, measure: 'Letters', amount, currency: 'JPY', ...more })
  await cost('ACQUISITION', 5_001)
  await cost('ACQUISITION', 777, { at: '2026-05-31T23:59:59Z' })
  await cost('RETENTION', 1_200)
  await cost('RETENTION', -200)
  const { memberCosts } = await asked(`{ memberCosts(currency: "JPY", ${june}) {
    acquisitionCost newMembers costPerNewMember retentionCost keptMembers costPerKeptMember } }`)
  expect(memberCosts).toEqual({
    ...{ acquisitionCost: '5001', newMembers: 2, costPerNewMember: '2500' },
    ...{ retentionCost: '1000', keptMembers: 1, costPerKeptMember: '1000' },
  })
})

test('serving a member costs what was recorded for it and what its tasks cost', async () => {
  const member = { externalId: 'leo' }
  const task = await makeTask(shop, member)
  await shop.do('completeTask', { task, outcome: 'DONE', cost: { amount: 300, currency: 'JPY' } })
  await shop.do('recordCost', { purpose: 'SERVICE', measure: 'Parcel', amount: 450, currency: 'JPY', member })
  const { member: leo } = await asked(
    '{ member(by: {externalId: "leo"}) { jpy: costToServe(currency: "JPY") usd: costToServe(currency: "USD") } }',
  )
  expect(leo).toEqual({ jpy: '750', usd: '0' })
  expect(
    await shop.do('recordCost', { purpose: 'SERVICE', measure: 'Parcel', amount: 450, currency: 'JPY' }),
  ).toMatchObject({ code: 'BAD_INPUT', field: 'input.member' })
})

test('a member is entitled to the highest level of support whose audience it is in', async () => {
  const define = (key: string, rank: number, answeredWithin: string, audience?: object) =>
    shop.do('defineSupportLevel', {
      key,
      level: { name: { en: key, ja: key }, rank, answeredWithin, ...(audience && { audience }) },
    })
  await define('everybody', 0, 'P3D')
  await define('regulars', 10, 'PT4H', { purchases: { atLeast: 2 } })
  const { members, supportLevels } = await asked(
    '{ supportLevels { key } members(orderBy: OLDEST, first: 3) { nodes { supportLevel { key answeredWithin } } } }',
  )
  expect(supportLevels.map(({ key }: { key: string }) => key)).toEqual(['regulars', 'everybody'])
  expect(members.nodes.map((each: { supportLevel: { key: string } }) => each.supportLevel.key)).toEqual([
    ...['regulars', 'everybody', 'regulars'],
  ])
})
