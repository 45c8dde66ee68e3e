/** Members who bring others from what is talked about. */
import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import type { MemberBy } from '../members/index.ts'
import { inviteCall } from './invites.store.ts'

/** Gives a member its code for the thread of a contribution (a uuid) that it sees. Throws NotFoundError. */
export async function inviteToThread(tx: Tx, by: MemberBy, contribution: string) {
  return raise(await inviteCall<Outcome<{ code: string; member: string }>>(tx, by, contribution))
}
