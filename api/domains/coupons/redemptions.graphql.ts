import { completeValue } from '@pothos/core'
import { builder, type Types } from '../../graph/builder.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { Member } from '../members/index.ts'
import { Coupon, couponOf } from './coupons.graphql.ts'

/** How a redemption stands. */
export const CouponRedemptionState = builder.enumType('CouponRedemptionState', {
  description: 'How a redemption stands.',
  values: {
    RESERVED: { description: 'It keeps the coupon for the member, for a time.' },
    USED: { description: 'The member used the coupon.' },
    RELEASED: { description: 'It lapsed, was let go or taken back; the coupon counts as free again.' },
  },
})
type State = typeof CouponRedemptionState.$inferType

/** One redeeming of a coupon by a member. */
export const CouponRedemption = builder.prismaNode('CouponRedemption', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { reads: 'coupons:read' },
  select: { id: true },
  fields: (t) => ({
    member: t.relation('member', { description: 'Who redeemed it.' }),
    coupon: t.field({
      type: Coupon,
      nullable: true,
      description: 'What was redeemed, as it is now.',
      select: { coupon: true },
      resolve: ({ coupon }, _args, context) => couponOf(context, coupon),
    }),
    state: t.field({
      type: CouponRedemptionState,
      description: 'How it stands, by the clock too.',
      select: { state: true, expiresAt: true },
      resolve: ({ state, expiresAt }, _args, context) =>
        completeValue(context.now(), (now) =>
          // A check constraint holds it.
          state === 'RESERVED' && expiresAt !== null && expiresAt <= now ? 'RELEASED' : (state as State),
        ),
    }),
    orderId: t.exposeString('orderId', { nullable: true }),
    redeemedAt: t.expose('madeAt', { type: 'DateTime' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true }),
    usedAt: t.expose('usedAt', { type: 'DateTime', nullable: true }),
    releasedAt: t.expose('releasedAt', { type: 'DateTime', nullable: true }),
    reason: t.exposeString('reason', { nullable: true }),
  }),
})

const IssuedCouponState = builder.enumType('IssuedCouponState', {
  description: 'How a coupon of a member’s own stands.',
  values: {
    AVAILABLE: { description: 'It can be used.' },
    RESERVED: { description: 'It is reserved for an order.' },
    USED: { description: 'It was used.' },
    EXPIRED: { description: 'Its time is over.' },
  },
})

/** A coupon that is bound to a member. */
export const IssuedCoupon = builder.prismaNode('CouponCode', {
  variant: 'IssuedCoupon',
  nullable: true,
  description: 'A coupon of a member’s own. Its code was told once, when it was issued.',
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    kind: 'MEMBER',
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { reads: 'coupons:read' },
  select: { id: true },
  fields: (t) => ({
    member: t.relation('member', { nullable: true, description: 'Whose it is.' }),
    coupon: t.field({
      type: Coupon,
      nullable: true,
      description: 'What it is, as it is now.',
      select: { coupon: true },
      resolve: ({ coupon }, _args, context) => couponOf(context, coupon),
    }),
    state: t.field({
      type: IssuedCouponState,
      description: 'How it stands, by the clock too.',
      select: {
        used: true,
        coupon: true,
        expiresAt: true,
        redemptions: { select: { state: true, expiresAt: true }, orderBy: { id: 'desc' }, take: 1 },
      },
      resolve: async ({ used, coupon, expiresAt, redemptions: [last] }, _args, context) => {
        if (used > 0n) return 'USED'
        const now = await context.now()
        if (last?.state === 'RESERVED' && last.expiresAt !== null && last.expiresAt > now) return 'RESERVED'
        const ends = [expiresAt?.toISOString(), (await couponOf(context, coupon))?.body.window?.to]
        return ends.some((end) => end !== undefined && new Date(end) <= now) ? 'EXPIRED' : 'AVAILABLE'
      },
    }),
    issuedAt: t.expose('issuedAt', { type: 'DateTime' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true }),
  }),
})

const IssuedCouponConnection = connectionOf(IssuedCoupon, 'IssuedCoupon')

builder.prismaObjectFields(Member, (t) => ({
  coupons: t.relatedConnection(
    'coupons',
    {
      type: IssuedCoupon,
      description:
        'The coupons of the member’s own, the newest first. For the member itself and who may read coupons.',
      nullable: true,
      authScopes: { reads: 'coupons:read' },
      cursor: 'tenantId_id',
      query: (_args, context) => ({
        where: { AND: ownOnly(context, (memberId) => ({ memberId })) },
        orderBy: { id: 'desc' },
      }),
    },
    IssuedCouponConnection,
  ),
}))

/** The fields of something that knows a redemption. */
type Fields<Payload extends object> = PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>

/** The field `redemption` of a payload. */
export const redemptionOf = <Payload extends { readonly redemption: string }>(t: Fields<Payload>) =>
  t.prismaField({
    type: CouponRedemption,
    nullable: true,
    description: 'The redemption, as it is now.',
    resolve: (query, { redemption }, _args, { db }) =>
      read(db).couponRedemption.findFirst({ ...query, where: { id: redemption } }),
  })

/** The field `issued` of a payload. */
export const issuedOf = <Payload extends { readonly issued: string }>(t: Fields<Payload>) =>
  t.prismaField({
    type: IssuedCoupon,
    nullable: true,
    description: 'The coupon of the member’s own, as it is now.',
    resolve: (query, { issued }, _args, { db }) =>
      read(db).couponCode.findFirst({ ...query, where: { id: issued } }),
  })
