import type { Tx } from '../../platform/db.ts'

/** One difference between what the postings say and what a row holds, as "what value". */
export interface Difference {
  /** A uuid. */
  readonly wallet: string
  readonly expected: string
  readonly found: string
}

/** points_verify of 0003_points.sql, for the wallets (uuids) after one up to another. */
export function differencesOf(tx: Tx, after: string, through: string): Promise<Difference[]> {
  return tx.query<Difference>({
    name: 'points_verify',
    text: 'select wallet_id as wallet, expected, found from points_verify($1, $2)',
    values: [after, through],
  })
}

/** The ids that end pages of so many wallets, in order; the last page has no end. */
export async function pageEnds(tx: Tx, size: number): Promise<string[]> {
  const rows = await tx.query<{ id: string }>({
    name: 'points_pages',
    text: `select x.id from (select w.id, row_number() over (order by w.id) as n from wallet w where own(w)) x
           where x.n % $1 = 0 order by x.id`,
    values: [size],
  })
  return rows.map(({ id }) => id)
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
