import { builder, type Types } from '../../graph/builder.ts'
import { type DecodedId, decodeId } from '../../graph/ids.ts'
import { loader } from '../../graph/load.ts'
import { NOBODY } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import { type Regard, regardsOf } from './store.ts'

const names = new Map<string, string>()

/** Says that a GraphQL type stands for one kind of contribution. */
export function contributionType(name: string, kind: string): void {
  names.set(kind, name)
}

/** The name of the GraphQL type of a kind. Throws for a kind that has none. */
export function typeOfKind(kind: string): string {
  const name = names.get(kind)
  if (name === undefined) throw new TypeError(`no type stands for ${kind}`)
  return name
}

/** The kinds that have a GraphQL type. */
export function contributionKinds(): string[] {
  return [...names.keys()]
}

/** The uuid inside the id of any kind of contribution. Throws BadInputError naming `field`. */
export function contributionRef(id: string, field: string): string {
  const decoded: DecodedId = decodeId(id, field)
  if ([...names.values()].includes(decoded.typename)) return decoded.id
  throw new BadInputError(
    field,
    `${field} must be the id of something written in a space; this is the id of a ${decoded.typename}.`,
  )
}

/** What kind of thing is written. */
export const ContributionKind = builder.enumType('ContributionKind', {
  description: 'What kind of thing is written in a space.',
  values: {
    POST: { description: 'A post.' },
    COMMENT: { description: 'A remark on something.' },
    QUESTION: { description: 'A question.' },
    ANSWER: { description: 'An answer to a question.' },
    CONTENT: { description: 'Content of the members’ site.' },
    FAQ: { description: 'A question with its answer that the shop keeps.' },
  },
})

interface AuthorFacts {
  /** Null: staff, or a former member. */
  readonly author: { readonly id: string; readonly displayName: string } | null
  readonly isByStaff: boolean
  /** How whoever wrote it is called elsewhere, when that is no member. */
  readonly outsideName?: string | null
}

/** Who wrote something, as everybody may know: never an address. */
export const Author = builder.objectRef<AuthorFacts>('Author').implement({
  description: 'Who wrote something, as everybody may know.',
  fields: (t) => ({
    displayName: t.string({
      nullable: true,
      description: 'How whoever wrote it is called; null for staff and for former members.',
      resolve: ({ author, outsideName }) => author?.displayName ?? outsideName ?? null,
    }),
    isStaff: t.boolean({ description: 'Whether staff wrote it.', resolve: ({ isByStaff }) => isByStaff }),
    isFormerMember: t.boolean({
      description: 'Whether a member wrote it whose data was erased since.',
      resolve: ({ author, isByStaff, outsideName }) => author === null && !isByStaff && outsideName == null,
    }),
    isOutside: t.boolean({
      description:
        'Whether it was written in a network elsewhere, by somebody of whom nothing but the name there is known.',
      resolve: ({ outsideName }) => outsideName != null,
    }),
  }),
})

/** How something written stands. */
export const ContributionState = builder.enumType('ContributionState', {
  description: 'How something that was written stands.',
  values: {
    DRAFT: { description: 'Only whoever writes it sees it.' },
    PENDING: { description: 'It waits for a moderator.' },
    PUBLISHED: { description: 'It is there for everybody who may see the place.' },
    SPAM: { description: 'It was taken for spam.' },
    REMOVED: { description: 'A moderator took it away.' },
    DELETED: { description: 'Whoever wrote it took it away.' },
  },
})

/** How a text is written. */
export const TextFormat = builder.enumType('TextFormat', {
  description: 'How a text is written.',
  values: {
    MARKDOWN: { description: 'Markdown (CommonMark with tables); HTML in it is text.' },
    HTML: { description: 'HTML, of which only harmless marks are kept.' },
  },
})

const ReactionCount = builder
  .objectRef<{ readonly kind: string; readonly count: number }>('ReactionCount')
  .implement({
    description: 'How many reacted in one way.',
    fields: (t) => ({
      kind: t.exposeString('kind', { description: 'The way, such as LIKE.' }),
      count: t.exposeInt('count', { description: 'How many.' }),
    }),
  })

/** How contributions stand to the member who looks: one statement for all on a page. */
const regardOf = loader<string, Regard>((ids, { db, viewer }) =>
  regardsOf(db, ids, viewer?.memberId ?? NOBODY),
)

/** Something written (a uuid) as the parent of its type: known by its key, the rest to be read. */
export const known = (kind: 'POST' | 'FAQ', id: string) => ({ id, kind }) as never // the reader adds the columns

