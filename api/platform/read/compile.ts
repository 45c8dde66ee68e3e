import type { Order, SqlCondition, Where } from './args.ts'
import { MODELS, type Model, type Relation } from './model.ts'
import { type Decode, type DecodeValue, decoderOf, jsonOf, valueDecoder } from './rows.ts'
import { type Shape, Slot } from './shape.ts'

/** One statement for a whole tree of rows. Its only column, `rows`, is a JSON array of arrays. */
export interface Plan {
  /** Its parameters are the shape's values, in their order, and `added` after them. */
  readonly text: string
  /** Values of conditions in SQL. */
  readonly added: readonly unknown[]
  readonly decode: Decode
  /** The rows come in the opposite order: the last ones were asked for. */
  readonly isReversed: boolean
}

/**
 * Compiles a shape with so many values into one JSON-building statement. Every relation becomes a correlated
 * sub-select joined on all of its key columns, tenant included; the root carries `own()`, the first wall.
 * Throws on anything it does not know, so that nothing is left out in silence.
 */
export function compile(modelName: string, shape: Shape, values: number): Plan {
  const scope: Scope = { values, added: [], aliases: 0 }
  const rows = source(scope, model(modelName), shape, {
    isOne: false,
    joins: (alias) => [`own(${alias})`],
  })
  return {
    text: `select coalesce(json_agg(t.j), '[]') as rows from (${rows.sql}) t`,
    added: scope.added,
    decode: rows.decode,
    isReversed: shape.isReversed,
  }
}

interface Scope {
  readonly values: number
  readonly added: unknown[]
  aliases: number
}

interface Placed {
  /** There is one row at most, and so nothing to sort. */
  readonly isOne: boolean
  joins(alias: string): string[]
}

function source(scope: Scope, of: Model, shape: Shape, { isOne, joins }: Placed) {
  const alias = `t${scope.aliases++}`
  const { expression, decode } = row(scope, of, alias, shape)
  const conditions = [...joins(alias), ...where(scope, of, alias, shape.where)]
  const order = orderOf(scope, of, shape.orderBy)
  if (shape.cursor) conditions.push(beyond(scope, of, alias, { order, shape, cursor: shape.cursor }))
  const tail = [
    isOne ? '' : ` order by ${order.map((by) => `${by.sql(alias)} ${directionOf(by, shape)}`).join(', ')}`,
    shape.limit ? ` limit ${param(shape.limit)}` : '',
    // Of what a cursor skips, the row that it stands on is left out by its condition.
    shape.offset ? ` offset ${param(shape.offset)}${shape.cursor ? ' - 1' : ''}` : '',
  ].join('')
  const sql = `select ${expression} as j from ${of.table} ${alias} where ${conditions.join(' and ')}${tail}`
  return { sql, decode }
}

function directionOf({ direction }: OrderBy, { isReversed }: Shape): string {
  return (direction === 'asc') !== isReversed ? 'asc' : 'desc'
}

function row(scope: Scope, of: Model, alias: string, { select, include }: Shape) {
  const parts: string[] = []
  const names: string[] = []
  const decoders: Array<DecodeValue | undefined> = []
  let hasTenant = false
  const wanted = select
    ? Object.entries(select)
    : [...[...of.columns.keys()].map((name) => [name, true] as const), ...Object.entries(include ?? {})]
  for (const [name, ask] of wanted) {
    const column = of.columns.get(name)
    if (column?.name === 'tenantId') {
      hasTenant = true
      continue
    }
    names.push(name)
    if (column) {
      parts.push(jsonOf(`${alias}.${column.column}`, column))
      decoders.push(valueDecoder(column))
      continue
    }
    const relation = of.relations.get(name)
    if (!relation) throw new TypeError(`${of.name} has no field ${name}`)
    const { sql, decode } = related(scope, relation, alias, ask === true ? ALL : ask)
    parts.push(sql)
    decoders.push(decode)
  }
  const expression = `json_build_array(${parts.join(', ')})`
  return { expression, decode: decoderOf(names, decoders, { hasTenant }) }
}

const ALL: Shape = {
  where: undefined,
  cursor: undefined,
  orderBy: [],
  limit: undefined,
  isReversed: false,
  offset: undefined,
  select: undefined,
  include: undefined,
}

