import {
  AcceptedAnswerChangedError,
  AccessDeniedError,
  AlreadyDecidedError,
  AssetUnfitError,
  BenefitSettledError,
  CampaignStateError,
  CaseChangedError,
  CODES,
  type Code,
  ConfirmationExpiredError,
  CouponNotUsableError,
  DENIALS,
  type Denial,
  type DomainCode,
  type DomainError,
  DuplicateOrderError,
  DuplicateReferenceError,
  HoldExpiredError,
  HoldResolvedError,
  IdempotencyKeyReusedError,
  InsufficientPointsError,
  LessonLockedError,
  MembershipEndedError,
  NotEntitledError,
  NotFoundError,
  OfferRefusedError,
  OperatorLimitReachedError,
  OwnRequestError,
  type Problem,
  ProgramChangedError,
  ProgramInvalidError,
  QuotaExceededError,
  RedemptionClosedError,
  RedemptionResolvedError,
  ReferralClosedError,
  ReferralRefusedError,
  RefundExceedsPurchaseError,
  RewardUnavailableError,
  SpaceNotEnabledError,
  TooManyAttemptsError,
  TransitionNotAllowedError,
} from '../platform/errors/index.ts'
import { builder } from './builder.ts'

/** A class of expected failures that may stand in a result union. */
export type DomainErrorClass = new (...facts: never[]) => DomainError

const domainCodes = [
  'NOT_FOUND',
  'COUPON_NOT_USABLE',
  'TOO_MANY_ATTEMPTS',
  'REDEMPTION_RESOLVED',
  'CAMPAIGN_STATE',
  'INSUFFICIENT_POINTS',
  'OPERATOR_LIMIT_REACHED',
  'OWN_REQUEST',
  'ALREADY_DECIDED',
  'IDEMPOTENCY_KEY_REUSED',
  'DUPLICATE_ORDER',
  'DUPLICATE_REFERENCE',
  'HOLD_RESOLVED',
  'HOLD_EXPIRED',
  'MEMBERSHIP_ENDED',
  'TRANSITION_NOT_ALLOWED',
  'REFUND_EXCEEDS_PURCHASE',
  'CONFIRMATION_EXPIRED',
  'OFFER_REFUSED',
  'REWARD_UNAVAILABLE',
  'REDEMPTION_CLOSED',
  'PROGRAM_INVALID',
  'PROGRAM_CHANGED',
  'NOT_ENTITLED',
  'QUOTA_EXCEEDED',
  'BENEFIT_SETTLED',
  'REFERRAL_REFUSED',
  'REFERRAL_CLOSED',
  'CASE_CHANGED',
  'ACCEPTED_ANSWER_CHANGED',
  'ACCESS_DENIED',
  'SPACE_NOT_ENABLED',
  'ASSET_UNFIT',
  'LESSON_LOCKED',
] as const satisfies readonly DomainCode[]

const ErrorCode = builder.enumType('ErrorCode', {
  description: 'What went wrong, for a program to switch on.',
  values: Object.fromEntries(domainCodes.map((code) => [code, { description: CODES[code].when }])) as Record<
    (typeof domainCodes)[number],
    { description: string }
  >,
})

/** `interface Error { message code }`: what every expected failure says. */
export const ErrorInterface = builder.interfaceRef<DomainError>('Error').implement({
  description: 'An expected failure. Nothing was changed. Each kind adds its facts.',
  fields: (t) => ({
    message: t.exposeString('message', { description: 'What is wrong, with the numbers, in English.' }),
    code: t.field({
      type: ErrorCode,
      description: 'The kind of failure.',
      resolve: ({ code }) => asDomainCode(code),
    }),
  }),
})

builder.objectType(NotFoundError, {
  name: 'NotFoundError',
  description: CODES.NOT_FOUND.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    what: t.exposeString('what', { description: 'The kind of thing that was not found, such as `member`.' }),
  }),
})

// The coupons room adds `reason`, and the two states.
builder.objectType(CouponNotUsableError, {
  name: 'CouponNotUsableError',
  description: CODES.COUPON_NOT_USABLE.when,
  interfaces: [ErrorInterface],
})

builder.objectType(TooManyAttemptsError, {
  name: 'TooManyAttemptsError',
  description: CODES.TOO_MANY_ATTEMPTS.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    retryAfter: t.exposeInt('retryAfter', { description: 'In how many seconds to try again.' }),
  }),
})

builder.objectType(RedemptionResolvedError, {
  name: 'RedemptionResolvedError',
  description: CODES.REDEMPTION_RESOLVED.when,
  interfaces: [ErrorInterface],
})

