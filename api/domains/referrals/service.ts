import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'
import { publish } from '../program/index.ts'
import type { ReferralProgramBody } from './part.ts'
import type { Signal } from './signals.ts'
import { settleBatch } from './store.ts'

/** A claim and its friend, as uuids. */
export interface Claimed {
  readonly referral: string
  readonly member: string
}

/** Puts a referral program into force, or with null out of it; claims under way keep their version. */
export async function publishProgram(
  tx: Tx,
  { key, program }: { readonly key: string; readonly program: ReferralProgramBody | null },
  { actor }: { readonly actor: string },
): Promise<{ readonly key: string; readonly version: number | null }> {
  const { changed } = await publish(tx, [{ kind: 'referralProgram', key, body: program }], { actor })
  return { key, version: changed[0]?.version ?? null }
}

/**
 * Ties a new member to the one whose code it gives. Throws NotFoundError, ReferralRefusedError, MembershipEndedError,
 * IdempotencyKeyReusedError.
 */
export async function claimReferral(
  tx: Tx,
  claim: {
    readonly member: MemberBy
    readonly code: string
    readonly program: string | null
    readonly signals: readonly Signal[]
  },
  { key, hash, actor }: Operation,
): Promise<Claimed> {
  return raise(
    await call<Outcome<Claimed>>(tx, 'select referral_claim($1, $2, $3, $4, $5, $6, $7, $8) as outcome', [
      key,
      hash,
      ...namesOf(claim.member),
      claim.code,
      claim.program,
      JSON.stringify(claim.signals),
      actor,
    ]),
  )
}

/** Lets a claim (a uuid) under review go on, or ends it. Throws NotFoundError, ReferralClosedError, IdempotencyKeyReusedError. */
export async function decideReferral(
  tx: Tx,
  decision: { readonly referral: string; readonly isApproved: boolean; readonly reason: string | null },
  { key, hash, actor }: Operation,
): Promise<Claimed> {
  return raise(
    await call<Outcome<Claimed>>(tx, 'select referral_decide($1, $2, $3, $4, $5, $6) as outcome', [
      key,
      hash,
      decision.referral,
      decision.isApproved,
      decision.reason,
      actor,
    ]),
  )
}

/** Keeps what a member was seen with, for 90 days, and looks at its unpaid claims again. Throws NotFoundError. */
export async function noteSignals(
  tx: Tx,
  by: MemberBy,
  { signals, actor }: { readonly signals: readonly Signal[]; readonly actor: string },
): Promise<{ readonly member: string }> {
  return raise(
    await call<Outcome<{ member: string }>>(tx, 'select referral_note($1, $2, $3, $4) as outcome', [
      ...namesOf(by),
      JSON.stringify(signals),
      actor,
    ]),
  )
}

/** Pays what is due and forgets old signals, at most so many of each; how many there were. */
export function settleReferrals(tx: Tx, most: number): Promise<number> {
  return settleBatch(tx, most)
}
