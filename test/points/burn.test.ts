import { afterAll, beforeAll, expect, test } from 'vitest'
import { grantPoints, spendPoints } from '../../api/domains/points/index.ts'
import { testDatabase } from '../support/database.ts'
import { day, type Ledger, openLedger, operation } from './ledger.ts'

const database = testDatabase()
let ledger: Ledger

beforeAll(async () => {
  ledger = await openLedger(database.url)
})
afterAll(() => ledger[Symbol.asyncDispose]())

test('burn order is priority, expiry, class, availability, id', async () => {
  const id = await ledger.member()
  await grantPoints(ledger.tx, { member: { id }, points: 1n, reason: 'Hello' }, operation())
  const wallet = await ledger.wallet(id)
  const lots = [
    ['first by priority', 10, null, 'PAID', 0],
    ['soonest', 50, day(20), 'PAID', 0],
    ['promotional', 50, day(30), 'PROMOTIONAL', 0],
    ['earned before', 50, day(30), 'EARNED', -1],
    ['earned after', 50, day(30), 'EARNED', 0],
    ['paid', 50, day(30), 'PAID', 0],
    ['never dies', 50, null, 'EARNED', 0],
    ['last by priority', 90, day(10), 'PROMOTIONAL', 0],
  ] as const
  for (const [name, priority, expiresAt, lotClass, days] of lots.toReversed()) {
    await ledger.owner.query(
      `with o as (insert into op (tenant_id, idempotency_key, hash, transaction_id, kind, actor, at)
         values ($1, $2, '\\x01', gen_random_uuid(), 'GRANT', 'test', now()) returning *)
       insert into lot (tenant_id, wallet_id, transaction_id, wallet_version, source_type, source_id, priority, expires_at,
                        class, available_at, granted, available)
       select $1, $3, transaction_id, 9, 'test', $2, $4, $5, $6, $7, 10, 10 from o`,
      [ledger.tx.tenantId, `${wallet.id} ${name}`, wallet.id, priority, expiresAt, lotClass, day(days)],
    )
  }
  const spent = await spendPoints(ledger.tx, { member: { id }, points: 81n, reason: 'Tea' }, operation())
  if (spent.is !== 'done') throw new Error(spent.is)
  const { rows } = await ledger.owner.query(
    `select l.source_id from posting p join lot l on l.id = p.lot_id
     where p.transaction_id = $1 and l.source_type = 'test' order by p.seq`,
    [spent.transaction],
  )
  expect(rows.map(({ source_id }) => source_id.replace(`${wallet.id} `, ''))).toEqual(
    lots.map(([name]) => name),
  )
})

test('choosing lots reads the burn index in its order, and nothing else', async () => {
  const members = await ledger.members(200)
  const earnings = members.flatMap((member, m) =>
    [1, 2, 3, 4, 5].map((n) => ({
      member,
      source: `${m} ${n}`,
      base: 100n,
      points: 1n,
      at: day(0),
      expiresAt: day(n),
    })),
  )
  await ledger.import(earnings)
  await ledger.owner.query('analyze lot')
  const wallet = await ledger.wallet(members[7] ?? '')
  const { rows } = await ledger.owner.query(
    `explain select l.id, l.available, sum(l.available) over b from lot l
     where l.tenant_id = $1 and l.wallet_id = $2 and l.open and (l.expires_at is null or l.expires_at > $3)
     window b as (order by l.priority, l.expires_at, l.class, l.available_at, l.id rows unbounded preceding)`,
    [ledger.tx.tenantId, wallet.id, day(1)],
  )
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
  expect(plan).toContain('Index Scan using lot_burn')
  expect(plan).not.toMatch(/Sort|Seq Scan/)
})
