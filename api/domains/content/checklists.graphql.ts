import { builder, type Types } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { TextsInput } from '../../graph/texts.ts'
import { BadInputError, MembershipEndedError, type Outcome, raise } from '../../platform/errors/index.ts'
import { call } from '../../platform/operation.ts'
import type { SqlCondition } from '../../platform/read/index.ts'
import { Member, MemberByInput, memberOf, namesOf, ownOrWrites, subjectOf } from '../members/index.ts'
import { secondsOf } from '../program/index.ts'
import { checklistCompleted, checklistStuck } from './events.ts'

interface StepState {
  readonly key: string
  readonly title: unknown
  readonly isDone: boolean
}

const ChecklistStep = builder.objectRef<StepState>('ChecklistStep').implement({
  description: 'A step of the first ones with a product.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Its short name.' }),
    title: t.string({
      description: "What is to be done, in the language of the viewer's tenant.",
      resolve: ({ title, key }, _args, context) => inLanguage(title, context) ?? key,
    }),
    isDone: t.exposeBoolean('isDone', { description: 'Whether the member has done it.' }),
  }),
})

/** A member at the first steps with a product. */
export const MemberChecklist = builder.prismaNode('MemberChecklist', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { reads: 'community:read' },
  select: { id: true },
  fields: (t) => ({
    key: t.string({
      description: 'The key of the checklist.',
      select: { checklist: { select: { key: true } } },
      resolve: ({ checklist }) => checklist.key,
    }),
    name: t.string({
      description: "What members call it, in the language of the viewer's tenant.",
      select: { checklist: { select: { name: true, key: true } } },
      resolve: ({ checklist }, _args, context) => inLanguage(checklist.name, context) ?? checklist.key,
    }),
    sku: t.string({
      description: 'The product.',
      select: { checklist: { select: { sku: true } } },
      resolve: ({ checklist }) => checklist.sku,
    }),
    steps: t.field({
      type: [ChecklistStep],
      description: 'The steps, in their order. At most 50.',
      select: { done: true, checklist: { select: { steps: true } } },
      resolve: ({ done, checklist }) =>
        (checklist.steps as { key: string; title: unknown }[]) // as checklist_save was given them
          .map(({ key, title }) => ({ key, title, isDone: done.includes(key) })),
    }),
    member: t.relation('member', { nullable: true, description: 'Who.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime' }),
    movedAt: t.expose('movedAt', { type: 'DateTime' }),
    completedAt: t.expose('completedAt', { type: 'DateTime', nullable: true }),
    stuckAt: t.expose('stuckAt', { type: 'DateTime', nullable: true }),
    help: t.string({
      nullable: true,
      description: 'The help that is offered to who is stuck; null for who is not.',
      select: { stuckAt: true, checklist: { select: { help: true } } },
      resolve: ({ stuckAt, checklist }, _args, context) =>
        stuckAt === null ? null : (inLanguage(checklist.help, context) ?? null),
    }),
  }),
})

const MemberChecklistConnection = connectionOf(MemberChecklist, 'MemberChecklist')

builder.prismaObjectFields(Member, (t) => ({
  checklists: t.relatedConnection(
    'checklists',
    {
      type: MemberChecklist,
      nullable: true,
      description:
        'The first steps that the member began, the newest first. For the member itself and staff.',
      authScopes: { reads: 'community:read' },
      cursor: 'tenantId_id',
      query: (_args, context) => ({
        where: { AND: ownOnly(context, (memberId) => ({ memberId })) },
        orderBy: { id: 'desc' },
      }),
    },
    MemberChecklistConnection,
  ),
}))

const isStuck: SqlCondition = (alias) => `${alias}.stuck_at is not null`

builder.queryField('stuckChecklists', (t) =>
  t.prismaConnection(
    {
      type: MemberChecklist,
      nullable: true,
      description: 'Members who are stuck at their first steps with a product: the queue of those who help.',
      authScopes: { lists: 'community:read' },
      cursor: 'tenantId_id',
      resolve: (query, _root, _args, { db }) =>
        read(db).memberChecklist.findMany({
          ...query,
          where: { AND: [{ sql: isStuck }] as object[] }, // a condition in SQL, which Prisma's types do not know
          orderBy: { id: 'asc' },
        }),
    },
    MemberChecklistConnection,
  ),
)