builder.objectType(CampaignStateError, {
  name: 'CampaignStateError',
  description: CODES.CAMPAIGN_STATE.when,
  interfaces: [ErrorInterface],
})

builder.objectType(InsufficientPointsError, {
  name: 'InsufficientPointsError',
  description: CODES.INSUFFICIENT_POINTS.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    available: t.expose('available', { type: 'Points', description: 'What the wallet can spend now.' }),
    required: t.expose('required', { type: 'Points', description: 'What was asked for.' }),
  }),
})

builder.objectType(OperatorLimitReachedError, {
  name: 'OperatorLimitReachedError',
  description: CODES.OPERATOR_LIMIT_REACHED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    limit: t.expose('limit', { type: 'Points', description: 'What the operator may move in the period.' }),
    left: t.expose('left', { type: 'Points', description: 'What is left of it.' }),
    resetsAt: t.expose('resetsAt', { type: 'DateTime', description: 'When the next period begins.' }),
  }),
})

builder.objectType(OwnRequestError, {
  name: 'OwnRequestError',
  description: CODES.OWN_REQUEST.when,
  interfaces: [ErrorInterface],
})

// The points room adds `state`: it owns that type.
builder.objectType(AlreadyDecidedError, {
  name: 'AlreadyDecidedError',
  description: CODES.ALREADY_DECIDED.when,
  interfaces: [ErrorInterface],
})

builder.objectType(IdempotencyKeyReusedError, {
  name: 'IdempotencyKeyReusedError',
  description: CODES.IDEMPOTENCY_KEY_REUSED.when,
  interfaces: [ErrorInterface],
})

// The purchases room adds `purchase`, the points room `state`: they own those types.
builder.objectType(DuplicateOrderError, {
  name: 'DuplicateOrderError',
  description: CODES.DUPLICATE_ORDER.when,
  interfaces: [ErrorInterface],
})

builder.objectType(DuplicateReferenceError, {
  name: 'DuplicateReferenceError',
  description: CODES.DUPLICATE_REFERENCE.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    reference: t.exposeString('reference', { description: "The partner's number." }),
  }),
})

builder.objectType(HoldResolvedError, {
  name: 'HoldResolvedError',
  description: CODES.HOLD_RESOLVED.when,
  interfaces: [ErrorInterface],
})

// The referrals room adds `reason` and `state`.
builder.objectType(ReferralRefusedError, {
  name: 'ReferralRefusedError',
  description: CODES.REFERRAL_REFUSED.when,
  interfaces: [ErrorInterface],
})

builder.objectType(ReferralClosedError, {
  name: 'ReferralClosedError',
  description: CODES.REFERRAL_CLOSED.when,
  interfaces: [ErrorInterface],
})

// The rewards room adds `reason` and `redemptionState`.
builder.objectType(RewardUnavailableError, {
  name: 'RewardUnavailableError',
  description: CODES.REWARD_UNAVAILABLE.when,
  interfaces: [ErrorInterface],
})

builder.objectType(RedemptionClosedError, {
  name: 'RedemptionClosedError',
  description: CODES.REDEMPTION_CLOSED.when,
  interfaces: [ErrorInterface],
})

builder.objectType(HoldExpiredError, {
  name: 'HoldExpiredError',
  description: CODES.HOLD_EXPIRED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    expiredAt: t.expose('expiredAt', { type: 'DateTime', description: 'When the hold expired.' }),
  }),
})

builder.objectType(MembershipEndedError, {
  name: 'MembershipEndedError',
  description: CODES.MEMBERSHIP_ENDED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    endedAt: t.expose('endedAt', { type: 'DateTime', description: 'When the membership ended.' }),
  }),
})

builder.objectType(TransitionNotAllowedError, {
  name: 'TransitionNotAllowedError',
  description: CODES.TRANSITION_NOT_ALLOWED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    from: t.exposeString('from', { description: 'The key of the stage where the member stands.' }),
    to: t.exposeString('to', { description: 'The key of the stage that was asked for.' }),
    allowed: t.stringList({
      description: 'The keys of the stages that it may be moved to by hand. At most 50.',
      resolve: ({ allowed }) => [...allowed],
    }),
  }),
})

builder.objectType(RefundExceedsPurchaseError, {
  name: 'RefundExceedsPurchaseError',
  description: CODES.REFUND_EXCEEDS_PURCHASE.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    refundable: t.expose('refundable', {
      type: 'Minor',
      description: 'What can still be given back: minor units of the purchase, or points of the spend.',
    }),
  }),
})

builder.objectType(ConfirmationExpiredError, {
  name: 'ConfirmationExpiredError',
  description: CODES.CONFIRMATION_EXPIRED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    expiredAt: t.expose('expiredAt', { type: 'DateTime', description: 'Until when it could be answered.' }),
  }),
})

