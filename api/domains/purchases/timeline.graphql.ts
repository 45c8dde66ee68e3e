import { builder } from '../../graph/builder.ts'
import { loader } from '../../graph/load.ts'
import { byTime, connection, connectionOf, ownedBy, type Page, pageOf } from '../../graph/relay.ts'
import { StageChange } from '../lifecycle/index.ts'
import { Member, MemberNote } from '../members/index.ts'
import { PointsTransaction } from '../points/index.ts'
import { Touchpoint } from '../touchpoints/index.ts'
import { Purchase } from './graphql.ts'
import { readTimelines, type TimelineRow } from './timeline.store.ts'

const TimelineEntry = builder.unionType('TimelineEntry', {
  description: 'Something that happened with a member.',
  types: [Purchase, StageChange, PointsTransaction, Touchpoint, MemberNote],
  // What a row is stands in it; the fields of the type are read when they are asked for, all of a kind together.
  resolveType: (row) => (row as unknown as TimelineRow).kind,
})

const TimelineConnection = connectionOf(TimelineEntry, 'Timeline')

type Key = Pick<TimelineRow, 'at' | 'id'>

interface Asked {
  readonly member: string
  readonly page: Page<Key>
}

const timelineOf = loader<string, readonly TimelineRow[]>(async (keys, { db, viewer }) => {
  const withNotes = viewer?.can('notes:read') ?? false // and no member's, by the database
  const asked = keys.map((key) => JSON.parse(key) as Asked) // as `timeline` writes them
  const byPage = Map.groupBy(asked, ({ page }) => JSON.stringify(page))
  const parts = new Map(
    await Promise.all(
      [...byPage].map(async ([part, group]) => {
        const { page } = group[0] as Asked // a group has at least one
        return [
          part,
          await readTimelines(
            db,
            group.map(({ member }) => member),
            page,
            withNotes,
          ),
        ] as const
      }),
    ),
  )
  return asked.map(({ member, page }) => parts.get(JSON.stringify(page))?.get(member) ?? [])
})

builder.prismaObjectField(Member, 'timeline', (t) =>
  t.connection(
    {
      type: TimelineEntry,
      nullable: true,
      description:
        'What happened with the member: purchases, moves, points and touches, newest first; and what staff noted, for those with `notes:read`.',
      select: { id: true },
      resolve: async ({ id }, args, context) => {
        const format = ownedBy(byTime, 'timeline', id)
        const page = pageOf(args, format)
        const rows = await timelineOf(context, JSON.stringify({ member: id, page } satisfies Asked))
        const { edges, pageInfo } = connection(rows, page, {
          format,
          keyOf: ({ at, id }) => ({ at, id }),
        })
        return { pageInfo, edges: edges.map(({ cursor, node }) => ({ cursor, node: asEntry(node) })) }
      },
    },
    TimelineConnection,
  ),
)

/** A row as the parent of its type: known by its key, the rest to be read. */
function asEntry(row: TimelineRow): never {
  return { ...row, transactionId: row.id } as never // the union's shape is that of five full rows
}
