import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { registerPredicates } from '../../api/domains/audiences/index.ts'
import { attributePredicate } from '../../api/domains/members/index.ts'
import { extendBroadcasts } from '../../api/domains/touchpoints/index.ts'
import { newId } from '../../api/platform/ids.ts'
import { testDatabase } from '../support/database.ts'
import { openShop, type Shop } from './shop.ts'

registerPredicates(attributePredicate)
const database = testDatabase()
const NOW = new Date('2026-04-01T00:00:00Z')

/** A shop with so many members, every tenth of them in Kyoto, and a broadcast to them. */
async function openBroadcast(members: number, rule: object = { all: [] }, at: object = {}) {
  const shop = await openShop(database.url, { clockAt: NOW })
  const owner = await shop.everything.connect()
  await owner.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.tenantId])
  await owner.query(
    `insert into member (tenant_id, external_id, display_name, locale, time_zone, attributes, registered_at, membership_since)
     select $1, n::text, n::text, 'ja', 'Asia/Tokyo', case n % 10 when 0 then '{"city": "Kyoto"}'::jsonb else '{}' end, $3, $3
     from generate_series(1, $2::int) n`,
    [shop.tenant.tenantId, members, NOW],
  )
  owner.release(true)
  const planned = {
    audience: { version: 1, rule },
    ...{ purpose: 'service', content: { template: 'thank-you', parameters: {} }, options: {}, ...at },
  }
  const text = `select broadcast_plan($1, '\\x00', $2, 'test') ->> 'broadcast' as id`
  const [row] = await shop.tenant.query<{ id: string }>({ text, values: [newId(), JSON.stringify(planned)] })
  return { shop, broadcast: row?.id ?? '' }
}

/** How many touches, members and announcements there are, and what the broadcast says of itself. */
async function countsOf({ everything, tenant }: Shop) {
  const { rows } = await everything.query(
    `select count(*)::int as touches, count(distinct member_id)::int as members,
      (select count(*)::int from outbox o where o.tenant_id = $1 and o.type = 'touchpoint.planned') as announced,
      (select json_build_array(b.state, b.planned) from broadcast b where b.tenant_id = $1) as broadcast
     from touchpoint where tenant_id = $1`,
    [tenant.tenantId],
  )
  return rows[0]
}

test('killed again and again on the way, a broadcast leaves exactly one touch for each member', async () => {
  const { shop } = await openBroadcast(2_000)
  let chunks = 0
  for (const kill of [3, 7]) chunks += await runUntil(shop, kill)
  expect(chunks).toBe(10)
  const between = await countsOf(shop)
  expect(between.touches).toBeLessThan(2_000)
  expect(between.broadcast).toEqual(['SENDING', between.touches])
  await runUntil(shop, Number.POSITIVE_INFINITY)
  const all = { touches: 2_000, members: 2_000, announced: 2_000 }
  expect(await countsOf(shop)).toEqual({ ...all, broadcast: ['SENT', 2_000] })
})

/** Runs a process until it has said "chunk" so often, then kills it; or until it is done. Gives how often it said so. */
async function runUntil({ tenant }: Shop, chunks: number): Promise<number> {
  const child = spawn(
    process.execPath,
    [`${import.meta.dirname}/broadcast-process.ts`, database.url, tenant.tenantId],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const exited = once(child, 'exit')
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = 0
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'chunk') said += 1
    if (line === 'done' || said >= chunks) break
  }
  child.kill('SIGKILL')
  await exited
  return said
}

test('twenty that go on with one broadcast at once plan each touch once', async () => {
  const { shop } = await openBroadcast(1_000)
  const go = async () => {
    while ((await countsOf(shop)).broadcast[0] !== 'SENT')
      await extendBroadcasts(shop.tenant, { chunks: 100, chunk: 40 })
  }
  await Promise.all(Array.from({ length: 20 }, go))
  const all = { touches: 1_000, members: 1_000, announced: 1_000 }
  expect(await countsOf(shop)).toEqual({ ...all, broadcast: ['SENT', 1_000] })
})

