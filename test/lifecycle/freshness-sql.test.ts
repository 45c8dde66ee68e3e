import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  BANDS,
  bandAt,
  crossingAt,
  DEFAULT_EDGES,
  type Rhythm,
  WEEK,
} from '../../api/domains/lifecycle/freshness.ts'
import { aliveShare, crossing, expectedPurchases, silentShare } from '../../api/domains/lifecycle/numeric.ts'
import { testDatabase } from '../support/database.ts'

const database = testDatabase()
let client: pg.Client
beforeAll(async () => {
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query('set role engawa_app')
})
afterAll(() => client.end())

// Doubles of fast-check crowd around zero; half of these spread evenly.
const number = (min: number, max: number) =>
  fc.oneof(
    fc.double({ min, max, noNaN: true }),
    fc.nat(1_000_000).map((part) => min + ((max - min) * part) / 1_000_000),
  )
const anyCase = fc.record({
  r: number(0.05, 10),
  alpha: number(0.1, 100),
  a: fc.oneof(number(0.05, 3), number(0.05, 40), fc.constantFrom(1, 1 + 1e-12, 1 - 1e-9)),
  b: number(0.05, 40),
  k: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 6 })),
  x: fc.oneof(fc.nat(10), fc.nat(100)),
  tx: number(0, 300),
  u: fc.oneof(number(0, 200), fc.constantFrom(0, 5e-324, 1e-9, 1e5)),
  horizon: fc.oneof(number(0, 60), fc.constantFrom(5e-324, 1e-10, 200)),
  edge: fc.oneof(number(0.01, 0.99), fc.constantFrom(...DEFAULT_EDGES)),
})

test('SQL and TypeScript agree to 1e-9 on freshness, P(alive), crossings and expected purchases', async () => {
  const cases = fc.sample(anyCase, 1_000)
  const { rows } = await client.query(
    `with given as (select * from jsonb_to_recordset($1::jsonb) c (r float8, alpha float8, a float8, b float8,
       k int, x int, tx float8, u float8, horizon float8, edge float8))
     select s.score, freshness_alive(a, b, x, s.score) as alive,
       freshness_crossing(r + k * x, alpha + tx, k, edge) as crossing,
       freshness_expected(r, alpha, a, b, k, x, tx, tx + u, horizon) as expected
     from given, lateral (select freshness_score(r + k * x, alpha + tx, k, u) as score) s`,
    [JSON.stringify(cases)],
  )
  for (const [i, c] of cases.entries()) {
    const [A, B] = [c.r + c.k * c.x, c.alpha + c.tx]
    const score = silentShare(A, B, c.k, c.u)
    // SQL is given the age, of which the silence is only a difference.
    const member = { x: c.x, B, u: c.tx + c.u - c.tx }
    agree(c, rows[i].score, score)
    agree(c, rows[i].alive, aliveShare(c, c.x, score))
    agree(c, rows[i].crossing, crossing(A, B, c.k, c.edge))
    agree(c, rows[i].expected, expectedPurchases(c, member, c.horizon))
  }
})

const anyRhythm = fc.record({
  A: number(0.3, 100),
  B: number(1, 300),
  k: fc.integer({ min: 1, max: 4 }),
  lastAt: fc.date({ min: new Date('1990-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
  weeks: number(0, 400),
})

test('SQL and TypeScript name the same crossing instants, to a millisecond, and the same bands', async () => {
  const rhythms = fc.sample(anyRhythm, 1_000)
  // A purchase may carry microseconds; a Date sees milliseconds.
  const { rows } = await client.query(
    `select crossing, freshness_band_at(l.at, "A", "B", k, $2, crossing) as band_then,
       freshness_band_at(l.at, "A", "B", k, $2, crossing - interval '1 microsecond') as band_before,
       freshness_band_at(l.at, "A", "B", k, $2, l.at + weeks * interval '604800 seconds') as band
     from jsonb_to_recordset($1::jsonb) r ("A" float8, "B" float8, k int, "lastAt" timestamptz, weeks float8),
       lateral (select "lastAt" + interval '456 microseconds' as at) l,
       lateral (select freshness_crossing_at(l.at, "A", "B", k, 0.5) as crossing) c`,
    [JSON.stringify(rhythms), DEFAULT_EDGES],
  )
  for (const [i, { weeks, ...rhythm }] of rhythms.entries()) {
    const crossedAt = crossingAt(rhythm, 0.5)?.getTime() ?? Number.NaN
    expect(Math.abs(rows[i].crossing.getTime() - crossedAt)).toBeLessThanOrEqual(1)
    expect([rows[i].band_before, rows[i].band_then]).toEqual(['FRESH', 'COOLING'])
    expect(rows[i].band).toBe(bandAt(rhythm, new Date(rhythm.lastAt.getTime() + weeks * WEEK)))
  }
})

test('A band in SQL begins at its edge', async () => {
  const scores = [1, 0.51, 0.5, 0.21, 0.2, 0.06, 0.05, 0]
  const { rows } = await client.query('select freshness_band(s) as band from unnest($1::float8[]) s', [
    scores,
  ])
  expect(rows.map(({ band }) => BANDS.indexOf(band))).toEqual([0, 0, 1, 1, 2, 2, 3, 3])
})

test('A crossing that never comes is null, without an error', async () => {
  const never: Rhythm = { A: 0.001, B: 6, k: 1, lastAt: new Date() }
  const { rows } = await client.query('select freshness_crossing_at($1, $2, $3, $4, 0.05) as at', [
    never.lastAt,
    never.A,
    never.B,
    never.k,
  ])
  expect(rows).toEqual([{ at: null }])
  expect(crossingAt(never, 0.05)).toBeNull()
})

function agree(given: object, inSql: number | null, inCode: number | null): void {
  const error =
    inSql === null || inCode === null
      ? Number(inSql !== inCode)
      : Math.abs(inSql - inCode) / Math.max(1, Math.abs(inCode))
  expect(error, JSON.stringify(given)).toBeLessThanOrEqual(1e-9)
}
