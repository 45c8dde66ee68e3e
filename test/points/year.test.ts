import { afterAll, beforeAll, expect, test } from 'vitest'
import { settleDue } from '../../api/domains/points/index.ts'
import { testDatabase } from '../support/database.ts'
import { type Ledger, openLedger } from './ledger.ts'

const database = testDatabase()
const ledgers: Ledger[] = []

beforeAll(async () => {
  for (let i = 0; i < 3; i++) ledgers.push(await openLedger(database.url, { connections: 2 }))
})
afterAll(async () => {
  for (const ledger of ledgers) {
    expect(await ledger.differences()).toEqual([])
    await ledger[Symbol.asyncDispose]()
  }
})

const HOUR = 3_600_000

/** At which time of UTC each month of 2025 ends in a zone. */
const ZONES: readonly [zone: string, midnights: readonly string[]][] = [
  ['Asia/Tokyo', Array.from({ length: 12 }, () => 'T15:00:00.000Z')],
  [
    'Europe/Berlin',
    // The last day of each month from January to December: summer time from the end of March to that of October.
    ['23', '23', '22', '22', '22', '22', '22', '22', '22', '23', '23', '23'].map(
      (hour) => `T${hour}:00:00.000Z`,
    ),
  ],
  [
    'America/New_York',
    // Midnight after the last day falls on the first of the next month in UTC.
    ['05', '05', '04', '04', '04', '04', '04', '04', '04', '04', '05', '05'].map(
      (hour) => `T${hour}:00:00.000Z`,
    ),
  ],
]

/** The midnight at which a month of 2025 ends in the zone. */
function monthEnd(zone: string, month: number, midnights: readonly string[]): Date {
  const day = zone === 'America/New_York' ? Date.UTC(2025, month + 1, 1) : Date.UTC(2025, month + 1, 0)
  return new Date(new Date(day).toISOString().slice(0, 10) + midnights[month])
}

test.each(ZONES.map((zone, i) => [...zone, i] as const))(
  'a year in %s: month ends across both changes of the clock, and sliding points, to the point',
  async (zone, midnights, i) => {
    const ledger = ledgers[i] as Ledger // one for each zone
    await ledger.db.system.query('update tenant set time_zone = $1 where id = $2', [zone, ledger.tx.tenantId])
    const [monthly = '', sliding = ''] = await ledger.members(2)
    const available = async (member: string) =>
      (
        await ledger.owner.query(
          'select n.available from wallet w, wallets_now(array[w.id]) n where w.member_id = $1',
          [member],
        )
      ).rows[0].available
    const earn = (member: string, source: string, at: Date, given: object) =>
      ledger.earn({ member, source, base: 1n, points: 10n, at, expiresAt: null, ...given })
    const at = (instant: Date) => ledger.setClock(instant)

    // Each month: ten points that live to the end of the next month. Before its midnight there are twenty, then ten.
    for (let month = 0; month < 11; month++) {
      const begun = new Date(Date.UTC(2025, month, 15))
      await at(begun)
      await earn(monthly, `month ${month}`, begun, { expiry: { rolling: { months: 1, endOf: 'MONTH' } } })
      const end = monthEnd(zone, month, midnights)
      await at(new Date(end.getTime() - 1))
      expect([month, 'before', await available(monthly)]).toEqual([month, 'before', month === 0 ? 10n : 20n])
      await at(end)
      if (month % 2 === 0) await settleDue(ledger.tx)
      expect([month, 'after', await available(monthly)]).toEqual([month, 'after', 10n])
      // Something every month keeps sliding points alive, whose own time is 40 days.
      if (month === 0) await earn(sliding, 'slides', end, { expiry: { sliding: { days: 40 } } })
      else await ledger.owner.query('select points_slide($1, $2, $3)', [sliding, 'purchase', end])
      expect([month, await available(sliding)]).toEqual([month, 10n])
    }
    // The last activity was at the end of November: dead after its fortieth day, 9 or 10 January.
    const last = await ledger.owner.query(
      `select l.expires_at from lot l where l.source_id = 'slides' order by l.id`,
    )
    const dies: Date = last.rows[0].expires_at
    const newest = monthEnd(zone, 10, midnights)
    const days = (dies.getTime() - newest.getTime()) / (24 * HOUR)
    expect(days).toBe(41)
    await at(new Date(dies.getTime() - 1))
    expect(await available(sliding)).toBe(10n)
    await at(dies)
    expect(await available(sliding)).toBe(0n)
    await settleDue(ledger.tx)
    expect((await ledger.wallet(sliding)).expired).toBe(10n)
  },
)

/** Points that live a day, earned at 02:30 around the changes of the clock, and the exact instant of their death. */
test.each([
  ['Asia/Tokyo', '2025-03-29T17:30:00Z', '2025-03-31T15:00:00Z'],
  ['Europe/Berlin', '2025-03-29T01:30:00Z', '2025-03-30T22:00:00Z'],
  ['Europe/Berlin', '2025-03-30T01:30:00Z', '2025-03-31T22:00:00Z'],
  ['Europe/Berlin', '2025-10-25T00:30:00Z', '2025-10-26T23:00:00Z'],
  ['Europe/Berlin', '2025-10-26T00:30:00Z', '2025-10-27T23:00:00Z'],
  ['Europe/Berlin', '2025-10-26T01:30:00Z', '2025-10-27T23:00:00Z'],
  ['America/New_York', '2025-03-08T07:30:00Z', '2025-03-10T04:00:00Z'],
  ['America/New_York', '2025-03-09T07:30:00Z', '2025-03-11T04:00:00Z'],
  ['America/New_York', '2025-11-01T06:30:00Z', '2025-11-03T05:00:00Z'],
  ['America/New_York', '2025-11-02T06:30:00Z', '2025-11-04T05:00:00Z'],
  ['America/New_York', '2025-11-02T07:30:00Z', '2025-11-04T05:00:00Z'],
])('in %s a day from %s ends at %s', async (zone, earned, dead) => {
  await using ledger = await openLedger(database.url, { connections: 1 })
  await ledger.db.system.query('update tenant set time_zone = $1 where id = $2', [zone, ledger.tx.tenantId])
  await ledger.setClock(new Date(earned))
  const member = await ledger.member()
  const policy = { expiresAt: null, expiry: { rolling: { days: 1 } } }
  await ledger.earn({ member, source: 'day', base: 1n, points: 10n, at: new Date(earned), ...policy })
  await ledger.setClock(new Date(new Date(dead).getTime() - 1))
  await settleDue(ledger.tx)
  expect(await ledger.wallet(member)).toMatchObject({ available: 10n, expired: 0n })
  await ledger.setClock(new Date(dead))
  await settleDue(ledger.tx)
  expect(await ledger.wallet(member)).toMatchObject({ available: 0n, expired: 10n })
  expect(await ledger.differences()).toEqual([])
})
