import type { Types } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { read } from '../../graph/read.ts'
import type { LoggedEvent } from '../../platform/events.ts'
import { Campaign, CampaignState, campaignOf } from './campaigns.graphql.ts'
import { Coupon, couponOf } from './coupons.graphql.ts'
import {
  campaignStateChanged,
  campaignStockChanged,
  couponIssued,
  couponRedeemed,
  couponReleased,
  couponReserved,
  couponStockChanged,
} from './events.ts'
import { CouponRedemption, IssuedCoupon } from './redemptions.graphql.ts'

type Fields = PothosSchemaTypes.ObjectFieldBuilder<Types, LoggedEvent>
type State = typeof CampaignState.$inferType

const redemptionOf = (t: Fields) => ({
  redemption: t.prismaField({
    type: CouponRedemption,
    nullable: true,
    description: 'The redemption, as it is now.',
    resolve: (query, event, _args, { db }) =>
      read(db).couponRedemption.findFirst({ ...query, where: { id: factOf(event, 'redemption') } }),
  }),
})
const campaignIn = (t: Fields) =>
  t.field({
    type: Campaign,
    nullable: true,
    description: 'The campaign, as it is now.',
    resolve: (event, _args, context) => campaignOf(context, factOf(event, 'campaign')),
  })

eventType(couponReserved, redemptionOf)
eventType(couponRedeemed, redemptionOf)
eventType(couponReleased, redemptionOf)

eventType(couponIssued, (t) => ({
  issued: t.prismaField({
    type: IssuedCoupon,
    nullable: true,
    description: 'The coupon of the member’s own, as it is now.',
    resolve: (query, event, _args, { db }) =>
      read(db).couponCode.findFirst({ ...query, where: { id: factOf(event, 'issued') } }),
  }),
}))

eventType(couponStockChanged, (t) => ({
  coupon: t.field({
    type: Coupon,
    nullable: true,
    description: 'The coupon, as it is now.',
    resolve: (event, _args, context) => couponOf(context, factOf(event, 'coupon')),
  }),
}))

eventType(campaignStateChanged, (t) => ({
  campaign: campaignIn(t),
  // The functions of the database write these two.
  from: t.field({
    type: CampaignState,
    description: 'How it stood before.',
    resolve: (event) => factOf(event, 'from') as State,
  }),
  to: t.field({
    type: CampaignState,
    description: 'How it stood then.',
    resolve: (event) => factOf(event, 'to') as State,
  }),
}))

eventType(campaignStockChanged, (t) => ({ campaign: campaignIn(t) }))
