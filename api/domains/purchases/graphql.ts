import { builder, type Types } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { mutation } from '../../graph/mutation.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import {
  DuplicateOrderError,
  IdempotencyKeyReusedError,
  MembershipEndedError,
  RefundExceedsPurchaseError,
} from '../../platform/errors/index.ts'
import type { LoggedEvent } from '../../platform/events.ts'
import { Member, MemberByInput, memberOf, memberRef } from '../members/index.ts'
import { Earning, earningOfPurchase, transactionOf } from '../points/index.ts'
import { purchaseRecorded, purchaseRefunded } from './events.ts'
import { recordPurchase, refundPurchase } from './service.ts'

const PurchaseState = builder.enumType('PurchaseState', {
  description: 'What became of a purchase.',
  values: {
    COMPLETED: { description: 'It stands.' },
    PARTLY_REFUNDED: { description: 'A part of it was given back.' },
    REFUNDED: { description: 'All of it was given back; it no longer counts.' },
  },
})

// Known to the relation below by its model.
builder.prismaObject('PurchaseLine', {
  fields: (t) => ({
    sku: t.exposeString('sku'),
    name: t.exposeString('name', { nullable: true }),
    quantity: t.exposeInt('quantity'),
    amount: t.expose('amount', { type: 'Minor' }),
    refundedQuantity: t.exposeInt('refundedQuantity'),
  }),
})

/** A purchase, as the shop told it and as refunds have left it. */
export const Purchase = builder.prismaNode('Purchase', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { reads: 'purchases:read' },
  select: { id: true },
  fields: (t) => ({
    orderId: t.exposeString('orderId'),
    member: t.relation('member', { description: 'Who bought.' }),
    purchasedAt: t.expose('purchasedAt', { type: 'DateTime' }),
    currency: t.expose('currency', { type: 'CurrencyCode' }),
    total: t.expose('total', { type: 'Minor' }),
    refunded: t.expose('refunded', { type: 'Minor' }),
    state: t.field({
      type: PurchaseState,
      description: 'What became of it.',
      select: { state: true },
      resolve: ({ state }) => state as 'COMPLETED' | 'PARTLY_REFUNDED' | 'REFUNDED', // a check constraint holds it
    }),
    lines: t.relation('lines', {
      description: 'What was bought. At most 500.',
      query: { orderBy: { line: 'asc' }, take: 500 },
    }),
    earning: t.field({
      type: [Earning],
      nullable: true,
      description:
        'What each rule gave for it, and why others gave nothing, in the order in which rules were asked. At most 1,000.',
      authScopes: { reads: 'points:read' },
      select: { id: true },
      resolve: async ({ id }, _args, context) => (await earningOfPurchase(context, id)).slice(0, 1_000),
    }),
  }),
})

const PurchaseConnection = connectionOf(Purchase, 'Purchase')

builder.prismaObjectField(Member, 'purchases', (t) =>
  t.relatedConnection(
    'purchases',
    {
      description: "The member's purchases, newest first.",
      nullable: true,
      authScopes: { reads: 'purchases:read' },
      cursor: 'tenantId_id',
      query: { orderBy: { purchasedAt: 'desc' } },
    },
    PurchaseConnection,
  ),
)

builder.queryField('purchase', (t) =>
  t.prismaField({
    type: Purchase,
    nullable: true,
    description: 'The purchase with this order id; null when there is none that the viewer may see.',
    authScopes: { reads: 'purchases:read' },
    args: { orderId: t.arg.string({ required: true, description: "The order's own id at the shop." }) },
    resolve: (query, _root, { orderId }, context) =>
      read(context.db).purchase.findFirst({
        ...query,
        where: { orderId, AND: ownOnly(context, (memberId) => ({ memberId })) },
      }),
  }),
)

