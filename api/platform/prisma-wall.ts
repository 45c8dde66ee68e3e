import { Prisma, type PrismaClient } from '../generated/prisma/client.ts'
import { inTenant } from './tenancy.ts'

/**
 * The first wall in Prisma: a client that asks for, and writes, one tenant's rows alone, and whose
 * statements run as that tenant. With `without`, the filters are left out and only the second wall
 * stands.
 *
 * `findUnique` becomes `findFirst`: Prisma gathers the `findUnique` calls of one turn into a single
 * statement, across tenants, and the second of them would get nothing.
 */
export function tenantPrisma(base: PrismaClient, tenantId: string, without: boolean): PrismaClient {
  const walled = base.$extends({
    name: 'tenant',
    query: {
      $allOperations({ model, operation, args, query }) {
        const own = without || model === undefined ? args : ownArguments(model, operation, args, tenantId)
        return inTenant(tenantId, () => query(own))
      },
    },
    model: {
      $allModels: {
        findUnique(args: Arguments) {
          return readerOf(this).findFirst(withoutCompoundKeys(args))
        },
        findUniqueOrThrow(args: Arguments) {
          return readerOf(this).findFirstOrThrow(withoutCompoundKeys(args))
        },
      },
    },
  })
  const transaction = walled.$transaction.bind(walled) as (...given: unknown[]) => Promise<unknown>
  const client = walled.$extends({
    client: {
      // A transaction takes its connection before its first statement.
      $transaction: (...given: unknown[]) => inTenant(tenantId, () => transaction(...given)),
    },
  })
  // The extensions change what the methods do and none of their types.
  return client as unknown as PrismaClient
}

type Arguments = Readonly<Record<string, unknown>>

interface Reader {
  findFirst(args: Arguments): Promise<unknown>
  findFirstOrThrow(args: Arguments): Promise<unknown>
}

function readerOf(model: unknown): Reader {
  return Prisma.getExtensionContext(model) as Reader
}

/** `{ tenantId_id: { tenantId, id } }` as `{ tenantId, id }`, which `findFirst` understands. */
function withoutCompoundKeys(args: Arguments): Arguments {
  const where: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(asArguments(args.where))) {
    if (isArguments(value) && 'tenantId' in value && key.includes('_')) Object.assign(where, value)
    else where[key] = value
  }
  return { ...args, where }
}

function ownArguments(model: string, operation: string, given: unknown, tenantId: string): Arguments {
  const args = asArguments(given)
  const column = TENANT_FIELD.get(model)
  if (column === undefined) return args
  const own = { [column]: tenantId }
  switch (operation) {
    case 'create':
      return { ...args, data: { ...asArguments(args.data), ...own } }
    case 'createMany':
    case 'createManyAndReturn': {
      const rows: unknown[] = Array.isArray(args.data) ? args.data : [args.data]
      return { ...args, data: rows.map((row) => ({ ...asArguments(row), ...own })) }
    }
    case 'upsert':
      return {
        ...args,
        where: { ...asArguments(args.where), ...own },
        create: { ...asArguments(args.create), ...own },
      }
    default:
      return { ...args, where: { ...asArguments(args.where), ...own } }
  }
}

function asArguments(value: unknown): Arguments {
  return isArguments(value) ? value : {}
}

function isArguments(value: unknown): value is Arguments {
  return typeof value === 'object' && value !== null
}

/** The field of each model that holds its tenant; models of no tenant are not in it. */
const TENANT_FIELD = new Map<string, string>([['Tenant', 'id']])
for (const model of Object.values(Prisma.ModelName)) {
  // The generated namespace has one such list of fields for every model, and no index over them.
  const fields = (Prisma as unknown as Record<string, Arguments | undefined>)[`${model}ScalarFieldEnum`]
  if (fields && 'tenantId' in fields) TENANT_FIELD.set(model, 'tenantId')
}
