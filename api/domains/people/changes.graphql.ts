import { builder } from '../../graph/builder.ts'
import { ownOnly } from '../../graph/own.ts'
import { connectionOf } from '../../graph/relay.ts'
import { Member } from '../members/index.ts'

const MembershipChangeKind = builder.enumType('MembershipChangeKind', {
  description: 'What happened to a membership.',
  values: {
    PAUSED: { description: 'It rests.' },
    RESUMED: { description: 'It goes on after a pause.' },
    PAID: { description: 'Until when it is paid was said.' },
    RENEWAL_STOPPED: { description: 'It is not renewed any more.' },
    RENEWED: { description: 'It is renewed again.' },
    ENDED: { description: 'It ended.' },
    RETURNED: { description: 'The member came back.' },
    ERASED: { description: 'Everything that told who the member was went.' },
  },
})

/** Something that happened to a membership. */
const MembershipChange = builder.prismaNode('MembershipChange', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { reads: 'members:read' },
  select: { id: true },
  fields: (t) => ({
    kind: t.field({
      type: MembershipChangeKind,
      description: 'What happened.',
      select: { kind: true },
      resolve: ({ kind }) => kind as typeof MembershipChangeKind.$inferType, // a check constraint holds it
    }),
    at: t.expose('at', { type: 'DateTime' }),
    reason: t.exposeString('reason', { nullable: true }),
  }),
})

const MembershipChangeConnection = connectionOf(MembershipChange, 'MembershipChange')

builder.prismaObjectField(Member, 'membershipChanges', (t) =>
  t.relatedConnection(
    'membershipChanges',
    {
      description: 'What happened to the membership, newest first. For the member itself and for staff.',
      nullable: true,
      authScopes: { reads: 'members:read' },
      cursor: 'tenantId_id',
      query: { orderBy: { id: 'desc' } },
    },
    MembershipChangeConnection,
  ),
)
