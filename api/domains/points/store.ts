import type pg from 'pg'
import type { Tx } from '../../platform/db.ts'

/** One difference between what the postings say and what a row holds, as "what value". */
export interface Difference {
  /** A uuid. */
  readonly wallet: string
  readonly expected: string
  readonly found: string
}

/** points_verify of 0003_points.sql. */
export function differencesOf(tx: Tx): Promise<Difference[]> {
  return tx.query<Difference>({
    name: 'points_verify',
    text: 'select wallet_id as wallet, expected, found from points_verify()',
    values: [],
  })
}

/** How many wallets the tenant has. */
export async function countWallets(tx: Tx): Promise<number> {
  const [row] = await tx.query<{ wallets: bigint }>({
    name: 'points_wallets',
    text: 'select count(*) as wallets from wallet where own()',
    values: [],
  })
  return Number(row?.wallets ?? 0)
}

/** points_settle_due of 0003_points.sql. */
export async function settleBatch(tx: Tx, wallets: number): Promise<number> {
  const [row] = await tx.query<{ settled: number }>({
    name: 'points_settle_due',
    text: 'select points_settle_due($1) as settled',
    values: [wallets],
  })
  return row?.settled ?? 0
}

/** The next instant at which something falls due in some wallet, or a little earlier; null: never. */
export async function nextPointsDue(tx: Tx): Promise<Date | null> {
  const [row] = await tx.query<{ due: Date | null }>({
    name: 'points_next_due',
    text: 'select min(due_at) as due from wallet where own()',
    values: [],
  })
  return row?.due ?? null
}

/** The tenants (uuids) that have something due by their own clock. One index probe for each tenant. */
export async function tenantsWithDuePoints(system: pg.Pool): Promise<string[]> {
  const { rows } = await system.query<{ id: string }>({
    name: 'tenants_with_due_points',
    text: `select t.id from tenant t
           where exists (select from wallet w where w.tenant_id = t.id and w.due_at <= coalesce(t.clock_at, now()))`,
  })
  return rows.map(({ id }) => id)
}
