import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  getNamedType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  parse,
  visit,
} from 'graphql'
import { encodeId } from '../../api/graph/ids.ts'
import { LIMITS } from '../../api/graph/limits.ts'
import { schema } from '../../api/schema.ts'

/** The root fields of the schema, by `Type.field`. */
export const ROOTS: Readonly<Record<string, GraphQLField<unknown, unknown>>> = Object.fromEntries(
  [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
    Object.entries(type?.getFields() ?? {}).map(([name, field]) => [`${type?.name}.${name}`, field]),
  ),
)

/** What names something of a tenant. */
export type Sort =
  | 'ID'
  | 'Cursor'
  | 'externalId'
  | 'orderId'
  | 'idempotencyKey'
  | 'page'
  | 'jti'
  | 'sub'
  | 'search'

/** A place of a root field's arguments that takes one value. */
export interface Leaf {
  readonly root: string
  readonly path: readonly string[]
  /** The name of its scalar or enum. */
  readonly type: string
}

/** Every such place of the schema. What nests in itself is entered once. */
export const LEAVES: readonly Leaf[] = Object.entries(ROOTS).flatMap(([root, { args }]) =>
  args.flatMap(({ name, type }) => leavesIn([name], type).map((leaf) => ({ root, ...leaf }))),
)

/** A place where something of a tenant is named. */
export interface Place extends Leaf {
  readonly sort: Sort
}

/** Every such place of the schema. */
export const PLACES: readonly Place[] = LEAVES.flatMap((leaf) => {
  const sort = sortOf(leaf.path.at(-1) ?? '', leaf.type)
  return sort ? [{ ...leaf, sort }] : []
})

function leavesIn(
  path: readonly string[],
  type: GraphQLInputType,
  seen: readonly string[] = [],
): Pick<Leaf, 'path' | 'type'>[] {
  const named = getNamedType(type)
  if (!isInputObjectType(named)) return [{ path, type: named.name }]
  if (seen.includes(named.name)) return []
  return Object.values(named.getFields()).flatMap((field) =>
    leavesIn([...path, field.name], field.type, [...seen, named.name]),
  )
}

function sortOf(name: string, type: string): Sort | undefined {
  if (type === 'ID' || type === 'Cursor') return type
  switch (name) {
    case 'after':
    case 'before':
      return 'page'
    case 'externalId':
    case 'orderId':
    case 'idempotencyKey':
    case 'jti':
    case 'sub':
    case 'search':
      return name
    default:
      return undefined
  }
}

/** The same variables with something else at a place; what excludes it by `@oneOf` is left out. */
export function putAt({ root, path }: Leaf, variables: object, value: unknown): object {
  const [first = '', ...rest] = path
  const type = ROOTS[root]?.args.find(({ name }) => name === first)?.type
  if (!type) throw new Error(`${root} has no ${first}.`)
  return { ...variables, [first]: put(type, rest, fieldOf(variables, first), value) }
}

function put(type: GraphQLInputType, path: readonly string[], old: unknown, value: unknown): unknown {
  const [first, ...rest] = path
  const named = getNamedType(type)
  if (first === undefined || !isInputObjectType(named)) {
    return isListType(isNonNullType(type) ? type.ofType : type) ? [value] : value
  }
  const field = named.getFields()[first]
  if (!field) throw new Error(`${named.name} has no ${first}.`)
  const beside = named.isOneOf ? {} : { ...neededBeside(named.getFields()), ...Object(old) }
  return { ...beside, [first]: put(field.type, rest, fieldOf(old, first), value) }
}

/** What stands for a value of a type that is needed beside another. */
const NEEDED: Readonly<Record<string, unknown>> = {
  String: 'x',
  Int: 1,
  Points: 1,
  Minor: 1,
  CurrencyCode: 'JPY',
}

