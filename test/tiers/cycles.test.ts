import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { openHouse, spending } from './house.ts'

const database = testDatabase()

test('a calendar year: what it allowed holds in the next, and falls when that brings less', async () => {
  await using house = await openHouse(database.url)
  await house.define(spending({ window: { calendar: 'YEAR' } }))
  await house.settle()
  const ann = await house.member()
  await house.until('2025-06-01T03:00:00Z')
  await house.buy(ann, 100)
  await house.buy(ann, 200)
  await house.until('2026-02-01T00:00:00Z')
  await house.buy(ann, 120)
  await house.until('2028-03-01T00:00:00Z')
  expect(await house.story(ann)).toEqual([
    'RISE bronze 2025-01-01 09:00',
    'RISE silver 2025-06-01 12:00',
    'RISE gold 2025-06-01 12:00',
    'KEEP gold 2026-01-01 00:00',
    'FALL silver 2027-01-01 00:00',
    'FALL bronze 2028-01-01 00:00',
  ])
})
