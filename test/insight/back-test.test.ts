// A draft is judged by what it would have done; one that equals the live program would have done what happened.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { backTest } from '../../api/domains/insight/index.ts'
import { type Shop, testApp } from '../support/app.ts'
import { fingerprint } from '../support/fingerprint.ts'

const open = testApp({ role: 'web' })
const BEGIN = '2026-01-01T00:00:00Z'

/** Something that may happen; `after` is in hours since what happened before. */
const step = fc.record({
  after: fc.integer({ min: 1, max: 24 * 40 }),
  what: fc.constantFrom('buy', 'buy', 'buy', 'refund', 'grant', 'spend'),
  who: fc.integer({ min: 0, max: 2 }),
  amount: fc.integer({ min: 1, max: 30_000 }),
})

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const at = (hours: number) => new Date(Date.parse(BEGIN) + hours * 3_600_000).toISOString()

/** A shop with three members to whom all this happened. */
async function lived(steps: readonly Step[]): Promise<Shop> {
  const shop = await open({ testClock: BEGIN })
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
    } else if (what === 'grant') await shop.do('grantPoints', { member, points: amount, reason: 'Gift' })
    else await shop.do('spendPoints', { member, points: 1 + (amount % 50), reason: 'Soap' })
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

it('a draft that equals the live program comes to what really happened, whatever happened', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 8, maxLength: 16 }),
      fc.integer({ min: 1, max: 400 }),
      async (steps, days) => {
        const shop = await lived(steps)
        const document = await documentOf(shop)
        const found = await backTest(tenantOf(shop), { document, days, members: 100 })
        for (const { granted, revoked } of found.rules) {
          expect([granted.draft, revoked.draft]).toEqual([granted.actual, revoked.actual])
        }
        for (const { outstanding, cost } of found.currencies) {
          expect([outstanding.draft, cost.draft]).toEqual([outstanding.actual, cost.actual])
        }
        for (const { moves } of found.tiers) expect(moves.draft).toBe(moves.actual)
        expect(found).toMatchObject({ members: 3, same: 3, better: 0, worse: 0, refused: [], notTold: [] })
      },
    ),
    { numRuns: 5, seed: 4 },
  )
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
