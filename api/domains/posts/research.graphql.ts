import { builder, type Types } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { loader } from '../../graph/load.ts'
import { NOBODY } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import type { LoggedEvent } from '../../platform/events.ts'
import { researchAnswered, testSaleTaken } from './events.ts'
import type { FeedbackQuestion as Question } from './research.service.ts'
import { inviteesOf } from './research.store.ts'

/** What kind of research it is. */
const ResearchKind = builder.enumType('ResearchKind', {
  description: 'How members help to find something out.',
  values: {
    PANEL: { description: 'They are asked.' },
    TEST_SALE: { description: 'They try out something, of which there are a few, and are asked.' },
  },
})

/** How a question of a feedback form is answered. */
export const FeedbackKind = builder.enumType('FeedbackKind', {
  description: 'How a question of a feedback form is answered.',
  values: {
    TEXT: { description: 'In words.' },
    SCALE: { description: 'From 1 to 5.' },
    CHOICE: { description: 'By one of its choices.' },
  },
})

const FeedbackQuestion = builder.objectRef<Question>('FeedbackQuestion').implement({
  description: 'A question of a feedback form.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Its name within the form.' }),
    label: t.exposeString('label', { description: 'What is asked.' }),
    kind: t.expose('kind', { type: FeedbackKind, description: 'How it is answered.' }),
    choices: t.stringList({
      description: 'What can be chosen. At most 20; empty unless it is answered by a choice.',
      resolve: ({ choices }) => [...choices],
    }),
    isRequired: t.exposeBoolean('isRequired', { description: 'Whether it must be answered.' }),
  }),
})

const ResearchAnswer = builder.prismaObject('ResearchAnswer', {
  description: "A member's answer to one question of a feedback form.",
  fields: (t) => ({
    question: t.exposeString('question'),
    words: t.exposeString('words', { nullable: true }),
    number: t.exposeInt('number', { nullable: true }),
    displayName: t.string({
      description: 'What the member is called.',
      select: { member: { select: { displayName: true } } },
      resolve: ({ member }) => member.displayName,
    }),
    at: t.expose('at', { type: 'DateTime' }),
  }),
})

const invitees = loader<string, number>((ids, { db }) => inviteesOf(db, ids))

/** A panel that is asked, or a sale to try out a product. */
const Research = builder.prismaObject('Research', {
  description: 'A panel that is asked, or a sale to try out a product.',
  select: { id: true },
  fields: (t) => ({
    key: t.exposeString('key'),
    kind: t.field({
      type: ResearchKind,
      description: 'How members help.',
      select: { kind: true },
      resolve: ({ kind }) => kind as typeof ResearchKind.$inferType, // a check constraint holds it
    }),
    title: t.exposeString('title'),
    description: t.exposeString('description'),
    sku: t.exposeString('sku', { nullable: true }),
    stock: t.exposeInt('stock', { nullable: true }),
    left: t.int({
      nullable: true,
      description: 'How many are left in a test sale; null for a panel.',
      select: { stock: true, taken: true },
      resolve: ({ stock, taken }) => (stock === null ? null : stock - taken),
    }),
    perMember: t.exposeInt('perMember', { nullable: true }),
    form: t.field({
      type: [FeedbackQuestion],
      description: 'What is asked, in order. At most 20.',
      select: { form: true },
      resolve: ({ form }) => form as unknown as Question[], // as research_save was given it
    }),
    opensAt: t.expose('opensAt', { type: 'DateTime' }),
    closesAt: t.expose('closesAt', { type: 'DateTime', nullable: true }),
    isOpen: t.boolean({
      description: 'Whether one can take part now.',
      select: { opensAt: true, closesAt: true },
      resolve: async ({ opensAt, closesAt }, _args, context) => {
        const now = await context.now()
        return opensAt <= now && (closesAt === null || now < closesAt)
      },
    }),
    viewerQuantity: t.int({
      description: 'How many the viewer took in a test sale.',
      select: (_args, { viewer }) => ({
        orders: { where: { memberId: viewer?.memberId ?? NOBODY }, take: 1, select: { quantity: true } },
      }),
      resolve: ({ orders }) => orders[0]?.quantity ?? 0,
    }),
    hasViewerAnswered: t.boolean({
      description: 'Whether the viewer answered.',
      select: (_args, { viewer }) => ({
        answers: { where: { memberId: viewer?.memberId ?? NOBODY }, take: 1, select: { question: true } },
      }),
      resolve: ({ answers }) => answers.length > 0,
    }),
    inviteeCount: t.int({
      nullable: true,
      authScopes: { lists: 'community:read' },
      description: 'How many members are invited now. Not for members.',
      select: { id: true },
      resolve: ({ id }, _args, context) => invitees(context, id),
    }),
    answers: t.relation('answers', {
      type: ResearchAnswer,
      nullable: true,
      authScopes: { lists: 'community:read' },
      description: 'What was answered, the newest first. At most 1,000. Not for members.',
      query: { orderBy: { at: 'desc' }, take: 1000 },
    }),
  }),
})

builder.queryField('research', (t) =>
  t.prismaField({
    type: [Research],
    nullable: true,
    description:
      'Panels and test sales, the newest first: for members those that they are invited to. At most 100.',
    authScopes: { reads: 'community:read' },
    args: {
      kind: t.arg({ type: ResearchKind, description: 'Only of this kind.' }),
      key: t.arg.string({ description: 'Only the one with this key.' }),
    },
    resolve: (query, _root, { kind, key }, { db }) =>
      read(db).research.findMany({
        ...query,
        where: { ...(kind && { kind }), ...(key != null && { key }) },
        orderBy: { id: 'desc' },
        take: 100,
      }),
  }),
)

/** The field `research` of a payload that knows which it changed. */
export const researchOf = <Payload extends { readonly research: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.prismaField({
    type: Research,
    nullable: true,
    description: 'The panel or test sale, as it is now.',
    resolve: (query, { research }, _args, { db }) =>
      read(db).research.findFirst({ ...query, where: { id: research } }),
  })

const eventResearch = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, LoggedEvent>) =>
  t.prismaField({
    type: Research,
    nullable: true,
    description: 'Which panel or test sale.',
    resolve: (query, event, _args, { db }) =>
      read(db).research.findFirst({ ...query, where: { id: factOf(event, 'research') } }),
  })

eventType(researchAnswered, (t) => ({ research: eventResearch(t) }))
eventType(testSaleTaken, (t) => ({ research: eventResearch(t) }))
