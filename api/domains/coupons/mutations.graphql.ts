import { builder, type Types } from '../../graph/builder.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import {
  BadInputError,
  CouponNotUsableError,
  IdempotencyKeyReusedError,
  MembershipEndedError,
  RedemptionResolvedError,
  raise,
  TooManyAttemptsError,
} from '../../platform/errors/index.ts'
import { vaultPort } from '../../platform/vault.ts'
import { MemberByInput, memberOf, memberRef, onlyOf, ownOrWrites, subjectOf } from '../members/index.ts'
import { publish } from '../program/index.ts'
import { checkPrefix } from './codes.ts'
import { Coupon, CouponRefusal, couponOf } from './coupons.graphql.ts'
import { CouponInput } from './input.graphql.ts'
import { couponPart } from './parts.ts'
import { CouponRedemptionState, issuedOf, redemptionOf } from './redemptions.graphql.ts'
import {
  addCouponWord,
  CODES_AT_ONCE,
  checkKey,
  issueCoupon,
  makeCoupons,
  redeemCoupon,
  toldTo,
} from './service.ts'
import { releaseCall } from './store.ts'

const couponField = <Payload extends { readonly coupon: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.field({
    type: Coupon,
    nullable: true,
    description: 'The coupon, as it is now.',
    resolve: ({ coupon }, _args, context) => couponOf(context, coupon),
  })

const CouponDiscount = builder.inputType('CouponDiscountInput', {
  description: 'What a coupon takes off an order.',
  fields: (t) => ({
    amount: t.field({ type: 'Minor', required: true, description: 'Minor units, zero or more.' }),
    currency: t.field({ type: 'CurrencyCode', required: true, description: 'The currency of the amount.' }),
  }),
})

mutation('defineCoupon', {
  description:
    'Puts a coupon into force as its next version; the same once more changes nothing. What was redeemed keeps its version, and its codes stay. Needs: `program:write`. Emits: `program.published`, `coupon.stock_changed`.',
  scopes: { staff: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({ required: true, description: 'The name that programs use; 1 to 100 characters.' }),
    coupon: t.field({ type: CouponInput, required: true, description: 'The coupon.' }),
  }),
  resolve: async ({ key, coupon }, { db }, { actor }) => {
    const body = couponPart.read(coupon, 'input.coupon')
    await publish(db, [{ kind: 'coupon', key: checkKey(key, 'input.key'), body }], { actor })
    return { coupon: key }
  },
  payload: (t) => ({ coupon: couponField(t) }),
})

mutation('makeCoupons', {
  description:
    'Makes codes of a coupon, each of 85 random bits, and tells them this once; the command line makes more at a time. Needs: `coupons:write`. Emits: nothing.',
  scopes: { writes: 'coupons:write' },
  errors: [IdempotencyKeyReusedError],
  input: (t) => ({
    coupon: t.string({ required: true, description: 'The key of the coupon.' }),
    count: t.int({ required: true, description: 'How many; 1 to 1,000.' }),
    prefix: t.string({ description: 'What each begins with; at most 12 letters and digits.' }),
  }),
  resolve: ({ coupon, count, prefix }, { db, use }, op) => {
    if (count < 1 || count > CODES_AT_ONCE) {
      throw new BadInputError(
        'input.count',
        `input.count must be from 1 to ${CODES_AT_ONCE}; it is ${count}.`,
      )
    }
    const codes = {
      coupon: text(coupon, 'input.coupon', 100),
      count,
      prefix: checkPrefix(prefix, 'input.prefix'),
    }
    return makeCoupons(db, codes, { vault: use(vaultPort), op })
  },
  payload: (t) => ({
    coupon: couponField(t),
    made: t.exposeInt('made', { description: 'How many were made.' }),
    codes: t.stringList({
      description:
        'The codes, which are told only this once: empty when the request was answered before. At most 1,000.',
      resolve: ({ codes }) => [...codes],
    }),
  }),
})

mutation('addCouponWord', {
  description:
    'Lets a word that everybody may know open a coupon, such as SPRING26, as often as its limits allow. Needs: `coupons:write`. Emits: nothing.',
  scopes: { writes: 'coupons:write' },
  errors: [IdempotencyKeyReusedError],
  input: (t) => ({
    coupon: t.string({ required: true, description: 'The key of the coupon.' }),
    word: t.string({ required: true, description: 'The word; 3 to 40 letters and digits.' }),
  }),
  resolve: ({ coupon, word }, { db, use }, op) =>
    addCouponWord(db, { coupon: text(coupon, 'input.coupon', 100), word }, { vault: use(vaultPort), op }),
  payload: (t) => ({ coupon: couponField(t) }),
})

