import {
  BenefitSettledError,
  CampaignStateError,
  CODES,
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
} from '../../platform/errors/index.ts'
import { builder } from '../builder.ts'
import { ErrorInterface } from './failure.ts'

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

// The offers room adds `reason`.
builder.objectType(OfferRefusedError, {
  name: 'OfferRefusedError',
  description: CODES.OFFER_REFUSED.when,
  interfaces: [ErrorInterface],
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

// The benefits room adds `state`: it owns the type.
builder.objectType(BenefitSettledError, {
  name: 'BenefitSettledError',
  description: CODES.BENEFIT_SETTLED.when,
  interfaces: [ErrorInterface],
})
