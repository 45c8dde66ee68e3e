import { builder, type Types } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { loader } from '../../graph/load.ts'
import { NOBODY } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import type { LoggedEvent } from '../../platform/events.ts'
import { Contribution, contributionType } from '../contributions/index.ts'
import { gatheringAnswered, gatheringSeatGiven, ideaStatusChanged, postPublished } from './events.ts'
import { Gathering } from './gathering.graphql.ts'
import { Idea } from './idea.graphql.ts'
import { GatheringAnswer, IdeaStatus, PostKind, ProductTopic } from './kinds.graphql.ts'
import { Poll } from './poll.graphql.ts'
import { unreadIn } from './store.ts'

contributionType('Post', 'POST')

/** How many comments of threads the viewer has not read: one statement for all on a page. */
const unreadOf = loader<string, number>((ids, { db, viewer }) =>
  unreadIn(db, ids, viewer?.memberId ?? NOBODY),
)

/** What somebody put into a space to talk about. */
export const Post = builder.prismaNode('Contribution', {
  variant: 'Post',
  nullable: true,
  description: 'Something that was put into a space to talk about.',
  interfaces: [Contribution],
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({ tenantId_id: { tenantId: context.db.tenantId, id }, kind: 'POST' }),
  authScopes: { reads: 'community:read' },
  select: { id: true, kind: true },
  fields: (t) => ({
    kind: t.field({
      type: PostKind,
      description: 'What it is.',
      select: { post: { select: { kind: true } } },
      resolve: ({ post }) => (post?.kind ?? 'TALK') as typeof PostKind.$inferType, // a check constraint holds it
    }),
    rating: t.int({
      nullable: true,
      description: 'What a reviewer gives the product, from 1 to 5 stars; null for other posts.',
      select: { post: { select: { rating: true } } },
      resolve: ({ post }) => post?.rating ?? null,
    }),
    topics: t.field({
      type: [ProductTopic],
      description: 'What it tells of the product. At most 2.',
      select: { post: { select: { topics: true } } },
      resolve: ({ post }) => (post?.topics ?? []) as (typeof ProductTopic.$inferType)[], // likewise
    }),
    isPinned: t.boolean({
      description: 'Whether a moderator put it to the top of its space.',
      select: { post: { select: { pinnedAt: true } } },
      resolve: ({ post }) => post?.pinnedAt != null,
    }),
    canBePromoted: t.boolean({
      description: 'Whether its author lets the house make content of it, with credit.',
      select: { isByStaff: true, post: { select: { mayPromote: true } } },
      resolve: ({ isByStaff, post }) => isByStaff || (post?.mayPromote ?? false),
    }),
    helpfulCount: t.int({
      description: 'How many found it helpful: they reacted with HELPFUL.',
      select: { reactions: true },
      resolve: ({ reactions }) => (reactions as Record<string, number>).HELPFUL ?? 0, // a trigger counts them
    }),
    unreadCount: t.int({
      description: 'How many comments of others came into its thread since the viewer read it; 0 for staff.',
      select: { id: true },
      resolve: ({ id }, _args, context) => (context.viewer?.memberId == null ? 0 : unreadOf(context, id)),
    }),
    idea: t.relation('idea', { type: Idea, nullable: true, description: 'Its votes, when it is an idea.' }),
    poll: t.relation('poll', { type: Poll, nullable: true, description: 'What it asks; null: nothing.' }),
    gathering: t.relation('gathering', {
      type: Gathering,
      nullable: true,
      description: 'When and where people meet, when it is an event.',
    }),
  }),
})

builder.prismaObjectField(Idea, 'mergedInto', (t) =>
  t.relation('into', { type: Post, nullable: true, description: 'The idea that has its votes.' }),
)

/** Pages of posts. */
export const PostConnection = connectionOf(Post, 'Post')

/** The field `post` of a payload that knows which it changed. */
export const postOf = <Payload extends { readonly post: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.prismaField({
    type: Post,
    nullable: true,
    description: 'The post, as it is now; null when the viewer may not see it any more.',
    resolve: (query, { post }, _args, { db }) =>
      read(db).contribution.findFirst({ ...query, where: { id: post, kind: 'POST' } }),
  })

/** The same of an event. */
export const postOfEvent = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, LoggedEvent>) =>
  t.prismaField({
    type: Post,
    nullable: true,
    description: 'Which post; null when the viewer may not see it any more.',
    resolve: (query, event, _args, { db }) =>
      read(db).contribution.findFirst({
        ...query,
        where: { id: factOf(event, 'contribution'), kind: 'POST' },
      }),
  })

eventType(postPublished, (t) => ({ post: postOfEvent(t) }))
eventType(gatheringSeatGiven, (t) => ({ post: postOfEvent(t) }))
eventType(ideaStatusChanged, (t) => ({
  post: postOfEvent(t),
  status: t.field({
    type: IdeaStatus,
    description: 'The status that it came into.',
    resolve: (event) => factOf(event, 'to') as typeof IdeaStatus.$inferType, // a check constraint holds it
  }),
}))
eventType(gatheringAnswered, (t) => ({
  post: postOfEvent(t),
  answer: t.field({
    type: GatheringAnswer,
    description: 'What the member has now.',
    resolve: (event) => factOf(event, 'state') as typeof GatheringAnswer.$inferType, // likewise
  }),
}))
