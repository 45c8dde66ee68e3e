import type { Tx } from '../../platform/db.ts'
import { BadInputError, type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** A move by hand to a stage that facts do not decide, and why. */
export interface Move {
  readonly member: MemberBy
  readonly stage: string
  readonly reason: string
}

/**
 * Moves a member by hand. Throws NotFoundError, TransitionNotAllowedError, MembershipEndedError,
 * IdempotencyKeyReusedError, BadInputError.
 */
export async function moveMember(tx: Tx, { member, stage, reason }: Move, { key, hash, actor }: Operation) {
  if (reason.trim() === '' || reason.length > 500) {
    throw new BadInputError('input.reason', 'A move by hand needs a reason of 1 to 500 characters.')
  }
  return raise(
    await call<Outcome<{ member: string; change: string }>>(
      tx,
      'select member_move($1, $2, $3, $4, $5, $6, $7) as outcome',
      [key, hash, ...namesOf(member), stage, reason, actor],
    ),
  )
}

/** Books lapses and band crossings that the tenant's clock has brought, for at most `limit` members; how many. */
export async function settleLifecycle(tx: Tx, limit: number): Promise<number> {
  return call<number>(tx, 'select lifecycle_settle_due($1) as outcome', [limit])
}
