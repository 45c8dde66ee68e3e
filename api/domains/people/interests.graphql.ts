import { builder } from '../../graph/builder.ts'
import { loader } from '../../graph/load.ts'
import { mutation } from '../../graph/mutation.ts'
import { MembershipEndedError } from '../../platform/errors/index.ts'
import { Member, MemberByInput, memberOf, ownOrWrites, subjectOf } from '../members/index.ts'
import { type InterestRow, readDeriving, readInterests } from './interests.store.ts'
import { deriveInterests, dropInterest } from './interests.ts'

const InterestSource = builder.enumType('InterestSource', {
  description: 'What tells that a member cares about something.',
  values: {
    SAID: { description: 'The member said so.' },
    READ: { description: 'It read of it more than once.' },
    ASKED: { description: 'It asked about it.' },
    ANSWERED: { description: 'It answered questions about it.' },
    WROTE: { description: 'It wrote about it.' },
  },
})

const Interest = builder.objectRef<InterestRow>('Interest').implement({
  description: 'Something that a member cares about.',
  fields: (t) => ({
    label: t.exposeString('label', {
      description: 'What it is: as the member said it, a tag, or a product.',
    }),
    source: t.field({
      type: InterestSource,
      description: 'What tells of it.',
      resolve: ({ source }) => source as typeof InterestSource.$inferType, // a check constraint holds it
    }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was said or done last.' }),
  }),
})

const interestsOf = loader<string, InterestRow[]>(async (members, { db }) => {
  const found = Map.groupBy(await readInterests(db, members), ({ memberId }) => memberId)
  return members.map((id) => found.get(id) ?? [])
})

const derivesFor = loader<string, boolean>(async (members, { db }) => {
  const found = await readDeriving(db, members)
  return members.map((id) => found.has(id))
})

builder.prismaObjectFields(Member, (t) => ({
  interests: t.field({
    type: [Interest],
    nullable: true,
    description:
      'What the member cares about, those first that it said itself; at most 30. For the member itself and for staff.',
    authScopes: { reads: 'members:read' },
    select: { id: true },
    resolve: ({ id }, _args, context) => interestsOf(context, id),
  }),
  isDerivingInterests: t.boolean({
    nullable: true,
    description: 'Whether the member agrees that its interests are derived from what it does.',
    authScopes: { reads: 'members:read' },
    select: { id: true },
    resolve: ({ id }, _args, context) => derivesFor(context, id),
  }),
}))

mutation('deriveInterests', {
  description:
    "Says whether interests are derived, once a day, from the tags and products of what a member asks, answers, writes and reads where every member may read. Off until the member agrees; what was derived goes when it no longer does. Needs: a member's token, for its own, or `members:write`. Emits: nothing.",
  scopes: ownOrWrites('members:write'),
  errors: [MembershipEndedError],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: "Whose; a member's own when left out." }),
    isOn: t.boolean({ required: true, description: 'Yes or no.' }),
  }),
  resolve: ({ member, isOn }, context) => deriveInterests(context.db, subjectOf(member, context), isOn),
  payload: (t) => ({ member: memberOf(t) }),
})

mutation('dropInterest', {
  description:
    "Takes an interest of a member away; it is not derived again. Needs: a member's token, for its own, or `members:write`. Emits: nothing.",
  scopes: ownOrWrites('members:write'),
  errors: [],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: "Whose; a member's own when left out." }),
    interest: t.string({ required: true, description: 'Which one, in any way of writing it.' }),
  }),
  resolve: ({ member, interest }, context) => dropInterest(context.db, subjectOf(member, context), interest),
  payload: (t) => ({ member: memberOf(t) }),
})
