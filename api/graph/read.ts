import type { PrismaClient } from '../generated/prisma/client.ts'
import type { TenantClient } from '../platform/db.ts'
import { reader } from '../platform/read/index.ts'

const readers = new WeakMap<TenantClient, PrismaClient>()

/**
 * The read path of the graph, in Prisma's own words: every selection, however deep, is one JSON-building
 * statement of the viewer's tenant. It knows findMany, findFirst and findUnique with the conditions that the
 * graph uses, and throws at any other.
 */
export function read(db: TenantClient): PrismaClient {
  let client = readers.get(db)
  if (!client) {
    // The reader answers the arguments that it knows as Prisma does; a test holds it to that.
    client = reader(db) as unknown as PrismaClient
    readers.set(db, client)
  }
  return client
}
