import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { earnRulePart, labelPart } from '../../api/domains/points/index.ts'
import { publish, registerParts } from '../../api/domains/program/index.ts'
import { testDatabase } from '../support/database.ts'
import { type Ledger, openLedger } from './ledger.ts'
import { RefundModel } from './refund-model.ts'

registerParts(labelPart, earnRulePart)

const database = testDatabase()
let ledger: Ledger

const name = { en: 'Points', ja: 'ポイント' }
const limits = {
  caps: { perMember: { points: 300, per: 'MONTH' } },
  maxTimes: { times: 3, per: 'EVER' },
  budget: 100_000,
}
/** A rule of each kind, with odd fractions; each has caps, times and a budget, which a refund gives back. */
const RULES: Record<string, object> = {
  whole: { name, ...limits, on: { purchase: true }, points: { per: { minor: 7, points: 1 } } },
  line: { name, ...limits, on: { line: true }, points: { formula: 'amount / 9 + quantity' }, rounding: 'UP' },
  label: {
    name,
    ...limits,
    on: { label: 'care' },
    points: { per: { minor: 11, points: 2 } },
    currency: 'STARS',
  },
  fixed: { name, ...limits, on: { purchase: true }, points: { fixed: 13 } },
}

beforeAll(async () => {
  ledger = await openLedger(database.url)
  // Planning anew for every value takes longer than doing.
  await ledger.owner.query('set plan_cache_mode = force_generic_plan')
  await ledger.owner.query(FUNCTIONS)
  const rules = Object.entries(RULES).map(([key, rule]) => ({
    kind: 'earnRule',
    key,
    body: earnRulePart.read(rule, 'rule'),
  }))
  const label = { kind: 'label', key: 'care', body: { skus: ['soap', 'cream'] } }
  await publish(ledger.tx, [{ kind: 'earnRule', key: 'purchase', body: null }, label, ...rules], {
    actor: 'staff:test',
  })
})
afterAll(() => ledger[Symbol.asyncDispose]())

const line = fc.record({
  sku: fc.constantFrom('soap', 'cream', 'lamp'),
  quantity: fc.integer({ min: 1, max: 3 }),
  amount: fc.oneof(fc.constant(0n), fc.bigInt(1n, 700n)),
})
const refund = fc.oneof(
  fc.record({ amount: fc.bigInt(1n, 500n) }),
  fc.record({
    lines: fc.array(
      fc.record({ sku: line.map(({ sku }) => sku), quantity: fc.integer({ min: 1, max: 2 }) }),
      { minLength: 1, maxLength: 2 },
    ),
  }),
)

interface Seen {
  readonly is: string
  readonly bases: readonly { rule: string; line: string; base: string; granted: string; revoked: string }[]
}
interface Standing {
  readonly points: unknown
  readonly used: unknown
}

test('refunds in any parts take back no more than in proportion, and all of it with the last', async () => {
  let [refused, parts] = [0, 0]
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 4 }),
      fc.bigInt(-100n, 200n),
      fc.array(refund, { maxLength: 5 }),
      fc.boolean(),
      async (lines, extra, refunds, isSpent) => {
        const sum = lines.reduce((all, { amount }) => all + amount, 0n)
        const total = sum + extra < 0n ? 0n : sum + extra
        const member = await ledger.member()
        const steps = [...refunds.filter((each) => !('lines' in each) || has(lines, each.lines)), {}]
        const given = { member, total, lines, steps, spend: isSpent }
        const { rows } = await ledger.owner.query('select test_refunds($1) as seen', [jsonOf(given)])
        const seen: { before: Standing; after: Standing; steps: Seen[] } = rows[0].seen
        const model = new RefundModel(total, lines)
        for (const [i, step] of steps.entries()) {
          const isDone = model.refund(step)
          const { is, bases } = seen.steps[i] as Seen // one for each step
          expect({ i, is }).toEqual({ i, is: isDone ? 'done' : 'refund_exceeds_purchase' })
          if (isDone) parts++
          else refused++
          for (const { rule, line, base, granted, revoked } of bases) {
            const target = (BigInt(granted) * model.refunded(rule, line, BigInt(base))) / BigInt(base)
            expect({ i, rule, line, revoked }).toEqual({ i, rule, line, revoked: String(target) })
          }
        }
        expect(seen.after).toEqual(seen.before)
      },
    ),
    { numRuns: 150, seed: Number(process.env.SEED ?? 1), endOnFailure: true },
  )
  expect(Math.min(refused, parts)).toBeGreaterThan(75)
  expect(await ledger.differences()).toEqual([])
}, 60_000)

const has = (lines: readonly { sku: string }[], asked: readonly { sku: string }[]) =>
  asked.every(({ sku }) => lines.some((each) => each.sku === sku))
const jsonOf = (value: unknown) =>
  JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? String(item) : item))

/** A whole run in one round trip: a purchase that stands, another, perhaps a spend, and every refund. */
const FUNCTIONS = `
  create function test_standing(p_member uuid) returns jsonb language sql as $$
    select jsonb_build_object(
      'points', (select jsonb_agg(jsonb_build_array(w.currency, w.available + w.spent - w.debt, w.pending, w.held)
                                  order by w.currency) from wallet w where w.member_id = p_member and w.issued > 0),
      'used', (select jsonb_agg(jsonb_build_array(u.rule, u.what, u.period, u.used) order by u.rule, u.what)
               from earn_usage u where u.member_id = p_member and u.used > 0),
      'budgets', (select jsonb_agg(jsonb_build_array(b.rule, b.used) order by b.rule) from earn_budget b))
  $$;
  create function test_purchase(p_member uuid, p_order text, p_total bigint, p_lines jsonb) returns void language sql as $$
    select purchase_record('buy ' || p_order, '\\x01', p_member, null, p_order, tenant_now(current_tenant()), 'JPY',
                           p_total, p_lines, 'staff:test')
  $$;
  create function test_refunds(p_given jsonb) returns jsonb language plpgsql as $$
  declare
    v_member uuid := p_given ->> 'member';
    v_order text := gen_random_uuid();
    v_step jsonb;
    v_seen jsonb := '[]';
    v_before jsonb;
    v_outcome jsonb;
  begin
    perform test_purchase(v_member, 'kept ' || v_order, 700, '[{"sku": "soap", "quantity": 1, "amount": "600"}]');
    v_before := test_standing(v_member);
    perform test_purchase(v_member, v_order, (p_given ->> 'total')::bigint, p_given -> 'lines');
    if (p_given ->> 'spend')::boolean then
      perform points_spend('spend ' || v_order, '\\x01', v_member, null,
        (select w.available from wallet w where w.member_id = v_member and w.currency = 'POINTS'), null, 'Tea', 'test');
    end if;
    for v_step in select s from jsonb_array_elements(p_given -> 'steps') with ordinality x (s, n) order by n loop
      v_outcome := purchase_refund(gen_random_uuid()::text, '\\x01', v_order, v_step -> 'lines',
        (v_step ->> 'amount')::bigint, null, null, 'staff:test');
      v_seen := v_seen || jsonb_build_object('is', v_outcome -> 'is', 'bases', (
        select coalesce(jsonb_agg(jsonb_build_object('rule', b.rule, 'line', b.line, 'base', b.base_minor::text,
          'granted', b.granted::text, 'revoked', b.revoked::text)), '[]')
        from earn_basis b join purchase p on p.id::text = b.source_id where p.order_id = v_order));
    end loop;
    return jsonb_build_object('before', v_before, 'after', test_standing(v_member), 'steps', v_seen);
  end $$`
