import {
  AcceptedAnswerChangedError,
  AccessDeniedError,
  AssetUnfitError,
  type AssetUnfitness,
  CaseChangedError,
  type Denial,
  LessonLockedError,
  SpaceNotEnabledError,
} from './community.ts'
import { IdempotencyKeyReusedError, NotFoundError } from './failure.ts'
import {
  type BenefitEnd,
  BenefitSettledError,
  CampaignStateError,
  CouponNotUsableError,
  type CouponRefusal,
  NotEntitledError,
  type OfferRefusal,
  OfferRefusedError,
  QuotaExceededError,
  RedemptionClosedError,
  RedemptionResolvedError,
  ReferralClosedError,
  type ReferralRefusal,
  ReferralRefusedError,
  type ReferralStanding,
  type RewardRefusal,
  RewardUnavailableError,
  TooManyAttemptsError,
} from './loyalty.ts'
import { ConfirmationExpiredError, MembershipEndedError, TransitionNotAllowedError } from './members.ts'
import {
  AlreadyDecidedError,
  DuplicateOrderError,
  DuplicateReferenceError,
  HoldExpiredError,
  HoldResolvedError,
  InsufficientPointsError,
  OperatorLimitReachedError,
  OwnRequestError,
  RefundExceedsPurchaseError,
} from './points.ts'
import { type Problem, ProgramChangedError, ProgramInvalidError } from './program.ts'
import { BadInputError } from './requests.ts'

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
