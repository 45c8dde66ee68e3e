import { randomUUID } from 'node:crypto'
import {
  type GraphQLField,
  type GraphQLObjectType,
  getNamedType,
  isInputObjectType,
  isLeafType,
  isObjectType,
  isUnionType,
} from 'graphql'
import { schema } from '../../api/schema.ts'

/** What came back. `data` is whatever the query asked for. */
export interface Answer {
  readonly status: number
  readonly data: ReturnType<typeof JSON.parse>
  readonly errors: readonly Refusal[]
  /** What the rooms sent to the database meanwhile; of this question alone when no other was asked. */
  readonly statements: readonly string[]
}

/** A top-level error, short. */
export interface Refusal {
  readonly code: string
  readonly message: string
  readonly field?: string
  readonly path?: string
}

/** How a mutation is asked: by whom, and what is wanted of its payload: everything, objects by their id, unless told. */
export interface Asked {
  readonly as?: string
  readonly select?: string
}

/** Posts one operation. The token `''` sends none. */
export async function ask(
  url: string,
  token: string,
  body: { query: string; variables?: object },
  statements: string[] = [],
): Promise<Answer> {
  const before = statements.length
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  })
  const { data = null, errors = [] } = JSON.parse(await response.text())
  return { status: response.status, data, errors: errors.map(short), statements: statements.slice(before) }
}

/** A mutation with its input, and a selection of every fact that its refusals tell. Needed keys are made up. */
export function mutationOf(name: string, input: object, select?: string) {
  const field = schema.getMutationType()?.getFields()[name]
  const [argument] = field?.args ?? []
  if (!field || !argument) throw new Error(`There is no mutation ${name}.`)
  const type = getNamedType(argument.type)
  const hasKey = isInputObjectType(type) && 'idempotencyKey' in type.getFields()
  const query = `mutation ($input: ${argument.type}) { ${name}(input: $input) { __typename ${outcomes(field, select)} } }`
  return { query, variables: { input: hasKey ? { idempotencyKey: randomUUID(), ...input } : input } }
}

/** The payload or the typed refusal; else the first top-level error. */
export function resultOf(name: string, { data, errors }: Answer): ReturnType<typeof JSON.parse> {
  return data?.[name] ?? errors[0]
}

function outcomes(field: GraphQLField<unknown, unknown>, select: string | undefined): string {
  const type = getNamedType(field.type)
  if (!isUnionType(type)) throw new Error(`${field.name} gives no union.`)
  const parts = type
    .getTypes()
    .map(
      (member) =>
        `... on ${member.name} { ${isRefusal(member) ? facts(member) : (select ?? facts(member))} }`,
    )
  return parts.join(' ')
}

function isRefusal(type: GraphQLObjectType): boolean {
  return type.getInterfaces().some(({ name }) => name === 'Error')
}

function facts(type: GraphQLObjectType): string {
  return Object.values(type.getFields())
    .map(({ name, type: fieldType }) => {
      const named = getNamedType(fieldType)
      if (isLeafType(named)) return name
      return `${name} { ${isObjectType(named) && named.getFields().id ? 'id' : '__typename'} }`
    })
    .join(' ')
}

interface Raw {
  readonly message: string
  readonly path?: readonly (string | number)[]
  readonly extensions: { readonly code: string; readonly field?: string }
}

function short({ message, path, extensions: { code, field } }: Raw): Refusal {
  return { code, message, ...(field !== undefined && { field }), ...(path && { path: path.join('.') }) }
}