/** A value for everything that is needed. */
function neededBeside(fields: Record<string, { name: string; type: GraphQLInputType }>): object {
  const needed = Object.values(fields).filter(({ type }) => isNonNullType(type))
  return Object.fromEntries(
    needed.flatMap(({ name, type }) => {
      const named = getNamedType(type)
      if (named.name in NEEDED) return [[name, NEEDED[named.name]]]
      return isEnumType(named) ? [[name, named.getValues()[0]?.name]] : []
    }),
  )
}

const isCurrency = (type: GraphQLInputType) => getNamedType(type).name === 'CurrencyCode'

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

/**
 * An operation with one root field, every argument of it a variable, and all of the answer for some levels, fewer where
 * an operation may not have so many fields; of what can be anything, its own facts alone.
 */
export function operationOn(root: string, most = 2): string {
  const levels = /\.(nodes?|similarQuestions)$/.test(root) ? 0 : most
  const field = ROOTS[root]
  if (!field) throw new Error(`There is no ${root}.`)
  const kind = root.slice(0, root.indexOf('.')).toLowerCase()
  const declared = field.args.map(({ name, type }) => `$${name}: ${type}`).join(', ')
  const passed = field.args.map(({ name }) => `${name}: $${name}`).join(', ')
  const inBrackets = (text: string) => text && `(${text})`
  const operation = `${kind} ${inBrackets(declared)} { ${field.name}${inBrackets(passed)} ${everything(field.type, levels)} }`
  return levels > 1 && countOf(operation) > LIMITS.fields ? operationOn(root, levels - 1) : operation
}

function countOf(operation: string): number {
  let count = 0
  visit(parse(operation), {
    Field() {
      count++
    },
  })
  return count
}

/** All that there is of a type, and of what it refers to for some levels more. */
export function everything(type: GraphQLOutputType, levels: number): string {
  const named = getNamedType(type)
  if (!isCompositeType(named)) return ''
  if (isObjectType(named)) return `{ ${fieldsOf(named, levels)} }`
  const shapes = new Map<string, string>()
  const parts = schema
    .getPossibleTypes(named)
    .map((each) => ({ name: each.name, fields: fieldsOf(each, levels, shapes) }))
    .filter(({ fields }) => fields.trim() !== '')
    .map(({ name, fields }) => `... on ${name} { ${fields} }`)
  return `{ __typename ${parts.join(' ')} }`
}

/** Fields of two types stand side by side only when they have one shape: the first one's. */
function fieldsOf(type: GraphQLObjectType, levels: number, shapes = new Map<string, string>()): string {
  const fields = Object.values(type.getFields()).filter((field) => {
    const shape = shapes.get(field.name) ?? String(field.type)
    shapes.set(field.name, shape)
    return shape === String(field.type)
  })
  return fields.map((field) => chosen(field, levels)).join(' ')
}

/** Something that an argument within an answer takes: an id is that of a space that is not there. */
function somethingFor(type: GraphQLInputType): string {
  const named = getNamedType(type)
  if (isEnumType(named)) return named.getValues()[0]?.name ?? ''
  if (named.name === 'ID') return `"${encodeId('Space', '00000000-0000-7000-8000-000000000000')}"`
  return isCurrency(type) ? '"JPY"' : '"P30D"'
}

function chosen({ name, args, type }: GraphQLField<unknown, unknown>, levels: number): string {
  const isPart = isCompositeType(getNamedType(type))
  const isPage = args.some((argument) => argument.name === 'first')
  if (isPart && levels < (isPage ? 2 : 1)) return ''
  const needed = args
    .filter(isRequiredArgument)
    .map((argument) => `${argument.name}: ${somethingFor(argument.type)}`)
  const given = [...needed, ...(isPage ? ['first: 2'] : [])].join(', ')
  const inside = everything(type, levels - 1)
  // At the last level there may be nothing left of what has only parts.
  return /^\{\s*\}$/.test(inside) ? '' : `${name}${given && `(${given})`} ${inside}`
}
