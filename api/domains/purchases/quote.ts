import type { Tx } from '../../platform/db.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import {
  type Discount,
  type MemberPrice,
  readDiscounts,
  readPrices,
  type Stacked,
  stack,
} from '../benefits/index.ts'
import type { CouponNow } from '../coupons/index.ts'

/** A line to be bought; without an amount, the member's price counts. */
export interface QuoteLine {
  readonly sku: string
  readonly quantity: number
  readonly amount: bigint | null
}

/** What is asked for. Ids are uuids. */
export interface Asked {
  readonly member: string
  readonly currency: string
  readonly lines: readonly QuoteLine[]
  /** Null: everything that is open. */
  readonly benefits: readonly string[] | null
  /** Coupons that would be taken. */
  readonly coupons: readonly CouponNow[]
}

const COUPON = 'coupon '

/** The key of the coupon that a discount is; undefined for one that is a benefit. */
export const couponIn = (discount: string): string | undefined =>
  discount.startsWith(COUPON) ? discount.slice(COUPON.length) : undefined

/** A coupon as a discount; one that is good for something else takes nothing off. */
function discountOf({ key, body: { benefit } }: CouponNow, currency: string, category: string): Discount {
  const { money, percent } = benefit
  const minor = money?.currency === currency ? BigInt(money.amount) : 0n
  return { key: COUPON + key, category, off: percent ? { basisPoints: percent.basisPoints } : { minor } }
}

/** What a purchase would cost. Amounts in minor units. */
export interface Quote {
  readonly currency: string
  readonly stacked: Stacked
  readonly lines: readonly QuotedLine[]
}

/** A line with its amount before and after discounts. */
export interface QuotedLine extends QuoteLine {
  readonly amount: bigint
  readonly left: bigint
  /** The price that made the amount; null when it was given. */
  readonly price: MemberPrice | null
}

/**
 * What a purchase would cost a member now: its prices, then the discounts that go together. Nothing is reserved. Null
 * when one of the benefits named cannot be used. Throws BadInputError for a line without an amount or a price.
 */
export async function quote(
  tx: Tx,
  { member, currency, lines, benefits, coupons }: Asked,
): Promise<Quote | null> {
  const skus = lines.flatMap(({ sku, amount }) => (amount === null ? [sku] : []))
  const [prices, { discounts, rules }] = await Promise.all([
    skus.length > 0 ? readPrices(tx, { member, skus, currency, at: null }) : [],
    readDiscounts(tx, { member, currency, benefits }),
  ])
  if (benefits !== null && discounts.length < new Set(benefits).size) return null
  const bySku = new Map(prices.map((price) => [price.sku, price]))
  const priced = lines.map(({ sku, quantity, amount }, i) => {
    const price = amount === null ? (bySku.get(sku) ?? null) : null
    const worth = amount ?? (price && price.minor * BigInt(quantity))
    if (worth === null) {
      const field = `input.lines.${i}.amount`
      throw new BadInputError(field, `${field} is needed: ${sku} has no price in ${currency}.`)
    }
    return { sku, quantity, amount: worth, price }
  })
  const category = rules.categories.some(({ key }) => key === 'coupon') ? 'coupon' : 'benefit'
  const all = [...discounts, ...coupons.map((coupon) => discountOf(coupon, currency, category))]
  const stacked = stack(priced, all, rules)
  return {
    currency,
    stacked,
    lines: priced.map((line, i) => ({ ...line, left: stacked.left[i] ?? 0n })),
  }
}
