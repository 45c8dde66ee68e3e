import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { openShop, type Shop } from './shop.ts'

const database = testDatabase()

async function scan(shop: Shop, limit = 100): Promise<string[]> {
  const { rows } = await shop.db.system.query<{ tenant_id: string; touchpoint_id: string }>(
    `select * from touchpoint_due($1, interval '10 minutes')`,
    [limit],
  )
  return rows.filter((row) => row.tenant_id === shop.tenant.tenantId).map((row) => row.touchpoint_id)
}

test('the scan takes what is due by each tenant’s own clock', async () => {
  const past = await openShop(database.url, { clockAt: new Date('1998-07-01T00:00:00Z') })
  const future = await openShop(database.url, { clockAt: new Date('2126-07-01T00:00:00Z') })
  const real = await openShop(database.url)
  const plan = async (shop: Shop, dueAt: string) => shop.plan(await shop.member(), { dueAt: new Date(dueAt) })
  const due = [
    await plan(past, '1998-07-01T00:00:00Z'),
    await plan(future, '2126-06-30T00:00:00Z'),
    await plan(real, '2020-01-01T00:00:00Z'),
  ]
  const notDue = [
    await plan(past, '1998-07-01T00:00:01Z'),
    await plan(future, '2126-07-01T00:00:01Z'),
    await plan(real, '2120-01-01T00:00:00Z'),
  ]
  const { rows } = await real.db.system.query(`select * from touchpoint_due(100, interval '10 minutes')`)
  const taken = rows.map((row) => row.touchpoint_id)
  expect(taken).toEqual(expect.arrayContaining(due))
  expect(taken.filter((id) => notDue.includes(id))).toEqual([])
})

test('twenty scans at once take each touch once', async () => {
  const shop = await openShop(database.url)
  const member = await shop.member()
  const planned = await Promise.all(Array.from({ length: 30 }, () => shop.plan(member)))
  const taken = await Promise.all(Array.from({ length: 20 }, () => scan(shop, 7)))
  expect(taken.flat().sort()).toEqual([...planned].sort())
  expect(await scan(shop)).toEqual([])
})

test('what a lost worker had comes back when its claim has lapsed', async () => {
  const shop = await openShop(database.url)
  const touchpoint = await shop.plan(await shop.member())
  expect(await scan(shop)).toEqual([touchpoint])
  expect(await scan(shop)).toEqual([])
  await shop.lapse()
  expect(await scan(shop)).toEqual([touchpoint])
})

test('the scan reads as many rows of 100,000 touches as of 10,000: each that is due, twice', async () => {
  const shop = await openShop(database.url)
  const other = await openShop(database.url, { clockAt: new Date('1998-07-01T00:00:00Z') })
  const read = []
  for (const size of [10_000, 100_000]) {
    await fill(shop, size / 2, '2120-01-01')
    // By the real clock these would be due.
    await fill(other, size / 2, '2020-01-01')
    const member = await shop.member()
    const due = await Promise.all(Array.from({ length: 10 }, () => shop.plan(member)))
    read.push(await rowsRead(shop, due.length))
  }
  expect(read).toEqual([
    { sequential: 0, fetched: 20 },
    { sequential: 0, fetched: 20 },
  ])
})

/** As many touches: one half planned for an instant, the other settled long ago. */
async function fill(shop: Shop, size: number, plannedAt: string): Promise<void> {
  await shop.everything.query(
    `insert into touchpoint (tenant_id, member_id, channels, channel, purpose, state, content, planned_at, due_at, settled_at,
                             source_type, source_id)
     select $1, $2, '{inbox}', 'inbox', 'thank-you', v.state, '{}', v.at, v.at, v.settled, v.state, n::text
     from generate_series(1, $3) n,
       (values ('PLANNED', $4::timestamptz, null::timestamptz), ('ACCEPTED', '1998-01-01', now())) v (state, at, settled)`,
    [shop.tenant.tenantId, await shop.member(), size / 2, plannedAt],
  )
  await shop.everything.query('analyze touchpoint')
}

/** Rows of `touchpoint` that one scan reads, on one connection, which sees its own figures only. */
async function rowsRead(shop: Shop, expected: number): Promise<{ sequential: number; fetched: number }> {
  const client = await shop.everything.connect()
  try {
    await client.query('begin')
    const figures = async () => {
      const { rows } = await client.query<{ sequential: number; fetched: number }>(
        `select seq_tup_read::int as sequential, idx_tup_fetch::int as fetched
         from pg_stat_xact_user_tables where relname = 'touchpoint'`,
      )
      return rows[0] ?? { sequential: 0, fetched: 0 }
    }
    const before = await figures()
    await client.query('set local role engawa_system')
    const { rows } = await client.query(`select * from touchpoint_due(100, interval '10 minutes')`)
    expect(rows).toHaveLength(expected)
    await client.query('reset role')
    const after = await figures()
    await client.query('rollback')
    await client.query(
      'update touchpoint set state = $1, settled_at = now() where state = $2 and due_at <= now()',
      ['ACCEPTED', 'PLANNED'],
    )
    return { sequential: after.sequential - before.sequential, fetched: after.fetched - before.fetched }
  } finally {
    client.release()
  }
}
