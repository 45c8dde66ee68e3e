/**
 * Everything that can go wrong in words a caller can act on. Two families:
 * a `DomainError` is an expected answer and becomes typed data in a mutation's result union;
 * a `RequestError` refuses the request or one field and becomes a top-level error.
 * Anything else that is thrown is a fault of ours: masked, and logged once.
 */

/** The one table: every code, the HTTP status it stands for, and when it is answered. */
export const CODES = {
  NOT_FOUND: { status: 404, when: 'The id is well formed, but names nothing that the viewer may see.' },
  COUPON_NOT_USABLE: { status: 409, when: 'The code opens nothing for this member now.' },
  TOO_MANY_ATTEMPTS: {
    status: 429,
    when: 'Too many codes that open nothing were tried; wait before the next.',
  },
  REDEMPTION_RESOLVED: { status: 409, when: 'The coupon was used or released before.' },
  CAMPAIGN_STATE: { status: 409, when: 'The campaign has ended, or is in that state already.' },
  INSUFFICIENT_POINTS: { status: 409, when: 'The wallet holds fewer available points than are needed.' },
  OPERATOR_LIMIT_REACHED: { status: 409, when: 'The operator may not move so many points by hand any more.' },
  OWN_REQUEST: { status: 409, when: 'Somebody else has to decide what one has asked for.' },
  ALREADY_DECIDED: { status: 409, when: 'It was decided before, or needed no decision.' },
  IDEMPOTENCY_KEY_REUSED: { status: 409, when: 'The key was used before, with another input.' },
  DUPLICATE_ORDER: { status: 409, when: 'A purchase with this order id is recorded already.' },
  DUPLICATE_REFERENCE: { status: 409, when: 'The partner used this number before.' },
  HOLD_RESOLVED: { status: 409, when: 'The hold was captured or voided before.' },
  HOLD_EXPIRED: { status: 409, when: 'The hold expired and its points went back.' },
  MEMBERSHIP_ENDED: { status: 409, when: 'The membership has ended.' },
  TRANSITION_NOT_ALLOWED: { status: 409, when: 'Nobody may move a member between these stages by hand.' },
  REFUND_EXCEEDS_PURCHASE: { status: 409, when: 'More would be given back than is left.' },
  CONFIRMATION_EXPIRED: {
    status: 409,
    when: 'The confirmation came too late, or what it was about was taken back.',
  },
  OFFER_REFUSED: {
    status: 409,
    when: 'The member cannot have, or use, this offer now; the reason says why.',
  },
  REWARD_UNAVAILABLE: { status: 409, when: 'The reward may not be redeemed; the error says why.' },
  REDEMPTION_CLOSED: { status: 409, when: 'The redemption cannot go this way any more.' },
  PROGRAM_INVALID: { status: 409, when: 'The program cannot be published as it is; the problems say why.' },
  PROGRAM_CHANGED: { status: 409, when: 'Another version of the program is in force than was expected.' },
  NOT_ENTITLED: { status: 409, when: 'The member does not have this entitlement, by rule or by grant.' },
  QUOTA_EXCEEDED: { status: 409, when: 'The entitlement cannot be used that often now.' },
  BENEFIT_SETTLED: { status: 409, when: 'The benefit ended before: used, expired, taken back or returned.' },
  REFERRAL_REFUSED: { status: 409, when: 'The referral cannot be claimed; the reason says why.' },
  ACCEPTED_ANSWER_CHANGED: {
    status: 409,
    when: 'Another answer is accepted than was expected, or none.',
  },
  REFERRAL_CLOSED: { status: 409, when: 'Nobody has to look at this referral, or somebody has.' },
  CASE_CHANGED: { status: 409, when: 'Somebody else decided meanwhile, or more came to it.' },
  ACCESS_DENIED: {
    status: 409,
    when: 'What is seen may not be acted upon like this; the reason says why, and what would unlock it.',
  },
  SPACE_NOT_ENABLED: { status: 409, when: 'The space is switched off.' },
  ASSET_UNFIT: { status: 409, when: 'The file cannot become part of this; the reason says why.' },
  LESSON_LOCKED: { status: 409, when: 'The lesson is not open to this member yet.' },
  UNAUTHENTICATED: { status: 401, when: 'No token, or one that is not accepted.' },
  FORBIDDEN: { status: 403, when: 'The token is good, but does not allow this.' },
  BAD_INPUT: { status: 400, when: 'A value is wrong; the error names the field and what would be right.' },
  TOO_COSTLY: { status: 429, when: 'The operation is too large, or came too soon after others.' },
  UNAVAILABLE: { status: 503, when: 'A part of the service is away for the moment; try again.' },
  INTERNAL: { status: 500, when: 'A fault of ours; the request id finds it in the log.' },
} as const

