/** Members who are introduced to each other. */
import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import type { Operation } from '../../platform/operation.ts'
import type { MemberBy } from '../members/index.ts'
import { answerCall, proposeCall } from './introductions.store.ts'

/** Asks another member (a uuid) to be introduced. Throws NotFoundError, AccessDeniedError, IdempotencyKeyReusedError. */
export async function proposeIntroduction(
  tx: Tx,
  by: MemberBy,
  what: { other: string; note: string | null; operation: Operation },
) {
  return raise(await proposeCall<Outcome<{ introduction: string; member: string }>>(tx, by, what))
}

/** Says yes or no to an introduction to another member. Throws NotFoundError. */
export async function answerIntroduction(tx: Tx, by: MemberBy, other: string, accepts: boolean) {
  return raise(await answerCall<Outcome<{ introduction: string; member: string }>>(tx, by, other, accepts))
}