// The offers room adds `reason`.
builder.objectType(OfferRefusedError, {
  name: 'OfferRefusedError',
  description: CODES.OFFER_REFUSED.when,
  interfaces: [ErrorInterface],
})

/** Why something that is seen may not be acted upon, or why something may not be read. */
export const DenialReason = builder.enumType('DenialReason', {
  description: 'Why something that is seen may not be acted upon.',
  values: Object.fromEntries(
    Object.entries(DENIALS).map(([reason, description]) => [reason, { description }]),
  ) as Record<Denial, { description: string }>, // the table's own keys
})

builder.objectType(AccessDeniedError, {
  name: 'AccessDeniedError',
  description: CODES.ACCESS_DENIED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    reason: t.expose('reason', { type: DenialReason, description: 'Why.' }),
    unlock: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'The audience rule that would open it, as AudienceInput writes it; null when no rule decides.',
      resolve: ({ unlock }) => unlock,
    }),
    retryAfter: t.exposeInt('retryAfter', {
      nullable: true,
      description: 'In how many seconds it may be tried again; null when waiting does not help.',
    }),
  }),
})

builder.objectType(CaseChangedError, {
  name: 'CaseChangedError',
  description: CODES.CASE_CHANGED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    version: t.exposeInt('version', { description: 'The version of the case now.' }),
  }),
})

// The content room adds `assetReason`.
builder.objectType(AssetUnfitError, {
  name: 'AssetUnfitError',
  description: CODES.ASSET_UNFIT.when,
  interfaces: [ErrorInterface],
})

builder.objectType(LessonLockedError, {
  name: 'LessonLockedError',
  description: CODES.LESSON_LOCKED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    isEnrolled: t.exposeBoolean('isEnrolled', { description: 'Whether the member is in the course at all.' }),
    opensAt: t.expose('opensAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it opens to the member; null: not by itself.',
    }),
  }),
})

builder.objectType(SpaceNotEnabledError, {
  name: 'SpaceNotEnabledError',
  description: CODES.SPACE_NOT_ENABLED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The key of the space.' }),
  }),
})

/** What is wrong with one place of a program. */
export const ProgramProblem = builder.objectRef<Problem>('ProgramProblem').implement({
  description: 'What is wrong with one place of a program.',
  fields: (t) => ({
    path: t.exposeString('path', { description: 'Where it stands, as in `document.offers.spring.reward`.' }),
    message: t.exposeString('message', { description: 'What would be right.' }),
  }),
})

builder.objectType(ProgramInvalidError, {
  name: 'ProgramInvalidError',
  description: CODES.PROGRAM_INVALID.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    problems: t.field({
      type: [ProgramProblem],
      nullable: true,
      description: 'Everything that is wrong. At most 100.',
      resolve: ({ problems }) => problems.slice(0, 100),
    }),
  }),
})

builder.objectType(NotEntitledError, {
  name: 'NotEntitledError',
  description: CODES.NOT_ENTITLED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    entitlement: t.exposeString('entitlement', { description: 'The key of the entitlement.' }),
  }),
})

builder.objectType(QuotaExceededError, {
  name: 'QuotaExceededError',
  description: CODES.QUOTA_EXCEEDED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    left: t.int({
      nullable: true, // As where it was used, so that both can be selected side by side.
      description: 'How often it can be used now.',
      resolve: ({ left }) => Number(left),
    }),
    requested: t.int({ description: 'What was asked for.', resolve: ({ requested }) => Number(requested) }),
    renewsAt: t.expose('renewsAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the next period of it begins; null when none does by itself.',
    }),
  }),
})

builder.objectType(ProgramChangedError, {
  name: 'ProgramChangedError',
  description: CODES.PROGRAM_CHANGED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    expected: t.exposeInt('expected', { description: 'The version that was expected.' }),
    version: t.exposeInt('version', { description: 'The version in force.' }),
  }),
})

// The benefits room adds `state`: it owns the type.
builder.objectType(BenefitSettledError, {
  name: 'BenefitSettledError',
  description: CODES.BENEFIT_SETTLED.when,
  interfaces: [ErrorInterface],
})

function asDomainCode(code: Code): (typeof domainCodes)[number] {
  const known = domainCodes.find((domain) => domain === code)
  if (!known) throw new TypeError(`${code} is not a code of the error interface`)
  return known
}

// The questions room adds `answer`.
builder.objectType(AcceptedAnswerChangedError, {
  name: 'AcceptedAnswerChangedError',
  description: CODES.ACCEPTED_ANSWER_CHANGED.when,
  interfaces: [ErrorInterface],
})
