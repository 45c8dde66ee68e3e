import fc from 'fast-check'
import { expect } from 'vitest'
import {
  adjustPoints,
  captureHold,
  grantPoints,
  holdPoints,
  refundSpend,
  settleDue,
  spendPoints,
  transferPoints,
  voidHold,
} from '../../api/domains/points/index.ts'
import { type Ledger, operation } from './ledger.ts'
import { dayEnd, EVENT, type WalletModel } from './model.ts'

/** One step of the model-based test; `a`, `b` and `c` become amounts, instants and choices when it is taken. */
export interface Step {
  readonly kind: keyof typeof steps
  readonly who: number
  readonly a: number
  readonly b: number
  readonly c: number
}

/** A member beside its model. */
export interface Side {
  readonly member: string
  readonly model: WalletModel
  wallet: string | null
}

/** A run: three members, where the tenant's clock stands, and every request with its answer, for replays. */
export interface Run {
  readonly ledger: Ledger
  /** Milliseconds. */
  now: number
  readonly sides: readonly Side[]
  readonly requests: { again: () => Promise<unknown>; answer: unknown }[]
}

/** Takes one step in the database and in the model; the answers have to be the same. */
export const take = (run: Run, side: Side, step: Step): Promise<void> => steps[step.kind](run, side, step)

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Days that points live which an event brought. */
const LIVES = 30

