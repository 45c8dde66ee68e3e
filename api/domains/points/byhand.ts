import type { Tx } from '../../platform/db.ts'
import type { Outcome } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'
import type { NewSpend } from './service.ts'

/** Points that a member gives to another. */
export interface NewTransfer extends NewSpend {
  readonly to: MemberBy
}

/** What a transfer moved: both wallets and both points transactions, as uuids. */
export interface Transferred {
  readonly wallet: string
  readonly transaction: string
  readonly to_wallet: string
  readonly to_transaction: string
}

/** An adjustment (a uuid), and the points transaction when it moved points. */
export interface Adjusted {
  readonly adjustment: string
  readonly transaction: string | null
}

/** A wallet (a uuid), and how many of its points were given a later date, as a decimal. */
export interface Extended {
  readonly wallet: string
  readonly points: string
}

/**
 * Moves points to another member; they keep their dates. Refusals: bad_input, not_found, key_reused,
 * membership_ended, insufficient_points.
 */
export function transferPoints(
  tx: Tx,
  transfer: NewTransfer,
  { key, hash, actor }: Operation,
): Promise<Outcome<Transferred>> {
  return call(tx, 'select points_transfer($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) as outcome', [
    key,
    hash,
    ...namesOf(transfer.member),
    ...namesOf(transfer.to),
    transfer.points,
    transfer.currency ?? null,
    transfer.reason,
    actor,
  ])
}

/**
 * Lets the points that die within a time live longer, both ISO 8601. Refusals: bad_input, not_found, key_reused,
 * membership_ended.
 */
export function extendPoints(
  tx: Tx,
  extension: Omit<NewSpend, 'points'> & { readonly within: string; readonly by: string },
  { key, hash, actor }: Operation,
): Promise<Outcome<Extended>> {
  return call(tx, 'select points_extend($1, $2, $3, $4, $5, $6::interval, $7::interval, $8, $9) as outcome', [
    key,
    hash,
    ...namesOf(extension.member),
    extension.currency ?? null,
    extension.within,
    extension.by,
    extension.reason,
    actor,
  ])
}

/**
 * Adds points by hand, or takes them away (below zero); more than one may do alone is only asked for. For DELIGHT it
 * adds, within the month's budget. Refusals: bad_input, not_found, key_reused, membership_ended,
 * insufficient_points, operator_limit_reached.
 */
export function adjustPoints(
  tx: Tx,
  adjustment: NewSpend & { readonly kind: 'ADJUSTMENT' | 'DELIGHT' },
  { key, hash, actor }: Operation,
): Promise<Outcome<Adjusted>> {
  return call(tx, 'select points_adjust($1, $2, $3, $4, $5, $6, $7, $8, $9) as outcome', [
    key,
    hash,
    adjustment.kind,
    ...namesOf(adjustment.member),
    adjustment.points,
    adjustment.currency ?? null,
    adjustment.reason,
    actor,
  ])
}

/**
 * Approves or rejects what another operator asked for, once. Refusals: not_found, key_reused, own_request,
 * already_decided, membership_ended, insufficient_points.
 */
export function decideAdjustment(
  tx: Tx,
  {
    adjustment,
    approves,
    note,
  }: { readonly adjustment: string; readonly approves: boolean; readonly note?: string | null | undefined },
  { key, hash, actor }: Operation,
): Promise<Outcome<Adjusted>> {
  return call(tx, 'select points_adjustment_decide($1, $2, $3, $4, $5, $6) as outcome', [
    key,
    hash,
    adjustment,
    approves,
    note ?? null,
    actor,
  ])
}
