import { builder } from '../../graph/builder.ts'
import { addAudienceWords } from '../audiences/index.ts'

const ReachRule = builder.inputType('ReachRule', {
  description: 'Whether messages of a purpose may go through a channel, and would find an address.',
  fields: (t) => ({
    purpose: t.string({ required: true, description: 'What messages are for, such as newsletter.' }),
    channel: t.string({ required: true, description: 'The id of the channel.' }),
  }),
})

addAudienceWords((t) => ({
  consent: t.field({
    type: ReachRule,
    description:
      'The member may be written to for this purpose through this channel now: a live consent and an address that may be used.',
  }),
}))
