import type { Tx } from '../../platform/db.ts'

/** A completion that stands. */
export interface Completion {
  /** The external id of the member. */
  readonly member: string
  readonly offer: string
  /** The key of the receipt. */
  readonly receipt: string
  /** When the purchase was that completed it. */
  readonly at: Date
  readonly orderId: string
}

interface Row extends Omit<Completion, 'orderId'> {
  readonly order_id: string
  /** The same instant, to the microsecond. */
  readonly exactly: string
}

const PAGE = 2_000

/** Every completion that stands, by instant, member and receipt; read a page at a time. */
export async function* completions(tx: Tx): AsyncGenerator<Completion> {
  let place: readonly [at: string, member: string, receipt: string] | undefined
  while (true) {
    const rows = await tx.query<Row>({
      name: 'offer_completions',
      text: `select c.member, c.offer, c.receipt, c.at, c.order_id, c.at::text as exactly
             from offer_completions($1, $2, $3, $4) c`,
      values: [place?.[0] ?? null, place?.[1] ?? '', place?.[2] ?? '', PAGE],
    })
    for (const { order_id: orderId, exactly, ...row } of rows) {
      place = [exactly, row.member, row.receipt]
      yield { ...row, orderId }
    }
    if (rows.length < PAGE) return
  }
}
