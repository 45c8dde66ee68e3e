import { expect, test } from 'vitest'
import { isId, newId } from '../../api/platform/ids.ts'

test('ids are version 7, valid and distinct', () => {
  const ids = Array.from({ length: 10_000 }, newId)
  expect(new Set(ids).size).toBe(10_000)
  expect(ids.every((id) => isId(id) && id[14] === '7')).toBe(true)
})

test('ids begin with the time in milliseconds, so they sort by it', () => {
  const before = Date.now()
  const made = Number.parseInt(newId().replaceAll('-', '').slice(0, 12), 16)
  expect(made).toBeGreaterThanOrEqual(before)
  expect(made).toBeLessThanOrEqual(Date.now())
})

test.each([
  '',
  'x',
  '01a20193-b39d-7544-b3b7-222358f0ea7',
  '01A20193-B39D-7544-B3B7-222358F0EA71',
  "' or 1=1 --",
])('%j is no id', (text) => {
  expect(isId(text)).toBe(false)
})
