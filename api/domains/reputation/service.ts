import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'

/** Gives badges to up to `limit` members of whom something changed; how many were judged. */
export function settleBadges(tx: Tx, limit: number): Promise<number> {
  return call<number>(tx, 'select badges_settle_due($1) as outcome', [limit])
}
