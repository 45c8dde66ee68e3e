import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core'
import type { GraphQLFieldResolver } from 'graphql'
import { BadInputError } from '../platform/errors.ts'

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
 * Refuses page arguments that contradict each other or the limits. Throws BadInputError naming the argument.
 * Every connection of the schema is guarded with it, whatever its resolver does.
 */
export function checkPage({ first, after, last, before }: PageArguments): void {
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
}

/** Guards every field that takes `first` and `last`, so that no resolver can forget to. */
export class PagesPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(
    resolver: GraphQLFieldResolver<unknown, Types['Context'], object>,
    field: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    if (!('first' in field.args && 'last' in field.args)) return resolver
    return (source, args, context, info) => {
      checkPage(args)
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
