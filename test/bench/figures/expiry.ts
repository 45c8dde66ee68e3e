import { settleDue } from '../../../api/domains/points/index.ts'
import type { Db } from '../../../api/platform/db.ts'
import { createTenant } from '../../../api/platform/tenancy.ts'
import { onServer } from '../../support/server.ts'
import type { Figure } from '../figure.ts'

const POINTS = 10
/** Lots of a wallet. */
const LOTS = 5

/** Booking the death of many lots, set-based, at two sizes: it must not become slower the more there are. */
export const expiry: Figure = {
  name: 'expiry',
  title: 'booking expiry, and its slope (1,000,000 lots with EXPIRY_LOTS=1000000)',
  mark: { is: 'at least', value: 5_000, unit: 'lots/s' },
  async measure({ db, url, effort }) {
    const most = Number(process.env.EXPIRY_LOTS ?? (effort.members > 1_000 ? 100_000 : 10_000))
    const small = await booked(db, url, most / 10)
    const large = await booked(db, url, most)
    // The exponent of time by size: 1 is a straight line.
    const slope = Math.log10(large.seconds / small.seconds)
    const rate = most / large.seconds
    return {
      measured: `${Math.round(rate).toLocaleString('en')} /s`,
      value: rate,
      note: `${most.toLocaleString('en')} lots in ${large.seconds.toFixed(1)} s, ${(most / 10).toLocaleString('en')} in ${small.seconds.toFixed(1)} s: time grows with size to the power of ${slope.toFixed(2)}`,
    }
  },
}

/** A tenant with so many lots, all dead: how long booking that takes, in seconds. */
async function booked(db: Db, url: string, lots: number): Promise<{ seconds: number }> {
  const tenant = await createTenant(db.system, {
    key: `expiry-${lots}`,
    name: 'Expiry',
    timeZone: 'Asia/Tokyo',
    locale: 'ja',
    testClock: new Date('2026-01-01T00:00:00Z'),
  })
  const members = lots / LOTS
  for (let from = 0; from < members; from += 2_000) {
    await onServer(url, async (client) => {
      await client.query(`select set_config('app.tenant', $1, false)`, [tenant.id])
      await client.query('set role engawa_owner')
      const some = [tenant.id, from, Math.min(2_000, members - from)]
      await client.query(MEMBERS, some)
      const { rows } = await client.query<{ lots: object }>(GIVE, [...some, LOTS, POINTS])
      await client.query(EARN, [JSON.stringify(rows[0]?.lots)])
    })
  }
  await onServer(url, (client) => client.query('analyze'))
  await db.system.query(`update tenant set clock_at = '2027-06-01T00:00:00Z' where id = $1`, [tenant.id])
  const client = db.tenant(tenant.id)
  const began = performance.now()
  while ((await settleDue(client, 1_000)) > 0);
  const seconds = (performance.now() - began) / 1000
  const [found] = await client.query<{ dead: string; open: string }>({
    text: 'select sum(w.expired)::text as dead, sum(w.available)::text as open from wallet w where own(w)',
    values: [],
  })
  if (found?.dead !== String(lots * POINTS) || found.open !== '0')
    throw new Error(`not all are dead: ${found?.dead}`)
  return { seconds }
}

/** Members $2 to $2 + $3. */
const MEMBERS = `
  insert into member (tenant_id, external_id, display_name, locale, time_zone, registered_at, membership_since)
  select $1::uuid, 'm' || n, 'M', 'ja', 'Asia/Tokyo', '2026-01-01Z', '2026-01-01Z'
  from generate_series($2::int + 1, $2::int + $3::int) n`

/** For each of them $4 lots of $5 points that die at different month ends. */
const GIVE = `
  with m as (
    select m.id from member m
    where m.tenant_id = $1 and m.external_id in (select 'm' || n from generate_series($2::int + 1, $2::int + $3::int) n)
  ), o as (
    insert into op (tenant_id, idempotency_key, hash, transaction_id, kind, actor, at)
    select $1, 'lot ' || m.id || ' ' || n, '\\x01', uuid_v7(), 'EARN', 'bench', '2026-01-01Z'
    from m, generate_series(1, $4::int) n
    returning jsonb_build_object('transaction', transaction_id, 'member', split_part(idempotency_key, ' ', 2),
      'source', transaction_id, 'base', '1', 'points', $5::text, 'at', '2026-01-01T00:00:00Z', 'expires_at',
      make_timestamptz(2026, 5 + split_part(idempotency_key, ' ', 3)::int, 1, 0, 0, 0, 'Asia/Tokyo')) as lot
  )
  select jsonb_agg(o.lot) as lots from o`

const EARN = `select points_earn_import($1, 'POINTS', 'bench', 'bench', 1, 'Bench')`
