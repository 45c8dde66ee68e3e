import { type Config, readConfig } from '../platform/config.ts'
import { openDatabase } from '../platform/database.ts'
import { type Db, openDb } from '../platform/db.ts'
import { openTenants, type Tenant } from '../platform/tenancy.ts'
import { Obstacle } from './explain.ts'

/** What a command works on. */
export interface Workplace {
  readonly config: Config
  readonly db: Db
}

/** Runs the work on the database of the configuration, migrated; shares an embedded one that runs, or starts it. */
export async function atWork<T>(work: (workplace: Workplace) => Promise<T>): Promise<T> {
  const config = readConfig(process.env)
  const database = await openDatabase(config)
  try {
    const db = openDb({ url: database.url, appConnections: 4, systemConnections: 2 })
    try {
      return await work({ config, db })
    } finally {
      await db.close()
    }
  } finally {
    await database.close()
  }
}

/** The tenant of that key. Throws Obstacle, naming those there are, when there is none. */
export async function findTenant({ system }: Db, key: string): Promise<Tenant> {
  const tenant = await openTenants(system).byKey(key)
  if (tenant) return tenant
  const { rows } = await system.query<{ key: string }>('select key from tenant order by key limit 20')
  const known = rows.map((row) => row.key)
  throw new Obstacle(
    known.length > 0
      ? `There is no tenant "${key}". There is: ${known.join(', ')}.`
      : `There is no tenant "${key}", nor any other. Make one with "tenant create", or load the demo with "demo".`,
  )
}
