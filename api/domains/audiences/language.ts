/**
 * The one audience language: a rule that a member matches or not. Offers, gates, journeys, segments and filters
 * all speak it. As JSON a rule is an object with exactly one word:
 *
 *     { "all": [{ "stage": ["customer"] }, { "not": { "purchases": { "atLeast": 3 } } }] }
 *
 * `all` of nothing is everybody, `any` of nothing is nobody. The words beside all, any and not belong to the
 * rooms that own the data; they register them.
 */
import { BadInputError } from '../../platform/errors/index.ts'
import { type Condition, predicateNamed, predicateNames } from './predicates.ts'

/** A checked rule. */
export type Rule =
  | { readonly is: 'all' | 'any'; readonly rules: readonly Rule[] }
  | { readonly is: 'not'; readonly rule: Rule }
  | { readonly is: 'predicate'; readonly condition: Condition }

/** A rule as it is stored, as JSON. */
export interface StoredRule {
  readonly version: 1
  readonly rule: unknown
}

const DEEPEST = 10
const MOST_NODES = 100

/** Checks a rule that came from outside. Throws BadInputError naming the field below `field`. */
export function parseRule(input: unknown, field: string): Rule {
  return parse(input, field, { field, depth: 1, count: { nodes: 0 } })
}

/** What to store of a rule; `readRule` gives the same rule back. */
export function storedRule(rule: Rule): StoredRule {
  return { version: 1, rule: json(rule) }
}

/** Reads a stored rule. Throws TypeError for a version that this product does not know. */
export function readRule(stored: StoredRule): Rule {
  if (stored.version !== 1) throw new TypeError(`an audience rule of version ${stored.version}`)
  return parseRule(stored.rule, 'rule')
}

/** The scopes that a token needs to ask by this rule. */
export function scopesOf(rule: Rule): ReadonlySet<string> {
  switch (rule.is) {
    case 'all':
    case 'any':
      return new Set(rule.rules.flatMap((part) => [...scopesOf(part)]))
    case 'not':
      return scopesOf(rule.rule)
    case 'predicate':
      return new Set([rule.condition.scope])
  }
}

interface Place {
  /** The field of the whole rule. */
  readonly field: string
  readonly depth: number
  readonly count: { nodes: number }
}

function parse(input: unknown, field: string, place: Place): Rule {
  if (place.depth > DEEPEST) {
    throw new BadInputError(place.field, `An audience rule nests at most ${DEEPEST} deep.`)
  }
  if (++place.count.nodes > MOST_NODES) {
    throw new BadInputError(place.field, `An audience rule has at most ${MOST_NODES} parts.`)
  }
  const [word, value] = onlyEntry(input, field)
  const at = `${field}.${word}`
  const inner = { ...place, depth: place.depth + 1 }
  if (word === 'not') return { is: 'not', rule: parse(value, at, inner) }
  if (word === 'all' || word === 'any') {
    if (!Array.isArray(value)) throw new BadInputError(at, `${at} must be a list of audience rules.`)
    return { is: word, rules: value.map((part, i) => parse(part, `${at}.${i}`, inner)) }
  }
  const predicate = predicateNamed(word)
  if (!predicate) throw new BadInputError(field, `${field} must have exactly one of ${words()}.`)
  return { is: 'predicate', condition: predicate.read(value, at) }
}

function onlyEntry(input: unknown, field: string): [word: string, value: unknown] {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new BadInputError(field, `${field} must be an audience rule: an object with one of ${words()}.`)
  }
  const [entry, ...more] = Object.entries(input).filter(([, value]) => value != null)
  if (!entry || more.length > 0) {
    throw new BadInputError(field, `${field} must have exactly one of ${words()}.`)
  }
  return entry
}

function words(): string {
  return ['all', 'any', 'not', ...predicateNames()].join(', ')
}

function json(rule: Rule): unknown {
  switch (rule.is) {
    case 'all':
    case 'any':
      return { [rule.is]: rule.rules.map(json) }
    case 'not':
      return { not: json(rule.rule) }
    case 'predicate':
      return { [rule.condition.name]: rule.condition.given }
  }
}
