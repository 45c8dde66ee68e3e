import type { Fragment } from './sql.ts'

/** What the owner of a predicate tells the audience language about it. */
export interface PredicateDefinition<Given> {
  /** The word of the language: `{ "stage": … }`. */
  readonly name: string
  /** The scope that a token needs to ask by it; who may not read a thing may not filter by it either. */
  readonly scope: string
  /** Reads what was given into the JSON that is stored. Throws BadInputError naming the field. */
  parse(value: unknown, field: string): Given
  /** The condition on `m`, a row of `member`. True for those who match; false or null for the others. */
  compile(given: Given): Fragment
}

/** A predicate of the language. */
export interface Predicate {
  readonly name: string
  readonly scope: string
  /** Throws BadInputError naming the field. */
  read(value: unknown, field: string): Condition
}

/** A predicate with what it was given. */
export interface Condition {
  readonly name: string
  readonly scope: string
  /** As JSON, to be stored and read again. */
  readonly given: unknown
  sql(): Fragment
}

/** Makes a predicate. Nobody can use it before it is registered. */
export function definePredicate<Given>(definition: PredicateDefinition<Given>): Predicate {
  const { name, scope } = definition
  return {
    name,
    scope,
    read(value, field) {
      const given = definition.parse(value, field)
      return { name, scope, given, sql: () => definition.compile(given) }
    },
  }
}

const registered = new Map<string, Predicate>()

/** Adds predicates to the language; once, when the application is put together. Throws when a word is taken. */
export function registerPredicates(...predicates: readonly Predicate[]): void {
  for (const predicate of predicates) {
    const known = registered.get(predicate.name)
    if (known && known !== predicate) throw new TypeError(`there are two predicates named ${predicate.name}`)
    registered.set(predicate.name, predicate)
  }
}

/** The predicate of a word; undefined when there is none. */
export function predicateNamed(name: string): Predicate | undefined {
  return registered.get(name)
}

/** Every word that an owner registered, in the alphabet's order. */
export function predicateNames(): readonly string[] {
  return [...registered.keys()].sort()
}
