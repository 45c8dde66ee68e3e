import { expect, test } from 'vitest'
import { settleTiers } from '../../api/domains/tiers/index.ts'
import { moveTier } from '../../api/domains/tiers/service.ts'
import { operation } from '../points/ledger.ts'
import { testDatabase } from '../support/database.ts'
import { type House, openHouse, spending } from './house.ts'

const database = testDatabase()

/** A house whose pool lets that many at it at once. */
async function crowded(connections: number): Promise<House> {
  const house = await openHouse(database.url, { start: '2025-06-01T00:00:00+09:00', connections })
  await house.define(spending({ window: { calendar: 'YEAR' } }))
  await house.settle()
  return house
}

test('of twenty times six who buy, are moved and are settled at once each leaves one chain of decisions', async () => {
  await using house = await crowded(6)
  for (let attempt = 0; attempt < 20; attempt++) {
    const id = await house.member()
    const buy = () => house.tx.query({ text: 'select test_buy($1, 60, null)', values: [id] })
    const moved = { member: { id }, ladder: 'default', tier: 'silver', until: null, reason: 'A mishap' }
    await Promise.all([
      buy(),
      buy(),
      moveTier(house.tx, moved, operation()),
      buy(),
      settleTiers(house.tx, 100),
      buy(),
    ])
    const { rows } = await house.owner.query(
      'select n, from_tier as "from", to_tier as "to" from tier_decision where member_id = $1 order by n',
      [id],
    )
    expect(rows.map(({ n }) => n)).toEqual(rows.map((_, i) => i + 1))
    for (const [i, { from }] of rows.entries()) expect(from).toBe(rows[i - 1]?.to ?? null)
    expect(rows.at(-1)?.to).toBe('silver')
    expect(await house.tier(id)).toBe('silver')
  }
})

test('of twenty who settle at once one decides for each member', async () => {
  await using house = await crowded(10)
  const members = await house.members(40)
  for (const member of members) await house.buy(member, 100)
  await house.owner.query(
    `reset role; update tenant set clock_at = '2026-01-02T00:00:00+09:00'; set role engawa_owner`,
  )
  await Promise.all(Array.from({ length: 20 }, () => settleTiers(house.tx, 15)))
  while ((await settleTiers(house.tx, 15)) > 0);
  const { rows } = await house.owner.query(
    `select count(*)::int as n from tier_decision where cause = 'KEEP' and tenant_id = current_tenant()`,
  )
  expect(rows).toEqual([{ n: 40 }])
})

test('a thousand tiers that end at once are booked like two: one statement a step', async () => {
  await using house = await crowded(1)
  const asks = async (count: number, year: number) => {
    const members = await house.members(count)
    await house.owner.query(
      `insert into purchase (tenant_id, id, member_id, order_id, purchased_at, currency, total)
       select current_tenant(), uuid_v7(), m, gen_random_uuid()::text, tenant_now(current_tenant()), 'JPY', 100
       from unnest($1::uuid[]) m`,
      [members],
    )
    await house.owner.query('select tiers_touch($1, null)', [members])
    await house.owner.query(
      `reset role; set track_functions = 'pl'; update tenant set clock_at = '${year}-01-01T00:00:00+09:00'`,
    )
    await house.owner.query('begin')
    const before = await callsOf(house)
    const { rows: settled } = await house.owner.query('select tiers_settle_due(5000) as n')
    const calls = (await callsOf(house)) - before
    await house.owner.query('commit; set role engawa_owner')
    const decided = await house.owner.query(
      `select count(*)::int as n from tier_decision where member_id = any($1) and cause = 'KEEP'`,
      [members],
    )
    return { settled: settled[0]?.n, calls, decided: decided.rows[0]?.n }
  }
  expect(await asks(2, 2026)).toEqual({ settled: 2, calls: 1, decided: 2 })
  await house.owner.query('update tier_standing set due_at = null where tenant_id = current_tenant()')
  expect(await asks(1_000, 2027)).toEqual({ settled: 1_000, calls: 1, decided: 1_000 })
})

/** How often the engine was asked so far by this session. */
async function callsOf(house: House): Promise<number> {
  const { rows } = await house.owner.query(
    `select calls::int from pg_stat_xact_user_functions where funcname = 'tiers_reckon'`,
  )
  return rows[0]?.calls ?? 0
}
