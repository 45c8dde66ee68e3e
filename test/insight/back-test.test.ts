// A draft is judged by what it would have done; one that equals the live program would have done what happened.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { backTest } from '../../api/domains/insight/index.ts'
import { decodeId } from '../../api/graph/ids.ts'
import { type Shop, testApp } from '../support/app.ts'
import { fingerprint } from '../support/fingerprint.ts'

const open = testApp({ role: 'web' })
const BEGIN = '2026-01-01T00:00:00Z'

/** Something that may happen; `after` is in hours since what happened before. */
const step = fc.record({
  after: fc.integer({ min: 1, max: 24 * 14 }),
  what: fc.constantFrom(
    'buy',
    'buy',
    'buy',
    'refund',
    'grant',
    'spend',
    'receive',
    'receive',
    'move',
    'learn',
    'learn',
    'learn',
  ),
  who: fc.integer({ min: 0, max: 2 }),
  amount: fc.integer({ min: 1, max: 30_000 }),
})

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const at = (hours: number) => new Date(Date.parse(BEGIN) + hours * 3_600_000).toISOString()

/** Caps, multipliers, audiences, expiry, tiers and an offer that adds up. */
const RICH = {
  earnRules: {
    purchase: {
      name: { en: 'Purchase', ja: 'お買い物' },
      on: { purchase: true },
      points: { per: { minor: 100, points: 1 } },
      multipliers: [
        { by: '1.5', when: { purchases: { atLeast: 3 } } },
        { by: '2', when: { activity: { name: 'lesson.finished', atLeast: 2, within: 'P30D' } } },
      ],
      caps: { perMember: { points: 250, per: 'MONTH' } },
      expiry: { rolling: { days: 60 } },
    },
    soap: {
      name: { en: 'Soap', ja: '石けん' },
      on: { line: true },
      points: { per: { minor: 1000, points: 1 } },
      audience: { stage: ['customer', 'repeat'] },
      maxTimes: { times: 3, per: 'MONTH' },
      pending: { for: 'P14D' },
    },
    lesson: {
      name: { en: 'Lesson', ja: 'レッスン' },
      on: { activity: 'lesson.finished' },
      points: { fixed: 30 },
      caps: { perMember: { points: 70, per: 'MONTH' } },
    },
    regular: {
      name: { en: 'Regular', ja: '常連' },
      on: { stage: 'repeat' },
      points: { fixed: 55 },
      pending: { event: 'lesson.finished', cancelAfter: 'P30D' },
    },
  },
  tierLadders: {
    rank: {
      measure: { pointsEarned: { currency: 'POINTS' } },
      window: { rolling: { days: 90 } },
      falls: 'FULL',
      tiers: [
        { key: 'silver', name: { en: 'Silver', ja: '銀' }, threshold: '100' },
        { key: 'gold', name: { en: 'Gold', ja: '金' }, threshold: '400' },
      ],
    },
    learner: {
      measure: { activities: { name: 'lesson.finished' } },
      window: { rolling: { days: 30 } },
      falls: 'FULL',
      tiers: [{ key: 'eager', name: { en: 'Eager', ja: '熱心' }, threshold: '2' }],
    },
  },
  offers: {
    spend: {
      name: { en: 'Spend', ja: 'まとめ買い' },
      type: 'SPEND_TOTAL',
      threshold: '15000',
      currency: 'JPY',
      validFor: 'P60D',
      howGiven: 'RECEIVED',
      benefits: [{ points: { amount: '77' } }],
    },
  },
}

async function receive(shop: Shop, member: string | undefined, receipt: string): Promise<void> {
  await tenantOf(shop).query({
    text: `select offer_receive($1, '', $2, null, 'spend', $1, null, 'RECEIVED', 'staff:anna')`,
    values: [receipt, decodeId(member ?? '', 'id').id],
  })
}

