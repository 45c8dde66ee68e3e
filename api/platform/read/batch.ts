import type { ReadArgs } from './args.ts'

type Row = Record<string, unknown>

interface Group {
  readonly args: ReadArgs
  readonly field: string
  readonly waiting: Array<{
    readonly key: unknown
    resolve(row: Row | null): void
    reject(error: unknown): void
  }>
}

/**
 * Reads of single rows by key that fall into one tick and want the same of them become one read of many. They are
 * all one tenant's: every tenant has readers of its own.
 */
export class KeyReads {
  readonly #findMany: (args: ReadArgs) => Promise<Row[]>
  readonly #groups = new Map<string, Group>()

  constructor(findMany: (args: ReadArgs) => Promise<Row[]>) {
    this.#findMany = findMany
  }

  /** The row with this key, null when there is none; undefined when the arguments are no plain key. */
  find({ where = {}, ...args }: ReadArgs): Promise<Row | null> | undefined {
    const { key, rest } = takeKey(where)
    if (!key) return undefined
    const shape = JSON.stringify([key.field, rest, args], (_name, value) =>
      typeof value === 'bigint' ? `${value}n` : value,
    )
    let group = this.#groups.get(shape)
    if (!group) {
      group = {
        args: { ...args, where: rest, ...(args.select && { select: { ...args.select, [key.field]: true } }) },
        field: key.field,
        waiting: [],
      }
      this.#groups.set(shape, group)
      // After the promises of this tick, so that everything that a level of the answer asks for is there.
      void Promise.resolve().then(() => process.nextTick(() => this.#run(shape)))
    }
    const { waiting } = group
    return new Promise((resolve, reject) => waiting.push({ key: key.value, resolve, reject }))
  }

  async #run(shape: string): Promise<void> {
    const group = this.#groups.get(shape)
    this.#groups.delete(shape)
    if (!group) return
    const { args, field, waiting } = group
    try {
      const keys = [...new Set(waiting.map(({ key }) => key))]
      const rows = await this.#findMany({ ...args, where: { ...args.where, [field]: { in: keys } } })
      const found = new Map(rows.map((row) => [row[field], row]))
      for (const { key, resolve } of waiting) resolve(found.get(key) ?? null)
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }
}

/** Of `{ tenantId_id: { tenantId, id }, …rest }`, the one field that tells rows of a tenant apart. */
function takeKey(where: Readonly<Record<string, unknown>>) {
  for (const [name, value] of Object.entries(where)) {
    if (!name.startsWith('tenantId_') || typeof value !== 'object' || value === null) continue
    const { [name]: _, ...rest } = where
    const { tenantId: __, ...fields } = value as Record<string, unknown> // a compound key of Prisma's
    const [only, more] = Object.entries(fields)
    return only && !more ? { key: { field: only[0], value: only[1] }, rest } : { key: undefined, rest }
  }
  return { key: undefined, rest: where }
}
