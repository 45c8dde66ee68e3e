import { randomUUID } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-10T00:00:00.000Z'
const name = { en: 'Purchase', ja: 'お買い物' }
const per100 = { per: { minor: 100, points: 1 } }

async function begin(rules: Record<string, object> = {}) {
  const shop = await open({ testClock: NOW })
  for (const [key, rule] of Object.entries(rules)) await define(shop, key, rule)
  return { shop, mia: await shop.member('mia', { locale: 'en' }) }
}

const define = (shop: Shop, key: string, rule: object) =>
  shop.do('defineEarnRule', { key, rule: { name, on: { purchase: true }, points: per100, ...rule } })

const buy = (shop: Shop, { by: member }: TestMember, purchase: object = {}) =>
  shop.do(
    'recordPurchase',
    { member, orderId: randomUUID(), purchasedAt: NOW, currency: 'JPY', total: 1000, ...purchase },
    {
      select:
        'purchase { orderId earning { rule line why points cuts { by points } granted returned } } transaction { points reason }',
    },
  )

async function postings(shop: Shop, { token }: TestMember, currency = 'POINTS') {
  const query = `query ($currency: String) { viewer { member { wallet(currency: $currency) { available pending
    postings(first: 5) { nodes { from to explanation
      cause { rule version name base multipliers points granted cuts { by points } } } } } } } }`
  const { data, errors } = await shop.ask(token, query, { currency })
  expect(errors).toEqual([])
  return data.viewer.member.wallet
}

describe('a cap for each member', () => {
  const cap = { caps: { perMember: { points: 15, per: 'MONTH' } } }

  it('cuts what is over it, and says so to the member, in the member’s language', async () => {
    const { shop, mia } = await begin({ purchase: cap })
    const aki = await shop.member('aki')
    for (const member of [mia, aki]) await buy(shop, member)
    for (const member of [mia, aki])
      expect(await buy(shop, member)).toMatchObject({ transaction: { points: '5' } })
    const [last] = (await postings(shop, mia)).postings.nodes
    expect(last).toEqual({
      ...{ from: 'ISSUE', to: 'AVAILABLE' },
      explanation:
        '5 points issue → available: Purchase, by the rule purchase (version 2), of 10 points by the rule, 5 were over the limit for each member, good until 2027-04-30.',
      cause: {
        ...{ rule: 'purchase', version: 2, name: 'お買い物', base: '1000', multipliers: [] },
        ...{ points: '10', granted: '5', cuts: [{ by: 'CAP', points: '5' }] },
      },
    })
    expect((await postings(shop, aki)).postings.nodes[0].explanation).toBe(
      '5ポイント 発行 → 利用可能：お買い物、ルールpurchase（第2版）による、ルールでは10ポイント、会員ごとの上限で5ポイント減、2027-04-30まで有効。',
    )
  })

  it('holds against twenty purchases at once, and a refund makes room again', async () => {
    const { shop, mia } = await begin({ purchase: cap })
    const bought = await Promise.all(Array.from({ length: 20 }, () => buy(shop, mia)))
    const granted = bought.map(({ purchase }) => BigInt(purchase.earning[0].granted))
    expect(granted.toSorted().reverse().slice(0, 3)).toEqual([5n, 10n, 0n].toSorted().reverse())
    expect((await postings(shop, mia)).available).toBe('15')
    const whole = bought.find(({ purchase }) => purchase.earning[0].granted === '10')
    await shop.do('refundPurchase', { orderId: whole.purchase.orderId })
    expect(await buy(shop, mia)).toMatchObject({ transaction: { points: '10' } })
    expect((await buy(shop, mia)).purchase.earning).toMatchObject([
      { why: 'CAP', points: '10', granted: '0' },
    ])
  })
})

it('a limit of times and a cooldown hold against twenty purchases at once', async () => {
  const { shop, mia } = await begin({
    purchase: { maxTimes: { times: 3, per: 'DAY' } },
    daily: { cooldown: 'P1D', points: { fixed: 100 } },
  })
  await Promise.all(Array.from({ length: 20 }, () => buy(shop, mia)))
  expect((await postings(shop, mia)).available).toBe('130')
})

