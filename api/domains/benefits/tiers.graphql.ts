import { builder } from '../../graph/builder.ts'
import { loader } from '../../graph/load.ts'
import { Tier } from '../tiers/index.ts'
import { Entitlement } from './entitlement.graphql.ts'
import { type EntitlementFacts, readOfTiers } from './entitlements.store.ts'

/** By the key of the tier. */
const listedUnder = loader<string, EntitlementFacts[]>((tiers, { db }) => readOfTiers(db, tiers))

builder.objectField(Tier, 'benefits', (t) =>
  t.field({
    type: [Entitlement],
    nullable: true,
    description: 'The entitlements in force that are listed under the tier, by their keys. At most 100.',
    authScopes: { reads: 'benefits:read' },
    resolve: ({ ladder, level }, _args, context) => listedUnder(context, ladder.keys[level - 1] ?? ''),
  }),
)
