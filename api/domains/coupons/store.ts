import type { Tx } from '../../platform/db.ts'
import type { Outcome } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import type { Sealed } from '../../platform/vault.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** A redemption and whose it is, both uuids. */
export interface Redeemed {
  readonly redemption: string
  readonly member: string
}

/** Codes that were kept; `is_new` is false when the request was answered before. */
export interface Made {
  readonly coupon: string
  readonly made: number
  readonly is_new: boolean
}

/** A coupon that was bound to a member, by the hash in that place, counted from 1. */
export interface Issued {
  readonly code: string
  readonly member: string
  readonly place?: number
  readonly is_new: boolean
}

/** The sealed key of the tenant's codes; undefined while there is none. */
export async function readKey(tx: Tx): Promise<Sealed | undefined> {
  const [row] = await tx.query<Sealed>({
    name: 'coupon_key',
    text: 'select sealed, data_key as "dataKey", key_id as "keyId" from coupon_key where own()',
    values: [],
  })
  return row
}

/** coupon_key_keep of 0021_coupons.sql. */
export async function keepKeyCall(tx: Tx, { sealed, dataKey, keyId }: Sealed): Promise<void> {
  await tx.query({
    name: 'coupon_key_keep',
    text: 'select coupon_key_keep($1, $2, $3)',
    values: [sealed, dataKey, keyId],
  })
}

/** coupon_make of 0021_coupons.sql. */
export function makeCall(
  tx: Tx,
  codes: { readonly coupon: string; readonly kind: 'BULK' | 'WORD'; readonly hashes: readonly Uint8Array[] },
  { key, hash, actor }: Partial<Operation> & { readonly actor: string },
): Promise<Outcome<Made>> {
  return call(tx, 'select coupon_make($1, $2, $3, $4, $5, $6) as outcome', [
    key ?? null,
    hash ?? null,
    codes.coupon,
    codes.kind,
    codes.hashes,
    actor,
  ])
}

/** coupon_issue of 0021_coupons.sql. */
export function issueCall(
  tx: Tx,
  issued: {
    readonly member: MemberBy
    readonly coupon: string
    readonly hashes: readonly Uint8Array[]
    readonly validFor: string | null
  },
  { key, hash, actor }: Operation,
): Promise<Outcome<Issued>> {
  return call(tx, 'select coupon_issue($1, $2, $3, $4, $5, $6, $7::interval, $8) as outcome', [
    key,
    hash,
    ...namesOf(issued.member),
    issued.coupon,
    issued.hashes,
    issued.validFor,
    actor,
  ])
}

/** coupons_usable of 0021_coupons.sql; the outcomes in the order of the codes. */
export async function usablesCall(
  tx: Tx,
  {
    member,
    codes,
    token,
  }: { readonly member: string; readonly codes: readonly Uint8Array[]; readonly token: string },
): Promise<readonly Outcome<{ coupon: string; version: number }>[]> {
  const [row] = await tx.query<{ outcomes: readonly Outcome<{ coupon: string; version: number }>[] }>({
    name: 'coupons_usable',
    text: 'select coupons_usable($1, $2, $3) as outcomes',
    values: [member, codes, token],
  })
  return row?.outcomes ?? []
}

/** coupon_usable of 0021_coupons.sql. */
export function usableCall(
  tx: Tx,
  { member, code, token }: { readonly member: MemberBy; readonly code: Uint8Array; readonly token: string },
): Promise<Outcome<{ coupon: string; version: number }>> {
  return call(tx, 'select coupon_usable($1, $2, $3, $4) as outcome', [...namesOf(member), code, token])
}

/** What is redeemed, by the hash of its code. */
export interface Redeeming {
  readonly member: MemberBy
  readonly code: Uint8Array
  readonly orderId: string | null
  readonly isHeld: boolean
  readonly discount: bigint | null
  readonly currency: string | null
  /** Tells one token from another. */
  readonly token: string
}

/** coupon_redeem of 0021_coupons.sql. */
export function redeemCall(
  tx: Tx,
  { member, code, orderId, isHeld, discount, currency, token }: Redeeming,
  { key, hash, actor }: Operation,
): Promise<Outcome<Redeemed>> {
  return call(tx, 'select coupon_redeem($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as outcome', [
    key,
    hash,
    ...namesOf(member),
    code,
    orderId,
    isHeld,
    discount,
    currency,
    token,
    actor,
  ])
}

/** coupon_release of 0021_coupons.sql. */
export function releaseCall(
  tx: Tx,
  released: {
    readonly redemption: string
    /** Of this member alone, unless null. */
    readonly only: string | null
    /** Also what was used, with its benefit. */
    readonly takesBack: boolean
    readonly reason: string | null
  },
  { key, hash, actor }: Operation,
): Promise<Outcome<Redeemed>> {
  const { redemption, only, takesBack, reason } = released
  return call(tx, 'select coupon_release($1, $2, $3, $4, $5, $6, $7) as outcome', [
    key,
    hash,
    redemption,
    only,
    takesBack,
    reason,
    actor,
  ])
}

/** campaign_move of 0021_coupons.sql. */
export function moveCampaignCall(
  tx: Tx,
  { campaign, to }: { readonly campaign: string; readonly to: 'ACTIVE' | 'PAUSED' | 'ENDED' },
  { key, hash, actor }: Operation,
): Promise<Outcome<{ campaign: string }>> {
  return call(tx, 'select campaign_move($1, $2, $3, $4, $5) as outcome', [key, hash, campaign, to, actor])
}

/** coupons_settle_due of 0021_coupons.sql. */
export async function settleBatch(tx: Tx, most: number): Promise<number> {
  const [row] = await tx.query<{ settled: number }>({
    name: 'coupons_settle_due',
    text: 'select coupons_settle_due($1) as settled',
    values: [most],
  })
  return row?.settled ?? 0
}