it('a budget is spent to the last point by members who come at once, and never beyond', async () => {
  const { shop } = await begin({ purchase: { budget: 55 } })
  const members = await Promise.all(Array.from({ length: 10 }, (_, i) => shop.member(`m${i}`)))
  const bought = await Promise.all(members.flatMap((member) => [buy(shop, member), buy(shop, member)]))
  const granted = bought.map(({ purchase }) => purchase.earning[0].granted).toSorted()
  expect(granted).toEqual([...Array(14).fill('0'), ...Array(5).fill('10'), '5'])
  const { data } = await shop.ask(shop.staff, '{ earnRules { key version budget budgetUsed } }')
  expect(data.earnRules).toContainEqual({ key: 'purchase', version: 2, budget: '55', budgetUsed: '55' })
})

it('a purchase tells what each rule gave, and why others gave nothing', async () => {
  const { shop, mia } = await begin({
    vip: { audience: { attribute: { name: 'vip', equals: true } }, group: 'main', order: -1 },
    purchase: { group: 'main', match: 'FIRST', multipliers: [{ by: '1.5' }] },
    lines: { on: { line: true }, points: { formula: 'floor(amount / 100) + quantity' } },
    care: { on: { label: 'care' }, points: { fixed: 7 } },
    spring: { window: { until: '2026-04-01T00:00:00Z' } },
    stars: { currency: 'STARS', points: { fixed: 2 } },
  })
  await shop.do('defineProductLabel', { key: 'care', label: { skus: ['soap'] } })
  const lines = [
    { sku: 'soap', quantity: 2, amount: 350 },
    { sku: 'lamp', amount: 650 },
  ]
  const { purchase, transaction } = await buy(shop, mia, { lines })
  const gave = (points: string) => ({ why: null, points, cuts: [], granted: points, returned: '0' })
  const none = { points: '0', cuts: [], granted: '0', returned: '0' }
  expect(purchase.earning).toEqual([
    { rule: 'vip', line: null, why: 'AUDIENCE', ...none },
    { rule: 'care', line: null, ...gave('7') },
    { rule: 'lines', line: 1, ...gave('5') },
    { rule: 'lines', line: 2, ...gave('7') },
    { rule: 'purchase', line: null, ...gave('15') },
    { rule: 'spring', line: null, why: 'WINDOW', ...none },
    { rule: 'stars', line: null, ...gave('2') },
  ])
  expect(transaction.points).toBe('34')
  expect((await postings(shop, mia, 'STARS')).available).toBe('2')
  expect(
    (await postings(shop, mia)).postings.nodes.map(({ cause }: { cause: object }) => cause),
  ).toMatchObject(
    // The last of the transaction comes first.
    [
      { rule: 'purchase', multipliers: ['1.5'] },
      { rule: 'lines', base: '650' },
      { rule: 'lines', base: '350' },
      { rule: 'care', base: '350' },
    ],
  )
  expect((await postings(shop, mia)).postings.nodes[0].explanation).toContain(
    'by the rule purchase (version 2), multiplied by 1.5, good until',
  )
  const { data } = await shop.ask(
    mia.token,
    `{ purchase(orderId: "${purchase.orderId}") { earning { rule granted } } }`,
  )
  expect(data.purchase.earning).toHaveLength(7)
})

it('a plain rule explains itself, too, and keeps the version that it had', async () => {
  const { shop, mia } = await begin()
  const { purchase } = await buy(shop, mia)
  await define(shop, 'purchase', { points: { fixed: 3 } })
  await shop.do('refundPurchase', { orderId: purchase.orderId, amount: 150 })
  const query = `{ purchase(orderId: "${purchase.orderId}") { earning { rule version why base points granted returned } } }`
  expect((await shop.ask(mia.token, query)).data.purchase.earning).toEqual([
    { rule: 'purchase', version: 1, why: null, base: '1000', points: '10', granted: '10', returned: '1' },
  ])
})

it('points pending for a time are spendable after it, and live from then', async () => {
  const { shop, mia } = await begin({
    purchase: { pending: { for: 'P14D' }, expiry: { rolling: { months: 1, endOf: 'MONTH' } } },
  })
  await buy(shop, mia)
  expect(await postings(shop, mia)).toMatchObject({ available: '0', pending: '10' })
  await shop.clock('2026-04-24T00:00:00.000Z')
  expect(await postings(shop, mia)).toMatchObject({ available: '10', pending: '0' })
  await shop.clock('2026-05-31T15:00:00.000Z')
  expect(await postings(shop, mia)).toMatchObject({ available: '0', pending: '0' })
})

