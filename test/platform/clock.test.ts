import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openClock } from '../../api/platform/clock.ts'
import { type Db, openDb } from '../../api/platform/db.ts'
import { createTenant } from '../../api/platform/tenancy.ts'
import { testDatabase } from '../support/database.ts'

const database = testDatabase()
let db: Db
beforeAll(() => {
  db = openDb({ url: database.url })
})
afterAll(() => db.close())

const shop = { name: 'Shop', timeZone: 'Asia/Tokyo', locale: 'ja-JP' }

/** A pool whose database is some milliseconds ahead of this process. */
function ahead(milliseconds: number): pg.Pool {
  const query = async () => ({ rows: [{ ms: String(Date.now() + milliseconds) }] })
  return { query } as unknown as pg.Pool
}

test('now is the time of the database', async () => {
  const clock = await openClock(db.system)
  const { rows } = await db.system.query<{ now: Date }>('select clock_timestamp() as now')
  expect(Math.abs(clock.now().getTime() - Number(rows[0]?.now))).toBeLessThan(100)
  clock.close()
})

test.each([3_600_000, -3_600_000])(
  'a node whose clock is %d ms away from the database goes by the database',
  async (ms) => {
    const clock = await openClock(ahead(ms))
    expect(Math.abs(clock.now().getTime() - (Date.now() + ms))).toBeLessThan(50)
    clock.close()
  },
)

test('a tenant without a test clock lives on real time and costs no query', async () => {
  const tenant = await createTenant(db.system, { ...shop, key: 'real' })
  const clock = await openClock(db.system)
  const before = clock.now()
  await db.system.query('update tenant set clock_at = $2 where id = $1', [tenant.id, new Date(0)])
  expect((await clock.tenantNow(tenant)).getTime()).toBeGreaterThanOrEqual(before.getTime())
  clock.close()
})

test('a tenant on a test clock sees where it stands at that moment, also after it moved', async () => {
  const tenant = await createTenant(db.system, {
    ...shop,
    key: 'test',
    testClock: new Date('1998-07-01T00:00:00Z'),
  })
  const clock = await openClock(db.system)
  expect(await clock.tenantNow(tenant)).toEqual(new Date('1998-07-01T00:00:00Z'))
  await db.system.query('update tenant set clock_at = $2 where id = $1', [
    tenant.id,
    '1999-01-01T00:00:00.5Z',
  ])
  expect(await clock.tenantNow(tenant)).toEqual(new Date('1999-01-01T00:00:00.500Z'))
  clock.close()
})
