import type { KeyObject } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { judge, mintCursor, openCursor, type Place, type ResetReason, readCursor } from './cursor.ts'
import { BadInputError, UnavailableError } from './errors/index.ts'
import type { EventFeed, LoggedEvent, Page } from './event-feed.ts'
import type { Bounds, EventLog } from './event-log.ts'

/** One frame of a stream. Whoever keeps the cursor of the last frame it got can go on from there. */
export type Frame =
  | { readonly kind: 'event'; readonly cursor: string; readonly event: LoggedEvent }
  /** Everything up to here was delivered, or is hidden from this follower. */
  | { readonly kind: 'checkpoint'; readonly cursor: string }
  /** The stream cannot go on and ends. Read the present state anew, then follow from `resumeFrom`. */
  | { readonly kind: 'reset'; readonly reason: ResetReason; readonly resumeFrom: string }

export interface FollowOptions {
  readonly tenantId: string
  /** Where to go on; without it the stream begins at the head. */
  readonly after?: string | null | undefined
  /** Asked for each event at delivery, in order. A hidden event is covered by the next checkpoint. */
  readonly sees: (event: LoggedEvent) => boolean | Promise<boolean>
  readonly signal?: AbortSignal
}

export interface LiveOptions {
  readonly log: EventLog
  readonly cursorKey: KeyObject
  /** Time between checkpoints when nothing else is sent, in milliseconds. */
  readonly checkpointMs?: number
  /** The same once events were hidden, in milliseconds. */
  readonly filteredMs?: number
}

/** A run of hidden events this long gets its checkpoint at once. */
const FILTERED_RUN = 1_000n
/** How long one turn of the event loop may be used for delivering, in milliseconds. */
const TURN_MS = 8
/** Time until a failed read is tried again, in milliseconds. */
const RETRY_MS = 500

/** Streams of one node. */
export class Live {
  readonly #options: LiveOptions
  readonly #turns = new Turns()
  readonly #cursors = new WeakMap<LoggedEvent, string>()
  readonly #followers = new Set<AbortController>()
  #isClosed = false

  constructor(options: LiveOptions) {
    this.#options = options
  }

  get followers(): number {
    return this.#followers.size
  }

  /** The cursor of the log's present end. Read it before the snapshot that it belongs to. */
  async headCursor(tenantId: string): Promise<string> {
    const bounds = await this.#bounds(tenantId)
    return this.#mint(bounds, bounds.head)
  }

