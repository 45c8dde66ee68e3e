import { builder } from '../../graph/builder.ts'
import { loader } from '../../graph/load.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { BenefitSettledError } from '../../platform/errors/index.ts'
import { Member } from '../members/index.ts'
import { PointsTransaction } from '../points/index.ts'
import { Entitlement, entitlementOf } from './entitlement.graphql.ts'

const BenefitState = builder.enumType('BenefitState', {
  description: 'How a benefit stands.',
  values: {
    GIVEN: { description: 'It was given and can be used; points are in the wallet.' },
    USED: { description: 'It was taken off a purchase.' },
    EXPIRED: { description: 'Its time is over.' },
    TAKEN_BACK: { description: 'It was taken back: what it was given for no longer stands.' },
  },
})

const BenefitEnd = builder.enumType('BenefitEnd', {
  description: 'How a benefit, or a use of one, ended.',
  values: {
    USED: { description: 'It was used.' },
    EXPIRED: { description: 'Its time is over.' },
    TAKEN_BACK: { description: 'It was taken back.' },
    RETURNED: { description: 'The use was given back.' },
  },
})

builder.objectField(BenefitSettledError, 'state', (t) =>
  t.field({ type: BenefitEnd, description: 'How it ended.', resolve: ({ state }) => state }),
)

interface Content {
  readonly kind: string
  readonly points: bigint | null
  readonly pointsCurrency: string | null
  readonly transactionId: string | null
  readonly minor: bigint | null
  readonly currency: string | null
  readonly basisPoints: number | null
  readonly entitlementKey: string | null
  readonly entitlementVersion: number | null
}

/** Points transactions by their ids (uuids), all of an answer together. */
const transactionOf = loader<string, typeof PointsTransaction.$inferType | null>(async (ids, { db }) => {
  const rows = await read(db).op.findMany({ where: { transactionId: { in: [...ids] } } })
  return ids.map((id) => rows.find(({ transactionId }) => transactionId === id) ?? null)
})

const PointsBenefit = builder.objectRef<Content>('PointsBenefit').implement({
  description: 'Points in a wallet.',
  fields: (t) => ({
    // Check constraints hold what each kind has.
    points: t.field({ type: 'Points', description: 'How many.', resolve: ({ points }) => points ?? 0n }),
    currency: t.string({
      description: 'The kind of points.',
      resolve: ({ pointsCurrency }) => pointsCurrency ?? '',
    }),
    transaction: t.field({
      type: PointsTransaction,
      nullable: true,
      description: 'The points transaction that earned them.',
      resolve: ({ transactionId }, _args, context) =>
        transactionId === null ? null : transactionOf(context, transactionId),
    }),
  }),
})

const MoneyBenefit = builder.objectRef<Content>('MoneyBenefit').implement({
  description: 'An amount off a purchase.',
  fields: (t) => ({
    amount: t.field({
      type: 'Minor',
      description: 'At most that much, in minor units.',
      resolve: ({ minor }) => minor ?? 0n,
    }),
    currency: t.field({
      type: 'CurrencyCode',
      description: 'The currency of the amount.',
      resolve: ({ currency }) => currency ?? '',
    }),
  }),
})

const PercentBenefit = builder.objectRef<Content>('PercentBenefit').implement({
  description: 'A share off a purchase.',
  fields: (t) => ({
    basisPoints: t.int({
      description: 'In hundredths of a percent: 1000 is 10 %.',
      resolve: ({ basisPoints }) => basisPoints ?? 0,
    }),
  }),
})

const EntitlementBenefit = builder.objectRef<Content>('EntitlementBenefit').implement({
  description: 'Something that the member may use.',
  fields: (t) => ({
    entitlement: t.field({
      type: Entitlement,
      nullable: true,
      description: 'What it is, as it was when it was given.',
      resolve: ({ entitlementKey, entitlementVersion }, _args, context) =>
        entitlementOf(context, `${entitlementVersion} ${entitlementKey}`),
    }),
  }),
})

