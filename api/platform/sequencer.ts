import pg from 'pg'
import type { Head } from './hints.ts'
import type { Log } from './log.ts'
import { listenForPokes, type PokeListener, PokeSender } from './poke.ts'
import { type Moved, SequencerSession } from './sequencer-session.ts'

export interface SequencerOptions {
  readonly url: string
  readonly log: Log
  /** How long the log keeps events, as an interval. */
  readonly keep?: string
  /** How often a node that does not lead tries to, in milliseconds. */
  readonly seekMs?: number
  /** Told after each commit; must neither throw nor wait. */
  publish(heads: readonly Head[]): void
}

/** Figures of one node's sequencer. */
export interface SequencerNumbers {
  readonly isLeading: boolean
  /** Age of the oldest event of the last batch when it was logged, in milliseconds. */
  readonly lagMs: number
  /** Events moved by this node since it started. */
  readonly events: number
  readonly batches: number
  readonly failures: number
}

const BATCH = 1_000
/** Lets events gather, so that a busy outbox costs few transactions. */
const GAP_MS = 2
/** Covers pokes that got lost. */
const POLL_MS = 250
const KEEP_MS = 3_600_000
const RETRY_MS = 250
/** check_violation: a new day began and its partition is missing. */
const NO_PARTITION = '23514'

/**
 * Moves committed events from the outbox to the dense log. Every node runs one, and the one that holds
 * an advisory lock on its own session leads. Two leaders cannot overlap; if they ever did, each row
 * would still be taken by one of them, and only the order between their batches would suffer.
 */
export class Sequencer {
  readonly #options: SequencerOptions
  readonly #stop = new AbortController()
  readonly #sender = new PokeSender()
  readonly #running: Promise<void>
  #state: 'seeking' | 'following' | 'leading' = 'seeking'
  #leader: string | null = null
  #isAway = false
  #isPoked = false
  #wake = () => {}
  #events = 0
  #batches = 0
  #failures = 0
  #lagMs = 0

  constructor(options: SequencerOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  /** Says that something was committed: a call when this node leads, else one small datagram. */
  poke(): void {
    if (this.#state !== 'leading') {
      this.#sender.send(this.#leader)
      return
    }
    this.#isPoked = true
    this.#wake()
  }

  /** True while this node leads, or knows that another one does. */
  get isReady(): boolean {
    return this.#state !== 'seeking'
  }

  numbers(): SequencerNumbers {
    return {
      isLeading: this.#state === 'leading',
      lagMs: this.#lagMs,
      events: this.#events,
      batches: this.#batches,
      failures: this.#failures,
    }
  }

  /** Finishes the batch in hand and releases the lock, so that another node leads at its next try. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#wake()
    await this.#running
    this.#sender.close()
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const session = new SequencerSession(this.#options.url)
      session.lost.addEventListener('abort', () => this.#wake())
      let listener: PokeListener | undefined
      let isLeader = false
      try {
        await session.connect()
        this.#isAway = false
        isLeader = await this.#seek(session)
        if (isLeader) {
          listener = await this.#listen(session.host)
          await this.#lead(session, listener?.address ?? null)
        }
      } catch (error) {
        if (!this.#isAway) this.#options.log.warn({ err: error }, 'sequencer: the session was lost')
        this.#isAway = true
      }
      this.#state = 'seeking'
      listener?.close()
      await session.close(isLeader ? (listener?.address ?? null) : undefined)
      if (!this.#stop.signal.aborted) await this.#pause(RETRY_MS * (0.5 + Math.random()))
    }
  }

  /** Tries for the lead until it has it (true), or until there is no more use in trying (false). */
  async #seek(session: SequencerSession): Promise<boolean> {
    const every = this.#options.seekMs ?? 250
    while (!this.#stop.signal.aborted && !session.lost.aborted) {
      const { leads, address } = await session.seek()
      if (leads) return true
      this.#leader = address
      this.#state = 'following'
      await this.#pause(every * (0.75 + Math.random() / 2), () => session.lost.aborted)
    }
    return false
  }

  async #listen(host: string): Promise<PokeListener | undefined> {
    const poked = () => {
      this.#isPoked = true
      this.#wake()
    }
    try {
      return await listenForPokes(host, poked)
    } catch (error) {
      this.#options.log.warn(
        { err: error, host },
        'sequencer: no pokes can be received; the outbox is polled',
      )
      return undefined
    }
  }

  async #lead(session: SequencerSession, address: string | null): Promise<void> {
    await session.announce(address)
    let keptAt = -Infinity
    let limit = BATCH
    this.#state = 'leading'
    this.#options.log.info({ pokesAt: address?.replace(/\/.*/, '') }, 'sequencer: leads')
    while (!this.#stop.signal.aborted && !session.lost.aborted) {
      if (performance.now() - keptAt > KEEP_MS) keptAt = await this.#keep(session)
      this.#isPoked = false
      const moved = await this.#move(session, limit)
      if (moved === 'failed') {
        /* A smaller batch passes what made this one slow, and shows which row is bad. */
        limit = Math.max(1, limit >> 1)
        await this.#pause(RETRY_MS)
        continue
      }
      if (moved === 'no partition') {
        keptAt = await this.#keep(session)
        await this.#pause(GAP_MS)
        continue
      }
      const isFull = moved.events === limit
      limit = Math.min(BATCH, limit * 2)
      await this.#pause(GAP_MS)
      if (!isFull) await this.#pause(POLL_MS, () => this.#isPoked || session.lost.aborted)
    }
  }

  async #move(session: SequencerSession, limit: number): Promise<Moved | 'failed' | 'no partition'> {
    try {
      const moved = await session.move(limit)
      this.#batches++
      if (moved.events > 0) {
        this.#events += moved.events
        this.#lagMs = moved.lagMs
        this.#options.publish(moved.heads)
      }
      return moved
    } catch (error) {
      if (session.lost.aborted || !(error instanceof pg.DatabaseError)) throw error
      this.#failures++
      if (error.code === NO_PARTITION) return 'no partition'
      this.#options.log.error({ err: error, limit }, 'sequencer: a batch failed and is tried again')
      return 'failed'
    }
  }

  /** Returns when it was done; a failure (a reader held a partition) is tried again within a minute. */
  async #keep(session: SequencerSession): Promise<number> {
    try {
      await session.keepPartitions(this.#options.keep ?? '7 days')
      return performance.now()
    } catch (error) {
      if (session.lost.aborted || !(error instanceof pg.DatabaseError)) throw error
      this.#options.log.warn({ err: error }, 'sequencer: partitions of the log could not be kept')
      return performance.now() - KEEP_MS + 60_000
    }
  }

  /** Waits at most so long; shorter when `isOver` says so as something wakes it, and not once it is stopped. */
  async #pause(ms: number, isOver: () => boolean = () => false): Promise<void> {
    if (this.#stop.signal.aborted || isOver()) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        if (!isOver() && !this.#stop.signal.aborted) return
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = () => {}
  }
}
