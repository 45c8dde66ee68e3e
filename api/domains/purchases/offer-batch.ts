import type { OfferRow } from '../offers/index.ts'
import type { ImportRow } from './import.ts'
import type { LogLine } from './offer-log.ts'

/** A line about one member. */
export type MemberLine = Extract<LogLine, { kind: 'receipt' | 'view' | 'purchase' }>

/** Lines taken together, at most. */
const MOST = 500

/**
 * Lines of a log that are taken together: the receipts first, then purchases, then views. That amounts to the order of
 * the lines, as long as no receipt comes after a purchase that may count for it. Views go by instants alone.
 */
export class Batch {
  readonly receipts: OfferRow[] = []
  readonly purchases: ImportRow[] = []
  readonly views: OfferRow[] = []
  /** The last instant in it, as it was given. */
  latest: string | undefined
  #latestMs = Number.NEGATIVE_INFINITY
  /** By member, the last instant among its purchases here. */
  readonly #bought = new Map<string, number>()

  get size(): number {
    return this.receipts.length + this.purchases.length + this.views.length
  }

  /** Whether a line can be among them; else it belongs to the next batch. */
  takes(line: MemberLine): boolean {
    if (this.size >= MOST) return false
    const bought = line.kind === 'receipt' ? this.#bought.get(line.member) : undefined
    return bought === undefined || bought < Date.parse(instantOf(line))
  }

  add(line: MemberLine): void {
    const at = instantOf(line)
    const ms = Date.parse(at)
    if (ms > this.#latestMs) {
      this.#latestMs = ms
      this.latest = at
    }
    if (line.kind === 'receipt') {
      this.receipts.push(line.row)
      return
    }
    if (line.kind === 'view') this.views.push(line.row)
    if (line.kind !== 'purchase') return
    this.#bought.set(line.member, Math.max(this.#bought.get(line.member) ?? ms, ms))
    this.purchases.push(line.row)
  }

  /** Gives up the views of its last instant, of which a receipt may still come, to a batch that follows it. */
  following(): Batch {
    const next = new Batch()
    const isLast = ({ at }: OfferRow) => Date.parse(at) >= this.#latestMs
    next.views.push(...this.views.filter(isLast))
    this.views.splice(0, Infinity, ...this.views.filter((view) => !isLast(view)))
    if (next.views.length > 0) {
      next.latest = this.latest
      next.#latestMs = this.#latestMs
    }
    return next
  }
}

function instantOf(line: MemberLine): string {
  return line.kind === 'purchase' ? line.row.purchasedAt : line.row.at
}
