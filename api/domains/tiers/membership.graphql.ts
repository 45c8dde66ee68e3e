import { builder } from '../../graph/builder.ts'
import { Membership } from '../members/index.ts'
import { DEFAULT_LADDER, sightOf, Tier } from './graphql.ts'

builder.objectField(Membership, 'tier', (t) =>
  t.field({
    type: Tier,
    nullable: true,
    description:
      'The tier on the ladder `default`; null below the lowest, and where there is no such ladder.',
    authScopes: { reads: 'members:read' },
    resolve: async ({ id }, _args, context) => {
      const sight = await sightOf(context, `${DEFAULT_LADDER} ${id}`)
      return sight && sight.level > 0 ? { ladder: sight.ladder, level: sight.level } : null
    },
  }),
)