/** Every code of the table. */
export type Code = keyof typeof CODES

/** Codes of typed data in result unions. */
export type DomainCode = DomainFailure['code']

/** An expected failure: the caller gets it as typed data, with its facts. */
export abstract class DomainError extends Error {
  abstract readonly code: Code
}

/** Any expected failure; `code` narrows it. */
export type DomainFailure =
  | NotFoundError
  | CouponNotUsableError
  | TooManyAttemptsError
  | RedemptionResolvedError
  | CampaignStateError
  | InsufficientPointsError
  | OperatorLimitReachedError
  | OwnRequestError
  | AlreadyDecidedError
  | IdempotencyKeyReusedError
  | DuplicateOrderError
  | DuplicateReferenceError
  | HoldResolvedError
  | HoldExpiredError
  | MembershipEndedError
  | TransitionNotAllowedError
  | RefundExceedsPurchaseError
  | ConfirmationExpiredError
  | OfferRefusedError
  | RewardUnavailableError
  | RedemptionClosedError
  | ProgramInvalidError
  | ProgramChangedError
  | NotEntitledError
  | QuotaExceededError
  | BenefitSettledError
  | ReferralRefusedError
  | ReferralClosedError
  | AcceptedAnswerChangedError
  | AccessDeniedError
  | CaseChangedError
  | SpaceNotEnabledError
  | AssetUnfitError
  | LessonLockedError

/** A well-formed id of nothing, or of somebody else's thing. */
export class NotFoundError extends DomainError {
  readonly code = 'NOT_FOUND'
  /** The kind of thing, as in "member", "hold". */
  readonly what: string
  constructor(what: string) {
    super(`There is no such ${what}.`)
    this.what = what
  }
}

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

