import { builder } from '../../graph/builder.ts'
import { addAudienceWords } from '../audiences/index.ts'
import { MembershipStatus } from './graphql.ts'

const AttributeRule = builder.inputType('AttributeRule', {
  description:
    'A rule on one attribute: equals, or in, or one or both bounds. Values compare as JSON does: 5 is never "5". A member without the attribute does not match.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'The name of the attribute.' }),
    equals: t.field({ type: 'JSON', description: 'The value: a number, text, true or false.' }),
    in: t.field({ type: ['JSON'], description: 'The value is one of these, at most 100.' }),
    atLeast: t.field({
      type: 'JSON',
      description: 'The least value, a number or text. Text compares by code points.',
    }),
    atMost: t.field({ type: 'JSON', description: 'The greatest value, a number or text.' }),
  }),
})

addAudienceWords((t) => ({
  membership: t.field({ type: [MembershipStatus], description: "The membership's status is one of these." }),
  attribute: t.field({ type: AttributeRule, description: 'The member has an attribute with such a value.' }),
}))
