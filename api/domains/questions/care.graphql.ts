import { builder } from '../../graph/builder.ts'
import { idOf } from '../../graph/ids.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { AccessDeniedError, BadInputError, SpaceNotEnabledError } from '../../platform/errors/index.ts'
import { Author, writerOf } from '../contributions/index.ts'
import { MemberByInput, memberRef, ownOrWrites } from '../members/index.ts'
import { Task } from '../touchpoints/index.ts'
import { assignExpert, setCare } from './care.service.ts'
import { type CareFacts, readCare } from './care.store.ts'
import { Question, questionOf } from './graphql.ts'

builder.prismaObjectFields(Question, (t) => ({
  escalatesAt: t.field({
    type: 'DateTime',
    nullable: true,
    description:
      'When staff are called unless somebody answers before; null: they are not. Null for members.',
    select: { question: { select: { escalatesAt: true } } },
    resolve: ({ question }, _args, { viewer }) =>
      viewer?.kind === 'MEMBER' ? null : (question?.escalatesAt ?? null),
  }),
  escalatedAt: t.field({
    type: 'DateTime',
    nullable: true,
    description: 'When staff were called because nobody had answered; null: they were not. Null for members.',
    select: { question: { select: { escalatedAt: true } } },
    resolve: ({ question }, _args, { viewer }) =>
      viewer?.kind === 'MEMBER' ? null : (question?.escalatedAt ?? null),
  }),
  expert: t.field({
    type: Author,
    nullable: true,
    description: 'Who is asked for advice, in a consultation; null: nobody in particular.',
    select: { question: { select: { expert: { select: { id: true, displayName: true } } } } },
    resolve: ({ question }) => (question?.expert ? { author: question.expert, isByStaff: false } : null),
  }),
}))

builder.prismaObjectField(Task, 'question', (t) =>
  t.field({
    type: Question,
    nullable: true,
    description: 'The question to be answered; null for touches, and once it is no question any more.',
    authScopes: { reads: 'community:read' },
    select: (_args, _context, nested) => ({ question: { select: { contribution: nested(true) } } }),
    resolve: ({ question }) => (question?.contribution.kind === 'QUESTION' ? question.contribution : null),
  }),
)

const QuestionCare = builder.objectRef<CareFacts>('QuestionCare').implement({
  description: 'How questions of a space are looked after.',
  fields: (t) => ({
    escalatesAfter: t.expose('escalatesAfter', {
      type: 'Duration',
      nullable: true,
      description: 'After which time without an answer staff are called; null: never.',
    }),
    answersWithin: t.expose('answersWithin', {
      type: 'Duration',
      nullable: true,
      description: 'Within which time a first answer should come; null: nobody said.',
    }),
    faqViews: t.exposeInt('faqViews', {
      description: 'From how many views a solved question is a candidate for an entry of the FAQ.',
    }),
    faqDuplicates: t.exposeInt('faqDuplicates', {
      description: 'From how many duplicates a solved question is one.',
    }),
  }),
})

builder.queryField('questionCare', (t) =>
  t.field({
    type: QuestionCare,
    nullable: true,
    description:
      'How questions of a space are looked after: by its own setting, else by that for all spaces.',
    authScopes: { lists: 'community:read' },
    args: { space: t.arg.id({ description: 'Which space; left out: those without an own setting.' }) },
    resolve: async (_root, { space }, { db }) => {
      const id = space == null ? null : idOf('Space', space, 'space')
      if (id !== null && (await read(db).space.findFirst({ where: { id }, select: { id: true } })) === null)
        return null
      return readCare(db, id)
    },
  }),
)

mutation('setQuestionCare', {
  description:
    'Says how questions are looked after, all of it anew, in one space or in all that have no own setting. Who waits already waits by the new time. At the beginning: called after PT48H, answered within PT24H, 100 views, 3 duplicates. Needs: `community:moderate`. Emits: nothing.',
  scopes: { writes: 'community:moderate' },
  errors: [],
  key: 'none',
  input: (t) => ({
    space: t.id({ description: 'Which space; left out: all that have no own setting.' }),
    escalatesAfter: t.field({
      type: 'Duration',
      description: 'After which time without an answer staff are called; never when left out.',
    }),
    answersWithin: t.field({
      type: 'Duration',
      description: 'Within which time a first answer should come; nobody says when left out.',
    }),
    faqViews: t.int({
      description: 'From how many views a solved question is a candidate; 1 to 1,000,000, 100 when left out.',
    }),
    faqDuplicates: t.int({
      description: 'From how many duplicates; 1 to 1,000,000, 3 when left out.',
    }),
  }),
  resolve: ({ space, escalatesAfter, answersWithin, faqViews, faqDuplicates }, { db }) => {
    const care = {
      escalatesAfter: aboveNothing(escalatesAfter, 'input.escalatesAfter'),
      answersWithin: aboveNothing(answersWithin, 'input.answersWithin'),
      faqViews: within(faqViews ?? 100, 'input.faqViews'),
      faqDuplicates: within(faqDuplicates ?? 3, 'input.faqDuplicates'),
    }
    return setCare(db, space == null ? null : idOf('Space', space, 'input.space'), care)
  },
  payload: (t) => ({
    care: t.field({
      type: QuestionCare,
      nullable: true,
      description: 'What holds now.',
      resolve: ({ space }, _args, { db }) => readCare(db, space),
    }),
  }),
})

function aboveNothing(given: string | null | undefined, field: string): string | null {
  if (given == null) return null
  if (!/[1-9]/.test(given)) throw new BadInputError(field, `${field} must be longer than nothing.`)
  return given
}

function within(given: number, field: string): number {
  if (given < 1 || given > 1_000_000)
    throw new BadInputError(field, `${field} must be from 1 to 1,000,000; it is ${given}.`)
  return given
}

mutation('assignExpert', {
  description:
    'Asks a member to advise in a consultation, or nobody any more. In a private one it takes part from now on; the expert before no longer does, unless it wrote there. Needs: a moderator of the space, or `community:moderate`. Emits: `answer.requested`.',
  scopes: ownOrWrites('community:moderate'),
  errors: [AccessDeniedError, SpaceNotEnabledError],
  key: 'none',
  input: (t) => ({
    question: t.id({ required: true, description: 'Which consultation.' }),
    expert: t.field({
      type: MemberByInput,
      description: 'Who may see into the space; left out: nobody any more.',
    }),
  }),
  resolve: ({ question, expert }, context) =>
    assignExpert(
      context.db,
      {
        question: idOf('Question', question, 'input.question'),
        expert: expert ? memberRef(expert, 'input.expert') : null,
      },
      writerOf(context),
    ),
  payload: (t) => ({ question: questionOf(t) }),
})
