import type { TenantClient } from '../db.ts'
import type { ReadArgs } from './args.ts'
import { KeyReads } from './batch.ts'
import { compile, type Plan } from './compile.ts'
import { MODELS } from './model.ts'
import { outlineOf, shapeOf } from './shape.ts'

export type { ReadArgs, SqlCondition, SqlOrder } from './args.ts'
export { keyOf } from './model.ts'
export { isRow } from './rows.ts'

/** What can be read of one model; the shapes of arguments and answers are Prisma's. */
export interface ModelReader {
  findMany(args?: ReadArgs): Promise<Record<string, unknown>[]>
  findFirst(args?: ReadArgs): Promise<Record<string, unknown> | null>
  findFirstOrThrow(args?: ReadArgs): Promise<Record<string, unknown>>
  findUnique(args: ReadArgs): Promise<Record<string, unknown> | null>
  findUniqueOrThrow(args: ReadArgs): Promise<Record<string, unknown>>
}

/** Readers by model, named as in the Prisma client: `reader.member`. */
export type Reader = Readonly<Record<string, ModelReader>>

/**
 * The read path of the graph: a whole selection, relations and pages included, in one JSON-building statement.
 * Takes and gives Prisma's shapes, so that the Prisma plugin drives it; a test holds both to the same answers.
 */
export function reader(tx: TenantClient): Reader {
  return new TenantReader(tx) as unknown as Reader // its getters are defined below, one for each model
}

/** The readers of one tenant; each is made when it is asked for the first time. */
class TenantReader {
  readonly tx: TenantClient
  readonly made = new Map<string, TableReader>()

  constructor(tx: TenantClient) {
    this.tx = tx
  }
}

for (const name of MODELS.keys()) {
  Object.defineProperty(TenantReader.prototype, name.charAt(0).toLowerCase() + name.slice(1), {
    get(this: TenantReader): TableReader {
      let made = this.made.get(name)
      if (!made) {
        made = new TableReader(this.tx, name)
        this.made.set(name, made)
      }
      return made
    },
  })
}

class TableReader implements ModelReader {
  readonly #tx: TenantClient
  readonly #name: string
  #byKey: KeyReads | undefined

  constructor(tx: TenantClient, name: string) {
    this.#tx = tx
    this.#name = name
  }

  async findMany(args: ReadArgs = {}): Promise<Record<string, unknown>[]> {
    const { plan, values } = planOf(this.#name, args)
    const { tenantId } = this.#tx
    const [answer] = await this.#tx.query<{ rows: unknown[][] }>({ text: plan.text, values, name: 'read' })
    const rows = (answer?.rows ?? []).map((row) => plan.decode(row, tenantId))
    return plan.isReversed ? rows.reverse() : rows
  }

  async findFirst(args: ReadArgs = {}): Promise<Record<string, unknown> | null> {
    const [first] = await this.findMany({ ...args, take: 1 })
    return first ?? null
  }

  /** Reads of one tick that want the same of several rows become one read. */
  async findUnique(args: ReadArgs): Promise<Record<string, unknown> | null> {
    this.#byKey ??= new KeyReads((many) => this.findMany(many))
    return this.#byKey.find(args) ?? this.findFirst(args)
  }

  async findFirstOrThrow(args: ReadArgs = {}): Promise<Record<string, unknown>> {
    return this.#found(await this.findFirst(args), args)
  }

  async findUniqueOrThrow(args: ReadArgs): Promise<Record<string, unknown>> {
    return this.#found(await this.findUnique(args), args)
  }

  #found(row: Record<string, unknown> | null, { where = {} }: ReadArgs): Record<string, unknown> {
    if (!row) throw new RangeError(`no ${this.#name} where ${Object.keys(where).join(', ')}`)
    return row
  }
}

/** More shapes than all the screens of a deployment have; whoever makes up more has them compiled anew. */
const REMEMBERED = 1_000
const plans = new Map<string, Plan>()

function planOf(name: string, args: ReadArgs): { plan: Plan; values: readonly unknown[] } {
  const { key, values } = outlineOf(args)
  if (key === undefined) {
    const plan = compile(name, shapeOf(args), values.length)
    return { plan, values: [...values, ...plan.added] }
  }
  const full = name + key
  let plan = plans.get(full)
  if (!plan) {
    if (plans.size >= REMEMBERED) plans.clear()
    plan = compile(name, shapeOf(args), values.length)
    plans.set(full, plan)
  }
  return { plan, values }
}
