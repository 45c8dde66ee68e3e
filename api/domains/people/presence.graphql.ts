import { builder } from '../../graph/builder.ts'
import { idOf } from '../../graph/ids.ts'
import { mutation } from '../../graph/mutation.ts'
import { AccessDeniedError, NotFoundError, SpaceNotEnabledError } from '../../platform/errors/index.ts'
import { contributionRef } from '../contributions/index.ts'
import { MemberByInput, ownOrWrites } from '../members/index.ts'
import { eyesOf, ownOrReads, PersonType } from './people.graphql.ts'
import { readPeople } from './people.store.ts'
import { type PresenceRow, readPresence } from './presence.store.ts'
import { beHere } from './presence.ts'

const Presence = builder.objectRef<PresenceRow & { readonly viewer: string }>('Presence').implement({
  description: 'Who is in a space now.',
  fields: (t) => ({
    present: t.exposeInt('present', { description: 'How many members were there within the last minute.' }),
    typing: t.exposeInt('typing', { description: 'How many of them are writing in the thread asked about.' }),
    people: t.field({
      type: [PersonType],
      description: 'Those who want to be seen; at most 50.',
      resolve: async ({ viewer, people }, _args, { db }) =>
        people.length === 0 ? [] : [...(await readPeople(db, viewer, people)).values()],
    }),
  }),
})

builder.queryField('presence', (t) =>
  t.field({
    type: Presence,
    nullable: true,
    description: 'Who is in a space now; null for who may not see it.',
    authScopes: ownOrReads('members:read'),
    args: {
      member: t.arg({ type: MemberByInput, description: 'Who looks; a member itself when left out.' }),
      space: t.arg.id({ required: true, description: 'Which space.' }),
      thread: t.arg.id({ description: 'A thread of it, to be told who is writing there.' }),
    },
    resolve: async (_root, { member, space, thread }, context) => {
      const place = idOf('Space', space, 'space')
      const root = thread == null ? null : contributionRef(thread, 'thread')
      const viewer = await eyesOf(member, context)
      const row = viewer === null ? null : await readPresence(context.db, viewer, place, root)
      return row && viewer !== null ? { ...row, viewer } : null
    },
  }),
)

mutation('beHere', {
  description:
    "Says that a member is in a space; to be said again within a minute, and every ten seconds while it writes. Needs: a member's token, for its own, or `messages:write`. Emits: nothing.",
  scopes: ownOrWrites('messages:write'),
  errors: [AccessDeniedError, SpaceNotEnabledError],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: 'Who is there; a member itself when left out.' }),
    space: t.id({ required: true, description: 'Where.' }),
    typingIn: t.id({ description: 'The thread that it is writing in.' }),
  }),
  resolve: async ({ member, space, typingIn }, context) => {
    const place = idOf('Space', space, 'input.space')
    const root = typingIn == null ? null : contributionRef(typingIn, 'input.typingIn')
    const who = await eyesOf(member, context, 'input.member')
    if (who === null) throw new NotFoundError('member')
    return beHere(context.db, who, { space: place, typingIn: root })
  },
  payload: (t) => ({
    presence: t.field({
      type: Presence,
      nullable: true,
      description: 'Who is there now.',
      resolve: async ({ member, space }, _args, { db }) => {
        const row = await readPresence(db, member, space, null)
        return row && { ...row, viewer: member }
      },
    }),
  }),
})
