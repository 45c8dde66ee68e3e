// A draft is judged by what it would have done; one that equals the live program would have done what happened.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BACK_TEST, backTest } from '../../api/domains/insight/index.ts'
import { type Shop, testApp } from '../support/app.ts'
import { fingerprint } from '../support/fingerprint.ts'
import { documentOf, lived, type Step, step } from '../support/lived.ts'
import { RICH } from '../support/rich-program.ts'

const open = testApp({ role: 'web' })
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

/** What must have happened, so that something is told. */
const TOLD = [
  ...[
    'ADJUST',
    'CAPTURE',
    'CLAIM_REFERRAL',
    'GRANT',
    'HOLD',
    'REFUND_EARN',
    'REFUND_SPEND',
    'REJECT',
    'SPEND',
    'TRANSFER',
  ],
  ...['FULFIL_REWARD', 'HOLD', 'REDEEM_COUPON', 'REFUND_SPEND', 'RELEASE_COUPON', 'SPEND'].map(
    (kind) => `${kind} of a redemption`,
  ),
]

/** What happened at all, by the kinds of operations; those of rewards by themselves. */
async function done(shop: Shop): Promise<string[]> {
  const rows = await tenantOf(shop).query<{ what: string }>({
    text: `select distinct o.kind || case when o.outcome ? 'redemption' then ' of a redemption' else '' end as what
      from op o where own(o) and o.outcome ->> 'is' = 'done'`,
    values: [],
  })
  return rows.map(({ what }) => what)
}

const seen = {
  kinds: new Set<string>(),
  rules: new Set<string>(),
  ladders: new Set<string>(),
  offers: 0n,
  revoked: 0n,
}

it('a draft that equals the live program comes to what really happened, whatever happened', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 36, maxLength: 44, size: 'max' }),
      fc.integer({ min: 50, max: 300 }),
      async (steps, days) => {
        const shop = await lived(open, steps, RICH)
        for (const what of await done(shop)) seen.kinds.add(what)
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
    { numRuns: 2, seed: 8, endOnFailure: true },
  )
  expect(TOLD.filter((kind) => !seen.kinds.has(kind))).toEqual([])
  expect([...seen.rules].sort()).toEqual(['benefit', 'lesson', 'purchase', 'regular', 'soap'])
  expect([...seen.ladders].sort()).toEqual(['learner', 'rank'])
  expect([seen.offers > 0n, seen.revoked > 0n]).toEqual([true, true])
}, 90_000)

const bought = (hours: number, who: number, amount: number): Step => ({
  after: hours,
  what: 'buy',
  who,
  amount,
})

it('tells what a draft would have given, to whom, from its day on', async () => {
  const shop = await lived(open, [bought(1, 0, 10_000), bought(24 * 50, 0, 10_000), bought(1, 1, 5_000)])
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
  const shop = await lived(open, [bought(1, 0, 10_000), spend])
  const draft = paying(await documentOf(shop), 1_000)
  const found = await backTest(tenantOf(shop), { document: draft, days: 40, members: 100 })
  expect(found).toMatchObject({ better: 0, worse: 1, same: 2 })
  expect(found.losers).toMatchObject([{ points: { draft: 10n, actual: 100n }, difference: -90n }])
  expect(found.refused).toEqual([{ kind: 'spend', why: 'INSUFFICIENT_POINTS', count: 1 }])
})

it('leaves nothing behind, and nobody else sees any of it', async () => {
  const shop = await lived(open, [bought(1, 0, 10_000), bought(1, 1, 3_000)])
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

it('refuses a wrong draft, too long a time, too many facts, and more runs than it bears', async () => {
  const shop = await lived(open, [bought(1, 0, 10_000)])
  const query = `query ($input: BackTestInput!) { backTestProgram(input: $input) { facts } }`
  const ask = async (input: object) => (await shop.ask(shop.staff, query, { input })).errors[0]
  expect(await ask({ document: { nonsense: {} }, days: 1 })).toMatchObject({ field: 'document.nonsense' })
  expect(await ask({ document: {}, days: 401 })).toMatchObject({ code: 'BAD_INPUT', field: 'input.days' })
  const draft = { document: await documentOf(shop), days: 1, members: 10 }
  const tried = (limits: object) => backTest(tenantOf(shop), draft, { ...BACK_TEST, ...limits })
  await expect(tried({ facts: 2 })).rejects.toMatchObject({
    code: 'TOO_COSTLY',
    message: expect.stringMatching('at most 2 facts'),
  })
  await expect(tried({ milliseconds: -1 })).rejects.toMatchObject({
    code: 'TOO_COSTLY',
    message: expect.stringMatching('longer than'),
  })
  const both = await Promise.allSettled([tried({ atOnce: 1 }), tried({ atOnce: 1 })])
  expect(both).toMatchObject([{ value: { members: 3 } }, { reason: { code: 'TOO_COSTLY', retryAfter: 10 } }])
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

it('comes to the same in many slices, and cannot be kept', async () => {
  const shop = await lived(open, [bought(1, 0, 10_000), bought(24 * 50, 0, 10_000), bought(1, 1, 5_000)])
  const draft = { document: paying(await documentOf(shop), 50), days: 40, members: 100 }
  const whole = await backTest(tenantOf(shop), draft)
  expect(await backTest(tenantOf(shop), draft, { ...BACK_TEST, slice: 0 })).toEqual(whole)
  const text = `select back_test_begin('[]', '{}', now(), 10, 100)`
  await expect(tenantOf(shop).query({ text, values: [] })).rejects.toThrow(/a back-test is undone/)
})
