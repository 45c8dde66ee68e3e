import { type ASTNode, type DocumentNode, type GraphQLError, Kind, visit } from 'graphql'

/** What is wrong, and where: a path such as `input.lines.0.quantity`, or `query` for the document itself. */
export interface Located {
  readonly message: string
  readonly field: string
}

/** Finds the argument or input field that an error of graphql's own checks is about. */
export function locate({ message, nodes }: GraphQLError, document: DocumentNode): Located {
  const variable = ofVariable(message)
  if (variable) {
    const field = [placeOfVariable(document, variable.name), ...variable.path].join('.')
    return withMissing(variable.reason, field)
  }
  const wrong = nodes?.[0]
  const argument = /\bargument "(\w+)"/.exec(message)?.[1]
  const field = wrong && pathOf(document, (node) => node === wrong)
  return withMissing(message, field ?? argument ?? 'query')
}

/** The argument or input field that a variable stands for; its own name when it stands for none. */
export function placeOfVariable(document: DocumentNode, name: string): string {
  return pathOf(document, (node) => node.kind === Kind.VARIABLE && node.name.value === name) ?? name
}

/** The argument or input field that a value of the document stands in. */
export function placeOfNode(document: DocumentNode, value: ASTNode): string | undefined {
  return pathOf(document, (node) => node === value)
}

interface OfVariable {
  readonly name: string
  readonly path: readonly string[]
  readonly reason: string
}

/** graphql prints the name, the value, the path and the reason in one sentence; the value is left out. */
function ofVariable(message: string): OfVariable | undefined {
  const name = /^Variable "\$(\w+)" (?:got invalid value|of required type|of non-null type)/.exec(
    message,
  )?.[1]
  if (name === undefined) return undefined
  const inside = / at "\w+((?:\.\w+|\[\d+\])+)"; ((?:(?! at ").)+)$/s.exec(message)
  if (inside) {
    const [, path = '', reason = ''] = inside
    return { name, path: path.replaceAll('[', '.').replaceAll(']', '').split('.').slice(1), reason }
  }
  const whole = /^Variable "\$\w+" got invalid value .*; (.+)$/s.exec(message)
  return { name, path: [], reason: whole?.[1] ?? message }
}

/** A missing field is told by its name alone; the path so far leads to the object that lacks it. */
function withMissing(message: string, field: string): Located {
  const missing = /^Field "(?:\w+\.)?(\w+)" (?:of required type|is not defined by type)/.exec(message)?.[1]
  if (missing === undefined || field === 'query' || field.endsWith(`.${missing}`)) return { message, field }
  return { message, field: `${field}.${missing}` }
}

/** The path of arguments, input fields and list places down to a node, if it stands in an argument. */
function pathOf(document: DocumentNode, isIt: (node: ASTNode) => boolean): string | undefined {
  const path: string[] = []
  let found: string | undefined
  const step = (node: ASTNode, key: unknown, parent: unknown) => {
    if (node.kind === Kind.ARGUMENT || node.kind === Kind.OBJECT_FIELD) return node.name.value
    return Array.isArray(parent) && path.length > 0 ? String(key) : undefined
  }
  visit(document, {
    enter(node, key, parent) {
      const name = step(node, key, parent)
      if (name !== undefined) path.push(name)
      if (path.length > 0 && isIt(node)) found ??= path.join('.')
    },
    leave(node, key, parent) {
      if (step(node, key, parent) !== undefined) path.pop()
    },
  })
  return found
}
