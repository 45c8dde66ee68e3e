import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { Log } from '../../api/platform/log.ts'
import { openLog } from '../../api/platform/log.ts'
import { onServer } from './server.ts'

/** A log that nobody reads. */
export const silent: Log = openLog({ level: 'silent' })

/** Adds tenants and returns their ids. */
export async function addTenants(url: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID())
  await onServer(url, (client) =>
    client.query(
      `insert into tenant (id, key, name, time_zone, locale)
       select id, 't-' || id, 'Shop', 'Asia/Tokyo', 'ja' from unnest($1::uuid[]) id`,
      [ids],
    ),
  )
  return ids
}

/** Writes events as the write functions do: into the outbox, in a transaction of the owner. */
export class EventWriter {
  readonly #client: pg.Client

  private constructor(client: pg.Client) {
    this.#client = client
  }

  static async open(url: string): Promise<EventWriter> {
    const client = new pg.Client({ connectionString: url, options: '-c role=engawa_owner' })
    client.on('error', () => {})
    await client.connect()
    return new EventWriter(client)
  }

  /** Announces events in one transaction; `before` runs in it, and what it throws rolls it back. */
  async write(tenantId: string, payloads: readonly object[], before?: () => Promise<void>): Promise<void> {
    await this.#client.query('begin')
    try {
      await this.#client.query('select set_config($1, $2, true)', ['app.tenant', tenantId])
      for (const payload of payloads) {
        await this.#client.query({
          name: 'announce',
          text: `select announce('test.happened', null, $1, clock_timestamp())`,
          values: [payload],
        })
      }
      await before?.()
      await this.#client.query('commit')
    } catch (error) {
      await this.#client.query('rollback')
      throw error
    }
  }

  /** Announces numbered events {"i": 1} … {"i": count} with one statement. */
  async fill(tenantId: string, count: number): Promise<void> {
    await this.#client.query('begin')
    await this.#client.query('select set_config($1, $2, true)', ['app.tenant', tenantId])
    await this.#client.query(
      `insert into outbox (tenant_id, type, payload, at)
       select $1, 'test.happened', jsonb_build_object('i', i), clock_timestamp() from generate_series(1, $2::int) i`,
      [tenantId, count],
    )
    await this.#client.query('commit')
  }

  async close(): Promise<void> {
    await this.#client.end()
  }
}

/** What the log holds of a tenant, in order of positions. */
export async function readLog(
  url: string,
  tenantId: string,
): Promise<{ pos: number; payload: Record<string, unknown> }[]> {
  return onServer(url, async (client) => {
    const { rows } = await client.query(
      'select pos::int, payload from event_log where tenant_id = $1 order by pos',
      [tenantId],
    )
    return rows
  })
}
