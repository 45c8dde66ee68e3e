import type { Order, ReadArgs, Where } from './args.ts'

/** Stands in a shape where a value was; `index` is the place of the value among all of them. */
export class Slot {
  readonly index: number

  constructor(index: number) {
    this.index = index
  }
}

/** Arguments without their values. What asks for the same shape is the same statement. */
export interface Shape {
  /** With slots for values. A `null` is no value: it is another question. */
  readonly where: Where | undefined
  readonly cursor: Where | undefined
  readonly orderBy: readonly Order[]
  readonly limit: Slot | undefined
  /** The last rows are asked for, in the order that was asked for. */
  readonly isReversed: boolean
  readonly offset: Slot | undefined
  /** Undefined: every column, and what `include` adds. */
  readonly select: Fields | undefined
  readonly include: Fields | undefined
}

/** Columns (true) and relations of a shape. */
export type Fields = Readonly<Record<string, true | Shape>>

/** What tells arguments of one shape from those of another, and the values in the order of the shape's slots. */
export interface Outline {
  /** Undefined when the arguments bring SQL of their own, which may be another each time. */
  readonly key: string | undefined
  readonly values: unknown[]
}

/** Tells the shape of arguments from their values, at little cost: most shapes have been seen before. */
export function outlineOf(args: ReadArgs): Outline {
  const walk = new Walk(false)
  walk.args(args)
  return { key: walk.hasSql ? undefined : walk.key, values: walk.values }
}

/** The shape itself. Its slots are numbered as `outlineOf` lists the values: it is the same walk. */
export function shapeOf(args: ReadArgs): Shape {
  return new Walk(true).args(args)
}

class Walk {
  readonly values: unknown[] = []
  key = ''
  hasSql = false
  readonly #keeps: boolean

  constructor(keeps: boolean) {
    this.#keeps = keeps
  }

  args({ where, cursor, orderBy, take, skip, select, include }: ReadArgs): Shape {
    this.key += '('
    const shape = {
      where: where && this.#conditions('w', where),
      cursor: cursor && this.#conditions('c', cursor),
      orderBy: orderBy ? this.#orders(orderBy) : NO_ORDER,
      isReversed: take !== undefined && take < 0,
      limit: take === undefined ? undefined : this.#value(take < 0 ? '-' : '+', Math.abs(take)),
      offset: skip ? this.#value('s', skip) : undefined,
      select: select && this.#fields('{', select),
      include: include && this.#fields('[', include),
    }
    this.key += ')'
    return shape
  }

  #value(sign: string, value: unknown): Slot {
    this.key += sign
    return new Slot(this.values.push(value) - 1)
  }

  #conditions(sign: string, where: Where): Where {
    const kept: Record<string, unknown> = {}
    this.key += sign
    for (const name in where) {
      const value = where[name]
      if (value === undefined) continue
      this.key += `${name}:`
      const condition = this.#condition(name, value)
      if (this.#keeps) kept[name] = condition
    }
    this.key += ';'
    return kept
  }

  #condition(name: string, value: unknown): unknown {
    if (value === null) {
      this.key += '0'
      return null
    }
    if (typeof value === 'function') {
      this.hasSql = true
      return value
    }
    if (name === 'AND' && Array.isArray(value)) return value.map((each) => this.#conditions('&', each))
    if (isPlain(value)) return this.#conditions('w', value)
    return this.#value('=', value)
  }

  #orders(orderBy: Order | readonly Order[]): readonly Order[] {
    const orders = Array.isArray(orderBy) ? (orderBy as readonly Order[]) : [orderBy as Order]
    this.key += 'o'
    for (const order of orders) {
      for (const name in order) {
        const by = order[name]
        if (typeof by === 'object') this.hasSql = true
        else this.key += `${name} ${by},`
      }
    }
    return orders
  }

  #fields(sign: string, fields: NonNullable<ReadArgs['select']>): Fields {
    const kept: Record<string, true | Shape> = {}
    this.key += sign
    for (const name in fields) {
      const ask = fields[name]
      if (!ask) continue
      this.key += `${name},`
      const field = ask === true || this.args(ask)
      if (this.#keeps) kept[name] = field
    }
    return kept
  }
}

const NO_ORDER: readonly Order[] = []

/** Conditions or operators; instants, bytes and lists are values. */
function isPlain(value: unknown): value is Where {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
