import { queryFromInfo } from '@pothos/plugin-prisma'
import type { GraphQLResolveInfo } from 'graphql'
import { builder } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { read } from '../../graph/read.ts'
import { connection, type KeyFormat, pageOf } from '../../graph/relay.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import { isId } from '../../platform/ids.ts'
import {
  Contribution,
  ContributionConnection,
  ContributionKind,
  contributionKinds,
  tagOf,
} from '../contributions/index.ts'
import { findContributions, findSimilar } from './service.ts'
import type { Found } from './store.ts'

/** What is found is sorted by its score; of equal ones the newest comes first. */
const byScore: KeyFormat<Found> = {
  write: ({ score, id }) => [score, id],
  read: ([score, id]) =>
    typeof score === 'number' && typeof id === 'string' && isId(id) ? { score, id } : undefined,
}

const isAfter = (one: Found, other: Found) =>
  one.score < other.score || (one.score === other.score && one.id < other.id)

const LONGEST = { query: 200, title: 300, body: 5000 }

builder.queryField('search', (t) =>
  t.connection(
    {
      type: Contribution,
      nullable: true,
      description:
        'What is published, in sight of the viewer and has all words of a query, the best first; of more than 500, the 500 that were written last. Japanese is found by any part of it, in kana of either kind and width; words of other scripts by their beginnings.',
      authScopes: { reads: 'community:read' },
      args: {
        query: t.arg.string({
          required: true,
          description: 'Words, with blanks between them; 1 to 200 characters.',
        }),
        kinds: t.arg({
          type: [ContributionKind],
          description: 'Only these kinds; every kind when left out.',
        }),
        space: t.arg.id({ description: 'Only what stands in this space.' }),
        sku: t.arg.string({ description: 'Only what is about this product.' }),
        tag: t.arg.string({ description: 'Only what bears this tag.' }),
      },
      resolve: async (_root, { query, kinds, space, sku, tag, ...args }, context, info) => {
        const page = pageOf(args, byScore)
        const found = await findContributions(context.db, {
          text: text(query, 'query', LONGEST.query),
          kinds: among(kinds),
          space: space == null ? null : idOf('Space', space, 'space'),
          sku: sku ?? null,
          tag: tag == null ? null : tagOf(tag),
        })
        if (page.isBackward) found.reverse()
        const { from } = page
        const beyond = found.filter(
          (each) => from === null || (page.isBackward ? isAfter(from, each) : isAfter(each, from)),
        )
        const { edges, pageInfo } = connection(beyond.slice(0, page.limit), page, {
          format: byScore,
          keyOf: (each) => each,
        })
        const nodes = await nodesOf(context, info, {
          ids: edges.map(({ node }) => node.id),
          paths: [['nodes'], ['edges', 'node']],
        })
        return {
          pageInfo,
          // What went out of sight since is left out.
          edges: edges.flatMap(({ cursor, node }) => {
            const row = nodes.get(node.id)
            return row ? [{ cursor, node: row }] : []
          }),
        }
      },
    },
    ContributionConnection,
  ),
)

builder.queryField('similarQuestions', (t) =>
  t.field({
    type: [Contribution],
    nullable: true,
    description:
      'Questions and answers of the shop that are like one which is about to be asked, the likest first, in sight of the viewer. At most 10.',
    authScopes: { reads: 'community:read' },
    args: {
      title: t.arg.string({ required: true, description: 'Its title; 1 to 300 characters.' }),
      body: t.arg.string({
        description: 'What else it says, as far as it is written; at most 5,000 characters.',
      }),
      space: t.arg.id({ description: 'Only those of this space.' }),
      most: t.arg.int({ defaultValue: 5, description: 'How many; 1 to 10.' }),
    },
    resolve: async (_root, { title, body, space, most: asked }, context, info) => {
      const most = asked ?? 5
      if (most < 1 || most > 10) throw new BadInputError('most', `most must be from 1 to 10; it is ${most}.`)
      const found = await findSimilar(
        context.db,
        {
          title: text(title, 'title', LONGEST.title),
          body: body == null || body.trim() === '' ? null : text(body, 'body', LONGEST.body),
        },
        {
          kinds: among(['QUESTION', 'FAQ']),
          space: space == null ? null : idOf('Space', space, 'space'),
          most,
        },
      )
      const nodes = await nodesOf(context, info, { ids: found.map(({ id }) => id), paths: [[]] })
      return found.flatMap(({ id }) => nodes.get(id) ?? [])
    },
  }),
)

/** Those of these kinds that the API knows. */
function among(kinds: readonly string[] | null | undefined): string[] {
  return contributionKinds().filter((kind) => kinds == null || kinds.includes(kind))
}

/** The rows with these ids, with all that is asked of them: one statement. */
async function nodesOf(
  context: Context,
  info: GraphQLResolveInfo,
  { ids, paths }: { readonly ids: readonly string[]; readonly paths: string[][] },
) {
  if (ids.length === 0) return new Map<string, never>()
  const { select } = queryFromInfo({ context, info, select: { id: true, kind: true }, paths })
  const rows = await read(context.db).contribution.findMany({ select, where: { id: { in: [...ids] } } })
  return new Map(rows.map((row) => [row.id, row]))
}
