import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql'
import { PAGE } from './pages.ts'

/** Variables as they came, before anything was checked. */
export type Variables = Readonly<Record<string, unknown>>

/** What an operation costs at most: a figure, or one that depends on the sizes given as variables. */
export type Cost = number | ((variables: Variables) => number)

/**
 * What a field may say of its cost in `extensions.cost`: what it costs itself (1 unless told; a mutation 10),
 * and how often what is inside it is answered (a page: its size; another list: 10).
 */
export interface FieldCost {
  readonly own?: number
  readonly times?: (args: Variables) => number
}

/** A mutation does more than read a field. */
const MUTATION = 10
/** Lists that are no pages say "At most" in their description; most hold fewer than this. */
const LIST = 10

/**
 * The cost of a valid operation: one for each field, and a page multiplies what is inside it by the size
 * that was asked for. Fields that are skipped by a directive count as well.
 */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): Cost {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node)
  }
  const defaults: Variables = Object.fromEntries(
    (operation.variableDefinitions ?? []).map(({ variable, defaultValue }) => [
      variable.name.value,
      defaultValue && valueFromASTUntyped(defaultValue),
    ]),
  )
  const plan = new Plan(schema, fragments, defaults)
  const root = schema.getRootType(operation.operation)
  return root ? plan.selections(operation.selectionSet, root, 1) : 0
}

/** A figure of a cost. */
export function evaluate(cost: Cost, variables: Variables): number {
  return typeof cost === 'number' ? cost : cost(variables)
}

class Plan {
  readonly #schema: GraphQLSchema
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>
  readonly #defaults: Variables

  constructor(
    schema: GraphQLSchema,
    fragments: ReadonlyMap<string, FragmentDefinitionNode>,
    defaults: Variables,
  ) {
    this.#schema = schema
    this.#fragments = fragments
    this.#defaults = defaults
  }

  /** `page` is the size of the connection whose fields these are. */
  selections({ selections }: SelectionSetNode, type: GraphQLNamedType, page: Cost): Cost {
    return sum(
      selections.map((node) => {
        if (node.kind === Kind.FIELD) return this.#field(node, type, page)
        const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : this.#fragments.get(node.name.value)
        if (!fragment) return 0
        const narrowed = fragment.typeCondition && this.#schema.getType(fragment.typeCondition.name.value)
        return this.selections(fragment.selectionSet, narrowed ?? type, page)
      }),
    )
  }

  #field(node: FieldNode, parent: GraphQLNamedType, page: Cost): Cost {
    const name = node.name.value
    // Introspection is answered from memory, and only to those who may.
    if (name.startsWith('__')) return 1
    const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined
    if (!field) return 0
    const told = field.extensions.cost as FieldCost | undefined // Ours; see FieldCost.
    const own = told?.own ?? (parent === this.#schema.getMutationType() ? MUTATION : 1)
    if (!node.selectionSet) return own
    const type = getNamedType(field.type)
    const inside = this.selections(node.selectionSet, type, isConnection(type) ? this.#size(node) : 1)
    return sum([own, product(this.#times(node, field, { told, parent, page }), inside)])
  }

  #times(
    node: FieldNode,
    field: GraphQLField<unknown, unknown>,
    { told, parent, page }: { told: FieldCost | undefined; parent: GraphQLNamedType; page: Cost },
  ): Cost {
    const { times } = told ?? {}
    if (times) return (variables) => count(times(this.#args(node, variables)), Number.MAX_SAFE_INTEGER) ?? 1
    if (!isListType(getNullableType(field.type))) return 1
    return isConnection(parent) ? page : LIST
  }

  /** The size of the page that a connection's field was asked for. */
  #size(node: FieldNode): Cost {
    const given = node.arguments?.filter(({ name: { value } }) => value === 'first' || value === 'last') ?? []
    const size = (args: Variables) =>
      count(args.first, PAGE.most) ?? count(args.last, PAGE.most) ?? PAGE.usual
    const isFixed = given.every(({ value }) => value.kind !== Kind.VARIABLE)
    return isFixed ? size(this.#args(node, {})) : (variables) => size(this.#args(node, variables))
  }

  #args(node: FieldNode, variables: Variables): Variables {
    const known = { ...this.#defaults, ...variables }
    return Object.fromEntries(
      (node.arguments ?? []).map(({ name, value }) => [name.value, valueFromASTUntyped(value, known)]),
    )
  }
}

function isConnection(type: GraphQLNamedType): boolean {
  return type.name.endsWith('Connection')
}

function count(value: unknown, most: number): number | undefined {
  return typeof value === 'number' && value >= 0 ? Math.min(Math.floor(value), most) : undefined
}

function sum(costs: readonly Cost[]): Cost {
  const fixed = costs.reduce<number>((total, cost) => (typeof cost === 'number' ? total + cost : total), 0)
  const rest = costs.filter((cost) => typeof cost !== 'number')
  if (rest.length === 0) return fixed
  return (variables) => rest.reduce((total, cost) => total + cost(variables), fixed)
}

function product(a: Cost, b: Cost): Cost {
  if (typeof a === 'number' && typeof b === 'number') return a * b
  return (variables) => evaluate(a, variables) * evaluate(b, variables)
}
