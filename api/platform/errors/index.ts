/**
 * Everything that can go wrong in words a caller can act on. Two families:
 * a `DomainError` is an expected answer and becomes typed data in a mutation's result union;
 * a `RequestError` refuses the request or one field and becomes a top-level error.
 * Anything else that is thrown is a fault of ours: masked, and logged once.
 */
import type {
  AcceptedAnswerChangedError,
  AccessDeniedError,
  AssetUnfitError,
  CaseChangedError,
  LessonLockedError,
  SpaceNotEnabledError,
} from './community.ts'
import type { IdempotencyKeyReusedError, NotFoundError } from './failure.ts'
import type {
  BenefitSettledError,
  CampaignStateError,
  CouponNotUsableError,
  NotEntitledError,
  OfferRefusedError,
  QuotaExceededError,
  RedemptionClosedError,
  RedemptionResolvedError,
  ReferralClosedError,
  ReferralRefusedError,
  RewardUnavailableError,
  TooManyAttemptsError,
} from './loyalty.ts'
import type { ConfirmationExpiredError, MembershipEndedError, TransitionNotAllowedError } from './members.ts'
import type {
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
import type { ProgramChangedError, ProgramInvalidError } from './program.ts'

export { CODES, type Code } from './codes.ts'
export {
  AcceptedAnswerChangedError,
  AccessDeniedError,
  AssetUnfitError,
  type AssetUnfitness,
  CaseChangedError,
  DENIALS,
  type Denial,
  LessonLockedError,
  SpaceNotEnabledError,
} from './community.ts'
export { DomainError, IdempotencyKeyReusedError, NotFoundError, RequestError } from './failure.ts'
export {
  type BenefitEnd,
  BenefitSettledError,
  CampaignStateError,
  COUPON_REFUSALS,
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
export { ConfirmationExpiredError, MembershipEndedError, TransitionNotAllowedError } from './members.ts'
export { type Outcome, type Rejection, raise } from './outcome.ts'
export {
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
export { type Problem, ProgramChangedError, ProgramInvalidError } from './program.ts'
export {
  BadInputError,
  ForbiddenError,
  TooCostlyError,
  UnauthenticatedError,
  UnavailableError,
} from './requests.ts'

/** Codes of typed data in result unions. */
export type DomainCode = DomainFailure['code']

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
