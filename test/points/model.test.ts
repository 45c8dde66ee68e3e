import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  captureHold,
  grantPoints,
  holdPoints,
  refundSpend,
  settleDue,
  spendPoints,
  voidHold,
} from '../../api/domains/points/index.ts'
import { testDatabase } from '../support/database.ts'
import { type Ledger, openLedger, operation, START } from './ledger.ts'
import { WalletModel } from './model.ts'

const database = testDatabase()
let ledger: Ledger

beforeAll(async () => {
  ledger = await openLedger(database.url)
})
afterAll(() => ledger[Symbol.asyncDispose]())

const HOUR = 3_600_000
const DAY = 24 * HOUR
let now = START.getTime()

/** One step; `a`, `b` and `c` are turned into amounts, instants and choices when the step is taken. */
interface Step {
  readonly kind: keyof typeof steps
  readonly who: number
  readonly a: number
  readonly b: number
  readonly c: number
}

/** A member beside its model. */
interface Side {
  readonly member: string
  readonly model: WalletModel
  wallet: string | null
}

/** A run of the test: three members, and every request so far with its answer, for replays. */
interface Run {
  readonly sides: readonly Side[]
  readonly requests: { again: () => Promise<unknown>; answer: unknown }[]
}

const pick = <T>(from: readonly T[], n: number): T | undefined => from[n % from.length]

/** The exclusive end, in Tokyo, of the month `months` after an instant. */
function monthEnd(at: number, months: number): number {
  const local = new Date(at + 9 * HOUR)
  return Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + months + 1, 1) - 9 * HOUR
}

const NEVER_OR_DAYS = [null, 1, 2, 3, 10, 30, 90, 400]
const later = (choice: number) => {
  const days = pick(NEVER_OR_DAYS, choice)
  return days == null ? null : now + days * DAY
}
const asDate = (at: number | null) => (at === null ? null : new Date(at))

async function ask<Answer extends { is: string }>(run: Run, request: () => Promise<Answer>): Promise<Answer> {
  const answer = await request()
  run.requests.push({ again: request, answer })
  return answer
}

const insufficient = (available: bigint, required: bigint) => ({
  is: 'insufficient_points',
  available: String(available),
  required: String(required),
})

