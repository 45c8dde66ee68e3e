import { builder } from '../../graph/builder.ts'
import { TextsInput } from '../../graph/texts.ts'

const TierPeriod = builder.enumType('TierPeriod', {
  description: 'A period of the calendar, by the days of the tenant.',
  values: {
    MONTH: { description: 'A month.' },
    QUARTER: { description: 'A quarter, from January, April, July and October.' },
    HALF: { description: 'A half of the year, from January and July.' },
    YEAR: { description: 'A year.' },
  },
})

/** `TierFalls` of the API. */
export const TierFalls = builder.enumType('TierFalls', {
  description: 'How a member falls who did not reach again what the tier asks for.',
  values: {
    NEVER: { description: 'Not at all.' },
    ONE_LEVEL: { description: 'To the next lower tier.' },
    FULL: { description: 'To the tier that the facts allow.' },
  },
})

const TierInput = builder.inputType('TierInput', {
  description: 'A tier of a ladder.',
  fields: (t) => ({
    key: t.string({ required: true, description: 'The name that rules and programs use, as in `gold`.' }),
    name: t.field({ type: TextsInput, required: true, description: 'What members read.' }),
    threshold: t.field({
      type: 'Amount',
      required: true,
      description: 'From how much of what is measured; more than the tier before.',
    }),
    neverFalls: t.boolean({ description: 'True: who reached it does not fall below it.' }),
  }),
})

const QualifyingPointsInput = builder.inputType('QualifyingPointsInput', {
  description: 'Points that were earned, less what refunds took back. Spending takes nothing from them.',
  fields: (t) => ({
    currency: t.string({ description: 'Which points; POINTS when left out.' }),
    withGrants: t.boolean({ description: 'True: points that were granted by hand count as well.' }),
  }),
})

const BalanceMeasureInput = builder.inputType('BalanceMeasureInput', {
  description: 'What a wallet holds.',
  fields: (t) => ({ currency: t.string({ description: 'Which points; POINTS when left out.' }) }),
})

const SpendMeasureInput = builder.inputType('SpendMeasureInput', {
  description: 'What purchases amount to, less refunds, in minor units.',
  fields: (t) => ({
    currency: t.field({ type: 'CurrencyCode', required: true, description: 'Purchases in this currency.' }),
  }),
})

const ActivitiesMeasureInput = builder.inputType('ActivitiesMeasureInput', {
  description: 'How often a member did something.',
  fields: (t) => ({ name: t.string({ required: true, description: 'What, as in `lesson.finished`.' }) }),
})

const TierMeasureInput = builder.inputType('TierMeasureInput', {
  description: 'What is measured. Exactly one of these.',
  isOneOf: true,
  fields: (t) => ({
    pointsEarned: t.field({ type: QualifyingPointsInput, description: 'Points earned.' }),
    balance: t.field({ type: BalanceMeasureInput, description: 'The balance, which spending takes from.' }),
    spend: t.field({ type: SpendMeasureInput, description: 'Money spent.' }),
    purchases: t.boolean({ description: 'True: how many purchases were not wholly given back.' }),
    activities: t.field({ type: ActivitiesMeasureInput, description: 'How often something was done.' }),
  }),
})

const SpanInput = builder.inputType('SpanInput', {
  description: 'A length of time by the calendar: days or months, one of them.',
  fields: (t) => ({
    days: t.int({ description: 'How many days.' }),
    months: t.int({ description: 'How many months; 31 January and a month is the end of February.' }),
  }),
})

const SpanToEndInput = builder.inputType('SpanToEndInput', {
  description: 'The same, and perhaps on to the end of a period.',
  fields: (t) => ({
    days: t.int({ description: 'How many days.' }),
    months: t.int({ description: 'How many months; 31 January and a month is the end of February.' }),
    endOf: t.field({ type: TierPeriod, description: 'To the end of which period it goes on.' }),
  }),
})

const TierWindowInput = builder.inputType('TierWindowInput', {
  description: 'Over which time facts count. Exactly one of these.',
  isOneOf: true,
  fields: (t) => ({
    calendar: t.field({
      type: TierPeriod,
      description: 'The running period, and at its end the whole of it.',
    }),
    rolling: t.field({ type: SpanInput, description: 'Each fact for this long.' }),
    anniversary: t.boolean({ description: 'True: years from the day of the registration.' }),
    sinceTierStart: t.boolean({
      description: 'True: since the tier was reached; then it begins from nothing.',
    }),
    ever: t.boolean({ description: 'True: all there ever was.' }),
  }),
})

/** A ladder as it is defined; the same fields as `ladderPart` reads. */
export const TierLadderInput = builder.inputType('TierLadderInput', {
  description: 'A ladder of tiers: what is measured, over which time, and how members rise and fall.',
  fields: (t) => ({
    tiers: t.field({ type: [TierInput], required: true, description: 'The tiers, lowest first; 1 to 20.' }),
    measure: t.field({ type: TierMeasureInput, required: true, description: 'What is measured.' }),
    window: t.field({ type: TierWindowInput, required: true, description: 'Over which time.' }),
    falls: t.field({ type: TierFalls, required: true, description: 'How members fall.' }),
    validFor: t.field({
      type: SpanToEndInput,
      description:
        'How long a tier that was reached holds before it is asked again. With a rolling window that has none, members fall when what they did long ago leaves it.',
    }),
    grace: t.field({
      type: SpanToEndInput,
      description: 'How long a member who would fall may still reach what the tier asks for.',
    }),
  }),
})
