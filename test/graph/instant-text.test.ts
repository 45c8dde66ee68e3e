import fc from 'fast-check'
import { expect, test } from 'vitest'
import { instantText } from '../../api/graph/instant-text.ts'

test('an instant is written as toISOString writes it, to the last millisecond of any year', () => {
  fc.assert(fc.property(fc.date({ noInvalidDate: true }), (date) => instantText(date) === date.toISOString()))
  for (const edge of [
    -62_167_219_200_001, -62_167_219_200_000, -1, 0, 951_782_399_999, 253_402_300_799_999,
    253_402_300_800_000,
  ]) {
    expect(instantText(new Date(edge))).toBe(new Date(edge).toISOString())
  }
})

test('what is no instant throws as toISOString does', () => {
  expect(() => instantText(new Date(Number.NaN))).toThrow(RangeError)
})
