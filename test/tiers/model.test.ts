import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { type House, openHouse } from './house.ts'
import { type Rules, TierModel } from './model.ts'

const database = testDatabase()

const rules: fc.Arbitrary<Rules> = fc.record({
  window: fc.oneof(
    fc.constantFrom({ is: 'MONTH' } as const, { is: 'QUARTER' } as const, { is: 'EVER' } as const),
    fc.record({ is: fc.constant('ROLLING' as const), days: fc.integer({ min: 5, max: 60 }) }),
  ),
  thresholds: fc.constantFrom([0, 100, 300], [50, 100, 200], [1, 2, 250]),
  neverFalls: fc.constantFrom([false, false, false], [false, true, false], [true, false, false]),
  falls: fc.constantFrom('NEVER', 'ONE_LEVEL', 'FULL', 'FULL'),
  grace: fc.constantFrom(0, 0, 3, 45),
})

const step = fc.record({
  kind: fc.constantFrom('buy', 'buy', 'late', 'back', 'wait', 'wait'),
  amount: fc.integer({ min: 1, max: 180 }),
  hours: fc.integer({ min: 1, max: 24 * 25 }),
  which: fc.nat(),
})

const HOUR = 3_600_000
const RUNS = Number(process.env.RUNS ?? 12)

test('the engine decides as a model that looks at everything anew, over random facts, refunds and times', async () => {
  await using house = await openHouse(database.url, { start: '2025-01-10T03:00:00Z' })
  let now = Date.parse('2025-01-10T03:00:00Z')
  const seen: Record<string, number> = {}
  await fc.assert(
    fc.asyncProperty(rules, fc.array(step, { minLength: 25, maxLength: 25 }), async (given, steps) => {
      const sound = soundly(given)
      await house.define(bodyOf(sound))
      await house.settle()
      const member = await house.member()
      const model = new TierModel(sound, now)
      const bought: string[] = []
      for (const { kind, amount, hours, which } of steps) {
        if (kind === 'wait') {
          now += hours * HOUR
          await house.until(new Date(now).toISOString())
          model.take(now)
        } else if (kind === 'back') {
          const fact = model.facts[which % (model.facts.length || 1)]
          const left = fact ? fact.amount - fact.back.reduce((sum, one) => sum + one.amount, 0) : 0
          if (!fact || left === 0) continue
          const back = Math.min(amount, left)
          model.pass(now)
          fact.back.push({ at: now, amount: back })
          model.take(now)
          await house.refund(bought[model.facts.indexOf(fact)] ?? '', back)
        } else {
          const at = kind === 'late' ? now - hours * HOUR : now
          model.take(now, { at, amount, back: [] })
          bought.push(await house.buy(member, amount, new Date(at).toISOString()))
        }
        expect(await levelOf(house, member), `after ${kind}`).toBe(model.level)
        seen[kind] = (seen[kind] ?? 0) + 1
      }
      expect(await changesOf(house, member)).toEqual(model.changes)
      seen.changes = (seen.changes ?? 0) + model.changes.length
    }),
    { numRuns: RUNS, seed: Number(process.env.SEED ?? 7), endOnFailure: true },
  )
  expect(seen.changes).toBeGreaterThan(RUNS * 2)
}, 300_000)

/** Rules as they may be defined: a level at a time needs a window that ends by itself, and nobody has a grace who cannot fall. */
function soundly(given: Rules): Rules {
  const endsItself = given.window.is === 'MONTH' || given.window.is === 'QUARTER'
  const falls = endsItself ? given.falls : 'FULL'
  return { ...given, falls, grace: falls === 'NEVER' ? 0 : given.grace }
}

const KEYS = ['one', 'two', 'three']

function bodyOf({ window, thresholds, neverFalls, falls, grace }: Rules): object {
  return {
    tiers: KEYS.map((key, i) => ({
      key,
      name: { en: key, ja: key },
      threshold: thresholds[i],
      neverFalls: neverFalls[i],
    })),
    measure: { spend: { currency: 'JPY' } },
    window:
      window.is === 'ROLLING'
        ? { rolling: { days: window.days } }
        : window.is === 'EVER'
          ? { ever: true }
          : { calendar: window.is },
    falls,
    ...(grace > 0 && { grace: { days: grace } }),
  }
}

async function levelOf(house: House, member: string): Promise<number> {
  const { rows } = await house.owner.query('select level from tier_standing where member_id = $1', [member])
  return rows[0]?.level
}

async function changesOf(house: House, member: string): Promise<string[]> {
  const text = `select coalesce(array_position('{one,two,three}', to_tier), 0) as level, at from tier_decision
    where member_id = $1 and from_tier is distinct from to_tier order by n`
  const { rows } = await house.owner.query(text, [member])
  return rows.map(({ level, at }) => `${level} ${at.toISOString()}`)
}
