import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  aliveProbability,
  bandAt,
  crossingAt,
  DECLARED,
  DEFAULT_EDGES,
  expectedPurchases,
  freshnessAt,
  nextBandAt,
  type Rhythm,
  rhythmOf,
  WEEK,
} from '../../api/domains/lifecycle/freshness.ts'
import {
  aliveShare,
  crossing,
  expectedPurchases as expected,
  silentShare,
} from '../../api/domains/lifecycle/numeric.ts'

// Doubles of fast-check crowd around zero; half of these spread evenly.
const number = (min: number, max: number) =>
  fc.oneof(
    fc.double({ min, max, noNaN: true }),
    fc.nat(1_000_000).map((part) => min + ((max - min) * part) / 1_000_000),
  )
const anyModel = fc.record({
  r: number(0.05, 10),
  alpha: number(0.1, 100),
  a: number(0.05, 40),
  b: number(0.05, 40),
  k: fc.integer({ min: 1, max: 6 }),
})
const anyMember = fc.record({ x: fc.nat(500), B: number(0.1, 1_000), u: number(0, 1_000) })
const anyRhythm = fc.record({
  A: number(0.05, 30_000),
  B: number(0.1, 1_000),
  k: fc.integer({ min: 1, max: 6 }),
})
const registered = new Date('2026-01-31T12:00:00.123Z')
const rhythm = fc
  .record({ A: number(0.3, 300), B: number(1, 500), k: fc.integer({ min: 1, max: 6 }) })
  .map((r): Rhythm => ({ ...r, lastAt: registered }))
const later = (from: Date, ms: number) => new Date(from.getTime() + ms)

describe('Freshness', () => {
  test('lies between 0 and 1 for every rhythm and silence', () => {
    fc.assert(
      fc.property(anyRhythm, number(0, 1e6), ({ A, B, k }, u) => {
        const F = silentShare(A, B, k, u)
        expect(F >= 0 && F <= 1).toBe(true)
      }),
    )
  })

  test('is 1 at the purchase, and before it', () => {
    fc.assert(
      fc.property(rhythm, fc.nat(1e9), (r, ms) => {
        expect(freshnessAt(r, r.lastAt)).toBe(1)
        expect(freshnessAt(r, later(r.lastAt, -ms))).toBe(1)
      }),
    )
  })

  test('never rises between events', () => {
    fc.assert(
      fc.property(anyRhythm, number(0, 1e4), number(0, 1e4), ({ A, B, k }, u, more) => {
        expect(silentShare(A, B, k, u + more)).toBeLessThanOrEqual(silentShare(A, B, k, u) * (1 + 1e-12))
      }),
    )
  })

  test('is never lowered by a response, which rewinds a share of the silence', () => {
    fc.assert(
      fc.property(anyRhythm, number(0, 1e4), number(0, 1), ({ A, B, k }, u, share) => {
        expect(silentShare(A, B, k, (1 - share) * u)).toBeGreaterThanOrEqual(
          silentShare(A, B, k, u) * (1 - 1e-12),
        )
      }),
    )
  })

  test('is lower for a faster cadence after equal silence', () => {
    fc.assert(
      fc.property(anyModel, anyMember, fc.integer({ min: 1, max: 100 }), ({ r, k }, { x, B, u }, more) => {
        const slow = silentShare(r + k * x, B, k, u)
        expect(silentShare(r + k * (x + more), B, k, u)).toBeLessThanOrEqual(slow * (1 + 1e-12))
      }),
    )
  })

  test('is higher for regular buyers until the gap is due, and lower long after', () => {
    const gapsOfTwoWeeks = { x: 20, firstAt: registered, lastAt: later(registered, 40 * WEEK) }
    const silentFor = (k: number, weeks: number) => {
      const r = rhythmOf({ ...DECLARED, k }, gapsOfTwoWeeks)
      return freshnessAt(r, later(r.lastAt, weeks * WEEK))
    }
    expect(silentFor(3, 1)).toBeGreaterThan(silentFor(1, 1))
    expect(silentFor(3, 6)).toBeLessThan(silentFor(1, 6))
  })

  test('runs from registration with x = 0 before the first purchase', () => {
    const r = rhythmOf(DECLARED, { x: 0, firstAt: registered, lastAt: registered })
    expect(r).toEqual({ A: 0.525, B: 6.18, k: 1, lastAt: registered })
    expect(freshnessAt(r, later(registered, 6.18 * WEEK))).toBeCloseTo(2 ** -0.525, 9)
  })

  test('gives the same answer to the same events, whenever it is asked', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(1e12), fc.nat(1e12), (x, gap, silence) => {
        const facts = { x, firstAt: registered, lastAt: later(registered, gap) }
        const ask = () =>
          freshnessAt(rhythmOf(DECLARED, structuredClone(facts)), later(facts.lastAt, silence))
        expect(ask()).toBe(ask())
      }),
    )
  })
})

