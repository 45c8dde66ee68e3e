import pg from 'pg'
import type { Statement, Tx } from '../../platform/db.ts'
import { BadInputError, TooCostlyError } from '../../platform/errors/index.ts'
import { entriesOf, kinds } from '../program/index.ts'

/** What to try: a whole document, against so many days until now, told by the facts of at most so many members. */
export interface BackTestInput {
  readonly document: unknown
  readonly days: number
  readonly members: number
}

/** A figure of the draft beside what really happened. */
export interface Beside {
  readonly draft: bigint
  readonly actual: bigint
}

/** What a back-test found. */
export interface BackTest {
  readonly from: Date
  readonly to: Date
  readonly facts: number
  readonly members: number
  readonly rules: readonly { currency: string; rule: string; granted: Beside; revoked: Beside }[]
  readonly currencies: readonly { currency: string; outstanding: Beside; cost: Beside }[]
  readonly tiers: readonly { ladder: string; from: string | null; to: string | null; moves: Beside }[]
  readonly offers: readonly { offer: string; completions: Beside }[]
  readonly better: number
  readonly worse: number
  readonly same: number
  /** What a member has more by the draft, from the least to the most, each tenth of the members. */
  readonly deciles: readonly bigint[]
  readonly winners: readonly MemberDifference[]
  readonly losers: readonly MemberDifference[]
  readonly refused: readonly { kind: string; why: string; count: number }[]
  readonly notTold: readonly { kind: string; count: number }[]
}

/** What one member earned, net of what was taken back. */
export interface MemberDifference {
  /** A uuid. */
  readonly member: string
  readonly points: Beside
  readonly difference: bigint
}

type Figures<Name extends string> = Readonly<Record<string, Readonly<Record<Name, number | string | null>>>>

interface Measured {
  readonly rules: Figures<'granted' | 'revoked'>
  readonly currencies: Figures<'outstanding' | 'cost'>
  readonly members: Readonly<Record<string, number | string>>
  readonly tiers: Readonly<Record<string, number>>
  readonly offers: Readonly<Record<string, number>>
}

/** A run as it stands: what SQL takes back in the next slice. Of it only this is read here. */
interface Run {
  readonly is: 'begun'
  readonly is_told: boolean
  readonly members: number
  readonly from: string
  readonly to: string
  readonly actual: Measured
  readonly refused: Readonly<Record<string, number>>
  readonly not_told: readonly { kind: string; count: number }[]
}

interface Told extends Run {
  readonly facts: number
  readonly draft: Measured
}

/** How much one back-test may take: facts, milliseconds in all and for a slice, and how many go on in one process. */
export interface BackTestLimits {
  readonly facts: number
  readonly milliseconds: number
  readonly slice: number
  readonly atOnce: number
}

/** A rich program takes some ten milliseconds a fact. */
export const BACK_TEST: BackTestLimits = { facts: 20_000, milliseconds: 240_000, slice: 2_000, atOnce: 2 }

/** Carries what a run found out of its transaction, which is undone by it. */
class Undone {
  readonly told: Told
  constructor(told: Told) {
    this.told = told
  }
}

let running = 0

/**
 * Tells what happened to the members again to a shadow of the tenant, with the draft in force for the last days, and
 * measures. Slices of one transaction, so that no statement is long; nothing of it stays. Throws BadInputError for a
 * draft that is wrong, and TooCostlyError for too many facts, too long a run, and too many runs at once.
 */
export async function backTest(
  tx: Tx,
  input: BackTestInput,
  limits: BackTestLimits = BACK_TEST,
): Promise<BackTest> {
  const entries = entriesOf(input.document)
  if (running >= limits.atOnce) {
    throw new TooCostlyError(
      `At most ${limits.atOnce} back-tests go on at a time. Try again in a moment.`,
      10,
    )
  }
  running += 1
  try {
    return found(await undone(tx, async (inner) => told(inner, { ...input, entries }, limits)))
  } catch (error) {
    throw refused(error)
  } finally {
    running -= 1
  }
}

async function undone(tx: Tx, work: (inner: Tx) => Promise<Told>): Promise<Told> {
  try {
    await tx.transaction(async (inner) => {
      throw new Undone(await work(inner))
    })
  } catch (error) {
    if (error instanceof Undone) return error.told
    throw error
  }
  throw new TypeError('a back-test was not undone')
}