mutation('issueCoupon', {
  description:
    'Gives a member a coupon of its own, and tells its code this once. Needs: `coupons:write`. Emits: `coupon.issued`.',
  scopes: { writes: 'coupons:write' },
  errors: [IdempotencyKeyReusedError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Who gets it.' }),
    coupon: t.string({ required: true, description: 'The key of the coupon.' }),
    validFor: t.field({
      type: 'Duration',
      description: 'How long it can be used; as long as the coupon when left out.',
    }),
  }),
  resolve: ({ member, coupon, validFor }, { db, use }, op) =>
    issueCoupon(
      db,
      {
        member: memberRef(member, 'input.member'),
        coupon: text(coupon, 'input.coupon', 100),
        validFor: validFor ?? null,
      },
      { vault: use(vaultPort), op },
    ),
  payload: (t) => ({
    issued: issuedOf(t),
    member: memberOf(t),
    // Named apart from the code of a failure, beside which it may be selected.
    plainCode: t.exposeString('code', {
      nullable: true,
      description: 'Its code, which is told only this once: null when the request was answered before.',
    }),
  }),
})

mutation('redeemCoupon', {
  description:
    "Redeems a code: reserved for a while, or used at once, and what it is good for is given. Needs: a member's token, for its own, or `coupons:write`. Emits: `coupon.reserved`, `coupon.redeemed`, `benefit.given`, `points.posted`.",
  scopes: ownOrWrites('coupons:write'),
  errors: [IdempotencyKeyReusedError, MembershipEndedError, CouponNotUsableError, TooManyAttemptsError],
  noDryRun: 'It counts codes of nothing; ask couponUsable.',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: "For whom; a member's own when left out." }),
    code: t.string({ required: true, description: 'The code as it was typed.' }),
    orderId: t.string({
      description:
        'The order that it is for: recording the purchase uses the reservation. 1 to 200 characters.',
    }),
    hold: t.boolean({
      defaultValue: false,
      description: 'Whether it is reserved for now; used at once when left out.',
    }),
    discount: t.field({
      type: CouponDiscount,
      description: 'What it takes off the order, where a share counts against a budget of money.',
    }),
  }),
  resolve: async ({ member, code, orderId, hold, discount }, context, op) => {
    if (discount && discount.amount < 0n) {
      throw new BadInputError('input.discount.amount', 'input.discount.amount must not be less than zero.')
    }
    const outcome = await redeemCoupon(
      context.db,
      {
        member: subjectOf(member, context),
        code,
        token: context.viewer?.tokenKey ?? '',
        orderId: orderId == null ? null : text(orderId, 'input.orderId', 200),
        isHeld: hold ?? false,
        discount: discount ?? null,
      },
      { vault: context.use(vaultPort), op },
    )
    if (outcome.is === 'coupon_not_usable')
      throw new CouponNotUsableError(toldTo(context.viewer, outcome.reason))
    return raise(outcome)
  },
  payload: (t) => ({ redemption: redemptionOf(t), member: memberOf(t) }),
})

mutation('releaseCoupon', {
  description:
    "Lets a reservation go, so that the coupon counts as free again. Needs: a member's token, for its own, or `coupons:write`. Emits: `coupon.released`.",
  scopes: ownOrWrites('coupons:write'),
  errors: [IdempotencyKeyReusedError, RedemptionResolvedError],
  input: (t) => ({ redemption: t.id({ required: true, description: 'Which redemption.' }) }),
  resolve: async ({ redemption }, context, op) => {
    const id = idOf('CouponRedemption', redemption, 'input.redemption')
    const released = { redemption: id, only: onlyOf(context), takesBack: false, reason: null }
    return raise(await releaseCall(context.db, released, op))
  },
  payload: (t) => ({ redemption: redemptionOf(t), member: memberOf(t) }),
})

mutation('cancelCouponRedemption', {
  description:
    'Calls a redemption off, also one that was used: the coupon counts as free again, and what it gave is taken back. Needs: `coupons:write`. Emits: `coupon.released`, `benefit.taken_back`, `points.posted`.',
  scopes: { writes: 'coupons:write' },
  errors: [IdempotencyKeyReusedError, RedemptionResolvedError],
  input: (t) => ({
    redemption: t.id({ required: true, description: 'Which redemption.' }),
    reason: t.string({ required: true, description: 'Why, in words for the member; 1 to 200 characters.' }),
  }),
  resolve: async ({ redemption, reason }, { db }, op) => {
    const id = idOf('CouponRedemption', redemption, 'input.redemption')
    const cancelled = {
      redemption: id,
      only: null,
      takesBack: true,
      reason: text(reason, 'input.reason', 200),
    }
    return raise(await releaseCall(db, cancelled, op))
  },
  payload: (t) => ({ redemption: redemptionOf(t), member: memberOf(t) }),
})

builder.objectField(CouponNotUsableError, 'reason', (t) =>
  t.field({ type: CouponRefusal, description: 'Why it is not taken.', resolve: ({ reason }) => reason }),
)

builder.objectField(RedemptionResolvedError, 'state', (t) =>
  t.field({
    type: CouponRedemptionState,
    description: 'What became of the redemption.',
    resolve: ({ state }) => state,
  }),
)
