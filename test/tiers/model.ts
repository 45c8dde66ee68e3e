/**
 * The rules of tiers once more, in memory, by looking at everything anew: no standing, no due instants, sums over all
 * facts. In Tokyo, whose clocks never change. Amounts are small numbers, instants milliseconds.
 */

export type Window =
  | { readonly is: 'MONTH' | 'QUARTER' }
  | { readonly is: 'ROLLING'; readonly days: number }
  | { readonly is: 'EVER' }

export interface Rules {
  readonly window: Window
  readonly thresholds: readonly number[]
  readonly neverFalls: readonly boolean[]
  readonly falls: 'NEVER' | 'ONE_LEVEL' | 'FULL'
  /** Days; 0: none. */
  readonly grace: number
}

interface Fact {
  readonly at: number
  /** What was taken back of it, and when. */
  readonly back: { at: number; amount: number }[]
  readonly amount: number
}

const DAY = 86_400_000
const TOKYO = 9 * 3_600_000

/** One member on one ladder. */
export class TierModel {
  readonly facts: Fact[] = []
  /** Every change, as "level at instant". */
  readonly changes: string[] = []
  level = 0
  readonly #rules: Rules
  /** The window that is over and that the tier rests on; `level` is what was held when it ended. */
  #question: { from: number; to: number; until: number; level: number }
  #from: number
  #to: number
  #grace: number | null = null

  constructor(rules: Rules, now: number) {
    this.#rules = rules
    ;[this.#from, this.#to] = this.#period(now)
    const [from, to] = this.#period(this.#from - 1)
    this.#question = { from, to, until: to, level: 0 }
    this.#look(now)
  }

  /** Lets time pass, then takes a fact or what is taken back of one. */
  take(now: number, fact?: Fact): void {
    this.pass(now)
    if (fact) this.facts.push(fact)
    this.#look(now)
  }

  /** Lets time pass: everything that ends on the way ends in order. */
  pass(now: number): void {
    const { window } = this.#rules
    for (;;) {
      const ends = [
        this.#grace ?? Infinity,
        this.#question.until,
        window.is === 'ROLLING' ? this.#leaving() : this.#to,
      ]
      const next = Math.min(...ends.filter((at) => at > this.#looked))
      if (!(next <= now)) return
      this.#look(next, true)
    }
  }

  #looked = -Infinity

  #look(now: number, isEnd = false): void {
    this.#looked = now
    const { window } = this.#rules
    const level =
      window.is === 'EVER'
        ? this.#allowed(this.#sum(-Infinity, Infinity, now, isEnd))
        : window.is === 'ROLLING'
          ? this.#flowing(now, window.days * DAY, isEnd)
          : this.#cycling(now, isEnd)
    if (level !== this.level) this.changes.push(`${level} ${new Date(now).toISOString()}`)
    this.level = level
  }

  #cycling(now: number, isEnd: boolean): number {
    if (now >= this.#to) {
      const reached = this.#allowed(this.#sum(this.#from, this.#to, now, isEnd))
      const isOpen = this.#grace !== null && reached < this.level
      if (!isOpen) {
        const until = this.#to + this.#rules.grace * DAY
        this.#question = { from: this.#from, to: this.#to, until, level: this.level }
      }
      ;[this.#from, this.#to] = this.#period(this.#to)
    }
    const { from, to, until, level } = this.#question
    const kept = this.#allowed(this.#sum(from, until, now, isEnd))
    const fallen = kept >= level ? level : this.#fallen(level, kept)
    const isGrace = fallen < level && now < until
    this.#grace = isGrace ? until : null
    const rest = isGrace ? level : fallen
    return Math.max(
      rest,
      this.#allowed(this.#sum(from, to, now, isEnd)),
      this.#allowed(this.#sum(this.#from, this.#to, now, isEnd)),
    )
  }

  #flowing(now: number, span: number, isEnd: boolean): number {
    const reached = this.#allowed(this.#sum(now - span + 1, Infinity, now, isEnd))
    const fallen = reached >= this.level ? reached : this.#fallen(this.level, reached)
    if (fallen >= this.level) {
      this.#grace = null
      return fallen
    }
    this.#grace ??= this.#rules.grace > 0 ? now + this.#rules.grace * DAY : now
    if (now < this.#grace) return this.level
    this.#grace = null
    return fallen
  }

  /** When the next fact leaves a rolling window. */
  #leaving(): number {
    const { window } = this.#rules
    const span = window.is === 'ROLLING' ? window.days * DAY : Infinity
    return Math.min(Infinity, ...this.facts.map(({ at }) => at + span).filter((at) => at > this.#looked))
  }

  /** What counts from one instant up to another, as it is known now, or was just before now. */
  #sum(from: number, to: number, now: number, isBefore: boolean): number {
    const isKnown = (at: number) => (isBefore ? at < now : true)
    return this.facts
      .filter(({ at }) => at >= from && at < to && isKnown(at))
      .reduce(
        (sum, { amount, back }) =>
          sum + amount - back.filter(({ at }) => isKnown(at)).reduce((all, one) => all + one.amount, 0),
        0,
      )
  }

  #allowed(amount: number): number {
    return this.#rules.thresholds.filter((threshold) => threshold <= amount).length
  }

  #fallen(level: number, allowed: number): number {
    const { falls, neverFalls } = this.#rules
    const kept = neverFalls.slice(0, level).lastIndexOf(true) + 1
    const to = falls === 'NEVER' ? level : falls === 'FULL' ? allowed : Math.max(allowed, level - 1)
    return Math.max(kept, to)
  }

  #period(at: number): [from: number, to: number] {
    const { window } = this.#rules
    const months = window.is === 'QUARTER' ? 3 : 1
    const local = new Date(at + TOKYO)
    const first = Math.floor(local.getUTCMonth() / months) * months
    const start = (month: number) => Date.UTC(local.getUTCFullYear(), month, 1) - TOKYO
    return [start(first), start(first + months)]
  }
}
