import pg from 'pg'
import type { Tx } from '../../platform/db.ts'
import { BadInputError, TooCostlyError } from '../../platform/errors.ts'
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

type Told =
  | { readonly is: 'too_many'; readonly facts: number }
  | {
      readonly is: 'done'
      readonly facts: number
      readonly members: number
      readonly from: string
      readonly to: string
      readonly draft: Measured
      readonly actual: Measured
      readonly refused: Readonly<Record<string, number>>
      readonly not_told: readonly { kind: string; count: number }[]
    }

/** At most this many facts are told again in one run; it must end within the 9 seconds that it has. */
const MOST = 2_000

/**
 * Tells what happened to the members again to a shadow of the tenant, with the draft in force for the last days, and
 * measures. Nothing of it stays. Throws BadInputError for a draft that is wrong, and TooCostlyError for too many facts.
 */
export async function backTest(tx: Tx, { document, days, members }: BackTestInput): Promise<BackTest> {
  const entries = JSON.stringify(entriesOf(document))
  const told = await tx
    .transaction(async (inner) => {
      await inner.query({ text: `set local statement_timeout = '9s'`, values: [] })
      const [row] = await inner.query<{ told: Told }>({
        text: `select back_test($1::jsonb, $2::text[], tenant_now(current_tenant()) - make_interval(days => $3), $4, $5) as told`,
        values: [entries, kinds(), days, members, MOST],
      })
      return row?.told
    })
    .catch(refused)
  if (!told) throw new TypeError('a back-test answered no row')
  if (told.is === 'too_many') {
    throw new TooCostlyError(
      `A back-test tells at most ${MOST} facts again; here there are ${told.facts}. Ask for fewer members.`,
    )
  }
  return found(told)
}

/** A room's own refusal of a definition names the field, and what takes too long is told; other failures are passed on. */
function refused(error: unknown): never {
  if (error instanceof pg.DatabaseError && error.code === 'EN400') {
    throw new BadInputError(`document.${error.column ?? 'body'}`, error.message)
  }
  if (error instanceof pg.DatabaseError && error.code === '57014') {
    throw new TooCostlyError('This back-test took longer than 9 seconds. Ask for fewer members.')
  }
  throw error
}

function found({ draft, actual, ...told }: Told & { is: 'done' }): BackTest {
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
