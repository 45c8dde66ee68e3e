import type { Tx } from '../../platform/db.ts'

/** What is true of a wallet now, whether or not it has been booked. Points. */
export interface WalletNow {
  readonly available: bigint
  readonly pending: bigint
  readonly held: bigint
  readonly debt: bigint
}

/** The wallets as they are now, by id; one statement for all of them. */
export async function walletsNow(
  tx: Tx,
  wallets: readonly string[],
): Promise<ReadonlyMap<string, WalletNow>> {
  const rows = await tx.query<{ wallet_id: string } & Record<keyof WalletNow, string>>({
    name: 'wallets_now',
    text: 'select wallet_id, available, pending, held, debt from wallets_now($1)',
    values: [wallets],
  })
  return new Map(
    rows.map(({ wallet_id, available, pending, held, debt }) => [
      wallet_id,
      { available: BigInt(available), pending: BigInt(pending), held: BigInt(held), debt: BigInt(debt) },
    ]),
  )
}

/** Points that die at one instant. */
export interface ExpiringPoints {
  readonly points: bigint
  readonly expiresAt: Date
}

/** The points of each wallet that die within a time (ISO 8601), soonest first, at most 50; one statement. */
export async function expiringWithin(
  tx: Tx,
  within: string,
  wallets: readonly string[],
): Promise<ReadonlyMap<string, readonly ExpiringPoints[]>> {
  const rows = await tx.query<{ wallet_id: string; points: string; expires_at: Date }>({
    name: 'wallet_expiring',
    text: 'select wallet_id, points, expires_at from wallet_expiring($1, $2::interval)',
    values: [wallets, within],
  })
  const found = new Map<string, ExpiringPoints[]>(wallets.map((wallet) => [wallet, []]))
  for (const row of rows)
    found.get(row.wallet_id)?.push({ points: BigInt(row.points), expiresAt: row.expires_at })
  return found
}
