import type { Tx } from '../../platform/db.ts'

/** Points of one class that die in one month; null: never. Amounts are decimals. */
export interface LiabilityEntry {
  readonly class: 'PROMOTIONAL' | 'EARNED' | 'PAID'
  /** The first day of the month, in the tenant's calendar. */
  readonly month: string | null
  readonly points: string
  /** What they are worth, in whole minor units. */
  readonly value: string
}

/** What became of points, in points as decimals. */
export interface Breakage {
  readonly redeemed: string
  readonly expired: string
  /** Dead ones among redeemed and dead, in basis points; null while there are none of either. */
  readonly basisPoints: number | null
}

/** What members could still use of a currency at an instant; points_liability of 0017_ledger.sql. */
export function liabilityOf(tx: Tx, currency: string, at: Date): Promise<LiabilityEntry[]> {
  return tx.query<LiabilityEntry>({
    name: 'points_liability',
    text: `select class, month::text, points::text, value_minor::text as value from points_liability($1, $2)`,
    values: [currency, at],
  })
}

/** What became of the points of a currency up to an instant; points_breakage of 0017_ledger.sql. */
export async function breakageOf(tx: Tx, currency: string, at: Date): Promise<Breakage> {
  const [row] = await tx.query<Breakage>({
    name: 'points_breakage',
    text: `select redeemed::text, expired::text, basis_points as "basisPoints" from points_breakage($1, $2)`,
    values: [currency, at],
  })
  return row ?? { redeemed: '0', expired: '0', basisPoints: null }
}
