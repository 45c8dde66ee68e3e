import { builder, type Types } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { idOf } from '../../graph/ids.ts'
import { loader } from '../../graph/load.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import type { SqlCondition, SqlOrder } from '../../platform/read/index.ts'
import { Author, Contribution, contributionType, known, tagged } from '../contributions/index.ts'
import { faqPublished, faqReviewDue } from './events.ts'
import { type Credit, conflictsOf, creditsOf, demandsOf } from './faq.store.ts'
import { Question, QuestionConnection } from './graphql.ts'

contributionType('FaqEntry', 'FAQ')

/** How far an entry of the FAQ has come. */
export const FaqStage = builder.enumType('FaqStage', {
  description: 'How far an entry of the FAQ has come. Before, its question is one of `faqCandidates`.',
  values: {
    EDITING: { description: 'Staff write it.' },
    PUBLISHED: { description: 'It is there.' },
    DUE: { description: 'It is there, and to be looked at again.' },
    RETIRED: { description: 'It was taken out.' },
  },
})
type Stage = typeof FaqStage.$inferType

const demandOf = loader<string, number>((ids, { db }) => demandsOf(db, ids))
const creditOf = loader<string, Credit | null>((ids, { db }) => creditsOf(db, ids))
const conflictOf = loader<string, string[]>((ids, { db }) => conflictsOf(db, ids))

/** A question with its answer that the shop keeps. */
export const FaqEntry = builder.prismaNode('Contribution', {
  variant: 'FaqEntry',
  nullable: true,
  description: 'A question with its answer that the shop keeps. Its words are changed by `editContribution`.',
  interfaces: [Contribution],
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({ tenantId_id: { tenantId: context.db.tenantId, id }, kind: 'FAQ' }),
  authScopes: { reads: 'community:read' },
  select: { id: true, kind: true },
  fields: (t) => ({
    stage: t.field({
      type: FaqStage,
      description: 'How far it has come.',
      select: { state: true, entry: { select: { reviewAt: true, dueAt: true } } },
      resolve: ({ state, entry }): Stage => {
        if (state === 'DRAFT') return 'EDITING'
        if (state !== 'PUBLISHED') return 'RETIRED'
        return entry?.reviewAt != null && entry.dueAt === null ? 'DUE' : 'PUBLISHED'
      },
    }),
    question: t.field({
      type: Question,
      nullable: true,
      description: 'The question that it comes from; null: none that the viewer may see.',
      select: (_args, _context, nested) => ({
        entry: { select: { source: { select: { contribution: nested(true) } } } },
      }),
      resolve: ({ entry }) => {
        const source = entry?.source?.contribution
        return source?.kind === 'QUESTION' ? source : null
      },
    }),
    creditedTo: t.field({
      type: Author,
      nullable: true,
      description: 'Who gave the answer that it comes from; null: nobody in particular.',
      select: { id: true },
      resolve: ({ id }, _args, context) => creditOf(context, id),
    }),
    reviewAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it is to be looked at again; null: never.',
      select: { entry: { select: { reviewAt: true } } },
      resolve: ({ entry }) => entry?.reviewAt ?? null,
    }),
    reviewedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When somebody last said that it holds; null: nobody did.',
      select: { entry: { select: { reviewedAt: true } } },
      resolve: ({ entry }) => entry?.reviewedAt ?? null,
    }),
    demand: t.float({
      nullable: true,
      description:
        'How much it is wanted, for staff; null for members, who may not see all that counts in it: its views, 5 for each who has the same trouble as its source, 10 for each duplicate of that, and 3 for each time that somebody opened it while writing a question.',
      select: { id: true },
      resolve: ({ id }, _args, context) => (context.viewer?.kind === 'MEMBER' ? null : demandOf(context, id)),
    }),
  }),
})

