import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isCurrency, majorFromMinor, minorDigits, minorFromMajor } from '../../api/platform/money.ts'

test.each([
  ['1200', 'JPY', 1200n, '1200'],
  ['1200.00', 'JPY', 1200n, '1200'],
  ['12.34', 'USD', 1234n, '12.34'],
  ['12.3', 'USD', 1230n, '12.30'],
  ['12', 'USD', 1200n, '12.00'],
  ['12.3400', 'USD', 1234n, '12.34'],
  ['0.001', 'KWD', 1n, '0.001'],
  ['-0.05', 'USD', -5n, '-0.05'],
  ['-0.00', 'USD', 0n, '0.00'],
  ['0.29', 'USD', 29n, '0.29'], // 0.29 * 100 is 28.999999999999996 in floating point
  ['92233720368547758.07', 'USD', 9223372036854775807n, '92233720368547758.07'],
])('%s %s is %s minor units', (major, currency, minor, printed) => {
  expect(minorFromMajor(major, currency)).toBe(minor)
  expect(majorFromMinor(minor, currency)).toBe(printed)
})

test.each<[major: string, currency: string, message: string]>([
  ['12.345', 'USD', 'An amount in USD has at most 2 decimals.'],
  ['0.5', 'JPY', 'An amount in JPY has no decimals.'],
  ['92233720368547758.08', 'USD', 'An amount is at most 9223372036854775807 minor units.'],
  ...['', ' 1', '1,200', '1e3', '+5', '.5', '5.', '0x10', '１２', 'NaN', '1.2.3', '--1', '$5'].map(
    (text): [string, string, string] => [
      text,
      'USD',
      'An amount is digits with at most one decimal point, such as 12.34.',
    ],
  ),
  ['1', 'ZZZ', '"ZZZ" is not a currency of ISO 4217.'],
  ['1', 'usd', '"usd" is not a currency of ISO 4217.'],
  ['1', '__proto__', '"__proto__" is not a currency of ISO 4217.'],
])('%j %s is refused', (major, currency, message) => {
  expect(() => minorFromMajor(major, currency)).toThrow(new RangeError(message))
})

test('the digits of the minor unit are those of ISO 4217', () => {
  expect(['JPY', 'KRW', 'USD', 'EUR', 'HUF', 'KWD', 'TND'].map(minorDigits)).toEqual([0, 0, 2, 2, 2, 3, 3])
  expect(isCurrency('XXX')).toBe(false)
})

test('every amount survives being printed and read, in every scale', () => {
  const currency = fc.constantFrom('JPY', 'USD', 'KWD')
  const minor = fc.bigInt({ min: -9_223_372_036_854_775_807n, max: 9_223_372_036_854_775_807n })
  fc.assert(
    fc.property(minor, currency, (amount, code) => {
      expect(minorFromMajor(majorFromMinor(amount, code), code)).toBe(amount)
    }),
    { numRuns: 1000 },
  )
})

test('reading is the same for a sum and for its parts', () => {
  const cents = fc.bigInt({ min: 0n, max: 10n ** 15n })
  fc.assert(
    fc.property(cents, cents, (a, b) => {
      const parts = [a, b].map((amount) => minorFromMajor(majorFromMinor(amount, 'USD'), 'USD'))
      expect(parts.reduce((x, y) => x + y)).toBe(minorFromMajor(majorFromMinor(a + b, 'USD'), 'USD'))
    }),
  )
})
