import { builder } from '../../graph/builder.ts'
import { encodeId, idOf } from '../../graph/ids.ts'
import { mutation } from '../../graph/mutation.ts'
import {
  AcceptedAnswerChangedError,
  AccessDeniedError,
  BadInputError,
  IdempotencyKeyReusedError,
  SpaceNotEnabledError,
} from '../../platform/errors/index.ts'
import { ContributionState, selfOf, TextFormat, writerOf, written } from '../contributions/index.ts'
import { MemberByInput, memberRef, ownOrWrites } from '../members/index.ts'
import { answerOf, QuestionClosing, QuestionKind, questionOf } from './graphql.ts'
import {
  acceptAnswer,
  answerQuestion,
  askQuestion,
  closeQuestion,
  markOfficial,
  meToo,
  rateHelp,
  requestAnswer,
  thankAnswer,
} from './service.ts'

const questionId = (id: string) => idOf('Question', id, 'input.question')
const answerId = (id: string) => idOf('Answer', id, 'input.answer')
const WHICH = 'Which question.'
const STATE = 'Whether it is there, or waits for a moderator.'

mutation('askQuestion', {
  description:
    'Asks a question in a space of kind QA. Under the same title once more within five minutes, it is the first question as that stands, whatever the second says. Needs: a member who may write there, or `community:write`. Emits: `question.asked`.',
  scopes: ownOrWrites('community:write'),
  errors: [IdempotencyKeyReusedError, SpaceNotEnabledError, AccessDeniedError],
  input: (t) => ({
    space: t.id({ required: true, description: 'Where.' }),
    title: t.string({ required: true, description: 'The question in short; 1 to 300 characters.' }),
    body: t.string({ required: true, description: 'What it is about; 1 to 30,000 characters.' }),
    format: t.field({ type: TextFormat, description: 'How the body is written; MARKDOWN when left out.' }),
    tags: t.stringList({ description: 'What it is about, in single words; at most 10.' }),
    sku: t.string({ description: 'The product that it is about.' }),
    kind: t.field({ type: QuestionKind, description: 'QUESTION when left out.' }),
    isPrivate: t.boolean({ description: 'True: only those who take part, moderators and staff see it.' }),
  }),
  resolve: ({ space, kind, isPrivate, ...draft }, context, operation) => {
    const given = {
      what: written(draft, 'input'),
      space: idOf('Space', space, 'input.space'),
      kind: kind ?? 'QUESTION',
      isPrivate: isPrivate ?? false,
    } as const
    return askQuestion(context.db, given, writerOf(context), operation)
  },
  payload: (t) => ({
    question: questionOf(t),
    state: t.expose('state', { type: ContributionState, description: STATE }),
    isNew: t.exposeBoolean('is_new', { description: 'Whether it was not asked just before.' }),
  }),
})

mutation('answerQuestion', {
  description:
    'Answers a question. Needs: a member who may answer there, or `community:write`. Emits: `answer.given`.',
  scopes: ownOrWrites('community:write'),
  errors: [IdempotencyKeyReusedError, SpaceNotEnabledError, AccessDeniedError],
  input: (t) => ({
    question: t.id({ required: true, description: WHICH }),
    body: t.string({ required: true, description: 'The answer; 1 to 30,000 characters.' }),
    format: t.field({ type: TextFormat, description: 'How the body is written; MARKDOWN when left out.' }),
    isOfficial: t.boolean({ description: 'True: the shop stands behind it. For staff; no matter else.' }),
  }),
  resolve: ({ question, isOfficial, ...draft }, context, operation) => {
    const given = {
      question: questionId(question),
      what: written(draft, 'input'),
      isOfficial: isOfficial ?? false,
    }
    return answerQuestion(context.db, given, writerOf(context), operation)
  },
  payload: (t) => ({
    answer: answerOf(t),
    question: questionOf(t),
    state: t.expose('state', { type: ContributionState, description: STATE }),
  }),
})

const EXPECTED =
  'The answer that you believe to be accepted, null for none; then nothing happens behind the back of somebody else. Left out: whichever.'
const ACCEPTS = 'whoever asked, a moderator of the space, or `community:moderate`'

mutation('acceptAnswer', {
  description: `Says which answer solved a question, instead of the one before. Its author earns by the rules for the activity \`answer.accepted\`, unless it asked itself. Needs: ${ACCEPTS}. Emits: \`answer.accepted\`, \`answer.unaccepted\`, \`activity.recorded\`, \`points.posted\`.`,
  scopes: ownOrWrites('community:moderate'),
  errors: [IdempotencyKeyReusedError, AccessDeniedError, AcceptedAnswerChangedError],
  input: (t) => ({
    question: t.id({ required: true, description: WHICH }),
    answer: t.id({ required: true, description: 'Which answer to it.' }),
    expectedCurrentAnswer: t.id({ description: EXPECTED }),
  }),
  resolve: ({ question, answer, expectedCurrentAnswer }, context, operation) => {
    const given = {
      question: questionId(question),
      answer: answerId(answer),
      expected: expectedId(expectedCurrentAnswer),
    }
    return acceptAnswer(context.db, given, writerOf(context), operation)
  },
  payload: (t) => ({ question: questionOf(t) }),
})

