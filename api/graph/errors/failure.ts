import {
  CODES,
  type Code,
  type DomainCode,
  type DomainError,
  IdempotencyKeyReusedError,
  NotFoundError,
} from '../../platform/errors/index.ts'
import { builder } from '../builder.ts'

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

function asDomainCode(code: Code): (typeof domainCodes)[number] {
  const known = domainCodes.find((domain) => domain === code)
  if (!known) throw new TypeError(`${code} is not a code of the error interface`)
  return known
}

builder.objectType(NotFoundError, {
  name: 'NotFoundError',
  description: CODES.NOT_FOUND.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    what: t.exposeString('what', { description: 'The kind of thing that was not found, such as `member`.' }),
  }),
})

builder.objectType(IdempotencyKeyReusedError, {
  name: 'IdempotencyKeyReusedError',
  description: CODES.IDEMPOTENCY_KEY_REUSED.when,
  interfaces: [ErrorInterface],
})
