import { expect, test } from 'vitest'
import {
  BadInputError,
  CampaignStateError,
  CODES,
  type Code,
  ConfirmationExpiredError,
  CouponNotUsableError,
  DomainError,
  DuplicateOrderError,
  HoldExpiredError,
  HoldResolvedError,
  IdempotencyKeyReusedError,
  InsufficientPointsError,
  MembershipEndedError,
  NotFoundError,
  RedemptionResolvedError,
  RefundExceedsPurchaseError,
  type Rejection,
  raise,
  TooManyAttemptsError,
  TransitionNotAllowedError,
} from '../../api/platform/errors.ts'

const at = '2026-04-01T00:00:00.123456+00:00'

const REJECTIONS: readonly (readonly [Rejection, DomainError, message: string])[] = [
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
