import { DomainError } from './failure.ts'

/** Why a code is not taken. Members are told fewer of them. */
export const COUPON_REFUSALS = {
  NOT_USABLE: 'It opens nothing for this member now.',
  UNKNOWN: 'No coupon has this code. Told to staff.',
  MISTYPED: 'No coupon has this code, and its check symbol says that something was mistyped. Told to staff.',
  NOT_THEIRS: 'It is bound to another member. Told to staff.',
  NOT_STARTED: 'Its time has not come. Told to staff.',
  EXPIRED: 'Its time is over. Told to staff.',
  WITHDRAWN: 'The coupon was retired. Told to staff.',
  NOT_IN_AUDIENCE: 'The coupon or its campaign is not for this member. Told to staff.',
  CAMPAIGN_NOT_RUNNING: 'Its campaign has not begun, is paused or has ended. Told to staff.',
  BUDGET_CURRENCY: 'The budget of its campaign is in another currency. Told to staff.',
  CODE_USED: 'The code was used up by others. Told to staff.',
  STOCK_USED_UP: 'There are none left.',
  BUDGET_USED_UP: 'The budget of its campaign is used up.',
  MEMBER_LIMIT: 'The member has used it as often as one may.',
  PERIOD_LIMIT: 'The member has used it as often as one may for now.',
  ON_ORDER: 'The order has it already.',
} as const

/** The name of such a reason. */
export type CouponRefusal = keyof typeof COUPON_REFUSALS

/** The code opens nothing for this member now. */
export class CouponNotUsableError extends DomainError {
  readonly code = 'COUPON_NOT_USABLE'
  readonly reason: CouponRefusal
  constructor(reason: CouponRefusal) {
    super(`This code cannot be used: ${COUPON_REFUSALS[reason].replace(' Told to staff.', '')}`)
    this.reason = reason
  }
}

/** Too many codes that open nothing were tried. `retryAfter` is in seconds. */
export class TooManyAttemptsError extends DomainError {
  readonly code = 'TOO_MANY_ATTEMPTS'
  readonly retryAfter: number
  constructor(retryAfter: number) {
    super(`Too many codes were tried. Try again in ${retryAfter} seconds.`)
    this.retryAfter = retryAfter
  }
}

/** The redemption was used or released before. */
export class RedemptionResolvedError extends DomainError {
  readonly code = 'REDEMPTION_RESOLVED'
  readonly state: 'USED' | 'RELEASED'
  constructor(state: 'USED' | 'RELEASED') {
    super(`This coupon was ${state.toLowerCase()} already.`)
    this.state = state
  }
}

/** The campaign has ended, or is in the state that was asked for. */
export class CampaignStateError extends DomainError {
  readonly code = 'CAMPAIGN_STATE'
  readonly state: 'DRAFT' | 'ACTIVE' | 'PAUSED' | 'ENDED'
  constructor(state: 'DRAFT' | 'ACTIVE' | 'PAUSED' | 'ENDED') {
    super(`This campaign is ${state.toLowerCase()}.`)
    this.state = state
  }
}

/** Why an offer is not given to a member, or not used. */
export type OfferRefusal =
  | 'NOT_CLAIMABLE'
  | 'NOT_YET'
  | 'OVER'
  | 'LIMIT_REACHED'
  | 'NOT_ELIGIBLE'
  | 'OUT_OF_STOCK'
  | 'RECEIPT_EXISTS'
  | 'NOT_COMPLETED'
  | 'USED'
  | 'REVERSED'

const OFFER_REFUSALS: Readonly<Record<OfferRefusal, string>> = {
  NOT_CLAIMABLE: 'This offer is given, not taken.',
  NOT_YET: 'This offer has not begun.',
  OVER: 'This offer is over.',
  LIMIT_REACHED: 'The member has had this offer as often as it is given.',
  NOT_ELIGIBLE: 'This offer is not for this member.',
  OUT_OF_STOCK: 'Nothing is left of this offer.',
  RECEIPT_EXISTS: 'This key names another receipt already.',
  NOT_COMPLETED: 'This offer has not been completed.',
  USED: 'This offer has been used.',
  REVERSED: 'What completed this offer was given back.',
}

/** The member cannot have this offer, or use it, now. */
export class OfferRefusedError extends DomainError {
  readonly code = 'OFFER_REFUSED'
  readonly reason: OfferRefusal
  constructor(reason: OfferRefusal) {
    super(OFFER_REFUSALS[reason])
    this.reason = reason
  }
}

