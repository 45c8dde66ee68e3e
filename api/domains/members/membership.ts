/** What can be done with a membership, besides its beginning and its end by staff. */
import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import type { MemberBy } from './service.ts'
import { leaveCall, paidCall, pauseCall, renewalCall, resumeCall, returnCall } from './store.ts'

type Done = Outcome<{ member: string }>

/** Lets a membership rest. Throws NotFoundError, MembershipEndedError, BadInputError, AccessDeniedError. */
export async function pauseMembership(
  tx: Tx,
  by: MemberBy,
  how: { until: Date | null; reason: string | null; isOwn: boolean; actor: string },
) {
  return raise(await pauseCall<Done>(tx, by, how))
}

/** Ends a rest. Throws NotFoundError, MembershipEndedError, and AccessDeniedError for one that staff made. */
export async function resumeMembership(tx: Tx, by: MemberBy, how: { isOwn: boolean; actor: string }) {
  return raise(await resumeCall<Done>(tx, by, how))
}

/** Says until when it is paid; null: nothing has to be paid. Throws NotFoundError, MembershipEndedError. */
export async function setPaidThrough(tx: Tx, by: MemberBy, through: Date | null, actor: string) {
  return raise(await paidCall<Done>(tx, by, through, actor))
}

/** Says whether it is renewed. Throws NotFoundError, MembershipEndedError. */
export async function setRenewal(tx: Tx, by: MemberBy, isStopped: boolean, actor: string) {
  return raise(await renewalCall<Done>(tx, by, isStopped, actor))
}

/** The member goes. Throws NotFoundError, MembershipEndedError. */
export async function leaveProgram(tx: Tx, by: MemberBy, reason: string | null, actor: string) {
  return raise(await leaveCall<Done>(tx, by, reason, actor))
}

/** Takes a member back. Throws NotFoundError, and MembershipEndedError for one who was erased. */
export async function returnMembership(tx: Tx, by: MemberBy, reason: string | null, actor: string) {
  return raise(await returnCall<Done>(tx, by, reason, actor))
}
