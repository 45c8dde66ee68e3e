import type { Tx } from '../../platform/db.ts'
import type { Outcome } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'
import { countWallets, type Difference, differencesOf, pageEnds, settleBatch } from './store.ts'

/** What moved: the wallet and the points transaction, as uuids. */
export interface Moved {
  readonly wallet: string
  readonly transaction: string
}

/** What a hold moved; `hold` is a uuid. */
export interface Held extends Moved {
  readonly hold: string
}

/** Points for a member. No currency means POINTS. */
export interface NewGrant {
  readonly member: MemberBy
  readonly points: bigint
  readonly currency?: string | null | undefined
  /** Why, in words for the member. */
  readonly reason: string
  /** Pending until then; at once when absent or past. */
  readonly availableAt?: Date | null | undefined
  /** Dead from that instant on; never when absent. */
  readonly expiresAt?: Date | null | undefined
}

/** Points that a member spends. No currency means POINTS. */
export type NewSpend = Pick<NewGrant, 'member' | 'points' | 'currency' | 'reason'>

/** Points that a member reserves, for an ISO 8601 duration. */
export interface NewHold extends NewSpend {
  readonly expiresIn: string
}

/** What a check of the books found: how many wallets there are, and each difference. */
export interface LedgerCheck {
  readonly wallets: number
  readonly differences: readonly Difference[]
}

/** Grants points. Refusals: bad_input, not_found, key_reused, membership_ended. */
export function grantPoints(
  tx: Tx,
  grant: NewGrant,
  { key, hash, actor }: Operation,
): Promise<Outcome<Moved>> {
  return call(tx, 'select points_grant($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) as outcome', [
    key,
    hash,
    ...namesOf(grant.member),
    grant.points,
    grant.currency ?? null,
    grant.reason,
    grant.availableAt ?? null,
    grant.expiresAt ?? null,
    actor,
  ])
}

/** Spends points in burn order. Refusals: bad_input, not_found, key_reused, membership_ended, insufficient_points. */
export function spendPoints(
  tx: Tx,
  spend: NewSpend,
  { key, hash, actor }: Operation,
): Promise<Outcome<Moved>> {
  return call(tx, 'select points_spend($1, $2, $3, $4, $5, $6, $7, $8) as outcome', [
    key,
    hash,
    ...namesOf(spend.member),
    spend.points,
    spend.currency ?? null,
    spend.reason,
    actor,
  ])
}

/**
 * Gives points of a spend or a capture (a uuid) back to the lots they came from; without points, the rest.
 * Refusals: bad_input, not_found, key_reused, refund_exceeds_purchase.
 */
export function refundSpend(
  tx: Tx,
  refund: {
    readonly transaction: string
    readonly points?: bigint | null | undefined
    readonly reason: string
  },
  { key, hash, actor }: Operation,
): Promise<Outcome<Moved>> {
  return call(tx, 'select points_refund_spend($1, $2, $3, $4, $5, $6) as outcome', [
    key,
    hash,
    refund.transaction,
    refund.points ?? null,
    refund.reason,
    actor,
  ])
}

/** Reserves points. Refusals: bad_input, not_found, key_reused, membership_ended, insufficient_points. */
export function holdPoints(tx: Tx, hold: NewHold, { key, hash, actor }: Operation): Promise<Outcome<Held>> {
  return call(tx, 'select points_hold($1, $2, $3, $4, $5, $6, $7::interval, $8, $9) as outcome', [
    key,
    hash,
    ...namesOf(hold.member),
    hold.points,
    hold.currency ?? null,
    hold.expiresIn,
    hold.reason,
    actor,
  ])
}

/**
 * Spends what a hold (a uuid) reserves, all without points, and gives the rest back.
 * Refusals: bad_input, not_found, key_reused, hold_resolved, hold_expired.
 */
export function captureHold(
  tx: Tx,
  { hold, points }: { readonly hold: string; readonly points?: bigint | null | undefined },
  { key, hash, actor }: Operation,
): Promise<Outcome<Held>> {
  return call(tx, 'select points_capture($1, $2, $3, $4, $5) as outcome', [
    key,
    hash,
    hold,
    points ?? null,
    actor,
  ])
}

/** Gives back what a hold (a uuid) reserves. Refusals: not_found, key_reused, hold_resolved, hold_expired. */
export function voidHold(tx: Tx, hold: string, { key, hash, actor }: Operation): Promise<Outcome<Held>> {
  return call(tx, 'select points_void($1, $2, $3, $4) as outcome', [key, hash, hold, actor])
}

/**
 * Books what the clock has done already (activations, lapsed holds, deaths) in at most `wallets` wallets that nobody
 * else works on, in one statement. Answers how many it settled: when fewer than asked for, nothing is left to do.
 */
export function settleDue(tx: Tx, wallets = 1_000): Promise<number> {
  return settleBatch(tx, wallets)
}

/**
 * Recomputes every wallet from its append-only postings and its chain, some thousand wallets a statement. No
 * differences: the books are right.
 */
export async function verify(tx: Tx): Promise<LedgerCheck> {
  const ends = [FIRST_UUID, ...(await pageEnds(tx, WALLETS_A_STATEMENT)), LAST_UUID]
  const differences: Difference[] = []
  for (const [i, end] of ends.slice(1).entries()) {
    differences.push(...(await differencesOf(tx, ends[i] ?? FIRST_UUID, end)))
  }
  return { wallets: await countWallets(tx), differences }
}

/** So many that a statement stays well under its time limit. */
const WALLETS_A_STATEMENT = 5_000

const FIRST_UUID = '00000000-0000-0000-0000-000000000000'
const LAST_UUID = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
