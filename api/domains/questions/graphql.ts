import { builder, type Types } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { idOf } from '../../graph/ids.ts'
import { loader } from '../../graph/load.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import type { LoggedEvent } from '../../platform/events.ts'
import type { SqlOrder } from '../../platform/read/index.ts'
import { Contribution, contributionType, tagged } from '../contributions/index.ts'
import { Member } from '../members/index.ts'
import {
  answerAccepted,
  answerGiven,
  answerRequested,
  answerThanked,
  answerUnaccepted,
  questionAsked,
  questionClosed,
  questionEscalated,
  questionReopened,
} from './events.ts'
import { helpedBy, meToosOf, suggestedAnswerers, thanksOf } from './store.ts'

contributionType('Question', 'QUESTION')
contributionType('Answer', 'ANSWER')

/** How far a question has come. */
export const QuestionStanding = builder.enumType('QuestionStanding', {
  description: 'How far a question has come.',
  values: {
    OPEN: { description: 'Nobody has answered yet.' },
    ANSWERED: { description: 'There are answers; none is accepted.' },
    ACCEPTED: { description: 'An answer solved it.' },
    CLOSED: { description: 'It takes no answers any more.' },
  },
})
type Standing = typeof QuestionStanding.$inferType

/** What a question is. */
export const QuestionKind = builder.enumType('QuestionKind', {
  description: 'What a question is.',
  values: {
    QUESTION: { description: 'Anybody may answer.' },
    CONSULTATION: { description: 'One seeks advice, often in private.' },
  },
})

/** Why a question was closed. */
export const QuestionClosing = builder.enumType('QuestionClosing', {
  description: 'Why a question was closed.',
  values: {
    DUPLICATE: { description: 'It was asked before.' },
    UNCLEAR: { description: 'It is not clear what is asked.' },
    OFF_TOPIC: { description: 'It does not belong here.' },
    SOLVED: { description: 'It was solved, whether by an answer or not.' },
    OTHER: { description: 'Something else.' },
  },
})

const tiesOf = loader<string, boolean>((ids, { db, viewer }) => meToosOf(db, ids, viewer?.memberId ?? ''))
const thanksFor = loader<string, number>((ids, { db }) => thanksOf(db, ids))
const helpOf = loader<string, number>((ids, { db }) => helpedBy(db, ids))

/** Something that a member wants to know, and its answers. */
export const Question = builder.prismaNode('Contribution', {
  variant: 'Question',
  nullable: true,
  description: 'Something that somebody wants to know, with its answers.',
  interfaces: [Contribution],
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({ tenantId_id: { tenantId: context.db.tenantId, id }, kind: 'QUESTION' }),
  authScopes: { reads: 'community:read' },
  select: { id: true, kind: true },
  fields: (t) => ({
    kind: t.field({
      type: QuestionKind,
      description: 'What it is.',
      select: { question: { select: { kind: true } } },
      resolve: ({ question }) => (question?.kind ?? 'QUESTION') as typeof QuestionKind.$inferType, // a check holds it
    }),
    standing: t.field({
      type: QuestionStanding,
      description: 'How far it has come.',
      select: { question: { select: { state: true } } },
      resolve: ({ question }) => (question?.state ?? 'OPEN') as Standing, // likewise
    }),
    answerCount: t.exposeInt('answerCount', { description: 'How many answers are published.' }),
    meTooCount: t.int({
      description: 'How many others have the same trouble.',
      select: { question: { select: { meTooCount: true } } },
      resolve: ({ question }) => question?.meTooCount ?? 0,
    }),
    isMeToo: t.boolean({
      description: 'Whether the viewer said to have the same trouble.',
      select: { id: true },
      resolve: ({ id }, _args, context) => (context.viewer?.memberId == null ? false : tiesOf(context, id)),
    }),
    closedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was closed; null: it is not.',
      select: { question: { select: { closedAt: true } } },
      resolve: ({ question }) => question?.closedAt ?? null,
    }),
    closedReason: t.field({
      type: QuestionClosing,
      nullable: true,
      description: 'Why it was closed; null: it is not.',
      select: { question: { select: { closedReason: true } } },
      resolve: ({ question }) => (question?.closedReason ?? null) as typeof QuestionClosing.$inferType | null, // likewise
    }),
    contestedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When whoever asked contested that it is a duplicate; null: never.',
      select: { question: { select: { contestedAt: true } } },
      resolve: ({ question }) => question?.contestedAt ?? null,
    }),
    isSatisfied: t.boolean({
      nullable: true,
      description: 'Whether whoever asked says that it was helped; null: it has not said.',
      select: { question: { select: { isSatisfied: true } } },
      resolve: ({ question }) => question?.isSatisfied ?? null,
    }),
  }),
})

