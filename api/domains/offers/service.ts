import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** A receipt that somebody gives, or that a member takes. */
export interface Giving {
  readonly member: MemberBy
  /** The key of the offer. */
  readonly offer: string
  /** What the giver calls the receipt; a second one of this key is the same. */
  readonly receipt: string | null
  /** Now when null. */
  readonly at: Date | null
  readonly way: 'RECEIVED' | 'CLAIMED'
}

/** What changed: a receipt, and whose it is. Ids (uuid). */
export interface ReceiptChanged {
  readonly receipt: string
  readonly member: string
}

/**
 * Gives an offer to a member, or lets the member take it. What was bought already may complete it at once. Throws
 * NotFoundError, BadInputError, MembershipEndedError, OfferRefusedError, IdempotencyKeyReusedError.
 */
export async function receiveOffer(tx: Tx, giving: Giving, { key, hash, actor }: Operation) {
  const { member, offer, receipt, at, way } = giving
  return raise(
    await call<Outcome<ReceiptChanged>>(
      tx,
      'select offer_receive($1, $2, $3, $4, $5, $6, $7, $8, $9) as outcome',
      [...[key, hash, ...namesOf(member), offer, receipt, at, way, actor]],
    ),
  )
}

/** A member (`only`: this one alone) saw a receipt. The first time counts. Throws NotFoundError, BadInputError. */
export async function viewReceipt(
  tx: Tx,
  receipt: string,
  { only, at }: { readonly only: string | null; readonly at: Date | null },
) {
  return raise(
    await call<Outcome<ReceiptChanged>>(tx, 'select offer_view($1, $2, $3) as outcome', [receipt, only, at]),
  )
}

/**
 * What a completed receipt was worth has been used. Throws NotFoundError, OfferRefusedError,
 * IdempotencyKeyReusedError.
 */
export async function consumeReceipt(
  tx: Tx,
  receipt: string,
  { only, operation: { key, hash, actor } }: { readonly only: string | null; readonly operation: Operation },
) {
  return raise(
    await call<Outcome<ReceiptChanged>>(tx, 'select offer_use($1, $2, $3, $4, $5) as outcome', [
      ...[key, hash, receipt, only, actor],
    ]),
  )
}

/** Books receipts that are over by the tenant's clock, at most `limit`; how many. */
export async function settleOffers(tx: Tx, limit: number): Promise<number> {
  return call<number>(tx, 'select offers_settle_due($1) as outcome', [limit])
}
