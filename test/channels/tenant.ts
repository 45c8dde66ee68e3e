import pg from 'pg'
import { onTestFinished } from 'vitest'
import { type Db, openDb, type TenantClient } from '../../api/platform/db.ts'
import { newId } from '../../api/platform/ids.ts'

/** A tenant of its own, with a door for what a test may do and the product may not. */
export interface Ground {
  readonly db: Db
  readonly tenant: TenantClient
  /** Everything is allowed here, and every tenant is seen. */
  readonly everything: pg.Pool
  /** The one value that a statement of the tenant's application gives. */
  value<T>(text: string, ...values: unknown[]): Promise<T>
}

/** Opens a new tenant on the test's database; closed when the test ends. */
export async function openGround(url: string): Promise<Ground> {
  const db = openDb({ url, appConnections: 8, systemConnections: 2 })
  const everything = new pg.Pool({ connectionString: url, max: 3 })
  everything.on('error', () => {})
  onTestFinished(async () => {
    await Promise.all([db.close(), everything.end()])
  })
  const id = newId()
  await db.system.query(
    `insert into tenant (id, key, name, time_zone, locale) values ($1, $2, 'Shop', 'Asia/Tokyo', 'ja')`,
    [id, `shop-${id}`],
  )
  const tenant = db.tenant(id)
  return {
    db,
    tenant,
    everything,
    async value<T>(text: string, ...values: unknown[]) {
      const [row] = await tenant.query<{ value: T }>({ text: `select ${text} as value`, values })
      return (row as { value: T }).value // a select of one function gives one row
    },
  }
}
