import { builder } from '../../graph/builder.ts'
import { mutation } from '../../graph/mutation.ts'
import { publish } from '../program/index.ts'
import { ReputationCause } from './graphql.ts'
import { reputationPart } from './part.ts'

const ReputationSource = builder.enumType('ReputationSource', {
  description: 'What reputation is given for.',
  values: {
    QUESTION: { description: 'A question.' },
    ANSWER: { description: 'An answer.' },
    POST: { description: 'A post.' },
    COMMENT: { description: 'A comment.' },
    CONTENT: { description: 'Content that a member wrote.' },
  },
})

const ReputationAmountInput = builder.inputType('ReputationAmountInput', {
  description: 'How much something gives.',
  fields: (t) => ({
    cause: t.field({ type: ReputationCause, required: true, description: 'What gives it.' }),
    on: t.field({ type: [ReputationSource], description: 'For what; for everything when left out.' }),
    amount: t.int({ required: true, description: 'How much; below 0 it takes. At most 1,000.' }),
  }),
})

mutation('defineReputation', {
  description:
    'Says what gives how much reputation from now on, and how much at most; what was given before stays as it was. Needs: `program:write`. Emits: `program.published`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    amounts: t.field({
      type: [ReputationAmountInput],
      required: true,
      description: 'How much what gives; the first that fits holds. At most 50.',
    }),
    perDay: t.int({
      required: true,
      description: "How much a member gains on a day of the tenant's calendar at most.",
    }),
    perPairAndDay: t.int({
      required: true,
      description: 'How much one member gives another on a day, or takes, at most; there is no exception.',
    }),
    perContribution: t.int({
      required: true,
      description: 'How much one text gains, or loses, at most.',
    }),
    exempt: t.field({
      type: [ReputationCause],
      required: true,
      description: 'What the caps for a day and for a text do not count. At most 5.',
    }),
    floor: t.int({ required: true, description: 'The least reputation that anybody is shown with.' }),
  }),
  resolve: async (given, { db }, { actor }) => {
    const body = reputationPart.read(given, 'input')
    await publish(db, [{ kind: 'reputation', key: 'reputation', body }], { actor })
    return { key: 'reputation' }
  },
  payload: (t) => ({ key: t.exposeString('key', { description: 'Its name within the program.' }) }),
})