/** The reward may not be had now, or not by this member. */
export class RewardUnavailableError extends DomainError {
  readonly code = 'REWARD_UNAVAILABLE'
  readonly reason: RewardRefusal
  constructor(reason: RewardRefusal) {
    super(`This reward cannot be redeemed: ${REWARD_REFUSALS[reason]}.`)
    this.reason = reason
  }
}

/** Why a reward may not be had. */
export type RewardRefusal = keyof typeof REWARD_REFUSALS

const REWARD_REFUSALS = {
  RETIRED: 'it is offered no longer',
  NOT_STARTED: 'its time has not come',
  ENDED: 'its time is over',
  NOT_FOR_MEMBER: 'it is for others',
  LIMIT_REACHED: 'the member has had as many as it may, for now',
  SOLD_OUT: 'there are too few left',
} as const

/** The redemption was fulfilled, called off, or lapsed. */
export class RedemptionClosedError extends DomainError {
  readonly code = 'REDEMPTION_CLOSED'
  readonly state: 'FULFILLED' | 'CANCELLED' | 'LAPSED'
  constructor(state: 'FULFILLED' | 'CANCELLED' | 'LAPSED') {
    super(`This redemption is ${state.toLowerCase()}.`)
    this.state = state
  }
}

/** The member has no such entitlement. */
export class NotEntitledError extends DomainError {
  readonly code = 'NOT_ENTITLED'
  /** The key of the entitlement. */
  readonly entitlement: string
  constructor(entitlement: string) {
    super(`The member does not have the entitlement ${entitlement}.`)
    this.entitlement = entitlement
  }
}

/** The entitlement is there, but was used too often. */
export class QuotaExceededError extends DomainError {
  readonly code = 'QUOTA_EXCEEDED'
  readonly left: bigint
  readonly requested: bigint
  /** When some of it ends or begins anew; null: never by itself. */
  readonly renewsAt: Date | null
  constructor(left: bigint, requested: bigint, renewsAt: Date | null) {
    super(`This needs ${requested} uses; ${left} are left.`)
    this.left = left
    this.requested = requested
    this.renewsAt = renewsAt
  }
}

/** How a benefit, or a use of one, ended. */
export type BenefitEnd = 'USED' | 'EXPIRED' | 'TAKEN_BACK' | 'RETURNED'

/** The benefit, or the use, has ended already. */
export class BenefitSettledError extends DomainError {
  readonly code = 'BENEFIT_SETTLED'
  readonly state: BenefitEnd
  constructor(state: BenefitEnd) {
    super(`This was ${state.toLowerCase().replace('_', ' ')} already.`)
    this.state = state
  }
}

/** The member cannot say that somebody recommended the shop. */
export class ReferralRefusedError extends DomainError {
  readonly code = 'REFERRAL_REFUSED'
  readonly reason: ReferralRefusal
  constructor(reason: ReferralRefusal) {
    super(`This referral cannot be claimed: ${REFERRAL_REFUSALS[reason]}.`)
    this.reason = reason
  }
}

/** Why a referral cannot be claimed. */
export type ReferralRefusal = keyof typeof REFERRAL_REFUSALS

const REFERRAL_REFUSALS = {
  SELF: 'nobody recommends the shop to itself',
  ALREADY_REFERRED: 'the member has said who recommended the shop',
  NOT_NEW: 'the member has bought before, or has been one for too long',
  KNOWN_BEFORE: 'the member was there before whoever recommended the shop',
  CLOSED: 'the program is not open now, or the referrer has left',
  TOO_MANY_CLAIMS: 'the code was claimed too often in too short a time',
  LIMIT_REACHED: 'the referrer has brought as many as count, for now',
} as const

/** The referral is not under review. */
export class ReferralClosedError extends DomainError {
  readonly code = 'REFERRAL_CLOSED'
  readonly state: ReferralStanding
  constructor(state: ReferralStanding) {
    super(`This referral is not under review; it stands as ${state}.`)
    this.state = state
  }
}

/** How a referral that is not under review stands. */
export type ReferralStanding = 'CLAIMED' | 'QUALIFIED' | 'HELD' | 'PAID' | 'REJECTED' | 'REVERSED'
