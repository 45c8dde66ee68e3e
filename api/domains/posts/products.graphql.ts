import { builder } from '../../graph/builder.ts'
import { text } from '../../graph/input.ts'
import { loader } from '../../graph/load.ts'
import { read } from '../../graph/read.ts'
import type { SqlCondition } from '../../platform/read/index.ts'
import { Contribution, ContributionConnection } from '../contributions/index.ts'
import { ProductTopic } from './kinds.graphql.ts'
import { type Talk, talkOf } from './products.store.ts'

const TopicCount = builder.objectRef<Talk['topics'][number]>('ProductTopicCount').implement({
  description: 'In how many posts something is told of a product.',
  fields: (t) => ({
    topic: t.expose('topic', { type: ProductTopic, description: 'What is told.' }),
    count: t.exposeInt('count', { description: 'In how many posts.' }),
  }),
})

const talks = loader<string, Talk>(async (skus, { db }) => await talkOf(db, skus))

const ProductDiscussion = builder.objectRef<{ readonly sku: string }>('ProductDiscussion').implement({
  description: 'What is said of a product, as far as the viewer may see it.',
  fields: (t) => ({
    sku: t.exposeString('sku', { description: 'The product.' }),
    reviewCount: t.int({
      description: 'How many reviews there are.',
      resolve: async ({ sku }, _args, context) => (await talks(context, sku)).reviews,
    }),
    averageRating: t.float({
      nullable: true,
      description: 'How many stars it has on average, to a tenth; null without reviews.',
      resolve: async ({ sku }, _args, context) => (await talks(context, sku)).rating,
    }),
    topics: t.field({
      type: [TopicCount],
      description: 'How often its price and quality are told of. At most 2.',
      resolve: async ({ sku }, _args, context) => [...(await talks(context, sku)).topics],
    }),
  }),
})

/** Posts, and questions that somebody answered. */
const HELPS: SqlCondition = (alias) =>
  `(${alias}.kind = 'POST' or (${alias}.kind = 'QUESTION' and ${alias}.answer_count > 0))`

builder.objectField(ProductDiscussion, 'entries', (t) =>
  t.prismaConnection(
    {
      type: Contribution,
      nullable: true,
      description: 'Posts, reviews and answered questions about it, first where something happened last.',
      cursor: 'tenantId_id',
      resolve: (query, { sku }, _args, { db }) =>
        read(db).contribution.findMany({
          ...query,
          where: { sku, parentId: null, state: 'PUBLISHED', sql: HELPS } as object, // the reader's own words
          orderBy: { activityAt: 'desc' },
        }),
    },
    ContributionConnection,
  ),
)

builder.queryField('productDiscussion', (t) =>
  t.field({
    type: ProductDiscussion,
    nullable: true,
    description: 'What is said of a product: material for whoever thinks of buying it.',
    authScopes: { reads: 'community:read' },
    args: { sku: t.arg.string({ required: true, description: 'The product; 1 to 100 characters.' }) },
    resolve: (_root, { sku }) => ({ sku: text(sku, 'sku', 100) }),
  }),
)
