/** Who is where, for a moment. */
import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { beatCall } from './presence.store.ts'

/**
 * Says that a member (a uuid) is in a space (a uuid) for the next minute, and perhaps writing in a thread (a uuid) of it.
 * Throws NotFoundError, AccessDeniedError, SpaceNotEnabledError.
 */
export async function beHere(
  tx: Tx,
  member: string,
  { space, typingIn }: { readonly space: string; readonly typingIn: string | null },
) {
  return raise(await beatCall<Outcome<{ member: string; space: string }>>(tx, member, space, typingIn))
}