/** An answer to a question. */
export const Answer = builder.prismaNode('Contribution', {
  variant: 'Answer',
  nullable: true,
  description: 'An answer to a question.',
  interfaces: [Contribution],
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({ tenantId_id: { tenantId: context.db.tenantId, id }, kind: 'ANSWER' }),
  authScopes: { reads: 'community:read' },
  select: { id: true, kind: true },
  fields: (t) => ({
    question: t.relation('parent', { type: Question, nullable: true, description: 'What it answers.' }),
    isAccepted: t.boolean({
      description: 'Whether it solved the question.',
      select: { answer: { select: { accepted: { select: { at: true } } } } },
      resolve: ({ answer }) => answer?.accepted != null,
    }),
    acceptedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was accepted; null: it is not.',
      select: { answer: { select: { accepted: { select: { at: true } } } } },
      resolve: ({ answer }) => answer?.accepted?.at ?? null,
    }),
    isOfficial: t.boolean({
      description: 'Whether the shop itself stands behind it.',
      select: { answer: { select: { isOfficial: true } } },
      resolve: ({ answer }) => answer?.isOfficial ?? false,
    }),
    thanksCount: t.int({
      description: 'How many gave thanks for it.',
      select: { id: true },
      resolve: ({ id }, _args, context) => thanksFor(context, id),
    }),
  }),
})

/** Pages of questions. */
export const QuestionConnection = connectionOf(Question, 'Question')
const AnswerConnection = connectionOf(Answer, 'Answer')

/** The accepted one first, then by score: all one way, as cursors want it. */
const BEST_FIRST: readonly { readonly sql: SqlOrder }[] = [
  (alias: string) =>
    `(not exists (select from accepted_answer x where x.tenant_id = ${alias}.tenant_id and x.answer_id = ${alias}.id))`,
  (alias: string) => `-${alias}.score`,
].map((expression) => ({ sql: { expression, direction: 'asc' } }))

builder.prismaObjectFields(Question, (t) => ({
  answers: t.relatedConnection(
    'replies',
    {
      type: Answer,
      nullable: true,
      description: 'Its answers: the accepted one first, then by score, then the oldest.',
      cursor: 'tenantId_id',
      query: () => ({
        where: { kind: 'ANSWER' },
        orderBy: [...BEST_FIRST, { id: 'asc' }] as object[], // the reader's own words
      }),
    },
    AnswerConnection,
  ),
  acceptedAnswer: t.field({
    type: Answer,
    nullable: true,
    description: 'The answer that solved it; null: none is accepted.',
    select: (_args, _context, nested) => ({
      question: { select: { accepted: { select: { answer: { select: { contribution: nested(true) } } } } } },
    }),
    resolve: ({ question }) => question?.accepted?.answer.contribution ?? null,
  }),
  duplicateOf: t.field({
    type: [Question],
    description: 'What asked the same before. At most 5.',
    select: (_args, _context, nested) => ({
      question: {
        select: {
          originals: {
            orderBy: { originalId: 'asc' },
            take: 5,
            select: { original: { select: { contribution: nested(true) } } },
          },
        },
      },
    }),
    resolve: ({ question }) =>
      (question?.originals ?? [])
        .map(({ original }) => original.contribution)
        .filter(({ kind }) => kind === 'QUESTION'),
  }),
  suggestedAnswerers: t.prismaField({
    type: [Member],
    nullable: true,
    description:
      'Members who may know the answer, likeliest first; at most 50. Each accepted answer to a question like it counts 3, each question like it that the member had itself and that was solved 1, the product that it is about, bought, 1. Like it are those with like words, a tag in common, or about the same product. Left out is who may not see it, asked it, answered it, blocks or is blocked by whoever asked, wants no such requests, or was asked to answer anything within seven days. Null for members.',
    args: { most: t.arg.int({ defaultValue: 10, description: 'How many; 1 to 50.' }) },
    resolve: async (query, { id }, { most: asked }, { db, viewer }) => {
      if (viewer?.kind === 'MEMBER') return null
      const most = asked ?? 10
      if (most < 1 || most > 50) throw new BadInputError('most', `most must be from 1 to 50; it is ${most}.`)
      const ids = await suggestedAnswerers(db, id, most)
      const members = await read(db).member.findMany({ ...query, where: { id: { in: ids } } })
      return members.toSorted((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id))
    },
  }),
}))

