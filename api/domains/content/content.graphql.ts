import { builder, type Types } from '../../graph/builder.ts'
import { DenialReason } from '../../graph/errors/index.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { NOBODY } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import type { SqlCondition } from '../../platform/read/index.ts'
import { Contribution, ContributionState, contributionType } from '../contributions/index.ts'
import { contentPublished, contentRated } from './events.ts'
import { Series } from './series.graphql.ts'
import { ContentVisibility, visibilityOf } from './visibility.graphql.ts'
import { ContentKind, ContentPurpose, ContentRating } from './words.graphql.ts'

contributionType('Content', 'CONTENT')

interface Lock {
  readonly unlock: unknown
}

const ContentLock = builder.objectRef<Lock>('ContentLock').implement({
  description: 'Why the viewer may not read some content.',
  fields: (t) => ({
    reason: t.field({ type: DenialReason, description: 'Why.', resolve: () => 'AUDIENCE' as const }),
    unlock: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The audience rule that opens it, as AudienceInput writes it.',
      resolve: ({ unlock }) => unlock,
    }),
  }),
})

/** What everybody who sees into a space may know of some content: a card for a list, or a page for those outside. */
export const ContentCard = builder.prismaNode('Content', {
  variant: 'ContentCard',
  nullable: true,
  description:
    'What everybody who sees into a space may know of some content in it, whether it may read it or not.',
  id: { resolve: ({ contributionId }) => contributionId },
  findUnique: (id, context) => ({
    tenantId_contributionId: { tenantId: context.db.tenantId, contributionId: id },
  }),
  authScopes: { reads: 'community:read' },
  select: { contributionId: true },
  fields: (t) => ({
    kind: t.field({
      type: ContentKind,
      description: 'What it is.',
      select: { kind: true },
      resolve: ({ kind }) => kind as typeof ContentKind.$inferType, // a check constraint holds it
    }),
    title: t.exposeString('title'),
    teaser: t.exposeString('teaser', { nullable: true }),
    isTeased: t.exposeBoolean('isTeased'),
    publishedAt: t.expose('publishedAt', { type: 'DateTime', nullable: true }),
    visibility: t.field({
      type: ContentVisibility,
      description: 'Who may read it.',
      select: { isPublic: true, gate: { select: { rule: true } } },
      resolve: ({ isPublic, gate }) => visibilityOf(isPublic, gate?.rule),
    }),
    lock: t.field({
      type: ContentLock,
      nullable: true,
      description: 'Why the viewer may not read it; null when it may.',
      select: { contribution: { select: { id: true } }, gate: { select: { rule: true } } },
      // The contribution is not there for those who may not see it, though every card has one.
      resolve: ({ contribution, gate }): Lock | null =>
        (contribution as object | null) === null ? { unlock: Object(gate?.rule).rule ?? null } : null,
    }),
    link: t.string({
      nullable: true,
      description: 'Where a tool or a service is; null also when the viewer may not use it.',
      select: { link: true, contribution: { select: { id: true } } },
      resolve: ({ link, contribution }) => ((contribution as object | null) === null ? null : link), // as above
    }),
    entitlement: t.exposeString('entitlement', { nullable: true }),
    post: t.relation('post', {
      type: Contribution,
      nullable: true,
      description: 'The post that it was made of; null also when the viewer may not see that.',
    }),
    series: t.relation('series', {
      type: Series,
      nullable: true,
      description: 'The series that it is an issue of.',
    }),
    purpose: t.field({
      type: ContentPurpose,
      nullable: true,
      authScopes: { lists: 'community:read' },
      description: 'What the tenant publishes it for. Not for members.',
      select: { purpose: true },
      resolve: ({ purpose }) => purpose as typeof ContentPurpose.$inferType, // likewise
    }),
    need: t.exposeString('need', {
      nullable: true,
      authScopes: { lists: 'community:read' },
      description: 'What the reader needs it for. Not for members.',
    }),
    stages: t.exposeStringList('stages', {
      nullable: true,
      authScopes: { lists: 'community:read' },
      description: 'The stages that it is made for; none: every one. At most 20. Not for members.',
    }),
    skus: t.exposeStringList('skus', {
      description: 'The products that it is about; none: every one. At most 50.',
    }),
    personas: t.exposeStringList('personas', {
      nullable: true,
      authScopes: { lists: 'community:read' },
      description: 'The sorts of people it is made for; none: every one. At most 20. Not for members.',
    }),
    useful: t.exposeInt('useful'),
    notUseful: t.exposeInt('notUseful'),
    unwanted: t.exposeInt('unwanted', {
      nullable: true,
      authScopes: { lists: 'community:read' },
      description: 'How many readers did not want it at all. Not for members.',
    }),
    satisfaction: t.float({
      nullable: true,
      description: 'The share of those who found it useful among those who said; null: nobody did.',
      select: { useful: true, notUseful: true },
      resolve: ({ useful, notUseful }) => (useful + notUseful === 0 ? null : useful / (useful + notUseful)),
    }),
    viewerRating: t.field({
      type: ContentRating,
      nullable: true,
      description: 'What the viewer said of it; null for staff, and when it said nothing.',
      select: (_args, { viewer }) => ({
        ratings: { where: { memberId: viewer?.memberId ?? NOBODY }, take: 1, select: { rating: true } },
      }),
      resolve: ({ ratings }) => (ratings[0]?.rating ?? null) as typeof ContentRating.$inferType | null, // likewise
    }),
  }),
})

