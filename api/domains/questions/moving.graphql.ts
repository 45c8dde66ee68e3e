import { builder } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import {
  AccessDeniedError,
  IdempotencyKeyReusedError,
  SpaceNotEnabledError,
} from '../../platform/errors/index.ts'
import { Contribution, contributionOf, writerOf } from '../contributions/index.ts'
import { ownOrWrites } from '../members/index.ts'
import { contributionMoved } from './events.ts'
import { convertPost, convertReply, moveToCommunity } from './moving.service.ts'

const MovableKind = builder.enumType('MovableKind', {
  description: 'What something written was before it moved.',
  values: {
    POST: { description: 'A post.' },
    QUESTION: { description: 'A question.' },
    ANSWER: { description: 'An answer.' },
    COMMENT: { description: 'A comment.' },
  },
})

const ContributionMove = builder.prismaObject('ContributionMove', {
  description: 'That something written was something else before, or elsewhere.',
  fields: (t) => ({
    kind: t.field({
      type: MovableKind,
      description: 'What it was.',
      select: { fromKind: true },
      resolve: ({ fromKind }) => fromKind as typeof MovableKind.$inferType, // the functions that move write no other
    }),
    space: t.relation('fromSpace', {
      nullable: true,
      description: 'Where it was; null when the viewer may not know of that space.',
    }),
    at: t.expose('at', { type: 'DateTime' }),
  }),
})

builder.prismaInterfaceField(Contribution, 'movedFrom', (t) =>
  t.field({
    type: ContributionMove,
    nullable: true,
    description: 'What it was and where it stood before it last moved; null: it never did.',
    select: (_args, _context, nested) => ({
      moves: { ...Object(nested(true)), orderBy: { id: 'desc' as const }, take: 1 },
    }),
    resolve: ({ moves }) => moves?.[0] ?? null,
  }),
)

eventType(contributionMoved, (t) => ({
  contribution: t.prismaField({
    type: Contribution,
    nullable: true,
    description: 'What it is now; null when the viewer may not see it.',
    resolve: (query, event, _args, { db }) =>
      read(db).contribution.findFirst({ ...query, where: { id: factOf(event, 'contribution') } }),
  }),
}))

const MOVES = 'a moderator of where it stands, or `community:moderate`'
const KEPT =
  'Its author, comments, votes, views, followers and files stay with it, the rule of the new place counts at once, and the author is told. As what it was it is no longer found: its old id is null to `node`, and does for comments, reactions and follows.'
const errors = [IdempotencyKeyReusedError, AccessDeniedError, SpaceNotEnabledError]

mutation('convertPostToQuestion', {
  description: `Makes a question of a post, in a space of kind QA. ${KEPT} Needs: ${MOVES}, who may ask there. Emits: \`contribution.moved\`.`,
  scopes: ownOrWrites('community:moderate'),
  errors,
  input: (t) => ({
    post: t.id({ required: true, description: 'Which post: none with votes, seats or a case.' }),
    space: t.id({ required: true, description: 'Where it goes.' }),
    title: t.string({
      description: 'The question in short, for a post without a title; 1 to 300 characters.',
    }),
  }),
  resolve: ({ post, space, title }, context, operation) =>
    convertPost(
      context.db,
      {
        post: idOf('Post', post, 'input.post'),
        space: idOf('Space', space, 'input.space'),
        title: title == null ? null : text(title, 'input.title', 300),
      },
      writerOf(context),
      operation,
    ),
  payload: (t) => ({ contribution: contributionOf(t) }),
})

mutation('moveToCommunity', {
  description: `Makes a post of a question that is talk, in a space of kind COMMUNITY: its answers become comments, and what an accepted one earned is taken back. ${KEPT} Needs: ${MOVES}, who may post there. Emits: \`contribution.moved\`, \`answer.unaccepted\`, \`points.posted\`.`,
  scopes: ownOrWrites('community:moderate'),
  errors,
  input: (t) => ({
    question: t.id({ required: true, description: 'Which question.' }),
    space: t.id({ required: true, description: 'Where it goes.' }),
  }),
  resolve: ({ question, space }, context, operation) =>
    moveToCommunity(
      context.db,
      { question: idOf('Question', question, 'input.question'), space: idOf('Space', space, 'input.space') },
      writerOf(context),
      operation,
    ),
  payload: (t) => ({ contribution: contributionOf(t) }),
})

for (const [name, to, from, says] of [
  ['convertToAnswer', 'ANSWER', 'comment', 'Makes an answer of a comment on a question'],
  ['convertToComment', 'COMMENT', 'answer', 'Makes a comment of an answer, which is then accepted no longer'],
] as const) {
  mutation(name, {
    description: `${says}. Needs: ${MOVES}. Emits: \`contribution.moved\`${to === 'COMMENT' ? ', `answer.unaccepted`, `points.posted`' : ''}.`,
    scopes: ownOrWrites('community:moderate'),
    errors,
    input: (t) => ({ reply: t.id({ required: true, description: `Which ${from}.` }) }),
    resolve: ({ reply }, context, operation) => {
      const given = { reply: idOf(to === 'ANSWER' ? 'Comment' : 'Answer', reply, 'input.reply'), to }
      return convertReply(context.db, given, writerOf(context), operation)
    },
    payload: (t) => ({ contribution: contributionOf(t) }),
  })
}
