import { builder } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { loader } from '../../graph/load.ts'
import { BadInputError, COUPON_REFUSALS, type CouponRefusal as Refusal } from '../../platform/errors/index.ts'
import { vaultPort } from '../../platform/vault.ts'
import { type MemberBy, MemberByInput, memberRef } from '../members/index.ts'
import { Campaign, campaignOf, instantOf, Stock } from './campaigns.graphql.ts'
import type { CouponBody } from './parts.ts'
import { couponsUsable, couponUsable, toldTo } from './service.ts'
import { type CouponNow, couponsNow } from './shelf.store.ts'

/** Why a code is not taken. */
export const CouponRefusal = builder.enumType('CouponRefusal', {
  description:
    'Why a code is not taken. A member is told NOT_USABLE for whatever could tell a guess from a coupon.',
  values: Object.fromEntries(
    Object.entries(COUPON_REFUSALS).map(([reason, description]) => [reason, { description }]),
  ) as Record<Refusal, { description: string }>,
})

/** What a full refund of the order does to a coupon. */
export const CouponOnRefund = builder.enumType('CouponOnRefund', {
  description: 'What a full refund of the order does to a coupon.',
  values: {
    RELEASE: { description: 'It may be used again; what it gave is taken back.' },
    KEEP: { description: 'It stays used, with what it gave.' },
  },
})

const CouponBenefit = builder.objectRef<CouponBody['benefit']>('CouponBenefit').implement({
  description: 'What a coupon is good for: exactly one of points, an entitlement, money and a share.',
  fields: (t) => ({
    points: t.field({
      type: 'Points',
      nullable: true,
      description: 'Points in a wallet.',
      resolve: ({ points }) => (points ? BigInt(points.amount) : null),
    }),
    entitlement: t.string({
      nullable: true,
      description: 'The key of something to use.',
      resolve: ({ entitlement }) => entitlement?.key ?? null,
    }),
    amount: t.field({
      type: 'Minor',
      nullable: true,
      description: 'An amount off a purchase, in minor units.',
      resolve: ({ money }) => (money ? BigInt(money.amount) : null),
    }),
    currency: t.string({
      nullable: true,
      description: 'The currency of the amount, or of the points.',
      resolve: ({ money, points }) => money?.currency ?? (points ? (points.currency ?? 'POINTS') : null),
    }),
    basisPoints: t.int({
      nullable: true,
      description: 'A share off a purchase, in hundredths of a percent.',
      resolve: ({ percent }) => percent?.basisPoints ?? null,
    }),
  }),
})

const CouponLimits = builder.objectRef<NonNullable<CouponBody['limits']>>('CouponLimits').implement({
  description: 'How often a coupon may be redeemed; null everywhere: without limit.',
  fields: (t) => ({
    total: t.field({
      type: 'Minor',
      nullable: true,
      description: 'By everybody together.',
      resolve: ({ total }) => (total === undefined ? null : BigInt(total)),
    }),
    perMember: t.int({
      nullable: true,
      description: 'By one member.',
      resolve: ({ perMember }) => perMember ?? null,
    }),
    perDay: t.int({
      nullable: true,
      description: "By one member in a day of the tenant's calendar.",
      resolve: ({ perMemberPer }) => perMemberPer?.DAY ?? null,
    }),
    perWeek: t.int({
      nullable: true,
      description: 'By one member in a week, which begins on Monday.',
      resolve: ({ perMemberPer }) => perMemberPer?.WEEK ?? null,
    }),
    perMonth: t.int({
      nullable: true,
      description: 'By one member in a month.',
      resolve: ({ perMemberPer }) => perMemberPer?.MONTH ?? null,
    }),
    perYear: t.int({
      nullable: true,
      description: 'By one member in a year.',
      resolve: ({ perMemberPer }) => perMemberPer?.YEAR ?? null,
    }),
    perCode: t.int({
      description: 'By one of its bulk codes.',
      resolve: ({ perCode }) => perCode ?? 1,
    }),
  }),
})

/** Something that a code opens. */
export const Coupon = builder.objectRef<CouponNow>('Coupon').implement({
  description: 'Something that a code opens.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The name that programs use.' }),
    version: t.exposeInt('version', { description: 'Its version; counted from 1.' }),
    isLive: t.exposeBoolean('isLive', { description: 'Whether it is in force; a retired one is not.' }),
    name: t.string({
      description: "What members call it, in the language of the viewer's tenant.",
      resolve: ({ key, body }, _args, context) => inLanguage(body.name, context) ?? key,
    }),
    benefit: t.field({
      type: CouponBenefit,
      description: 'What it is good for.',
      resolve: ({ body }) => body.benefit,
    }),
    limits: t.field({
      type: CouponLimits,
      description: 'How often it may be redeemed.',
      resolve: ({ body }) => body.limits ?? {},
    }),
    startsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'From when on it can be redeemed; null: at once.',
      resolve: ({ body }) => instantOf(body.window?.from),
    }),
    endsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'From when on it cannot be redeemed any more; null: never.',
      resolve: ({ body }) => instantOf(body.window?.to),
    }),
    reservedFor: t.field({
      type: 'Duration',
      description: 'How long a reservation lasts.',
      resolve: ({ body }) => body.reservation?.for ?? 'PT30M',
    }),
    onRefund: t.field({
      type: CouponOnRefund,
      description: 'What a full refund of the order does to it.',
      resolve: ({ body }) => body.onRefund ?? 'RELEASE',
    }),
    category: t.string({
      nullable: true,
      description: 'What it counts as where discounts stack.',
      resolve: ({ body }) => body.category ?? null,
    }),
    stock: t.field({
      type: Stock,
      nullable: true,
      description: 'What is left of it now; null: there is no end of it.',
      resolve: ({ stock }) => stock,
    }),
    campaign: t.field({
      type: Campaign,
      nullable: true,
      description: 'The campaign that it belongs to; null when there is none, and for members.',
      authScopes: { lists: 'coupons:read' },
      resolve: ({ body }, _args, context) =>
        body.campaign === undefined ? null : campaignOf(context, body.campaign),
    }),
  }),
})

