import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'
import type { NewPurchaseLine } from './service.ts'

/** One purchase of a file, checked as far as the file alone allows. */
export interface ImportRow {
  /** Where it begins in the file, from 1. */
  readonly line: number
  readonly externalId: string
  readonly displayName?: string | undefined
  readonly email?: string | undefined
  readonly orderId: string
  /** An instant with its offset, or (isLocal) a calendar date that means the tenant's midnight. ISO 8601. */
  readonly purchasedAt: string
  readonly isLocal: boolean
  readonly currency: string
  /** Minor units. */
  readonly total: bigint
  readonly lines: readonly NewPurchaseLine[]
}

/** A line that cannot be taken, and why. */
export interface Reject {
  readonly line: number
  readonly reason: string
}

/** What reading a file gives, one by one. */
export type Parsed = ImportRow | Reject

/** What an import did. `known` purchases were there before, and stayed as they were. */
export interface ImportSummary {
  readonly purchases: number
  readonly members: number
  readonly known: number
  readonly rejected: number
}

/** How an import tells of itself. `committed` hears of each batch that is durable. */
export interface ImportReport {
  readonly actor: string
  rejected(reject: Reject): void
  committed(sum: ImportSummary): void
}

/** Purchases in one statement; each batch is one transaction. */
const BATCH = 500
/** Members whose stages are derived in one transaction. */
const REPLAYED = 500

/**
 * Takes purchases of the past in batches, by the rules of recording one at a time, except that no touch is planned and
 * that stages are derived at the end, when the order in which the file tells of a member no longer matters.
 * Killed at any moment, it has taken whole batches; run again, it takes the rest and changes nothing of the others.
 */
export async function importPurchases(
  tx: Tx,
  rows: AsyncIterable<Parsed>,
  report: ImportReport,
): Promise<ImportSummary> {
  let sum: ImportSummary = { purchases: 0, members: 0, known: 0, rejected: 0 }
  let batch: ImportRow[] = []
  let batches = 0
  const take = async () => {
    const done = await importBatch(tx, batch, report.actor)
    batch = []
    for (const reject of done.rejected) report.rejected(reject)
    sum = {
      purchases: sum.purchases + done.purchases,
      members: sum.members + done.members,
      known: sum.known + done.known,
      rejected: sum.rejected + done.rejected.length,
    }
    report.committed(sum)
    batches++
    // After the 1st, 2nd, 4th, 8th … batch: each time the tables have doubled.
    if (Math.log2(batches) % 1 === 0) await tx.query({ text: 'select import_statistics()', values: [] })
  }
  for await (const row of rows) {
    if ('reason' in row) {
      report.rejected(row)
      sum = { ...sum, rejected: sum.rejected + 1 }
      continue
    }
    batch.push(row)
    if (batch.length === BATCH) await take()
  }
  if (batch.length > 0) await take()
  await replayAll(tx)
  return sum
}

/** Derives the stages that purchases brought, which ends an import. */
export async function replayAll(tx: Tx): Promise<void> {
  while ((await call<number>(tx, 'select purchase_replay_due($1) as outcome', [REPLAYED])) > 0);
}

/** Derives the stages that an import which was killed has left to be derived, for at most `limit` members; how many. */
export async function replayImported(tx: Tx, limit: number): Promise<number> {
  return call<number>(tx, 'select purchase_replay_abandoned($1) as outcome', [limit])
}

/** What one batch did. */
export interface BatchDone extends Omit<ImportSummary, 'rejected'> {
  readonly rejected: readonly Reject[]
}

/** Takes purchases of the past in one transaction; stages wait for replayAll. purchase_import of the database. */
export async function importBatch(tx: Tx, rows: readonly ImportRow[], actor: string): Promise<BatchDone> {
  const [answer] = await tx.query<{ done: BatchDone }>({
    name: 'purchase_import',
    text: 'select purchase_import($1, $2) as done',
    values: [JSON.stringify(rows.map(forDatabase)), actor],
  })
  if (!answer) throw new TypeError('purchase_import answered no row')
  return answer.done
}

function forDatabase(row: ImportRow) {
  return {
    line: row.line,
    external_id: row.externalId,
    display_name: row.displayName,
    email: row.email,
    order_id: row.orderId,
    purchased_at: row.purchasedAt,
    is_local: row.isLocal,
    currency: row.currency,
    total: String(row.total),
    lines: row.lines.map((line) => ({ ...line, amount: String(line.amount) })),
  }
}
