import { builder, type Types } from '../../graph/builder.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { BadInputError, type Outcome, raise } from '../../platform/errors/index.ts'
import { call } from '../../platform/operation.ts'
import { Contribution, contributionRef } from '../contributions/index.ts'
import { ContentCard } from './content.graphql.ts'
import { words } from './input.graphql.ts'

const ContentIdeaState = builder.enumType('ContentIdeaState', {
  description: 'How an idea for content stands.',
  values: {
    OPEN: { description: 'Nobody has answered it yet.' },
    PUBLISHED: { description: 'Content answers it.' },
    DISMISSED: { description: 'It will not be answered.' },
  },
})

const EvidenceKind = builder.enumType('ContentEvidenceKind', {
  description: 'What speaks for an idea.',
  values: {
    CONTRIBUTION: { description: 'A complaint, a question or anything else that was written in a space.' },
    SEGMENT: { description: 'A segment of members who would need it.' },
    FEEDBACK: { description: 'Something that was said elsewhere, such as on the telephone.' },
  },
})

const ContentEvidence = builder.prismaObject('ContentEvidence', {
  fields: (t) => ({
    kind: t.field({
      type: EvidenceKind,
      description: 'What it is.',
      select: { kind: true },
      resolve: ({ kind }) => kind as typeof EvidenceKind.$inferType, // a check constraint holds it
    }),
    contribution: t.relation('contribution', {
      type: Contribution,
      nullable: true,
      description: 'What was written; null for the other kinds.',
    }),
    target: t.string({
      nullable: true,
      description: 'The key of the segment, or the name of what was said; null for what was written.',
      select: { kind: true, target: true },
      resolve: ({ kind, target }) => (kind === 'CONTRIBUTION' ? null : target),
    }),
    note: t.exposeString('note', { nullable: true }),
    at: t.expose('at', { type: 'DateTime' }),
  }),
})

/** Something that members would need content about. */
export const ContentIdea = builder.prismaNode('ContentIdea', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({ tenantId_id: { tenantId: context.db.tenantId, id } }),
  authScopes: { lists: 'community:read' },
  select: { id: true },
  fields: (t) => ({
    title: t.exposeString('title'),
    need: t.exposeString('need'),
    state: t.field({
      type: ContentIdeaState,
      description: 'How it stands.',
      select: { state: true },
      resolve: ({ state }) => state as typeof ContentIdeaState.$inferType, // likewise
    }),
    skus: t.exposeStringList('skus', { description: 'The products that it is about. At most 50.' }),
    features: t.exposeStringList('features', {
      description: 'The features over which members stumble that it is about. At most 50.',
    }),
    demand: t.exposeInt('demand'),
    demandSince: t.exposeInt('demandSince'),
    card: t.relation('content', {
      type: ContentCard,
      nullable: true,
      description: 'The content that answers it.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    closedAt: t.expose('closedAt', { type: 'DateTime', nullable: true }),
    evidence: t.relation('evidence', {
      type: ContentEvidence,
      description: 'What speaks for it, the newest first. At most 100.',
      query: { orderBy: [{ at: 'desc' }], take: 100 },
    }),
  }),
})

const ContentIdeaConnection = connectionOf(ContentIdea, 'ContentIdea')

builder.queryField('contentIdeas', (t) =>
  t.prismaConnection(
    {
      type: ContentIdea,
      nullable: true,
      description: 'Ideas for content, those that most speaks for first.',
      authScopes: { lists: 'community:read' },
      cursor: 'tenantId_id',
      args: { state: t.arg({ type: ContentIdeaState, description: 'Only those that stand so.' }) },
      resolve: (query, _root, { state }, { db }) =>
        read(db).contentIdea.findMany({
          ...query,
          where: { ...(state && { state }) },
          orderBy: { demand: 'desc' },
        }),
    },
    ContentIdeaConnection,
  ),
)

/** `idea` of payloads. */
const ideaOf = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, { readonly idea: string }>) =>
  t.prismaField({
    type: ContentIdea,
    nullable: true,
    description: 'The idea, as it is now.',
    resolve: (query, { idea }, _args, { db }) =>
      read(db).contentIdea.findFirst({ ...query, where: { id: idea } }),
  })

