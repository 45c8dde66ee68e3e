import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'
import { publish } from '../program/index.ts'
import type { RewardBody } from './part.ts'
import { settleBatch } from './store.ts'

/** What became of a redemption: uuids; the transaction is null when no points moved. */
export interface Redeemed {
  readonly redemption: string
  readonly member: string
  readonly transaction: string | null
}

/** Puts a reward into force; the same definition again changes nothing. Throws BadInputError for a wrong audience. */
export async function defineReward(
  tx: Tx,
  { key, reward }: { readonly key: string; readonly reward: RewardBody },
  { actor }: { readonly actor: string },
): Promise<{ readonly key: string }> {
  await publish(tx, [{ kind: 'reward', key, body: reward }], { actor })
  return { key }
}

/** Takes a reward out of force. What was redeemed goes on as it was. */
export async function retireReward(
  tx: Tx,
  key: string,
  { actor }: { readonly actor: string },
): Promise<{ readonly key: string }> {
  await publish(tx, [{ kind: 'reward', key, body: null }], { actor })
  return { key }
}

/**
 * Redeems so many of a reward for a member. Throws NotFoundError, RewardUnavailableError, InsufficientPointsError,
 * MembershipEndedError, IdempotencyKeyReusedError.
 */
export async function redeemReward(
  tx: Tx,
  asked: { readonly member: MemberBy; readonly reward: string; readonly quantity: number },
  { key, hash, actor }: Operation,
): Promise<Redeemed> {
  return raise(
    await call<Outcome<Redeemed>>(tx, 'select reward_redeem($1, $2, $3, $4, $5, $6, $7) as outcome', [
      key,
      hash,
      ...namesOf(asked.member),
      asked.reward,
      asked.quantity,
      actor,
    ]),
  )
}

/** Fulfils a redemption (a uuid). Throws NotFoundError, RedemptionClosedError, HoldResolvedError, IdempotencyKeyReusedError. */
export async function fulfilReward(
  tx: Tx,
  { redemption, reference }: { readonly redemption: string; readonly reference: string | null },
  { key, hash, actor }: Operation,
): Promise<Redeemed> {
  return raise(
    await call<Outcome<Redeemed>>(tx, 'select reward_fulfil($1, $2, $3, $4, $5) as outcome', [
      key,
      hash,
      redemption,
      reference,
      actor,
    ]),
  )
}

/**
 * Calls a redemption (a uuid) off; with `member` only that member's own, and nothing that was fulfilled. Throws
 * NotFoundError, RedemptionClosedError, IdempotencyKeyReusedError.
 */
export async function cancelRedemption(
  tx: Tx,
  asked: { readonly redemption: string; readonly member: string | null; readonly reason: string | null },
  { key, hash, actor }: Operation,
): Promise<Redeemed> {
  return raise(
    await call<Outcome<Redeemed>>(tx, 'select reward_cancel($1, $2, $3, $4, $5, $6) as outcome', [
      key,
      hash,
      asked.redemption,
      asked.member,
      asked.reason,
      actor,
    ]),
  )
}

/** Books the reservations that the clock has let lapse, at most so many; how many there were. */
export function settleRewards(tx: Tx, most: number): Promise<number> {
  return settleBatch(tx, most)
}
