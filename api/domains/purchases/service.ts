import type { Tx } from '../../platform/db.ts'
import { BadInputError, type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** One line of a purchase; the amount is of the whole line, in minor units. */
export interface NewPurchaseLine {
  readonly sku: string
  readonly name?: string | null | undefined
  readonly quantity: number
  readonly amount: bigint
}

/** A purchase as the shop tells it; amounts in minor units of the currency. */
export interface NewPurchase {
  readonly member: MemberBy
  readonly orderId: string
  readonly purchasedAt: Date
  readonly currency: string
  readonly total: bigint
  readonly lines?: readonly NewPurchaseLine[] | null | undefined
}

/** What is given back: by lines, by amount (minor units), or with neither the rest. */
export interface NewRefund {
  readonly orderId: string
  readonly lines?: readonly { readonly sku: string; readonly quantity: number }[] | null | undefined
  readonly amount?: bigint | null | undefined
  readonly refundedAt?: Date | null | undefined
  readonly reason?: string | null | undefined
}

const MAX_LINES = 500

/**
 * Records a purchase: books it, earns its points, moves the member's stage, plans the first touch and writes the
 * events, in one statement. Throws NotFoundError, DuplicateOrderError, MembershipEndedError,
 * IdempotencyKeyReusedError, BadInputError.
 */
export async function recordPurchase(tx: Tx, purchase: NewPurchase, { key, hash, actor }: Operation) {
  const lines = purchase.lines ?? []
  checkOrderId(purchase.orderId)
  if (purchase.total < 0n) throw new BadInputError('input.total', 'A total is 0 or more, in minor units.')
  if (lines.length > MAX_LINES)
    throw new BadInputError('input.lines', `A purchase has at most ${MAX_LINES} lines.`)
  for (const [i, line] of lines.entries()) checkLine(line, `input.lines.${i}`)
  return raise(
    await call<Outcome<{ purchase: string; member: string; transaction: string | null }>>(
      tx,
      'select purchase_record($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) as outcome',
      [
        key,
        hash,
        ...namesOf(purchase.member),
        purchase.orderId,
        purchase.purchasedAt,
        purchase.currency,
        purchase.total,
        JSON.stringify(lines.map((line) => ({ ...line, amount: String(line.amount) }))),
        actor,
      ],
    ),
  )
}

/**
 * Gives a purchase back, or a part, with the points and the stage that came of it. Throws NotFoundError,
 * RefundExceedsPurchaseError, IdempotencyKeyReusedError, BadInputError.
 */
export async function refundPurchase(tx: Tx, refund: NewRefund, { key, hash, actor }: Operation) {
  const { lines, amount } = refund
  checkOrderId(refund.orderId)
  if (lines && amount != null) {
    throw new BadInputError('input.amount', 'Give lines or an amount, not both; neither refunds the rest.')
  }
  if (amount != null && amount <= 0n)
    throw new BadInputError('input.amount', 'An amount is more than 0, in minor units.')
  if (lines && (lines.length === 0 || lines.length > MAX_LINES)) {
    throw new BadInputError('input.lines', `A refund by lines names 1 to ${MAX_LINES} of them.`)
  }
  for (const [i, line] of (lines ?? []).entries()) checkQuantity(line.quantity, `input.lines.${i}`)
  return raise(
    await call<Outcome<{ purchase: string; member: string; amount: string }>>(
      tx,
      'select purchase_refund($1, $2, $3, $4, $5, $6, $7, $8) as outcome',
      [
        key,
        hash,
        refund.orderId,
        lines ? JSON.stringify(lines) : null,
        amount ?? null,
        refund.refundedAt ?? null,
        refund.reason ?? null,
        actor,
      ],
    ),
  )
}

function checkOrderId(orderId: string): void {
  if (orderId.trim() === '' || orderId.length > 200) {
    throw new BadInputError('input.orderId', 'An order id has 1 to 200 characters.')
  }
}

function checkLine({ sku, quantity, amount }: NewPurchaseLine, at: string): void {
  if (sku.trim() === '' || sku.length > 100)
    throw new BadInputError(`${at}.sku`, 'A sku has 1 to 100 characters.')
  checkQuantity(quantity, at)
  if (amount < 0n) throw new BadInputError(`${at}.amount`, 'An amount is 0 or more, in minor units.')
}

function checkQuantity(quantity: number, at: string): void {
  if (quantity < 1) throw new BadInputError(`${at}.quantity`, 'A quantity is 1 or more.')
}