mutation('unacceptAnswer', {
  description: `Takes back that an answer solved a question, and what it earned by that. Needs: ${ACCEPTS}. Emits: \`answer.unaccepted\`, \`points.posted\`.`,
  scopes: ownOrWrites('community:moderate'),
  errors: [IdempotencyKeyReusedError, AccessDeniedError, AcceptedAnswerChangedError],
  input: (t) => ({
    question: t.id({ required: true, description: WHICH }),
    expectedCurrentAnswer: t.id({ description: EXPECTED }),
  }),
  resolve: ({ question, expectedCurrentAnswer }, context, operation) => {
    const given = {
      question: questionId(question),
      answer: null,
      expected: expectedId(expectedCurrentAnswer),
    }
    return acceptAnswer(context.db, given, writerOf(context), operation)
  },
  payload: (t) => ({ question: questionOf(t) }),
})

function expectedId(id: string | null | undefined): string | null | undefined {
  return id == null ? id : idOf('Answer', id, 'input.expectedCurrentAnswer')
}

builder.objectField(AcceptedAnswerChangedError, 'answer', (t) =>
  t.id({
    nullable: true,
    description: 'The answer that is accepted; null: none is.',
    resolve: ({ answer }) => (answer === null ? null : encodeId('Answer', answer)),
  }),
)

mutation('closeQuestion', {
  description: `Closes a question: it takes no answers any more. As a duplicate, whoever followed it or had the same trouble goes over to the other question. Whoever asked is told when others close it. Needs: ${ACCEPTS}. Emits: \`question.closed\`.`,
  scopes: ownOrWrites('community:moderate'),
  errors: [AccessDeniedError],
  key: 'none',
  input: (t) => ({
    question: t.id({ required: true, description: WHICH }),
    reason: t.field({ type: QuestionClosing, required: true, description: 'Why.' }),
    duplicateOf: t.id({ description: 'What asked the same before; with DUPLICATE, and only then.' }),
  }),
  resolve: ({ question, reason, duplicateOf }, context) => {
    if ((reason === 'DUPLICATE') !== (duplicateOf != null)) {
      throw new BadInputError(
        'input.duplicateOf',
        'input.duplicateOf goes with the reason DUPLICATE, and only with it.',
      )
    }
    const original = duplicateOf == null ? null : idOf('Question', duplicateOf, 'input.duplicateOf')
    const given = { question: questionId(question), reason, duplicateOf: original }
    return closeQuestion(context.db, given, writerOf(context))
  },
  payload: (t) => ({ question: questionOf(t) }),
})

mutation('reopenQuestion', {
  description: `Opens a closed question again. Whoever asked opens what it closed itself, and contests once that it is a duplicate; the rest is for moderators and staff. Needs: ${ACCEPTS}. Emits: \`question.reopened\`.`,
  scopes: ownOrWrites('community:moderate'),
  errors: [AccessDeniedError],
  key: 'none',
  input: (t) => ({ question: t.id({ required: true, description: WHICH }) }),
  resolve: ({ question }, context) =>
    closeQuestion(
      context.db,
      { question: questionId(question), reason: null, duplicateOf: null },
      writerOf(context),
    ),
  payload: (t) => ({ question: questionOf(t) }),
})

for (const [name, isOn, says] of [
  ['addMeToo', true, 'Says that one has the same trouble, and follows the question'],
  ['removeMeToo', false, 'Takes that back'],
] as const) {
  mutation(name, {
    description: `${says}. Needs: a member. Emits: nothing.`,
    scopes: { member: true },
    errors: [SpaceNotEnabledError, AccessDeniedError],
    key: 'none',
    input: (t) => ({ question: t.id({ required: true, description: WHICH }) }),
    resolve: ({ question }, context) => meToo(context.db, questionId(question), selfOf(context), isOn),
    payload: (t) => ({ question: questionOf(t) }),
  })
}

mutation('rateHelp', {
  description: 'Says, as whoever asked, whether one was helped. Needs: a member. Emits: nothing.',
  scopes: { member: true },
  errors: [AccessDeniedError],
  key: 'none',
  input: (t) => ({
    question: t.id({ required: true, description: WHICH }),
    isSatisfied: t.boolean({ required: true, description: 'Whether one was.' }),
  }),
  resolve: ({ question, isSatisfied }, context) =>
    rateHelp(context.db, questionId(question), selfOf(context), isSatisfied),
  payload: (t) => ({ question: questionOf(t) }),
})

mutation('thankAnswer', {
  description: 'Gives thanks for an answer, once. Needs: a member. Emits: `answer.thanked`.',
  scopes: { member: true },
  errors: [AccessDeniedError],
  key: 'none',
  input: (t) => ({ answer: t.id({ required: true, description: 'Which answer.' }) }),
  resolve: ({ answer }, context) => thankAnswer(context.db, answerId(answer), selfOf(context)),
  payload: (t) => ({ answer: answerOf(t) }),
})

mutation('markAnswerOfficial', {
  description:
    'Says that the shop stands behind an answer, or no longer. Needs: `community:write`. Emits: nothing.',
  scopes: { writes: 'community:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    answer: t.id({ required: true, description: 'Which answer.' }),
    isOfficial: t.boolean({ required: true, description: 'Whether it does.' }),
  }),
  resolve: ({ answer, isOfficial }, { db }) => markOfficial(db, answerId(answer), isOfficial),
  payload: (t) => ({ answer: answerOf(t) }),
})

mutation('requestAnswer', {
  description:
    'Asks a member to answer a question that it may see. Needs: `community:write`. Emits: `answer.requested`.',
  scopes: { writes: 'community:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    question: t.id({ required: true, description: WHICH }),
    member: t.field({ type: MemberByInput, required: true, description: 'Who is asked.' }),
  }),
  resolve: ({ question, member }, context) =>
    requestAnswer(context.db, questionId(question), memberRef(member, 'input.member'), writerOf(context)),
  payload: (t) => ({ question: questionOf(t) }),
})
