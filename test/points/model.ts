/** The ledger as its rules say it, in memory and without any SQL: the oracle of the model-based test. */

/** One lot. Instants are milliseconds. */
export interface Lot {
  /** The transaction that granted it; the database's own id comes with the first look. */
  readonly transaction: string
  id: string
  readonly availableAt: number
  readonly expiresAt: number | null
  readonly granted: bigint
  pending: bigint
  available: bigint
  held: bigint
  spent: bigint
  expired: bigint
  revoked: bigint
}

interface Part {
  readonly lot: Lot
  readonly points: bigint
}

/** One hold, and what it took from which lot. */
export interface Hold {
  readonly id: string
  readonly points: bigint
  readonly expiresAt: number
  readonly parts: readonly Part[]
  state: 'OPEN' | 'CAPTURED' | 'VOIDED' | 'EXPIRED'
  captured: bigint
  released: bigint
}

interface Spend {
  readonly parts: readonly Part[]
  readonly back: Map<Lot, bigint>
}

/** What one purchase earned, and what was asked back since. */
export interface Basis {
  readonly lot: Lot
  readonly base: bigint
  refunded: bigint
  revoked: bigint
  expiredCounted: bigint
}

/** One transaction as it should stand in the wallet's history. */
export type Entry = readonly [kind: string, at: number, points: bigint]

const least = (...values: bigint[]) => values.reduce((a, b) => (b < a ? b : a))
const sum = (values: Iterable<bigint>) => [...values].reduce((a, b) => a + b, 0n)

/** One wallet. Each operation settles first, as the database does. */
export class WalletModel {
  lots: Lot[] = []
  holds: Hold[] = []
  spends = new Map<string, Spend>()
  bases = new Map<string, Basis>()
  journal: Entry[] = []
  debt = 0n
  lost = 0n
  debtLimit: bigint | null = null

