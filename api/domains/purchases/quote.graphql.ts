import { builder } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { idOf } from '../../graph/ids.ts'
import { positive, text } from '../../graph/input.ts'
import { BadInputError, ForbiddenError } from '../../platform/errors/index.ts'
import {
  BenefitType,
  benefitOf,
  type Effect,
  MemberPriceType,
  MOST_DISCOUNTS,
  memberIdOf,
} from '../benefits/index.ts'
import { Coupon, CouponUsability, couponOf, lookAtCoupons, type Usability } from '../coupons/index.ts'
import { MemberByInput } from '../members/index.ts'
import { couponIn, type Quote, type QuotedLine, quote } from './quote.ts'

const MOST_LINES = 100
const MOST_COUPONS = 10

function notNegative(amount: bigint | null, field: string): bigint | null {
  if (amount === null || amount >= 0n) return amount
  throw new BadInputError(field, `${field} must be zero or more; it is ${amount}.`)
}

const QuoteReason = builder.enumType('QuoteReason', {
  description: 'Why a discount counts or not.',
  values: {
    APPLIED: { description: 'It counts.' },
    UNKNOWN_CATEGORY: { description: 'The rules of stacking do not know its category.' },
    EXCLUDED: { description: 'Another one that counts excludes it.' },
    CATEGORY_FULL: { description: 'As many of its category count as may.' },
    TOO_MANY: { description: 'As many discounts count as may.' },
    NO_EFFECT: { description: 'There is nothing that it could be taken off.' },
  },
})

function couponNamed(discount: string, context: Context) {
  const key = couponIn(discount)
  return key === undefined ? null : couponOf(context, key)
}

const QuotedDiscount = builder.objectRef<Effect>('QuotedDiscount').implement({
  description: 'What becomes of a discount.',
  fields: (t) => ({
    benefit: t.field({
      type: BenefitType,
      nullable: true,
      description: 'The benefit that it is; null for a coupon.',
      resolve: ({ key }, _args, context) => (couponIn(key) === undefined ? benefitOf(context, key) : null),
    }),
    coupon: t.field({
      type: Coupon,
      nullable: true,
      description: 'The coupon that it is; null for a benefit.',
      resolve: ({ key }, _args, context) => couponNamed(key, context),
    }),
    reason: t.expose('reason', { type: QuoteReason, description: 'Whether it counts, or why not.' }),
    excludedBy: t.field({
      type: BenefitType,
      nullable: true,
      description: 'The benefit that excludes it; null when none does.',
      resolve: ({ excludedBy }, _args, context) =>
        excludedBy === undefined || couponIn(excludedBy) !== undefined
          ? null
          : benefitOf(context, excludedBy),
    }),
    excludedByCoupon: t.field({
      type: Coupon,
      nullable: true,
      description: 'The coupon that excludes it; null when none does.',
      resolve: ({ excludedBy }, _args, context) => couponNamed(excludedBy ?? '', context),
    }),
    amount: t.expose('amount', { type: 'Minor', description: 'What it takes off, in minor units.' }),
  }),
})

const QuotedLineType = builder.objectRef<QuotedLine>('QuotedLine').implement({
  description: 'A line of a quote.',
  fields: (t) => ({
    sku: t.exposeString('sku', { description: 'The article.' }),
    quantity: t.exposeInt('quantity', { description: 'How many.' }),
    amount: t.expose('amount', { type: 'Minor', description: 'Before discounts, in minor units.' }),
    total: t.expose('left', { type: 'Minor', description: 'What is left of it, in minor units.' }),
    price: t.expose('price', {
      type: MemberPriceType,
      nullable: true,
      description: 'The price that made the amount; null when the amount was given.',
    }),
  }),
})

interface QuoteWithCoupons extends Quote {
  readonly looks: readonly Usability[]
}

