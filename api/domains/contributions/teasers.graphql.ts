import { builder } from '../../graph/builder.ts'
import { encodeId, idOf } from '../../graph/ids.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { positive, text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import {
  AccessDeniedError,
  BadInputError,
  IdempotencyKeyReusedError,
  type Outcome,
  raise,
  SpaceNotEnabledError,
} from '../../platform/errors/index.ts'
import { call } from '../../platform/operation.ts'
import { ownOrWrites } from '../members/index.ts'
import { contributionOf, contributionRef, typeOfKind } from './graphql.ts'
import { writerOf } from './writer.graphql.ts'

/** Counts as they are told outside: up to ten to the unit, above in tens. */
export const roughly = (count: number): number => (count <= 10 ? count : Math.floor(count / 10) * 10)

const MOST_VIEWS = 1_000_000

const PublicTeaser = builder.prismaObject('PublicTeaser', {
  description:
    'What people who are no members may know of a thread: what it is headed with and a few words, and neither its text nor who wrote it.',
  select: { contributionId: true },
  fields: (t) => ({
    thread: t.id({
      description: 'The id of the post, question, entry or content.',
      select: { contribution: { select: { id: true, kind: true } } },
      resolve: ({ contribution: { id, kind } }) => encodeId(typeOfKind(kind), id),
    }),
    title: t.string({
      nullable: true,
      description: 'What it is headed with.',
      select: { contribution: { select: { title: true } } },
      resolve: ({ contribution }) => contribution.title,
    }),
    teaser: t.string({
      description: 'The words that are shown of it.',
      select: { teaser: true },
      resolve: ({ teaser }) => teaser ?? '',
    }),
    since: t.expose('since', { type: 'DateTime' }),
    spaceName: t.string({
      description: 'What its space is called.',
      select: { contribution: { select: { space: { select: { name: true, key: true } } } } },
      resolve: ({ contribution: { space } }, _args, context) => inLanguage(space.name, context) ?? space.key,
    }),
    isWelcome: t.boolean({
      description: 'Whether beginners are welcome in its space before anywhere else.',
      select: { contribution: { select: { space: { select: { isWelcome: true } } } } },
      resolve: ({ contribution }) => contribution.space.isWelcome,
    }),
    tags: t.stringList({
      description: 'What it is about. At most 10.',
      select: { contribution: { select: { tags: true } } },
      resolve: ({ contribution }) => contribution.tags,
    }),
    comments: t.int({
      description: 'How many comments on it are published; above ten, in tens, rounded down.',
      select: { contribution: { select: { commentCount: true } } },
      resolve: ({ contribution }) => roughly(contribution.commentCount),
    }),
    answers: t.int({
      description: 'The same of answers.',
      select: { contribution: { select: { answerCount: true } } },
      resolve: ({ contribution }) => roughly(contribution.answerCount),
    }),
  }),
})

const PublicTeaserConnection = connectionOf(PublicTeaser, 'PublicTeaser')

builder.queryField('publicTeasers', (t) =>
  t.prismaConnection(
    {
      type: PublicTeaser,
      nullable: true,
      description:
        'What may be shown to people who are no members, the newest first: for whoever serves public pages. It is asked as it stands: what is taken away, or stands in a space that is switched off or not listed, is gone at once. Members get what they see themselves.',
      authScopes: { reads: 'community:read' },
      cursor: 'tenantId_contributionId',
      args: {
        space: t.arg.id({ description: 'Only of this space.' }),
        isWelcome: t.arg.boolean({
          description: 'True: only of spaces where beginners are welcome; false: of the others.',
        }),
      },
      resolve: (query, _root, { space, isWelcome }, { db }) =>
        read(db).publicTeaser.findMany({
          ...query,
          where: {
            teaser: { not: null },
            contribution: {
              ...{ state: 'PUBLISHED', isPrivate: false },
              ...(space != null && { spaceId: idOf('Space', String(space), 'space') }),
              space: {
                ...{ isEnabled: true, isRetired: false, isListed: true },
                ...(isWelcome != null && { isWelcome }),
              },
            },
          },
          orderBy: { since: 'desc' },
        }),
    },
    PublicTeaserConnection,
  ),
)

