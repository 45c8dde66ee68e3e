import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DECLARED } from '../../api/domains/lifecycle/freshness.ts'
import {
  aliveShare,
  crossing,
  expectedPurchases,
  type FreshnessModel,
  silentShare,
} from '../../api/domains/lifecycle/numeric.ts'
import { random, simulateMember } from '../support/buyers.ts'

/** P(alive) and expected purchases of a member with age T. */
function forecast(
  model: FreshnessModel,
  { x, tx, T }: { x: number; tx: number; T: number },
  horizon: number,
) {
  const B = model.alpha + tx
  const F = silentShare(model.r + model.k * x, B, model.k, T - tx)
  return { alive: aliveShare(model, x, F), expected: expectedPurchases(model, { x, B, u: T - tx }, horizon) }
}

describe('Published answers for the CDNOW sample', () => {
  // BG/NBD differs from this model only in b: for x > 0 its b is this one's b + 1.
  const bgNbd: FreshnessModel = { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 - 1, k: 1 }

  test.each([
    { x: 2, tx: 30.43, alive: 0.72658, expected: 1.22603 },
    { x: 1, tx: 1.71, alive: 0.2121, expected: 0.20319 },
    { x: 6, tx: 35, alive: 0.83938, expected: 3.78118 },
    { x: 29, tx: 37, alive: 0.91392, expected: 18.61127 },
  ])('come out for x = $x, t_x = $tx', ({ x, tx, alive, expected }) => {
    const answer = forecast(bgNbd, { x, tx, T: 38.86 }, 39)
    expect(answer.alive).toBeCloseTo(alive, 5)
    expect(answer.expected).toBeCloseTo(expected, 5)
  })

  test.each([
    [0.1429, 0.0078],
    [1, 0.0532],
    [3, 0.1506],
    [31.8571, 1.0405],
    [32, 1.0437],
    [78, 1.8576],
  ])(
    'come out for a new customer in %d weeks, with the unrounded fit, to three digits',
    (weeks, expected) => {
      const fit: FreshnessModel = { r: 0.24259, alpha: 4.41353, a: 0.79289, b: 2.42575 - 1, k: 1 }
      const { alive, expected: E } = forecast(fit, { x: 0, tx: 0, T: 0 }, weeks)
      expect(E / alive).toBeCloseTo(expected, 3)
    },
  )

  test('come out for a new customer in 39 weeks', () => {
    const { alive, expected: E } = forecast(bgNbd, { x: 0, tx: 0, T: 0 }, 39)
    expect(E / alive).toBeCloseTo(1.19672, 5)
  })

  test('come out for the silence until half of the active members would have bought', () => {
    const mbg = { r: 0.52484, alpha: 6.18308 }
    const half = (x: number, tx: number) => crossing(mbg.r + x, mbg.alpha + tx, 1, 0.5)?.toFixed(1)
    expect([half(0, 0), half(2, 30.43), half(6, 35)]).toEqual(['17.0', '11.6', '4.6'])
  })

  test('come out for a regular buyer of groceries, fresh for long and then not', () => {
    const [A, B] = [1.3292 + 2 * 10, 2.8126 + 30]
    expect(silentShare(A, B, 2, 1)).toBeCloseTo(0.86, 2)
    expect([crossing(A, B, 2, 0.5)?.toFixed(1), crossing(A, B, 2, 0.2)?.toFixed(1)]).toEqual(['2.6', '4.8'])
  })
})

