import { builder } from '../../graph/builder.ts'
import { TextsInput } from '../../graph/texts.ts'
import { AudienceInput } from '../audiences/index.ts'
import { EndRule, OfferType, OfferWay, ThresholdRule } from './graphql.ts'

const OfferPointsInput = builder.inputType('OfferPointsInput', {
  description: 'Points to give.',
  fields: (t) => ({
    currency: t.string({ description: "Which points; the tenant's usual ones when left out." }),
    amount: t.field({ type: 'Points', required: true, description: 'How many; more than zero.' }),
  }),
})

const OfferMoneyInput = builder.inputType('OfferMoneyInput', {
  description: 'An amount off a purchase.',
  fields: (t) => ({
    amount: t.field({ type: 'Minor', required: true, description: 'Minor units; more than zero.' }),
    currency: t.field({
      type: 'CurrencyCode',
      description: 'Its currency; that of the purchase which completes the offer when left out.',
    }),
  }),
})

const OfferPercentInput = builder.inputType('OfferPercentInput', {
  description: 'A share off a purchase.',
  fields: (t) => ({
    basisPoints: t.int({ required: true, description: 'In hundredths of a percent: 1000 is 10 %.' }),
  }),
})

const OfferEntitlementInput = builder.inputType('OfferEntitlementInput', {
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

const OfferBenefitInput = builder.inputType('OfferBenefitInput', {
  description: 'Something that completing an offer gives.',
  isOneOf: true,
  fields: (t) => ({
    points: t.field({ type: OfferPointsInput, description: 'Points in a wallet.' }),
    money: t.field({ type: OfferMoneyInput, description: 'An amount off a purchase.' }),
    percent: t.field({ type: OfferPercentInput, description: 'A share off a purchase.' }),
    entitlement: t.field({ type: OfferEntitlementInput, description: 'Something to use.' }),
  }),
})

/** `OfferInput` of the API: the body of a definition; the part reads it. */
export const OfferInput = builder.inputType('OfferInput', {
  description: 'What an offer is. In-flight receipts keep the version that they began with.',
  fields: (t) => ({
    name: t.field({ type: TextsInput, description: 'What members call it; its key when left out.' }),
    type: t.field({ type: OfferType, required: true, description: 'What has to be done for it.' }),
    threshold: t.field({
      type: 'Minor',
      description: 'What has to be bought for, in minor units; of the first two types.',
    }),
    thresholdIs: t.field({
      type: ThresholdRule,
      description: 'When that is reached; AT_LEAST when left out.',
    }),
    currency: t.field({
      type: 'CurrencyCode',
      description: 'The only currency that counts; when left out, each is added up for itself.',
    }),
    skus: t.stringList({ description: 'Products of the set, by sku. At most 100.' }),
    labels: t.stringList({ description: 'Labels of which any product counts for the set. At most 100.' }),
    needed: t.int({ description: 'How many different ones of the set are needed; all when left out.' }),
    benefits: t.field({ type: [OfferBenefitInput], description: 'What completing it gives. At most 10.' }),
    validFor: t.field({ type: 'Duration', description: 'How long a receipt lasts; a day is 24 hours.' }),
    from: t.field({ type: 'DateTime', description: 'When it is given first.' }),
    until: t.field({ type: 'DateTime', description: 'When all of it ends.' }),
    endIs: t.field({
      type: EndRule,
      description: 'Whether the instant of the end still counts; EXCLUSIVE when left out.',
    }),
    audience: t.field({ type: AudienceInput, description: 'Who may have it; everybody when left out.' }),
    stock: t.int({ description: 'How many there are; without end when left out.' }),
    perMember: t.int({
      description: 'How often a member may have it; without limit when left out, once for ON_STAGE.',
    }),
    howGiven: t.field({ type: OfferWay, description: 'How members come by it; RECEIVED when left out.' }),
    stages: t.stringList({
      description: 'The stages whose entering gives it, by key; with ON_STAGE. At most 20.',
    }),
    label: t.string({ description: 'What kind of offer you call it, as in REPEAT_DISCOUNT.' }),
    campaign: t.string({ description: 'The key of the campaign that it belongs to.' }),
  }),
})