function related(scope: Scope, relation: Relation, alias: string, shape: Shape) {
  const rows = source(scope, model(relation.target), shape, {
    isOne: !relation.isList,
    joins: (inner) => joined(relation, inner, alias),
  })
  if (!relation.isList) {
    const decode: DecodeValue = (value, tenantId) => rows.decode(value as unknown[], tenantId) // as `row` built it
    return { sql: `(${rows.sql})`, decode }
  }
  const decode: DecodeValue = (value, tenantId) => {
    const list = (value as unknown[][]).map((each) => rows.decode(each, tenantId)) // likewise
    return shape.isReversed ? list.reverse() : list
  }
  return { sql: `(select coalesce(json_agg(x.j), '[]') from (${rows.sql}) x)`, decode }
}

function joined({ on }: Relation, inner: string, outer: string): string[] {
  return on.map(([from, to]) => `${inner}.${to} = ${outer}.${from}`)
}

function where(scope: Scope, of: Model, alias: string, conditions: Where | undefined): string[] {
  return Object.entries(conditions ?? {}).flatMap(([name, value]) => {
    if (name === 'sql') return [(value as SqlCondition)(alias, (each) => added(scope, each))] // by its name
    if (name === 'AND') return [value].flat().flatMap((each) => where(scope, of, alias, each as Where))
    const column = of.columns.get(name)
    const relation = of.relations.get(name)
    if (relation) return [`exists (${some(scope, relation, alias, value as Where)})`] // a condition on what it is related to
    if (!column) {
      // A compound key: { tenantId_id: { tenantId, id } }
      if (name.includes('_') && isConditions(value)) return where(scope, of, alias, value)
      throw new TypeError(`${of.name} cannot be asked by ${name}`)
    }
    const left = `${alias}.${column.column}`
    if (value === null) return [`${left} is null`]
    if (!isConditions(value)) return [`${left} = ${param(value)}`]
    return Object.entries(value).map(([operator, operand]) => {
      if (operator === 'in' && operand !== null) return `${left} = any(${param(operand)})`
      if (operator === 'equals') return operand === null ? `${left} is null` : `${left} = ${param(operand)}`
      if (operator === 'not' && operand === null) return `${left} is not null`
      throw new TypeError(`the reader does not know the operator ${operator}`)
    })
  })
}

function isConditions(value: unknown): value is Where {
  return typeof value === 'object' && value !== null && !(value instanceof Slot)
}

function some(scope: Scope, relation: Relation, alias: string, conditions: Where): string {
  const target = model(relation.target)
  const inner = `t${scope.aliases++}`
  const asked = where(scope, target, inner, conditions)
  // To Prisma, no condition: what it should have been was left out.
  if (asked.length === 0) throw new TypeError(`nothing is asked of ${relation.name}`)
  const all = [...joined(relation, inner, alias), ...asked]
  return `select from ${target.table} ${inner} where ${all.join(' and ')}`
}

interface OrderBy {
  readonly sql: (alias: string) => string
  readonly direction: 'asc' | 'desc'
}

/** The order that was asked for, and the key after it, so that every order is total. */
function orderOf(scope: Scope, of: Model, orderBy: readonly Order[]): OrderBy[] {
  const asked = orderBy.flatMap((each) => Object.entries(each))
  const order = asked.map(([name, by]): OrderBy & { name: string } => {
    if (typeof by === 'object') {
      return {
        name,
        sql: (alias) => by.expression(alias, (value) => added(scope, value)),
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
  readonly shape: Shape
  readonly cursor: Where
}

/** Rows after the cursor's, or from it on when none is skipped. */
function beyond(scope: Scope, of: Model, alias: string, { order, shape, cursor }: Beyond): string {
  const directions = new Set(order.map((by) => directionOf(by, shape)))
  if (directions.size !== 1) throw new TypeError('a cursor needs an order whose columns all go the same way')
  const operator = `${directions.has('asc') ? '>' : '<'}${shape.offset ? '' : '='}`
  const at = `t${scope.aliases++}`
  const found = [`${at}.tenant_id = ${alias}.tenant_id`, ...where(scope, of, at, cursor)]
  const rowOf = (of: string) => order.map(({ sql }) => sql(of)).join(', ')
  return `(${rowOf(alias)}) ${operator} (select ${rowOf(at)} from ${of.table} ${at} where ${found.join(' and ')})`
}

function param(slot: unknown): string {
  if (!(slot instanceof Slot)) throw new TypeError('a value stands where the reader knows none')
  return `$${slot.index + 1}`
}

function added(scope: Scope, value: unknown): string {
  return `$${scope.values + scope.added.push(value)}`
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
