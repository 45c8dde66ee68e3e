import { builder } from '../../graph/builder.ts'
import { addAudienceWords } from '../audiences/index.ts'

const CountRule = builder.inputType('CountRule', {
  description: 'A rule on how many there are. Give atLeast, atMost, or both.',
  fields: (t) => ({
    atLeast: t.int({ description: 'The least number, zero or more.' }),
    atMost: t.int({ description: 'The greatest number, zero or more.' }),
    within: t.field({
      type: 'Duration',
      description: 'Only those of this last while by the clock of the tenant, as in P90D.',
    }),
    sku: t.string({ description: 'Only those with a line of this product that was not given back whole.' }),
  }),
})

const SpentRule = builder.inputType('SpentRule', {
  description: 'A rule on what a member paid, less what it was given back.',
  fields: (t) => ({
    currency: t.field({
      type: 'CurrencyCode',
      required: true,
      description: 'Only purchases in this currency.',
    }),
    atLeast: t.int({ required: true, description: 'The least amount in minor units, 1 or more.' }),
    within: t.field({
      type: 'Duration',
      description: 'Only those of this last while by the clock of the tenant, as in P1Y.',
    }),
  }),
})

addAudienceWords((t) => ({
  spent: t.field({ type: SpentRule, description: 'The member paid so much. Needs: `purchases:read`.' }),
  purchases: t.field({
    type: CountRule,
    description:
      'The member made so many purchases; fully refunded ones do not count. Needs: `purchases:read`.',
  }),
}))
