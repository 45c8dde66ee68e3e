import { builder, type Types } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { encodeId, idOf } from '../../graph/ids.ts'
import { loader } from '../../graph/load.ts'
import { mutation } from '../../graph/mutation.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import { Author, Contribution, selfOf } from '../contributions/index.ts'
import { Member } from '../members/index.ts'
import { notificationReceived } from './events.ts'
import { KINDS } from './kinds.ts'
import { markRead } from './service.ts'
import { countUnread, readSeen, type Seen } from './store.ts'

/** `NotificationKind` of the API. */
export const NotificationKind = builder.enumType('NotificationKind', {
  description: 'What a notification is about.',
  values: KINDS,
})

const seenOf = loader<string, Seen>((ids, { db }) => readSeen(db, ids))

/** Something that a member is told. */
export const Notification = builder.prismaNode('Notification', {
  description:
    'Something that a member is told: facts of one kind about one thing stand together while they are unread, as in "A and 5 others". It says nothing of what the member may not see now.',
  id: { resolve: ({ id }) => id },
  nullable: true,
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { reads: 'community:read' },
  select: { id: true },
  fields: (t) => ({
    kind: t.field({
      type: NotificationKind,
      description: 'What it is about.',
      select: { kind: true },
      resolve: ({ kind }) => kind as typeof NotificationKind.$inferType, // a check constraint holds it
    }),
    at: t.expose('at', { type: 'DateTime' }),
    readAt: t.expose('readAt', { type: 'DateTime', nullable: true }),
    count: t.int({
      description: 'How many facts it tells, as far as the member may see them now.',
      resolve: async ({ id }, _args, context) => (await seenOf(context, id)).count,
    }),
    object: t.relation('contribution', {
      type: Contribution,
      nullable: true,
      description:
        'What was written last; null when it is about nothing written, or whoever asks may not see it any more.',
    }),
    actorCount: t.int({
      description: 'How many people did it, as far as the member may see it now; staff are one.',
      resolve: async ({ id }, _args, context) => (await seenOf(context, id)).actorCount,
    }),
    actors: t.field({
      type: [Author],
      description: 'The members who did it, the newest first, as in "A and 5 others". At most 3.',
      resolve: async ({ id }, _args, context) =>
        (await seenOf(context, id)).actors.map((author) => ({ author, isByStaff: false })),
    }),
    target: t.id({
      nullable: true,
      description:
        'What it is about when that is nothing written: the key of a badge, or the id of a space. Else null.',
      select: { kind: true },
      resolve: async ({ id, kind }, _args, context) => {
        const { subject } = await seenOf(context, id)
        if (subject !== null && kind === 'SPACE') return encodeId('Space', subject)
        return kind === 'BADGE' ? subject : null
      },
    }),
  }),
})

const NotificationConnection = connectionOf(Notification, 'Notification')

const unreadOf = loader<string, number>((members, { db }) => countUnread(db, members))

builder.prismaObjectFields(Member, (t) => ({
  notifications: t.relatedConnection(
    'notifications',
    {
      type: Notification,
      nullable: true,
      description: 'What the member was told, the newest first. For the member itself and for staff.',
      authScopes: { reads: 'community:read' },
      cursor: 'tenantId_id',
      query: { where: { isListed: true }, orderBy: { at: 'desc' } },
    },
    NotificationConnection,
  ),
  unreadNotifications: t.int({
    nullable: true,
    description:
      'How many unread notifications tell of something that whoever asks may see now; counted up to 100.',
    authScopes: { reads: 'community:read' },
    select: { id: true },
    resolve: ({ id }, _args, context) => unreadOf(context, id),
  }),
}))

mutation('markNotificationsRead', {
  description:
    "Marks one's own notifications read: some, or all up to an instant. Needs: a member. Emits: nothing.",
  scopes: { member: true },
  errors: [],
  key: 'none',
  input: (t) => ({
    notifications: t.idList({ description: 'Which ones; at most 100.' }),
    until: t.field({ type: 'DateTime', description: 'All of which the newest fact is not later than this.' }),
  }),
  resolve: async ({ notifications, until }, context) => {
    if (!notifications && !until) throw new BadInputError('input', 'Give notifications, until, or both.')
    const ids = notifications?.map((id, i) => idOf('Notification', id, `input.notifications.${i}`)) ?? null
    return {
      read: await markRead(context.db, selfOf(context), { notifications: ids, until: until ?? null }),
    }
  },
  payload: (t) => ({
    read: t.exposeInt('read', { description: 'How many were unread before.' }),
  }),
})

/** The field `notification` of an event about one. */
const notificationOf = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, Parameters<typeof factOf>[0]>) =>
  t.prismaField({
    type: Notification,
    nullable: true,
    description: 'The notification, as it is now.',
    resolve: (query, event, _args, { db }) =>
      read(db).notification.findFirst({ ...query, where: { id: factOf(event, 'notification') } }),
  })

eventType(notificationReceived, (t) => ({ notification: notificationOf(t) }))