mutation('teaseThread', {
  description:
    'Shows a published thread to people who are no members, by its title and a few words, or no longer. Needs: a moderator of the space, or `community:moderate`. Emits: nothing.',
  scopes: ownOrWrites('community:moderate'),
  errors: [SpaceNotEnabledError, AccessDeniedError],
  key: 'none',
  input: (t) => ({
    contribution: t.id({ required: true, description: 'The post, question, entry or content.' }),
    teaser: t.string({
      description: 'The words to show; 1 to 1,000 characters. Null: it is shown no longer.',
    }),
  }),
  resolve: async ({ contribution, teaser }, context) => {
    const id = contributionRef(contribution, 'input.contribution')
    const { member, actor } = writerOf(context)
    const words = teaser == null ? null : text(teaser, 'input.teaser', 1000)
    return raise(
      await call<Outcome<{ readonly contribution: string }>>(
        context.db,
        'select teaser_set($1, $2, $3, $4) as outcome',
        [id, member, actor, words],
      ),
    )
  },
  payload: (t) => ({ contribution: contributionOf(t) }),
})

mutation('recordTeaserViews', {
  description:
    'Counts how often a teaser was looked at on a day, beside what was counted of that day already. Needs: `community:write`. Emits: nothing.',
  scopes: { writes: 'community:write' },
  errors: [IdempotencyKeyReusedError],
  input: (t) => ({
    contribution: t.id({ required: true, description: 'Whose teaser; also one that is shown no longer.' }),
    day: t.field({ type: 'LocalDate', required: true, description: "The day, in the tenant's zone." }),
    views: t.int({ required: true, description: 'How many more looks; 1 to 1,000,000.' }),
  }),
  resolve: async ({ contribution, day, views }, { db }, { key, hash, actor }) => {
    const id = contributionRef(contribution, 'input.contribution')
    if (positive(views, 'input.views') > MOST_VIEWS)
      throw new BadInputError('input.views', 'input.views must be at most 1,000,000.')
    return raise(
      await call<Outcome<{ readonly contribution: string; readonly views: number }>>(
        db,
        'select teaser_viewed($1, $2, $3, $4, $5, $6) as outcome',
        [key, hash, actor, id, day, views],
      ),
    )
  },
  payload: (t) => ({
    contribution: contributionOf(t),
    views: t.exposeFloat('views', { description: 'How many looks are counted of that day now.' }),
  }),
})

mutation('recordMention', {
  description:
    'Keeps that a page elsewhere speaks of the tenant, once for each page. Needs: `community:write`. Emits: nothing.',
  scopes: { writes: 'community:write' },
  errors: [IdempotencyKeyReusedError],
  input: (t) => ({
    source: t.string({
      required: true,
      description: 'Where it was found, such as news; 1 to 100 characters.',
    }),
    url: t.string({
      required: true,
      description: 'The page: an address of http or https; at most 1,000 characters.',
    }),
    at: t.field({ type: 'DateTime', required: true, description: 'When it was said.' }),
  }),
  resolve: async ({ source, url, at }, { db }, { key, hash, actor }) => {
    const values = [text(source, 'input.source', 100), pageOf(url), at]
    return raise(
      await call<Outcome<{ readonly is_new: boolean }>>(
        db,
        'select mention_record($1, $2, $3, $4, $5, $6) as outcome',
        [key, hash, actor, ...values],
      ),
    )
  },
  payload: (t) => ({
    isNew: t.exposeBoolean('is_new', { description: 'Whether the page was not known yet.' }),
  }),
})

/** The address of a page as it is compared: without its fragment. */
function pageOf(url: string): string {
  const page = URL.parse(text(url, 'input.url', 1000))
  if (page?.protocol !== 'https:' && page?.protocol !== 'http:')
    throw new BadInputError('input.url', 'input.url must be an address of http or https.')
  page.hash = ''
  return text(page.href, 'input.url', 1000)
}
