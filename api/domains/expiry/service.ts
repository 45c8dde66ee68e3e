import type { Tx } from '../../platform/db.ts'

/**
 * Warns members whose points come near their date, and extends the points of those whom no channel reached, at most
 * `most` of each. How many that were: 0 when nothing is left to do.
 */
export async function settleExpiry(tx: Tx, most = 500): Promise<number> {
  const [row] = await tx.query<{ settled: number }>({
    name: 'expiry_settle_due',
    text: 'select expiry_settle_due($1) as settled',
    values: [most],
  })
  return row?.settled ?? 0
}
