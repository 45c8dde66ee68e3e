import { builder } from '../../graph/builder.ts'
import { connectionOf } from '../../graph/relay.ts'
import { Space, SpaceRole, SpaceStanding } from './graphql.ts'

/** How a member stands to a space. */
export const SpaceMembership = builder.prismaObject('SpaceMember', {
  variant: 'SpaceMembership',
  description: 'How a member stands to a space.',
  select: { spaceId: true, memberId: true },
  fields: (t) => ({
    space: t.relation('space', { nullable: true, description: 'The space.' }),
    displayName: t.string({
      description: 'How the member is greeted.',
      select: { member: { select: { displayName: true } } },
      resolve: ({ member }) => member.displayName,
    }),
    standing: t.field({
      type: SpaceStanding,
      description: 'How the member stands to it.',
      select: { state: true },
      resolve: ({ state }) => state as typeof SpaceStanding.$inferType, // a check constraint holds it
    }),
    role: t.field({
      type: SpaceRole,
      description: 'What the member is in it.',
      select: { role: true },
      resolve: ({ role }) => role as typeof SpaceRole.$inferType, // likewise
    }),
    since: t.expose('since', { type: 'DateTime' }),
    member: t.relation('member', {
      nullable: true,
      authScopes: { lists: 'members:read' },
      description: 'Who it is. For staff and integrations.',
    }),
  }),
})

const SpaceMembershipConnection = connectionOf(SpaceMembership, 'SpaceMembership')

builder.prismaObjectField(Space, 'memberships', (t) =>
  t.relatedConnection(
    'members',
    {
      nullable: true,
      type: SpaceMembership,
      description:
        'Who has to do with it, by member: for staff and its moderators; others find themselves alone.',
      cursor: 'tenantId_spaceId_memberId',
      args: {
        standing: t.arg({ type: SpaceStanding, description: 'Only those who stand to it like this.' }),
      },
      query: ({ standing }) => ({
        ...(standing && { where: { state: standing } }),
        orderBy: { memberId: 'asc' },
      }),
    },
    SpaceMembershipConnection,
  ),
)