describe('The chance of being alive', () => {
  test('is F / (F + a/(b+x)) to 1e-12', () => {
    fc.assert(
      fc.property(anyModel, anyMember, (model, { x, B, u }) => {
        const F = silentShare(model.r + model.k * x, B, model.k, u)
        const logOdds = Math.log(F) - Math.log(model.a / (model.b + x))
        expect(Math.abs(aliveShare(model, x, F) - 1 / (1 + Math.exp(-logOdds)))).toBeLessThan(1e-12)
      }),
    )
  })

  test('lets a buyer leave after the very first purchase', () => {
    const once = { ...rhythmOf(DECLARED, { x: 0, firstAt: registered, lastAt: registered }), x: 0 }
    expect(aliveProbability(DECLARED, once, registered)).toBeCloseTo(1.614 / (1.614 + 0.891), 12)
    expect(aliveProbability(DECLARED, once, later(registered, 520 * WEEK))).toBeLessThan(0.16)
  })
})

describe('Expected purchases', () => {
  test('are finite, not negative, and no more than an active member could make', () => {
    fc.assert(
      fc.property(anyModel, anyMember, number(0, 1e5), (model, member, horizon) => {
        const E = expected(model, member, horizon)
        const phases = model.r + model.k * (member.x + 1)
        expect(Number.isFinite(E) && E >= 0).toBe(true)
        expect(E).toBeLessThanOrEqual((phases * horizon) / (member.B + member.u) + 1e-9)
      }),
      { numRuns: 60 },
    )
  })

  test('never fall when the horizon grows', () => {
    fc.assert(
      fc.property(anyModel, anyMember, number(0, 500), number(0, 500), (model, member, horizon, more) => {
        const near = expected(model, member, horizon)
        expect(expected(model, member, horizon + more)).toBeGreaterThanOrEqual(near * (1 - 1e-9))
      }),
    )
  })

  test('are nothing within no time', () => {
    const member = { ...rhythmOf(DECLARED, { x: 9, firstAt: registered, lastAt: registered }), x: 9 }
    for (const weeks of [0, -1]) {
      expect(expectedPurchases(DECLARED, member, { at: registered, weeks })).toBe(0)
    }
  })

  test('pass through a = 1 without a step', () => {
    fc.assert(
      fc.property(anyMember, number(0.1, 500), ({ x, B, u }, horizon) => {
        const at = (a: number) => expected({ ...DECLARED, a }, { x, B, u }, horizon)
        for (const step of [1e-15, 1e-12, 1e-9, 1e-7]) {
          expect(Math.abs(at(1 + step) - at(1))).toBeLessThanOrEqual(1e-6 * at(1))
          expect(Math.abs(at(1 - step) - at(1))).toBeLessThanOrEqual(1e-6 * at(1))
        }
      }),
    )
  })

  test('are finite for a heavy buyer, where the textbook form is not a number', () => {
    const weekly = { x: 2_000, B: 6.18 + 300, u: 0.1 }
    expect(expected(DECLARED, weekly, 13)).toBeCloseTo(83.278, 3)
    expect(expected(DECLARED, weekly, 1e9)).toBeGreaterThan(expected(DECLARED, weekly, 5_000))
  })
})

describe('A crossing', () => {
  test('solves F = edge to 1e-9', () => {
    fc.assert(
      fc.property(anyRhythm, number(0.01, 0.99), ({ A, B, k }, edge) => {
        const weeks = crossing(A, B, k, edge)
        if (weeks !== null) expect(Math.abs(silentShare(A, B, k, weeks) - edge)).toBeLessThan(1e-9)
        else expect(silentShare(A, B, k, 100_000)).toBeGreaterThan(edge * (1 - 1e-9))
      }),
    )
  })

  test('is the instant at which the next band begins, and the last one ends a millisecond before', () => {
    fc.assert(
      fc.property(rhythm, (r) => {
        const visited = []
        for (let at = nextBandAt(r, r.lastAt); at; at = nextBandAt(r, at)) {
          expect(bandAt(r, later(at, -1))).toBe(visited.at(-1) ?? 'FRESH')
          expect(nextBandAt(r, later(at, -1))).toEqual(at)
          visited.push(bandAt(r, at))
        }
        expect(visited).toEqual(['COOLING', 'STALE', 'COLD'].slice(0, visited.length))
        expect(bandAt(r, r.lastAt)).toBe('FRESH')
      }),
    )
  })

  test('is the first millisecond at which freshness has fallen to the edge', () => {
    fc.assert(
      fc.property(rhythm, fc.constantFrom(...DEFAULT_EDGES), (r, edge) => {
        const at = crossingAt(r, edge)
        if (!at) return
        expect(freshnessAt(r, at)).toBeLessThanOrEqual(edge * (1 + 1e-13))
        expect(freshnessAt(r, later(at, -1))).toBeGreaterThanOrEqual(edge * (1 - 1e-13))
      }),
      { numRuns: 300 },
    )
  })

  test('of the declared model comes after 17.0, 126.4 and 1,852.2 weeks for a member who bought once', () => {
    const r = rhythmOf(DECLARED, { x: 0, firstAt: registered, lastAt: registered })
    const weeks = DEFAULT_EDGES.map(
      (edge) => ((crossingAt(r, edge)?.getTime() ?? 0) - registered.getTime()) / WEEK,
    )
    expect(weeks.map((w) => w.toFixed(1))).toEqual(['17.0', '126.4', '1852.2'])
  })

  test('beyond 100,000 weeks counts as never', () => {
    const slow: Rhythm = { A: 0.05, B: 6.18, k: 1, lastAt: registered }
    expect(crossingAt(slow, 0.05)).toBeNull()
    expect(nextBandAt(slow, later(registered, 1_900_000 * WEEK))).toBeNull()
  })
})