const steps = {
  async grant(run: Run, side: Side, { a, b, c }: Step) {
    const { now, ledger } = run
    const points = BigInt((a % 150) + 1)
    const availableAt = c % 3 === 0 ? later(now, c) : null
    const expiresAt = b % 4 === 0 ? null : Math.max(later(now, b) ?? 0, (availableAt ?? now) + DAY)
    const grant = { member: { id: side.member }, points, reason: 'Hello' }
    const dates = { availableAt: asDate(availableAt), expiresAt: asDate(expiresAt) }
    const once = operation()
    const answer = await ask(run, () => grantPoints(ledger.tx, { ...grant, ...dates }, once))
    if (answer.is !== 'done') throw new Error(answer.is)
    side.model.grant(answer.transaction, points, { now, availableAt, expiresAt })
  },

  async earn({ now, ledger }: Run, side: Side, { a, b, c }: Step) {
    const base = BigInt(100 + (a % 20_000))
    const points = base / 100n
    const at = b % 5 === 0 ? now - (c % 600) * DAY : now
    const expiresAt = monthEnd(at, c % 14)
    const source = `order ${side.member} ${side.model.journal.length}`
    const earning = {
      member: side.member,
      source,
      base,
      points,
      at: new Date(at),
      expiresAt: new Date(expiresAt),
    }
    side.model.earn(await ledger.earn(earning), source, { base, points, at, expiresAt, now })
  },

  /** Points that live on with what the member does, or that wait for an event. */
  async earnMoving({ now, ledger }: Run, side: Side, { a, b, c }: Step) {
    const base = BigInt(100 + (a % 20_000))
    const points = base / 100n
    const days = 5 + (c % 40)
    const source = `order ${side.member} ${side.model.journal.length}`
    const earning = { member: side.member, source, base, points, at: new Date(now), expiresAt: null }
    const facts = { base, points, at: now, now }
    if (b % 2 === 0) {
      const transaction = await ledger.earn({ ...earning, expiry: { sliding: { days } } })
      side.model.earn(transaction, source, { ...facts, expiresAt: dayEnd(now, days), slides: days })
    } else {
      const pending = { event: EVENT, cancelAfter: `P${days}D` }
      const expiry = { rolling: { days: LIVES } }
      const transaction = await ledger.earn({ ...earning, pending, expiry })
      side.model.earn(transaction, source, { ...facts, expiresAt: null, waits: days })
    }
  },

  async slide({ now, ledger }: Run, side: Side, { a }: Step) {
    const at = now - (a % 4) * DAY
    const { rows } = await ledger.owner.query('select points_slide($1, $2, $3) as n', [
      ...[side.member, 'purchase', new Date(at)],
    ])
    expect(rows[0].n).toBe(side.model.slide(at, now))
  },

  async happen({ now, ledger }: Run, side: Side, { a }: Step) {
    const at = now - (a % 4) * DAY
    const { rows } = await ledger.owner.query('select points_activate_event($1, $2, $3) as n', [
      ...[side.member, EVENT, new Date(at)],
    ])
    expect(rows[0].n).toBe(side.model.happen(at, { now, days: LIVES }))
  },

  async transfer(run: Run, side: Side, { a, b, who }: Step) {
    const { now, ledger, sides } = run
    const to = sides[(who + 1 + (b % 2)) % 3] as Side // another of the three
    const points = BigInt((a % 120) + 1)
    const once = operation()
    const moved = { member: { id: side.member }, to: { id: to.member }, points, reason: 'For you' }
    const answer = await ask(run, () => transferPoints(ledger.tx, moved, once))
    const affordable = side.model.affordable(now)
    if (affordable < points) return expect(answer).toEqual(insufficient(affordable, points))
    if (answer.is !== 'done') throw new Error(answer.is)
    side.model.transfer(to.model, points, { out: answer.transaction, into: answer.to_transaction, now })
  },

  async adjust(run: Run, side: Side, { a, b, c }: Step) {
    const { now, ledger } = run
    const points = BigInt((a % 90) + 1) * (b % 2 === 0 ? 1n : -1n)
    const once = { ...operation(), actor: `staff:${a} ${b} ${c} ${now}` }
    const adjusted = { kind: 'ADJUSTMENT' as const, member: { id: side.member }, points, reason: 'A mistake' }
    const answer = await ask(run, () => adjustPoints(ledger.tx, adjusted, once))
    const affordable = side.model.affordable(now)
    if (affordable < -points) return expect(answer).toEqual(insufficient(affordable, -points))
    if (answer.is !== 'done' || answer.transaction === null) throw new Error(answer.is)
    side.model.adjust(answer.transaction, points, { now, expiresAt: monthEnd(now, 12) })
  },

  async spend(run: Run, side: Side, { a }: Step) {
    const { now, ledger } = run
    const points = BigInt((a % 120) + 1)
    const once = operation()
    const spend = { member: { id: side.member }, points, reason: 'Tea' }
    const answer = await ask(run, () => spendPoints(ledger.tx, spend, once))
    const affordable = side.model.affordable(now)
    if (affordable < points) return expect(answer).toEqual(insufficient(affordable, points))
    if (answer.is !== 'done') throw new Error(answer.is)
    side.model.spend(answer.transaction, points, now)
  },

  async hold(run: Run, side: Side, { a, b }: Step) {
    const { now, ledger } = run
    const points = BigInt((a % 90) + 1)
    const hours = pick([1, 5, 24, 48, 24 * 20], b) ?? 1
    const once = operation()
    const hold = { member: { id: side.member }, points, expiresIn: `PT${hours}H`, reason: 'Checkout' }
    const answer = await ask(run, () => holdPoints(ledger.tx, hold, once))
    const affordable = side.model.affordable(now)
    if (affordable < points) return expect(answer).toEqual(insufficient(affordable, points))
    if (answer.is !== 'done') throw new Error(answer.is)
    side.model.hold(answer.hold, points, { now, expiresAt: now + hours * HOUR })
  },

  async capture(run: Run, side: Side, { a, b }: Step) {
    const { now, ledger } = run
    const hold = pick(side.model.holds.slice(-3), a)
    if (!hold) return
    const points = b % 3 === 0 ? null : (BigInt(b) % hold.points) + 1n
    const once = operation()
    const answer = await ask(run, () => captureHold(ledger.tx, { hold: hold.id, points }, once))
    side.model.settle(now)
    if (hold.state !== 'OPEN') return expect(answer).toEqual(closed(hold))
    if (answer.is !== 'done') throw new Error(answer.is)
    side.model.capture(answer.transaction, hold, { points: points ?? hold.points, now })
  },

  async void(run: Run, side: Side, { a }: Step) {
    const { now, ledger } = run
    const hold = pick(side.model.holds.slice(-3), a)
    if (!hold) return
    const once = operation()
    const answer = await ask(run, () => voidHold(ledger.tx, hold.id, once))
    side.model.settle(now)
    if (hold.state !== 'OPEN') return expect(answer).toEqual(closed(hold))
    expect(answer.is).toBe('done')
    side.model.void(hold, now)
  },

  async refundSpend(run: Run, side: Side, { a, b }: Step) {
    const { now, ledger } = run
    const transaction = pick([...side.model.spends.keys()].slice(-4), a)
    if (!transaction) return
    const left = side.model.refundable(transaction)
    const points = b % 3 === 0 ? null : BigInt(b % 60) + 1n
    const once = operation()
    const answer = await ask(run, () => refundSpend(ledger.tx, { transaction, points, reason: 'Back' }, once))
    side.model.settle(now)
    if (left === 0n || (points ?? left) > left) {
      return expect(answer).toEqual({ is: 'refund_exceeds_purchase', refundable: String(left) })
    }
    expect(answer.is).toBe('done')
    side.model.refundSpend(transaction, points ?? left, now)
  },

  async clawBack({ now, ledger }: Run, side: Side, { a, b }: Step) {
    const [source, basis] = pick([...side.model.bases].slice(-4), a) ?? []
    if (!source || !basis) return
    const rest = basis.base - basis.refunded
    const refunded = basis.refunded + (b % 3 === 0 ? rest : BigInt(b) % (rest + 1n))
    await ledger.clawBack(source, refunded, new Date(now))
    side.model.clawBack(source, refunded, { at: now, now })
  },

  async debtLimit({ ledger }: Run, side: Side, { a }: Step) {
    if (side.wallet === null) return
    const limit = a % 2 === 0 ? null : side.model.debt + BigInt(a % 50)
    await ledger.owner.query('update wallet set debt_limit = $1 where id = $2', [limit, side.wallet])
    side.model.debtLimit = limit
  },

  async replay({ requests }: Run, _side: Side, { a }: Step) {
    const request = pick(requests.slice(-30), a)
    if (request) expect(await request.again()).toEqual(request.answer)
  },

  /** Often to the very instant at which something falls due, or just before it. */
  async clock(run: Run, side: Side, { a, b }: Step) {
    const ahead = [side, ...run.sides].flatMap(({ model }) => dues(model)).filter((at) => at > run.now)
    const due = Math.min(...ahead)
    const by = pick([HOUR / 2, 5 * HOUR, DAY, 2 * DAY, 30 * DAY, 100 * DAY], b) ?? DAY
    const to = a % 3 === 0 ? run.now + by : a % 3 === 1 ? due : due - 1
    run.now = Number.isFinite(to) && to > run.now ? to : run.now + by
    await run.ledger.setClock(new Date(run.now))
  },

  async settleDue({ now, ledger, sides }: Run) {
    while ((await settleDue(ledger.tx, 50)) > 0);
    for (const { model } of sides) model.settle(now)
  },
}