/** Something that the tenant publishes for its members; there for those alone who may read it. */
export const Content = builder.prismaNode('Contribution', {
  variant: 'Content',
  interfaces: [Contribution],
  nullable: true,
  description: 'Something that the tenant publishes for its members; there for those alone who may read it.',
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({ tenantId_id: { tenantId: context.db.tenantId, id }, kind: 'CONTENT' }),
  authScopes: { reads: 'community:read' },
  select: { id: true, kind: true },
  fields: (t) => ({
    card: t.relation('content', {
      type: ContentCard,
      nullable: true,
      description: 'What it is, and whom it is for.',
    }),
  }),
})

builder.prismaObjectField(ContentCard, 'content', (t) =>
  t.relation('contribution', {
    type: Content,
    nullable: true,
    description: 'The content itself; null when the viewer may not read it.',
  }),
)

builder.prismaInterfaceField(Contribution, 'promotedTo', (t) =>
  t.relation('promoted', {
    type: ContentCard,
    nullable: true,
    description: 'The content that was made of it; null also when the viewer may not know of that.',
  }),
)

const ContentCardConnection = connectionOf(ContentCard, 'ContentCard')

const ContentFilter = builder.inputType('ContentFilter', {
  description: 'Which content.',
  fields: (t) => ({
    kind: t.field({ type: ContentKind, description: 'Of this kind.' }),
    purpose: t.field({ type: ContentPurpose, description: 'Published for this.' }),
    stage: t.string({ description: 'Made for this stage, or for every one.' }),
    sku: t.string({ description: 'About this product, or about every one.' }),
    persona: t.string({ description: 'Made for these people, or for everybody.' }),
    series: t.string({ description: 'An issue of the series with this key.' }),
    isPublic: t.boolean({ description: 'True: what people who are no members may read; false: the rest.' }),
    state: t.field({ type: ContributionState, description: 'That stands so; PUBLISHED when left out.' }),
  }),
})

const names =
  (column: 'stages' | 'skus' | 'personas', word: string): SqlCondition =>
  (alias, param) =>
    `(${alias}.${column} = '{}' or ${param(word)} = any (${alias}.${column}))`

builder.queryField('content', (t) =>
  t.prismaConnection(
    {
      type: ContentCard,
      nullable: true,
      description:
        'Content that the viewer may read or may know of, the newest first. What is neither does not count.',
      authScopes: { reads: 'community:read' },
      cursor: 'tenantId_contributionId',
      args: { filter: t.arg({ type: ContentFilter, description: 'Which; all of it when left out.' }) },
      resolve: (query, _root, { filter }, { db }) => {
        const { kind, purpose, stage, sku, persona, series, isPublic, state } = filter ?? {}
        const fitting = [
          ...(stage == null ? [] : [{ sql: names('stages', stage) }]),
          ...(sku == null ? [] : [{ sql: names('skus', sku) }]),
          ...(persona == null ? [] : [{ sql: names('personas', persona) }]),
        ]
        const isOut = state == null || state === 'PUBLISHED'
        return read(db).content.findMany({
          ...query,
          where: {
            state: state ?? 'PUBLISHED',
            ...(kind != null && { kind }),
            ...(purpose != null && { purpose }),
            ...(series != null && { series: { key: series } }),
            ...(isPublic != null && { isPublic }),
            AND: fitting as object[], // conditions in SQL, which Prisma's types do not know
          },
          // What was never published has no date to sort by.
          orderBy: isOut ? { publishedAt: 'desc' } : { contributionId: 'desc' },
        })
      },
    },
    ContentCardConnection,
  ),
)

/** `content` of payloads. */
export const contentOf = <Payload extends { readonly contribution: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.prismaField({
    type: Content,
    nullable: true,
    description: 'The content, as it is now.',
    resolve: (query, { contribution }, _args, { db }) =>
      read(db).contribution.findFirst({ ...query, where: { id: contribution, kind: 'CONTENT' } }),
  })

for (const fact of [contentPublished, contentRated]) {
  eventType(fact, (t) => ({
    content: t.prismaField({
      type: Content,
      nullable: true,
      description: 'The content, as it is now.',
      resolve: (query, event, _args, { db }) =>
        read(db).contribution.findFirst({
          ...query,
          where: { id: factOf(event, 'contribution'), kind: 'CONTENT' },
        }),
    }),
  }))
}
