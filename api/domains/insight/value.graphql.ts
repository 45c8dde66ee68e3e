import { builder } from '../../graph/builder.ts'
import { loader } from '../../graph/load.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import { Member } from '../members/index.ts'
import {
  type CohortFacts,
  type ConcentrationFacts,
  type CostFacts,
  type LifetimeFacts,
  readCohorts,
  readConcentration,
  readCosts,
  readLifetimes,
} from './value.store.ts'

const TEN_THOUSAND = 10_000n

const RevenueConcentration = builder.objectRef<ConcentrationFacts>('RevenueConcentration').implement({
  description: 'How much of the revenue the best customers bring; amounts in minor units, after refunds.',
  fields: (t) => ({
    customers: t.exposeInt('customers', { description: 'How many members bought.' }),
    revenue: t.expose('revenue', { type: 'Minor', description: 'What all of them brought.' }),
    topCustomers: t.exposeInt('topCustomers', {
      description: 'How many are the best: the share asked for, rounded up to a person.',
    }),
    topRevenue: t.expose('topRevenue', { type: 'Minor', description: 'What the best brought.' }),
    shareBasisPoints: t.int({
      nullable: true,
      description: 'The part of the revenue that the best brought, in ten-thousandths, rounded down.',
      resolve: ({ revenue, topRevenue }) =>
        revenue === 0n ? null : Number((topRevenue * TEN_THOUSAND) / revenue),
    }),
    threshold: t.expose('threshold', {
      type: 'Minor',
      nullable: true,
      description: 'The least that one of the best brought: a threshold for a tier.',
    }),
  }),
})

builder.queryField('revenueConcentration', (t) =>
  t.field({
    type: RevenueConcentration,
    nullable: true,
    description:
      'How much of the revenue the best customers bring: for a fifth of them, pass 2000. For staff and integrations.',
    authScopes: { lists: 'purchases:read' },
    args: {
      topShareBasisPoints: t.arg.int({
        defaultValue: 2000,
        description: 'Which part of the customers are the best, in ten-thousandths; 1 to 10000.',
      }),
      currency: t.arg({ type: 'CurrencyCode', required: true, description: 'Purchases in this currency.' }),
      from: t.arg({ type: 'DateTime', description: 'From when, inclusive; ever when left out.' }),
      until: t.arg({ type: 'DateTime', description: 'Until when, exclusive; now when left out.' }),
    },
    resolve: (_root, { topShareBasisPoints, currency, from, until }, { db }) => {
      const share = topShareBasisPoints ?? 2000
      if (share < 1 || share > 10_000) {
        throw new BadInputError('topShareBasisPoints', 'topShareBasisPoints must be 1 to 10000.')
      }
      return readConcentration(db, { currency, from: from ?? null, until: until ?? null }, share)
    },
  }),
)

const LifetimeValue = builder.objectRef<LifetimeFacts>('LifetimeValue').implement({
  description: 'What a member has brought; amounts in minor units.',
  fields: (t) => ({
    revenue: t.expose('revenue', { type: 'Minor', description: 'Purchases less what was given back.' }),
    refunded: t.expose('refunded', { type: 'Minor', description: 'What was given back.' }),
    purchases: t.exposeInt('purchases', { description: 'Purchases of which something stands.' }),
    firstPurchaseAt: t.expose('firstPurchaseAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The first of them.',
    }),
    lastPurchaseAt: t.expose('lastPurchaseAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The last of them.',
    }),
  }),
})

/** The key holds what was asked for: loaders know only text. */
const lifetimes = loader<string, LifetimeFacts>(async (keys, { db }) => {
  const asked = keys.map((key) => JSON.parse(key) as [string, string, string | null]) // as lifetimeValue wrote it
  const groups = Map.groupBy(asked.entries(), ([, [, currency, within]]) => `${currency} ${within}`)
  const found: LifetimeFacts[] = []
  await Promise.all(
    [...groups.values()].map(async (group) => {
      const [, [, currency, within]] = group[0] ?? [0, ['', '', null]]
      const members = group.map(([, [member]]) => member)
      const facts = await readLifetimes(db, members, { currency, within })
      for (const [i, [place]] of group.entries()) {
        const each = facts[i]
        if (each) found[place] = each
      }
    }),
  )
  return found
})

