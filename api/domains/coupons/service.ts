import { createHmac } from 'node:crypto'
import type { Tx } from '../../platform/db.ts'
import { BadInputError, type CouponRefusal, type Outcome, raise } from '../../platform/errors/index.ts'
import type { Operation } from '../../platform/operation.ts'
import type { Vault } from '../../platform/vault.ts'
import type { MemberBy } from '../members/index.ts'
import { key as keySchema } from '../program/index.ts'
import { checkWord, foldCode, hashCode, isMistyped, makeBulkCode, makeMemberCode } from './codes.ts'
import { codeKey } from './keys.ts'
import {
  issueCall,
  makeCall,
  type Redeemed,
  redeemCall,
  settleBatch,
  usableCall,
  usablesCall,
} from './store.ts'

/** What a code is tried with: by whom, and by which token, told by a digest of it. */
export interface Trying {
  readonly member: MemberBy
  readonly code: string
  readonly token: string
}

/** What is redeemed. Money is in minor units. */
export interface Redeeming extends Trying {
  readonly orderId: string | null
  /** Reserved until its time is over, instead of used at once. */
  readonly isHeld: boolean
  /** What it takes off the order. */
  readonly discount: { readonly amount: bigint; readonly currency: string } | null
}

/** New codes in clear, which are nowhere else; none when the request was answered before. */
export interface NewCodes {
  readonly coupon: string
  readonly made: number
  readonly codes: readonly string[]
}

/** A coupon that was bound to a member; its code is null when the request was answered before. */
export interface NewIssue {
  readonly issued: string
  readonly member: string
  readonly code: string | null
}

/** The most codes that are made at once. */
export const CODES_AT_ONCE = 1_000
const LONGEST_CODE = 200
/** Of so many short codes, at least one is free. */
const CANDIDATES = 5

/**
 * Makes codes of a coupon. They are told once, to whoever asked first. Without a key and a hash it is the command
 * line's. Throws NotFoundError, IdempotencyKeyReusedError.
 */
export async function makeCoupons(
  tx: Tx,
  { coupon, count, prefix }: { readonly coupon: string; readonly count: number; readonly prefix: string },
  { vault, op }: { readonly vault: Vault; readonly op: Partial<Operation> & { readonly actor: string } },
): Promise<NewCodes> {
  const key = await codeKey(tx, vault)
  const codes = Array.from({ length: count }, () => makeBulkCode(prefix))
  const hashes = codes.map((code) => hashCode(key, code))
  const { made, is_new } = raise(await makeCall(tx, { coupon, kind: 'BULK', hashes }, op))
  return { coupon, made, codes: is_new ? codes : [] }
}

/** Lets a word that everybody may know open a coupon. Throws NotFoundError, IdempotencyKeyReusedError, BadInputError. */
export async function addCouponWord(
  tx: Tx,
  { coupon, word }: { readonly coupon: string; readonly word: string },
  { vault, op }: { readonly vault: Vault; readonly op: Operation },
): Promise<{ coupon: string }> {
  const key = await codeKey(tx, vault)
  const hashes = [hashCode(key, checkWord(word, 'input.word'))]
  return raise(await makeCall(tx, { coupon, kind: 'WORD', hashes }, sealedOp(op, key)))
}

/**
 * Binds a coupon to a member, for an ISO 8601 duration or as long as the coupon. Throws NotFoundError,
 * MembershipEndedError, IdempotencyKeyReusedError.
 */
export async function issueCoupon(
  tx: Tx,
  issue: { readonly member: MemberBy; readonly coupon: string; readonly validFor: string | null },
  { vault, op }: { readonly vault: Vault; readonly op: Operation },
): Promise<NewIssue> {
  const key = await codeKey(tx, vault)
  const codes = Array.from({ length: CANDIDATES }, makeMemberCode)
  const hashes = codes.map((code) => hashCode(key, code))
  const { code: issued, member, place } = raise(await issueCall(tx, { ...issue, hashes }, op))
  return { issued, member, code: place === undefined ? null : (codes[place - 1] ?? null) }
}

/** Whether a code would be taken now, without taking it; a wrong one counts as a guess. */
export async function couponUsable(tx: Tx, { member, code, token }: Trying, vault: Vault) {
  checkCode(code, 'code')
  const hash = hashCode(await codeKey(tx, vault), code)
  return explained(await usableCall(tx, { member, code: hash, token }), code)
}

/** The same for several codes of one member (a uuid), in their order; each wrong one counts as a guess. */
export async function couponsUsable(
  tx: Tx,
  asked: { readonly member: string; readonly codes: readonly string[]; readonly token: string },
  vault: Vault,
) {
  for (const [i, code] of asked.codes.entries()) checkCode(code, `input.coupons.${i}`)
  const key = await codeKey(tx, vault)
  const outcomes = await usablesCall(tx, { ...asked, codes: asked.codes.map((code) => hashCode(key, code)) })
  return outcomes.map((outcome, i) => explained(outcome, asked.codes[i] ?? ''))
}

/** Redeems a code, at once or as a reservation. The key's memory of the request is sealed: the code is in it. */
export async function redeemCoupon(
  tx: Tx,
  { code, discount, ...given }: Redeeming,
  { vault, op }: { readonly vault: Vault; readonly op: Operation },
): Promise<Outcome<Redeemed>> {
  checkCode(code, 'input.code')
  const key = await codeKey(tx, vault)
  const redeeming = {
    ...given,
    code: hashCode(key, code),
    discount: discount?.amount ?? null,
    currency: discount?.currency ?? null,
  }
  return explained(await redeemCall(tx, redeeming, sealedOp(op, key)), code)
}

/**
 * Books what the clock has done: campaigns that began or ended, reservations that lapsed, stocks to be told of. How
 * many, at most `most` of each.
 */
export function settleCoupons(tx: Tx, most = 1_000): Promise<number> {
  return settleBatch(tx, most)
}

/** Checks a key that names a definition. Throws BadInputError. */
export function checkKey(given: string, field: string): string {
  const read = keySchema.safeParse(given)
  if (read.success) return read.data
  throw new BadInputError(field, `${field} ${read.error.issues[0]?.message}.`)
}

/** What a viewer is told of a refusal: members nothing that could tell a guess from a coupon. */
export function toldTo(viewer: { readonly kind: string } | null, reason: CouponRefusal): CouponRefusal {
  return viewer?.kind === 'MEMBER' && !TOLD_TO_MEMBERS.includes(reason) ? 'NOT_USABLE' : reason
}

const TOLD_TO_MEMBERS: readonly CouponRefusal[] = [
  'STOCK_USED_UP',
  'BUDGET_USED_UP',
  'MEMBER_LIMIT',
  'PERIOD_LIMIT',
  'ON_ORDER',
]

function checkCode(code: string, field: string): void {
  if (code.length > LONGEST_CODE || foldCode(code) === '') {
    throw new BadInputError(field, `${field} must have 1 to ${LONGEST_CODE} characters.`)
  }
}

/** Tells a code with a typing error from one that never was. */
function explained<Done extends object>(outcome: Outcome<Done>, code: string): Outcome<Done> {
  const isUnknown = outcome.is === 'coupon_not_usable' && outcome.reason === 'UNKNOWN'
  return isUnknown && isMistyped(foldCode(code)) ? { is: 'coupon_not_usable', reason: 'MISTYPED' } : outcome
}

/** The hash of an input with a code in it would let a short code be guessed from the table of operations. */
function sealedOp(op: Operation, key: Uint8Array): Operation {
  return { ...op, hash: createHmac('sha256', key).update(op.hash).digest() }
}