  grant(transaction: string, points: bigint, { now, availableAt, expiresAt }: Grant): Lot {
    this.settle(now)
    const lot = this.#issue(transaction, points, availableAt ?? now, {
      expiresAt,
      isPending: (availableAt ?? now) > now,
    })
    this.#repay(now)
    this.journal.push(['GRANT', now, points])
    return lot
  }

  earn(transaction: string, source: string, { base, points, at, expiresAt, now }: Earn): Lot {
    this.settle(now)
    const lot = this.#issue(transaction, points, at, { expiresAt, isPending: false })
    this.bases.set(source, { lot, base, refunded: 0n, revoked: 0n, expiredCounted: 0n })
    this.#repay(now)
    this.journal.push(['EARN', at, points])
    return lot
  }

  /** What can be spent now; settles. */
  affordable(now: number): bigint {
    this.settle(now)
    return sum(this.lots.map(({ available }) => available))
  }

  spend(transaction: string, points: bigint, now: number): void {
    this.settle(now)
    this.spends.set(transaction, { parts: this.#burn(points, now, 'spent'), back: new Map() })
    this.journal.push(['SPEND', now, points])
  }

  hold(id: string, points: bigint, { now, expiresAt }: { now: number; expiresAt: number }): void {
    this.settle(now)
    const parts = this.#burn(points, now, 'held')
    this.holds.push({ id, points, expiresAt, parts, state: 'OPEN', captured: 0n, released: 0n })
    this.journal.push(['HOLD', now, points])
  }

  capture(transaction: string, hold: Hold, { points, now }: { points: bigint; now: number }): void {
    this.settle(now)
    const parts = this.#resolve(hold, { captured: points, at: now, state: 'CAPTURED' })
    this.spends.set(transaction, { parts, back: new Map() })
    this.journal.push(['CAPTURE', now, points])
  }

  void(hold: Hold, now: number): void {
    this.settle(now)
    this.#resolve(hold, { captured: 0n, at: now, state: 'VOIDED' })
    this.journal.push(['VOID', now, hold.points])
  }

  /** What is left of a spend to give back. */
  refundable(transaction: string): bigint {
    const spend = this.spends.get(transaction)
    return spend ? sum(spend.parts.map(({ points }) => points)) - sum(spend.back.values()) : 0n
  }

  refundSpend(transaction: string, points: bigint, now: number): void {
    this.settle(now)
    const spend = this.spends.get(transaction)
    let left = points
    for (const { lot, points: taken } of [...(spend?.parts ?? [])].reverse()) {
      const before = spend?.back.get(lot) ?? 0n
      const back = least(left, taken - before)
      spend?.back.set(lot, before + back)
      lot.spent -= back
      lot[isDead(lot, now) ? 'expired' : 'available'] += back
      left -= back
    }
    this.#repay(now)
    this.journal.push(['REFUND_SPEND', now, points])
  }

  clawBack(source: string, refundedSoFar: bigint, { at, now }: { at: number; now: number }): void {
    this.settle(now)
    const basis = this.bases.get(source)
    if (!basis) return
    const { lot } = basis
    basis.refunded = refundedSoFar
    const target = basis.base === 0n ? 0n : (lot.granted * refundedSoFar) / basis.base
    let left = target - basis.revoked
    basis.revoked = target
    let moved = 0n
    for (const bucket of ['pending', 'available'] as const) {
      const take = least(left, lot[bucket])
      lot[bucket] -= take
      lot.revoked += take
      left -= take
      moved += take
    }
    const expired = least(left, lot.expired - basis.expiredCounted)
    basis.expiredCounted += expired
    left -= expired
    const others = least(left, sum(this.#burnable(now).map(({ available }) => available)))
    this.#burn(others, now, 'revoked')
    left -= others
    moved += others
    const owed = this.debtLimit === null ? left : least(left, this.debtLimit - this.debt)
    this.debt += owed
    this.lost += left - owed
    if (moved + left > 0n) this.journal.push(['REFUND_EARN', at, moved + owed])
  }

  /** Everything that fell due up to now, instant by instant. */
  settle(now: number): void {
    for (let at = this.#nextDue(); at <= now; at = this.#nextDue()) this.#settleInstant(at)
  }

  /** This wallet as if all that is due were booked; this one stays as it is. */
  settledCopy(now: number): WalletModel {
    const { lots, holds, debt } = this
    const copy = Object.assign(new WalletModel(), structuredClone({ lots, holds, debt }))
    copy.settle(now)
    return copy
  }

  /** What is available, by the instant of its death; without what never dies. */
  expiring(): [expiresAt: number, points: bigint][] {
    const byInstant = new Map<number, bigint>()
    for (const { available, expiresAt } of this.lots) {
      if (available > 0n && expiresAt !== null)
        byInstant.set(expiresAt, (byInstant.get(expiresAt) ?? 0n) + available)
    }
    return [...byInstant].sort(([a], [b]) => a - b)
  }

  #issue(transaction: string, points: bigint, availableAt: number, { expiresAt, isPending }: Issue): Lot {
    const lot = {
      transaction,
      id: '',
      availableAt,
      expiresAt,
      granted: points,
      pending: 0n,
      available: 0n,
      held: 0n,
    }
    this.lots.push({
      ...lot,
      spent: 0n,
      expired: 0n,
      revoked: 0n,
      [isPending ? 'pending' : 'available']: points,
    })
    return this.lots.at(-1) as Lot // pushed just now
  }

  #nextDue(): number {
    return Math.min(
      ...this.lots.filter(({ pending }) => pending > 0n).map(({ availableAt }) => availableAt),
      ...this.lots.filter(({ available }) => available > 0n).map(({ expiresAt }) => expiresAt ?? Infinity),
      ...this.holds.filter(({ state }) => state === 'OPEN').map(({ expiresAt }) => expiresAt),
    )
  }

  #settleInstant(at: number): void {
    const activated = this.lots.filter(({ pending, availableAt }) => pending > 0n && availableAt <= at)
    if (activated.length > 0) {
      this.journal.push(['ACTIVATE', at, sum(activated.map(({ pending }) => pending))])
      for (const lot of activated) {
        lot.available += lot.pending
        lot.pending = 0n
      }
      this.#repay(at)
    }
    const lapsed = this.holds.filter(({ state, expiresAt }) => state === 'OPEN' && expiresAt <= at)
    for (const hold of lapsed.sort((a, b) => (a.id < b.id ? -1 : 1))) {
      this.#resolve(hold, { captured: 0n, at, state: 'EXPIRED' })
      this.journal.push(['VOID', at, hold.points])
    }
    const dead = this.lots.filter((lot) => lot.available > 0n && isDead(lot, at))
    if (dead.length > 0) {
      this.journal.push(['EXPIRE', at, sum(dead.map(({ available }) => available))])
      for (const lot of dead) {
        lot.expired += lot.available
        lot.available = 0n
      }
    }
  }

  #resolve(
    hold: Hold,
    { captured, at, state }: { captured: bigint; at: number; state: Hold['state'] },
  ): Part[] {
    let left = captured
    const spent: Part[] = []
    for (const { lot, points } of hold.parts) {
      const take = least(left, points)
      if (take > 0n) spent.push({ lot, points: take })
      left -= take
      lot.held -= points
      lot.spent += take
      lot[isDead(lot, at) ? 'expired' : 'available'] += points - take
    }
    Object.assign(hold, { state, captured, released: hold.points - captured })
    this.#repay(at)
    return spent
  }

  #repay(at: number): void {
    const points = least(this.debt, sum(this.#burnable(at).map(({ available }) => available)))
    this.#burn(points, at, 'revoked')
    this.debt -= points
  }

  #burnable(at: number): Lot[] {
    return this.lots
      .filter((lot) => lot.available > 0n && !isDead(lot, at))
      .sort(
        (a, b) =>
          (a.expiresAt ?? Number.MAX_VALUE) - (b.expiresAt ?? Number.MAX_VALUE) ||
          a.availableAt - b.availableAt ||
          (a.id < b.id ? -1 : 1),
      )
  }

  #burn(points: bigint, at: number, to: 'spent' | 'held' | 'revoked'): Part[] {
    let left = points
    const parts: Part[] = []
    for (const lot of this.#burnable(at)) {
      const take = least(left, lot.available)
      if (take === 0n) break
      lot.available -= take
      lot[to] += take
      left -= take
      parts.push({ lot, points: take })
    }
    if (left > 0n) throw new Error(`the model lacks ${left} points`)
    return parts
  }
}

interface Issue {
  readonly expiresAt: number | null
  readonly isPending: boolean
}
interface Grant {
  readonly now: number
  readonly availableAt: number | null
  readonly expiresAt: number | null
}
interface Earn {
  readonly base: bigint
  readonly points: bigint
  readonly at: number
  readonly expiresAt: number | null
  readonly now: number
}

const isDead = ({ expiresAt }: Lot, at: number) => expiresAt !== null && expiresAt <= at
