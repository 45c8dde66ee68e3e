import type { OfferRow } from '../offers/index.ts'
import type { ImportRow } from './import.ts'
import type { LogLine } from './offer-log.ts'

/** A line about one member. */
export type MemberLine = Extract<LogLine, { kind: 'receipt' | 'view' | 'purchase' }>

/** Lines taken together, at most. */
const MOST = 500

/**
 * Lines of a log that are taken together: the receipts first, then purchases, then views. That amounts to the order of
 * the lines, as long as no receipt comes after something that may count for it.
 */
export class Batch {
  readonly receipts: OfferRow[] = []
  readonly purchases: ImportRow[] = []
  readonly views: OfferRow[] = []
  /** The last instant in it, as it was given. */
  latest: string | undefined
  #latestMs = Number.NEGATIVE_INFINITY
  /** By member, the last instant among its purchases and views here. */
  readonly #acts = new Map<string, number>()

  get size(): number {
    return this.receipts.length + this.purchases.length + this.views.length
  }

  /** Whether a line can be among them; else it belongs to the next batch. */
  takes(line: MemberLine): boolean {
    if (this.size >= MOST) return false
    const acted = line.kind === 'receipt' ? this.#acts.get(line.member) : undefined
    return acted === undefined || acted < Date.parse(instantOf(line))
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
    this.#acts.set(line.member, Math.max(this.#acts.get(line.member) ?? ms, ms))
    if (line.kind === 'purchase') this.purchases.push(line.row)
    else this.views.push(line.row)
  }
}

function instantOf(line: MemberLine): string {
  return line.kind === 'purchase' ? line.row.purchasedAt : line.row.at
}
