import { builder } from '../../graph/builder.ts'
import type { ReachFacts } from './reach.store.ts'

/** How far the tenant is known among people who are no members. */
export const Reach = builder.objectRef<ReachFacts>('CommunityReach').implement({
  description: 'How far the tenant is known among people who are no members.',
  fields: (t) => ({
    teaserViews: t.exposeFloat('teaserViews', {
      description: "Looks at teasers, on days of the tenant's that begin in the span.",
    }),
    mentions: t.exposeInt('mentions', {
      description: 'Pages elsewhere that speak of the tenant; of no space, so the same for every one.',
    }),
  }),
})
