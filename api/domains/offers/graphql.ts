import { builder } from '../../graph/builder.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { loader } from '../../graph/load.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { OfferRefusedError } from '../../platform/errors/index.ts'
import type { SqlCondition } from '../../platform/read/index.ts'
import { remainingOf } from './store.ts'

/** `OfferType` of the API. */
export const OfferType = builder.enumType('OfferType', {
  description: 'What a member has to do for an offer.',
  values: {
    SPEND_TOTAL: { description: 'Buy for so much in all, while it lasts.' },
    SINGLE_PURCHASE: { description: 'Make one purchase that is large enough.' },
    PRODUCT_SET: { description: 'Buy products of a set, all of them or so many.' },
    INFORMATION: { description: 'Nothing: it is to be seen.' },
  },
})

/** `ThresholdRule` of the API. */
export const ThresholdRule = builder.enumType('ThresholdRule', {
  description: 'When an amount is enough.',
  values: {
    AT_LEAST: { description: 'When it reaches the threshold.' },
    ABOVE: { description: 'When it exceeds the threshold.' },
  },
})

/** `EndRule` of the API. */
export const EndRule = builder.enumType('EndRule', {
  description: 'Whether the instant of the end still counts.',
  values: {
    INCLUSIVE: { description: 'A purchase at that instant counts.' },
    EXCLUSIVE: { description: 'A purchase at that instant comes too late.' },
  },
})

/** `OfferWay` of the API. */
export const OfferWay = builder.enumType('OfferWay', {
  description: 'How members come by an offer.',
  values: {
    RECEIVED: { description: 'Staff or an integration gives it.' },
    CLAIMED: { description: 'The member takes it.' },
    ON_STAGE: { description: 'Entering a stage gives it, once.' },
  },
})

/** `OfferRefusal` of the API. */
export const OfferRefusalReason = builder.enumType('OfferRefusal', {
  description: 'Why a member cannot have, or use, an offer now.',
  values: {
    NOT_CLAIMABLE: { description: 'It is given, not taken.' },
    NOT_YET: { description: 'It has not begun.' },
    OVER: { description: 'It has ended.' },
    LIMIT_REACHED: { description: 'The member has had it as often as it is given.' },
    NOT_ELIGIBLE: { description: 'It is for others.' },
    OUT_OF_STOCK: { description: 'Nothing is left of it.' },
    RECEIPT_EXISTS: { description: 'The key names another receipt.' },
    NOT_COMPLETED: { description: 'It has not been completed.' },
    USED: { description: 'It has been used.' },
    REVERSED: { description: 'What completed it was given back.' },
  } as const,
})

builder.objectField(OfferRefusedError, 'reason', (t) =>
  t.expose('reason', { type: OfferRefusalReason, description: 'Why.' }),
)

/** A benefit as definitions have it. */
interface BenefitBody {
  readonly points?: { readonly amount: string; readonly currency?: string }
  readonly money?: { readonly amount: string; readonly currency?: string }
  readonly percent?: { readonly basisPoints: number }
  readonly entitlement?: { readonly key: string }
}

const OfferBenefit = builder.objectRef<BenefitBody>('OfferBenefit').implement({
  description:
    'Something that completing an offer gives. One of points, money, basisPoints and entitlement is there.',
  fields: (t) => ({
    points: t.field({
      type: 'Points',
      nullable: true,
      description: 'So many points.',
      resolve: ({ points }) => (points ? BigInt(points.amount) : null),
    }),
    pointsCurrency: t.string({
      nullable: true,
      description: 'Which points.',
      resolve: ({ points }) => (points ? (points.currency ?? 'POINTS') : null),
    }),
    money: t.field({
      type: 'Minor',
      nullable: true,
      description: 'So much off a purchase, in minor units.',
      resolve: ({ money }) => (money ? BigInt(money.amount) : null),
    }),
    currency: t.field({
      type: 'CurrencyCode',
      nullable: true,
      description: 'The currency of the money; null: that of the purchase which completes the offer.',
      resolve: ({ money }) => money?.currency ?? null,
    }),
    basisPoints: t.int({
      nullable: true,
      description: 'Such a share off a purchase, in hundredths of a percent.',
      resolve: ({ percent }) => percent?.basisPoints ?? null,
    }),
    entitlement: t.string({
      nullable: true,
      description: 'The key of something to use.',
      resolve: ({ entitlement }) => entitlement?.key ?? null,
    }),
  }),
})

const remaining = loader<string, number | null>(async (keys, { db }) => {
  const found = await remainingOf(db, keys)
  return keys.map((key) => found.get(key) ?? null)
})

/** Whether the member was ever given this version. */
const isHeldBy =
  (memberId: string): SqlCondition =>
  (alias, param) =>
    `exists (select from offer_receipt r where r.tenant_id = ${alias}.tenant_id and r.offer = ${alias}.key and r.version = ${alias}.version and r.member_id = ${param(memberId)})`