const checklistOf = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, { readonly checklist: string }>) =>
  t.prismaField({
    type: MemberChecklist,
    nullable: true,
    description: 'The steps of the member, as they are now.',
    resolve: (query, { checklist }, _args, { db }) =>
      read(db).memberChecklist.findFirst({ ...query, where: { id: checklist } }),
  })

const StepInput = builder.inputType('ChecklistStepInput', {
  description: 'A step as it is to be.',
  fields: (t) => ({
    key: t.string({ required: true, description: 'Its short name; 1 to 100 characters.' }),
    title: t.field({ type: TextsInput, required: true, description: 'What is to be done.' }),
  }),
})

const both = (texts: { readonly en: string; readonly ja: string }, field: string, most: number) => ({
  en: text(texts.en, `${field}.en`, most),
  ja: text(texts.ja, `${field}.ja`, most),
})

mutation('saveChecklist', {
  description:
    'Keeps the first steps with a product. Who does none for a time is stuck, and is offered help. Needs: `content:write`. Emits: nothing.',
  scopes: { writes: 'content:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({
      required: true,
      description: 'Its short name, which never changes; 1 to 100 characters.',
    }),
    name: t.field({ type: TextsInput, required: true, description: 'What members call it.' }),
    sku: t.string({ required: true, description: 'The product.' }),
    steps: t.field({ type: [StepInput], required: true, description: 'The steps, in their order. 1 to 50.' }),
    stuckAfter: t.field({
      type: 'Duration',
      required: true,
      description: 'After how long without a step one is stuck; at least PT1H.',
    }),
    help: t.field({
      type: TextsInput,
      required: true,
      description: 'The help that who is stuck is offered.',
    }),
  }),
  resolve: async ({ key, name, sku, steps, stuckAfter, help }, { db }) => {
    const keys = steps.map((step, i) => text(step.key, `input.steps.${i}.key`, 100))
    if (keys.length < 1 || keys.length > 50 || new Set(keys).size < keys.length) {
      throw new BadInputError('input.steps', 'input.steps must be 1 to 50 steps with keys that differ.')
    }
    if (secondsOf(stuckAfter) < 3600)
      throw new BadInputError('input.stuckAfter', 'input.stuckAfter must be at least PT1H.')
    const what = {
      name: both(name, 'input.name', 200),
      help: both(help, 'input.help', 1000),
      sku: text(sku, 'input.sku', 100),
      steps: steps.map(({ title }, i) => ({
        key: keys[i],
        title: both(title, `input.steps.${i}.title`, 300),
      })),
      stuckAfter,
    }
    const checked = text(key, 'input.key', 100)
    raise(
      await call<Outcome>(db, 'select checklist_save($1, $2) as outcome', [checked, JSON.stringify(what)]),
    )
    return { key: checked }
  },
  payload: (t) => ({ key: t.exposeString('key', { description: 'The key of the checklist.' }) }),
})

mutation('doChecklistStep', {
  description:
    "Begins the first steps with a product, or does one of them; done is done. Needs: a member's token, for its own, or `content:write`. Emits: `checklist.completed`.",
  scopes: ownOrWrites('content:write'),
  errors: [MembershipEndedError],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: "Whose; a member's own when left out." }),
    checklist: t.string({ required: true, description: 'The key of the checklist.' }),
    step: t.string({ description: 'The key of the step; left out, it only begins.' }),
  }),
  resolve: async ({ member, checklist, step }, context) =>
    raise(
      await call<Outcome<{ checklist: string; member: string }>>(
        context.db,
        'select checklist_step($1, $2, $3, $4) as outcome',
        [checklist, ...namesOf(subjectOf(member, context)), step ?? null],
      ),
    ),
  payload: (t) => ({ checklist: checklistOf(t), member: memberOf(t) }),
})

for (const fact of [checklistCompleted, checklistStuck]) {
  eventType(fact, (t) => ({
    checklist: t.prismaField({
      type: MemberChecklist,
      nullable: true,
      description: 'The steps of the member, as they are now.',
      resolve: (query, event, _args, { db }) =>
        read(db).memberChecklist.findFirst({ ...query, where: { id: factOf(event, 'checklist') } }),
    }),
  }))
}
