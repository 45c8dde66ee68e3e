/** Earn rules once more, in memory and by other means: an oracle for the database. */

/** A rule, as its body says it; audiences are "vip" or everybody. */
export interface ModelRule {
  readonly key: string
  readonly on: { purchase?: true; line?: true; label?: string }
  readonly points: {
    fixed?: string
    per?: { minor: string; points: string }
    formula?: string
  }
  readonly multipliers: readonly { readonly by: string; readonly vip: boolean }[]
  readonly rounding: 'DOWN' | 'UP' | 'HALF_UP' | 'HALF_EVEN'
  readonly isForVips: boolean
  /** Days from the first of the purchases, from inclusive, until exclusive. */
  readonly window: readonly [from: number, until: number] | null
  readonly cap: { readonly points: bigint; readonly per: 'DAY' | 'EVER' } | null
  readonly cooldownDays: number | null
  readonly maxTimes: { readonly times: number; readonly per: 'DAY' | 'EVER' } | null
  readonly budget: bigint | null
  readonly group: string | null
  readonly match: 'FIRST' | 'ALL'
  readonly order: number
}

/** A purchase at a half past some hour of a day, counted from the first. */
export interface ModelPurchase {
  readonly member: 'vip' | 'guest'
  readonly day: number
  readonly total: bigint
  readonly lines: readonly { readonly sku: string; readonly quantity: bigint; readonly amount: bigint }[]
}

/** What one rule made of one purchase, or of one of its lines. */
export interface ModelEarning {
  readonly rule: string
  readonly line: string
  readonly points: bigint
  readonly cap: bigint
  readonly budget: bigint
  readonly granted: bigint
  readonly why: string | null
}

/** A fraction; the denominator is above zero. */
type Fraction = readonly [bigint, bigint]

/** The purchases of a run, one after the other. */
export class EarnModel {
  readonly #rules: readonly ModelRule[]
  readonly #labels: Readonly<Record<string, readonly string[]>>
  readonly #used = new Map<string, bigint>()
  readonly #times = new Map<string, number>()
  readonly #spent = new Map<string, bigint>()
  readonly #gave = new Map<string, number[]>()

  constructor(rules: readonly ModelRule[], labels: Readonly<Record<string, readonly string[]>>) {
    this.#rules = [...rules].sort((a, b) => a.order - b.order || (a.key < b.key ? -1 : 1))
    this.#labels = labels
  }

  /** What every rule makes of it, in the order in which rules are asked. */
  buy(purchase: ModelPurchase): ModelEarning[] {
    const taken = new Set<string>()
    return this.#rules.flatMap((rule) => {
      const items = this.#items(rule, purchase)
      if (items.length === 0) return []
      const closed = this.#closed(rule, purchase)
      const factor = rule.multipliers
        .filter(({ vip }) => !vip || purchase.member === 'vip')
        .reduce<Fraction>((all, { by }) => times(all, decimal(by)), [1n, 1n])
      let hasGiven = false
      const earnings = items.map(({ line, amount, quantity }) => {
        const none = { rule: rule.key, line, points: 0n, cap: 0n, budget: 0n, granted: 0n }
        if (closed) return { ...none, why: closed }
        if (rule.group) {
          const place = `${rule.group}/${line}`
          if (rule.match === 'FIRST' && taken.has(place)) return { ...none, why: 'FIRST_MATCH' }
          taken.add(place)
        }
        const exact = pointsOf(rule, { total: purchase.total, amount, quantity })
        if (exact === null) return { ...none, why: 'DIVISION_BY_ZERO' }
        const points = rounded(times(exact, factor), rule.rounding)
        if (points === 0n) return { ...none, why: 'TOO_LITTLE' }
        if (points > 10n ** 17n) return { ...none, why: 'OVERFLOW' }
        const earning = this.#cut(rule, purchase, { line, points })
        if (earning.granted > 0n) hasGiven = true
        return earning
      })
      if (hasGiven) this.#count(rule, purchase)
      return earnings
    })
  }

  #items(rule: ModelRule, { total, lines }: ModelPurchase) {
    const sum = (of: ModelPurchase['lines'], what: 'amount' | 'quantity') =>
      of.reduce((all, line) => all + line[what], 0n)
    if (rule.on.purchase) return [{ line: '', amount: total, quantity: sum(lines, 'quantity') }]
    if (rule.on.line) return lines.map((line, i) => ({ line: String(i + 1), ...line }))
    const labelled = lines.filter(({ sku }) => this.#labels[rule.on.label ?? '']?.includes(sku))
    return labelled.length === 0
      ? []
      : [{ line: '', amount: sum(labelled, 'amount'), quantity: sum(labelled, 'quantity') }]
  }

  #closed(rule: ModelRule, { member, day }: ModelPurchase): string | null {
    if (rule.window && (day < rule.window[0] || day >= rule.window[1])) return 'WINDOW'
    if (rule.isForVips && member !== 'vip') return 'AUDIENCE'
    const before = this.#gave.get(`${rule.key} ${member}`) ?? []
    const { cooldownDays, maxTimes } = rule
    if (cooldownDays !== null && before.some((other) => Math.abs(other - day) < cooldownDays))
      return 'COOLDOWN'
    if (maxTimes && (this.#times.get(slot(rule.key, member, maxTimes.per, day)) ?? 0) >= maxTimes.times)
      return 'MAX_TIMES'
    return null
  }

  #cut(
    rule: ModelRule,
    { member, day }: ModelPurchase,
    { line, points }: { line: string; points: bigint },
  ): ModelEarning {
    const place = slot(rule.key, member, rule.cap?.per ?? 'EVER', day)
    const room = rule.cap ? rule.cap.points - (this.#used.get(place) ?? 0n) : points
    const capped = least(points, room)
    const budget = rule.budget === null ? capped : rule.budget - (this.#spent.get(rule.key) ?? 0n)
    const granted = least(capped, budget)
    if (rule.cap) this.#used.set(place, (this.#used.get(place) ?? 0n) + granted)
    this.#spent.set(rule.key, (this.#spent.get(rule.key) ?? 0n) + granted)
    const why = granted > 0n ? null : capped === 0n ? 'CAP' : 'BUDGET'
    return { rule: rule.key, line, points, cap: points - capped, budget: capped - granted, granted, why }
  }

  #count(rule: ModelRule, { member, day }: ModelPurchase): void {
    const place = slot(rule.key, member, rule.maxTimes?.per ?? 'EVER', day)
    this.#times.set(place, (this.#times.get(place) ?? 0) + 1)
    const name = `${rule.key} ${member}`
    this.#gave.set(name, [...(this.#gave.get(name) ?? []), day])
  }
}

