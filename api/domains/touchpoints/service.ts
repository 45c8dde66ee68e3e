import type { Tx } from '../../platform/db.ts'
import { NotFoundError } from '../../platform/errors/index.ts'
import { writeRead } from './store.ts'

/**
 * Marks an item of the member's inbox read, by the tenant's clock; once read, it keeps its instant. `item` and
 * `member` are uuids. Throws NotFoundError, also for an item of somebody else.
 */
export async function markInboxRead(tx: Tx, item: string, member: string): Promise<void> {
  if (!(await writeRead(tx, item, member))) throw new NotFoundError('inbox item')
}
