import { builder } from '../../graph/builder.ts'
import { loader } from '../../graph/load.ts'
import { ContentIdea } from '../content/index.ts'
import { type ComplaintCluster, type IdeaEffect, readClusters, readEffects } from './complaints.store.ts'

const ComplaintClusterType = builder.objectRef<ComplaintCluster>('ComplaintCluster').implement({
  description: 'A product or a feature that members complain of.',
  fields: (t) => ({
    sku: t.exposeString('sku', { nullable: true, description: 'The product; null when it is a feature.' }),
    feature: t.exposeString('feature', {
      nullable: true,
      description: 'Where members stumbled; null when it is a product.',
    }),
    complaints: t.exposeInt('complaints', { description: 'Cases that were opened about posts on it.' }),
    stumbles: t.exposeInt('stumbles', {
      description: 'How often members reported that they did not get on.',
    }),
    questions: t.exposeInt('questions', { description: 'Questions that were asked about it.' }),
    members: t.exposeInt('members', { description: 'How many members that was.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When last.' }),
    idea: t.field({
      type: ContentIdea,
      nullable: true,
      description: 'The newest idea for content about it; null: nobody had one.',
      // Known by its id; the rest is read when it is asked for, of all of them together.
      resolve: ({ idea }) => (idea === null ? null : ({ id: idea } as never)),
    }),
  }),
})

builder.queryField('complaintClusters', (t) =>
  t.field({
    type: [ComplaintClusterType],
    nullable: true,
    description:
      'The products and features that most members complained of: what content should be made. Questions count where there are complaints. At most 100.',
    authScopes: { lists: 'community:read' },
    args: { within: t.arg({ type: 'Duration', defaultValue: 'P30D', description: 'How far back.' }) },
    resolve: (_root, { within }, { db }) => readClusters(db, within ?? 'P30D'),
  }),
)

const ContentIdeaEffect = builder.objectRef<IdeaEffect>('ContentIdeaEffect').implement({
  description: 'How much was complained of before an idea was closed, and in as much time since.',
  fields: (t) => ({
    days: t.exposeFloat('days', { description: 'Of how many days before, and since; at most 30.' }),
    before: t.exposeInt('before', { description: 'Complaints and stumbles before.' }),
    after: t.exposeInt('after', { description: 'Complaints and stumbles since.' }),
  }),
})

const effectOf = loader<string, IdeaEffect | null>((ids, { db }) => readEffects(db, ids))

builder.prismaObjectField(ContentIdea, 'effect', (t) =>
  t.field({
    type: ContentIdeaEffect,
    nullable: true,
    description:
      'Whether members complain less of its products and features since it was closed; null while it is open, and for one that names neither.',
    select: { id: true },
    resolve: ({ id }, _args, context) => effectOf(context, id),
  }),
)
