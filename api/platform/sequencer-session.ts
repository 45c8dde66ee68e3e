import net from 'node:net'
import type { Head } from './hints.ts'
import { RoleClient } from './role-pool.ts'

/** What one batch moved from the outbox to the log. */
export interface Moved {
  readonly heads: readonly Head[]
  readonly events: number
  /** Milliseconds between the writing of the oldest event of the batch and now; 0 when nothing moved. */
  readonly lagMs: number
}

/** One for each database: whoever holds it moves events. */
const LOCK = '435761734497'

const SEEK = `select pg_try_advisory_lock(${LOCK}) as leads, (select address from sequencer) as address`

/*
 * The array keeps the plan on the index; `n in (select … limit)` scans the outbox.
 * Rows that commit late with a smaller n simply come in a later batch: what is taken is deleted.
 */
const MOVE = `
with taken as (
  delete from outbox
  where n = any (array(select n from outbox order by n limit $1))
  returning tenant_id, n, id, type, member_id, payload, at, booked_at
), grown as (
  select tenant_id, count(*) as events, min(booked_at) as oldest from taken group by tenant_id
), head as (
  insert into event_head (tenant_id, pos)
  select tenant_id, events from grown order by tenant_id
  on conflict (tenant_id) do update set pos = event_head.pos + excluded.pos
  returning tenant_id, pos
), logged as (
  insert into event_log (tenant_id, pos, id, type, member_id, payload, at, booked_at)
  select t.tenant_id,
         h.pos - g.events + row_number() over (partition by t.tenant_id order by t.n),
         t.id, t.type, t.member_id, t.payload, t.at, t.booked_at
  from taken t join grown g using (tenant_id) join head h using (tenant_id)
)
select tenant_id, h.pos, g.events,
       greatest(0, extract(epoch from clock_timestamp() - g.oldest) * 1000)::float8 as lag_ms
from head h join grown g using (tenant_id)`

/**
 * The database session that the sequencer holds its lock on and works on: losing the one loses the
 * other, with the open transaction. The URL must reach PostgreSQL itself, not a transaction pooler.
 */
export class SequencerSession {
  readonly #client: RoleClient
  readonly #socket = new net.Socket()
  readonly #lost = new AbortController()

  constructor(url: string) {
    this.#client = new RoleClient({
      connectionString: url,
      application_name: 'engawa sequencer',
      stream: () => this.#socket,
      connectionTimeoutMillis: 5_000,
      /* A server that does not answer is given up after the server itself has given up. */
      query_timeout: 7_000,
      /* The server ends a session whose process stopped or whose host vanished, so that another can lead. */
      startup: [
        'role=engawa_system',
        'timezone=UTC',
        'synchronous_commit=on',
        'statement_timeout=5s',
        'lock_timeout=2s',
        'idle_session_timeout=5s',
        'idle_in_transaction_session_timeout=5s',
        'tcp_keepalives_idle=2',
        'tcp_keepalives_interval=1',
        'tcp_keepalives_count=3',
      ]
        .map((setting) => `-c ${setting}`)
        .join(' '),
    })
    const lost = () => this.#lost.abort()
    this.#client.on('error', lost)
    this.#client.on('end', lost)
  }

  /** Aborted once the session is gone, and with it the lock. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** The interface by which this host reaches the database; its siblings reach it there too. */
  get host(): string {
    const { localAddress } = this.#socket
    return localAddress === undefined || localAddress === '::1' ? '127.0.0.1' : localAddress
  }

  async connect(): Promise<void> {
    await this.#client.connect()
  }

  /** Tries to take the lead. Tells where the present leader listens when somebody else has it. */
  async seek(): Promise<{ leads: boolean; address: string | null }> {
    const { rows } = await this.#client.query({ name: 'seek', text: SEEK })
    return rows[0]
  }

  /** Publishes where to poke the leader. */
  async announce(address: string | null): Promise<void> {
    await this.#client.query('update sequencer set address = $1, leads_since = clock_timestamp()', [address])
  }

  /** Makes the coming days' partitions of the log and drops those older than `keep`, an interval. */
  async keepPartitions(keep: string): Promise<void> {
    await this.#client.query('select event_log_partitions($1)', [keep])
  }

  /** Moves up to `limit` events from the outbox to the log, in one transaction, densely per tenant. */
  async move(limit: number): Promise<Moved> {
    const { rows } = await this.#client.query<{
      tenant_id: string
      pos: string
      events: string
      lag_ms: number
    }>({
      name: 'move',
      text: MOVE,
      values: [limit],
    })
    return {
      heads: rows.map((row) => ({ tenantId: row.tenant_id, pos: BigInt(row.pos) })),
      events: rows.reduce((sum, row) => sum + Number(row.events), 0),
      lagMs: rows.reduce((most, row) => Math.max(most, row.lag_ms), 0),
    }
  }

  /** Gives up the lead, if it was held, and ends the session. A server that hangs is not waited for. */
  async close(address?: string | null): Promise<void> {
    const goodbye = async () => {
      if (this.lost.aborted) return
      if (address)
        await this.#client.query('update sequencer set address = null where address = $1', [address])
      await this.#client.query(`select pg_advisory_unlock(${LOCK}) where $1`, [address !== undefined])
      await this.#client.end()
    }
    await Promise.race([
      goodbye().catch(() => {}),
      new Promise((resolve) => setTimeout(resolve, 1_000).unref()),
    ])
    this.#socket.destroy()
  }
}
