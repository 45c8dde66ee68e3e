import { DomainError } from './failure.ts'

/** The wallet cannot afford it. Both figures are points. */
export class InsufficientPointsError extends DomainError {
  readonly code = 'INSUFFICIENT_POINTS'
  readonly available: bigint
  readonly required: bigint
  constructor(available: bigint, required: bigint) {
    super(`This needs ${required} points; the balance is ${available}.`)
    this.available = available
    this.required = required
  }
}

/** What an operator may move by hand in a period is used up. Both figures are points. */
export class OperatorLimitReachedError extends DomainError {
  readonly code = 'OPERATOR_LIMIT_REACHED'
  readonly limit: bigint
  readonly left: bigint
  /** When the next period begins. */
  readonly resetsAt: Date
  constructor(limit: bigint, left: bigint, resetsAt: Date) {
    super(
      `Of the ${limit} points that you may move by hand, ${left} are left until ${resetsAt.toISOString()}.`,
    )
    this.limit = limit
    this.left = left
    this.resetsAt = resetsAt
  }
}

/** The one who asked for it may not be the one who decides. */
export class OwnRequestError extends DomainError {
  readonly code = 'OWN_REQUEST'
  constructor() {
    super('You asked for this yourself. Somebody else has to decide.')
  }
}

/** It was approved or rejected before, or was done at once. */
export class AlreadyDecidedError extends DomainError {
  readonly code = 'ALREADY_DECIDED'
  readonly state: 'DONE' | 'APPROVED' | 'REJECTED'
  constructor(state: 'DONE' | 'APPROVED' | 'REJECTED') {
    super(`This was ${state.toLowerCase()} already.`)
    this.state = state
  }
}

/** The order is recorded already, under another idempotency key. */
export class DuplicateOrderError extends DomainError {
  readonly code = 'DUPLICATE_ORDER'
  /** Id (uuid) of the purchase that has this order id. */
  readonly purchaseId: string
  constructor(purchaseId: string) {
    super('A purchase with this order id is recorded already.')
    this.purchaseId = purchaseId
  }
}

/** The partner's number was used before, under another idempotency key. */
export class DuplicateReferenceError extends DomainError {
  readonly code = 'DUPLICATE_REFERENCE'
  readonly reference: string
  constructor(reference: string) {
    super(`The partner's reference ${reference} is booked already.`)
    this.reference = reference
  }
}

/** The hold is closed: its points were captured, or given back. */
export class HoldResolvedError extends DomainError {
  readonly code = 'HOLD_RESOLVED'
  readonly state: 'CAPTURED' | 'VOIDED'
  constructor(state: 'CAPTURED' | 'VOIDED') {
    super(`This hold was ${state.toLowerCase()} already.`)
    this.state = state
  }
}

/** The hold lapsed; its points are available again. */
export class HoldExpiredError extends DomainError {
  readonly code = 'HOLD_EXPIRED'
  readonly expiredAt: Date
  constructor(expiredAt: Date) {
    super(`This hold expired at ${expiredAt.toISOString()}.`)
    this.expiredAt = expiredAt
  }
}

/** More would be given back than is left of the purchase, or of the spend. */
export class RefundExceedsPurchaseError extends DomainError {
  readonly code = 'REFUND_EXCEEDS_PURCHASE'
  /** What can still be given back: minor units of the purchase's currency, or points of a spend. */
  readonly refundable: bigint
  constructor(refundable: bigint) {
    super(`This would give back more than is left; ${refundable} can still be refunded.`)
    this.refundable = refundable
  }
}
