import { builder } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import {
  AccessDeniedError,
  IdempotencyKeyReusedError,
  MembershipEndedError,
  SpaceNotEnabledError,
} from '../../platform/errors/index.ts'
import { Contribution, writerOf, written } from '../contributions/index.ts'
import { MemberByInput, ownOrWrites, subjectOf } from '../members/index.ts'
import { openComplaint, reportStumble, resolveComplaint } from './complaints.service.ts'
import { stumblesSince } from './complaints.store.ts'
import { complaintOpened, complaintResolved, stumbleReported } from './events.ts'
import { Post, postOf, postOfEvent } from './graphql.ts'

const ComplaintState = builder.enumType('ComplaintState', {
  description: 'How a complaint stands.',
  values: {
    OPEN: { description: 'Somebody has to settle it.' },
    RESOLVED: { description: 'It was settled; the thread says how.' },
  },
})

const Complaint = builder.prismaObject('Complaint', {
  fields: (t) => ({
    post: t.relation('contribution', { type: Post, nullable: true, description: 'What complains of it.' }),
    state: t.field({
      type: ComplaintState,
      description: 'How it stands.',
      select: { state: true },
      resolve: ({ state }) => state as typeof ComplaintState.$inferType, // a check constraint holds it
    }),
    reason: t.exposeString('reason', { nullable: true }),
    openedAt: t.expose('openedAt', { type: 'DateTime' }),
    resolvedAt: t.expose('resolvedAt', { type: 'DateTime', nullable: true }),
    resolution: t.relation('resolution', {
      type: Contribution,
      nullable: true,
      description: 'The comment that tells how it was settled.',
    }),
  }),
})

const ComplaintConnection = connectionOf(Complaint, 'Complaint')

builder.queryField('complaints', (t) =>
  t.prismaConnection(
    {
      type: Complaint,
      nullable: true,
      description:
        "Complaints, the oldest first: a member's own, those of the spaces that a moderator looks after, all of them for staff.",
      authScopes: { reads: 'community:read' },
      cursor: 'tenantId_id',
      args: { state: t.arg({ type: ComplaintState, description: 'Only those that stand so.' }) },
      resolve: (query, _root, { state }, { db }) =>
        read(db).complaint.findMany({
          ...query,
          where: state == null ? {} : { state },
          orderBy: { id: 'asc' },
        }),
    },
    ComplaintConnection,
  ),
)

builder.prismaObjectField(Post, 'complaints', (t) =>
  t.relation('complaints', {
    type: Complaint,
    description:
      'The cases that were opened about it, the newest first; for its author, moderators and staff. At most 10.',
    query: { orderBy: { id: 'desc' }, take: 10 },
  }),
)

mutation('markAsComplaint', {
  description:
    'Opens a case about a post, so that somebody settles what it complains of; one that is open stays. Needs: whoever wrote it, a moderator of the space, or `community:write`. Emits: `complaint.opened`.',
  scopes: ownOrWrites('community:write'),
  errors: [AccessDeniedError],
  key: 'none',
  input: (t) => ({
    post: t.id({ required: true, description: 'Which post.' }),
    reason: t.string({ description: 'What is wrong; 1 to 1,000 characters.' }),
  }),
  resolve: ({ post, reason }, context) =>
    openComplaint(
      context.db,
      {
        post: idOf('Post', post, 'input.post'),
        reason: reason == null ? null : text(reason, 'input.reason', 1000),
      },
      writerOf(context),
    ),
  payload: (t) => ({ post: postOf(t) }),
})

mutation('resolveComplaint', {
  description:
    'Settles the case that is open about a post, and says in its thread how. Needs: a moderator of the space, or `community:moderate`. Emits: `complaint.resolved`, `comment.published`.',
  scopes: ownOrWrites('community:moderate'),
  errors: [IdempotencyKeyReusedError, SpaceNotEnabledError, AccessDeniedError],
  input: (t) => ({
    post: t.id({ required: true, description: 'Which post.' }),
    body: t.string({
      required: true,
      description: 'How it was settled, in Markdown; 1 to 30,000 characters.',
    }),
  }),
  resolve: ({ post, body }, context, operation) =>
    resolveComplaint(
      context.db,
      { post: idOf('Post', post, 'input.post'), what: written({ body }, 'input') },
      writerOf(context),
      operation,
    ),
  payload: (t) => ({ post: postOf(t) }),
})

eventType(complaintOpened, (t) => ({ post: postOfEvent(t) }))
eventType(complaintResolved, (t) => ({ post: postOfEvent(t) }))

mutation('reportStumble', {
  description:
    'Notes that a member did not get on somewhere. Needs: a member, for itself, or `community:write`. Emits: `stumble.reported`.',
  scopes: ownOrWrites('community:write'),
  errors: [IdempotencyKeyReusedError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: 'Who; a member leaves it out.' }),
    feature: t.string({
      required: true,
      description: 'Where, such as checkout.address; 1 to 100 characters.',
    }),
    note: t.string({ description: 'What happened; 1 to 1,000 characters.' }),
  }),
  resolve: ({ member, feature, note }, context, operation) =>
    reportStumble(
      context.db,
      {
        member: subjectOf(member, context),
        feature: text(feature, 'input.feature', 100),
        note: note == null ? null : text(note, 'input.note', 1000),
      },
      operation,
    ),
  payload: (t) => ({ feature: t.exposeString('feature', { description: 'Where it was.' }) }),
})

eventType(stumbleReported, (t) => ({
  feature: t.string({ description: 'Where.', resolve: (event) => factOf(event, 'feature') }),
}))

const StumbleHeat = builder
  .objectRef<{ feature: string; count: number; members: number; at: Date }>('StumbleHeat')
  .implement({
    description: 'How often members stumbled over a feature.',
    fields: (t) => ({
      feature: t.exposeString('feature', { description: 'Where.' }),
      count: t.exposeInt('count', { description: 'How often.' }),
      members: t.exposeInt('members', { description: 'How many members.' }),
      at: t.expose('at', { type: 'DateTime', description: 'When last.' }),
    }),
  })

builder.queryField('stumbles', (t) =>
  t.field({
    type: [StumbleHeat],
    nullable: true,
    description: 'Where most members stumbled, the hottest first. At most 100.',
    authScopes: { lists: 'community:read' },
    args: { within: t.arg({ type: 'Duration', defaultValue: 'P30D', description: 'How far back.' }) },
    resolve: (_root, { within }, { db }) => stumblesSince(db, within ?? 'P30D'),
  }),
)
