import type pg from 'pg'
import { EventFeed, type LoggedEvent, type Page } from './event-feed.ts'
import type { Head } from './hints.ts'
import type { Log } from './log.ts'

/** How far a tenant's log reaches, read at one moment. */
export interface Bounds {
  readonly tenantId: string
  readonly epoch: bigint
  /** The position before the oldest event that is kept. */
  readonly floor: bigint
  readonly head: bigint
}

export interface EventLogOptions {
  /** Acts as the system role. */
  readonly pool: pg.Pool
  readonly log: Log
  /** How many events a read of the log brings at most. */
  readonly pageSize?: number
  /** How many recent events of one tenant, and of all, stay in memory while somebody follows. */
  readonly ringSize?: number
  readonly ringsSize?: number
  /** How often heads are asked for, in milliseconds. */
  readonly pollMs?: number
}

/** Rings into which nothing came for this long are emptied. */
const RING_REST_MS = 10_000

/** How long a read may take, in milliseconds. */
const READ_MS = 10_000

const PAGE = `
select pos, id, type, member_id, payload, at, booked_at
from event_log where tenant_id = $1 and pos > $2 order by pos limit $3`

const HEADS = `
select s.epoch, h.tenant_id, h.pos from sequencer s left join event_head h on h.tenant_id = any ($1)`

const BOUNDS = `
select s.epoch, t.id as tenant_id, coalesce(h.pos, 0) as head,
       (select l.pos - 1 from event_log l where l.tenant_id = t.id order by l.pos limit 1) as floor
from sequencer s cross join unnest($1::uuid[]) t (id) left join event_head h on h.tenant_id = t.id`

/**
 * The log as one node reads it: a feed for each tenant that is followed, whose heads are polled with
 * one query for all. Hints only make it faster.
 */
export class EventLog {
  readonly #options: EventLogOptions
  readonly #feeds = new Map<string, EventFeed>()
  readonly #budget
  readonly #timer: NodeJS.Timeout
  #epoch: bigint | undefined
  #isPolling = false
  #isAway = false
  #asked: { tenants: Set<string>; answer: Promise<Map<string, Bounds>> } | undefined

  constructor(options: EventLogOptions) {
    this.#options = options
    this.#budget = { perFeed: options.ringSize ?? 1_024, perNode: options.ringsSize ?? 65_536, used: 0 }
    this.#timer = setInterval(() => void this.poll(), options.pollMs ?? 500)
    this.#timer.unref()
  }

  /** The epoch as last seen. */
  get epoch(): bigint | undefined {
    return this.#epoch
  }

