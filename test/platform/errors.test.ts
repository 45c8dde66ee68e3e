import { expect, test } from 'vitest'
import {
  AcceptedAnswerChangedError,
  AccessDeniedError,
  AlreadyDecidedError,
  AssetUnfitError,
  BadInputError,
  BenefitSettledError,
  CampaignStateError,
  CaseChangedError,
  CODES,
  type Code,
  ConfirmationExpiredError,
  CouponNotUsableError,
  DomainError,
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
  ProgramChangedError,
  ProgramInvalidError,
  QuotaExceededError,
  RedemptionClosedError,
  RedemptionResolvedError,
  ReferralClosedError,
  ReferralRefusedError,
  RefundExceedsPurchaseError,
  type Rejection,
  RewardUnavailableError,
  raise,
  SpaceNotEnabledError,
  TooManyAttemptsError,
  TransitionNotAllowedError,
} from '../../api/platform/errors/index.ts'

const at = '2026-04-01T00:00:00.123456+00:00'

const REJECTIONS: readonly (readonly [Rejection, DomainError, message: string])[] = [
  [
    { is: 'case_changed', version: 3 },
    new CaseChangedError(3),
    'The case is in version 3 by now. Look at it again.',
  ],
  [{ is: 'not_found', what: 'member' }, new NotFoundError('member'), 'There is no such member.'],
  [
    { is: 'insufficient_points', available: '40', required: '60' },
    new InsufficientPointsError(40n, 60n),
    'This needs 60 points; the balance is 40.',
  ],
  [
    { is: 'key_reused' },
    new IdempotencyKeyReusedError(),
    'This idempotency key was used for another request. Use a new key for a new request.',
  ],
  [
    { is: 'duplicate_order', purchase: 'p' },
    new DuplicateOrderError('p'),
    'A purchase with this order id is recorded already.',
  ],
  [
    { is: 'hold_resolved', state: 'VOIDED' },
    new HoldResolvedError('VOIDED'),
    'This hold was voided already.',
  ],
  [
    { is: 'hold_expired', expired_at: at },
    new HoldExpiredError(new Date('2026-04-01T00:00:00.123Z')),
    'This hold expired at 2026-04-01T00:00:00.123Z.',
  ],
  [
    { is: 'membership_ended', ended_at: at },
    new MembershipEndedError(new Date('2026-04-01T00:00:00.123Z')),
    'The membership ended at 2026-04-01T00:00:00.123Z.',
  ],
  [
    { is: 'transition_not_allowed', from: 'customer', to: 'visitor', allowed: [] },
    new TransitionNotAllowedError('customer', 'visitor', []),
    'A member cannot be moved from customer to visitor by hand; no move is allowed from there.',
  ],
  [
    { is: 'refund_exceeds_purchase', refundable: '9223372036854775807' },
    new RefundExceedsPurchaseError(9223372036854775807n),
    'This would give back more than is left; 9223372036854775807 can still be refunded.',
  ],
  [
    { is: 'confirmation_expired', expired_at: at },
    new ConfirmationExpiredError(new Date('2026-04-01T00:00:00.123Z')),
    'This confirmation expired at 2026-04-01T00:00:00.123Z. Ask for a new one.',
  ],
  [
    { is: 'coupon_not_usable', reason: 'EXPIRED' },
    new CouponNotUsableError('EXPIRED'),
    'This code cannot be used: Its time is over.',
  ],
  [
    { is: 'too_many_attempts', retry_after: 60 },
    new TooManyAttemptsError(60),
    'Too many codes were tried. Try again in 60 seconds.',
  ],
  [
    { is: 'redemption_resolved', state: 'USED' },
    new RedemptionResolvedError('USED'),
    'This coupon was used already.',
  ],
  [{ is: 'campaign_state', state: 'ENDED' }, new CampaignStateError('ENDED'), 'This campaign is ended.'],
  [
    { is: 'operator_limit_reached', limit: '500', left: '20', resets_at: at },
    new OperatorLimitReachedError(500n, 20n, new Date('2026-04-01T00:00:00.123Z')),
    'Of the 500 points that you may move by hand, 20 are left until 2026-04-01T00:00:00.123Z.',
  ],
  [{ is: 'own_request' }, new OwnRequestError(), 'You asked for this yourself. Somebody else has to decide.'],
  [
    { is: 'already_decided', state: 'APPROVED' },
    new AlreadyDecidedError('APPROVED'),
    'This was approved already.',
  ],
  [
    { is: 'duplicate_reference', reference: 'r-1' },
    new DuplicateReferenceError('r-1'),
    "The partner's reference r-1 is booked already.",
  ],
  [
    { is: 'offer_refused', reason: 'OUT_OF_STOCK' },
    new OfferRefusedError('OUT_OF_STOCK'),
    'Nothing is left of this offer.',
  ],
  [
    { is: 'reward_unavailable', reason: 'SOLD_OUT' },
    new RewardUnavailableError('SOLD_OUT'),
    'This reward cannot be redeemed: there are too few left.',
  ],
  [
    { is: 'redemption_closed', state: 'LAPSED' },
    new RedemptionClosedError('LAPSED'),
    'This redemption is lapsed.',
  ],
  [
    { is: 'program_invalid', problems: [{ path: 'document.offers', message: 'must be an object' }] },
    new ProgramInvalidError([{ path: 'document.offers', message: 'must be an object' }]),
    'The program cannot be published: must be an object',
  ],
  [
    { is: 'program_changed', expected: 3, version: 4 },
    new ProgramChangedError(3, 4),
    'Version 4 of the program is in force, not 3.',
  ],
  [
    { is: 'not_entitled', entitlement: 'tea' },
    new NotEntitledError('tea'),
    'The member does not have the entitlement tea.',
  ],
  [
    { is: 'quota_exceeded', remaining: '1', required: '2', renews_at: null },
    new QuotaExceededError(1n, 2n, null),
    'This needs 2 uses; 1 are left.',
  ],
  [{ is: 'benefit_settled', state: 'USED' }, new BenefitSettledError('USED'), 'This was used already.'],
  [
    { is: 'referral_refused', reason: 'SELF' },
    new ReferralRefusedError('SELF'),
    'This referral cannot be claimed: nobody recommends the shop to itself.',
  ],
  [
    { is: 'referral_closed', state: 'PAID' },
    new ReferralClosedError('PAID'),
    'This referral is not under review; it stands as PAID.',
  ],
  [
    { is: 'accepted_answer_changed', answer: null },
    new AcceptedAnswerChangedError(null),
    'No answer is accepted any more.',
  ],
  [
    { is: 'access_denied', reason: 'AUDIENCE', unlock: { stage: ['customer'] } },
    new AccessDeniedError('AUDIENCE', { stage: ['customer'] }),
    'This is for members whom a rule names.',
  ],
  [
    { is: 'asset_unfit', reason: 'NOT_UPLOADED' },
    new AssetUnfitError('NOT_UPLOADED'),
    'This file cannot be attached: its bytes have not come.',
  ],
  [
    { is: 'lesson_locked', is_enrolled: true, opens_at: at },
    new LessonLockedError(true, new Date(at)),
    'This lesson opens at 2026-04-01T00:00:00.123Z.',
  ],
  [
    { is: 'space_not_enabled', key: 'tea' },
    new SpaceNotEnabledError('tea'),
    'The space tea is switched off.',
  ],
]

