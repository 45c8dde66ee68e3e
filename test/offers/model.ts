/** An offer of the model. Amounts are minor units. */
export interface ModelOffer {
  readonly key: string
  readonly type: 'SPEND_TOTAL' | 'SINGLE_PURCHASE'
  readonly threshold: number
  readonly thresholdIs: 'AT_LEAST' | 'ABOVE'
  /** Hours. */
  readonly validFor: number
  readonly endIs: 'INCLUSIVE' | 'EXCLUSIVE'
  readonly currency?: string
}

interface Receipt {
  readonly key: string
  readonly offer: ModelOffer
  readonly at: number
  completedBy?: string | undefined
}

interface Purchase {
  readonly orderId: string
  readonly at: number
  readonly currency: string
  left: number
  isWholeBack: boolean
}

/**
 * Offers of one member as the rules say, and nothing cleverer: everything is looked at again after each fact. Facts
 * come in the order in which they are recorded; instants are hours.
 */
export class OfferModel {
  readonly #receipts: Receipt[] = []
  readonly #purchases: Purchase[] = []

  receive(key: string, offer: ModelOffer, at: number): void {
    if (this.#receipts.some((receipt) => receipt.key === key)) return
    this.#receipts.push({ key, offer, at })
    this.#complete()
  }

  purchase(orderId: string, { at, currency, total }: { at: number; currency: string; total: number }): void {
    if (this.#purchases.some((purchase) => purchase.orderId === orderId)) return
    this.#purchases.push({ orderId, at, currency, left: total, isWholeBack: false })
    this.#complete()
  }

  /** Gives back so much of an order, or (null) the rest; false when there is not so much. */
  refund(orderId: string, amount: number | null): boolean {
    const purchase = this.#purchases.find((each) => each.orderId === orderId)
    if (!purchase || purchase.isWholeBack || (amount ?? 0) > purchase.left) return false
    purchase.left -= amount ?? purchase.left
    purchase.isWholeBack = purchase.left === 0
    for (const receipt of this.#receipts) {
      if (receipt.completedBy !== undefined && this.#reachedBy(receipt) === undefined)
        receipt.completedBy = undefined
    }
    return true
  }

  /** What stands, as `receipt: order`, sorted. */
  completions(): string[] {
    return this.#receipts
      .filter(({ completedBy }) => completedBy !== undefined)
      .map(({ key, completedBy }) => `${key}: ${completedBy}`)
      .sort()
  }

  #complete(): void {
    for (const receipt of this.#receipts) receipt.completedBy ??= this.#reachedBy(receipt)
  }

  #reachedBy({ offer, at }: Receipt): string | undefined {
    const end = at + offer.validFor
    const isEnough = (sum: number) =>
      offer.thresholdIs === 'ABOVE' ? sum > offer.threshold : sum >= offer.threshold
    const sums: Record<string, number> = {}
    // A stable sort: those of one instant stay in the order of recording.
    for (const purchase of this.#purchases.toSorted((a, b) => a.at - b.at)) {
      const isInTime =
        purchase.at >= at && (offer.endIs === 'INCLUSIVE' ? purchase.at <= end : purchase.at < end)
      const isInCurrency = offer.currency === undefined || offer.currency === purchase.currency
      if (!isInTime || !isInCurrency || purchase.isWholeBack) continue
      const before = offer.type === 'SPEND_TOTAL' ? (sums[purchase.currency] ?? 0) : 0
      sums[purchase.currency] = before + purchase.left
      if (isEnough(before + purchase.left)) return purchase.orderId
    }
    return undefined
  }
}
