import { type Column, MODELS, type Model, type Relation } from './model.ts'

/** What may be asked of the reader: the part of Prisma's query arguments that the graph uses. */
export interface ReadArgs {
  readonly where?: Where | undefined
  readonly select?: Readonly<Record<string, boolean | ReadArgs | undefined>> | undefined
  readonly include?: Readonly<Record<string, boolean | ReadArgs | undefined>> | undefined
  readonly orderBy?: Order | readonly Order[] | undefined
  readonly take?: number | undefined
  readonly skip?: number | undefined
  readonly cursor?: Where | undefined
}
type Order = Readonly<Record<string, 'asc' | 'desc' | SqlOrder>>
type Where = Readonly<Record<string, unknown>>

/**
 * A condition in SQL, for what Prisma's words cannot say; stands in `where` under the name `sql`. Gets the alias of
 * the table and a function that makes a parameter of a value.
 */
export type SqlCondition = (alias: string, param: (value: unknown) => string) => string

/** A value to sort by in SQL; stands in `orderBy` under the name `sql`. It must never be null. */
export interface SqlOrder {
  readonly expression: SqlCondition
  readonly direction: 'asc' | 'desc'
}

/** A row that the reader made. What it holds of a column is the column's value, whatever else was asked for. */
class Row {
  readonly [name: string]: unknown
}

/** Whether a value is a row that the reader made. */
export function isRow(value: unknown): value is Row {
  return value instanceof Row
}

/** Turns the array that PostgreSQL built for one row back into an object. */
export type Decode = (row: readonly unknown[]) => Record<string, unknown>

/** One statement for a whole tree of rows. Its only column, `rows`, is a JSON array of arrays. */
export interface Plan {
  readonly text: string
  readonly values: readonly unknown[]
  readonly decode: Decode
  /** The rows come in the opposite order: the last ones were asked for. */
  readonly isReversed: boolean
}

/**
 * Compiles Prisma-shaped arguments into one JSON-building statement. Every relation becomes a correlated
 * sub-select joined on all of its key columns, tenant included; the root carries `own()`, the first wall.
 * Throws on anything it does not know, so that nothing is left out in silence.
 */
export function compile(modelName: string, args: ReadArgs): Plan {
  const values: unknown[] = []
  const scope: Scope = { values, aliases: 0 }
  const rows = source(scope, model(modelName), args, (alias) => [`own(${alias})`])
  return {
    text: `select coalesce(json_agg(t.j), '[]') as rows from (${rows.sql}) t`,
    values,
    decode: rows.decode,
    isReversed: (args.take ?? 0) < 0,
  }
}

interface Scope {
  readonly values: unknown[]
  aliases: number
}

function source(scope: Scope, of: Model, args: ReadArgs, joins: (alias: string) => string[]) {
  const alias = `t${scope.aliases++}`
  const { expression, decode } = row(scope, of, alias, args)
  const conditions = [...joins(alias), ...where(scope, of, alias, args.where)]
  const order = orderOf(scope, of, args)
  const isReversed = (args.take ?? 0) < 0
  if (args.cursor)
    conditions.push(
      beyond(scope, of, alias, { order, cursor: args.cursor, isReversed, skip: args.skip ?? 0 }),
    )
  const by = order.map(
    ({ sql, direction }) => `${sql(alias)} ${(direction === 'asc') !== isReversed ? 'asc' : 'desc'}`,
  )
  const limit = args.take === undefined ? '' : ` limit ${param(scope, Math.abs(args.take))}`
  const sql = `select ${expression} as j from ${of.table} ${alias} where ${conditions.join(' and ')} order by ${by.join(', ')}${limit}`
  return { sql, decode, alias }
}

function row(scope: Scope, of: Model, alias: string, args: ReadArgs): { expression: string; decode: Decode } {
  const parts: string[] = []
  const names: string[] = []
  const decoders: Array<((value: unknown) => unknown) | undefined> = []
  const wanted = args.select
    ? Object.entries(args.select)
    : [...[...of.columns.keys()].map((name) => [name, true] as const), ...Object.entries(args.include ?? {})]
  for (const [name, ask] of wanted) {
    if (!ask) continue
    const column = of.columns.get(name)
    names.push(name)
    if (column) {
      parts.push(expressionOf(alias, column))
      decoders.push(decoderOf(column))
      continue
    }
    const relation = of.relations.get(name)
    if (!relation) throw new TypeError(`${of.name} has no field ${name}`)
    const child = ask === true ? {} : ask
    const rows = source(scope, model(relation.target), child, (inner) =>
      relation.on.map(([from, to]) => `${inner}.${to} = ${alias}.${from}`),
    )
    if (relation.isList) {
      const isReversed = (child.take ?? 0) < 0
      parts.push(`(select coalesce(json_agg(x.j), '[]') from (${rows.sql}) x)`)
      decoders.push((value) => {
        const list = (value as unknown[][]).map(rows.decode) // what our own statement built
        return isReversed ? list.reverse() : list
      })
    } else {
      parts.push(`(${rows.sql})`)
      decoders.push((value) => (value === null ? null : rows.decode(value as unknown[]))) // likewise
    }
  }
  return { expression: `json_build_array(${parts.join(', ')})`, decode: decoder(names, decoders) }
}