/** The field `purchase` of a payload that knows which it changed. */
const purchaseOf = <Payload extends { readonly purchase: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.prismaField({
    type: Purchase,
    nullable: true,
    description: 'The purchase, as it is now.',
    resolve: (query, { purchase }, _args, { db }) =>
      read(db).purchase.findFirst({ ...query, where: { id: purchase } }),
  })

builder.objectField(DuplicateOrderError, 'purchase', (t) =>
  t.prismaField({
    type: Purchase,
    nullable: true,
    description: 'The purchase that has this order id.',
    resolve: (query, { purchaseId }, _args, { db }) =>
      read(db).purchase.findFirst({ ...query, where: { id: purchaseId } }),
  }),
)

const PurchaseLineInput = builder.inputType('PurchaseLineInput', {
  description: 'One product of a purchase.',
  fields: (t) => ({
    sku: t.string({ required: true, description: "The product's stock-keeping unit; 1 to 100 characters." }),
    name: t.string({ description: "The product's name." }),
    quantity: t.int({ required: true, defaultValue: 1, description: 'How many pieces.' }),
    amount: t.field({
      type: 'Minor',
      required: true,
      description: 'What the line cost in all, in minor units.',
    }),
  }),
})

const RefundLineInput = builder.inputType('RefundLineInput', {
  description: 'Pieces of one product that are given back.',
  fields: (t) => ({
    sku: t.string({ required: true, description: "The product's stock-keeping unit." }),
    quantity: t.int({ required: true, description: 'How many pieces.' }),
  }),
})

mutation('recordPurchase', {
  description:
    'Records a purchase: earns its points, moves the stage, plans the first touch. Needs: `purchases:write`. Emits: `purchase.recorded`, `points.posted`, `member.stage_changed`, `member.freshness_band_changed`, `touchpoint.planned`.',
  scopes: { writes: 'purchases:write' },
  errors: [IdempotencyKeyReusedError, DuplicateOrderError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Who bought.' }),
    orderId: t.string({
      required: true,
      description: "The order's own id at the shop; 1 to 200 characters.",
    }),
    purchasedAt: t.field({ type: 'DateTime', required: true, description: 'When; not in the future.' }),
    currency: t.field({ type: 'CurrencyCode', required: true, description: 'The currency of every amount.' }),
    total: t.field({
      type: 'Minor',
      required: true,
      description: 'What was paid, in minor units; 0 or more.',
    }),
    lines: t.field({ type: [PurchaseLineInput], description: 'What was bought. At most 500.' }),
  }),
  resolve: ({ member, ...purchase }, { db }, operation) =>
    recordPurchase(db, { ...purchase, member: memberRef(member, 'input.member') }, operation),
  payload: (t) => ({
    purchase: purchaseOf(t),
    member: memberOf(t),
    transaction: transactionOf(t),
  }),
})

mutation('refundPurchase', {
  description:
    'Gives a purchase back by lines, by amount or, with neither, the rest; points and stage follow. Needs: `purchases:write`. Emits: `purchase.refunded`, `points.posted`, `member.stage_changed`.',
  scopes: { writes: 'purchases:write' },
  errors: [IdempotencyKeyReusedError, RefundExceedsPurchaseError],
  input: (t) => ({
    orderId: t.string({ required: true, description: 'Which purchase.' }),
    lines: t.field({ type: [RefundLineInput], description: 'The pieces that are given back. At most 500.' }),
    amount: t.field({ type: 'Minor', description: 'An amount that is given back, in minor units.' }),
    refundedAt: t.field({ type: 'DateTime', description: 'When; now when left out.' }),
    reason: t.string({ description: 'Why, in your words.' }),
  }),
  resolve: (input, { db }, operation) => refundPurchase(db, input, operation),
  payload: (t) => ({ purchase: purchaseOf(t), member: memberOf(t) }),
})

const eventPurchase = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, LoggedEvent>) =>
  t.prismaField({
    type: Purchase,
    nullable: true,
    description: 'The purchase, as it is now.',
    resolve: (query, event, _args, { db }) =>
      read(db).purchase.findFirst({ ...query, where: { id: factOf(event, 'purchase') } }),
  })

eventType(purchaseRecorded, (t) => ({ purchase: eventPurchase(t) }))
eventType(purchaseRefunded, (t) => ({
  purchase: eventPurchase(t),
  amount: t.field({
    type: 'Minor',
    description: "What was given back, in minor units of the purchase's currency.",
    resolve: (event) => BigInt(factOf(event, 'amount')),
  }),
}))
