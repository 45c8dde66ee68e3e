import { builder } from '../../graph/builder.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { loader } from '../../graph/load.ts'
import { type EarningFacts, earningsOf, ruleNames } from './earnings.store.ts'

/** Points by a rule, and what limits took of them. */
export interface Cuts {
  readonly points: bigint
  readonly cutCap: bigint
  readonly cutBudget: bigint
}

interface Cut {
  readonly by: 'CAP' | 'BUDGET'
  readonly points: bigint
}

const EarningLimit = builder.enumType('EarningLimit', {
  description: 'What can cut points off.',
  values: {
    CAP: { description: 'The limit for each member.' },
    BUDGET: { description: 'The budget of the rule.' },
  },
})

const EarningCut = builder.objectRef<Cut>('EarningCut').implement({
  description: 'Points that a limit cut off.',
  fields: (t) => ({
    by: t.expose('by', { type: EarningLimit, description: 'Which limit.' }),
    points: t.expose('points', { type: 'Points', description: 'How many points it cut off.' }),
  }),
})

const cutsOf = ({ cutCap, cutBudget }: Omit<Cuts, 'points'>): Cut[] =>
  [
    { by: 'CAP' as const, points: cutCap },
    { by: 'BUDGET' as const, points: cutBudget },
  ].filter(({ points }) => points > 0n)

interface Cause {
  readonly rule: string
  readonly version: number
  /** Whether it is an earn rule, not an offer or the like. */
  readonly isEarned: boolean
  readonly base: bigint
  readonly multipliers: readonly string[]
  readonly points: bigint
  readonly granted: bigint
  readonly cuts: readonly Cut[]
}

const nameOf = loader<string, unknown>(async (rules, { db }) => {
  const names = await ruleNames(db, rules)
  return rules.map((rule) => names.get(rule) ?? null)
})

/** Where points came from, and why not more. */
export const PostingCause = builder.objectRef<Cause>('PostingCause').implement({
  description: 'The rule that points came from, and why not more.',
  fields: (t) => ({
    rule: t.exposeString('rule', { description: 'The key of the rule.' }),
    version: t.exposeInt('version', { description: 'Which version of it, as it was then.' }),
    name: t.string({
      nullable: true,
      description: "What an earn rule is called, in the viewer's tenant's language.",
      resolve: async ({ rule, version, isEarned }, _args, context) =>
        isEarned ? inLanguage(await nameOf(context, `${version} ${rule}`), context) : null,
    }),
    base: t.expose('base', {
      type: 'Minor',
      description: 'What it was measured by, in minor units; 1 where there was no money.',
    }),
    multipliers: t.exposeStringList('multipliers', { description: 'By what it was multiplied. At most 20.' }),
    points: t.expose('points', { type: 'Points', description: 'Points by the rule, before limits.' }),
    granted: t.expose('granted', { type: 'Points', description: 'Points that it gave.' }),
    cuts: t.field({
      type: [EarningCut],
      description: 'Why not more: what limits cut off. At most 2.',
      resolve: ({ cuts }) => cuts,
    }),
  }),
})

interface CausedLot {
  readonly sourceType: string
  readonly rule: string
  readonly ruleVersion: number | null
  readonly granted: bigint
  readonly earnBasis: readonly { readonly baseMinor: bigint }[]
  readonly earning: (Cuts & { readonly multipliers: unknown }) | null
}

const EARNED = ['purchase', 'activity', 'stage_change', 'segment_entry']

/** By what a rule multiplied. */
export function multipliersOf(earning: { readonly multipliers: unknown } | null): readonly string[] {
  return (earning?.multipliers ?? []) as readonly string[] // earn() wrote them
}

/** The cause of a lot; null when no rule granted it. */
export function causeOf({
  sourceType,
  rule,
  ruleVersion,
  granted,
  earnBasis,
  earning,
}: CausedLot): Cause | null {
  if (!rule) return null
  return {
    ...{ rule, version: ruleVersion ?? 1, isEarned: EARNED.includes(sourceType), granted },
    base: earnBasis[0]?.baseMinor ?? 1n,
    multipliers: multipliersOf(earning),
    points: earning?.points ?? granted,
    cuts: earning ? cutsOf(earning) : [],
  }
}

const EarningRefusal = builder.enumType('EarningRefusal', {
  description: 'Why a rule gave nothing.',
  values: {
    TOO_LITTLE: { description: 'What it came to was less than a point.' },
    WINDOW: { description: 'It did not hold then.' },
    CURRENCY: { description: 'It is for another currency of money.' },
    AUDIENCE: { description: 'It is for others.' },
    FIRST_MATCH: { description: 'A rule of its group before it matched.' },
    COOLDOWN: { description: 'It gave not long before, or after.' },
    MAX_TIMES: { description: 'It had given as often as it gives in the period.' },
    CAP: { description: 'It had given as many points as it gives in the period.' },
    BUDGET: { description: 'Its budget was used up.' },
    DIVISION_BY_ZERO: { description: 'Its formula divided by zero.' },
    OVERFLOW: { description: 'It came to more points than there can be.' },
  },
})
type Refusal = typeof EarningRefusal.$inferType

/** What one rule made of one fact. */
export const Earning = builder.objectRef<EarningFacts>('Earning').implement({
  description: 'What one rule made of a purchase, or of one of its lines.',
  fields: (t) => ({
    rule: t.exposeString('rule', { description: 'The key of the rule.' }),
    version: t.exposeInt('version', { description: 'Which version of it, as it was then.' }),
    name: t.string({
      description: "What it is called, in the viewer's tenant's language.",
      resolve: ({ name }, _args, context) => inLanguage(name, context) ?? '',
    }),
    line: t.exposeInt('line', {
      nullable: true,
      description: 'Which line, from 1; null for the purchase as a whole or the lines of a label.',
    }),
    why: t.field({
      type: EarningRefusal,
      nullable: true,
      description: 'Why it gave nothing; null when it gave points.',
      resolve: ({ why }) => why as Refusal | null, // a check constraint holds it
    }),
    base: t.field({
      type: 'Minor',
      description: 'What refunds are measured by, in minor units; 1 where there is no money.',
      resolve: ({ base }) => BigInt(base),
    }),
    multipliers: t.stringList({
      description: 'By what it was multiplied. At most 20.',
      resolve: ({ multipliers }) => multipliers,
    }),
    points: t.field({
      type: 'Points',
      description: 'Points by the rule, before limits.',
      resolve: ({ points }) => BigInt(points),
    }),
    cuts: t.field({
      type: [EarningCut],
      description: 'Why not more: what limits cut off. At most 2.',
      resolve: ({ cutCap, cutBudget }) => cutsOf({ cutCap: BigInt(cutCap), cutBudget: BigInt(cutBudget) }),
    }),
    granted: t.field({
      type: 'Points',
      description: 'Points that it gave.',
      resolve: ({ granted }) => BigInt(granted),
    }),
    returned: t.field({
      type: 'Points',
      description: 'How many of them refunds took back.',
      resolve: ({ returned }) => BigInt(returned),
    }),
  }),
})

/** What rules made of a purchase (a uuid); purchases asked for together are read together. */
export const earningOfPurchase = loader<string, readonly EarningFacts[]>(async (purchases, { db }) => {
  const earnings = await earningsOf(db, 'purchase', purchases)
  return purchases.map((purchase) => earnings.get(purchase) ?? [])
})