builder.queryField('questions', (t) =>
  t.prismaConnection(
    {
      type: Question,
      nullable: true,
      description: 'Questions that the viewer may see, newest first.',
      authScopes: { reads: 'community:read' },
      cursor: 'tenantId_id',
      args: {
        space: t.arg.id({ description: 'Only those in this space.' }),
        standing: t.arg({ type: QuestionStanding, description: 'Only those that have come so far.' }),
        tag: t.arg.string({ description: 'Only those with this tag.' }),
        sku: t.arg.string({ description: 'Only those about this product.' }),
      },
      resolve: (query, _root, { space, standing, tag, sku }, { db }) => {
        return read(db).contribution.findMany({
          ...query,
          where: {
            kind: 'QUESTION',
            ...(space != null && { spaceId: idOf('Space', space, 'space') }),
            ...(standing && { question: { state: standing } }),
            ...(tag != null && { sql: tagged(tag) }),
            ...(sku != null && { sku }),
          } as object, // the reader's own words
          orderBy: [{ publishedAt: 'desc' }, { id: 'desc' }],
        })
      },
    },
    QuestionConnection,
  ),
)

builder.prismaObjectField(Member, 'helpedCount', (t) =>
  t.int({
    nullable: true,
    description:
      'How many people the member has helped with answers: who asked, had the same trouble, or gave thanks.',
    authScopes: { reads: 'community:read' },
    select: { id: true },
    resolve: ({ id }, _args, context) => helpOf(context, id),
  }),
)

/** `question` of payloads. */
export const questionOf = <Payload extends { readonly question: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.prismaField({
    type: Question,
    nullable: true,
    description: 'The question, as it is now.',
    resolve: (query, { question }, _args, { db }) =>
      read(db).contribution.findFirst({ ...query, where: { id: question, kind: 'QUESTION' } }),
  })

/** `answer` of payloads. */
export const answerOf = <Payload extends { readonly answer: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.prismaField({
    type: Answer,
    nullable: true,
    description: 'The answer, as it is now.',
    resolve: (query, { answer }, _args, { db }) =>
      read(db).contribution.findFirst({ ...query, where: { id: answer, kind: 'ANSWER' } }),
  })

const eventQuestion = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, LoggedEvent>) =>
  t.prismaField({
    type: Question,
    nullable: true,
    description: 'The question; null when the viewer may not see it any more.',
    resolve: (query, event, _args, { db }) =>
      read(db).contribution.findFirst({
        ...query,
        where: { id: factOf(event, 'question'), kind: 'QUESTION' },
      }),
  })

const eventAnswer = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, LoggedEvent>) =>
  t.prismaField({
    type: Answer,
    nullable: true,
    description: 'The answer; null when the viewer may not see it any more.',
    resolve: (query, event, _args, { db }) =>
      read(db).contribution.findFirst({ ...query, where: { id: factOf(event, 'answer'), kind: 'ANSWER' } }),
  })

for (const fact of [questionAsked, questionClosed, questionReopened, questionEscalated, answerRequested])
  eventType(fact, (t) => ({ question: eventQuestion(t) }))
for (const fact of [answerGiven, answerAccepted, answerUnaccepted, answerThanked])
  eventType(fact, (t) => ({ answer: eventAnswer(t), question: eventQuestion(t) }))
