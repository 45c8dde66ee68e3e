import type { Discount, StackLine, StackRules } from '../../api/domains/benefits/stack.ts'

interface Told {
  readonly key: string
  readonly reason: string
  readonly perLine: number[]
}

/**
 * What stacking has to answer, worked out another way: small numbers, one coin at a time, and at each step a look
 * through everything that is left to take.
 */
export function bruteForce(lines: readonly StackLine[], discounts: readonly Discount[], rules: StackRules) {
  const original = lines.map(({ amount }) => Number(amount))
  const left = [...original]
  const effects = new Map<string, Told>()
  const waiting = new Set(discounts)
  const taken: Discount[] = []
  const categoryOf = ({ category }: Discount) => rules.categories.find(({ key }) => key === category)
  const total = (all: readonly number[]) => all.reduce((a, b) => a + b, 0)
  let floor = Number(rules.floor.minor)
  while (floor * 10_000 < total(original) * rules.floor.basisPoints) floor += 1
  if (floor > total(original)) floor = total(original)

  /** Coins that a discount takes off each line when that much is left of it and that much has to stay. */
  function coins(discount: Discount, of: readonly number[], stays: number): number[] {
    const isMine = (i: number) => !discount.skus || discount.skus.includes(lines[i]?.sku ?? '')
    const isOriginal = 'basisPoints' in discount.off && categoryOf(discount)?.onBase === 'ORIGINAL'
    const base = (isOriginal ? original : of).map((amount, i) => (isMine(i) ? amount : 0))
    const mine = total(of.filter((_, i) => isMine(i)))
    let asked = 'minor' in discount.off ? Number(discount.off.minor) : 0
    if ('basisPoints' in discount.off) asked = rounded((total(base) * discount.off.basisPoints) / 10_000)
    const amount = Math.max(0, Math.min(asked, mine, total(of) - stays))
    const given = base.map(() => 0)
    if (total(base) === 0) return given
    for (const [i, weight] of base.entries()) {
      while (((given[i] ?? 0) + 1) * total(base) <= amount * weight) given[i] = (given[i] ?? 0) + 1
    }
    while (total(given) < amount) {
      const wanting = base.map((weight, i) => amount * weight - (given[i] ?? 0) * total(base))
      const first = wanting.indexOf(Math.max(...wanting))
      given[first] = (given[first] ?? 0) + 1
    }
    return given.map((coin, i) => Math.min(coin, of[i] ?? 0))
  }

  function rounded(exact: number): number {
    const down = Math.floor(exact + 1e-9)
    const rest = Math.round((exact - down) * 10_000) / 10_000
    if (rules.rounding === 'DOWN' || rest === 0) return down
    if (rules.rounding === 'UP' || rest > 0.5) return down + 1
    if (rest < 0.5) return down
    return rules.rounding === 'HALF_UP' || down % 2 === 1 ? down + 1 : down
  }

  /** Whether one comes before the other. */
  function isBefore(a: Discount, b: Discount): boolean {
    const [x, y] = [categoryOf(a), categoryOf(b)]
    if (!x || !y) return !!x
    if (x.order !== y.order) return x.order < y.order
    if (x.key !== y.key) return x.key < y.key
    const [most, other] = [total(coins(a, original, 0)), total(coins(b, original, 0))]
    return most === other ? a.key < b.key : most > other
  }

  while (waiting.size > 0) {
    const next = [...waiting].reduce((best, one) => (isBefore(one, best) ? one : best))
    waiting.delete(next)
    const category = categoryOf(next)
    const nothing = lines.map(() => 0)
    const tell = (reason: string, perLine = nothing) =>
      effects.set(next.key, { key: next.key, reason, perLine })
    if (!category) {
      tell('UNKNOWN_CATEGORY')
      continue
    }
    const isApart = taken.some((other) => {
      const its = categoryOf(other)
      if (!its) return false
      const isAlone = category.isExclusive || its.isExclusive
      return isAlone || category.excludes.includes(its.key) || its.excludes.includes(category.key)
    })
    const ofCategory = taken.filter(({ category: key }) => key === category.key).length
    if (isApart) tell('EXCLUDED')
    else if (category.most !== null && ofCategory >= category.most) tell('CATEGORY_FULL')
    else if (rules.maxDiscounts !== null && taken.length >= rules.maxDiscounts) tell('TOO_MANY')
    else {
      const perLine = coins(next, left, floor)
      tell(total(perLine) > 0 ? 'APPLIED' : 'NO_EFFECT', perLine)
      if (total(perLine) > 0) taken.push(next)
      for (const [i, coin] of perLine.entries()) left[i] = (left[i] ?? 0) - coin
    }
  }
  return { effects, left }
}
