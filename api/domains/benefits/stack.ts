/**
 * Which discounts of a purchase count together, and what each takes off each line. Pure: integers in, integers out.
 *
 * Discounts are taken category by category, in the order of the rules; inside a category the one that would take off
 * most by itself goes first, then by key: the order in which they were given decides nothing. A discount is left out
 * when its category or one already taken excludes the other, when its category is full, when enough were taken, or
 * when it takes nothing off. What is left out uses up nothing and excludes nobody.
 */
import { type Rounding, roundedShare, splitByWeight } from './split.ts'

/** A line of a purchase; `amount` in minor units, for the whole line. */
export interface StackLine {
  readonly sku: string
  readonly amount: bigint
}

/** Something that would take money off. */
export interface Discount {
  /** Names it among the discounts of one purchase. */
  readonly key: string
  /** The category of the stacking rules it belongs to. */
  readonly category: string
  /** Minor units of the purchase's currency, or hundredths of a percent. */
  readonly off: { readonly minor: bigint } | { readonly basisPoints: number }
  /** The only articles that it is for; the whole purchase when absent. */
  readonly skus?: readonly string[] | undefined
}

/** A category of discounts. */
export interface Category {
  readonly key: string
  /** Lower is taken first; equal ones by key. */
  readonly order: number
  /** Whether percentages are of the amounts before any discount, or of what those before have left. */
  readonly onBase: 'ORIGINAL' | 'RUNNING'
  /** Whether a discount of it stands alone: with none of another category, nor with another of its own. */
  readonly isExclusive: boolean
  /** Categories that it does not go together with; it is enough when one of the two says so. */
  readonly excludes: readonly string[]
  /** How many of it count at most; null: any number. */
  readonly most: number | null
}

/** The rules of stacking. */
export interface StackRules {
  readonly categories: readonly Category[]
  /** How many discounts count at most; null: any number. */
  readonly maxDiscounts: number | null
  /** What of the purchase is paid at least: minor units, and hundredths of a percent of it rounded up; the more of both. */
  readonly floor: { readonly minor: bigint; readonly basisPoints: number }
  readonly rounding: Rounding
}

/** Why a discount counts, or not. */
export type StackReason =
  | 'APPLIED'
  | 'UNKNOWN_CATEGORY'
  | 'EXCLUDED'
  | 'CATEGORY_FULL'
  | 'TOO_MANY'
  | 'NO_EFFECT'

/** What became of a discount. */
export interface Effect {
  readonly key: string
  readonly reason: StackReason
  /** The discount that excludes it. */
  readonly excludedBy?: string
  /** What it takes off, in minor units; the sum of `perLine`. */
  readonly amount: bigint
  /** Line by line, in the order of the lines. */
  readonly perLine: readonly bigint[]
}

/** What a purchase costs in the end. */
export interface Stacked {
  /** In the order in which they were taken. */
  readonly effects: readonly Effect[]
  /** What is left of each line. */
  readonly left: readonly bigint[]
  /** The sum of the lines before, and after. */
  readonly before: bigint
  readonly total: bigint
}

interface Taken {
  readonly discount: Discount
  readonly category: Category
}

/** Applies discounts to the lines of a purchase. Amounts of lines are zero or more. */
export function stack(
  lines: readonly StackLine[],
  discounts: readonly Discount[],
  rules: StackRules,
): Stacked {
  const before = sum(lines.map(({ amount }) => amount))
  const floor = floorOf(before, rules)
  const original = lines.map(({ amount }) => amount)
  const nothing = lines.map(() => 0n)
  const byCategory = new Map(rules.categories.map((category) => [category.key, category]))
  const known: Taken[] = []
  const effects: Effect[] = []
  for (const discount of discounts) {
    const category = byCategory.get(discount.category)
    if (category) known.push({ discount, category })
  }
  let left = original
  const taken: Taken[] = []
  for (const entry of inOrder(known, lines, rules)) {
    const { key } = entry.discount
    const refusal = refusalOf(entry, taken, rules)
    if (refusal) {
      effects.push({ key, ...refusal, amount: 0n, perLine: nothing })
      continue
    }
    const perLine = takes(entry, { lines, original, left, floor, rounding: rules.rounding })
    const amount = sum(perLine)
    effects.push({ key, reason: amount > 0n ? 'APPLIED' : 'NO_EFFECT', amount, perLine })
    if (amount === 0n) continue
    taken.push(entry)
    left = left.map((part, i) => part - (perLine[i] ?? 0n))
  }
  for (const { key, category } of discounts) {
    if (!byCategory.has(category))
      effects.push({ key, reason: 'UNKNOWN_CATEGORY', amount: 0n, perLine: nothing })
  }
  return { effects, left, before, total: sum(left) }
}