const steps = {
  async grant(run: Run, side: Side, { a, b, c }: Step) {
    const points = BigInt((a % 150) + 1)
    const availableAt = c % 3 === 0 ? later(c) : null
    const expiresAt = b % 4 === 0 ? null : Math.max(later(b) ?? 0, (availableAt ?? now) + DAY)
    const grant = { availableAt: asDate(availableAt), expiresAt: asDate(expiresAt), reason: 'Hello' }
    const once = operation()
    const answer = await ask(run, () =>
      grantPoints(ledger.tx, { member: { id: side.member }, points, ...grant }, once),
    )
    if (answer.is !== 'done') throw new Error(answer.is)
    side.model.grant(answer.transaction, points, { now, availableAt, expiresAt })
  },
  async earn(_run: Run, side: Side, { a, b, c }: Step) {
    const base = BigInt(100 + (a % 20_000))
    const points = base / 100n
    const at = b % 5 === 0 ? now - (c % 600) * DAY : now
    const expiresAt = monthEnd(at, c % 14)
    const source = `order ${side.member} ${side.model.journal.length}`
    const earning = { source, base, points, at: new Date(at), expiresAt: new Date(expiresAt) }
    const transaction = await ledger.earn({ member: side.member, ...earning })
    side.model.earn(transaction, source, { base, points, at, expiresAt, now })
  },
  async spend(run: Run, side: Side, { a }: Step) {
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
    const points = BigInt((a % 90) + 1)
    const hours = [1, 5, 24, 48, 24 * 20][b % 5] ?? 1
    const once = operation()
    const hold = { member: { id: side.member }, points, expiresIn: `PT${hours}H`, reason: 'Checkout' }
    const answer = await ask(run, () => holdPoints(ledger.tx, hold, once))
    const affordable = side.model.affordable(now)
    if (affordable < points) return expect(answer).toEqual(insufficient(affordable, points))
    if (answer.is !== 'done') throw new Error(answer.is)
    side.model.hold(answer.hold, points, { now, expiresAt: now + hours * HOUR })
  },
  async capture(run: Run, side: Side, { a, b }: Step) {
    const hold = pick(side.model.holds.slice(-3), a)
    if (!hold) return
    const points = b % 3 === 0 ? null : (BigInt(b) % hold.points) + 1n
    const once = operation()
    const answer = await ask(run, () => captureHold(ledger.tx, { hold: hold.id, points }, once))
    side.model.settle(now)
    if (hold.state !== 'OPEN') return expect(answer).toMatchObject(closed(hold.state))
    if (answer.is !== 'done') throw new Error(answer.is)
    side.model.capture(answer.transaction, hold, { points: points ?? hold.points, now })
  },
  async void(run: Run, side: Side, { a }: Step) {
    const hold = pick(side.model.holds.slice(-3), a)
    if (!hold) return
    const once = operation()
    const answer = await ask(run, () => voidHold(ledger.tx, hold.id, once))
    side.model.settle(now)
    if (hold.state !== 'OPEN') return expect(answer).toMatchObject(closed(hold.state))
    expect(answer.is).toBe('done')
    side.model.void(hold, now)
  },
  async refundSpend(run: Run, side: Side, { a, b }: Step) {
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
  async clawBack(_run: Run, side: Side, { a, b }: Step) {
    const [source, basis] = pick([...side.model.bases].slice(-4), a) ?? []
    if (!source || !basis) return
    const rest = basis.base - basis.refunded
    const refunded = basis.refunded + (b % 3 === 0 ? rest : BigInt(b) % (rest + 1n))
    await ledger.clawBack(source, refunded, new Date(now))
    side.model.clawBack(source, refunded, { at: now, now })
  },
  async debtLimit(_run: Run, side: Side, { a }: Step) {
    if (side.wallet === null) return
    const limit = a % 2 === 0 ? null : side.model.debt + BigInt(a % 50)
    await ledger.owner.query('update wallet set debt_limit = $1 where id = $2', [limit, side.wallet])
    side.model.debtLimit = limit
  },
  async replay(run: Run, _side: Side, { a }: Step) {
    const request = pick(run.requests.slice(-30), a)
    if (request) expect(await request.again()).toEqual(request.answer)
  },
  async clock(run: Run, side: Side, { a, b }: Step) {
    // Often to the very instant at which something falls due, or just before it.
    const due = Math.min(...[side, ...run.sides].flatMap(({ model }) => dues(model)).filter((at) => at > now))
    const step = [HOUR / 2, 5 * HOUR, DAY, 2 * DAY, 30 * DAY, 100 * DAY][b % 6] ?? DAY
    const to = a % 3 === 0 ? now + step : a % 3 === 1 ? due : due - 1
    now = Number.isFinite(to) && to > now ? to : now + step
    await ledger.setClock(new Date(now))
  },
  async settleDue(run: Run) {
    while ((await settleDue(ledger.tx, 50)) > 0);
    for (const { model } of run.sides) model.settle(now)
  },
}

const closed = (state: string) =>
  state === 'EXPIRED' ? { is: 'hold_expired' } : { is: 'hold_resolved', state }

const dues = ({ lots, holds }: WalletModel): number[] => [
  ...lots.flatMap(({ availableAt, expiresAt }) => [availableAt, expiresAt ?? Infinity]),
  ...holds.map(({ expiresAt }) => expiresAt),
]

const weights: Record<keyof typeof steps, number> = {
  grant: 12,
  earn: 14,
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
const kinds = Object.entries(weights).map(([kind, weight]) => ({
  weight,
  arbitrary: fc.constant(kind as Step['kind']),
}))
const step = fc.record<Step>({
  kind: fc.oneof(...kinds),
  who: fc.nat(2),
  a: fc.nat(99_999),
  b: fc.nat(99_999),
  c: fc.nat(99_999),
})

interface Seen {
  wallet: { id: string; debt: number; lost: number; version: number } | null
  lots: Record<string, number | string | null>[]
  holds: Record<string, number | string>[]
  bases: Record<string, number | string>[]
  journal: [string, number, number][]
  now: { available: number; pending: number; held: number; debt: number } | null
  expiring: [number, number][]
}

async function see(member: string): Promise<Seen> {
  const { rows } = await ledger.owner.query(SEE, [member])
  return rows[0].seen
}

const number = (value: bigint | null) => Number(value)

/** The database and the model, in the same words. */
function shape({ model }: Side, seen: Seen): [found: unknown, expected: unknown] {
  for (const lot of model.lots) {
    lot.id ||= String(seen.lots.find(({ transaction }) => transaction === lot.transaction)?.id)
  }
  const true_now = model.now(now)
  const expected = {
    wallet: seen.wallet && {
      id: seen.wallet.id,
      debt: number(model.debt),
      lost: number(model.lost),
      version: model.journal.length,
    },
    lots: model.lots.map(({ availableAt: _, expiresAt, ...lot }) => ({
      ...Object.fromEntries(
        Object.entries(lot).map(([name, value]) => [name, typeof value === 'bigint' ? number(value) : value]),
      ),
      expires_at: expiresAt,
    })),
    holds: [...model.holds]
      .sort((x, y) => (x.id < y.id ? -1 : 1))
      .map(({ id, state, captured, released }) => ({
        id,
        state,
        captured: number(captured),
        released: number(released),
      })),
    bases: [...model.bases]
      .map(([source, { refunded, revoked, expiredCounted }]) => ({
        source,
        refunded: number(refunded),
        revoked: number(revoked),
        expired: number(expiredCounted),
      }))
      .sort((x, y) => (x.source < y.source ? -1 : 1)),
    journal: model.journal.map(([kind, at, points]) => [kind, at, number(points)]),
    now: seen.wallet && {
      available: number(true_now.available),
      pending: number(true_now.pending),
      held: number(true_now.held),
      debt: number(true_now.debt),
    },
    expiring: model
      .expiring(now)
      .map(([at, points]) => [at, number(points)])
      .slice(0, 50),
  }
  return [seen, expected]
}

const STEPS_A_RUN = 250
const RUNS = 40

test('the database equals a pure model after each of 10,000 random steps, and verify finds nothing', async () => {
  let taken = 0
  const kindsTaken: Record<string, number> = {}
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: STEPS_A_RUN, maxLength: STEPS_A_RUN }), async (plan) => {
      const members = await Promise.all([ledger.member(), ledger.member(), ledger.member()])
      const run: Run = {
        sides: members.map((member) => ({ member, model: new WalletModel(), wallet: null })),
        requests: [],
      }
      for (const [i, one] of plan.entries()) {
        const touched = run.sides[one.who] as Side // who is 0 to 2
        await steps[one.kind](run, touched, one)
        for (const side of one.kind === 'settleDue' || i === plan.length - 1 ? run.sides : [touched]) {
          const seen = await see(side.member)
          side.wallet = seen.wallet?.id ?? null
          const [found, expected] = shape(side, seen)
          expect(found, `step ${i} of the run: ${JSON.stringify(one)}`).toEqual(expected)
        }
        kindsTaken[one.kind] = (kindsTaken[one.kind] ?? 0) + 1
        taken++
      }
    }),
    {
      numRuns: RUNS,
      endOnFailure: true,
      ...(process.env.SEED ? { seed: Number(process.env.SEED) } : { seed: 2 }),
    },
  )
  const { rows } = await ledger.owner.query(
    'select kind, count(*)::int as n from op where wallet_id is not null group by kind order by kind',
  )
  console.log(`${taken} steps`, kindsTaken, Object.fromEntries(rows.map(({ kind, n }) => [kind, n])))
  expect(taken).toBe(10_000)
  expect(await ledger.differences()).toEqual([])
}, 300_000)