function decoder(
  names: readonly string[],
  decoders: ReadonlyArray<((value: unknown) => unknown) | undefined>,
): Decode {
  return (row) => {
    const object: Record<string, unknown> = new Row()
    for (let i = 0; i < names.length; i++) {
      const decode = decoders[i]
      const value = row[i]
      object[names[i] as string] = decode && value !== null ? decode(value) : value // same length by construction
    }
    return object
  }
}

function expressionOf(alias: string, { column, type, isList }: Column): string {
  if (isList) return `to_json(${alias}.${column})`
  if (type === 'DateTime') return `floor(extract(epoch from ${alias}.${column}) * 1000)::float8`
  return type === 'BigInt' ? `${alias}.${column}::text` : `${alias}.${column}`
}

function decoderOf({ type, isList }: Column): ((value: unknown) => unknown) | undefined {
  if (isList) return undefined
  if (type === 'DateTime') return (value) => new Date(value as number) // milliseconds, from expressionOf
  return type === 'BigInt' ? (value) => BigInt(value as string) : undefined // decimal text, likewise
}

function where(scope: Scope, of: Model, alias: string, conditions: Where | undefined): string[] {
  return Object.entries(conditions ?? {}).flatMap(([name, value]) => {
    if (value === undefined) return []
    if (name === 'sql') return [(value as SqlCondition)(alias, (each) => param(scope, each))] // by its name
    if (name === 'AND') return [value].flat().flatMap((each) => where(scope, of, alias, each as Where))
    const column = of.columns.get(name)
    const relation = of.relations.get(name)
    if (relation) return [`exists (${related(scope, relation, alias, value as Where)})`] // a condition on what it is related to
    if (!column) {
      // A compound key: { tenantId_id: { tenantId, id } }
      if (name.includes('_') && typeof value === 'object') return where(scope, of, alias, value as Where)
      throw new TypeError(`${of.name} cannot be asked by ${name}`)
    }
    const left = `${alias}.${column.column}`
    if (value === null) return [`${left} is null`]
    if (typeof value !== 'object' || value instanceof Date) return [`${left} = ${param(scope, value)}`]
    return Object.entries(value).map(([operator, operand]) => {
      if (operator === 'in') return `${left} = any(${param(scope, operand)})`
      if (operator === 'equals') return `${left} = ${param(scope, operand)}`
      if (operator === 'not' && operand === null) return `${left} is not null`
      throw new TypeError(`the reader does not know the operator ${operator}`)
    })
  })
}

function related(scope: Scope, relation: Relation, alias: string, conditions: Where): string {
  const target = model(relation.target)
  const inner = `t${scope.aliases++}`
  const on = relation.on.map(([from, to]) => `${inner}.${to} = ${alias}.${from}`)
  return `select from ${target.table} ${inner} where ${[...on, ...where(scope, target, inner, conditions)].join(' and ')}`
}

interface OrderBy {
  readonly sql: (alias: string) => string
  readonly direction: 'asc' | 'desc'
}

function orderOf(scope: Scope, of: Model, { orderBy }: ReadArgs): OrderBy[] {
  const asked = [orderBy ?? []].flat().flatMap((each) => Object.entries(each as Order))
  const order = asked.map(([name, by]): OrderBy & { name: string } => {
    if (typeof by === 'object') {
      return {
        name,
        sql: (alias) => by.expression(alias, (value) => param(scope, value)),
        direction: by.direction,
      }
    }
    const column = columnOf(of, name)
    return { name, sql: (alias) => `${alias}.${column}`, direction: by }
  })
  const last = order.at(-1)?.direction ?? 'asc'
  // The tenant is one and the same for every row.
  const rest = of.key.filter((name) => name !== 'tenantId' && !order.some((taken) => taken.name === name))
  return [
    ...order,
    ...rest.map((name) => ({ sql: (alias: string) => `${alias}.${columnOf(of, name)}`, direction: last })),
  ]
}

interface Beyond {
  readonly order: readonly OrderBy[]
  readonly cursor: Where
  readonly isReversed: boolean
  readonly skip: number
}

/** Rows after the cursor's, in an order whose columns all go the same way. */
function beyond(scope: Scope, of: Model, alias: string, { order, cursor, isReversed, skip }: Beyond): string {
  const isAscending = (order[0]?.direction === 'asc') !== isReversed
  const operator = `${isAscending ? '>' : '<'}${skip > 0 ? '' : '='}`
  const at = `t${scope.aliases++}`
  const found = [`${at}.tenant_id = ${alias}.tenant_id`, ...where(scope, of, at, cursor)]
  const rowOf = (of: string) => order.map(({ sql }) => sql(of)).join(', ')
  return `(${rowOf(alias)}) ${operator} (select ${rowOf(at)} from ${of.table} ${at} where ${found.join(' and ')})`
}

function param(scope: Scope, value: unknown): string {
  return `$${scope.values.push(value)}`
}

function columnOf(of: Model, name: string): string {
  const column = of.columns.get(name)
  if (!column) throw new TypeError(`${of.name} has no column ${name}`)
  return column.column
}

function model(name: string): Model {
  const found = MODELS.get(name)
  if (!found) throw new TypeError(`there is no model ${name}`)
  return found
}
