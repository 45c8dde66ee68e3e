import { builder } from '../../graph/builder.ts'
import { loader } from '../../graph/load.ts'
import { NOBODY } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { ViewerType } from '../../graph/viewer.ts'
import { tagged } from '../contributions/index.ts'
import { Space } from '../spaces/index.ts'
import { Post, PostConnection } from './graphql.ts'
import { PostKind, PostOrder } from './kinds.graphql.ts'
import { unreadThreadsIn, votesLeftIn } from './store.ts'

const unreadOf = loader<string, number>((ids, { db, viewer }) =>
  unreadThreadsIn(db, ids, viewer?.memberId ?? NOBODY),
)
const votesOf = loader<string, number>((ids, { db, viewer }) =>
  votesLeftIn(db, ids, viewer?.memberId ?? NOBODY),
)

const ORDERS = {
  NEW: { publishedAt: 'desc' },
  ACTIVE: { activityAt: 'desc' },
  TOP: { score: 'desc' },
} as const

builder.prismaObjectFields(Space, (t) => ({
  posts: t.relatedConnection(
    'contributions',
    {
      type: Post,
      nullable: true,
      description: 'The posts in it that are there for everybody who may see it.',
      cursor: 'tenantId_id',
      args: {
        orderBy: t.arg({ type: PostOrder, defaultValue: 'NEW', description: 'In which order.' }),
        kind: t.arg({ type: PostKind, description: 'Only those of this kind.' }),
        tag: t.arg.string({ description: 'Only those that bear this tag.' }),
      },
      query: ({ orderBy, kind, tag }) => ({
        // A condition in SQL is the reader's own word.
        where: {
          kind: 'POST',
          state: 'PUBLISHED',
          ...(kind && { post: { kind } }),
          ...(tag != null && { sql: tagged(tag) }),
        } as object,
        orderBy: ORDERS[orderBy ?? 'NEW'],
      }),
    },
    PostConnection,
  ),
  pinnedPosts: t.relation('contributions', {
    type: Post,
    description: 'What moderators put to its top, the newest first. At most 10.',
    query: {
      where: { kind: 'POST', state: 'PUBLISHED', post: { pinnedAt: { not: null } } },
      orderBy: { publishedAt: 'desc' },
      take: 10,
    },
  }),
  unreadCount: t.int({
    description:
      'In how many threads something happened that the viewer has not read, since it joined; 0 for staff. At most 1,000.',
    select: { id: true },
    resolve: ({ id }, _args, context) => (context.viewer?.memberId == null ? 0 : unreadOf(context, id)),
  }),
  viewerVotesLeft: t.int({
    nullable: true,
    description: 'How many votes for its undecided ideas the viewer has left; null for staff.',
    select: { id: true },
    resolve: ({ id }, _args, context) => (context.viewer?.memberId == null ? null : votesOf(context, id)),
  }),
}))

builder.objectField(ViewerType, 'drafts', (t) =>
  t.prismaConnection(
    {
      type: Post,
      nullable: true,
      description: 'The posts that the viewer has begun, the newest first; for staff, those of all staff.',
      authScopes: { reads: 'community:write' },
      cursor: 'tenantId_id',
      resolve: (query, _viewer, _args, { db, viewer }) =>
        read(db).contribution.findMany({
          ...query,
          where: {
            kind: 'POST',
            state: 'DRAFT',
            ...(viewer?.kind === 'MEMBER' ? { authorId: viewer.memberId ?? NOBODY } : { authorId: null }),
          },
          orderBy: { id: 'desc' },
        }),
    },
    PostConnection,
  ),
)