describe('Expected purchases', () => {
  const shop = fc.record({
    r: fc.double({ min: 0.1, max: 3, noNaN: true }),
    alpha: fc.double({ min: 1, max: 20, noNaN: true }),
    a: fc.double({ min: 0.1, max: 6, noNaN: true }),
    b: fc.double({ min: 0.1, max: 6, noNaN: true }),
    k: fc.constant(1),
  })
  const moderate = fc.record({
    x: fc.nat(25),
    tx: fc.integer({ min: 0, max: 60 }),
    silent: fc.integer({ min: 0, max: 40 }),
  })

  test('equal the textbook formula where that does not overflow', () => {
    fc.assert(
      fc.property(shop, moderate, fc.integer({ min: 2, max: 60 }), (model, { x, tx, silent }, horizon) => {
        fc.pre(Math.abs(model.a - 1) > 0.01)
        const T = tx + silent
        const { r, alpha, a, b } = model
        const alive = 1 / (1 + (a / (b + x)) * ((alpha + T) / (alpha + tx)) ** (r + x))
        const z = horizon / (alpha + T + horizon)
        const textbook =
          ((a + b + x) / (a - 1)) *
          (1 - (1 - z) ** (r + x) * hypergeometric(r + x, b + x + 1, a + b + x, z)) *
          alive
        const answer = forecast(model, { x, tx, T }, horizon)
        expect(Math.abs(answer.alive - alive)).toBeLessThan(1e-12)
        expect(Math.abs(answer.expected - textbook)).toBeLessThan(1e-8 * (1 + textbook))
      }),
    )
  })

  test('equal the integral over the chance of leaving, for heavy buyers and long horizons too', () => {
    fc.assert(
      fc.property(shop, fc.nat(3_000), fc.integer({ min: 1, max: 3_000 }), (model, x, horizon) => {
        const { B, u } = { B: model.alpha + 40, u: 2 }
        const active =
          expectedPurchases(model, { x, B, u }, horizon) / forecast(model, { x, tx: 40, T: 42 }, 1).alive
        fc.pre(Number.isFinite(active) && active > 0)
        const integral = overChanceOfLeaving(model, x, horizon / (B + u))
        expect(Math.abs(active / integral - 1)).toBeLessThan(1e-8)
      }),
    )
  })

  test('are the same from the sum over purchases, which larger k use, as from the closed form', () => {
    // An `a` just beyond the closed form's range takes the sum; the function is smooth there.
    const member = { x: 7, B: 40, u: 3 }
    const at = (a: number) => expectedPurchases({ ...DECLARED, a }, member, 26)
    const slope = at(20) - at(20 - 1e-6)
    expect(Math.abs(at(20 + 1e-6) - at(20) - slope)).toBeLessThan(1e-12)
  })
})

describe.each([
  { k: 1, r: 0.6, alpha: 6, a: 0.9, b: 2 },
  { k: 2, r: 1.3, alpha: 3, a: 0.5, b: 1.2 },
  { k: 4, r: 2, alpha: 1.5, a: 1, b: 3 },
])('40,000 simulated buyers with k = $k', (model) => {
  const dice = random(20_260_131 + model.k)
  const horizon = 26
  const members = Array.from({ length: 40_000 }, () =>
    simulateMember(model, { age: 20 + 40 * dice(), horizon }, dice),
  )
  const groups = Map.groupBy(members, ({ x, tx, T }) => {
    const F = silentShare(model.r + model.k * x, model.alpha + tx, model.k, T - tx)
    return `${x === 0 ? 'bought once' : x < 4 ? 'a few times' : 'often'}, ${F > 0.5 ? 'fresh' : F > 0.1 ? 'late' : 'very late'}`
  })

  test.each([...groups.keys()])('are alive and buy on as often as foretold: %s', (name) => {
    const errors = (groups.get(name) ?? []).map((member) => {
      const { alive, expected } = forecast(model, member, horizon)
      return [Number(member.isAlive) - alive, member.later - expected] as const
    })
    for (const which of [0, 1] as const) {
      const total = errors.reduce((sum, error) => sum + error[which], 0)
      const deviation = Math.sqrt(errors.reduce((sum, error) => sum + error[which] ** 2, 0))
      expect(Math.abs(total)).toBeLessThan(4 * deviation + 1e-9)
    }
  })
})

function hypergeometric(p: number, q: number, c: number, z: number): number {
  let term = 1
  let sum = 1
  for (let n = 0; n < 100_000 && term > 1e-18 * sum; n++) {
    term *= (((p + n) * (q + n)) / ((c + n) * (n + 1))) * z
    sum += term
  }
  return sum
}

/** ∫ Beta(p; a, b+x+1) · (1 − (1+ps)^−(r+x)) / p dp by the tanh-sinh rule. */
function overChanceOfLeaving({ r, a, b }: FreshnessModel, x: number, s: number): number {
  let weights = 0
  let sum = 0
  for (let i = -4_000; i <= 4_000; i++) {
    const y = i / 600
    const g = (Math.PI / 2) * Math.sinh(y)
    // p = 1/(1+e^(−2g)), so that log p and log(1−p) keep all their digits at both ends.
    const logP = -Math.log1p(Math.exp(-2 * g))
    const logNotP = -Math.log1p(Math.exp(2 * g))
    const weight = Math.exp(a * logP + (b + x + 1) * logNotP) * Math.cosh(y)
    const p = Math.exp(logP)
    if (!(weight > 0) || p === 0) continue
    weights += weight
    sum += (weight * -Math.expm1(-(r + x) * Math.log1p(p * s))) / p
  }
  return sum / weights
}
