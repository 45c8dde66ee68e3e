import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'

/**
 * Books what is due for at most `limit` members: those to be asked anew because a ladder changed, those whose points
 * changed, and those whose tier's validity ended. How many it looked at; 0: nothing is left to do.
 */
export async function settleTiers(tx: Tx, limit: number): Promise<number> {
  return call<number>(tx, 'select tiers_settle_due($1) as outcome', [limit])
}
