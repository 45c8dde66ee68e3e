import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'

/** A receipt or a view of a log. `line` is where it stands there. */
export interface OfferRow {
  readonly line: number
  /** Whose; a view by the key of its receipt needs none. */
  readonly externalId: string | null
  readonly offer: string | null
  /** What the receipt is called. */
  readonly key: string | null
  /** The key may be one of the view itself; then the offer tells which receipt. */
  readonly loose?: boolean
  /** An instant in ISO 8601. */
  readonly at: string
}

/** What a batch did; `known` were there before. */
export interface OfferBatch {
  readonly taken: number
  readonly members: number
  readonly known: number
  readonly rejected: readonly { readonly line: number; readonly reason: string }[]
}

type Done = Omit<OfferBatch, 'taken' | 'members'> & { members?: number; receipts?: number; views?: number }

/** Takes receipts of the past, in the order in which they are given; those known already change nothing. */
export async function importReceipts(tx: Tx, rows: readonly OfferRow[]): Promise<OfferBatch> {
  const done = await call<Done>(tx, 'select offers_import_receipts($1::jsonb) as outcome', [
    forDatabase(rows),
  ])
  return { members: 0, ...done, taken: done.receipts ?? 0 }
}

/** Takes views of the past: of a receipt by its key, or of the one of an offer that the member had received last. */
export async function importViews(tx: Tx, rows: readonly OfferRow[]): Promise<OfferBatch> {
  const done = await call<Done>(tx, 'select offers_import_views($1::jsonb) as outcome', [forDatabase(rows)])
  return { members: 0, ...done, taken: done.views ?? 0 }
}

function forDatabase(rows: readonly OfferRow[]): string {
  return JSON.stringify(rows.map(({ externalId, ...row }) => ({ ...row, external_id: externalId })))
}