test.each(REJECTIONS)('the refusal %j is raised as its class with its facts', (rejection, error, message) => {
  const raised = thrownBy(() => raise(rejection))

  expect(raised).toBeInstanceOf(error.constructor)
  expect({ ...(raised as object) }).toEqual({ ...error })
  expect((raised as Error).message).toBe(message)
})

test('every code of a domain error is raised by some refusal', () => {
  const raised = REJECTIONS.map(([, { code }]) => code).sort()
  const others: readonly Code[] = [
    'UNAUTHENTICATED',
    'FORBIDDEN',
    'BAD_INPUT',
    'TOO_COSTLY',
    'UNAVAILABLE',
    'INTERNAL',
  ]
  expect(raised).toEqual((Object.keys(CODES) as Code[]).filter((code) => !others.includes(code)).sort())
})

test('what is done is returned, with its facts', () => {
  const done = { is: 'done', purchase: 'p', points: '12' } as const
  expect(raise(done)).toBe(done)
})

test('an outcome that nobody declared is a fault', () => {
  const strange = { is: 'sideways' } as unknown as Rejection
  const raised = thrownBy(() => raise(strange))
  expect(raised).toBeInstanceOf(TypeError)
  expect(raised).not.toBeInstanceOf(DomainError)
})

test('bad input names its field', () => {
  expect(new BadInputError('input.total', 'input.total must be zero or more; it is -1.')).toMatchObject({
    code: 'BAD_INPUT',
    field: 'input.total',
  })
})

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}
