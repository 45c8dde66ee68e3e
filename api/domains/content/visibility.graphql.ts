import { builder } from '../../graph/builder.ts'

/** Who may read some content. */
export const ContentVisibility = builder.enumType('ContentVisibility', {
  description: 'Who may read some content.',
  values: {
    PUBLIC: { description: 'Everybody: whoever serves public pages may show it.' },
    MEMBERS: { description: 'Members who see into its space.' },
    TIER: { description: 'Of those, members of a tier.' },
    ENTITLED: { description: 'Of those, members who have an entitlement.' },
    AUDIENCE: { description: 'Of those, members whom another rule names.' },
  },
})

/** The word for a stored audience rule, or for none. */
export function visibilityOf(isPublic: boolean, stored: unknown): typeof ContentVisibility.$inferType {
  if (isPublic) return 'PUBLIC'
  if (stored === undefined) return 'MEMBERS'
  const [word, ...more] = Object.keys(Object(stored).rule ?? {})
  if (more.length === 0 && word === 'tier') return 'TIER'
  return more.length === 0 && word === 'entitlement' ? 'ENTITLED' : 'AUDIENCE'
}