async function told(
  tx: Tx,
  { entries, days, members }: BackTestInput & { readonly entries: unknown },
  limits: BackTestLimits,
): Promise<Told> {
  const until = performance.now() + limits.milliseconds
  // Moving the clock to the next fact is never cut in two.
  await tx.query({ text: `set local statement_timeout = '9s'`, values: [] })
  const begun = await first<Run | { is: 'too_many'; facts: number }>(tx, {
    text: `select back_test_begin($1::jsonb, $2::text[], tenant_now(current_tenant()) - make_interval(days => $3), $4, $5) as run`,
    values: [JSON.stringify(entries), kinds(), days, members, limits.facts],
  })
  if (begun.is === 'too_many') {
    throw new TooCostlyError(
      `A back-test tells at most ${limits.facts} facts again; here there are ${begun.facts} or more. Ask for fewer members.`,
    )
  }
  let run: Run = begun
  while (!isTold(run)) {
    if (performance.now() > until) {
      const seconds = limits.milliseconds / 1000
      throw new TooCostlyError(`This back-test took longer than ${seconds} seconds. Ask for fewer members.`)
    }
    run = await first<Run>(tx, {
      text: `select back_test_go_on($1::jsonb, make_interval(secs => $2)) as run`,
      values: [JSON.stringify(run), limits.slice / 1000],
    })
  }
  return run
}

function isTold(run: Run): run is Told {
  return run.is_told
}

async function first<Answer>(tx: Tx, statement: Statement): Promise<Answer> {
  const [row] = await tx.query<{ run: Answer }>(statement)
  if (!row) throw new TypeError('a back-test answered no row')
  return row.run
}

/** A room's own refusal of a definition names the field, and what takes too long is told; other failures are passed on. */
function refused(error: unknown): unknown {
  if (error instanceof pg.DatabaseError && error.code === 'EN400') {
    return new BadInputError(`document.${error.column ?? 'body'}`, error.message)
  }
  if (error instanceof pg.DatabaseError && error.code === '57014') {
    return new TooCostlyError('One step of this back-test took longer than 9 seconds. Ask for fewer members.')
  }
  return error
}

function found({ draft, actual, ...told }: Told): BackTest {
  const differences = differencesOf(draft.members, actual.members)
  const changed = differences.filter(({ difference }) => difference !== 0n)
  const worse = changed.filter(({ difference }) => difference < 0n)
  const better = changed.filter(({ difference }) => difference > 0n).reverse()
  const untouched = told.members - differences.length
  return {
    from: new Date(told.from),
    to: new Date(told.to),
    facts: told.facts,
    members: told.members,
    rules: beside(draft.rules, actual.rules).map(([key, has, had]) => ({
      ...{ currency: word(key, 0), rule: word(key, 1) },
      granted: figures(has?.granted, had?.granted),
      revoked: figures(has?.revoked, had?.revoked),
    })),
    currencies: beside(draft.currencies, actual.currencies).map(([currency, has, had]) => ({
      currency,
      outstanding: figures(has?.outstanding, had?.outstanding),
      cost: figures(has?.cost, had?.cost),
    })),
    tiers: beside(draft.tiers, actual.tiers).map(([key, has, had]) => ({
      ladder: word(key, 0),
      from: word(key, 1) === '-' ? null : word(key, 1),
      to: word(key, 2) === '-' ? null : word(key, 2),
      moves: figures(has, had),
    })),
    offers: beside(draft.offers, actual.offers).map(([offer, has, had]) => ({
      offer,
      completions: figures(has, had),
    })),
    better: better.length,
    worse: worse.length,
    same: told.members - changed.length,
    deciles: decilesOf(differences, untouched),
    winners: better.slice(0, SHOWN),
    losers: worse.slice(0, SHOWN),
    refused: Object.entries(told.refused).map(([key, count]) => {
      const at = key.lastIndexOf(' ')
      return { kind: key.slice(0, at), why: key.slice(at + 1).toUpperCase(), count }
    }),
    notTold: told.not_told,
  }
}

/** At most this many winners, and losers. */
const SHOWN = 20

/** From the least to the most; members who earned nothing either way are not among them. */
function differencesOf(draft: Measured['members'], actual: Measured['members']): MemberDifference[] {
  return beside(draft, actual)
    .map(([member, has, had]) => {
      const points = figures(has, had)
      return { member, points, difference: points.draft - points.actual }
    })
    .sort((a, b) => (a.difference < b.difference ? -1 : a.difference > b.difference ? 1 : 0))
}

function decilesOf(differences: readonly MemberDifference[], untouched: number): bigint[] {
  const zeros = Array.from({ length: untouched }, () => 0n)
  const all = [...differences.map(({ difference }) => difference), ...zeros]
  if (all.length === 0) return []
  all.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return Array.from({ length: 11 }, (_, i) => all[Math.round((i / 10) * (all.length - 1))] ?? 0n)
}

function beside<Value>(
  draft: Readonly<Record<string, Value>>,
  actual: Readonly<Record<string, Value>>,
): (readonly [string, Value | undefined, Value | undefined])[] {
  const keys = [...new Set([...Object.keys(draft), ...Object.keys(actual)])].sort()
  return keys.map((key) => [key, draft[key], actual[key]] as const)
}

function figures(draft: Figure, actual: Figure): Beside {
  return { draft: BigInt(draft ?? 0), actual: BigInt(actual ?? 0) }
}

type Figure = number | string | null | undefined

function word(key: string, place: number): string {
  return key.split(' ')[place] ?? ''
}
