import pg from 'pg'
import { expect, test } from 'vitest'
import { isId, newId } from '../../api/platform/ids.ts'
import { testDatabase } from '../support/database.ts'

const database = testDatabase()

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

test('ids that the database makes are of the same kind, and sort by the microsecond', async () => {
  const client = new pg.Client(database.url)
  await client.connect()
  // Between one id and the next lies work of some microseconds.
  const { rows } = await client.query<{ id: string; at: string }>(`
    with recursive made (n, id, at) as (
      select 1, uuid_v7(), extract(epoch from clock_timestamp())
      union all
      select n + 1, uuid_v7(), extract(epoch from clock_timestamp()) from made
      where n < 500 and length(repeat(md5(n::text), 2000)) > 0
    ) select id, at from made order by n`)
  await client.end()
  const ids = rows.map(({ id }) => id)
  expect(ids.every((id) => isId(id) && id[14] === '7' && '89ab'.includes(id[19] ?? ''))).toBe(true)
  expect(ids.toSorted()).toEqual(ids)
  const made = Number.parseInt(ids[0]?.replaceAll('-', '').slice(0, 12) ?? '', 16)
  expect(Math.abs(made - Number(rows[0]?.at) * 1000)).toBeLessThan(1_000)
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
