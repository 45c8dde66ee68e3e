import { builder } from '../../graph/builder.ts'
import { connectionOf } from '../../graph/relay.ts'
import { Member } from '../members/index.ts'
import { Contribution, contributionKinds } from './graphql.ts'

/** Pages of whatever is written in spaces. */
export const ContributionConnection = connectionOf(Contribution, 'Contribution')

builder.prismaObjectField(Member, 'contributions', (t) =>
  t.relatedConnection(
    'contributions',
    {
      type: Contribution,
      nullable: true,
      description:
        'What the member wrote in spaces, newest first: for the member itself, where it may still see it, and staff.',
      authScopes: { reads: 'community:read' },
      cursor: 'tenantId_id',
      query: () => ({ where: { kind: { in: contributionKinds() } }, orderBy: { id: 'desc' } }),
    },
    ContributionConnection,
  ),
)