/** The idempotency key came with another mutation or another input before. */
export class IdempotencyKeyReusedError extends DomainError {
  readonly code = 'IDEMPOTENCY_KEY_REUSED'
  constructor() {
    super('This idempotency key was used for another request. Use a new key for a new request.')
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

/** The member has left, was removed, or the membership ran out. */
export class MembershipEndedError extends DomainError {
  readonly code = 'MEMBERSHIP_ENDED'
  readonly endedAt: Date
  constructor(endedAt: Date) {
    super(`The membership ended at ${endedAt.toISOString()}.`)
    this.endedAt = endedAt
  }
}

/** The move is not one that staff may make by hand. All three speak of stage keys. */
export class TransitionNotAllowedError extends DomainError {
  readonly code = 'TRANSITION_NOT_ALLOWED'
  readonly from: string
  readonly to: string
  readonly allowed: readonly string[]
  constructor(from: string, to: string, allowed: readonly string[]) {
    const choice =
      allowed.length > 0 ? `allowed from there: ${allowed.join(', ')}` : 'no move is allowed from there'
    super(`A member cannot be moved from ${from} to ${to} by hand; ${choice}.`)
    this.from = from
    this.to = to
    this.allowed = allowed
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

/** The member answered too late, or what was to be confirmed was withdrawn or removed meanwhile. */
export class ConfirmationExpiredError extends DomainError {
  readonly code = 'CONFIRMATION_EXPIRED'
  readonly expiredAt: Date
  constructor(expiredAt: Date) {
    super(`This confirmation expired at ${expiredAt.toISOString()}. Ask for a new one.`)
    this.expiredAt = expiredAt
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

/** Why something that is seen may not be acted upon. */
export const DENIALS = {
  NOT_JOINED: 'One has to join this space first.',
  NOT_INVITED: 'This space is entered by invitation alone.',
  NOT_MODERATOR: 'This is for moderators of the space.',
  NOT_AUTHOR: 'This is for whoever wrote it.',
  OWN: 'This is for others than whoever wrote it.',
  AUDIENCE: 'This is for members whom a rule names.',
  LOCKED: 'It was closed or taken away.',
  RETIRED: 'It takes in nobody any more.',
  NOT_READY: 'The space lacks something that it needs before anybody comes.',
  NO_PERMISSION: 'Whoever wrote it has not agreed to that.',
  IDEA_CLOSED: 'The idea was decided: it takes no votes any more.',
  VOTES_USED_UP: 'The member has not so many votes left in this space.',
  POLL_CLOSED: 'The poll is over.',
  GATHERING_OVER: 'The gathering is over.',
  RESEARCH_CLOSED: 'The panel or test sale is closed.',
  SOLD_OUT: 'There are not so many left.',
  LIMIT_REACHED: 'The member may not have so many.',
  NOT_TAKEN: 'This is for those who took something.',
  TOO_OFTEN: 'One did this too often; wait before the next.',
  REPEATED: 'One wrote the very same just now.',
  WATCHED_WORD: 'A word is in it that is not wanted here.',
  SUSPENDED: 'The membership rests, and only staff can end that.',
  MEMBERSHIP: 'The membership opens nothing now.',
  NO_MESSAGES: 'This member takes no messages from the one who writes.',
  TOO_MANY: 'There were too many in a short time.',
  WIDER_READERS: 'Some would read it who may not read what it comes from; say that this is right.',
} as const

/** The name of such a reason. */
export type Denial = keyof typeof DENIALS

/** What is seen may not be acted upon like this. */
export class AccessDeniedError extends DomainError {
  readonly code = 'ACCESS_DENIED'
  readonly reason: Denial
  /** The audience rule that would open it, as AudienceInput writes it; null when no rule decides. */
  readonly unlock: unknown
  /** In how many seconds it may be tried again; null when waiting does not help. */
  readonly retryAfter: number | null
  constructor(reason: Denial, unlock: unknown, retryAfter: number | null = null) {
    super(DENIALS[reason])
    this.reason = reason
    this.unlock = unlock
    this.retryAfter = retryAfter
  }
}

/** Somebody else decided the case, or more came to it, meanwhile. */
export class CaseChangedError extends DomainError {
  readonly code = 'CASE_CHANGED'
  /** The version of the case now. */
  readonly version: number
  constructor(version: number) {
    super(`The case is in version ${version} by now. Look at it again.`)
    this.version = version
  }
}

/** Why a file cannot become part of something. */
export type AssetUnfitness = keyof typeof ASSET_UNFIT

const ASSET_UNFIT = {
  NOT_UPLOADED: 'its bytes have not come',
  NOT_AS_ANNOUNCED: 'its bytes are not of the type or the size that was announced',
  TAKEN: 'it is part of something else, or not there',
  TOO_MANY: 'there are 20 files already',
} as const

/** The file cannot become part of this. */
export class AssetUnfitError extends DomainError {
  readonly code = 'ASSET_UNFIT'
  readonly reason: AssetUnfitness
  constructor(reason: AssetUnfitness) {
    super(`This file cannot be attached: ${ASSET_UNFIT[reason]}.`)
    this.reason = reason
  }
}

/** The lesson is not open to the member. `opensAt` is null when it does not open by itself. */
export class LessonLockedError extends DomainError {
  readonly code = 'LESSON_LOCKED'
  readonly isEnrolled: boolean
  readonly opensAt: Date | null
  constructor(isEnrolled: boolean, opensAt: Date | null) {
    super(
      isEnrolled && opensAt
        ? `This lesson opens at ${opensAt.toISOString()}.`
        : 'One has to enrol in the course of this lesson first.',
    )
    this.isEnrolled = isEnrolled
    this.opensAt = opensAt
  }
}

/** The space is switched off. */
export class SpaceNotEnabledError extends DomainError {
  readonly code = 'SPACE_NOT_ENABLED'
  /** The key of the space. */
  readonly key: string
  constructor(key: string) {
    super(`The space ${key} is switched off.`)
    this.key = key
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

/** What is wrong with one place of a document. */
export interface Problem {
  /** As in `document.offers.spring.reward`. */
  readonly path: string
  /** What would be right. */
  readonly message: string
}

/** A program that cannot be published, with everything that is wrong with it. */
export class ProgramInvalidError extends DomainError {
  readonly code = 'PROGRAM_INVALID'
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[]) {
    const [first] = problems
    const more = problems.length > 1 ? ` There are ${problems.length - 1} problems more.` : ''
    super(`The program cannot be published: ${first?.message ?? 'it is wrong.'}${more}`)
    this.problems = problems
  }
}

/** Somebody published meanwhile. */
export class ProgramChangedError extends DomainError {
  readonly code = 'PROGRAM_CHANGED'
  readonly expected: number
  /** The version in force. */
  readonly version: number
  constructor(expected: number, version: number) {
    super(`Version ${version} of the program is in force, not ${expected}.`)
    this.expected = expected
    this.version = version
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

/** Another answer is accepted than the caller believed. */
export class AcceptedAnswerChangedError extends DomainError {
  readonly code = 'ACCEPTED_ANSWER_CHANGED'
  /** Id (uuid) of the answer that is accepted; null: none is. */
  readonly answer: string | null
  constructor(answer: string | null) {
    super(answer === null ? 'No answer is accepted any more.' : 'Another answer was accepted meanwhile.')
    this.answer = answer
  }
}

/** Refuses a whole request, or one field of it: a top-level error with this code. */
export abstract class RequestError extends Error {
  abstract readonly code: Code
}

/** No token where one is needed, or a token that is not accepted. Sign-in throws subclasses. */
export class UnauthenticatedError extends RequestError {
  readonly code = 'UNAUTHENTICATED'
  constructor(message = 'This needs a token: send `Authorization: Bearer <token>`.') {
    super(message)
  }
}

/** The token is good, but its kind or scopes do not allow this. */
export class ForbiddenError extends RequestError {
  readonly code = 'FORBIDDEN'
  constructor(message = 'This token does not allow that.') {
    super(message)
  }
}

/** A wrong value. `field` is a path such as `input.lines.0.quantity`; the message says what would be right. */
export class BadInputError extends RequestError {
  readonly code = 'BAD_INPUT'
  readonly field: string
  constructor(field: string, message: string) {
    super(message)
    this.field = field
  }
}

/** Too large for one operation, or too soon. `retryAfter` is in seconds; absent when waiting cannot help. */
export class TooCostlyError extends RequestError {
  readonly code = 'TOO_COSTLY'
  readonly retryAfter?: number
  constructor(message: string, retryAfter?: number) {
    super(message)
    if (retryAfter !== undefined) this.retryAfter = retryAfter
  }
}

/** A part of the service is away. `retryAfter` is in seconds. */
export class UnavailableError extends RequestError {
  readonly code = 'UNAVAILABLE'
  readonly retryAfter: number
  constructor(message = 'The service is not available for the moment. Try again shortly.', retryAfter = 1) {
    super(message)
    this.retryAfter = retryAfter
  }
}

/** A refusal as a SQL function answers it. Amounts are decimal strings, times are ISO 8601. */
export type Rejection =
  | { readonly is: 'not_found'; readonly what: string }
  | { readonly is: 'key_reused' }
  | { readonly is: 'coupon_not_usable'; readonly reason: CouponRefusal }
  | { readonly is: 'too_many_attempts'; readonly retry_after: number }
  | { readonly is: 'redemption_resolved'; readonly state: 'USED' | 'RELEASED' }
  | { readonly is: 'campaign_state'; readonly state: CampaignStateError['state'] }
  | { readonly is: 'insufficient_points'; readonly available: string; readonly required: string }
  | {
      readonly is: 'operator_limit_reached'
      readonly limit: string
      readonly left: string
      readonly resets_at: string
    }
  | { readonly is: 'own_request' }
  | { readonly is: 'already_decided'; readonly state: 'DONE' | 'APPROVED' | 'REJECTED' }
  | { readonly is: 'duplicate_order'; readonly purchase: string }
  | { readonly is: 'duplicate_reference'; readonly reference: string }
  | { readonly is: 'hold_resolved'; readonly state: 'CAPTURED' | 'VOIDED' }
  | { readonly is: 'hold_expired'; readonly expired_at: string }
  | { readonly is: 'membership_ended'; readonly ended_at: string }
  | {
      readonly is: 'transition_not_allowed'
      readonly from: string
      readonly to: string
      readonly allowed: readonly string[]
    }
  | { readonly is: 'refund_exceeds_purchase'; readonly refundable: string }
  | { readonly is: 'confirmation_expired'; readonly expired_at: string }
  | { readonly is: 'offer_refused'; readonly reason: OfferRefusal }
  | { readonly is: 'reward_unavailable'; readonly reason: RewardRefusal }
  | { readonly is: 'redemption_closed'; readonly state: 'FULFILLED' | 'CANCELLED' | 'LAPSED' }
  | { readonly is: 'program_invalid'; readonly problems: readonly Problem[] }
  | { readonly is: 'program_changed'; readonly expected: number; readonly version: number }
  | { readonly is: 'not_entitled'; readonly entitlement: string }
  | {
      readonly is: 'quota_exceeded'
      readonly remaining: string
      readonly required: string
      readonly renews_at: string | null
    }
  | { readonly is: 'benefit_settled'; readonly state: BenefitEnd }
  | { readonly is: 'referral_refused'; readonly reason: ReferralRefusal }
  | { readonly is: 'referral_closed'; readonly state: ReferralStanding }
  | { readonly is: 'asset_unfit'; readonly reason: AssetUnfitness }
  | { readonly is: 'lesson_locked'; readonly is_enrolled: boolean; readonly opens_at: string | null }
  | {
      readonly is: 'access_denied'
      readonly reason: Denial
      readonly unlock: unknown
      readonly retry_after?: number
    }
  | { readonly is: 'case_changed'; readonly version: number }
  | { readonly is: 'space_not_enabled'; readonly key: string }
  | { readonly is: 'accepted_answer_changed'; readonly answer: string | null }
  | { readonly is: 'bad_input'; readonly field: string; readonly message: string }

/** What a business function of the database returns: done, with its facts, or a refusal. */
export type Outcome<Done extends object = object> = ({ readonly is: 'done' } & Done) | Rejection

/**
 * Returns the outcome when it is done, and throws the typed error of a refusal.
 * An outcome that nobody declared is a fault of ours and is thrown as such.
 */
export function raise<Done extends { readonly is: 'done' }>(outcome: Done | Rejection): Done {
  switch (outcome.is) {
    case 'done':
      return outcome
    case 'not_found':
      throw new NotFoundError(outcome.what)
    case 'coupon_not_usable':
      throw new CouponNotUsableError(outcome.reason)
    case 'too_many_attempts':
      throw new TooManyAttemptsError(outcome.retry_after)
    case 'redemption_resolved':
      throw new RedemptionResolvedError(outcome.state)
    case 'campaign_state':
      throw new CampaignStateError(outcome.state)
    case 'key_reused':
      throw new IdempotencyKeyReusedError()
    case 'insufficient_points':
      throw new InsufficientPointsError(BigInt(outcome.available), BigInt(outcome.required))
    case 'operator_limit_reached':
      throw new OperatorLimitReachedError(
        BigInt(outcome.limit),
        BigInt(outcome.left),
        new Date(outcome.resets_at),
      )
    case 'own_request':
      throw new OwnRequestError()
    case 'already_decided':
      throw new AlreadyDecidedError(outcome.state)
    case 'duplicate_order':
      throw new DuplicateOrderError(outcome.purchase)
    case 'duplicate_reference':
      throw new DuplicateReferenceError(outcome.reference)
    case 'hold_resolved':
      throw new HoldResolvedError(outcome.state)
    case 'hold_expired':
      throw new HoldExpiredError(new Date(outcome.expired_at))
    case 'membership_ended':
      throw new MembershipEndedError(new Date(outcome.ended_at))
    case 'transition_not_allowed':
      throw new TransitionNotAllowedError(outcome.from, outcome.to, outcome.allowed)
    case 'refund_exceeds_purchase':
      throw new RefundExceedsPurchaseError(BigInt(outcome.refundable))
    case 'confirmation_expired':
      throw new ConfirmationExpiredError(new Date(outcome.expired_at))
    case 'offer_refused':
      throw new OfferRefusedError(outcome.reason)
    case 'reward_unavailable':
      throw new RewardUnavailableError(outcome.reason)
    case 'redemption_closed':
      throw new RedemptionClosedError(outcome.state)
    case 'program_invalid':
      throw new ProgramInvalidError(outcome.problems)
    case 'program_changed':
      throw new ProgramChangedError(outcome.expected, outcome.version)
    case 'not_entitled':
      throw new NotEntitledError(outcome.entitlement)
    case 'quota_exceeded':
      throw new QuotaExceededError(
        BigInt(outcome.remaining),
        BigInt(outcome.required),
        outcome.renews_at === null ? null : new Date(outcome.renews_at),
      )
    case 'benefit_settled':
      throw new BenefitSettledError(outcome.state)
    case 'referral_refused':
      throw new ReferralRefusedError(outcome.reason)
    case 'referral_closed':
      throw new ReferralClosedError(outcome.state)
    case 'access_denied':
      throw new AccessDeniedError(outcome.reason, outcome.unlock, outcome.retry_after ?? null)
    case 'case_changed':
      throw new CaseChangedError(outcome.version)
    case 'asset_unfit':
      throw new AssetUnfitError(outcome.reason)
    case 'lesson_locked':
      throw new LessonLockedError(
        outcome.is_enrolled,
        outcome.opens_at === null ? null : new Date(outcome.opens_at),
      )
    case 'space_not_enabled':
      throw new SpaceNotEnabledError(outcome.key)
    case 'accepted_answer_changed':
      throw new AcceptedAnswerChangedError(outcome.answer)
    case 'bad_input':
      throw new BadInputError(outcome.field, outcome.message)
    default:
      throw new TypeError(`a database function answered ${JSON.stringify(outcome satisfies never)}`)
  }
}
