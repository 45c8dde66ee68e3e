import type { CostLimits } from '../platform/config.ts'
import { TooCostlyError } from '../platform/errors/index.ts'

/** What every response says in `extensions.cost`. */
export interface CostReport {
  /** What the operation was counted at before it ran. */
  readonly requested: number
  /** What it turned out to be; the difference was given back. */
  readonly actual: number
  /** What the token can still ask for now. */
  readonly available: number
  /** What the token regains each second. */
  readonly restoreRate: number
}

/** Whose budgets an operation draws on. Each token has one, and all tokens of a tenant share one. */
export interface Payer {
  readonly token: string
  readonly tenant: string
}

/** Cost that is set aside while an operation runs. */
export interface Reservation {
  /** Gives back what was not used and reports. Call it once. */
  settle(actual: number): CostReport
}

/** The cost budgets of one node: buckets that are drawn on and refill with time. */
export class Budgets {
  readonly #limits: CostLimits
  readonly #seconds: () => number
  readonly #tokens = new Map<string, Bucket>()
  readonly #tenants = new Map<string, Bucket>()

  /** `seconds` is any clock that only goes forward. */
  constructor(limits: CostLimits, seconds: () => number = () => performance.now() / 1000) {
    this.#limits = limits
    this.#seconds = seconds
  }

  /** Sets `cost` aside in both budgets. Throws TooCostlyError, with the wait where waiting helps. */
  reserve(payer: Payer, cost: number): Reservation {
    const limits = this.#limits
    if (cost > limits.operation) {
      throw new TooCostlyError(
        `This operation costs ${cost}; one operation may cost at most ${limits.operation}.`,
      )
    }
    const now = this.#seconds()
    const { token, tenant } = this.#buckets(payer, now)
    const wait = Math.max(token.waitFor(cost, now), tenant.waitFor(cost, now))
    if (wait > 0) {
      const left = Math.max(0, Math.floor(Math.min(token.level(now), tenant.level(now))))
      throw new TooCostlyError(`This operation costs ${cost}; ${left} is available now.`, Math.ceil(wait))
    }
    token.draw(cost, now)
    tenant.draw(cost, now)
    return {
      settle: (actual) => {
        const later = this.#seconds()
        token.draw(Math.min(actual, cost) - cost, later)
        tenant.draw(Math.min(actual, cost) - cost, later)
        return {
          requested: cost,
          actual: Math.min(actual, cost),
          available: Math.max(0, Math.floor(token.level(later))),
          restoreRate: limits.tokenPerSecond,
        }
      },
    }
  }

  /**
   * Draws without asking, for what must be delivered anyway. Returns the seconds until the budgets are
   * out of debt: a stream waits that long before it delivers more.
   */
  charge(payer: Payer, cost: number): number {
    const now = this.#seconds()
    const { token, tenant } = this.#buckets(payer, now)
    token.draw(cost, now)
    tenant.draw(cost, now)
    return Math.max(token.waitFor(0, now), tenant.waitFor(0, now))
  }

  #buckets({ token, tenant }: Payer, now: number) {
    const limits = this.#limits
    return {
      token: find(this.#tokens, token, () => new Bucket(limits.token, limits.tokenPerSecond, now)),
      tenant: find(this.#tenants, tenant, () => new Bucket(limits.tenant, limits.tenantPerSecond, now)),
    }
  }
}

class Bucket {
  readonly #capacity: number
  readonly #perSecond: number
  #level: number
  #at: number

  constructor(capacity: number, perSecond: number, now: number) {
    this.#capacity = capacity
    this.#perSecond = perSecond
    this.#level = capacity
    this.#at = now
  }

  get at(): number {
    return this.#at
  }

  level(now: number): number {
    this.#level = Math.min(this.#capacity, this.#level + (now - this.#at) * this.#perSecond)
    this.#at = now
    return this.#level
  }

  /** Takes from the bucket; a negative amount gives back. It may fall below zero. */
  draw(amount: number, now: number): void {
    this.#level = Math.min(this.#capacity, this.level(now) - amount)
  }

  /** Seconds until it holds `amount`; 0 when it does. */
  waitFor(amount: number, now: number): number {
    return Math.max(0, (amount - this.level(now)) / this.#perSecond)
  }

  isFull(now: number): boolean {
    return this.level(now) >= this.#capacity
  }
}

/** Each time this many more are known, the full ones, which say nothing, are thrown away. */
const MANY = 10_000

function find(buckets: Map<string, Bucket>, key: string, make: () => Bucket): Bucket {
  const known = buckets.get(key)
  if (known) return known
  const made = make()
  if (buckets.size > 0 && buckets.size % MANY === 0) {
    for (const [other, bucket] of buckets) if (bucket.isFull(made.at)) buckets.delete(other)
  }
  buckets.set(key, made)
  return made
}
