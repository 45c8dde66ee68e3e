import { builder } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import {
  AccessDeniedError,
  IdempotencyKeyReusedError,
  SpaceNotEnabledError,
} from '../../platform/errors/index.ts'
import { ownOrWrites } from '../members/index.ts'
import { commentPublished } from './events.ts'
import { Contribution, ContributionState, contributionRef, contributionType } from './graphql.ts'
import { addComment } from './service.ts'
import { writerOf } from './writer.graphql.ts'
import { written } from './written.ts'

contributionType('Comment', 'COMMENT')

/** A remark on something that was written. */
export const Comment = builder.prismaNode('Contribution', {
  variant: 'Comment',
  nullable: true,
  description: 'A remark on something that was written.',
  interfaces: [Contribution],
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    kind: 'COMMENT',
  }),
  authScopes: { reads: 'community:read' },
  select: { id: true, kind: true },
  fields: (t) => ({
    on: t.relation('parent', {
      type: Contribution,
      nullable: true,
      description: 'What it is a remark on.',
    }),
  }),
})

/** Pages of comments. */
export const CommentConnection = connectionOf(Comment, 'Comment')

builder.prismaInterfaceField(Contribution, 'comments', (t) =>
  t.relatedConnection(
    'replies',
    {
      type: Comment,
      nullable: true,
      description: 'Remarks on it, oldest first.',
      cursor: 'tenantId_id',
      query: { where: { kind: 'COMMENT' }, orderBy: { id: 'asc' } },
    },
    CommentConnection,
  ),
)

mutation('addComment', {
  description:
    'Makes a remark on something that was written. Needs: a member who may answer there, or `community:write`. Emits: `comment.published`.',
  scopes: ownOrWrites('community:write'),
  errors: [IdempotencyKeyReusedError, SpaceNotEnabledError, AccessDeniedError],
  input: (t) => ({
    on: t.id({ required: true, description: 'What the remark is on.' }),
    body: t.string({ required: true, description: 'The remark in Markdown; 1 to 30,000 characters.' }),
  }),
  resolve: async ({ on, body }, context, operation) => {
    const what = { to: contributionRef(on, 'input.on'), what: written({ body }, 'input') }
    return addComment(context.db, what, writerOf(context), operation)
  },
  payload: (t) => ({
    comment: t.prismaField({
      type: Comment,
      nullable: true,
      description: 'The comment.',
      resolve: (query, { contribution }, _args, { db }) =>
        read(db).contribution.findFirst({ ...query, where: { id: contribution } }),
    }),
    state: t.expose('state', {
      type: ContributionState,
      description: 'Whether it is there, or waits for a moderator.',
    }),
  }),
})

eventType(commentPublished, (t) => ({
  comment: t.prismaField({
    type: Comment,
    nullable: true,
    description: 'The comment; null when the viewer may not see it any more.',
    resolve: (query, event, _args, { db }) =>
      read(db).contribution.findFirst({ ...query, where: { id: factOf(event, 'contribution') } }),
  }),
}))
