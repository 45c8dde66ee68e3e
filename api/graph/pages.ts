import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core'
import { parsePrismaCursor } from '@pothos/plugin-prisma'
import type { GraphQLFieldResolver } from 'graphql'
import { BadInputError } from '../platform/errors/index.ts'
import type { Context } from './context.ts'

/** How many entries a page holds when nobody says, and the most it may hold. */
export const PAGE = { usual: 20, most: 100 } as const

/** The arguments of every connection. */
export interface PageArguments {
  readonly first?: number | null | undefined
  readonly after?: string | null | undefined
  readonly last?: number | null | undefined
  readonly before?: string | null | undefined
}

/**
 * Refuses page arguments that contradict each other or the limits, and cursors that no list of the tenant (a uuid)
 * can have given. Throws BadInputError naming the argument. Every connection of the schema is guarded with it,
 * whatever its resolver does.
 */
export function checkPage({ first, after, last, before }: PageArguments, tenantId: string | undefined): void {
  for (const [name, size] of [
    ['first', first],
    ['last', last],
  ] as const) {
    if (size != null && (size < 1 || size > PAGE.most)) {
      throw new BadInputError(name, `${name} must be from 1 to ${PAGE.most}; it is ${size}.`)
    }
  }
  if (first != null && last != null) throw new BadInputError('last', 'Give first or last, not both.')
  if (first != null && before != null)
    throw new BadInputError('before', 'before goes with last, not with first.')
  if (last != null && after != null) throw new BadInputError('after', 'after goes with first, not with last.')
  if (after != null && before != null) throw new BadInputError('before', 'Give after or before, not both.')
  for (const [name, cursor] of [
    ['after', after],
    ['before', before],
  ] as const) {
    if (cursor != null && !isCursor(cursor, tenantId)) {
      throw new BadInputError(name, `${name} must be a cursor of this connection.`)
    }
  }
}

/** Whether it can be a cursor of one of the tenant's lists, in one of the two ways that they are written. */
function isCursor(text: string, tenantId: string | undefined): boolean {
  try {
    if (text.startsWith(PRISMA)) {
      const key = parsePrismaCursor(text)
      return Array.isArray(key) && key[0] === tenantId
    }
    return Array.isArray(JSON.parse(Buffer.from(text.slice(0, 500), 'base64url').toString()))
  } catch {
    return false
  }
}

/** How the Prisma plugin's cursors begin: `GPC:`, as far as whole characters of base64 tell it. */
const PRISMA = Buffer.from('GPC:').toString('base64').slice(0, 5)

/** Guards every field that takes `first` and `last`, so that no resolver can forget to. */
export class PagesPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(
    resolver: GraphQLFieldResolver<unknown, Types['Context'], object>,
    field: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    if (!('first' in field.args && 'last' in field.args)) return resolver
    return (source, args, context, info) => {
      const { viewer } = context as Context // the builder's own
      checkPage(args, viewer?.tenant.id)
      return resolver(source, args, context, info)
    }
  }
}

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      pages: PagesPlugin<Types>
    }
  }
}

SchemaBuilder.registerPlugin('pages', PagesPlugin)
