import { builder } from '../../graph/builder.ts'
import { BenefitInput } from '../benefits/index.ts'

const ReferralTextInput = builder.inputType('ReferralTextInput', {
  description: 'A text for members, of 1 to 200 characters in each language.',
  fields: (t) => ({
    en: t.string({ required: true, description: 'In English.' }),
    ja: t.string({ required: true, description: 'In Japanese.' }),
  }),
})

const ReferralBenefitsInput = builder.inputType('ReferralBenefitsInput', {
  description: 'What each side gets; one of them at least.',
  fields: (t) => ({
    referrer: t.field({ type: BenefitInput, description: 'What whoever recommended the shop gets.' }),
    friend: t.field({ type: BenefitInput, description: 'What whoever came gets.' }),
  }),
})

const FirstPurchaseInput = builder.inputType('FirstPurchaseInput', {
  description: 'A purchase that is large enough.',
  fields: (t) => ({
    atLeast: t.field({ type: 'Minor', required: true, description: 'At least so much, in minor units.' }),
    currency: t.field({ type: 'CurrencyCode', required: true, description: 'Of this currency.' }),
  }),
})

const ReferralQualifyingInput = builder.inputType('ReferralQualifyingInput', {
  description: 'What the friend has to do.',
  isOneOf: true,
  fields: (t) => ({
    firstPurchase: t.field({
      type: FirstPurchaseInput,
      description: 'Buy for the first time for at least an amount.',
    }),
    nthPurchase: t.int({ description: 'Buy so often and keep it; 1 to 100.' }),
    activity: t.string({ description: 'Do this, as in lesson.finished.' }),
  }),
})

const ReferralPeriod = builder.enumType('ReferralPeriod', {
  description: "The calendar span, by the tenant's time zone, in which a limit counts.",
  values: {
    DAY: { description: 'A day.' },
    WEEK: { description: 'A week from Monday.' },
    MONTH: { description: 'A month.' },
    QUARTER: { description: 'A quarter of a year.' },
    YEAR: { description: 'A year.' },
  },
})

const ReferralCapInput = builder.inputType('ReferralCapInput', {
  description: 'How many friends of one referrer count.',
  fields: (t) => ({
    limit: t.int({ required: true, description: 'How many; 1 to 1,000,000.' }),
    period: t.field({ type: ReferralPeriod, description: 'In which span; ever when left out.' }),
  }),
})

const ReferralVelocityInput = builder.inputType('ReferralVelocityInput', {
  description: 'How fast one code may be claimed.',
  fields: (t) => ({
    claims: t.int({ required: true, description: 'At most so many claims, rejected ones too.' }),
    within: t.field({ type: 'Duration', required: true, description: 'In so long a time, as in P7D.' }),
  }),
})

const ReferralLimitsInput = builder.inputType('ReferralLimitsInput', {
  description: 'What bounds a referrer.',
  fields: (t) => ({
    perReferrer: t.field({
      type: ReferralCapInput,
      description: 'How many friends count; all when left out.',
    }),
    velocity: t.field({ type: ReferralVelocityInput, description: 'How fast; no bound when left out.' }),
  }),
})

const ReferralWindowInput = builder.inputType('ReferralWindowInput', {
  description: 'When claims can be made.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', description: 'From when on; at once when left out.' }),
    until: t.field({ type: 'DateTime', description: 'Until just before when; without end when left out.' }),
  }),
})

/** `ReferralProgramInput` of the API: the body of a definition. */
export const ReferralProgramInput = builder.inputType('ReferralProgramInput', {
  description: 'A referral program as it is to be.',
  fields: (t) => ({
    name: t.field({ type: ReferralTextInput, required: true, description: 'What members call it.' }),
    benefits: t.field({ type: ReferralBenefitsInput, required: true, description: 'What it gives.' }),
    qualifying: t.field({
      type: ReferralQualifyingInput,
      required: true,
      description: 'What the friend has to do.',
    }),
    hold: t.field({
      type: 'Duration',
      description: 'How long it waits for things to be given back; it pays at once when left out.',
    }),
    newFor: t.field({
      type: 'Duration',
      description: 'How long after registering a friend may claim; 30 days when left out.',
    }),
    limits: t.field({ type: ReferralLimitsInput, description: 'What bounds a referrer.' }),
    window: t.field({ type: ReferralWindowInput, description: 'When; always when left out.' }),
  }),
})
