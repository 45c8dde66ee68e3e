import { builder } from '../../graph/builder.ts'
import { AudienceInput } from '../audiences/index.ts'
import { BenefitInput } from '../benefits/index.ts'
import { CouponOnRefund } from './coupons.graphql.ts'

const CouponNameInput = builder.inputType('CouponNameInput', {
  description: 'What members call it, of 1 to 200 characters in each language.',
  fields: (t) => ({
    en: t.string({ required: true, description: 'In English.' }),
    ja: t.string({ required: true, description: 'In Japanese.' }),
  }),
})

const CouponWindowInput = builder.inputType('CouponWindowInput', {
  description: 'From when until when.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', description: 'From when on; open when left out.' }),
    to: t.field({ type: 'DateTime', description: 'Until just before when; open when left out.' }),
  }),
})

const CampaignMoneyInput = builder.inputType('CampaignMoneyInput', {
  description: 'A budget of money.',
  fields: (t) => ({
    amount: t.field({ type: 'Minor', required: true, description: 'Minor units; more than zero.' }),
    currency: t.field({ type: 'CurrencyCode', required: true, description: 'The currency of the amount.' }),
  }),
})

const CampaignPointsInput = builder.inputType('CampaignPointsInput', {
  description: 'A budget of points.',
  fields: (t) => ({
    amount: t.field({ type: 'Points', required: true, description: 'How many; more than zero.' }),
    currency: t.string({ description: "Which points; the tenant's usual ones when left out." }),
  }),
})

const CampaignBudgetInput = builder.inputType('CampaignBudgetInput', {
  description: 'What may be given away; each without limit when left out.',
  fields: (t) => ({
    money: t.field({ type: CampaignMoneyInput, description: 'Money off purchases.' }),
    points: t.field({ type: CampaignPointsInput, description: 'Points in wallets.' }),
  }),
})

/** `CampaignInput` of the API: the body of a definition. */
export const CampaignInput = builder.inputType('CampaignInput', {
  description: 'A campaign.',
  fields: (t) => ({
    name: t.field({ type: CouponNameInput, required: true, description: 'What members call it.' }),
    window: t.field({
      type: CouponWindowInput,
      description: 'When it runs: the clock begins and ends it; staff do what is left open.',
    }),
    audience: t.field({ type: AudienceInput, description: 'For whom; everybody when left out.' }),
    stock: t.int({ description: 'How often it gives in all; without limit when left out.' }),
    budget: t.field({ type: CampaignBudgetInput, description: 'What it may give away.' }),
  }),
})

const CouponPeriodsInput = builder.inputType('CouponPeriodsInput', {
  description: "How often one member may redeem it in each period of the tenant's calendar; 1 to 10,000.",
  fields: (t) => ({
    DAY: t.int({ description: 'In a day.' }),
    WEEK: t.int({ description: 'In a week, which begins on Monday.' }),
    MONTH: t.int({ description: 'In a month.' }),
    YEAR: t.int({ description: 'In a year.' }),
  }),
})

const CouponLimitsInput = builder.inputType('CouponLimitsInput', {
  description: 'How often it may be redeemed; each without limit when left out.',
  fields: (t) => ({
    total: t.int({ description: 'By everybody together; 1 or more.' }),
    perMember: t.int({ description: 'By one member, ever; 1 to 10,000.' }),
    perMemberPer: t.field({ type: CouponPeriodsInput, description: 'By one member in each period.' }),
    perCode: t.int({ description: 'By one of its bulk codes; once when left out.' }),
  }),
})

const CouponReservationInput = builder.inputType('CouponReservationInput', {
  description: 'How it is reserved.',
  fields: (t) => ({
    for: t.field({ type: 'Duration', required: true, description: 'For how long, as in PT30M.' }),
  }),
})

/** `CouponInput` of the API: the body of a definition. */
export const CouponInput = builder.inputType('CouponInput', {
  description: 'A coupon.',
  fields: (t) => ({
    name: t.field({ type: CouponNameInput, required: true, description: 'What members call it.' }),
    benefit: t.field({ type: BenefitInput, required: true, description: 'What it is good for.' }),
    audience: t.field({ type: AudienceInput, description: 'For whom; everybody when left out.' }),
    window: t.field({ type: CouponWindowInput, description: 'When; at any time when left out.' }),
    campaign: t.string({ description: 'The key of the campaign that it belongs to.' }),
    limits: t.field({ type: CouponLimitsInput, description: 'How often.' }),
    reservation: t.field({ type: CouponReservationInput, description: 'For 30 minutes when left out.' }),
    onRefund: t.field({
      type: CouponOnRefund,
      description: 'What a full refund of the order does to it; RELEASE when left out.',
    }),
    category: t.string({ description: 'What it counts as where discounts stack.' }),
  }),
})