/** What all that is written in spaces has in common. */
export const Contribution = builder.prismaInterface('Contribution', {
  description: 'Something written in a space.',
  select: { id: true, kind: true },
  resolveType: ({ kind }) => names.get(kind),
  fields: (t) => ({
    space: t.relation('space', { nullable: true, description: 'Where it stands.' }),
    author: t.field({
      type: Author,
      description: 'Who wrote it.',
      select: { isByStaff: true, outsideName: true, author: { select: { id: true, displayName: true } } },
      resolve: ({ author, isByStaff, outsideName }) => ({ author, isByStaff, outsideName }),
    }),
    state: t.field({
      type: ContributionState,
      description: 'How it stands.',
      select: { state: true },
      resolve: ({ state }) => state as typeof ContributionState.$inferType, // a check constraint holds it
    }),
    title: t.exposeString('title', { nullable: true, description: 'What it is headed with.' }),
    body: t.exposeString('body', {
      description: 'What was written, as it was written. Show `html` instead.',
    }),
    format: t.field({
      type: TextFormat,
      description: 'How the body is written.',
      select: { format: true },
      resolve: ({ format }) => format as typeof TextFormat.$inferType, // likewise
    }),
    html: t.exposeString('html', { description: 'The text as sanitised HTML, safe to show.' }),
    tags: t.exposeStringList('tags', { description: 'What it is about. At most 10.' }),
    sku: t.exposeString('sku', { nullable: true, description: 'The product that it is about.' }),
    isPrivate: t.exposeBoolean('isPrivate', {
      description: 'Whether only those who take part in the thread see it.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was written.' }),
    publishedAt: t.expose('publishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it became visible; null: not yet.',
    }),
    editedAt: t.expose('editedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last changed; null: never.',
    }),
    activityAt: t.expose('activityAt', {
      type: 'DateTime',
      description: 'When anything last happened in its thread.',
    }),
    revision: t.exposeInt('revision', { description: '1 as it was written; one more with each change.' }),
    score: t.exposeInt('score', { description: 'Votes for it less votes against it.' }),
    upVotes: t.exposeInt('upVotes', { description: 'Votes for it.' }),
    downVotes: t.exposeInt('downVotes', { description: 'Votes against it.' }),
    commentCount: t.exposeInt('commentCount', { description: 'How many comments on it are published.' }),
    viewCount: t.int({
      description: 'How often it was looked at.',
      select: { viewCount: true },
      resolve: ({ viewCount }) => Number(viewCount),
    }),
    reactions: t.field({
      type: [ReactionCount],
      description: 'How many reacted in which way, by their names. At most 30; votes are told by the score.',
      select: { reactions: true },
      resolve: ({ reactions }) =>
        Object.entries(reactions as Record<string, number>) // the trigger that counts writes it
          .map(([kind, count]) => ({ kind, count }))
          .sort((a, b) => (a.kind < b.kind ? -1 : 1))
          .slice(0, 30),
    }),
    viewerReactions: t.stringList({
      description: 'How the viewer reacted; empty for staff. At most 30.',
      select: { id: true },
      resolve: async ({ id }, _args, context) =>
        context.viewer?.memberId == null ? [] : [...(await regardOf(context, id)).reactions].slice(0, 30),
    }),
    isFollowed: t.boolean({
      description: 'Whether the viewer follows its thread.',
      select: { id: true },
      resolve: async ({ id }, _args, context) =>
        context.viewer?.memberId != null && (await regardOf(context, id)).isFollowed,
    }),
    isUnread: t.boolean({
      description: 'Whether anything happened in its thread since the viewer read it; false for staff.',
      select: { id: true },
      resolve: async ({ id }, _args, context) =>
        context.viewer?.memberId != null && (await regardOf(context, id)).isUnread,
    }),
    viewerCanEdit: t.boolean({
      description:
        'Whether the viewer may change it: whoever wrote it, moderators and staff may, unless it was taken away.',
      select: { id: true, authorId: true, kind: true, state: true },
      resolve: async ({ id, authorId, kind, state }, _args, context) => {
        const { viewer } = context
        if (['REMOVED', 'DELETED', 'SPAM'].includes(state)) return false
        if (viewer?.kind !== 'MEMBER') return viewer?.can('community:write') ?? false
        return (
          viewer.memberId !== null &&
          ((authorId === viewer.memberId && kind !== 'CONTENT') || (await regardOf(context, id)).moderates)
        )
      },
    }),
  }),
})

const ContributionRevision = builder.prismaObject('ContributionRevision', {
  fields: (t) => ({
    revision: t.exposeInt('revision'),
    title: t.exposeString('title', { nullable: true, description: 'What it was headed with.' }),
    body: t.exposeString('body', { description: 'What it said.' }),
    html: t.exposeString('html', { description: 'The same as sanitised HTML.' }),
    at: t.expose('at', { type: 'DateTime' }),
  }),
})

const ContributionRevisionConnection = connectionOf(ContributionRevision, 'ContributionRevision')

builder.prismaInterfaceField(Contribution, 'revisions', (t) =>
  t.relatedConnection(
    'revisions',
    {
      nullable: true,
      description: 'What it said before, newest first.',
      cursor: 'tenantId_contributionId_revision',
      query: { orderBy: { revision: 'desc' } },
    },
    ContributionRevisionConnection,
  ),
)

/** `contribution` of payloads. */
export const contributionOf = <Payload extends { readonly contribution: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.prismaField({
    type: Contribution,
    nullable: true,
    description: 'What was written, as it is now; null when the viewer may not see it any more.',
    resolve: (query, { contribution }, _args, { db }) =>
      read(db).contribution.findFirst({ ...query, where: { id: contribution } }),
  })