/** Something for members, in one version. */
export const Offer = builder.prismaNode('Offer', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    // A member knows the offers that it was given; others it meets in `offers` of its own.
    // The reader's own words; Prisma's types do not know them.
    AND: ownOnly(context, (memberId) => ({ sql: isHeldBy(memberId) }) as object),
  }),
  authScopes: { reads: 'offers:read' },
  select: { id: true },
  fields: (t) => ({
    key: t.exposeString('key'),
    version: t.exposeInt('version'),
    name: t.string({
      description:
        "What members call it, in the language of the viewer's tenant; its key when it has no name.",
      select: { key: true, name: true },
      resolve: ({ key, name }, _args, context) => inLanguage(name, context) ?? key,
    }),
    type: t.field({
      type: OfferType,
      description: 'What has to be done for it.',
      select: { type: true },
      resolve: ({ type }) => type as typeof OfferType.$inferType, // a check constraint holds it, and those below
    }),
    threshold: t.expose('threshold', { type: 'Minor', nullable: true }),
    thresholdIs: t.field({
      type: ThresholdRule,
      description: 'When an amount is enough.',
      select: { isAbove: true },
      resolve: ({ isAbove }) => (isAbove ? 'ABOVE' : 'AT_LEAST'),
    }),
    currency: t.expose('currency', { type: 'CurrencyCode', nullable: true }),
    skus: t.stringList({
      description: 'Products of the set, by sku. At most 100.',
      select: { skus: true },
      resolve: ({ skus }) => skus,
    }),
    labels: t.stringList({
      description: 'Labels of which any product counts for the set. At most 100.',
      select: { labels: true },
      resolve: ({ labels }) => labels,
    }),
    needed: t.exposeInt('needed', { nullable: true }),
    benefits: t.field({
      type: [OfferBenefit],
      description: 'What completing it gives. At most 10.',
      select: { benefits: true },
      resolve: ({ benefits }) => benefits as BenefitBody[], // as the part read them
    }),
    validFor: t.expose('validFor', { type: 'Duration', nullable: true }),
    startsAt: t.expose('opensAt', { type: 'DateTime', nullable: true, description: 'When it begins.' }),
    endsAt: t.expose('closesAt', { type: 'DateTime', nullable: true, description: 'When all of it ends.' }),
    endIs: t.field({
      type: EndRule,
      description: 'Whether the instant of the end still counts.',
      select: { isEndInclusive: true },
      resolve: ({ isEndInclusive }) => (isEndInclusive ? 'INCLUSIVE' : 'EXCLUSIVE'),
    }),
    remaining: t.int({
      nullable: true,
      description:
        'How many are left; null when there is no end of them. `offer.stock_changed` tells it live.',
      select: { key: true, stock: true },
      resolve: ({ key, stock }, _args, context) => (stock === null ? null : remaining(context, key)),
    }),
    perMember: t.exposeInt('perMember', { nullable: true }),
    howGiven: t.field({
      type: OfferWay,
      description: 'How members come by it.',
      select: { howGiven: true },
      resolve: ({ howGiven }) => howGiven as typeof OfferWay.$inferType,
    }),
    stages: t.stringList({
      description: 'The stages whose entering gives it, by key. At most 20.',
      select: { stages: true },
      resolve: ({ stages }) => stages,
    }),
    label: t.exposeString('label', { nullable: true }),
    campaign: t.exposeString('campaign', { nullable: true }),
  }),
})

/** An offer as the reader gives it, with every column that its fields want. */
export type OfferRow = Awaited<ReturnType<ReturnType<typeof read>['offer']['findFirstOrThrow']>>

/** Versions of offers by their ids; one statement. */
export const offerById = loader<string, OfferRow>(async (ids, { db }) => {
  const rows = await read(db).offer.findMany({ where: { id: { in: [...ids] } } })
  const found = new Map(rows.map((row) => [row.id, row]))
  return ids.map((id) => found.get(id) ?? new TypeError(`no offer ${id}`))
})

/** The same by version and key, `<version> <key>`. */
export const offerByVersion = loader<string, OfferRow>(async (names, { db }) => {
  const keys = names.map((name) => name.slice(name.indexOf(' ') + 1))
  const rows = await read(db).offer.findMany({ where: { key: { in: keys } } })
  const found = new Map(rows.map((row) => [`${row.version} ${row.key}`, row]))
  return names.map((name) => found.get(name) ?? new TypeError(`no offer ${name}`))
})

const OfferConnection = connectionOf(Offer, 'Offer')

builder.queryField('offers', (t) =>
  t.prismaConnection(
    {
      type: Offer,
      nullable: true,
      description: 'The offers in force, by their keys. For staff and integrations.',
      authScopes: { lists: 'offers:read' },
      cursor: 'tenantId_key_version',
      resolve: (query, _root, _args, { db }) =>
        read(db).offer.findMany({
          ...query,
          where: { definition: { isLive: true } },
          orderBy: { key: 'asc' },
        }),
    },
    OfferConnection,
  ),
)
