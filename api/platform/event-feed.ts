import type { Head } from './hints.ts'

/** One event as the log holds it. */
export interface LoggedEvent {
  readonly id: string
  readonly tenantId: string
  /** Dense within the tenant: 1, 2, 3 … */
  readonly pos: bigint
  readonly type: string
  readonly memberId: string | null
  readonly payload: Readonly<Record<string, unknown>>
  /** When it happened. */
  readonly at: Date
  /** When it was written. */
  readonly bookedAt: Date
}

/** Events that follow one another, or a gap: what came next is gone, and reading can go on after `resumeFrom`. */
export type Page = { readonly events: readonly LoggedEvent[] } | { readonly resumeFrom: bigint }

/** Reads a page of a tenant's log after a position. `head` is a position that is known to be logged. */
export type ReadPage = (tenantId: string, after: bigint, head: bigint) => Promise<Page>

/** Shared by the feeds of a node: how many events their rings may hold together, and how many they do. */
export interface RingBudget {
  readonly perFeed: number
  readonly perNode: number
  used: number
}

/**
 * One tenant's live end on this node, kept while somebody follows it. It reads only when its fastest
 * subscriber asks for more; the others find the events in the ring, and whoever fell behind the ring
 * reads the log alone. So a stuck subscriber costs no memory.
 */
export class EventFeed {
  readonly tenantId: string
  readonly #read: ReadPage
  readonly #budget: RingBudget
  readonly #waiters = new Set<() => void>()
  #ring: LoggedEvent[] = []
  /** The position of the ring's last event. */
  #tail: bigint
  /** The highest position that a read of the database confirmed. */
  #head: bigint
  /** The highest position that anybody claimed; only a reason to look. */
  #hinted: bigint
  #reading: { readonly from: bigint; readonly page: Promise<Page> } | undefined
  #keptAt = 0
  #isClosed = false
  subscribers = 0

  constructor(head: Head, read: ReadPage, budget: RingBudget) {
    this.tenantId = head.tenantId
    this.#tail = head.pos
    this.#head = head.pos
    this.#hinted = head.pos
    this.#read = read
    this.#budget = budget
  }

  get head(): bigint {
    return this.#head
  }

  get ringSize(): number {
    return this.#ring.length
  }

  /** Somebody says that the log reaches further. */
  hint(pos: bigint): void {
    if (pos <= this.#hinted) return
    this.#hinted = pos
    this.wakeAll()
  }

  /** The database said that the log reaches this far. */
  confirm(pos: bigint): void {
    if (pos > this.#head) this.#head = pos
    this.hint(pos)
  }

  /** The database fell back to an older state; positions beyond it never were. */
  regress(pos: bigint): void {
    this.#head = pos
    this.#hinted = pos
    this.#restart(pos)
    this.wakeAll()
  }

  /** The next events after a position, none when there are none yet, or the gap that begins there. */
  async after(pos: bigint): Promise<Page> {
    const first = this.#ring[0]
    if (first && pos >= first.pos - 1n && pos < this.#tail) {
      return { events: this.#ring.slice(Number(pos - first.pos) + 1) }
    }
    if (pos >= this.#hinted) return { events: [] }
    if (pos < this.#tail) return this.#page(pos)
    if (pos > this.#tail) this.#restart(pos)
    if (this.#reading?.from !== pos) this.#reading = { from: pos, page: this.#advance(pos) }
    return this.#reading.page
  }

  /** Resolves once there may be something after the position, the time is over, or the follower or feed ends. */
  wait(pos: bigint, ms: number, signal: AbortSignal): Promise<void> {
    if (pos < this.#hinted || pos > this.#head || signal.aborted || this.#isClosed) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        this.#waiters.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      signal.addEventListener('abort', wake)
      this.#waiters.add(wake)
    })
  }

  /** Wakes all who wait, so that they look again. */
  wakeAll(): void {
    for (const wake of [...this.#waiters]) wake()
  }

  /** Empties the ring when nothing came in for so many milliseconds. */
  rest(ms: number): void {
    if (this.#ring.length > 0 && performance.now() - this.#keptAt > ms) this.#restart(this.#tail)
  }

  /** Empties the ring and wakes everybody, for the last time. */
  close(): void {
    this.#isClosed = true
    this.#restart(this.#tail)
    this.wakeAll()
  }

  async #advance(from: bigint): Promise<Page> {
    const hinted = this.#hinted
    try {
      const page = await this.#page(from)
      const last = 'events' in page ? page.events.at(-1) : undefined
      if ('events' in page && last) {
        if (from === this.#tail && !this.#isClosed) this.#keep(page.events, last.pos)
      } else if (hinted === this.#hinted && hinted > this.#head) {
        /* The hint was early or false. The poll knows the truth within half a second. */
        this.#hinted = this.#head
      }
      return page
    } finally {
      if (this.#reading?.from === from) this.#reading = undefined
    }
  }

  /** Reads the log; whatever it holds is confirmed. */
  async #page(from: bigint): Promise<Page> {
    const page = await this.#read(this.tenantId, from, this.#head)
    const last = 'events' in page ? page.events.at(-1) : undefined
    if (last) this.confirm(last.pos)
    return page
  }

  #keep(events: readonly LoggedEvent[], tail: bigint): void {
    this.#ring.push(...events)
    this.#tail = tail
    this.#keptAt = performance.now()
    this.#budget.used += events.length
    const over = Math.max(this.#ring.length - this.#budget.perFeed, this.#budget.used - this.#budget.perNode)
    if (over > 0) this.#budget.used -= this.#ring.splice(0, over).length
  }

  #restart(tail: bigint): void {
    this.#budget.used -= this.#ring.length
    this.#ring = []
    this.#tail = tail
  }
}
