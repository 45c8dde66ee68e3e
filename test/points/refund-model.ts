interface Line {
  readonly sku: string
  readonly quantity: number
  readonly amount: bigint
}

/** What is asked back: pieces, an amount, or the rest. */
export interface ModelRefund {
  readonly lines?: readonly { readonly sku: string; readonly quantity: number }[]
  readonly amount?: bigint
}

interface Part extends Line {
  back: number
  amountBack: bigint
  share: bigint
}

const LABELLED = ['soap', 'cream']
const min = (a: bigint, b: bigint) => (a < b ? a : b)

/** What was given back of a purchase and of its lines, by the words of the documentation. */
export class RefundModel {
  readonly #total: bigint
  readonly #lines: readonly Part[]
  #refunded = 0n
  #isWhole = false

  constructor(total: bigint, lines: readonly Line[]) {
    this.#total = total
    this.#lines = lines.map((line) => ({ ...line, back: 0, amountBack: 0n, share: 0n }))
  }

  /** Gives back, or refuses: false. */
  refund({ lines, amount }: ModelRefund): boolean {
    if (this.#isWhole) return false
    const left = this.#total - this.#refunded
    if (lines) {
      const taken = this.#pieces(lines)
      const sum = taken?.reduce((all, { worth }) => all + worth, 0n) ?? 0n
      if (!taken || sum > left) return false
      for (const { part, pieces, worth } of taken) {
        part.back += pieces
        part.amountBack += worth
      }
      this.#refunded += sum
    } else if (amount !== undefined) {
      if (amount > left) return false
      this.#spread(amount, left)
      this.#refunded += amount
    } else {
      this.#refunded = this.#total
      this.#isWhole = true
    }
    const isAllBack = this.#lines.every(({ back, quantity }) => back === quantity)
    this.#isWhole ||= this.#refunded === this.#total && (this.#total > 0n || isAllBack)
    return true
  }

  /** How much of the base of a rule was given back. */
  refunded(rule: string, line: string, base: bigint): bigint {
    if (this.#isWhole) return base
    if (rule === 'whole' || rule === 'fixed') return min(this.#refunded, base)
    const parts =
      rule === 'line'
        ? this.#lines.filter((_, i) => String(i + 1) === line)
        : this.#lines.filter(({ sku }) => LABELLED.includes(sku))
    if (
      parts.every(
        (part) => part.back === part.quantity || (part.amount > 0n && worthBack(part) === part.amount),
      )
    )
      return base
    return min(
      parts.reduce((all, part) => all + worthBack(part), 0n),
      base,
    )
  }

  #pieces(asked: NonNullable<ModelRefund['lines']>) {
    const taken: { part: Part; pieces: number; worth: bigint }[] = []
    for (const sku of new Set(asked.map((each) => each.sku))) {
      let wanted = asked.filter((each) => each.sku === sku).reduce((all, { quantity }) => all + quantity, 0)
      for (const part of this.#lines.filter((each) => each.sku === sku)) {
        const pieces = Math.min(wanted, part.quantity - part.back)
        wanted -= pieces
        const worth = (part.amount * BigInt(part.back + pieces)) / BigInt(part.quantity) - part.amountBack
        if (pieces > 0) taken.push({ part, pieces, worth })
      }
      if (wanted > 0) return undefined
    }
    return taken
  }

  /** Each line its part of what it has left, rounded down; then one more by the largest remainder. */
  #spread(amount: bigint, left: bigint): void {
    const shares = this.#lines
      .map((part) => ({ part, has: part.amount - worthBack(part) }))
      .map(({ part, has }, i) => ({
        part,
        i,
        has,
        whole: (has * amount) / left,
        rest: (has * amount) % left,
      }))
    const due = (shares.reduce((all, { has }) => all + has, 0n) * amount) / left
    let over = due - shares.reduce((all, { whole }) => all + whole, 0n)
    for (const { part, whole } of shares) part.share += whole
    for (const { part } of shares.toSorted((a, b) =>
      a.rest === b.rest ? a.i - b.i : a.rest > b.rest ? -1 : 1,
    )) {
      if (over-- > 0n) part.share += 1n
    }
  }
}

const worthBack = ({ amount, amountBack, share }: Part) => min(amount, amountBack + share)