mutation('saveContentIdea', {
  description:
    'Keeps an idea for content. It is closed by the content that answers it, or dismissed. Needs: `content:write`. Emits: nothing.',
  scopes: { writes: 'content:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    idea: t.id({ description: 'Which idea; a new one when left out.' }),
    title: t.string({ required: true, description: 'What it would be about; 1 to 300 characters.' }),
    need: t.string({ required: true, description: 'What members need it for; 1 to 500 characters.' }),
    isDismissed: t.boolean({ description: 'True when it will not be answered.' }),
    content: t.id({ description: 'The content that answers it.' }),
    skus: t.stringList({
      description:
        'The products that it is about: complaints of them count in `effect`; as before when left out. At most 50.',
    }),
    features: t.stringList({
      description: 'The features that it is about, as in `stumbles`, likewise. At most 50.',
    }),
  }),
  resolve: async ({ idea, title, need, isDismissed, content, skus, features }, { db }, { actor }) => {
    const what = {
      title: text(title, 'input.title', 300),
      need: text(need, 'input.need', 500),
      state: isDismissed ? 'DISMISSED' : 'OPEN',
      content: content == null ? null : idOf('Content', content, 'input.content'),
      skus: skus && words(skus, 'input.skus', 50),
      features: features && words(features, 'input.features', 50),
    }
    const id = idea == null ? null : idOf('ContentIdea', idea, 'input.idea')
    return raise(
      await call<Outcome<{ idea: string }>>(db, 'select idea_save($1, $2, $3) as outcome', [
        id,
        actor,
        JSON.stringify(what),
      ]),
    )
  },
  payload: (t) => ({ idea: ideaOf(t) }),
})

mutation('supportContentIdea', {
  description:
    'Adds what speaks for an idea: a complaint or a question, a segment, or something that was said elsewhere. Each counts once; what comes after the idea was closed is counted apart. Needs: `content:write`. Emits: nothing.',
  scopes: { writes: 'content:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    idea: t.id({ required: true, description: 'For which idea.' }),
    contribution: t.id({
      description: 'Something that was written in a space. This, a segment or feedback.',
    }),
    segment: t.string({ description: 'The key of a segment.' }),
    feedback: t.string({
      description: 'The name of something said where it came from; 1 to 200 characters.',
    }),
    note: t.string({ description: 'More of it, in words; 1 to 1,000 characters.' }),
  }),
  resolve: async ({ idea, contribution, segment, feedback, note }, { db }, { actor }) => {
    const given = [
      contribution == null ? [] : [['CONTRIBUTION', contributionRef(contribution, 'input.contribution')]],
      segment == null ? [] : [['SEGMENT', text(segment, 'input.segment', 100)]],
      feedback == null ? [] : [['FEEDBACK', text(feedback, 'input.feedback', 200)]],
    ].flat()
    const [evidence, ...more] = given
    if (!evidence || more.length > 0) {
      throw new BadInputError('input', 'input must name one of contribution, segment and feedback.')
    }
    const values = [
      idOf('ContentIdea', idea, 'input.idea'),
      actor,
      ...evidence,
      note == null ? null : text(note, 'input.note', 1000),
    ]
    return raise(
      await call<Outcome<{ idea: string; is_new: boolean }>>(
        db,
        'select idea_support($1, $2, $3, $4, $5) as outcome',
        values,
      ),
    )
  },
  payload: (t) => ({
    idea: ideaOf(t),
    isNew: t.exposeBoolean('is_new', { description: 'Whether it was not counted before.' }),
  }),
})
