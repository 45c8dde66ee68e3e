import { builder } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { loader } from '../../graph/load.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { Member } from '../members/index.ts'
import { tierChanged } from './events.ts'
import { TierFalls } from './ladder.input.graphql.ts'
import { sentence } from './sentence.ts'
import { type LadderFacts, readLadders, readSights, type Sight } from './store.ts'

const TierMeasure = builder.enumType('TierMeasure', {
  description: 'What a ladder measures.',
  values: {
    POINTS: { description: 'Points earned; the unit is their currency.' },
    BALANCE: { description: 'Points held; the unit is their currency.' },
    SPEND: { description: 'Money spent, in minor units; the unit is its currency.' },
    PURCHASES: { description: 'How many purchases.' },
    ACTIVITIES: { description: 'How often something was done; the unit is its name.' },
  },
})

/** The ladder that is meant where none is named. */
export const DEFAULT_LADDER = 'default'

interface TierPlace {
  readonly ladder: LadderFacts
  /** From 1. */
  readonly level: number
}

/** `Tier` of the API. */
export const Tier = builder.objectRef<TierPlace>('Tier').implement({
  description: 'A tier of a ladder.',
  fields: (t) => ({
    key: t.string({
      description: 'The name that rules and programs use, as in `gold`.',
      resolve: ({ ladder, level }) => ladder.keys[level - 1] ?? '',
    }),
    name: t.string({
      description: "The name to show, in the viewer's tenant's language.",
      resolve: ({ ladder, level }, _args, context) => inLanguage(ladder.names[level - 1], context) ?? '',
    }),
    position: t.exposeInt('level', { description: 'The place on the ladder, from 1, the lowest.' }),
    threshold: t.field({
      type: 'Amount',
      description: 'From how much of what the ladder measures.',
      resolve: ({ ladder, level }) => ladder.thresholds[level - 1] ?? 0n,
    }),
    isPermanent: t.boolean({
      description: 'Whether who reached it never falls below it.',
      resolve: ({ ladder, level }) => ladder.neverFalls[level - 1] ?? false,
    }),
  }),
})

const placesOf = (ladder: LadderFacts): TierPlace[] => ladder.keys.map((_, i) => ({ ladder, level: i + 1 }))

const TierLadder = builder.objectRef<LadderFacts>('TierLadder').implement({
  description: 'A ladder of tiers that is in force.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Its name; most tenants have one, `default`.' }),
    version: t.exposeInt('version', { description: 'The version in force.' }),
    measure: t.expose('measure', { type: TierMeasure, description: 'What is measured.' }),
    unit: t.exposeString('unit', {
      nullable: true,
      description: 'The currency of it, or the name of the activity; null for a count of purchases.',
    }),
    falls: t.expose('falls', { type: TierFalls, description: 'How members fall.' }),
    tiers: t.field({
      type: [Tier],
      description: 'The tiers, lowest first. At most 20.',
      resolve: (ladder) => placesOf(ladder),
    }),
  }),
})

builder.queryField('tierLadders', (t) =>
  t.field({
    type: [TierLadder],
    nullable: true,
    description: 'The ladders of tiers in force, by their keys. At most 20.',
    authScopes: { reads: 'members:read' },
    resolve: (_root, _args, { db }) => readLadders(db),
  }),
)

builder.queryField('tiers', (t) =>
  t.field({
    type: [Tier],
    nullable: true,
    description: 'The tiers of a ladder, lowest first; null when it is not in force. At most 20.',
    authScopes: { reads: 'members:read' },
    args: { ladder: t.arg.string({ description: 'Which ladder; `default` when left out.' }) },
    resolve: async (_root, { ladder }, { db }) => {
      const found = (await readLadders(db)).find(({ key }) => key === (ladder ?? DEFAULT_LADDER))
      return found ? placesOf(found) : null
    },
  }),
)

interface Outlook {
  readonly sight: Sight
  readonly isToStay: boolean
  readonly level: number
  readonly missing: bigint
  readonly by: Date | null
}