/** A shop with three members to whom all this happened. */
async function lived(steps: readonly Step[], program?: object): Promise<Shop> {
  const shop = await open({ testClock: BEGIN })
  if (program) {
    const document = { ...(await documentOf(shop)), ...program }
    expect(await shop.do('importProgram', { document })).toHaveProperty('program')
  }
  const members = [await shop.member('a'), await shop.member('b'), await shop.member('c')]
  let hours = 0
  const orders: string[] = []
  for (const [n, { after, what, who, amount }] of steps.entries()) {
    hours += after
    await shop.clock(at(hours))
    const member = members[who]?.by
    if (what === 'buy') {
      const lines = [
        { sku: 'soap', quantity: 2, amount: Math.floor(amount / 3) },
        { sku: 'tea', quantity: 1, amount: amount - Math.floor(amount / 3) },
      ]
      const bought = { orderId: `o-${n}`, purchasedAt: at(hours), currency: 'JPY', total: amount, lines }
      await shop.do('recordPurchase', { member, ...bought })
      orders.push(bought.orderId)
    } else if (what === 'refund') {
      const orderId = orders[amount % Math.max(1, orders.length)] ?? 'none'
      const part = [{ amount: 1 + (amount % 500) }, { lines: [{ sku: 'soap', quantity: 1 }] }, {}][amount % 3]
      await shop.do('refundPurchase', { orderId, ...part })
    } else if (what === 'learn') {
      const lesson = { name: 'lesson.finished', key: `l-${n}`, properties: { minutes: amount } }
      await shop.do('recordActivity', { member, ...lesson })
    } else if (what === 'grant') await shop.do('grantPoints', { member, points: amount, reason: 'Gift' })
    else if (what === 'receive') await receive(shop, members[who]?.id, `r-${n}`)
    else if (what === 'move') {
      await shop.do('moveMember', { member, stage: 'negotiation', reason: 'Asked' })
    } else await shop.do('spendPoints', { member, points: 1 + (amount % 50), reason: 'Soap' })
  }
  await shop.clock(at(hours + 24 * 30))
  return shop
}

const documentOf = async (shop: Shop) =>
  (await shop.ask(shop.staff, '{ program { document } }')).data.program.document

const tenantOf = (shop: Shop) => shop.ground.app.db.tenant(shop.tenant.id)

interface Earning {
  readonly earnRules: Record<string, { points: { per: { minor: string; points: string } } }>
}

/** The same program with the rule for purchases changed. */
function paying(document: Earning, minor: number): object {
  const { purchase } = document.earnRules
  return {
    ...document,
    earnRules: { ...document.earnRules, purchase: { ...purchase, points: { per: { minor, points: 1 } } } },
  }
}

const seen = { rules: new Set<string>(), ladders: new Set<string>(), offers: 0n, revoked: 0n }

it('a draft that equals the live program comes to what really happened, whatever happened', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 12, maxLength: 24 }),
      fc.integer({ min: 50, max: 300 }),
      async (steps, days) => {
        const shop = await lived(steps, RICH)
        const document = await documentOf(shop)
        const found = await backTest(tenantOf(shop), { document, days, members: 100 })
        for (const { rule, granted, revoked } of found.rules) {
          seen.rules.add(rule)
          seen.revoked += revoked.actual
          expect([granted.draft, revoked.draft]).toEqual([granted.actual, revoked.actual])
        }
        for (const { outstanding, cost } of found.currencies) {
          expect([outstanding.draft, cost.draft]).toEqual([outstanding.actual, cost.actual])
        }
        for (const { ladder, moves } of found.tiers) {
          seen.ladders.add(ladder)
          expect(moves.draft).toBe(moves.actual)
        }
        for (const { completions } of found.offers) {
          seen.offers += completions.actual
          expect(completions.draft).toBe(completions.actual)
        }
        expect(found).toMatchObject({ members: 3, same: 3, better: 0, worse: 0, refused: [], notTold: [] })
      },
    ),
    { numRuns: 4, seed: 4, endOnFailure: true },
  )
  expect([...seen.rules].sort()).toEqual(['benefit', 'lesson', 'purchase', 'regular', 'soap'])
  expect([...seen.ladders].sort()).toEqual(['learner', 'rank'])
  expect([seen.offers > 0n, seen.revoked > 0n]).toEqual([true, true])
})

const bought = (hours: number, who: number, amount: number): Step => ({
  after: hours,
  what: 'buy',
  who,
  amount,
})

