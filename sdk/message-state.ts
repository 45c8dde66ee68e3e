import type { ReceiptKind } from './capabilities.ts'

/**
 * The state of a message after one more receipt. Receipts come late, twice and in any order; whatever the order, the
 * same state is reached, and none takes it back: a message that was read stays read when its delivery is told later.
 * Receipts about a member or an address (blocked, unsubscribed, …) leave a message's state as it is.
 *
 * @example
 * ```ts
 * import { laterState, type ReceiptKind } from '@engawa/sdk'
 *
 * const arrived: ReceiptKind[] = ['accepted', 'seen', 'delivered', 'accepted']
 * console.assert(arrived.reduce(laterState) === 'seen')
 * console.assert(arrived.toReversed().reduce(laterState) === 'seen')
 * ```
 */
export function laterState(state: ReceiptKind, receipt: ReceiptKind): ReceiptKind {
  return order.indexOf(receipt) > order.indexOf(state) ? receipt : state
}

/** A bounce may follow a delivery, and is refuted only by somebody who has read it. */
const order: readonly ReceiptKind[] = [
  'accepted',
  'deferred',
  'failed',
  'delivered',
  'bounced',
  'seen',
  'opened',
  'clicked',
  'replied',
  'complained',
]
