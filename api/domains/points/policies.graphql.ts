import { builder } from '../../graph/builder.ts'

const PeriodEnd = builder.enumType('PeriodEnd', {
  description: 'To the end of which period a date is put off.',
  values: {
    MONTH: { description: 'The month.' },
    QUARTER: { description: 'The quarter.' },
    HALF: { description: 'The half of the year.' },
    YEAR: { description: 'The year.' },
  },
})

const RollingExpiryInput = builder.inputType('RollingExpiryInput', {
  description: 'A time from when points become spendable. Either days or months.',
  fields: (t) => ({
    days: t.int({ description: 'How many days.' }),
    months: t.int({ description: 'How many months; 31 January and a month is the end of February.' }),
    endOf: t.field({ type: PeriodEnd, description: 'To the end of which period it is put off.' }),
  }),
})

const SlidingExpiryInput = builder.inputType('SlidingExpiryInput', {
  description: 'A time from the last thing that the member did. Either days or months.',
  fields: (t) => ({
    days: t.int({ description: 'How many days.' }),
    months: t.int({ description: 'How many months.' }),
    endOf: t.field({ type: PeriodEnd, description: 'To the end of which period it is put off.' }),
    activities: t.stringList({
      description: 'What counts, such as `purchase`; everything that members do when left out.',
    }),
  }),
})

/** How points die; the same fields as `expiryPolicy` reads. */
export const ExpiryPolicyInput = builder.inputType('ExpiryPolicyInput', {
  description: 'When points die, in the days of the tenant. Exactly one of these.',
  isOneOf: true,
  fields: (t) => ({
    never: t.boolean({ description: 'True: they do not.' }),
    rolling: t.field({ type: RollingExpiryInput, description: 'A time after they become spendable.' }),
    fixed: t.stringList({ description: 'At the end of the next of these days of the year, as in 03-31.' }),
    sliding: t.field({ type: SlidingExpiryInput, description: 'A time after the last activity.' }),
  }),
})

/** When points become spendable; the same fields as `pendingRule` reads. */
export const PendingInput = builder.inputType('PendingInput', {
  description: 'Until when points are pending: one of `for`, `until`, or `event` with `cancelAfter`.',
  fields: (t) => ({
    for: t.field({ type: 'Duration', description: 'For that long, by the calendar of the tenant.' }),
    until: t.field({ type: 'DateTime', description: 'Until that instant.' }),
    event: t.string({ description: 'Until the member does this activity.' }),
    cancelAfter: t.field({
      type: 'Duration',
      description: 'When the event has not come after that long, they are cancelled.',
    }),
  }),
})
