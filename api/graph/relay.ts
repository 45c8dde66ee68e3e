import { resolveNodes } from '@pothos/plugin-relay'
import { type GraphQLSchema, isObjectType } from 'graphql'
import { BadInputError } from '../platform/errors/index.ts'
import { isId } from '../platform/ids.ts'
import { builder } from './builder.ts'
import type { FieldCost } from './cost.ts'
import { type DecodedId, decodeId } from './ids.ts'
import { PAGE, type PageArguments } from './pages.ts'

const Node = builder.nodeInterfaceRef()

builder.queryField('node', (t) =>
  t.field({
    type: Node,
    nullable: true,
    description: 'The thing with this id; null when it is nothing that the viewer may see.',
    args: { id: t.arg.id({ required: true, description: 'An id that this API gave.' }) },
    resolve: async (_root, { id }, context, info) =>
      (await resolveNodes(builder, context, info, [nodeId(id, 'id', info.schema)]))[0] as object | null,
  }),
)

builder.queryField('nodes', (t) =>
  t.field({
    type: [Node],
    nullable: { list: false, items: true },
    description:
      'The things with these ids, in their order; null for each that the viewer may not see. At most 100.',
    args: { ids: t.arg.idList({ required: true, description: 'Ids that this API gave. At most 100.' }) },
    extensions: { cost: { times: ({ ids }) => (Array.isArray(ids) ? ids.length : 1) } satisfies FieldCost },
    resolve: async (_root, { ids }, context, info) => {
      if (ids.length > PAGE.most) {
        throw new BadInputError('ids', `ids may hold at most ${PAGE.most} ids; there are ${ids.length}.`)
      }
      const decoded = ids.map((id, i) => nodeId(id, `ids.${i}`, info.schema))
      return (await resolveNodes(builder, context, info, decoded)) as (object | null)[]
    },
  }),
)

/** Decodes an id of any type that has a life of its own. */
function nodeId(globalId: string, field: string, schema: GraphQLSchema): DecodedId {
  const decoded = decodeId(globalId, field)
  const type = schema.getType(decoded.typename)
  if (isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Node')) return decoded
  throw new BadInputError(field, `${field} must be an id that this API gave.`)
}

/**
 * Makes `XConnection` and `XEdge` for entries of one type, once: every connection of that type shares them.
 * `ref` is the type of the entries.
 */
export function connectionOf<Ref extends Parameters<typeof builder.connectionObject>[0]['type']>(
  ref: Ref,
  name: string,
) {
  return builder.connectionObject(
    { type: ref, name: `${name}Connection`, description: `A page of entries of the type ${name}.` },
    { name: `${name}Edge`, description: `An entry of the type ${name} with its cursor.` },
  )
}

/** What a reader needs to know of a page: how many rows to fetch, from where, and in which direction. */
export interface Page<Key> {
  /** Rows to fetch: one more than the page holds, which tells whether there is more. */
  readonly limit: number
  /** True when the page is taken from the back: read in the opposite order. */
  readonly isBackward: boolean
  /** Only rows beyond this key, in reading order; null from the very end. */
  readonly from: Key | null
}

/** How a key stands in a cursor. `read` returns undefined for parts that are no key of this connection. */
export interface KeyFormat<Key> {
  write(key: Key): readonly (string | number)[]
  read(parts: readonly unknown[]): Key | undefined
}

/** Reads the page arguments of a connection that pages by key. Throws BadInputError for a foreign cursor. */
export function pageOf<Key>(args: PageArguments, format: KeyFormat<Key>): Page<Key> {
  const isBackward = args.last != null || args.before != null
  const field = args.before != null ? 'before' : 'after'
  const cursor = args[field]
  return {
    limit: (args.first ?? args.last ?? PAGE.usual) + 1,
    isBackward,
    from: cursor == null ? null : readCursor(cursor, format, field),
  }
}

/** Turns the rows that a reader fetched for `page`, in reading order, into the connection they make. */
export function connection<Row, Key>(
  rows: readonly Row[],
  page: Page<Key>,
  { format, keyOf }: { format: KeyFormat<Key>; keyOf(row: Row): Key },
) {
  const hasMore = rows.length >= page.limit
  const kept = hasMore ? rows.slice(0, page.limit - 1) : [...rows]
  if (page.isBackward) kept.reverse()
  const edges = kept.map((node) => ({ node, cursor: writeCursor(keyOf(node), format) }))
  return {
    edges,
    pageInfo: {
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
      hasNextPage: page.isBackward ? page.from !== null : hasMore,
      hasPreviousPage: page.isBackward ? hasMore : page.from !== null,
    },
  }
}

function writeCursor<Key>(key: Key, format: KeyFormat<Key>): string {
  return Buffer.from(JSON.stringify(format.write(key))).toString('base64url')
}

function readCursor<Key>(cursor: string, format: KeyFormat<Key>, field: string): Key {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor.slice(0, 500), 'base64url').toString())
    const key = Array.isArray(parts) ? format.read(parts) : undefined
    if (key !== undefined) return key
  } catch {
    // Not JSON: no cursor of ours.
  }
  throw new BadInputError(field, `${field} must be a cursor of this connection.`)
}

/** Keys of one list of one owner (uuids): a place in it is none in another's, nor in another list. */
export function ownedBy<Key>(
  format: KeyFormat<Key>,
  list: string,
  ...owner: readonly string[]
): KeyFormat<Key> {
  const name = [list, ...owner].join(' ')
  return {
    write: (key) => [name, ...format.write(key)],
    read: ([of, ...parts]) => (of === name ? format.read(parts) : undefined),
  }
}

/** Keys of lists sorted by an id alone, which for ids of version 7 is the order of their making. */
export const byId: KeyFormat<string> = {
  write: (id) => [id],
  read: ([id]) => (typeof id === 'string' && isId(id) ? id : undefined),
}

/**
 * Keys of lists sorted by an instant and then by id. The instant is text with all the microseconds that
 * PostgreSQL keeps, as its JSON writes it: a Date has lost three digits, and with them entries of the list.
 */
export const byTime: KeyFormat<{ readonly at: string; readonly id: string }> = {
  write: ({ at, id }) => [at, id],
  read([at, id]) {
    const isKey = typeof at === 'string' && INSTANT.test(at) && !Number.isNaN(Date.parse(at))
    return isKey && typeof id === 'string' && isId(id) ? { at, id } : undefined
  },
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/
