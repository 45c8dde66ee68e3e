import { builder } from '../../graph/builder.ts'
import { addAudienceWords } from '../audiences/index.ts'

const ActivityRule = builder.inputType('ActivityRule', {
  description: 'A rule on what members do that is no purchase.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'The name of the activity, such as `answer.accepted`.' }),
    atLeast: t.int({ description: 'How often at least; once when left out.' }),
    within: t.field({ type: 'Duration', description: 'Since so long ago; ever when left out.' }),
  }),
})

addAudienceWords((t) => ({
  activity: t.field({ type: ActivityRule, description: 'The member did this so often.' }),
}))