  get feeds(): readonly EventFeed[] {
    return [...this.#feeds.values()]
  }

  /** Events in the rings of all feeds. */
  get ringEvents(): number {
    return this.#budget.used
  }

  /** Reads how far a log reaches now. Questions that come together become one query, begun after all of them. */
  async bounds(tenantId: string): Promise<Bounds> {
    if (!this.#asked) {
      const tenants = new Set<string>()
      const answer = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        this.#asked = undefined
        return this.#readBounds([...tenants])
      })
      this.#asked = { tenants, answer }
    }
    const { tenants, answer } = this.#asked
    tenants.add(tenantId)
    const bounds = (await answer).get(tenantId)
    if (!bounds) throw new Error('the sequencer row is missing: migrations are not complete')
    return bounds
  }

  /** Joins the feed of a tenant, made when nobody follows it yet. Every join is followed by one `leave`. */
  join(bounds: Bounds): EventFeed {
    let feed = this.#feeds.get(bounds.tenantId)
    if (!feed) {
      const head = { tenantId: bounds.tenantId, pos: bounds.head }
      feed = new EventFeed(
        head,
        (tenantId, after, head) => this.#readPage(tenantId, after, head),
        this.#budget,
      )
      this.#feeds.set(bounds.tenantId, feed)
    }
    feed.confirm(bounds.head)
    feed.subscribers++
    return feed
  }

  leave(feed: EventFeed): void {
    if (--feed.subscribers > 0) return
    this.#feeds.delete(feed.tenantId)
    feed.close()
  }

  /** Somebody says that a log has grown. */
  hint(head: Head): void {
    this.#feeds.get(head.tenantId)?.hint(head.pos)
  }

  /** Asks for the heads of all followed tenants. Failures are logged once and tried again. */
  async poll(): Promise<void> {
    if (this.#isPolling || this.#feeds.size === 0) return
    this.#isPolling = true
    for (const feed of this.#feeds.values()) feed.rest(RING_REST_MS)
    const before = new Map([...this.#feeds].map(([tenantId, feed]) => [tenantId, feed.head]))
    await this.#readHeads(before).catch(() => {}) // logged below, tried again at the next tick
    this.#isPolling = false
  }

  /** Wakes all who follow, for the last time. */
  close(): void {
    clearInterval(this.#timer)
    for (const feed of this.#feeds.values()) feed.close()
  }

  async #readHeads(before: ReadonlyMap<string, bigint>): Promise<void> {
    const rows = await this.#query<{ epoch: string; tenant_id: string | null; pos: string | null }>({
      name: 'engawa_heads',
      text: HEADS,
      values: [[...before.keys()]],
    })
    const heads = new Map(rows.map((row) => [row.tenant_id, BigInt(row.pos ?? 0)]))
    this.#notice(rows[0]?.epoch)
    for (const [tenantId, known] of before) {
      const head = heads.get(tenantId) ?? 0n
      const feed = this.#feeds.get(tenantId)
      if (head < known) feed?.regress(head)
      else feed?.confirm(head)
    }
  }

  async #readBounds(tenants: string[]): Promise<Map<string, Bounds>> {
    const rows = await this.#query<{ epoch: string; tenant_id: string; head: string; floor: string | null }>({
      name: 'engawa_bounds',
      text: BOUNDS,
      values: [tenants],
    })
    this.#notice(rows[0]?.epoch)
    return new Map(
      rows.map((row) => [
        row.tenant_id,
        {
          tenantId: row.tenant_id,
          epoch: BigInt(row.epoch),
          head: BigInt(row.head),
          floor: BigInt(row.floor ?? row.head),
        },
      ]),
    )
  }

  /** Epochs only rise; an answer that was overtaken by a newer one says nothing. */
  #notice(text: string | undefined): void {
    const epoch = BigInt(text ?? 0)
    if (epoch <= (this.#epoch ?? 0n)) return
    this.#epoch = epoch
    for (const feed of this.#feeds.values()) feed.wakeAll()
  }

  async #readPage(tenantId: string, after: bigint, head: bigint): Promise<Page> {
    const rows = await this.#query<EventRow>({
      name: 'engawa_page',
      text: PAGE,
      values: [tenantId, after, this.#options.pageSize ?? 500],
    })
    const [first] = rows
    /* Positions are dense: a missing one that was logged has expired. */
    if (!first) return head > after ? { resumeFrom: head } : { events: [] }
    if (BigInt(first.pos) !== after + 1n) return { resumeFrom: BigInt(first.pos) - 1n }
    const events = rows.map((row) => toEvent(tenantId, row))
    const gap = events.findIndex((event, index) => event.pos !== after + 1n + BigInt(index))
    return { events: gap < 0 ? events : events.slice(0, gap) }
  }

  /** Logs the first failure of a row of them. */
  async #query<Row extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<Row[]> {
    try {
      /* A server that vanished must not hold the poll for ever; the pool drops the connection. */
      const limited: pg.QueryConfig & { query_timeout: number } = { ...query, query_timeout: READ_MS }
      const { rows } = await this.#options.pool.query<Row>(limited)
      this.#isAway = false
      return rows
    } catch (error) {
      if (!this.#isAway) this.#options.log.warn({ err: error }, 'events: the log cannot be read')
      this.#isAway = true
      throw error
    }
  }
}

/** Makes every cursor given out before a restore invalid. To be called once after a backup was restored. */
export async function startEpoch(pool: pg.Pool): Promise<void> {
  /* The clock, so that restoring one backup twice does not give the same epoch twice. */
  await pool.query(
    'update sequencer set epoch = greatest(epoch + 1, (extract(epoch from clock_timestamp()) * 1000)::bigint)',
  )
}

interface EventRow {
  pos: string
  id: string
  type: string
  member_id: string | null
  payload: Record<string, unknown>
  at: Date
  booked_at: Date
}

function toEvent(tenantId: string, row: EventRow): LoggedEvent {
  return {
    id: row.id,
    tenantId,
    pos: BigInt(row.pos),
    type: row.type,
    memberId: row.member_id,
    payload: row.payload,
    at: row.at,
    bookedAt: row.booked_at,
  }
}
