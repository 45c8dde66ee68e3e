import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { registerPredicates } from '../../api/domains/audiences/index.ts'
import { attributePredicate } from '../../api/domains/members/index.ts'
import { earnRulePart, labelPart } from '../../api/domains/points/index.ts'
import { publish, registerParts } from '../../api/domains/program/index.ts'
import { testDatabase } from '../support/database.ts'
import { computed, EarnModel, type ModelEarning, type ModelPurchase, type ModelRule } from './earn-model.ts'
import { day, type Ledger, openLedger } from './ledger.ts'

registerPredicates(attributePredicate)
registerParts(labelPart, earnRulePart)

const database = testDatabase()
let ledger: Ledger
const members = { vip: '', guest: '' }

const LABELS = { care: ['soap', 'cream'], home: ['lamp'] }
const isVip = { attribute: { name: 'vip', equals: true } }
const by = { actor: 'staff:test' }
const seed = Number(process.env.SEED ?? 1)

beforeAll(async () => {
  ledger = await openLedger(database.url)
  await ledger.setClock(day(30))
  await ledger.owner.query('set plan_cache_mode = force_generic_plan')
  await ledger.owner.query(TEST_BUY)
  const labels = Object.entries(LABELS).map(([key, skus]) => ({ kind: 'label', key, body: { skus } }))
  await publish(ledger.tx, [{ kind: 'earnRule', key: 'purchase', body: null }, ...labels], by)
})
afterAll(() => ledger[Symbol.asyncDispose]())

const formula = fc
  .letrec<{ formula: string }>((tie) => ({
    formula: fc.oneof(
      { depthSize: 'medium', withCrossShrink: true },
      fc.constantFrom('total', 'amount', 'quantity', '0', '1', '3', '100', '0.25'),
      fc
        .tuple(tie('formula'), fc.constantFrom(' + ', '-', '*', ' / '), tie('formula'))
        .map(([a, sign, b]) => `${a}${sign}${b}`),
      tie('formula').map((a) => `(${a})`),
      tie('formula').map((a) => `-${a}`),
      fc.tuple(fc.constantFrom('floor', 'ceil', 'round'), tie('formula')).map(([f, a]) => `${f}(${a})`),
      fc
        .tuple(fc.constantFrom('min', 'max'), fc.array(tie('formula'), { minLength: 1, maxLength: 3 }))
        .map(([f, all]) => `${f}(${all.join(', ')})`),
    ),
  }))
  .formula.filter((text) => text.length <= 200)

test('a formula is computed exactly, as by another reader of it', async () => {
  const facts = { total: 12_345n, amount: 999n, quantity: 7n }
  const given = fc.sample(formula, { numRuns: 2_000, seed })
  const { rows } = await ledger.owner.query(
    `select f.num, f.den from unnest($1::text[]) with ordinality t (formula, n)
     cross join lateral earn_formula(earn_formula_compile(t.formula), $2) f order by t.n`,
    [given, { total: 12_345, amount: 999, quantity: 7 }],
  )
  const zeros = rows.filter(({ num }) => num === null).length
  expect(zeros).toBeGreaterThan(20)
  expect(zeros).toBeLessThan(1_000)
  for (const [i, text] of given.entries()) {
    const exact = computed(text, facts)
    const { num, den } = rows[i]
    // Both as whole numbers: the database may keep decimals in a numerator.
    const isSame = exact === null ? num === null : scaled(num) * exact[1] === exact[0] * scaled(den)
    expect({ text, num, den, isSame }).toMatchObject({ isSame: true })
  }
})

test.each([
  ['DOWN', [0, 1, 1, 2, 2, 3]],
  ['UP', [1, 1, 2, 2, 3, 3]],
  ['HALF_UP', [1, 1, 2, 2, 3, 3]],
  ['HALF_EVEN', [0, 1, 2, 2, 2, 3]],
])('halves are rounded %s', async (mode, expected) => {
  const text = 'select earn_round(n, 2, $1)::int as points from generate_series(1, 6) n order by n'
  const { rows } = await ledger.owner.query(text, [mode])
  expect(rows.map(({ points }) => points)).toEqual(expected)
})

const PLACES = 200
/** A decimal as a whole number of very small parts. */
function scaled(text: string): bigint {
  const [whole = '', part = ''] = text.split('.')
  return BigInt(whole + part.padEnd(PLACES, '0'))
}

const period = fc.constantFrom('DAY' as const, 'EVER' as const)
const digits = (most: number) => fc.integer({ min: 1, max: most }).map(String)
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { freq: 2 })

const rule: fc.Arbitrary<Omit<ModelRule, 'key'>> = fc.record({
  on: fc.constantFrom(
    { purchase: true as const },
    { line: true as const },
    { label: 'care' },
    { label: 'home' },
  ),
  points: fc.oneof(
    digits(20).map((fixed) => ({ fixed })),
    fc.record({ minor: digits(150), points: digits(3) }).map((per) => ({ per })),
    formula.map((text) => ({ formula: text })),
  ),
  multipliers: fc.array(
    fc.record({ by: fc.constantFrom('0.5', '1.5', '2', '1.1', '0.3333'), vip: fc.boolean() }),
    { maxLength: 2 },
  ),
  rounding: fc.constantFrom('DOWN', 'UP', 'HALF_UP', 'HALF_EVEN'),
  isForVips: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
  window: fc.option(fc.constantFrom([0, 2] as const, [1, 3] as const), { freq: 4 }),
  cap: maybe(fc.record({ points: fc.bigInt(1n, 60n), per: period })),
  cooldownDays: fc.option(fc.integer({ min: 1, max: 2 }), { freq: 4 }),
  maxTimes: fc.option(fc.record({ times: fc.integer({ min: 1, max: 2 }), per: period }), { freq: 4 }),
  budget: maybe(fc.bigInt(1n, 90n)),
  group: maybe(fc.constantFrom('a', 'b')),
  match: fc.constantFrom('FIRST', 'ALL'),
  order: fc.integer({ min: 0, max: 2 }),
})

