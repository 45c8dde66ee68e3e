/** What members care about: what they say, and, when they agree to that, what they do. */
import type { Tx } from '../../platform/db.ts'
import { BadInputError, type Outcome, raise } from '../../platform/errors/index.ts'
import { folded } from '../../platform/text/index.ts'
import type { MemberBy } from '../members/index.ts'
import { deriveCall, dropCall, settleCall } from './interests.store.ts'

/** Derives the interests of members who are due, at most so many; how many they were. */
export function settleInterests(tx: Tx, limit: number): Promise<number> {
  return settleCall(tx, limit)
}

/** Says whether a member's interests are derived from what it does. Throws NotFoundError, MembershipEndedError. */
export async function deriveInterests(tx: Tx, by: MemberBy, isOn: boolean) {
  return raise(await deriveCall<Outcome<{ member: string }>>(tx, by, isOn))
}

/** Takes an interest away, and does not derive it again. Throws NotFoundError, BadInputError. */
export async function dropInterest(tx: Tx, by: MemberBy, label: string) {
  const interest = folded(label)
  if (interest === '' || label.length > 100)
    throw new BadInputError('input.interest', 'An interest has 1 to 100 characters.')
  return raise(await dropCall<Outcome<{ member: string }>>(tx, by, interest, label.trim()))
}
