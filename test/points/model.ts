/** The ledger as its rules say it, in memory and without any SQL: the oracle of the model-based test. */

/** One lot. Instants are milliseconds. */
export interface Lot {
  /** The transaction that granted it; the database's own id comes with the first look. */
  readonly transaction: string
  /** The lot that it came from, of another wallet. */
  readonly parent: Lot | null
  id: string
  readonly earnedAt: number
  availableAt: number
  expiresAt: number | null
  /** The event that it waits for until `availableAt`. */
  awaits: string | null
  /** Days that it lives on after an activity. */
  readonly slides: number | null
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

  earn(transaction: string, source: string, { base, points, at, expiresAt, now, slides, waits }: Earn): Lot {
    this.settle(now)
    const until = waits === undefined ? at : at + waits * DAY
    const lot = this.#issue(transaction, points, until, {
      expiresAt,
      isPending: waits !== undefined,
      ...{ earnedAt: at, slides: slides ?? null, awaits: waits === undefined ? null : EVENT },
    })
    this.bases.set(source, { lot, base, refunded: 0n, revoked: 0n, expiredCounted: 0n })
    this.#repay(now)
    this.journal.push(['EARN', at, points])
    return lot
  }

  /** Moves points to another wallet; what it took is what that one gets, lot by lot. */
  transfer(to: WalletModel, points: bigint, { out, into, now }: Transfer): void {
    this.settle(now)
    to.settle(now)
    const parts = this.#burn(points, now, 'spent')
    this.journal.push(['TRANSFER', now, points])
    for (const [n, { lot, points: part }] of parts.entries()) {
      const { availableAt, expiresAt, slides } = lot
      const dates = { expiresAt, slides, awaits: null, isPending: false, earnedAt: now }
      to.#issue(into, part, availableAt, { ...dates, parent: lot, id: `~${String(n).padStart(4, '0')}` })
    }
    to.#repay(now)
    to.journal.push(['TRANSFER', now, points])
    this.spends.delete(out) // a transfer cannot be given back
  }

  /** Adds points by hand, or takes them away. */
  adjust(transaction: string, points: bigint, { now, expiresAt }: { now: number; expiresAt: number }): void {
    this.settle(now)
    if (points < 0n) this.#burn(-points, now, 'revoked')
    else {
      this.#issue(transaction, points, now, { expiresAt, isPending: false })
      this.#repay(now)
    }
    this.journal.push(['ADJUST', now, points < 0n ? -points : points])
  }

  /** Sliding points that are alive live on from an activity, never shorter; how many lots do. */
  slide(at: number, now: number): number {
    const moved = this.lots.filter(
      ({ slides, expiresAt, pending, available, held }) =>
        slides !== null &&
        expiresAt !== null &&
        expiresAt > now &&
        dayEnd(at, slides) > expiresAt &&
        pending + available + held > 0n,
    )
    for (const lot of moved) lot.expiresAt = dayEnd(at, lot.slides ?? 0)
    return moved.length
  }

  /** The event has come for points that wait for it; how many lots. They live so many days from it. */
  happen(at: number, { now, days }: { now: number; days: number }): number {
    if (!this.lots.some(({ awaits, pending }) => awaits !== null && pending > 0n)) return 0
    this.settle(now)
    const brought = this.lots.filter(
      ({ awaits, pending, earnedAt }) => awaits !== null && pending > 0n && earnedAt <= at,
    )
    for (const lot of brought)
      Object.assign(lot, { availableAt: at, expiresAt: dayEnd(at, days), awaits: null })
    this.settle(now)
    return brought.length
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

  #issue(transaction: string, points: bigint, availableAt: number, issue: Issue): Lot {
    const { expiresAt, isPending, parent = null, id = '~', slides = null, awaits = null } = issue
    const lot = {
      transaction,
      parent,
      id,
      earnedAt: issue.earnedAt ?? availableAt,
      availableAt,
      expiresAt,
      awaits,
      slides,
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
    const due = this.lots.filter(({ pending, availableAt }) => pending > 0n && availableAt <= at)
    const activated = due.filter(({ awaits }) => awaits === null)
    const vain = due.filter(({ awaits }) => awaits !== null)
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
    const dead = [...vain, ...this.lots.filter((lot) => lot.available > 0n && isDead(lot, at))]
    if (dead.length > 0) {
      this.journal.push(['EXPIRE', at, sum(dead.map(({ available, pending }) => available + pending))])
      for (const lot of dead) {
        lot.expired += lot.available + lot.pending
        lot.available = 0n
        lot.pending = 0n
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
  readonly parent?: Lot
  readonly id?: string
  readonly earnedAt?: number
  readonly slides?: number | null
  readonly awaits?: string | null
}
interface Transfer {
  /** The transactions of the two wallets. */
  readonly out: string
  readonly into: string
  readonly now: number
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
  /** Days that they live on after an activity. */
  readonly slides?: number
  /** Days that they wait for the event. */
  readonly waits?: number
}

/** What waiting points of the model wait for. */
export const EVENT = 'review'

const DAY = 86_400_000

/** The midnight in Tokyo after the day that lies so many days after an instant. */
export function dayEnd(at: number, days: number): number {
  const local = at + 9 * 3_600_000
  return (Math.floor(local / DAY) + days + 1) * DAY - 9 * 3_600_000
}

const isDead = ({ expiresAt }: Lot, at: number) => expiresAt !== null && expiresAt <= at