const purchase: fc.Arbitrary<ModelPurchase> = fc.record({
  member: fc.constantFrom('vip', 'guest'),
  day: fc.integer({ min: 0, max: 3 }),
  total: fc.oneof(
    fc.bigInt(0n, 2_000n),
    fc.constantFrom(0n, 9_007_199_254_740_993n, 5_000_000_000_000_000_000n),
  ),
  lines: fc.array(
    fc.record({
      sku: fc.constantFrom('soap', 'cream', 'lamp', 'book'),
      quantity: fc.bigInt(1n, 3n),
      amount: fc.bigInt(0n, 900n),
    }),
    { maxLength: 4 },
  ),
})

/** What was seen of each reason, so that the search is known to have found them all. */
const seen = new Map<string, number>()

test('rules give what an independent model gives, over random rules and purchases', async () => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(rule, { minLength: 1, maxLength: 5 }),
      fc.array(purchase, { minLength: 4, maxLength: 8 }),
      async (drawn, purchases) => {
        run++
        const rules = drawn.map((each, i) => ({ ...each, key: `r${run}-${i}` }))
        ;[members.vip, members.guest] = (await ledger.members(2)) as [string, string]
        await ledger.owner.query(`update member set attributes = '{"vip": true}' where id = $1`, [
          members.vip,
        ])
        await publish(ledger.tx, rules.map(entryOf), by)
        await buy(purchases)
        const model = new EarnModel(rules, LABELS)
        const expected = purchases.map((bought) => model.buy(bought))
        expect(await earnings(purchases.length)).toEqual(expected)
        for (const { why } of expected.flat()) seen.set(`${why}`, (seen.get(`${why}`) ?? 0) + 1)
        await publish(
          ledger.tx,
          rules.map(({ key }) => ({ kind: 'earnRule', key, body: null })),
          by,
        )
      },
    ),
    { numRuns: 100, seed, endOnFailure: true },
  )
  expect([...seen.keys()].sort()).toEqual([
    ...['AUDIENCE', 'BUDGET', 'CAP', 'COOLDOWN', 'DIVISION_BY_ZERO', 'FIRST_MATCH', 'MAX_TIMES'],
    ...['OVERFLOW', 'TOO_LITTLE', 'WINDOW', 'null'],
  ])
  expect(await ledger.differences()).toEqual([])
}, 60_000)

function entryOf({ key, isForVips, window, cap, cooldownDays, group, match, ...rule }: ModelRule) {
  const given = {
    ...{
      name: { en: key, ja: key },
      on: rule.on,
      points: rule.points,
      rounding: rule.rounding,
      order: rule.order,
    },
    multipliers: rule.multipliers.map(({ by, vip }) => ({ by, ...(vip && { when: isVip }) })),
    audience: isForVips ? isVip : null,
    window: window && { from: day(window[0]), until: day(window[1]) },
    caps: cap && { perMember: { points: cap.points, per: cap.per } },
    cooldown: cooldownDays && `P${cooldownDays}D`,
    maxTimes: rule.maxTimes,
    budget: rule.budget,
    ...(group && { group, match }),
  }
  return { kind: 'earnRule', key, body: earnRulePart.read(given, 'rule') }
}

/** What recording a purchase does for earning, without the stages and touches, in one round trip. */
async function buy(purchases: readonly ModelPurchase[]): Promise<void> {
  const given = purchases.map((bought) => ({
    member: members[bought.member],
    at: day(bought.day),
    total: String(bought.total),
    lines: bought.lines.map((line) => ({
      ...line,
      quantity: String(line.quantity),
      amount: String(line.amount),
    })),
  }))
  await ledger.owner.query(
    'select test_buy(p) from jsonb_array_elements($1) with ordinality x (p, n) order by n',
    [JSON.stringify(given)],
  )
}

const TEST_BUY = `
  create function test_buy(p_bought jsonb) returns void language plpgsql as $$
  declare
    v_purchase purchase;
  begin
    insert into purchase (tenant_id, id, member_id, order_id, purchased_at, currency, total)
    values (current_tenant(), uuid_v7(), (p_bought ->> 'member')::uuid, gen_random_uuid()::text,
            (p_bought ->> 'at')::timestamptz, 'JPY', (p_bought ->> 'total')::bigint)
    returning * into v_purchase;
    perform member_lock(v_purchase.member_id);
    perform earn(purchase_fact(v_purchase, p_bought -> 'lines', null, 'test ' || v_purchase.id), 'staff:test');
  end $$`

/** What the database keeps of the last purchases, with the lots that stand behind it. */
async function earnings(count: number): Promise<ModelEarning[][]> {
  const { rows } = await ledger.owner.query(
    `select p.id, e.rule, e.line, e.points, e.cut_cap as cap, e.cut_budget as budget,
            coalesce((select l.granted from lot l where l.source_type = e.source_type and l.source_id = e.source_id
                      and l.line = e.line and l.rule = e.rule), 0) as granted, e.why
     from (select id from purchase order by id desc limit $1) p
     left join earning e on e.source_type = 'purchase' and e.source_id = p.id::text
     left join earn_rule r on r.key = e.rule and r.version = e.version
     order by p.id, r.position, e.rule, length(e.line), e.line`,
    [count],
  )
  const byPurchase = Map.groupBy(rows, ({ id }) => id)
  return [...byPurchase.values()].map((of) =>
    of.filter(({ rule }) => rule !== null).map(({ id: _, ...earning }) => earning),
  )
}