test('a broadcast asks a thousand members in one statement, however few of them match', async () => {
  const { shop } = await openBroadcast(2_500, { attribute: { name: 'city', equals: 'Kyoto' } })
  const statements: string[] = []
  const counted = {
    ...shop.tenant,
    query: (statement: Parameters<Shop['tenant']['query']>[0]) => {
      statements.push(statement.text.includes('broadcast_extend') ? 'extend' : 'other')
      return shop.tenant.query(statement)
    },
  } as Shop['tenant'] // the same client, listened to
  expect(await extendBroadcasts(counted, { chunks: 100 })).toBe(false)
  expect(statements.filter((kind) => kind === 'extend')).toHaveLength(3)
  expect(statements).toHaveLength(3 + 4)
  expect((await countsOf(shop)).broadcast).toEqual(['SENT', 250])
})

test('whoever joins while a broadcast is on its way gets it once, and who has left does not', async () => {
  const { shop } = await openBroadcast(20)
  expect(await extendBroadcasts(shop.tenant, { chunks: 1, chunk: 15 })).toBe(true)
  const late = await shop.member()
  const [{ id: leaver } = { id: '' }] = await shop.tenant.query<{ id: string }>({
    text: 'select m.id from member m where own(m) and m.id <> $1 order by m.id desc limit 1',
    values: [late],
  })
  await shop.end(leaver)
  await extendBroadcasts(shop.tenant, { chunks: 100, chunk: 15 })
  expect((await countsOf(shop)).broadcast).toEqual(['SENT', 20])
  const { rows } = await shop.everything.query('select member_id from touchpoint where member_id = any($1)', [
    [late, leaver],
  ])
  expect(rows).toEqual([{ member_id: late }])
})

test('a broadcast that is called off on its way plans nobody more', async () => {
  const { shop, broadcast } = await openBroadcast(100)
  await extendBroadcasts(shop.tenant, { chunks: 1, chunk: 30 })
  await shop.tenant.query({ text: 'select broadcast_cancel($1)', values: [broadcast] })
  await extendBroadcasts(shop.tenant, { chunks: 100, chunk: 20 })
  expect((await countsOf(shop)).broadcast).toEqual(['CANCELLED', 30])
  const { rows } = await shop.everything.query(
    'select state, count(*)::int from touchpoint where tenant_id = $1 group by state',
    [shop.tenant.tenantId],
  )
  expect(rows).toEqual([{ state: 'CANCELLED', count: 30 }])
  expect(await extendBroadcasts(shop.tenant, { chunks: 1 })).toBe(false)
})

test('what is being sent when a broadcast is called off goes no further than it was', async () => {
  const { shop, broadcast } = await openBroadcast(1)
  await extendBroadcasts(shop.tenant, { chunks: 1 })
  await shop.everything.query(
    `update touchpoint set state = 'CLAIMED', claimed_until = clock_timestamp() + interval '1 minute' where tenant_id = $1`,
    [shop.tenant.tenantId],
  )
  await shop.tenant.query({ text: 'select broadcast_cancel($1)', values: [broadcast] })
  const { rows } = await shop.everything.query<{ id: string }>(
    'select id from touchpoint where tenant_id = $1',
    [shop.tenant.tenantId],
  )
  const client = await shop.everything.connect()
  onTestFinished(() => client.release(true))
  await client.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.tenantId])
  const refusal = await client.query(`select contact_refusal($1, 'inbox', $2) ->> 'reason' as reason`, [
    rows[0]?.id,
    NOW,
  ])
  expect(refusal.rows).toEqual([{ reason: 'CANCELLED' }])
})

test('a worker that others have overtaken writes nothing, and takes the broadcast back to no earlier member', async () => {
  const { shop, broadcast } = await openBroadcast(100)
  await extendBroadcasts(shop.tenant, { chunks: 1, chunk: 30 })
  const members = await shop.tenant.query<{ id: string }>({
    text: 'select m.id from member m where own(m) order by m.id limit 50',
    values: [],
  })
  const place = async () =>
    (await shop.everything.query('select reached, planned from broadcast where id = $1', [broadcast])).rows
  expect(await place()).toEqual([{ reached: members[29]?.id, planned: 30 }])
  const late = await shop.tenant.query({
    text: `select broadcast_extend($1, null, $2, array[$3::uuid], array['inbox'], false) as outcome`,
    values: [broadcast, members[9]?.id, members[40]?.id],
  })
  expect(late).toEqual([{ outcome: { is: 'stale' } }])
  expect(await place()).toEqual([{ reached: members[29]?.id, planned: 30 }])
  expect((await countsOf(shop)).touches).toBe(30)
})
