import { builder } from '../../graph/builder.ts'
import { encodeId } from '../../graph/ids.ts'
import { loader } from '../../graph/load.ts'
import { connectionOf } from '../../graph/relay.ts'
import { Author, Contribution } from '../contributions/index.ts'
import { Member } from '../members/index.ts'
import { helpedBy, reputationsOf } from './store.ts'

/** What gives a member reputation. */
export const ReputationCause = builder.enumType('ReputationCause', {
  description: 'What gives a member reputation.',
  values: {
    VOTE_UP: { description: 'Another member voted for what it wrote.' },
    VOTE_DOWN: { description: 'Another member voted against what it wrote.' },
    ACCEPTED: { description: 'Its answer solved the question of another.' },
    ACCEPTING: { description: 'It said which answer of another solved its question.' },
    THANKED: { description: 'Another member gave thanks for its answer.' },
  },
})

const ReputationEnd = builder.enumType('ReputationEnd', {
  description: 'Why something gives no reputation any more.',
  values: {
    TAKEN_BACK: { description: 'Whoever gave it took it back.' },
    GONE: { description: 'What it was given for was taken away.' },
  },
})

const helpOf = loader<string, number>((ids, { db }) => helpedBy(db, ids))

const reputationNow = loader<string, number>((ids, { db }) => reputationsOf(db, ids))

const ReputationEntry = builder.prismaObject('ReputationEntry', {
  fields: (t) => ({
    id: t.id({
      description: 'Its name among the entries.',
      select: { id: true },
      resolve: ({ id }) => encodeId('ReputationEntry', id),
    }),
    cause: t.field({
      type: ReputationCause,
      description: 'What it came from.',
      select: { cause: true },
      resolve: ({ cause }) => cause as typeof ReputationCause.$inferType, // a check constraint holds it
    }),
    contribution: t.relation('contribution', {
      type: Contribution,
      nullable: true,
      description: 'What it was given for; null when the viewer may not see it any more.',
    }),
    worth: t.exposeInt('amount', { description: 'What it is worth by the definition of its time.' }),
    kept: t.exposeInt('kept'),
    at: t.expose('at', { type: 'DateTime' }),
    endedAt: t.expose('endedAt', { type: 'DateTime', nullable: true }),
    endedWhy: t.field({
      type: ReputationEnd,
      nullable: true,
      description: 'Why it ceased to count; null: it counts.',
      select: { endedWhy: true },
      resolve: ({ endedWhy }) => endedWhy as typeof ReputationEnd.$inferType | null, // likewise
    }),
  }),
})

const ReputationEntryConnection = connectionOf(ReputationEntry, 'ReputationEntry')

builder.prismaObjectFields(Member, (t) => ({
  reputation: t.int({
    nullable: true,
    description: 'How much others think of what the member wrote: the sum of what its entries keep.',
    authScopes: { reads: 'community:read' },
    select: { id: true },
    resolve: ({ id }, _args, context) => reputationNow(context, id),
  }),
  reputationEntries: t.relatedConnection(
    'reputationEntries',
    {
      type: ReputationEntry,
      nullable: true,
      description:
        'What the reputation of the member comes from, newest first, also what no longer counts: for the member itself, and staff.',
      authScopes: { reads: 'community:read' },
      cursor: 'tenantId_id',
      query: { orderBy: { id: 'desc' } },
    },
    ReputationEntryConnection,
  ),
}))

builder.objectFields(Author, (t) => ({
  reputation: t.int({
    nullable: true,
    description: 'How much others think of what the member wrote; null for staff and former members.',
    resolve: ({ author }, _args, context) => (author ? reputationNow(context, author.id) : null),
  }),
  helpedCount: t.int({
    nullable: true,
    description:
      'How many people the member has helped with answers: who asked, had the same trouble, or gave thanks; null likewise.',
    resolve: ({ author }, _args, context) => (author ? helpOf(context, author.id) : null),
  }),
}))
