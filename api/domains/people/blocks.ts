/** Members who do not want to hear of one another. */
import type { Tx } from '../../platform/db.ts'
import { NotFoundError, type Outcome, raise } from '../../platform/errors/index.ts'
import { blockCall } from './blocks.store.ts'
import { findMember } from './export.store.ts'

/** Blocks or mutes another member, or ends that. Throws NotFoundError. */
export async function setBlock(
  tx: Tx,
  member: string,
  what: { other: string; isMute: boolean; isOn: boolean },
): Promise<void> {
  if (!(await findMember(tx, [what.other, null]))) throw new NotFoundError('member')
  raise(await blockCall<Outcome>(tx, member, what))
}
