import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { Log } from '../../api/platform/log.ts'
import { openLog } from '../../api/platform/log.ts'
import { onServer } from './server.ts'
import { until } from './until.ts'

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
    const client = new pg.Client({
      connectionString: url,
      application_name: 'writer',
      options: '-c role=engawa_owner',
    })
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

/** Lets several writers work side by side, each on a connection of its own. */
export async function writers(
  url: string,
  count: number,
  work: (writer: EventWriter, who: number) => Promise<unknown>,
): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async (_, who) => {
      const writer = await EventWriter.open(url)
      await work(writer, who).finally(() => writer.close())
    }),
  )
}

/** How many events wait to be logged. */
export async function outboxSize(url: string): Promise<number> {
  const { rows } = await onServer(url, (client) =>
    client.query('select count(*)::int as waiting from outbox'),
  )
  return rows[0].waiting
}

/** The last position of a tenant's log. */
export async function headOf(url: string, tenantId: string): Promise<number> {
  const { rows } = await onServer(url, (client) =>
    client.query('select pos::int from event_head where tenant_id = $1', [tenantId]),
  )
  return rows[0]?.pos ?? 0
}

/** Whether positions are 1, 2, 3 … */
export function isDense(log: readonly { readonly pos: number }[]): boolean {
  return log.every((event, index) => event.pos === index + 1)
}

/** A tenant with so many events in its log, {"i": 1} and so on; somebody must lead. */
export async function tenantWith(url: string, count: number): Promise<string> {
  const [tenantId = ''] = await addTenants(url, 1)
  if (count > 0) await logEvents(url, tenantId, count)
  return tenantId
}

/** Writes so many events and waits until they are logged; somebody must lead. */
export async function logEvents(url: string, tenantId: string, count: number): Promise<void> {
  const before = await headOf(url, tenantId)
  await writers(url, 1, (writer) => writer.fill(tenantId, count))
  await until(async () => (await headOf(url, tenantId)) === before + count)
}

/** Makes the first events of a tenant as old as ten days, and drops what is older than a week. */
export async function age(url: string, tenantId: string, upTo: number): Promise<void> {
  await onServer(url, async (client) => {
    await client.query(`begin; set local role engawa_owner;
      create table event_log_20200101 partition of event_log for values from ('2020-01-01') to ('2020-01-02');
      commit`)
    await client.query(
      `with moved as (delete from event_log where tenant_id = $1 and pos <= $2 returning *)
       insert into event_log (tenant_id, pos, logged_at, id, type, member_id, payload, at, booked_at)
       select tenant_id, pos, '2020-01-01T12:00Z', id, type, member_id, payload, at, booked_at from moved`,
      [tenantId, upTo],
    )
    await client.query(`select event_log_partitions('7 days')`)
  })
}
