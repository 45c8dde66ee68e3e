import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  OperationTypeNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql'
import { TooCostlyError } from '../platform/errors/index.ts'

/** The most that one document may be, whoever sends it. Checked before validation, which is dearer. */
export interface Limits {
  /** Words and signs of the document. */
  readonly tokens: number
  /** Levels of fields. Introspection is not counted. */
  readonly depth: number
  /** Fields once every fragment is written out. */
  readonly fields: number
  /** Fields with another name than their own, `__typename` too. */
  readonly aliases: number
  /** Fields that stand beside one with the same name. */
  readonly repeats: number
  /** Operations, of which one is run. */
  readonly operations: number
  /** Named fragments. */
  readonly fragments: number
  /** Named fragments that are spread beside one another: each is compared with each. */
  readonly spreads: number
  /** Directives at one place. */
  readonly directives: number
  /** Directives in the whole document. */
  readonly directivesInAll: number
  /** Top-level fields of a query. */
  readonly queries: number
  /** Top-level fields of a mutation. */
  readonly mutations: number
  /** Errors of validation that are told before it stops. */
  readonly errors: number
  /** How long an operation may take, in milliseconds. */
  readonly milliseconds: number
  /** Bytes of a request's body. */
  readonly body: number
}

/** What is allowed unless an operator says otherwise. */
export const LIMITS: Limits = {
  tokens: 2_000,
  depth: 10,
  fields: 1_000,
  aliases: 15,
  repeats: 15,
  operations: 10,
  fragments: 50,
  spreads: 30,
  directives: 4,
  directivesInAll: 30,
  queries: 20,
  mutations: 5,
  errors: 10,
  milliseconds: 10_000,
  body: 262_144,
}

/** What one selection amounts to with its fragments written out. */
interface Measure {
  readonly fields: number
  readonly depth: number
  /** It asks for the schema itself: `__schema`, `__type`. */
  readonly isIntrospective: boolean
  /** It asks for `asOf`, which must be read before everything else. */
  readonly isDated: boolean
}

const NOTHING: Measure = { fields: 0, depth: 0, isIntrospective: false, isDated: false }

/**
 * Measures a parsed document in one pass, each fragment once, and throws TooCostlyError for the first limit
 * that it passes. Returns what the document asks for besides data.
 */
export function measure(
  document: DocumentNode,
  limits: Limits,
): { isIntrospective: boolean; isDated: boolean } {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node)
  }
  atMost(fragments.size, limits.fragments, 'fragments')
  const pass = new Pass(fragments, limits)
  let isIntrospective = false
  let isDated = false
  let operations = 0
  for (const node of document.definitions) {
    if (node.kind !== Kind.OPERATION_DEFINITION) continue
    atMost(++operations, limits.operations, 'operations')
    pass.directives(node.directives)
    const whole = pass.selections(node.selectionSet)
    isIntrospective ||= whole.isIntrospective
    isDated ||= whole.isDated
    atMost(whole.depth, limits.depth, 'levels')
    const isMutation = node.operation === OperationTypeNode.MUTATION
    const roots = pass.roots(node.selectionSet, new Set())
    atMost(roots, isMutation ? limits.mutations : limits.queries, 'top-level fields')
  }
  return { isIntrospective, isDated }
}

class Pass {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>
  readonly #limits: Limits
  /** Null while a fragment is being measured: meeting it again is a circle, which validation refuses. */
  readonly #measured = new Map<string, Measure | null>()
  #aliases = 0
  #repeats = 0
  #directives = 0

  constructor(fragments: ReadonlyMap<string, FragmentDefinitionNode>, limits: Limits) {
    this.#fragments = fragments
    this.#limits = limits
  }

  /** `names` are those that stand beside these: of an inline fragment, those around it on the same type. */
  selections({ selections }: SelectionSetNode, names = new Set<string>()): Measure {
    const sameType = new Map<string, Set<string>>()
    let spreads = 0
    let fields = 0
    let depth = 0
    let isIntrospective = false
    let isDated = false
    for (const node of selections) {
      this.directives(node.directives)
      if (node.kind === Kind.FIELD) this.#countName(node, names)
      if (node.kind === Kind.FRAGMENT_SPREAD)
        atMost(++spreads, this.#limits.spreads, 'fragments at one place')
      const inside = this.#selection(node, (type) => beside(sameType, type) ?? names)
      fields += inside.fields
      depth = Math.max(depth, inside.depth)
      isIntrospective ||= inside.isIntrospective
      isDated ||= inside.isDated
      atMost(fields, this.#limits.fields, 'fields')
    }
    return { fields, depth, isIntrospective, isDated }
  }

  directives(directives: readonly unknown[] | undefined): void {
    if (!directives?.length) return
    atMost(directives.length, this.#limits.directives, 'directives at one place')
    this.#directives += directives.length
    atMost(this.#directives, this.#limits.directivesInAll, 'directives')
  }

  roots({ selections }: SelectionSetNode, seen: Set<string>): number {
    let count = 0
    for (const node of selections) {
      if (node.kind === Kind.FIELD) count++
      else if (node.kind === Kind.INLINE_FRAGMENT) count += this.roots(node.selectionSet, seen)
      else if (!seen.has(node.name.value)) {
        const fragment = this.#fragments.get(node.name.value)
        if (fragment) count += this.roots(fragment.selectionSet, seen.add(node.name.value))
      }
    }
    return count
  }

  #selection(node: SelectionNode, namesOf: (type: string | undefined) => Set<string>): Measure {
    switch (node.kind) {
      case Kind.FIELD:
        return this.#field(node)
      case Kind.INLINE_FRAGMENT:
        return this.selections(node.selectionSet, namesOf(node.typeCondition?.name.value))
      case Kind.FRAGMENT_SPREAD:
        return this.#fragment(node.name.value)
    }
  }

  #field(node: FieldNode): Measure {
    const inside = node.selectionSet ? this.selections(node.selectionSet) : NOTHING
    const isIntrospective = node.name.value === '__schema' || node.name.value === '__type'
    return {
      fields: inside.fields + 1,
      depth: isIntrospective ? 1 : inside.depth + 1,
      isIntrospective: isIntrospective || inside.isIntrospective,
      isDated: inside.isDated || node.name.value === 'asOf',
    }
  }

  #fragment(name: string): Measure {
    const known = this.#measured.get(name)
    if (known !== undefined) return known ?? NOTHING
    const fragment = this.#fragments.get(name)
    if (!fragment) return NOTHING
    this.#measured.set(name, null)
    this.directives(fragment.directives)
    const measured = this.selections(fragment.selectionSet)
    this.#measured.set(name, measured)
    return measured
  }

  #countName(node: FieldNode, names: Set<string>): void {
    if (node.alias) atMost(++this.#aliases, this.#limits.aliases, 'aliases')
    const name = (node.alias ?? node.name).value
    if (names.has(name)) atMost(++this.#repeats, this.#limits.repeats, 'repeated fields')
    names.add(name)
  }
}

/** The names on one type; undefined when no type is named, so that they are those around. */
function beside(sameType: Map<string, Set<string>>, type: string | undefined): Set<string> | undefined {
  if (type === undefined) return undefined
  let names = sameType.get(type)
  if (!names) {
    names = new Set()
    sameType.set(type, names)
  }
  return names
}

function atMost(count: number, limit: number, what: string): void {
  if (count > limit) throw new TooCostlyError(`The operation has more than ${limit} ${what}.`)
}