const MS = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`

const SEE = `
  with w as (select * from wallet where member_id = $1)
  select jsonb_build_object(
    'wallet', (select jsonb_build_object('id', id, 'debt', debt, 'version', version, 'lost', (
      select coalesce(sum(amount), 0) from debt_posting where wallet_id = w.id and kind = 'LOST')) from w),
    'lots', (select coalesce(jsonb_agg(jsonb_build_object('transaction', l.transaction_id, 'id', l.id, 'granted', l.granted,
      'pending', l.pending, 'available', l.available, 'held', l.held, 'spent', l.spent, 'expired', l.expired,
      'revoked', l.revoked, 'expires_at', ${MS('l.expires_at')}) order by l.wallet_version), '[]')
      from lot l join w on w.id = l.wallet_id),
    'holds', (select coalesce(jsonb_agg(jsonb_build_object('id', h.id, 'state', h.state, 'captured', h.captured,
      'released', h.released) order by h.id), '[]') from hold h join w on w.id = h.wallet_id),
    'bases', (select coalesce(jsonb_agg(jsonb_build_object('source', b.source_id, 'refunded', b.refunded_minor,
      'revoked', b.revoked, 'expired', b.expired_counted) order by b.source_id collate "C"), '[]')
      from earn_basis b join w on w.id = b.wallet_id),
    'journal', (select coalesce(jsonb_agg(jsonb_build_array(o.kind, ${MS('o.at')}, o.points) order by o.wallet_version), '[]')
      from op o join w on w.id = o.wallet_id),
    'now', (select jsonb_build_object('available', n.available, 'pending', n.pending, 'held', n.held, 'debt', n.debt)
      from wallets_now(array(select id from w)) n),
    'expiring', (select coalesce(jsonb_agg(jsonb_build_array(${MS('e.expires_at')}, e.points) order by e.expires_at), '[]')
      from wallet_expiring(array(select id from w), '100 years') e)
  ) as seen
`