builder.prismaObjectField(Member, 'lifetimeValue', (t) =>
  t.field({
    type: LifetimeValue,
    nullable: true,
    description:
      'What the member has brought, in all or within a time up to now. For staff and integrations.',
    authScopes: { lists: 'purchases:read' },
    args: {
      currency: t.arg({ type: 'CurrencyCode', required: true, description: 'Purchases in this currency.' }),
      within: t.arg({
        type: 'Duration',
        description: 'Only the last so long, as in P365D; all when left out.',
      }),
    },
    select: { id: true },
    resolve: ({ id }, { currency, within }, context) =>
      lifetimes(context, JSON.stringify([id, currency, within ?? null])),
  }),
)

const ValueCohort = builder.objectRef<CohortFacts>('ValueCohort').implement({
  description: 'Members who bought first in one month, and what they have brought since; in minor units.',
  fields: (t) => ({
    month: t.expose('month', {
      type: 'LocalDate',
      description: "The first day of the month of the tenant's calendar.",
    }),
    members: t.exposeInt('members', { description: 'How many they are.' }),
    revenue: t.expose('revenue', { type: 'Minor', description: 'What they brought, after refunds.' }),
    purchases: t.exposeInt('purchases', { description: 'Their purchases of which something stands.' }),
    revenuePerMember: t.field({
      type: 'Minor',
      description: 'What one of them brought on average, rounded down.',
      resolve: ({ revenue, members }) => revenue / BigInt(members),
    }),
  }),
})

builder.queryField('lifetimeValueByCohort', (t) =>
  t.field({
    type: [ValueCohort],
    nullable: true,
    description:
      'What members have brought, by the month of their first purchase that stands, the newest first. At most 120. For staff and integrations.',
    authScopes: { lists: 'purchases:read' },
    args: {
      currency: t.arg({ type: 'CurrencyCode', required: true, description: 'Purchases in this currency.' }),
    },
    resolve: (_root, { currency }, { db }) => readCohorts(db, currency),
  }),
)

const MemberCosts = builder.objectRef<CostFacts>('MemberCosts').implement({
  description: 'What winning and keeping members cost over a time; amounts in minor units.',
  fields: (t) => ({
    acquisitionCost: t.expose('acquisitionCost', { type: 'Minor', description: 'Paid to win members.' }),
    newMembers: t.exposeInt('newMembers', {
      description: 'Whose first purchase that stands lies in the time.',
    }),
    costPerNewMember: t.field({
      type: 'Minor',
      nullable: true,
      description: 'What winning one cost, rounded down; null when nobody was won.',
      resolve: ({ acquisitionCost, newMembers }) => per(acquisitionCost, newMembers),
    }),
    retentionCost: t.expose('retentionCost', { type: 'Minor', description: 'Paid to keep members.' }),
    keptMembers: t.exposeInt('keptMembers', {
      description: 'Who had bought before the time, and bought again in it.',
    }),
    costPerKeptMember: t.field({
      type: 'Minor',
      nullable: true,
      description: 'What keeping one cost, rounded down; null when nobody was kept.',
      resolve: ({ retentionCost, keptMembers }) => per(retentionCost, keptMembers),
    }),
  }),
})

function per(cost: bigint, members: number): bigint | null {
  return members === 0 ? null : cost / BigInt(members)
}

builder.queryField('memberCosts', (t) =>
  t.field({
    type: MemberCosts,
    nullable: true,
    description: 'What winning and keeping members cost over a time. For staff and integrations.',
    authScopes: { lists: 'costs:read' },
    args: {
      currency: t.arg({ type: 'CurrencyCode', required: true, description: 'Costs in this currency.' }),
      from: t.arg({ type: 'DateTime', required: true, description: 'From when, inclusive.' }),
      until: t.arg({ type: 'DateTime', required: true, description: 'Until when, exclusive.' }),
    },
    resolve: (_root, { currency, from, until }, { db }) => {
      if (until <= from) throw new BadInputError('until', 'until must be later than from.')
      return readCosts(db, { currency, from, until })
    },
  }),
)
