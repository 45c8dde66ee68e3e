import type { Tx } from '../../platform/db.ts'

/** The code of each member (uuids); one statement. */
export async function readCodes(tx: Tx, members: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await tx.query<{ member_id: string; code: string }>({
    name: 'referral_codes',
    text: 'select member_id, code from referral_codes($1)',
    values: [members],
  })
  return new Map(rows.map(({ member_id, code }) => [member_id, code]))
}

/** What a member brought. Amounts are minor units. */
export interface Brought {
  readonly friends: number
  readonly revenue: readonly { readonly currency: string; readonly amount: bigint }[]
}

/** referral_promoters of 0024_referrals.sql: one statement for all of the members (uuids). */
export async function readBrought(tx: Tx, members: readonly string[]): Promise<ReadonlyMap<string, Brought>> {
  const rows = await tx.query<{
    member_id: string
    friends: number
    revenue: readonly { currency: string; amount: string }[]
  }>({
    name: 'referral_promoters',
    text: 'select member_id, friends, revenue from referral_promoters($1)',
    values: [members],
  })
  return new Map(
    rows.map(({ member_id, friends, revenue }) => [
      member_id,
      { friends, revenue: revenue.map((sum) => ({ currency: sum.currency, amount: BigInt(sum.amount) })) },
    ]),
  )
}

/** referrals_settle_due of 0024_referrals.sql. */
export async function settleBatch(tx: Tx, most: number): Promise<number> {
  const [row] = await tx.query<{ settled: number }>({
    name: 'referrals_settle_due',
    text: 'select referrals_settle_due($1) as settled',
    values: [most],
  })
  return row?.settled ?? 0
}
