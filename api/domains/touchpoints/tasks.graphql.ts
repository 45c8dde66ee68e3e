import { builder } from '../../graph/builder.ts'
import { idOf } from '../../graph/ids.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { BadInputError, IdempotencyKeyReusedError } from '../../platform/errors/index.ts'
import { completeTask } from './tasks.ts'

const TaskKind = builder.enumType('TaskKind', {
  description: 'What a person is to do.',
  values: {
    CALL: { description: 'To call the member.' },
    VISIT: { description: 'To visit the member.' },
    LETTER: { description: 'To write to the member by hand.' },
    ANSWER: { description: 'To answer a question of the member that nobody answered in time.' },
    OUTREACH: { description: 'To ask the member whether it needs help, as a rule says.' },
  },
})

const TaskOutcome = builder.enumType('TaskOutcome', {
  description: 'What came of a task.',
  values: {
    DONE: { description: 'It was done; in a call or a visit, the member answered.' },
    NOT_REACHED: { description: 'The member could not be reached.' },
    DECLINED: { description: 'The member was reached, and wants no more of this: no further task is given.' },
    OVERTAKEN: { description: 'It came to nothing, since what it was about went; nobody books this.' },
  },
})

const TaskState = builder.enumType('TaskState', {
  description: 'Whether a task is still to be done.',
  values: {
    OPEN: { description: 'It is to be done.' },
    COMPLETED: { description: 'It has come to an end, whatever came of it.' },
  },
})

const TaskCost = builder
  .objectRef<{ readonly amount: bigint; readonly currency: string }>('TaskCost')
  .implement({
    description: 'What a task cost.',
    fields: (t) => ({
      amount: t.expose('amount', { type: 'Minor', description: 'How much.' }),
      currency: t.expose('currency', { type: 'CurrencyCode', description: 'Of which currency.' }),
    }),
  })

/** What a question that waits is headed with: its own words are for those who may read it. */
const TO_ANSWER = { en: 'A question waits for an answer', ja: '回答を待っている質問があります' }

/** A touch by a person, a question to answer, or a member to go to. */
export const Task = builder.prismaNode('Task', {
  description:
    'What a person is to do: a touch, as a call, a visit or a letter, a question that waits for an answer, or a member to ask whether it needs help.',
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({ tenantId_id: { tenantId: context.db.tenantId, id } }),
  authScopes: { lists: 'touchpoints:read' },
  select: { id: true },
  fields: (t) => ({
    member: t.relation('member', { nullable: true, description: 'Whom it is for.' }),
    touchpoint: t.relation('touchpoint', { nullable: true, description: 'The touch that it carries.' }),
    kind: t.field({
      type: TaskKind,
      description: 'What is to be done.',
      select: { kind: true },
      resolve: ({ kind }) => kind as typeof TaskKind.$inferType, // a check constraint holds it
    }),
    title: t.string({
      description:
        "What it is about, in the language of the member; without a touch, in the viewer's tenant's.",
      select: { delivery: { select: { content: true } }, outreach: { select: { title: true } } },
      resolve: ({ delivery, outreach }, _args, context) =>
        delivery
          ? scriptOf(delivery.content, 'title')
          : (inLanguage(outreach?.title ?? TO_ANSWER, context) ?? ''),
    }),
    body: t.string({
      description: 'What to say: plain text, lines apart; empty without a touch.',
      select: { delivery: { select: { content: true } } },
      resolve: ({ delivery }) => (delivery ? scriptOf(delivery.content, 'body') : ''),
    }),
    assignee: t.exposeString('assignee', { nullable: true }),
    deadlineAt: t.expose('deadlineAt', { type: 'DateTime', nullable: true }),
    state: t.field({
      type: TaskState,
      description: 'Whether it is still to be done.',
      select: { completedAt: true },
      resolve: ({ completedAt }) => (completedAt ? 'COMPLETED' : 'OPEN'),
    }),
    outcome: t.field({
      type: TaskOutcome,
      nullable: true,
      description: 'What came of it; null while it is open.',
      select: { outcome: true },
      resolve: ({ outcome }) => outcome as typeof TaskOutcome.$inferType | null, // likewise
    }),
    note: t.exposeString('note', { nullable: true }),
    cost: t.field({
      type: TaskCost,
      nullable: true,
      description: 'What it cost, when that was told.',
      select: { cost: true, currency: true },
      resolve: ({ cost, currency }) =>
        cost === null || currency === null ? null : { amount: cost, currency },
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    completedAt: t.expose('completedAt', { type: 'DateTime', nullable: true }),
  }),
})

/** A text of what the channel task took: its schema made sure that both are there. */
function scriptOf(content: unknown, name: 'title' | 'body'): string {
  return String(Reflect.get(Object(content), name) ?? '')
}

const TaskConnection = connectionOf(Task, 'Task')

builder.queryField('tasks', (t) =>
  t.prismaConnection(
    {
      type: Task,
      nullable: true,
      description: 'What people are to do and have done, oldest first.',
      authScopes: { lists: 'touchpoints:read' },
      cursor: 'tenantId_id',
      args: {
        assignee: t.arg.string({ description: "Only of this person; everybody's when left out." }),
        state: t.arg({
          type: TaskState,
          description: 'Only open or only completed ones; both when left out.',
        }),
      },
      resolve: (query, _root, { assignee, state }, { db }) =>
        read(db).task.findMany({
          ...query,
          where: {
            ...(assignee != null && { assignee }),
            ...(state === 'OPEN' && { completedAt: null }),
            ...(state === 'COMPLETED' && { completedAt: { not: null } }),
          },
          orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
        }),
    },
    TaskConnection,
  ),
)

const TaskCostInput = builder.inputType('TaskCostInput', {
  description: 'What a task cost.',
  fields: (t) => ({
    amount: t.field({ type: 'Minor', required: true, description: 'How much; zero or more.' }),
    currency: t.field({ type: 'CurrencyCode', required: true, description: 'Of which currency.' }),
  }),
})

mutation('completeTask', {
  description:
    'Books what came of a task, once; the delivery follows it. Needs: `touchpoints:write`. Emits: `signal.received`, `delivery.settled`.',
  scopes: { writes: 'touchpoints:write' },
  errors: [IdempotencyKeyReusedError],
  input: (t) => ({
    task: t.id({ required: true, description: 'Which task.' }),
    outcome: t.field({ type: TaskOutcome, required: true, description: 'What came of it.' }),
    note: t.string({ description: 'What is worth knowing of it; 1 to 2,000 characters.' }),
    cost: t.field({ type: TaskCostInput, description: 'What it cost.' }),
  }),
  resolve: async ({ task, outcome, note, cost }, { db }, operation) => {
    if (cost && cost.amount < 0n) {
      throw new BadInputError('input.cost.amount', 'input.cost.amount must be zero or more.')
    }
    if (outcome === 'OVERTAKEN') {
      throw new BadInputError(
        'input.outcome',
        'input.outcome must be what came of it; OVERTAKEN is not booked.',
      )
    }
    const id = idOf('Task', task, 'input.task')
    const said = note == null ? null : text(note, 'input.note', 2_000)
    await completeTask(db, id, { outcome, note: said, cost: cost ?? null }, operation)
    return { task: id }
  },
  payload: (t) => ({
    task: t.prismaField({
      type: Task,
      nullable: true,
      description: 'The task, as it is now.',
      resolve: (query, { task }, _args, { db }) => read(db).task.findFirst({ ...query, where: { id: task } }),
    }),
  }),
})