const weights: Record<keyof typeof steps, number> = {
  grant: 12,
  earn: 10,
  earnMoving: 7,
  slide: 4,
  happen: 4,
  transfer: 6,
  adjust: 5,
  spend: 16,
  hold: 10,
  capture: 7,
  void: 5,
  refundSpend: 7,
  clawBack: 9,
  debtLimit: 1,
  replay: 4,
  clock: 12,
  settleDue: 3,
}

/** Steps of every kind, the usual ones more often. */
export const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    ...Object.entries(weights).map(([kind, weight]) => ({
      weight,
      arbitrary: fc.constant(kind as Step['kind']), // a key of the record
    })),
  ),
  who: fc.nat(2),
  a: fc.nat(99_999),
  b: fc.nat(99_999),
  c: fc.nat(99_999),
})

function pick<T>(from: readonly T[], n: number): T | undefined {
  return from[n % from.length]
}

function later(now: number, choice: number): number | null {
  const days = pick([null, 1, 2, 3, 10, 30, 90, 400], choice)
  return days == null ? null : now + days * DAY
}

/** The exclusive end, in Tokyo, of the month `months` after an instant. */
function monthEnd(at: number, months: number): number {
  const local = new Date(at + 9 * HOUR)
  return Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + months + 1, 1) - 9 * HOUR
}

function asDate(at: number | null): Date | null {
  return at === null ? null : new Date(at)
}

async function ask<Answer>(run: Run, request: () => Promise<Answer>): Promise<Answer> {
  const answer = await request()
  run.requests.push({ again: request, answer })
  return answer
}

function insufficient(available: bigint, required: bigint) {
  return { is: 'insufficient_points', available: String(available), required: String(required) }
}

function closed({ state, expiresAt }: { state: string; expiresAt: number }) {
  if (state !== 'EXPIRED') return { is: 'hold_resolved', state }
  return { is: 'hold_expired', expired_at: expect.toSatisfy((at: string) => Date.parse(at) === expiresAt) }
}

function dues({ lots, holds }: WalletModel): number[] {
  return [
    ...lots.flatMap(({ availableAt, expiresAt }) => [availableAt, expiresAt ?? Number.POSITIVE_INFINITY]),
    ...holds.map(({ expiresAt }) => expiresAt),
  ]
}
