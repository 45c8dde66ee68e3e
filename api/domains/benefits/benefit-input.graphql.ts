import { builder } from '../../graph/builder.ts'
import { ExpiryPolicyInput, PendingInput } from '../points/index.ts'

const BenefitPointsInput = builder.inputType('BenefitPointsInput', {
  description: 'Points to give.',
  fields: (t) => ({
    amount: t.field({ type: 'Points', required: true, description: 'How many; more than zero.' }),
    currency: t.string({ description: "Which points; the tenant's usual ones when left out." }),
    pending: t.field({ type: PendingInput, description: 'Until when they wait; not at all when left out.' }),
    expiry: t.field({ type: ExpiryPolicyInput, description: 'When they die; as usual when left out.' }),
  }),
})

const BenefitEntitlementInput = builder.inputType('BenefitEntitlementInput', {
  description: 'An entitlement to give.',
  fields: (t) => ({
    key: t.string({ required: true, description: 'Which.' }),
    quota: t.int({ description: 'How often in all; as the entitlement says when left out.' }),
    validFor: t.field({
      type: 'Duration',
      description: 'For how long; as the entitlement says when left out.',
    }),
  }),
})

const BenefitMoneyInput = builder.inputType('BenefitMoneyInput', {
  description: 'An amount off a purchase.',
  fields: (t) => ({
    amount: t.field({ type: 'Minor', required: true, description: 'Minor units; more than zero.' }),
    currency: t.field({ type: 'CurrencyCode', required: true, description: 'The currency of the amount.' }),
  }),
})

const BenefitPercentInput = builder.inputType('BenefitPercentInput', {
  description: 'A share off a purchase.',
  fields: (t) => ({
    basisPoints: t.int({ required: true, description: 'In hundredths of a percent: 1000 is 10 %.' }),
  }),
})

/** `BenefitInput` of the API; the schema `Benefit` reads what comes in by it. */
export const BenefitInput = builder.inputType('BenefitInput', {
  description: 'Something that a member is given. Points are one kind among four.',
  isOneOf: true,
  fields: (t) => ({
    points: t.field({ type: BenefitPointsInput, description: 'Points in a wallet.' }),
    entitlement: t.field({ type: BenefitEntitlementInput, description: 'Something to use.' }),
    money: t.field({ type: BenefitMoneyInput, description: 'An amount off a purchase.' }),
    percent: t.field({ type: BenefitPercentInput, description: 'A share off a purchase.' }),
  }),
})
