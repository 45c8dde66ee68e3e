import { builder } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { NOBODY } from '../../graph/own.ts'
import { PAGE, type PageArguments } from '../../graph/pages.ts'
import { connection, type KeyFormat, pageOf } from '../../graph/relay.ts'
import { ViewerType } from '../../graph/viewer.ts'
import { isId } from '../../platform/ids.ts'
import { known } from '../contributions/index.ts'
import { feedByTime, feedRanked } from './feed.store.ts'
import { arranged } from './feed.ts'
import { Post, PostConnection } from './graphql.ts'

/** In which order a feed is told. */
const FeedOrder = builder.enumType('FeedOrder', {
  description: 'In which order a feed is told.',
  values: {
    NEW: { description: 'The newest posts first.' },
    ACTIVE: { description: 'First where something happened last.' },
    TOP: { description: 'The best within the window first: reactions, less those DOWN.' },
    FOR_YOU: {
      description:
        'By interest × ln(2 + reactions + 2 × comments) ÷ (hours + 2)^1.5, of the last 30 days. Interest is 1, 2 for an author whom one follows, and a half more each for a followed tag and thread. A page holds at most 3 of one author and 10 of one space while there is anything else.',
    },
  },
})

/** How far back TOP looks. */
const FeedWindow = builder.enumType('FeedWindow', {
  description: 'How far back the best posts are looked for.',
  values: {
    DAY: { description: 'A day.' },
    WEEK: { description: 'Seven days.' },
    MONTH: { description: 'Thirty days.' },
    YEAR: { description: 'A year.' },
  },
})
const WINDOWS = { DAY: 'P1D', WEEK: 'P7D', MONTH: 'P30D', YEAR: 'P1Y' } as const

builder.objectField(ViewerType, 'feed', (t) =>
  t.connection(
    {
      type: Post,
      nullable: true,
      description:
        'What the viewer is for: posts in spaces that it joined or follows, by members, under tags and in threads that it follows; everything that it may see while it joined and follows nothing, and for staff. A cursor keeps the instant at which the feed was first told: what happens meanwhile moves nothing.',
      authScopes: { reads: 'community:read' },
      args: {
        orderBy: t.arg({ type: FeedOrder, defaultValue: 'FOR_YOU', description: 'In which order.' }),
        window: t.arg({ type: FeedWindow, defaultValue: 'WEEK', description: 'With TOP: how far back.' }),
      },
      resolve: async (_viewer, { orderBy, window, ...args }, context) => {
        const order = orderBy ?? 'FOR_YOU'
        const page =
          order === 'NEW' || order === 'ACTIVE'
            ? await timed(order, args, context)
            : await best(order, WINDOWS[window ?? 'WEEK'], args, context)
        const { edges, pageInfo } = page
        return {
          pageInfo,
          edges: edges.map(({ cursor, node }) => ({ cursor, node: known('POST', node.id) })),
        }
      },
    },
    PostConnection,
  ),
)

/** Whose feed: a place in one is none in another. */
const ownerOf = ({ viewer, db }: Context) =>
  viewer?.kind === 'MEMBER' ? (viewer.memberId ?? NOBODY) : db.tenantId
const memberOf = ({ viewer }: Context) => (viewer?.kind === 'MEMBER' ? (viewer.memberId ?? NOBODY) : null)

interface TimeKey {
  readonly asOf: string
  readonly at: string
  readonly id: string
}

async function timed(order: 'NEW' | 'ACTIVE', args: PageArguments, context: Context) {
  const format: KeyFormat<TimeKey> = {
    write: ({ asOf, at, id }) => [order, ownerOf(context), asOf, at, id],
    read([of, owner, asOf, at, id]) {
      const isKey = of === order && owner === ownerOf(context) && isInstant(asOf) && isInstant(at)
      return isKey && typeof id === 'string' && isId(id) ? { asOf, at, id } : undefined
    },
  }
  const page = pageOf(args, format)
  const by = { member: memberOf(context), asOf: page.from?.asOf ?? null }
  const rows = await feedByTime(context.db, order, by, page)
  return connection(rows, page, { format, keyOf: ({ asOf, at, id }) => ({ asOf, at, id }) })
}

interface BestKey {
  readonly asOf: string
  /** How many a page held when the feed was first told: it is arranged by that. */
  readonly size: number
  readonly index: number
}

async function best(order: 'TOP' | 'FOR_YOU', window: string, args: PageArguments, context: Context) {
  const kind = order === 'TOP' ? `TOP ${window}` : order
  const format: KeyFormat<BestKey> = {
    write: ({ asOf, size, index }) => [kind, ownerOf(context), asOf, size, index],
    read([of, owner, asOf, size, index]) {
      const isKey = of === kind && owner === ownerOf(context) && isInstant(asOf)
      return isKey && isCount(size, PAGE.most) && size > 0 && isCount(index, 1000)
        ? { asOf, size, index }
        : undefined
    },
  }
  const page = pageOf(args, format)
  const size = page.from?.size ?? page.limit - 1
  const by = { member: memberOf(context), asOf: page.from?.asOf ?? null }
  const found = await feedRanked(context.db, order, by, order === 'TOP' ? window : WINDOWS.MONTH)
  const asOf = found[0]?.asOf ?? ''
  const all = (order === 'TOP' ? found : arranged(found, size)).map(({ id }, index) => ({ id, index }))
  const at = page.from?.index
  const rows = page.isBackward
    ? all.slice(0, at ?? all.length).reverse()
    : all.slice(at === undefined ? 0 : at + 1)
  return connection(rows.slice(0, page.limit), page, {
    format,
    keyOf: ({ index }) => ({ asOf, size, index }),
  })
}

function isInstant(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/.test(value) &&
    !Number.isNaN(Date.parse(value))
  )
}

function isCount(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most
}