  /** The position that a cursor stands for, or why nothing can go on from there. */
  async place(tenantId: string, cursor: string): Promise<bigint | 'INVALID' | ResetReason> {
    return readCursor(this.#options.cursorKey, cursor, await this.#bounds(tenantId))
  }

  /**
   * Follows a tenant's log: a checkpoint at once, then every event after the cursor that `sees` lets
   * through, each exactly once and in order, for as long as it is pulled. It ends after a reset, when
   * the signal is aborted, when `return` is called, or when the node stops.
   * Throws `BadInputError` at once for a cursor that is not one of this tenant's.
   */
  follow(options: FollowOptions): AsyncGenerator<Frame, void, undefined> {
    const place =
      options.after == null ? null : openCursor(this.#options.cursorKey, options.after, options.tenantId)
    if (options.after != null && !place) {
      throw new BadInputError(
        'after',
        'This is not a cursor of these events; pass one that they gave you, or none.',
      )
    }
    const follower = new AbortController()
    const leave = () => {
      follower.abort()
      this.#followers.delete(follower)
      options.signal?.removeEventListener('abort', leave)
    }
    if (this.#isClosed || options.signal?.aborted) leave()
    else {
      this.#followers.add(follower)
      options.signal?.addEventListener('abort', leave)
    }
    return leaving(this.#frames(options, place, follower.signal, leave), leave)
  }

  /** Ends all streams; their followers go on elsewhere. */
  close(): void {
    this.#isClosed = true
    for (const follower of this.#followers) follower.abort()
  }

  async *#frames(
    options: FollowOptions,
    place: Place | null,
    signal: AbortSignal,
    leave: () => void,
  ): AsyncGenerator<Frame, void, undefined> {
    try {
      if (signal.aborted) return
      const bounds = await this.#bounds(options.tenantId)
      const start = place ? judge(place, bounds) : bounds.head
      if (typeof start === 'string') {
        yield this.#reset(bounds, start, start === 'EXPIRED' ? bounds.floor : bounds.head)
        return
      }
      const feed = this.#options.log.join(bounds)
      try {
        yield* this.#deliver(options, bounds, feed, start, signal)
      } finally {
        this.#options.log.leave(feed)
      }
    } finally {
      leave()
    }
  }

  async *#deliver(
    { sees }: FollowOptions,
    bounds: Bounds,
    feed: EventFeed,
    start: bigint,
    signal: AbortSignal,
  ): AsyncGenerator<Frame, void, undefined> {
    const { checkpointMs = 15_000, filteredMs = 1_000 } = this.#options
    let pos = start
    let told = start
    let toldAt = performance.now()
    yield { kind: 'checkpoint', cursor: this.#mint(bounds, pos) }
    while (!signal.aborted) {
      if (this.#options.log.epoch !== bounds.epoch) return yield await this.#resetToHead(bounds, 'EPOCH')
      if (feed.head < pos) return yield await this.#resetToHead(bounds, 'FUTURE')
      const page = await this.#read(feed, pos, signal)
      if (!page) continue
      if ('resumeFrom' in page) return yield this.#reset(bounds, 'EXPIRED', page.resumeFrom)
      for (const event of page.events) {
        if (this.#turns.isDue) await this.#turns.next()
        if (signal.aborted) return
        const seen = sees(event)
        pos = event.pos
        if (seen === true || (seen && (await seen))) {
          yield { kind: 'event', cursor: this.#cursorOf(bounds, event), event }
        } else if (pos - told >= FILTERED_RUN) {
          yield { kind: 'checkpoint', cursor: this.#mint(bounds, pos) }
        } else continue
        told = pos
        toldAt = performance.now()
      }
      if (page.events.length > 0) continue
      const left = toldAt + (pos > told ? filteredMs : checkpointMs) - performance.now()
      if (left > 0) {
        await feed.wait(pos, left, signal)
      } else {
        yield { kind: 'checkpoint', cursor: this.#mint(bounds, pos) }
        told = pos
        toldAt = performance.now()
      }
    }
  }

  /** The next page; nothing, after a pause, when the database is away. */
  async #read(feed: EventFeed, pos: bigint, signal: AbortSignal): Promise<Page | undefined> {
    try {
      return await feed.after(pos)
    } catch {
      await setTimeout(RETRY_MS, undefined, { signal }).catch(() => {})
      return undefined
    }
  }

  async #bounds(tenantId: string): Promise<Bounds> {
    try {
      return await this.#options.log.bounds(tenantId)
    } catch {
      throw new UnavailableError('The event log cannot be read for the moment. Try again shortly.')
    }
  }

  #reset(bounds: Bounds, reason: ResetReason, resumeFrom: bigint): Frame {
    return { kind: 'reset', reason, resumeFrom: this.#mint(bounds, resumeFrom) }
  }

  async #resetToHead(stale: Bounds, reason: ResetReason): Promise<Frame> {
    const bounds = await this.#bounds(stale.tenantId)
    return this.#reset(bounds, reason, bounds.head)
  }

  #mint({ tenantId, epoch }: Bounds, pos: bigint): string {
    return mintCursor(this.#options.cursorKey, { tenantId, epoch, pos })
  }

  /** Minted once for all followers who get the event from the ring. */
  #cursorOf(bounds: Bounds, event: LoggedEvent): string {
    let cursor = this.#cursors.get(event)
    if (cursor === undefined) {
      cursor = this.#mint(bounds, event.pos)
      this.#cursors.set(event, cursor)
    }
    return cursor
  }
}

/**
 * Shares the event loop: all streams of a node together use one turn for at most `TURN_MS`, then all
 * wait for the next. Without it a long run of events that need no reading would starve everybody.
 */
class Turns {
  #since = performance.now()
  #next: Promise<void> | undefined

  get isDue(): boolean {
    return performance.now() - this.#since > TURN_MS
  }

  next(): Promise<void> {
    this.#next ??= new Promise((resolve) =>
      setImmediate(() => {
        this.#next = undefined
        this.#since = performance.now()
        resolve()
      }),
    )
    return this.#next
  }
}

/** A generator that can be left while it waits: `return` of a plain one would wait too. */
function leaving(
  frames: AsyncGenerator<Frame, void, undefined>,
  leave: () => void,
): AsyncGenerator<Frame, void, undefined> {
  return {
    next: () => frames.next(),
    return: () => {
      leave()
      return frames.return()
    },
    throw: (error) => {
      leave()
      return frames.throw(error)
    },
    [Symbol.asyncIterator]() {
      return this
    },
    async [Symbol.asyncDispose]() {
      await this.return()
    },
  }
}