const slot = (rule: string, member: string, per: 'DAY' | 'EVER', day: number) =>
  `${rule} ${member} ${per === 'DAY' ? day : ''}`
const least = (a: bigint, b: bigint) => (a < b ? a : b)
const times = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * c, b * d]

function decimal(text: string): Fraction {
  const [whole = '', part = ''] = text.split('.')
  return [BigInt(whole + part), 10n ** BigInt(part.length)]
}

type Facts = Readonly<Record<'total' | 'amount' | 'quantity', bigint>>

function pointsOf({ points }: ModelRule, facts: Facts): Fraction | null {
  if (points.fixed) return [BigInt(points.fixed), 1n]
  if (points.per) return [facts.amount * BigInt(points.per.points), BigInt(points.per.minor)]
  return computed(points.formula ?? '0', facts)
}

/** Computes a formula by letting JavaScript read it, its numbers made into fractions. Null: divided by zero. */
export function computed(formula: string, facts: Readonly<Record<string, bigint>>): Fraction | null {
  const stack = formula.match(/\d+(\.\d+)?|[A-Za-z]\w*|\S/g) ?? []
  let at = 0
  const sum = (): Fraction => {
    let all = product()
    while (stack[at] === '+' || stack[at] === '-') {
      const sign = stack[at++] === '-' ? -1n : 1n
      const [n, d] = product()
      all = [all[0] * d + sign * n * all[1], all[1] * d]
    }
    return all
  }
  const product = (): Fraction => {
    let all = unary()
    while (stack[at] === '*' || stack[at] === '/') {
      const isDivision = stack[at++] === '/'
      const [n, d] = unary()
      if (isDivision && n === 0n) throw new RangeError('division by zero')
      all = isDivision ? times(all, n < 0n ? [-d, -n] : [d, n]) : times(all, [n, d])
    }
    return all
  }
  const unary = (): Fraction => {
    const token = stack[at++] ?? ''
    if (token === '-') {
      const [n, d] = unary()
      return [-n, d]
    }
    if (token === '(') {
      const inner = sum()
      at++
      return inner
    }
    if (/^\d/.test(token)) return decimal(token)
    if (stack[at] !== '(') return [facts[token] ?? 0n, 1n]
    const given: Fraction[] = []
    do {
      at++
      given.push(sum())
    } while (stack[at] === ',')
    at++
    const [first = [0n, 1n] as Fraction] = given
    if (token === 'floor') return [floored(first), 1n]
    if (token === 'ceil') return [-floored([-first[0], first[1]]), 1n]
    if (token === 'round') {
      const isBelow = first[0] < 0n
      const whole = floored([2n * (isBelow ? -first[0] : first[0]) + first[1], 2n * first[1]])
      return [isBelow ? -whole : whole, 1n]
    }
    return given.reduce((best, [n, d]) => {
      const isLess = n * best[1] < best[0] * d
      return isLess === (token === 'min') && n * best[1] !== best[0] * d ? [n, d] : best
    })
  }
  try {
    return sum()
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

const floored = ([n, d]: Fraction): bigint => (n < 0n && n % d !== 0n ? n / d - 1n : n / d)

function rounded([n, d]: Fraction, how: ModelRule['rounding']): bigint {
  if (n <= 0n) return 0n
  const [whole, rest] = [n / d, n % d]
  const isUp = {
    DOWN: false,
    UP: rest > 0n,
    HALF_UP: 2n * rest >= d,
    HALF_EVEN: 2n * rest > d || (2n * rest === d && whole % 2n === 1n),
  }[how]
  return isUp ? whole + 1n : whole
}
