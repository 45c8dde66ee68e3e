import { createSecretKey } from 'node:crypto'
import type pg from 'pg'
import type { ResetReason } from './cursor.ts'
import { EventLog } from './event-log.ts'
import { type HintBus, openHints } from './hints.ts'
import { type FollowOptions, type Frame, Live } from './live.ts'
import type { Log } from './log.ts'
import { Sequencer, type SequencerNumbers } from './sequencer.ts'

export type { LoggedEvent } from './event-feed.ts'
export { startEpoch } from './event-log.ts'
export type { FollowOptions, Frame } from './live.ts'

export interface EventsOptions {
  /** Reaches PostgreSQL itself, not a transaction pooler. */
  readonly url: string
  /** Acts as the system role. It stays the caller's to close. */
  readonly systemPool: pg.Pool
  /** At least 32 secret bytes, the same on every node. */
  readonly cursorKey: Uint8Array
  /** Where hints travel: NATS when its URL is given, else the database. `dropShare` is for tests. */
  readonly hints?: { readonly natsUrl?: string; readonly dropShare?: number }
  /** A `web` node leads only when no worker is quicker. */
  readonly role: 'web' | 'worker' | 'both'
  /** How long the log keeps events, as an interval. */
  readonly keep?: string
  readonly log: Log
  /** For tests: other times and sizes than the usual ones. */
  readonly tuning?: {
    readonly pageSize?: number
    readonly ringSize?: number
    readonly pollMs?: number
    readonly checkpointMs?: number
    readonly filteredMs?: number
  }
}

/** Figures of one node. */
export interface EventsNumbers {
  readonly sequencer: SequencerNumbers
  readonly followers: number
  /** Events held in memory for all tenants. */
  readonly ringEvents: number
  readonly tenants: readonly {
    readonly tenantId: string
    readonly head: bigint
    readonly ringEvents: number
    readonly followers: number
  }[]
  readonly isHinted: boolean
}

/** The event log and live streams of one node. */
export interface Events {
  /** To be called after each commit that announced something. Never throws, never waits. */
  poke(): void
  /** See `Live.follow`. */
  follow(options: FollowOptions): AsyncGenerator<Frame, void, undefined>
  /** The cursor of a log's present end; read it before the snapshot it belongs to. */
  headCursor(tenantId: string): Promise<string>
  /** The position that a cursor stands for, or why nothing can go on from there. */
  place(tenantId: string, cursor: string): Promise<bigint | 'INVALID' | ResetReason>
  /**
   * Calls back, with the tenant's id, when a log may have grown: often, at once, and never surely, for hints get
   * lost. Returns how to stop.
   */
  onGrowth(listener: (tenantId: string) => void): () => void
  /** True while this node leads or knows that another one does: what is announced gets logged. */
  ready(): boolean
  numbers(): EventsNumbers
  /** Ends all streams, finishes the batch in hand and releases the lead. */
  close(): Promise<void>
}

/** Starts the sequencer, the hints and the reader of one node. It needs no database yet to return. */
export function openEvents(options: EventsOptions): Events {
  if (options.cursorKey.length < 32) throw new RangeError('the cursor key needs at least 32 bytes')
  const log = new EventLog({ pool: options.systemPool, log: options.log, ...options.tuning })
  const live = new Live({ log, cursorKey: createSecretKey(options.cursorKey), ...options.tuning })
  const listeners = new Set<(tenantId: string) => void>()
  const hints: HintBus = openHints({
    url: options.url,
    log: options.log,
    ...options.hints,
    onHint: (head) => {
      log.hint(head)
      for (const listener of listeners) listener(head.tenantId)
    },
  })
  const sequencer = new Sequencer({
    url: options.url,
    log: options.log,
    keep: options.keep ?? '7 days',
    seekMs: options.role === 'web' ? 600 : 250,
    publish: (heads) => hints.publish(heads),
  })
  return {
    poke: () => sequencer.poke(),
    follow: (follow) => live.follow(follow),
    headCursor: (tenantId) => live.headCursor(tenantId),
    place: (tenantId, cursor) => live.place(tenantId, cursor),
    onGrowth(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    ready: () => sequencer.isReady,
    numbers: () => ({
      sequencer: sequencer.numbers(),
      followers: live.followers,
      ringEvents: log.ringEvents,
      tenants: log.feeds.map((feed) => ({
        tenantId: feed.tenantId,
        head: feed.head,
        ringEvents: feed.ringSize,
        followers: feed.subscribers,
      })),
      isHinted: hints.isConnected,
    }),
    async close() {
      live.close()
      log.close()
      await sequencer.close()
      await hints.close()
    },
  }
}
