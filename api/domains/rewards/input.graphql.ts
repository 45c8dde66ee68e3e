import { builder } from '../../graph/builder.ts'
import { AudienceInput } from '../audiences/index.ts'
import { BenefitInput } from '../benefits/index.ts'
import { RewardFulfilment, RewardPeriod } from './graphql.ts'

const RewardTextInput = builder.inputType('RewardTextInput', {
  description: 'A text for members, of 1 to 500 characters in each language.',
  fields: (t) => ({
    en: t.string({ required: true, description: 'In English.' }),
    ja: t.string({ required: true, description: 'In Japanese.' }),
  }),
})

const RewardCostInput = builder.inputType('RewardCostInput', {
  description: 'What one costs.',
  fields: (t) => ({
    points: t.field({ type: 'Points', required: true, description: 'How many points; more than zero.' }),
    currency: t.string({ description: "Which points; the tenant's usual ones when left out." }),
  }),
})

const RewardPriceInput = builder.inputType('RewardPriceInput', {
  description: 'Another price for some; of all that a member is in for, the lowest counts.',
  fields: (t) => ({
    when: t.field({ type: AudienceInput, required: true, description: 'For whom.' }),
    points: t.field({ type: 'Points', required: true, description: 'What one costs them; more than zero.' }),
  }),
})

const RewardWindowInput = builder.inputType('RewardWindowInput', {
  description: 'When a reward can be redeemed.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', description: 'From when on; at once when left out.' }),
    until: t.field({ type: 'DateTime', description: 'Until just before when; without end when left out.' }),
  }),
})

const RewardLimitInput = builder.inputType('RewardLimitInput', {
  description: 'How many a member may have.',
  fields: (t) => ({
    limit: t.int({ required: true, description: 'How many; 1 to 1,000.' }),
    period: t.field({ type: RewardPeriod, description: 'In which span; ever when left out.' }),
  }),
})

const RewardGoodsInput = builder.inputType('RewardGoodsInput', {
  description: 'A thing that somebody sends.',
  fields: (t) => ({
    sku: t.string({ required: true, description: 'What the sender knows it by; 1 to 100 characters.' }),
  }),
})

const RewardReservationInput = builder.inputType('RewardReservationInput', {
  description: 'Holding points instead of spending them.',
  fields: (t) => ({
    for: t.field({ type: 'Duration', required: true, description: 'For how long, as in PT30M.' }),
  }),
})

/** `RewardInput` of the API: the body of a definition. */
export const RewardInput = builder.inputType('RewardInput', {
  description: 'A reward as it is to be.',
  fields: (t) => ({
    name: t.field({ type: RewardTextInput, required: true, description: 'What members call it.' }),
    description: t.field({ type: RewardTextInput, description: 'What it is, in words for members.' }),
    cost: t.field({ type: RewardCostInput, required: true, description: 'What one costs.' }),
    costs: t.field({ type: [RewardPriceInput], description: 'Other prices, for some. At most 20.' }),
    audience: t.field({ type: AudienceInput, description: 'Who may have it; everybody when left out.' }),
    window: t.field({ type: RewardWindowInput, description: 'When; always when left out.' }),
    stock: t.int({ description: 'How many there ever are; no end of them when left out.' }),
    perMember: t.field({
      type: RewardLimitInput,
      description: 'How many a member may have; as many as it likes when left out.',
    }),
    benefit: t.field({
      type: BenefitInput,
      description: 'What the program gives when it is fulfilled. This or goods.',
    }),
    goods: t.field({ type: RewardGoodsInput, description: 'What somebody sends. This or a benefit.' }),
    fulfilment: t.field({ type: RewardFulfilment, required: true, description: 'How it is fulfilled.' }),
    reservation: t.field({
      type: RewardReservationInput,
      description: 'When given, points are held until it is fulfilled, as at a checkout.',
    }),
  }),
})