it('points of a sliding policy live on with each purchase, and die without one', async () => {
  const { shop, mia } = await begin({ purchase: { expiry: { sliding: { months: 1 } } } })
  await buy(shop, mia)
  await shop.clock('2026-05-05T00:00:00.000Z')
  await buy(shop, mia, { purchasedAt: '2026-05-05T00:00:00.000Z' })
  await shop.clock('2026-06-05T14:59:59.999Z')
  expect(await postings(shop, mia)).toMatchObject({ available: '20' })
  await shop.clock('2026-06-05T15:00:00.000Z')
  expect(await postings(shop, mia)).toMatchObject({ available: '0' })
})

test.each([
  ['rule.points', { points: { fixed: 1, formula: '1' } }],
  ['rule.points.formula', { points: { formula: 'total +' } }],
  ['rule.points.formula', { points: { formula: 'price / 2' } }],
  ['rule.points.formula', { on: { stage: 'customer' }, points: { formula: 'total' } }],
  ['rule.on', { on: { purchase: true, line: true } }],
  ['rule.multipliers.0.by', { multipliers: [{ by: '-1' }] }],
  ['rule.multipliers.0.when.nonsense', { multipliers: [{ by: '2', when: { nonsense: 1 } }] }],
  ['rule.window', { window: { from: NOW, until: NOW } }],
  ['rule.group', { match: 'FIRST' }],
  ['rule.maxTimes.times', { maxTimes: { times: 0, per: 'DAY' } }],
  ['rule.expiry', { expiry: {} }],
])('a rule with a wrong %s is refused by that name', async (field, part) => {
  const { earnRulePart } = await import('../../api/domains/points/index.ts')
  const read = () => earnRulePart.read({ name, on: { purchase: true }, points: per100, ...part }, 'rule')
  const at = field.replace('.nonsense', '')
  expect(read).toThrowError(expect.objectContaining({ code: 'BAD_INPUT', field: at }))
})

// The table of docs/loyalty.md.
test.each([
  ['19', {}],
  ['20', { rounding: 'UP' }],
  ['29', { multipliers: [{ by: '1.5' }] }],
  ['19', { on: { line: true } }], // 12 + 7
  ['24', { on: { label: 'care' }, points: { formula: 'amount / 100 * quantity' } }],
  ['25', { points: { formula: 'min(floor(total / 500) * 10, 25)' } }],
  [undefined, { points: { formula: '100 / (quantity - 3)' } }],
])('two soaps and a lamp earn %s by %j', async (points, rule) => {
  const { shop, mia } = await begin({ purchase: rule })
  await shop.do('defineProductLabel', { key: 'care', label: { skus: ['soap', 'cream'] } })
  const lines = [
    { sku: 'soap', quantity: 2, amount: 1200 },
    { sku: 'lamp', amount: 790 },
  ]
  const { transaction } = await buy(shop, mia, { total: 1990, lines })
  expect(transaction?.points).toBe(points)
})

it('an imported purchase earns as a recorded one does, by every rule', async () => {
  const { importPurchases } = await import('../../api/domains/purchases/index.ts')
  const { shop, mia } = await begin({
    purchase: { multipliers: [{ by: '1.5' }], caps: { perMember: { points: 25, per: 'MONTH' } } },
    lines: { on: { line: true }, points: { fixed: 2 } },
  })
  const lines = [{ sku: 'soap', quantity: 1, amount: 1000n }]
  const row = (line: number) => ({
    ...{ line, externalId: 'aki', orderId: `o-${line}`, purchasedAt: NOW, isLocal: false },
    ...{ currency: 'JPY', total: 1000n, lines },
  })
  const report = { actor: 'operator:test', rejected: () => {}, committed: () => {} }
  const client = shop.ground.app.db.tenant(shop.tenant.id)
  await importPurchases(
    client,
    (async function* () {
      yield row(1)
      yield row(2)
    })(),
    report,
  )
  for (const orderId of ['o-3', 'o-4']) {
    await buy(shop, mia, { orderId, lines: [{ sku: 'soap', quantity: 1, amount: 1000 }] })
  }
  const earned = async (orderId: string) => {
    const query = `{ purchase(orderId: "${orderId}") { earning { rule line points granted cuts { by points } } } }`
    return (await shop.ask(shop.staff, query)).data.purchase.earning
  }
  expect(await earned('o-1')).toEqual(await earned('o-3'))
  expect(await earned('o-2')).toEqual(await earned('o-4'))
  expect(await earned('o-2')).toMatchObject([
    { rule: 'lines', line: 1, granted: '2' },
    { rule: 'purchase', points: '15', granted: '10', cuts: [{ by: 'CAP', points: '5' }] },
  ])
})
