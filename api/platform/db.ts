import { PrismaPg } from '@prisma/adapter-pg'
import type pg from 'pg'
import { PrismaClient } from '../generated/prisma/client.ts'
import { type DryRun, dryRuns } from './dry-run.ts'
import { firstWall } from './first-wall.ts'
import { tenantPrisma } from './prisma-wall.ts'
import { RolePool } from './role-pool.ts'
import { ScopedPool } from './scoped-pool.ts'
import { statementNames } from './statement-names.ts'
import { isUuid } from './tenancy.ts'
import { type TenantClient, tenantClient } from './tenant-client.ts'

export type { Statement, TenantClient } from './tenant-client.ts'

/** The client that a service takes: inside a transaction when the caller opened one. */
export type Tx = TenantClient

/** The open database. */
export interface Db {
  /** Acts as engawa_system, which crosses tenants on the few tables that need it. Rows as pg makes them. */
  readonly system: pg.Pool
  /** The database as this tenant (a uuid) sees it. Cheap: nothing is read. */
  tenant(tenantId: string): TenantClient
  /** Work of a tenant as it would be done, on one connection, and undone in the end. */
  readonly dryRun: DryRun
  /** Waits until borrowed connections are back, then closes them all. */
  close(): Promise<void>
}

/** How to open the database. `withoutFirstWall` is for tests: the second wall has to hold by itself. */
export interface DbOptions {
  readonly url: string
  readonly appConnections?: number
  readonly systemConnections?: number
  readonly withoutFirstWall?: boolean
}

/** Opens the pools of both roles. Connects when the first statement comes. */
export function openDb(options: DbOptions): Db {
  const without = options.withoutFirstWall ?? false
  const pool = new ScopedPool({
    url: options.url,
    connections: options.appConnections ?? 10,
    statementTimeout: 5_000,
    answerTimeout: 10_000,
  })
  const system = new RolePool({
    url: options.url,
    role: 'engawa_system',
    connections: options.systemConnections ?? 4,
    statementTimeout: 60_000,
  })
  const nameOf = statementNames()
  const walled = firstWall({ without, nameOf })
  // The adapter's type asks for all of a pg.Pool; it uses `query`, `connect` and the events.
  const adapter = new PrismaPg(pool as unknown as pg.Pool, {
    statementNameGenerator: ({ sql }) => nameOf(sql),
  })
  const base = new PrismaClient({ adapter })
  const prismas = new Map<string, PrismaClient>()

  function prisma(tenantId: string): PrismaClient {
    let client = prismas.get(tenantId)
    if (!client) {
      if (prismas.size >= 1_000) prismas.clear()
      client = tenantPrisma(base, tenantId, without)
      prismas.set(tenantId, client)
    }
    return client
  }

  const parts = { pool, walled, prisma }
  return {
    system,
    tenant(tenantId) {
      if (!isUuid(tenantId)) throw new TypeError(`${tenantId} is not the id of a tenant`)
      return tenantClient(parts, tenantId)
    },
    dryRun: dryRuns(parts),
    async close() {
      await base.$disconnect()
      await Promise.all([pool.end(), system.end()])
    },
  }
}
