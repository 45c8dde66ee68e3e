import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core'
import { type GraphQLFieldResolver, type GraphQLNamedType, getNamedType, isObjectType } from 'graphql'
import { isRow } from '../platform/read/index.ts'

/** Columns that a field wants of its row, and of the rows that belong to it one to one. */
type Wants = ReadonlyArray<readonly [name: string, of: Wants | null]>

/**
 * Answers a field at once when the row that was read holds the columns that it wants. The Prisma plugin finds that out
 * for each field of each row by its path in the answer, which is a third of the work of a long page. A field whose
 * wishes depend on its arguments still goes its way, and so does every row that the reader did not make.
 */
export class LoadedRowsPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(resolver: Resolver<Types>, field: PothosOutputFieldConfig<Types>): Resolver<Types> {
    if (field.kind !== 'PrismaObject' || !field.resolve) return resolver
    const own = field.resolve as Resolver<Types> // the same function, before anything was wrapped around it
    const { pothosPrismaSelect, pothosPrismaRelationField } = field.extensions ?? {}
    const wants = wantsOf(pothosPrismaSelect)
    if (wants) {
      return (row, args, context, info) =>
        isRow(row) && holds(row, wants) ? own(row, args, context, info) : resolver(row, args, context, info)
    }
    const relation = pothosPrismaRelationField as { name: string; isList: boolean } | undefined // the plugin's own
    if (!relation || relation.isList) return resolver
    let isPlain: boolean | undefined
    return (row, args, context, info) => {
      isPlain ??= hasColumnsAlone(getNamedType(info.returnType))
      return isPlain && isRow(row) && isRow(row[relation.name])
        ? own(row, args, context, info)
        : resolver(row, args, context, info)
    }
  }
}

type Resolver<Types extends SchemaTypes> = GraphQLFieldResolver<unknown, Types['Context'], object>

/** Whether no field of a type depends on where in the answer it stands: none has lists or arguments of its own. */
function hasColumnsAlone(type: GraphQLNamedType): boolean {
  return (
    isObjectType(type) &&
    Object.values(type.getFields()).every(
      ({ extensions }) => typeof extensions.pothosPrismaSelect !== 'function',
    )
  )
}

/** Undefined for a selection that is not columns alone: lists have conditions and pages. */
function wantsOf(select: unknown): Wants | undefined {
  if (typeof select !== 'object' || select === null) return undefined
  const wants: [string, Wants | null][] = []
  for (const [name, ask] of Object.entries(select)) {
    if (ask === true) wants.push([name, null])
    else {
      const { select: inner, ...rest } = Object(ask) as { select?: unknown }
      const of = Object.keys(rest).length === 0 ? wantsOf(inner) : undefined
      if (!of) return undefined
      wants.push([name, of])
    }
  }
  return wants
}

function holds(row: Readonly<Record<string, unknown>>, wants: Wants): boolean {
  for (const [name, of] of wants) {
    const value = row[name]
    if (value === undefined) return false
    if (of !== null && value !== null && !(isRow(value) && holds(value, of))) return false
  }
  return true
}

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      loadedRows: LoadedRowsPlugin<Types>
    }
  }
}

SchemaBuilder.registerPlugin('loadedRows', LoadedRowsPlugin)