const TierOutlook = builder.objectRef<Outlook>('TierOutlook').implement({
  description: 'How much more it takes to keep a tier, or to reach one.',
  fields: (t) => ({
    tier: t.field({
      type: Tier,
      description: 'Which tier.',
      resolve: ({ sight, level }) => ({ ladder: sight.ladder, level }),
    }),
    missing: t.expose('missing', { type: 'Amount', description: 'How much more; 0: nothing is missing.' }),
    unit: t.string({
      nullable: true,
      description: 'The currency of it, or the name of the activity; null for a count of purchases.',
      resolve: ({ sight }) => sight.ladder.unit,
    }),
    measure: t.field({
      type: TierMeasure,
      description: 'What of.',
      resolve: ({ sight }) => sight.ladder.measure,
    }),
    dueAt: t.expose('by', {
      type: 'DateTime',
      nullable: true,
      description: 'Until when: from that instant on it does not count any more; null when there is no end.',
    }),
    sentence: t.string({
      description: 'The same in a sentence that may be shown to the member.',
      args: {
        locale: t.arg.string({ description: "The language, `ja` or `en`; the member's own when left out." }),
      },
      resolve: ({ sight, ...outlook }, { locale }) =>
        sentence({ ...outlook, ladder: sight.ladder, timeZone: sight.timeZone }, locale ?? sight.locale),
    }),
  }),
})

const TierStanding = builder.objectRef<Sight>('TierStanding').implement({
  description: 'Where a member stands on a ladder, as it was decided.',
  fields: (t) => ({
    ladder: t.string({ description: 'On which ladder, by its key.', resolve: ({ ladder }) => ladder.key }),
    tier: t.field({
      type: Tier,
      nullable: true,
      description: 'The tier; null below the lowest.',
      resolve: ({ ladder, level }) => (level > 0 ? { ladder, level } : null),
    }),
    since: t.expose('since', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when; null while on none.',
    }),
    expiresAt: t.expose('validUntil', {
      type: 'DateTime',
      nullable: true,
      description:
        'When it is asked again, and ends unless the facts keep it; null: it holds until facts change.',
    }),
    isManual: t.exposeBoolean('isManual', {
      description: 'Whether staff put the member there, above or below the facts.',
    }),
    isGrace: t.exposeBoolean('isGrace', {
      description: 'Whether the tier is only kept for a time in which what it asks for can still be reached.',
    }),
    measured: t.expose('measured', {
      type: 'Amount',
      description: 'What the running window amounts to now.',
    }),
    toStay: t.field({
      type: TierOutlook,
      nullable: true,
      description:
        'What it takes to keep the tier beyond `expiresAt`; null when it cannot be lost, or is by hand.',
      resolve: stayOf,
    }),
    toNext: t.field({
      type: TierOutlook,
      nullable: true,
      description: 'What it takes to reach the next tier; null on the highest.',
      resolve: nextOf,
    }),
  }),
})

function stayOf(sight: Sight): Outlook | null {
  const { ladder, level, staying, stayBy, validUntil, isManual } = sight
  if (level === 0 || validUntil === null || stayBy === null || isManual) return null
  return { sight, isToStay: true, level, missing: beyond(ladder.thresholds[level - 1], staying), by: stayBy }
}

function nextOf(sight: Sight): Outlook | null {
  const { ladder, level, measured, nextBy } = sight
  const threshold = ladder.thresholds[level]
  if (threshold === undefined) return null
  return { sight, isToStay: false, level: level + 1, missing: beyond(threshold, measured), by: nextBy }
}

const beyond = (threshold = 0n, amount: bigint) => (threshold > amount ? threshold - amount : 0n)

/** By ladder and member, `<ladder> <member>`: one statement for each ladder that is asked for. */
export const sightOf = loader<string, Sight | null>(async (keys, { db }) => {
  const asked = keys.map((key) => key.split(/ (?=[^ ]*$)/) as [ladder: string, member: string]) // as `tier` makes them
  const found = new Map(
    await Promise.all(
      [...Map.groupBy(asked, ([ladder]) => ladder)].map(
        async ([ladder, pairs]) =>
          [
            ladder,
            await readSights(
              db,
              ladder,
              pairs.map(([, member]) => member),
            ),
          ] as const,
      ),
    ),
  )
  return asked.map(([ladder, member]) => found.get(ladder)?.get(member) ?? null)
})

const TierCause = builder.enumType('TierCause', {
  description: 'What decided about a tier.',
  values: {
    RISE: { description: 'The facts allow a higher tier.' },
    FALL: {
      description: 'The facts allow less: time has passed, or a refund took back what they rested on.',
    },
    KEEP: { description: 'The tier was asked, and holds on.' },
    MANUAL: { description: 'Staff, by hand and with a reason.' },
    PROGRAM: { description: 'The ladder itself was changed.' },
    IMPORT: { description: 'Facts of the past that an import brought.' },
  },
})

