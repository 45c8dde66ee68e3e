import { type DocumentNode, Kind, visit } from 'graphql'
import { BadInputError } from '../platform/errors/index.ts'
import { placeOfNode, placeOfVariable } from './locate.ts'

/**
 * Refuses text that PostgreSQL cannot hold, wherever it stands in the variables: zero characters, and halves of
 * surrogate pairs, which would be stored as something else. Throws BadInputError naming the argument or input field.
 */
export function checkText(variables: Readonly<Record<string, unknown>>, document: DocumentNode): void {
  for (const name in variables) {
    const path = unfitPath(variables[name])
    if (path) throw unfit([placeOfVariable(document, name), ...path].join('.'))
  }
}

/** The same for the text that stands in the document itself. */
export function checkLiterals(document: DocumentNode): void {
  visit(document, {
    [Kind.STRING]: (node) => {
      if (!isStorable(node.value)) throw unfit(placeOfNode(document, node) ?? 'query')
    },
  })
}

/** No input of ours nests deeper, and whoever walks through a value may use the stack. */
const DEEPEST = 64

/** Where in a value such text stands, as the names and places that lead to it; undefined when nowhere. */
function unfitPath(value: unknown, depth = 1): string[] | undefined {
  if (typeof value === 'string') return isStorable(value) ? undefined : []
  if (typeof value !== 'object' || value === null) return undefined
  if (depth > DEEPEST)
    throw new BadInputError('variables', `variables must be at most ${DEEPEST} levels deep.`)
  for (const name in value) {
    if (!isStorable(name)) return []
    const inside = unfitPath((value as Readonly<Record<string, unknown>>)[name], depth + 1) // an object of JSON
    if (inside) return [name, ...inside]
  }
  return undefined
}

function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

function unfit(field: string): BadInputError {
  return new BadInputError(field, `${field} must not contain zero characters or halves of surrogate pairs.`)
}
