import fc from 'fast-check'
import { type GraphQLScalarType, parseValue } from 'graphql'
import { expect, test } from 'vitest'
import {
  CurrencyCode,
  Cursor,
  DateTime,
  Duration,
  durationParts,
  Json,
  LocalDate,
  Minor,
  Points,
  TimeZone,
} from '../../api/graph/scalars.ts'

const literal = (scalar: GraphQLScalarType, text: string) => scalar.parseLiteral(parseValue(text), {})
const bigint64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })

test('points come back as they went out, all 64 bits of them, as text, number or literal', () => {
  fc.assert(
    fc.property(bigint64, (points) => {
      const text = Points.serialize(points)
      expect(text).toBe(points.toString())
      expect(Points.parseValue(text)).toBe(points)
      expect(literal(Points, `"${points}"`)).toBe(points)
      expect(literal(Points, `${points}`)).toBe(points)
    }),
  )
  fc.assert(
    fc.property(fc.maxSafeInteger(), (n) => {
      expect(Minor.parseValue(n)).toBe(BigInt(n))
    }),
  )
})

test.each([
  ['1.5'],
  [1.5],
  ['1e3'],
  ['0x10'],
  ['007'],
  ['+1'],
  ['-0'],
  [''],
  [' 1'],
  ['1 '],
  [2 ** 53],
  [Number.NaN],
  ['9223372036854775808'],
  ['-9223372036854775809'],
  ['9'.repeat(100)],
  [true],
  [null],
  [[1]],
  [{}],
  ['１'],
])('%j is no number of points', (value) => {
  expect(() => Points.parseValue(value)).toThrow(
    'Points must be a whole number of points within 64 bits, as a decimal string or an integer.',
  )
})

test('an instant comes back as it went out, in UTC with milliseconds', () => {
  const instants = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  })
  fc.assert(
    fc.property(instants, (date) => {
      const text = DateTime.serialize(date)
      expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      expect(DateTime.parseValue(text)).toEqual(date)
    }),
  )
})

test.each([
  ['2026-04-01T09:00:00+09:00', '2026-04-01T00:00:00.000Z'],
  ['2026-04-01t00:00:00z', '2026-04-01T00:00:00.000Z'],
  ['2026-04-01T00:00:00.123456Z', '2026-04-01T00:00:00.123Z'],
  ['2024-02-29T23:59:59-11:30', '2024-03-01T11:29:59.000Z'],
])('%s is the instant %s', (text, utc) => {
  expect(DateTime.serialize(DateTime.parseValue(text))).toBe(utc)
})

test.each([
  ['2026-04-01'],
  ['2026-04-01T00:00:00'],
  ['2026-02-30T00:00:00Z'],
  ['2025-02-29T00:00:00Z'],
  ['2026-04-01T24:00:00Z'],
  ['2026-04-01T00:00:60Z'],
  ['2026-04-01T00:00Z'],
  ['2026-04-01 00:00:00Z'],
  ['+012026-04-01T00:00:00Z'],
  ['0000-01-01T00:00:00Z'],
  ['2026-04-01T00:00:00+25:00'],
  [1_775_000_000],
  ['now'],
  [''],
  [null],
  [{}],
])('%j is no instant', (value) => {
  expect(() => DateTime.parseValue(value)).toThrow('DateTime must be an instant of RFC 3339')
})

test.each([['2026-02-30'], ['2026-13-01'], ['2026-4-1'], ['20260401'], ['0000-01-01'], [20260401]])(
  '%j is no day',
  (value) => {
    expect(() => LocalDate.parseValue(value)).toThrow('LocalDate must be a day that exists')
  },
)

test.each([
  ['P30D', { months: 0, days: 30, milliseconds: 0 }],
  ['P1Y6M', { months: 18, days: 0, milliseconds: 0 }],
  ['P2W', { months: 0, days: 14, milliseconds: 0 }],
  ['PT15M', { months: 0, days: 0, milliseconds: 900_000 }],
  ['P1DT1H0.5S', { months: 0, days: 1, milliseconds: 3_600_500 }],
  ['P100Y', { months: 1_200, days: 0, milliseconds: 0 }],
])('%s is a length of time', (text, parts) => {
  expect(Duration.parseValue(text)).toBe(text)
  expect(durationParts(text)).toEqual(parts)
})

test.each([
  ['P'],
  ['PT'],
  ['P1DT'],
  ['-P1D'],
  ['P-1D'],
  ['1D'],
  ['P1.5D'],
  ['P101Y'],
  ['PT9999999999S'],
  ['P1H'],
  ['p1d'],
  [30],
  [''],
])('%j is no length of time', (value) => {
  expect(() => Duration.parseValue(value)).toThrow('Duration must be a length of time in ISO 8601')
})

test('a time zone is one of the database, in its spelling', () => {
  expect(TimeZone.parseValue('Asia/Tokyo')).toBe('Asia/Tokyo')
  expect(TimeZone.parseValue('asia/tokyo')).toBe('Asia/Tokyo')
  expect(TimeZone.parseValue('UTC')).toBe('UTC')
  for (const zone of ['+09:00', 'Mars/Base', '../etc/passwd', 'Asia/Tokyo; drop', '', 9]) {
    expect(() => TimeZone.parseValue(zone)).toThrow('TimeZone must be a time zone of the IANA database')
  }
})

test('a currency is one of ISO 4217, in capitals', () => {
  expect(CurrencyCode.parseValue('JPY')).toBe('JPY')
  for (const code of ['jpy', 'XXY', 'YEN', 'JPYY', '', 392]) {
    expect(() => CurrencyCode.parseValue(code)).toThrow('CurrencyCode must be a currency code of ISO 4217')
  }
})

test('a cursor is text that could be ours', () => {
  expect(Cursor.parseValue('AbC_-9')).toBe('AbC_-9')
  for (const cursor of ['', 'a b', 'ä', 'x'.repeat(201), 7])
    expect(() => Cursor.parseValue(cursor)).toThrow('Cursor must be')
})

test('JSON comes back as it went in', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 10, noUnicodeString: false }), (value) => {
      fc.pre(!JSON.stringify(value).includes('__proto__'))
      expect(Json.parseValue(JSON.parse(JSON.stringify(value)))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
  expect(literal(Json, '{ a: [1, 2.5, "x", true, null], b: { c: ENUM } }')).toEqual({
    a: [1, 2.5, 'x', true, null],
    b: { c: 'ENUM' },
  })
})

test('JSON that would harm is refused', () => {
  expect(() => Json.parseValue(JSON.parse('{"a":{"__proto__":{"isAdmin":true}}}'))).toThrow('__proto__')
  expect(() => literal(Json, '{ __proto__: { a: 1 } }')).toThrow('__proto__')
  expect(() => Json.parseValue(JSON.parse(`${'['.repeat(18)}${']'.repeat(18)}`))).toThrow('at most 16 levels')
  expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined()
})

test('what is not of a scalar is never given out', () => {
  expect(() => Points.serialize(1.5)).toThrow('a number was given out as Points')
  expect(() => DateTime.serialize(new Date(Number.NaN))).toThrow('given out as DateTime')
  expect(() => Duration.serialize('30 days')).toThrow('given out as Duration')
})
