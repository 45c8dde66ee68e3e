import pg from 'pg'
import type { Tx } from '../../platform/db.ts'
import { importReceipts, importViews, settleOffers } from '../offers/index.ts'
import { publish } from '../program/index.ts'
import { importBatch, type Reject, replayAll } from './import.ts'
import { Batch, type MemberLine } from './offer-batch.ts'
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

/** Members are dealt out to so many lanes, which are taken side by side; the lines of one member stay in order. */
const LANES = 2
/** Offers published together, at most. */
const OFFERS = 100
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
  await Promise.all(Array.from({ length: LANES }, () => replayAll(tx)))
  while ((await settleOffers(tx, SETTLED)) > 0);
  return intake.sum
}

interface Lane {
  batch: Batch
  /** The batch before, on its way. */
  taking: Promise<void>
}

class Intake {
  readonly #tx: Tx
  readonly #report: LogReport
  readonly #lanes: readonly Lane[] = Array.from({ length: LANES }, () => ({
    batch: new Batch(),
    taking: Promise.resolve(),
  }))
  #offers: Extract<LogLine, { kind: 'offer' }>[] = []
  /** Views that do not say whose they are; they come behind every receipt before them. */
  #nameless = new Batch()
  #batches = 0
  sum: LogSummary = { offers: 0, receipts: 0, views: 0, purchases: 0, members: 0, known: 0, rejected: 0 }

  constructor(tx: Tx, report: LogReport) {
    this.#tx = tx
    this.#report = report
  }

  async take(line: LogLine): Promise<void> {
    if (line.kind === 'bad') return this.#count({ rejected: [{ line: line.line, reason: line.reason }] })
    if (line.kind === 'offer') return this.#takeOffer(line)
    if (this.#offers.length > 0) await this.#publish()
    const lane = line.member === '' ? undefined : this.#lanes[laneOf(line.member)]
    if (!lane) return this.#takeNameless(line)
    if (!lane.batch.takes(line)) await this.#send(lane)
    lane.batch.add(line)
  }

  /** Takes everything that waits. */
  async flush(): Promise<void> {
    if (this.#offers.length > 0) await this.#publish()
    for (const lane of this.#lanes) await this.#send(lane, new Batch())
    await Promise.all(this.#lanes.map(({ taking }) => taking))
    const nameless = this.#nameless
    this.#nameless = new Batch()
    await this.#takeBatch(nameless)
  }

  async #takeOffer(line: Extract<LogLine, { kind: 'offer' }>): Promise<void> {
    const isWaiting = [...this.#lanes.map(({ batch }) => batch), this.#nameless].some(({ size }) => size > 0)
    if (isWaiting || this.#offers.length >= OFFERS || this.#offers.some(({ key }) => key === line.key))
      await this.flush()
    this.#offers.push(line)
  }

  async #takeNameless(line: MemberLine): Promise<void> {
    if (!this.#nameless.takes(line)) await this.flush()
    this.#nameless.add(line)
  }

  /** Sends the batch of a lane on its way once the one before has arrived; `next` follows it. */
  async #send(lane: Lane, next = lane.batch.following()): Promise<void> {
    await lane.taking
    const { batch } = lane
    lane.batch = next
    lane.taking = this.#takeBatch(batch)
    // Awaited before the next; until then a failure is nobody's.
    lane.taking.catch(() => {})
  }

  async #takeBatch({ receipts, purchases, views, latest }: Batch): Promise<void> {
    if (latest === undefined) return
    const tx = this.#tx
    await tx.query({ name: 'import_clock', text: 'select import_clock($1)', values: [latest] })
    if (receipts.length > 0) {
      const { taken, ...rest } = await again(() => importReceipts(tx, receipts))
      this.#count({ ...rest, receipts: taken })
    }
    if (purchases.length > 0) this.#count(await again(() => importBatch(tx, purchases, this.#report.actor)))
    if (views.length > 0) {
      const { taken, ...rest } = await again(() => importViews(tx, views))
      this.#count({ ...rest, views: taken })
    }
    this.#report.committed(this.sum)
    this.#batches++
    // After the 1st, 2nd, 4th, 8th … batch: each time the tables have doubled.
    if (Math.log2(this.#batches) % 1 === 0) {
      await tellPlanner(tx)
    }
  }

  async #publish(): Promise<void> {
    const entries = this.#offers.map(({ key, body }) => ({ kind: 'offer', key, body }))
    this.#offers = []
    const { changed } = await publish(this.#tx, entries, { note: 'Import', actor: this.#report.actor })
    this.#count({ offers: changed.length, known: entries.length - changed.length })
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

/** Tells the planner how large the tables have become. A machine that is too busy for it in time goes on without. */
async function tellPlanner(tx: Tx): Promise<void> {
  for (const text of ['select import_statistics()', 'select offers_import_statistics()']) {
    await tx.query({ text, values: [] }).catch((error: unknown) => {
      if (!(error instanceof pg.DatabaseError && error.code === '57014')) throw error
    })
  }
}

function laneOf(member: string): number {
  let sum = 0
  for (let i = 0; i < member.length; i++) sum = (sum * 31 + member.charCodeAt(i)) % 1_000_003
  return sum % LANES
}

/** Two lanes may bring the same key, or meet in a deadlock; what comes second then finds what the first left. */
async function again<T>(work: () => Promise<T>, times = 3): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const met = error instanceof pg.DatabaseError && (error.code === '23505' || error.code === '40P01')
    if (!met || times === 1) throw error
    return again(work, times - 1)
  }
}