const CONTENT = {
  POINTS: 'PointsBenefit',
  MONEY: 'MoneyBenefit',
  PERCENT: 'PercentBenefit',
  ENTITLEMENT: 'EntitlementBenefit',
} as const

const BenefitContent = builder.unionType('BenefitContent', {
  description: 'What a benefit gives.',
  types: [PointsBenefit, EntitlementBenefit, MoneyBenefit, PercentBenefit],
  resolveType: ({ kind }) => CONTENT[kind as keyof typeof CONTENT], // a check constraint holds it
})

/** What a member was given for a fact. */
export const Benefit = builder.prismaNode('BenefitGrant', {
  variant: 'Benefit',
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { reads: 'benefits:read' },
  select: { id: true },
  fields: (t) => ({
    member: t.relation('member', { description: 'Whose it is.' }),
    gives: t.field({
      type: BenefitContent,
      description: 'What it gives.',
      select: {
        kind: true,
        points: true,
        pointsCurrency: true,
        transactionId: true,
        minor: true,
        currency: true,
        basisPoints: true,
        entitlementKey: true,
        entitlementVersion: true,
      },
      // A row fetched by its id says that it is a Benefit; what it gives is something else.
      resolve: (row) => ({
        kind: row.kind,
        points: row.points,
        pointsCurrency: row.pointsCurrency,
        transactionId: row.transactionId,
        minor: row.minor,
        currency: row.currency,
        basisPoints: row.basisPoints,
        entitlementKey: row.entitlementKey,
        entitlementVersion: row.entitlementVersion,
      }),
    }),
    state: t.field({
      type: BenefitState,
      description: 'How it stands now.',
      select: { state: true, expiresAt: true },
      resolve: async ({ state, expiresAt }, _args, context) => {
        const isOver = state === 'GIVEN' && expiresAt !== null && expiresAt <= (await context.now())
        return isOver ? 'EXPIRED' : (state as typeof BenefitState.$inferType) // a check constraint holds it
      },
    }),
    reason: t.exposeString('reason'),
    source: t.exposeString('sourceType', {
      description: 'The kind of fact that it was given for, such as offer; hand when somebody gave it.',
    }),
    givenAt: t.expose('givenAt', { type: 'DateTime' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true }),
    settledAt: t.expose('settledAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was used, or taken back.',
    }),
    settledReason: t.exposeString('settledReason', {
      nullable: true,
      description: 'Why it was taken back.',
    }),
    amountOff: t.expose('usedMinor', {
      type: 'Minor',
      nullable: true,
      description: 'What it took off a purchase, in minor units; null before.',
    }),
    currencyOff: t.expose('usedCurrency', {
      type: 'CurrencyCode',
      nullable: true,
      description: 'The currency of what it took off.',
    }),
    orderId: t.exposeString('usedOrder', {
      nullable: true,
      description: 'The order that it was taken off, when the shop named one.',
    }),
  }),
})

/** Benefits by their ids (uuids), all of an answer together. */
export const benefitOf = loader<string, typeof Benefit.$inferType | null>(async (ids, { db }) => {
  const rows = await read(db).benefitGrant.findMany({ where: { id: { in: [...ids] } } })
  return ids.map((id) => rows.find((row) => row.id === id) ?? null)
})

const BenefitConnection = connectionOf(Benefit, 'Benefit')

builder.prismaObjectFields(Member, (t) => ({
  benefits: t.relatedConnection(
    'benefits',
    {
      type: Benefit,
      description: 'What the member was given, the newest first.',
      nullable: true,
      authScopes: { reads: 'benefits:read' },
      cursor: 'tenantId_id',
      query: (_args, context) => ({
        where: { AND: ownOnly(context, (memberId) => ({ memberId })) },
        orderBy: { id: 'desc' },
      }),
    },
    BenefitConnection,
  ),
}))
