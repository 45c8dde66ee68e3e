import type { TenantClient } from '../db.ts'
import { KeyReads } from './batch.ts'
import { compile, type ReadArgs } from './compile.ts'
import { MODELS } from './model.ts'

export { isRow, type ReadArgs, type SqlCondition, type SqlOrder } from './compile.ts'

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
  const readers: Record<string, ModelReader> = {}
  for (const name of MODELS.keys())
    readers[name.charAt(0).toLowerCase() + name.slice(1)] = modelReader(tx, name)
  return readers
}

function modelReader(tx: TenantClient, name: string): ModelReader {
  const findMany = async (args: ReadArgs = {}) => {
    const { text, values, decode, isReversed } = compile(name, args)
    const [answer] = await tx.query<{ rows: unknown[][] }>({ text, values, name: 'read' })
    const rows = (answer?.rows ?? []).map(decode)
    return isReversed ? rows.reverse() : rows
  }
  const byKey = new KeyReads(findMany)
  const findFirst = async (args: ReadArgs = {}) => (await findMany({ ...args, take: 1 }))[0] ?? null
  const findUnique = async (args: ReadArgs) => byKey.find(args) ?? findFirst(args)
  const orThrow =
    (find: (args: ReadArgs) => Promise<Record<string, unknown> | null>) =>
    async (args: ReadArgs = {}) => {
      const found = await find(args)
      if (!found) throw new RangeError(`no ${name} where ${Object.keys(args.where ?? {}).join(', ')}`)
      return found
    }
  return {
    findMany,
    findFirst,
    findUnique,
    findFirstOrThrow: orThrow(findFirst),
    findUniqueOrThrow: orThrow(findUnique),
  }
}
