import { builder } from '../../graph/builder.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { Member } from '../members/index.ts'
import { PointsTransaction } from '../points/index.ts'
import { type PartnerSettlementFacts, partnerSettlement } from './service.ts'
import { type PartnerFacts, readPartners } from './store.ts'

/** `Partner` of the API. */
export const Partner = builder.objectRef<PartnerFacts>('Partner').implement({
  description: "A company at which the tenant's points are earned, spent, or both.",
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The name that programs use.' }),
    name: t.string({
      description: "What members call it, in the viewer's tenant's language.",
      resolve: ({ name }, _args, context) => inLanguage(name, context) ?? '',
    }),
    currency: t.exposeString('currency', { description: 'The points that are earned and spent there.' }),
    canEarn: t.boolean({
      description: 'Whether points are earned there.',
      resolve: ({ earnMinor }) => earnMinor !== null,
    }),
    canBurn: t.exposeBoolean('canBurn', { description: 'Whether points can be spent there.' }),
    earnMinor: t.expose('earnMinor', {
      type: 'Minor',
      nullable: true,
      description: 'Points are earned for each so many minor units; null when none are.',
    }),
    earnPoints: t.expose('earnPoints', {
      type: 'Points',
      nullable: true,
      description: 'How many points; null when none are.',
    }),
    earnCurrency: t.expose('earnMoney', {
      type: 'CurrencyCode',
      nullable: true,
      description: 'The currency of what is bought there; null when nothing is earned.',
    }),
  }),
})

builder.queryField('partners', (t) =>
  t.field({
    type: [Partner],
    nullable: true,
    description: 'The partners in force, by their keys. At most 100.',
    authScopes: { signedIn: true },
    resolve: (_root, _args, { db }) => readPartners(db),
  }),
)

const PartnerDirection = builder.enumType('PartnerDirection', {
  description: 'Which way points went at a partner.',
  values: {
    EARN: { description: 'They were earned there.' },
    BURN: { description: 'They were spent there.' },
  },
})

/** `PartnerMovement` of the API. */
export const PartnerMovement = builder.prismaNode('PartnerMovement', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, { db }) => ({ tenantId_id: { tenantId: db.tenantId, id } }),
  authScopes: { lists: 'partners:read' },
  select: { id: true },
  fields: (t) => ({
    partner: t.exposeString('partner', { description: "The partner's key." }),
    reference: t.exposeString('reference'),
    direction: t.field({
      type: PartnerDirection,
      description: 'Which way the points went.',
      select: { direction: true },
      resolve: ({ direction }) => direction as 'EARN' | 'BURN', // a check constraint holds it
    }),
    member: t.relation('member', { type: Member, nullable: true, description: 'Whose points.' }),
    transaction: t.prismaField({
      type: PointsTransaction,
      nullable: true,
      description: 'The points transaction; null when the amount was too small for a point.',
      select: { transactionId: true },
      resolve: async (query, { transactionId }, _args, { db }) =>
        transactionId === null
          ? null
          : read(db).op.findFirst({ ...query, where: { transactionId, walletId: { not: null } } }),
    }),
    points: t.expose('points', { type: 'Points' }),
    returnedPoints: t.expose('returnedPoints', { type: 'Points' }),
    amount: t.expose('baseMinor', { type: 'Minor', nullable: true }),
    returnedAmount: t.expose('returnedMinor', { type: 'Minor' }),
    at: t.expose('at', { type: 'DateTime' }),
    bookedAt: t.expose('bookedAt', { type: 'DateTime' }),
  }),
})

const PartnerMovementConnection = connectionOf(PartnerMovement, 'PartnerMovement')

builder.queryField('partnerMovements', (t) =>
  t.prismaConnection(
    {
      type: PartnerMovement,
      nullable: true,
      description: 'What was earned and spent at a partner, the newest first.',
      authScopes: { lists: 'partners:read' },
      cursor: 'tenantId_id',
      args: { partner: t.arg.string({ required: true, description: "The partner's key." }) },
      resolve: (query, _root, { partner }, { db }) =>
        read(db).partnerMovement.findMany({
          ...query,
          where: { partner },
          orderBy: [{ at: 'desc' }, { id: 'desc' }],
        }),
    },
    PartnerMovementConnection,
  ),
)

const PartnerSettlement = builder.objectRef<PartnerSettlementFacts>('PartnerSettlement').implement({
  description:
    'What a partner and the tenant owe one another for a time, in one currency of money. Each version of the rates values its points once, rounded down.',
  fields: (t) => ({
    currency: t.expose('money', { type: 'CurrencyCode', description: 'The currency of the amounts.' }),
    issued: t.expose('issued', { type: 'Points', description: 'Points that were earned there.' }),
    issuedReturned: t.expose('issued_returned', {
      type: 'Points',
      description: 'Points that were taken back because something was given back there.',
    }),
    burned: t.expose('burned', { type: 'Points', description: 'Points that were spent there.' }),
    burnedReturned: t.expose('burned_returned', {
      type: 'Points',
      description: 'Points that members got back for what they had spent there.',
    }),
    owedByPartner: t.expose('owed_by_partner', {
      type: 'Minor',
      description: 'What the partner owes for points earned there; negative when more was taken back.',
    }),
    owedToPartner: t.expose('owed_to_partner', {
      type: 'Minor',
      description: 'What the tenant owes for points spent there; negative when more was given back.',
    }),
    balance: t.field({
      type: 'Minor',
      description: 'What the partner owes in all; negative: what it is owed.',
      resolve: ({ owed_by_partner, owed_to_partner }) => owed_by_partner - owed_to_partner,
    }),
  }),
})

builder.queryField('partnerSettlement', (t) =>
  t.field({
    type: [PartnerSettlement],
    nullable: true,
    description:
      'What a partner and the tenant owe one another for a time, one entry for each currency of money. Empty when nothing happened. At most 50.',
    authScopes: { lists: 'partners:read' },
    args: {
      partner: t.arg.string({ required: true, description: "The partner's key." }),
      from: t.arg({ type: 'DateTime', required: true, description: 'From when, inclusive.' }),
      until: t.arg({ type: 'DateTime', required: true, description: 'Until when, exclusive.' }),
    },
    resolve: (_root, given, { db }) => partnerSettlement(db, given),
  }),
)
