import { z } from 'zod'
import { Benefit } from '../benefits/index.ts'
import {
  amount,
  bare,
  definePart,
  duration,
  instant,
  key,
  moneyCurrency,
  optional,
  pointsCurrency,
  readBody,
  text,
} from '../program/index.ts'

/** From when until when; either may be open. */
const window = z
  .strictObject({ from: optional(instant), to: optional(instant) })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ['to'],
    message: 'must be later than from',
  })

const count = z.int('must be a whole number').min(1, 'must be 1 or more')
const often = count.max(10_000, 'must be at most 10000')

const campaign = z
  .strictObject({
    name: text,
    window: optional(window),
    audience: optional(z.json()),
    stock: optional(count),
    budget: optional(
      z.strictObject({
        money: optional(z.strictObject({ amount, currency: moneyCurrency })),
        points: optional(z.strictObject({ amount, currency: optional(pointsCurrency) })),
      }),
    ),
  })
  .transform(bare)

/** A campaign as definitions have it. */
export type CampaignBody = z.infer<typeof campaign>

/** `campaigns` of a program. */
export const campaignPart = definePart<CampaignBody>({
  kind: 'campaign',
  section: 'campaigns',
  read: (given, field) => readBody(campaign, given, field),
  audiences: ({ audience }) => ({ audience }),
})

const coupon = z
  .strictObject({
    name: text,
    benefit: Benefit,
    audience: optional(z.json()),
    window: optional(window),
    campaign: optional(key),
    limits: optional(
      z.strictObject({
        total: optional(count),
        perMember: optional(often),
        perMemberPer: optional(
          z.strictObject({
            DAY: optional(often),
            WEEK: optional(often),
            MONTH: optional(often),
            YEAR: optional(often),
          }),
        ),
        perCode: optional(often),
      }),
    ),
    reservation: optional(z.strictObject({ for: duration })),
    onRefund: optional(z.enum(['RELEASE', 'KEEP'], 'must be RELEASE or KEEP')),
    category: optional(key),
  })
  .transform(bare)

/** A coupon as definitions have it. */
export type CouponBody = z.infer<typeof coupon>

/** `coupons` of a program. */
export const couponPart = definePart<CouponBody>({
  kind: 'coupon',
  section: 'coupons',
  read: (given, field) => readBody(coupon, given, field),
  audiences: ({ audience }) => ({ audience }),
})
