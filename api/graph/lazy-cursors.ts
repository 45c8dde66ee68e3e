import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core'
import { formatPrismaCursor } from '@pothos/plugin-prisma'
import type { GraphQLFieldResolver } from 'graphql'
import { keyOf } from '../platform/read/index.ts'
import { PAGE, type PageArguments } from './pages.ts'

/**
 * Makes the pages of related rows as the Prisma plugin does, but a cursor only when it is asked for. The plugin writes
 * one for each entry of each page, which on a list of lists is a tenth of all the work. A cursor is the key that
 * the connection names.
 */
export class LazyCursorsPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(
    resolver: GraphQLFieldResolver<unknown, Types['Context'], object>,
    field: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    const relation = field.extensions?.pothosPrismaRelationField as { name: string; type: string } | undefined // the plugin's own
    if (!relation || !('first' in field.args)) return resolver
    // A connection whose cursor is another unique key names its columns.
    const named = field.extensions?.cursorColumns as readonly string[] | undefined
    const columns = named ?? keyOf(relation.type)
    return (parent, args) => {
      const rows = (parent as Record<string, object[] | undefined>)[relation.name] // read with the parent
      return pageOfRows(rows ?? [], args, columns)
    }
  }
}

/** A page of rows that were read with one more than the page holds. */
function pageOfRows(rows: readonly object[], args: PageArguments, columns: readonly string[]) {
  const { first, after, last, before } = args
  const isBackward = last != null || before != null
  const hasMore = rows.length > (first ?? last ?? PAGE.usual)
  const kept = hasMore ? rows.slice(isBackward ? 1 : 0, isBackward ? rows.length : -1) : rows
  const edges = kept.map((row) => new Edge(row, columns))
  return {
    edges,
    pageInfo: {
      get startCursor() {
        return edges[0]?.cursor ?? null
      },
      get endCursor() {
        return edges.at(-1)?.cursor ?? null
      },
      hasNextPage: isBackward ? before != null : hasMore,
      hasPreviousPage: isBackward ? hasMore : after != null,
    },
  }
}

class Edge {
  readonly node: object
  readonly #columns: readonly string[]

  constructor(node: object, columns: readonly string[]) {
    this.node = node
    this.#columns = columns
  }

  get cursor(): string {
    return formatPrismaCursor(this.node as Record<string, unknown>, [...this.#columns]) // a row has its key's columns
  }
}

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      lazyCursors: LazyCursorsPlugin<Types>
    }
  }
}

SchemaBuilder.registerPlugin('lazyCursors', LazyCursorsPlugin)