it('tells what a draft would have given, to whom, from its day on', async () => {
  const shop = await lived([bought(1, 0, 10_000), bought(24 * 50, 0, 10_000), bought(1, 1, 5_000)])
  const document = await documentOf(shop)
  // The clock stands 30 days after the last purchase.
  const found = await backTest(tenantOf(shop), { document: paying(document, 50), days: 40, members: 100 })
  expect(found.rules).toEqual([
    {
      currency: 'POINTS',
      rule: 'purchase',
      granted: { draft: 300n, actual: 150n },
      revoked: { draft: 0n, actual: 0n },
    },
  ])
  expect(found.currencies).toMatchObject([{ outstanding: { draft: 400n, actual: 250n } }])
  expect(found).toMatchObject({ better: 2, worse: 0, same: 1, facts: 6 + (await versions(shop)) })
  expect(found.winners.map(({ difference }) => difference)).toEqual([100n, 50n])
  expect(found.deciles).toEqual([0n, 0n, 0n, 50n, 50n, 50n, 50n, 50n, 100n, 100n, 100n])
})

async function versions(shop: Shop): Promise<number> {
  return (await shop.ask(shop.staff, '{ program { version } }')).data.program.version
}

it('tells who would lose, and what could not have been done', async () => {
  const spend: Step = { after: 1, what: 'spend', who: 0, amount: 49 }
  const shop = await lived([bought(1, 0, 10_000), spend])
  const draft = paying(await documentOf(shop), 1_000)
  const found = await backTest(tenantOf(shop), { document: draft, days: 40, members: 100 })
  expect(found).toMatchObject({ better: 0, worse: 1, same: 2 })
  expect(found.losers).toMatchObject([{ points: { draft: 10n, actual: 100n }, difference: -90n }])
  expect(found.refused).toEqual([{ kind: 'spend', why: 'INSUFFICIENT_POINTS', count: 1 }])
})

it('leaves nothing behind, and nobody else sees any of it', async () => {
  const shop = await lived([bought(1, 0, 10_000), bought(1, 1, 3_000)])
  const before = await fingerprint(shop.ground.databaseUrl)
  const query = `query ($document: JSON!) { backTestProgram(input: {document: $document, days: 400}) {
    facts rules { rule granted { draft actual } } winners { member { externalId } difference } } }`
  const document = paying(await documentOf(shop), 50)
  const { data } = await shop.ask(shop.staff, query, { document })
  expect(data.backTestProgram.rules).toEqual([{ rule: 'purchase', granted: { draft: '260', actual: '130' } }])
  expect(data.backTestProgram.winners).toMatchObject([
    { member: { externalId: 'a' } },
    { member: { externalId: 'b' } },
  ])
  expect(await fingerprint(shop.ground.databaseUrl)).toEqual(before)
})

it('refuses a wrong draft, too long a time, and too many facts', async () => {
  const shop = await lived([bought(1, 0, 10_000)])
  const query = `query ($input: BackTestInput!) { backTestProgram(input: $input) { facts } }`
  const ask = async (input: object) => (await shop.ask(shop.staff, query, { input })).errors[0]
  expect(await ask({ document: { nonsense: {} }, days: 1 })).toMatchObject({ field: 'document.nonsense' })
  expect(await ask({ document: {}, days: 401 })).toMatchObject({ code: 'BAD_INPUT', field: 'input.days' })
  const told = await tenantOf(shop).query<{ told: object }>({
    text: `select back_test('[]', '{}', now(), 100, 2) as told`,
    values: [],
  })
  expect(told[0]?.told).toMatchObject({ is: 'too_many' })
})

it('tells imported purchases in the order of their days, whenever they were imported', async () => {
  const shop = await open({ testClock: '2026-06-01T00:00:00Z' })
  const rows = ['05-20', '03-01', '05-25'].map((day, n) => ({
    ...{ line: n + 1, external_id: 'mia', order_id: `i-${n}`, purchased_at: `2026-${day}T00:00:00Z` },
    ...{ is_local: false, currency: 'JPY', total: 1_000, lines: [] },
  }))
  const text = `select purchase_import($1::jsonb, 'operator:import')`
  await tenantOf(shop).query({ text, values: [JSON.stringify(rows)] })
  await shop.clock('2026-06-02T00:00:00Z')
  const draft = paying(await documentOf(shop), 50)
  const found = await backTest(tenantOf(shop), { document: draft, days: 30, members: 10 })
  expect(found.rules).toMatchObject([{ rule: 'purchase', granted: { draft: 40n, actual: 20n } }])
  expect(found.currencies).toMatchObject([{ outstanding: { draft: 50n, actual: 30n } }])
})
