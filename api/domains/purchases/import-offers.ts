import type { Tx } from '../../platform/db.ts'
import { importReceipts, importViews, type OfferRow, settleOffers } from '../offers/index.ts'
import { publish } from '../program/index.ts'
import { type ImportRow, importBatch, type Reject, replayAll } from './import.ts'
import type { LogLine } from './offer-log.ts'

/** What an import of a log did. `known` lines were there before, and stayed as they were. */
export interface LogSummary {
  readonly offers: number
  readonly receipts: number
  readonly views: number
  readonly purchases: number
  readonly members: number
  readonly known: number
  readonly rejected: number
}

/** How an import tells of itself. `committed` hears of each batch that is durable. */
export interface LogReport {
  readonly actor: string
  rejected(reject: Reject): void
  committed(sum: LogSummary): void
}

/** Lines taken together, at most. */
const BATCH = 1_000
/** Receipts booked as over in one transaction. */
const SETTLED = 2_000

/**
 * Takes a log of offers, receipts, views and purchases, by the rules of doing each by itself, in the order of its
 * lines. A test clock moves on with it. Killed at any moment and run again, it takes the rest and changes nothing of
 * what is there.
 */
export async function importOfferLog(
  tx: Tx,
  lines: AsyncIterable<LogLine>,
  report: LogReport,
): Promise<LogSummary> {
  const intake = new Intake(tx, report)
  for await (const line of lines) await intake.take(line)
  await intake.flush()
  await replayAll(tx)
  while ((await settleOffers(tx, SETTLED)) > 0);
  return intake.sum
}

/** What waits to be taken together. */
class Batch {
  readonly offers: { key: string; body: object; line: number }[] = []
  readonly receipts: OfferRow[] = []
  readonly purchases: ImportRow[] = []
  readonly views: OfferRow[] = []
  /** By member, the latest instant among its purchases and views here. */
  readonly acts = new Map<string, number>()
  latest: { readonly at: string; readonly ms: number } | undefined

  get size(): number {
    return this.offers.length + this.receipts.length + this.purchases.length + this.views.length
  }

  /**
   * Whether a line has to wait for the next batch. A batch takes offers, then receipts, then purchases and views; that
   * is the order of its lines as long as no receipt comes after what may count for it.
   */
  isAheadOf(line: Exclude<LogLine, { kind: 'bad' }>): boolean {
    if (this.size >= BATCH) return true
    if (line.kind === 'offer')
      return this.size > this.offers.length || this.offers.some(({ key }) => key === line.key)
    return (
      line.kind === 'receipt' &&
      (this.acts.get(line.member) ?? Number.NEGATIVE_INFINITY) >= Date.parse(line.row.at)
    )
  }

  add(line: Exclude<LogLine, { kind: 'bad' }>): void {
    if (line.kind === 'offer') {
      this.offers.push(line)
      return
    }
    const at = line.kind === 'purchase' ? line.row.purchasedAt : line.row.at
    const ms = Date.parse(at)
    if (!this.latest || ms > this.latest.ms) this.latest = { at, ms }
    if (line.kind !== 'receipt') this.acts.set(line.member, Math.max(this.acts.get(line.member) ?? ms, ms))
    if (line.kind === 'purchase') this.purchases.push(line.row)
    else if (line.kind === 'view') this.views.push(line.row)
    else this.receipts.push(line.row)
  }
}

class Intake {
  readonly #tx: Tx
  readonly #report: LogReport
  #batch = new Batch()
  #batches = 0
  sum: LogSummary = { offers: 0, receipts: 0, views: 0, purchases: 0, members: 0, known: 0, rejected: 0 }

  constructor(tx: Tx, report: LogReport) {
    this.#tx = tx
    this.#report = report
  }

  async take(line: LogLine): Promise<void> {
    if (line.kind === 'bad') {
      this.#count({ rejected: [{ line: line.line, reason: line.reason }] })
      return
    }
    if (this.#batch.isAheadOf(line)) await this.flush()
    this.#batch.add(line)
  }

  async flush(): Promise<void> {
    const { offers, receipts, purchases, views, latest } = this.#batch
    this.#batch = new Batch()
    if (offers.length > 0) await this.#publish(offers)
    if (latest)
      await this.#tx.query({ name: 'import_clock', text: 'select import_clock($1)', values: [latest.at] })
    if (receipts.length > 0) {
      const { taken, ...rest } = await importReceipts(this.#tx, receipts)
      this.#count({ ...rest, receipts: taken })
    }
    if (purchases.length > 0) this.#count(await importBatch(this.#tx, purchases, this.#report.actor))
    if (views.length > 0) {
      const { taken, ...rest } = await importViews(this.#tx, views)
      this.#count({ ...rest, views: taken })
    }
    this.#report.committed(this.sum)
    this.#batches++
    // After the 1st, 2nd, 4th, 8th … batch: each time the tables have doubled.
    if (Math.log2(this.#batches) % 1 === 0) {
      await this.#tx.query({ text: 'select import_statistics(), offers_import_statistics()', values: [] })
    }
  }

  async #publish(offers: readonly { key: string; body: object }[]): Promise<void> {
    const entries = offers.map(({ key, body }) => ({ kind: 'offer', key, body }))
    const { changed } = await publish(this.#tx, entries, { note: 'Import', actor: this.#report.actor })
    this.#count({ offers: changed.length, known: offers.length - changed.length })
  }

  #count(done: Partial<Omit<LogSummary, 'rejected'>> & { readonly rejected?: readonly Reject[] }): void {
    const { rejected = [], ...counts } = done
    for (const reject of rejected) this.#report.rejected(reject)
    const added = { ...counts, rejected: rejected.length }
    const entries = Object.entries(this.sum).map(([name, n]) => [
      name,
      n + (added[name as keyof LogSummary] ?? 0),
    ])
    this.sum = Object.fromEntries(entries) as LogSummary // the same names with larger numbers
  }
}