/** Amounts are decimal strings, instants ISO 8601. */
interface TierInputs {
  readonly measured?: string
  readonly threshold?: string
  readonly from?: string | null
  readonly until?: string
  readonly rests_on?: string
  readonly grace_until?: string
  readonly earned?: string | null
}

const asDate = (at: string | null | undefined) => (at == null ? null : new Date(at))

const TierBasis = builder.objectRef<TierInputs>('TierBasis').implement({
  description: 'What a tier was decided from.',
  fields: (t) => ({
    measured: t.field({
      type: 'Amount',
      nullable: true,
      description: 'What the window amounted to; null for a move by hand.',
      resolve: ({ measured }) => (measured === undefined ? null : BigInt(measured)),
    }),
    threshold: t.field({
      type: 'Amount',
      nullable: true,
      description: 'What the tier that was decided asks for.',
      resolve: ({ threshold }) => (threshold == null ? null : BigInt(threshold)),
    }),
    beginsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Where the window begins; null: it holds all there ever was.',
      resolve: ({ from }) => asDate(from),
    }),
    endsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Up to where it was looked at.',
      resolve: ({ until }) => asDate(until),
    }),
    restsOn: t.field({
      type: 'Amount',
      nullable: true,
      description: 'What the window amounts to that the tier held was decided by.',
      resolve: ({ rests_on }) => (rests_on === undefined ? null : BigInt(rests_on)),
    }),
    graceEndsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Until when the tier is kept although less was reached.',
      resolve: ({ grace_until }) => asDate(grace_until),
    }),
    earned: t.string({
      nullable: true,
      description: 'The key of the tier that the facts alone allow, for a move by hand.',
      resolve: ({ earned }) => earned ?? null,
    }),
  }),
})

/** One decision about a member's tier. */
export const TierDecision = builder.prismaNode('TierDecision', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { reads: 'members:read' },
  select: { id: true },
  fields: (t) => ({
    ladder: t.exposeString('ladder', { description: 'On which ladder, by its key.' }),
    version: t.exposeInt('version', { description: 'By which version of it.' }),
    number: t.exposeInt('n', { description: "The place in the member's history on the ladder, from 1." }),
    from: t.exposeString('fromTier', {
      nullable: true,
      description: 'The key of the tier before; null: none.',
    }),
    to: t.exposeString('toTier', { nullable: true, description: 'The key of the tier since; null: none.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was decided, and from when on it holds.' }),
    expiresAt: t.expose('validUntil', {
      type: 'DateTime',
      nullable: true,
      description: 'Up to when, if nothing happens before; null when only facts can end it.',
    }),
    cause: t.field({
      type: TierCause,
      description: 'What decided.',
      select: { cause: true },
      resolve: ({ cause }) => cause as typeof TierCause.$inferType, // a check constraint holds it
    }),
    basis: t.field({
      type: TierBasis,
      description: 'What it was decided from.',
      select: { inputs: true },
      resolve: ({ inputs }) => inputs as TierInputs, // as tier_asked and tier_move of 0019_tiers.sql write them
    }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why, for a move by hand.' }),
  }),
})

const TierDecisionConnection = connectionOf(TierDecision, 'TierDecision')

builder.prismaObjectFields(Member, (t) => ({
  tier: t.field({
    type: TierStanding,
    nullable: true,
    description: 'Where the member stands on a ladder; null when it is not in force.',
    args: { ladder: t.arg.string({ description: 'Which ladder; `default` when left out.' }) },
    select: { id: true },
    resolve: ({ id }, { ladder }, context) => sightOf(context, `${ladder ?? DEFAULT_LADDER} ${id}`),
  }),
  tierHistory: t.relatedConnection(
    'tierDecisions',
    {
      description: "What was decided about the member's tiers, newest first.",
      nullable: true,
      cursor: 'tenantId_id',
      query: { orderBy: { id: 'desc' } },
    },
    TierDecisionConnection,
  ),
}))

eventType(tierChanged, (t) => ({
  decision: t.prismaField({
    type: TierDecision,
    nullable: true,
    description: 'The decision.',
    resolve: (query, event, _args, { db }) =>
      read(db).tierDecision.findFirst({ ...query, where: { id: factOf(event, 'decision') } }),
  }),
}))
