import { BadInputError, type Problem } from '../../platform/errors/index.ts'
import { compiledRule } from '../audiences/index.ts'
import { BadBodyError } from './body.ts'
import { type Part, parts } from './parts.ts'
import type { Entry } from './service.ts'

/** A whole program as data: definitions by section and key, as in `{ "offers": { "spring": { … } } }`. */
export type Document = Readonly<Record<string, Readonly<Record<string, object>>>>

/** The same meaning is the same value, down to the order of the keys. */
export function documentOf(definitions: readonly Definition[]): Document {
  const sections: Record<string, Record<string, object>> = {}
  for (const part of parts()) {
    const own = definitions.filter(({ kind }) => kind === part.kind)
    if (own.length > 0) sections[part.section] = Object.fromEntries(own.map(({ key, body }) => [key, body]))
  }
  return sorted(sections)
}

/** A definition as it stands in a document. */
export interface Definition {
  readonly kind: string
  readonly key: string
  readonly body: object
}

/** The document as text: equal documents are equal bytes. */
export function documentText(document: Document): string {
  return `${JSON.stringify(sorted(document), null, 2)}\n`
}

function sorted<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(sorted) as Value // the same list
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)])) as Value // the same object
}

/** What a document says, as far as it can be read, and everything that is wrong with it. */
export interface Reading {
  readonly entries: readonly (Entry & Definition)[]
  readonly problems: readonly Problem[]
}

/** At most this many definitions in one document. */
const MOST = 2_000

/** Reads a document given by whomever. Names stand under `document`. */
export function readDocument(given: unknown): Reading {
  if (!isRecord(given)) return wrong('document', 'A document is an object of sections.')
  const problems: Problem[] = []
  const known = new Map(parts().map((part) => [part.section, part]))
  for (const section of Object.keys(given)) {
    if (known.has(section)) continue
    const message = `There is no section ${section}; there is ${[...known.keys()].join(', ')}.`
    problems.push({ path: `document.${section}`, message })
  }
  const entries = [...known].flatMap(([section, part]) =>
    given[section] === undefined ? [] : sectionOf(given[section], part, problems),
  )
  if (entries.length > MOST) return wrong('document', `A document has at most ${MOST} definitions.`)
  return { entries, problems }
}

function wrong(path: string, message: string): Reading {
  return { entries: [], problems: [{ path, message }] }
}

function sectionOf(given: unknown, part: Part, problems: Problem[]): Definition[] {
  const at = `document.${part.section}`
  if (!isRecord(given)) {
    problems.push({ path: at, message: `${at} is an object of definitions by their keys.` })
    return []
  }
  return Object.entries(given).flatMap(([key, value]) => {
    const field = `${at}.${key}`
    if (key.length < 1 || key.length > 100 || /\p{Cc}/u.test(key)) {
      const message = 'A key is 1 to 100 characters without control characters.'
      problems.push({ path: field.slice(0, 300), message })
      return []
    }
    const body = bodyOf(value, { part, field, problems })
    return body ? [{ kind: part.kind, key, body }] : []
  })
}

interface Place {
  readonly part: Part
  readonly field: string
  readonly problems: Problem[]
}

function bodyOf(given: unknown, { part, field, problems }: Place): object | undefined {
  try {
    const body = part.read(given, field)
    for (const [name, rule] of Object.entries(part.audiences?.(body) ?? {})) {
      if (rule != null) compiledRule(rule, `${field}.${name}`)
    }
    return body
  } catch (error) {
    if (!(error instanceof BadInputError)) throw error
    if (error instanceof BadBodyError) problems.push(...error.problems)
    else problems.push({ path: error.field, message: error.message })
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