builder.prismaObjectField(FaqEntry, 'conflicts', (t) =>
  t.field({
    type: [FaqEntry],
    description:
      'Other published entries about the same: from the same source, or about the same product with a like title. At most 20.',
    select: { id: true },
    resolve: async ({ id }, _args, context) =>
      (await conflictOf(context, id)).slice(0, 20).map((other) => known('FAQ', other)),
  }),
)

const FaqEntryConnection = connectionOf(FaqEntry, 'FaqEntry')

/** The most wanted first: one way, as cursors want it. */
const MOST_WANTED: { readonly sql: SqlOrder } = {
  sql: { expression: (alias: string) => `-faq_demand(${alias}.id)`, direction: 'asc' },
}

const IN_STAGE: Readonly<Record<Stage, object>> = {
  EDITING: { state: 'DRAFT' },
  PUBLISHED: { state: 'PUBLISHED' },
  DUE: { state: 'PUBLISHED', entry: { reviewAt: { not: null }, dueAt: null } },
  RETIRED: { state: 'DELETED' },
}

builder.queryField('faq', (t) =>
  t.prismaConnection(
    {
      type: FaqEntry,
      nullable: true,
      description: 'Entries of the FAQ that the viewer may see, the most wanted first.',
      authScopes: { reads: 'community:read' },
      cursor: 'tenantId_id',
      args: {
        space: t.arg.id({ description: 'Only those of this space.' }),
        sku: t.arg.string({ description: 'Only those about this product.' }),
        tag: t.arg.string({ description: 'Only those with this tag.' }),
        stage: t.arg({
          type: FaqStage,
          description:
            'Only those that have come so far; PUBLISHED, those that are due included, when left out.',
        }),
      },
      resolve: (query, _root, { space, sku, tag, stage }, { db }) => {
        return read(db).contribution.findMany({
          ...query,
          where: {
            kind: 'FAQ',
            ...IN_STAGE[stage ?? 'PUBLISHED'],
            ...(space != null && { spaceId: idOf('Space', space, 'space') }),
            ...(tag != null && { sql: tagged(tag) }),
            ...(sku != null && { sku }),
          } as object, // the reader's own words
          orderBy: [MOST_WANTED, { id: 'asc' }] as object[], // likewise
        })
      },
    },
    FaqEntryConnection,
  ),
)

builder.queryField('faqCandidates', (t) =>
  t.prismaConnection(
    {
      type: Question,
      nullable: true,
      description:
        'Questions that should become entries of the FAQ: solved, and looked at or asked again as often as `questionCare` says; the most looked at first.',
      authScopes: { lists: 'community:read' },
      cursor: 'tenantId_id',
      args: { space: t.arg.id({ description: 'Only those of this space.' }) },
      resolve: (query, _root, { space }, { db }) => {
        const isCandidate: SqlCondition = (alias) => `${alias}.id in (select faq_candidates())`
        return read(db).contribution.findMany({
          ...query,
          where: {
            kind: 'QUESTION',
            sql: isCandidate,
            ...(space != null && { spaceId: idOf('Space', space, 'space') }),
          } as object, // the reader's own words
          orderBy: [{ viewCount: 'desc' }, { id: 'desc' }],
        })
      },
    },
    QuestionConnection,
  ),
)

/** `entry` of payloads. */
export const entryOf = <Payload extends { readonly entry: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.prismaField({
    type: FaqEntry,
    nullable: true,
    description: 'The entry, as it is now.',
    resolve: (query, { entry }, _args, { db }) =>
      read(db).contribution.findFirst({ ...query, where: { id: entry, kind: 'FAQ' } }),
  })

for (const fact of [faqPublished, faqReviewDue])
  eventType(fact, (t) => ({
    entry: t.prismaField({
      type: FaqEntry,
      nullable: true,
      description: 'The entry; null when the viewer may not see it any more.',
      resolve: (query, event, _args, { db }) =>
        read(db).contribution.findFirst({ ...query, where: { id: factOf(event, 'entry'), kind: 'FAQ' } }),
    }),
  }))