const PurchaseQuote = builder.objectRef<QuoteWithCoupons>('PurchaseQuote').implement({
  description: 'What a purchase would cost a member.',
  fields: (t) => ({
    currency: t.expose('currency', { type: 'CurrencyCode', description: 'The currency of the amounts.' }),
    amount: t.field({
      type: 'Minor',
      description: 'The lines together before discounts, in minor units.',
      resolve: ({ stacked }) => stacked.before,
    }),
    total: t.field({
      type: 'Minor',
      description: 'What is left to pay, in minor units.',
      resolve: ({ stacked }) => stacked.total,
    }),
    lines: t.field({
      type: [QuotedLineType],
      description: 'The lines, in their order. At most 100.',
      resolve: ({ lines }) => [...lines],
    }),
    discounts: t.field({
      type: [QuotedDiscount],
      description:
        'The discounts in the order in which they are taken, and those that do not count. At most 40.',
      resolve: ({ stacked }) => [...stacked.effects],
    }),
    coupons: t.field({
      type: [CouponUsability],
      description:
        'Whether each code would be taken, in the order in which they were given; what would not takes nothing off. At most 10.',
      resolve: ({ looks }) => [...looks],
    }),
  }),
})

const QuoteLineInput = builder.inputType('QuoteLineInput', {
  description: 'A line to be bought.',
  fields: (t) => ({
    sku: t.string({ required: true, description: 'The article; 1 to 100 characters.' }),
    quantity: t.int({ defaultValue: 1, description: 'How many; 1 when left out.' }),
    amount: t.field({
      type: 'Minor',
      description: "What the line costs, in minor units; by the member's price when left out.",
    }),
  }),
})

const QuotePurchaseInput = builder.inputType('QuotePurchaseInput', {
  description: 'What is to be bought, and with what.',
  fields: (t) => ({
    member: t.field({ type: MemberByInput, description: "Who buys; a member's own when left out." }),
    currency: t.field({ type: 'CurrencyCode', required: true, description: 'The currency of the purchase.' }),
    lines: t.field({ type: [QuoteLineInput], required: true, description: 'The lines. At most 100.' }),
    benefits: t.idList({
      description: 'The benefits to use; everything that is open when left out. At most 30.',
    }),
    coupons: t.stringList({
      description:
        'Codes as they were typed; of those of one coupon one counts. At most 10. Needs coupons:read; a code of nothing counts as a try.',
    }),
  }),
})

builder.queryField('quotePurchase', (t) =>
  t.field({
    type: PurchaseQuote,
    nullable: true,
    description:
      'What a purchase would cost a member now: its prices, and the discounts that it has open, stacked by the rules. Nothing is reserved. Null when there is no such member, or a benefit that is named cannot be used.',
    authScopes: { reads: 'benefits:read' },
    args: {
      input: t.arg({ type: QuotePurchaseInput, required: true, description: 'What is to be bought.' }),
    },
    resolve: async (_root, { input }, context) => {
      const { lines, benefits } = input
      if (lines.length < 1 || lines.length > MOST_LINES) {
        throw new BadInputError('input.lines', `input.lines must have 1 to ${MOST_LINES} lines.`)
      }
      if (benefits && benefits.length > MOST_DISCOUNTS) {
        throw new BadInputError('input.benefits', `input.benefits may name at most ${MOST_DISCOUNTS}.`)
      }
      const asked = lines.map(({ sku, quantity, amount }, i) => ({
        sku: text(sku, `input.lines.${i}.sku`, 100),
        quantity: positive(quantity ?? 1, `input.lines.${i}.quantity`),
        amount: notNegative(amount ?? null, `input.lines.${i}.amount`),
      }))
      const named = benefits?.map((id, i) => idOf('Benefit', id, `input.benefits.${i}`)) ?? null
      const codes = input.coupons ?? []
      if (codes.length > MOST_COUPONS) {
        throw new BadInputError('input.coupons', `input.coupons may name at most ${MOST_COUPONS}.`)
      }
      const { viewer } = context
      if (codes.length > 0 && viewer?.kind !== 'MEMBER' && !viewer?.can('coupons:read')) {
        throw new ForbiddenError()
      }
      const member = await memberIdOf(input.member, context, 'input.member')
      if (member === null) return null
      const { looks, coupons } = await lookAtCoupons(member, codes, context)
      const given = { member, currency: input.currency, lines: asked, benefits: named, coupons }
      const told = await quote(context.db, given)
      return told && { ...told, looks }
    },
  }),
)