/** What has to be paid at least. */
function floorOf(before: bigint, { floor }: StackRules): bigint {
  const share = roundedShare(before, BigInt(floor.basisPoints), 'UP')
  const least = share > floor.minor ? share : floor.minor
  return least > before ? before : least
}

/** By category; inside one, what would take off most by itself first, then by key. */
function inOrder(known: readonly Taken[], lines: readonly StackLine[], rules: StackRules): Taken[] {
  const original = lines.map(({ amount }) => amount)
  const alone = (entry: Taken) =>
    sum(takes(entry, { lines, original, left: original, floor: 0n, rounding: rules.rounding }))
  return known
    .map((entry) => ({ entry, value: alone(entry) }))
    .sort(
      (a, b) =>
        a.entry.category.order - b.entry.category.order ||
        compare(a.entry.category.key, b.entry.category.key) ||
        compare(b.value, a.value) ||
        compare(a.entry.discount.key, b.entry.discount.key),
    )
    .map(({ entry }) => entry)
}

function refusalOf(
  { category }: Taken,
  taken: readonly Taken[],
  { maxDiscounts }: StackRules,
): { reason: StackReason; excludedBy?: string } | undefined {
  const other = taken.find((earlier) => isApart(earlier.category, category))
  if (other) return { reason: 'EXCLUDED', excludedBy: other.discount.key }
  const ofCategory = taken.filter((earlier) => earlier.category.key === category.key).length
  if (category.most !== null && ofCategory >= category.most) return { reason: 'CATEGORY_FULL' }
  if (maxDiscounts !== null && taken.length >= maxDiscounts) return { reason: 'TOO_MANY' }
  return undefined
}

function isApart(one: Category, other: Category): boolean {
  if (one.isExclusive || other.isExclusive) return true
  return one.excludes.includes(other.key) || other.excludes.includes(one.key)
}

interface State {
  readonly lines: readonly StackLine[]
  readonly original: readonly bigint[]
  readonly left: readonly bigint[]
  readonly floor: bigint
  readonly rounding: Rounding
}

/**
 * What a discount takes off each line. The amount is rounded once, for all its lines together, and split by largest
 * remainder. No line goes below zero; what a percentage of the original amounts finds gone stays unused.
 */
function takes({ discount, category }: Taken, { lines, original, left, floor, rounding }: State): bigint[] {
  const { off, skus } = discount
  const isMine = lines.map(({ sku }) => skus === undefined || skus.includes(sku))
  const mine = (amounts: readonly bigint[]) => amounts.map((amount, i) => (isMine[i] ? amount : 0n))
  const isOfOriginal = 'basisPoints' in off && category.onBase === 'ORIGINAL'
  const weights = mine(isOfOriginal ? original : left)
  const asked = 'minor' in off ? off.minor : roundedShare(sum(weights), BigInt(off.basisPoints), rounding)
  const room = least(sum(left) - floor, sum(mine(left)))
  const shares = splitByWeight(least(asked, room), weights)
  return shares.map((share, i) => least(share, left[i] ?? 0n))
}

const sum = (amounts: readonly bigint[]) => amounts.reduce((all, amount) => all + amount, 0n)
const least = (a: bigint, b: bigint) => (a < b ? a : b)
const compare = <T>(a: T, b: T) => (a < b ? -1 : a > b ? 1 : 0)
