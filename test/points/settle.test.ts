import { afterAll, beforeAll, expect, test } from 'vitest'
import { grantPoints, holdPoints, settleDue } from '../../api/domains/points/index.ts'
import { testDatabase } from '../support/database.ts'
import { day, type Ledger, openLedger, operation } from './ledger.ts'

const database = testDatabase()
let ledger: Ledger

beforeAll(async () => {
  ledger = await openLedger(database.url, { connections: 20 })
})
afterAll(async () => {
  expect(await ledger.differences()).toEqual([])
  await ledger[Symbol.asyncDispose]()
})

/** A member with everything that can fall due, some of it at the same instants. */
async function busyMember(from: number, { isOwing }: { isOwing: boolean }): Promise<string> {
  const id = await ledger.member()
  const on = (days: number) => day(from + days)
  const give = (points: bigint, dates: { availableAt?: Date; expiresAt?: Date }) =>
    grantPoints(ledger.tx, { member: { id }, points, reason: 'Hello', ...dates }, operation())
  const hold = (points: bigint, days: number) =>
    holdPoints(ledger.tx, { member: { id }, points, expiresIn: `P${days}D`, reason: 'Checkout' }, operation())
  await give(50n, { expiresAt: on(3) })
  await give(30n, { expiresAt: on(5) })
  await hold(60n, 4)
  await hold(7n, 6)
  if (isOwing) {
    await ledger.earn({ member: id, source: id, base: 900n, points: 90n, at: on(0), expiresAt: on(9) })
    await hold(90n, 2)
    await ledger.clawBack(id, 900n, on(0))
  }
  await give(20n, { availableAt: on(3), expiresAt: on(8) })
  await give(40n, { availableAt: on(5) })
  await give(11n, { expiresAt: on(3) })
  return id
}

async function books(member: string) {
  const { rows } = await ledger.owner.query(
    `select o.kind, o.at, o.points, o.reason, o.actor, replace(o.idempotency_key, w.id::text, 'w') as key, o.wallet_version,
       (select json_agg(json_build_array(p.seq, l.wallet_version, p.from_bucket, p.to_bucket, p.amount) order by p.seq)
        from posting p join lot l on l.id = p.lot_id where p.transaction_id = o.transaction_id) as postings,
       (select json_agg(json_build_array(d.seq, d.kind, d.amount) order by d.seq)
        from debt_posting d where d.transaction_id = o.transaction_id) as debts,
       (select json_agg(x.type order by x.n) from outbox x where x.payload ->> 'transaction' = o.transaction_id::text) as events
     from op o join wallet w on w.id = o.wallet_id
     where w.member_id = $1 and o.actor = 'engawa' order by o.wallet_version`,
    [member],
  )
  return rows
}

const state = async (member: string) => {
  const {
    id: _,
    member_id: __,
    head_hash: ___,
    ...row
  } = (await ledger.wallet(member)) as unknown as Record<string, unknown>
  return row
}

test.each([false, true])(
  'settling many wallets at once books what settling one does, owing: %s',
  async (isOwing) => {
    const from = isOwing ? 20 : 0
    await ledger.setClock(day(from))
    await settleDue(ledger.tx)
    const [one, many] = [await busyMember(from, { isOwing }), await busyMember(from, { isOwing })]
    await ledger.setClock(day(from + 7))
    const { rows } = await ledger.owner.query(
      'select * from wallets_now(array(select id from wallet where member_id = $1))',
      [one],
    )
    await ledger.owner.query('select points_settle(id) from wallet where member_id = $1', [one])
    expect(await settleDue(ledger.tx)).toBe(1)
    expect(await books(many)).toEqual(await books(one))
    expect(await state(many)).toEqual(await state(one))
    const { available, pending, held, debt } = await ledger.wallet(one)
    expect(rows).toEqual([{ wallet_id: expect.any(String), available, pending, held, debt }])
    expect(await books(one)).toHaveLength(6)
  },
)

/** How many wallets the due scan, which crosses tenants, would find. */
async function due(): Promise<number> {
  const { rows } = await ledger.db.system.query(
    'select count(*)::int from wallet w join tenant t on t.id = w.tenant_id where w.due_at <= t.clock_at',
  )
  return rows[0].count
}

test('thousands of lots are booked in one statement, and nothing is left', async () => {
  await ledger.setClock(day(40))
  while ((await settleDue(ledger.tx)) > 0);
  const members = await ledger.members(500)
  const earnings = members.flatMap((member, m) =>
    [0, 1, 2, 3, 4, 5].map((n) => ({
      member,
      source: `bulk ${m} ${n}`,
      base: 1_000n,
      points: 10n,
      at: day(40),
      expiresAt: day(41 + (n % 3)),
    })),
  )
  expect(await ledger.import(earnings)).toEqual([])
  await ledger.setClock(day(50))
  expect(await due()).toBeGreaterThanOrEqual(500)
  expect([
    await settleDue(ledger.tx, 300),
    await settleDue(ledger.tx, 300),
    await settleDue(ledger.tx, 300),
  ]).toEqual([300, 200, 0])
  const dead =
    'select sum(expired)::int as points, sum(version)::int as transactions from wallet where member_id = any($1)'
  expect((await ledger.owner.query(dead, [members])).rows).toEqual([{ points: 30_000, transactions: 4_500 }])
  expect(await due()).toBe(0)
})

test('workers that settle at once with grants and spends share the work and never wait in a circle', async () => {
  for (let attempt = 0; attempt < 20; attempt++) {
    const from = 100 + attempt * 10
    await ledger.setClock(day(from))
    const members: string[] = []
    for (let i = 0; i < 4; i++) members.push(await busyMember(from, { isOwing: false }))
    await ledger.setClock(day(from + 9))
    const give = (id: string) =>
      grantPoints(ledger.tx, { member: { id }, points: 1n, reason: 'Hello' }, operation())
    await Promise.all([
      ...[0, 1, 2, 3].map(() => settleDue(ledger.tx)),
      ...members.map(give),
      ...members.toReversed().map(give),
    ])
    for (const member of members) {
      expect(await ledger.wallet(member)).toMatchObject({
        available: 42n,
        pending: 0n,
        held: 0n,
        expired: 111n,
      })
    }
  }
})