/** A coupon by its key, one statement for all that are asked for; null for none. */
export const couponOf = loader<string, CouponNow | null>(async (keys, { db }) => {
  const found = new Map((await couponsNow(db, { keys })).map((coupon) => [coupon.key, coupon]))
  return keys.map((key) => found.get(key) ?? null)
})

builder.queryFields((t) => ({
  coupons: t.field({
    type: [Coupon],
    nullable: true,
    description: 'The coupons of the program, by their keys. At most 200.',
    authScopes: { lists: 'coupons:read' },
    args: { campaign: t.arg.string({ description: 'Only those of the campaign with this key.' }) },
    resolve: (_root, { campaign }, { db }) => couponsNow(db, { campaign: campaign ?? null }),
  }),
  coupon: t.field({
    type: Coupon,
    nullable: true,
    description: 'The coupon with this key; null when there is none.',
    authScopes: { lists: 'coupons:read' },
    args: { key: t.arg.string({ required: true, description: 'Its key.' }) },
    resolve: (_root, { key }, context) => couponOf(context, key),
  }),
}))

/** What is told of a look at a code; the coupon by its key. */
export interface Usability {
  readonly coupon: string | null
  readonly reason: Refusal | null
  readonly retryAfter: number | null
}

/** `CouponUsability` of the API. */
export const CouponUsability = builder.objectRef<Usability>('CouponUsability').implement({
  description: 'Whether a code would be taken now.',
  fields: (t) => ({
    isUsable: t.boolean({
      description: 'Whether it would be taken now.',
      resolve: ({ coupon }) => coupon !== null,
    }),
    coupon: t.field({
      type: Coupon,
      nullable: true,
      description: 'What it opens; null when it would not be taken.',
      resolve: ({ coupon }, _args, context) => (coupon === null ? null : couponOf(context, coupon)),
    }),
    reason: t.expose('reason', {
      type: CouponRefusal,
      nullable: true,
      description: 'Why it would not be taken; null when it would, or too many were tried.',
    }),
    retryAfter: t.exposeInt('retryAfter', {
      nullable: true,
      description: 'In how many seconds to try again after too many wrong codes; null otherwise.',
    }),
  }),
})

builder.queryField('couponUsable', (t) =>
  t.field({
    type: CouponUsability,
    nullable: true,
    description:
      'Whether a code would be taken for a member now, without taking it. A code of nothing counts as a try. Null for nobody.',
    authScopes: { reads: 'coupons:read' },
    args: {
      member: t.arg({ type: MemberByInput, description: "Whose; a member's own when left out." }),
      code: t.arg.string({ required: true, description: 'The code as it was typed.' }),
    },
    resolve: async (_root, { member, code }, context): Promise<Usability | null> => {
      const by = triedBy(member, context)
      if (by === null) return null
      const trying = { member: by, code, token: context.viewer?.tokenKey ?? '' }
      const outcome = await couponUsable(context.db, trying, context.use(vaultPort))
      return outcome.is === 'not_found' ? null : usabilityOf(outcome, context)
    },
  }),
)

/** What a viewer is told of a look at a code. */
function usabilityOf(outcome: Awaited<ReturnType<typeof couponUsable>>, { viewer }: Context): Usability {
  if (outcome.is === 'done') return { coupon: outcome.coupon, reason: null, retryAfter: null }
  if (outcome.is === 'too_many_attempts')
    return { coupon: null, reason: null, retryAfter: outcome.retry_after }
  if (outcome.is !== 'coupon_not_usable') throw new TypeError(`a look at a code answered ${outcome.is}`)
  return { coupon: null, reason: toldTo(viewer, outcome.reason), retryAfter: null }
}

/** Whether each of these codes would be taken for a member (a uuid) now, and what it is good for. */
export async function lookAtCoupons(
  member: string,
  codes: readonly string[],
  context: Context,
): Promise<{ readonly looks: readonly Usability[]; readonly coupons: readonly CouponNow[] }> {
  if (codes.length === 0) return { looks: [], coupons: [] }
  const asked = { member, codes, token: context.viewer?.tokenKey ?? '' }
  const outcomes = await couponsUsable(context.db, asked, context.use(vaultPort))
  const looks = outcomes.map((outcome) => usabilityOf(outcome, context))
  const keys = looks.flatMap(({ coupon }) => (coupon === null ? [] : [coupon]))
  return { looks, coupons: keys.length === 0 ? [] : await couponsNow(context.db, { keys }) }
}

/** Who tries the code: whoever was named, for a member's token the member itself; null for anybody else. */
function triedBy(
  member: { readonly id?: string | null; readonly externalId?: string | null } | null | undefined,
  { viewer }: Context,
): MemberBy | null {
  const by = member ? memberRef(member, 'member') : null
  if (viewer?.kind !== 'MEMBER') {
    if (by) return by
    throw new BadInputError('member', "member must name one; only a member's token may leave it out.")
  }
  const isSelf = !by || ('id' in by ? by.id === viewer.memberId : by.externalId === viewer.sub)
  return isSelf && viewer.memberId !== null ? { id: viewer.memberId } : null
}
