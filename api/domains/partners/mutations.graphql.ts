import { builder, type Types } from '../../graph/builder.ts'
import { positive, text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { TextsInput } from '../../graph/texts.ts'
import {
  DuplicateReferenceError,
  IdempotencyKeyReusedError,
  InsufficientPointsError,
  MembershipEndedError,
  RefundExceedsPurchaseError,
} from '../../platform/errors/index.ts'
import { MemberByInput, memberOf, memberRef } from '../members/index.ts'
import { transactionOf } from '../points/index.ts'
import { publish } from '../program/index.ts'
import { Partner, PartnerMovement } from './graphql.ts'
import { partnerPart } from './part.ts'
import { burnAtPartner, earnAtPartner, giveBackAtPartner } from './service.ts'
import { readPartners } from './store.ts'

const PARTNER = "The partner's key."
const REFERENCE = "The partner's own number for it, which counts once; 1 to 200 characters."

const PartnerEarnInput = builder.inputType('PartnerEarnInput', {
  description: 'What is earned at a partner: floor(total × points ÷ minor).',
  fields: (t) => ({
    minor: t.field({ type: 'Minor', required: true, description: 'For each so many minor units.' }),
    points: t.field({ type: 'Points', required: true, description: 'So many points.' }),
    money: t.field({ type: 'CurrencyCode', required: true, description: 'The currency of what is bought.' }),
  }),
})

const PartnerSettlementInput = builder.inputType('PartnerSettlementInput', {
  description: 'What a point is worth between the partner and the tenant.',
  fields: (t) => ({
    money: t.field({ type: 'CurrencyCode', required: true, description: 'The currency of the amounts.' }),
    issuedMicro: t.field({
      type: 'Minor',
      required: true,
      description: 'What the partner owes for a point earned there, in millionths of a minor unit.',
    }),
    burnedMicro: t.field({
      type: 'Minor',
      required: true,
      description: 'What the tenant owes for a point spent there, in millionths of a minor unit.',
    }),
  }),
})

const PartnerInput = builder.inputType('PartnerInput', {
  description: 'What a partner is.',
  fields: (t) => ({
    name: t.field({ type: TextsInput, required: true, description: 'What members call it.' }),
    earn: t.field({ type: PartnerEarnInput, description: 'What is earned there; nothing when left out.' }),
    canBurn: t.boolean({ description: 'Whether points can be spent there; not when left out.' }),
    currency: t.string({ description: "Which points; the tenant's usual ones when left out." }),
    settlement: t.field({
      type: PartnerSettlementInput,
      required: true,
      description: 'What the two owe one another.',
    }),
  }),
})

mutation('definePartner', {
  description:
    'Puts a partner in force, or a new version of it; an equal one changes nothing, and what moved before keeps its rates. Needs: `program:write`. Emits: `program.published`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({ required: true, description: 'Its name for programs; 1 to 100 characters.' }),
    partner: t.field({ type: PartnerInput, required: true, description: 'What it is.' }),
  }),
  resolve: async ({ key, partner }, { db }, { actor }) => {
    const named = text(key, 'input.key', 100)
    const body = partnerPart.read(partner, 'input.partner')
    await publish(db, [{ kind: partnerPart.kind, key: named, body }], { actor })
    return { key: named }
  },
  payload: (t) => ({
    partner: t.field({
      type: Partner,
      nullable: true,
      description: 'The partner in force.',
      resolve: async ({ key }, _args, { db }) =>
        (await readPartners(db)).find((partner) => partner.key === key) ?? null,
    }),
  }),
})

const movementOf = <Payload extends { readonly movement: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.prismaField({
    type: PartnerMovement,
    nullable: true,
    description: 'What was booked, as it is now.',
    resolve: (query, { movement }, _args, { db }) =>
      read(db).partnerMovement.findFirst({ ...query, where: { id: movement } }),
  })

mutation('earnAtPartner', {
  description: 'Earns for something bought at a partner. Needs: `partners:write`. Emits: `points.posted`.',
  scopes: { writes: 'partners:write' },
  errors: [IdempotencyKeyReusedError, DuplicateReferenceError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Who bought.' }),
    partner: t.string({ required: true, description: PARTNER }),
    reference: t.string({ required: true, description: REFERENCE }),
    at: t.field({ type: 'DateTime', description: 'When; now when left out.' }),
    currency: t.field({ type: 'CurrencyCode', required: true, description: 'The currency of the total.' }),
    total: t.field({ type: 'Minor', required: true, description: 'What was paid, in minor units.' }),
  }),
  resolve: async ({ member, reference, ...bought }, { db }, operation) =>
    earnAtPartner(
      db,
      {
        ...bought,
        member: memberRef(member, 'input.member'),
        reference: text(reference, 'input.reference', 200),
      },
      operation,
    ),
  payload: (t) => ({ movement: movementOf(t), member: memberOf(t), transaction: transactionOf(t) }),
})

mutation('burnAtPartner', {
  description: 'Spends points at a partner. Needs: `partners:write`. Emits: `points.posted`.',
  scopes: { writes: 'partners:write' },
  errors: [IdempotencyKeyReusedError, DuplicateReferenceError, MembershipEndedError, InsufficientPointsError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Whose points.' }),
    partner: t.string({ required: true, description: PARTNER }),
    reference: t.string({ required: true, description: REFERENCE }),
    points: t.field({ type: 'Points', required: true, description: 'How many; more than zero.' }),
  }),
  resolve: async ({ member, partner, reference, points }, { db }, operation) =>
    burnAtPartner(
      db,
      {
        member: memberRef(member, 'input.member'),
        partner,
        reference: text(reference, 'input.reference', 200),
        points: positive(points, 'input.points'),
      },
      operation,
    ),
  payload: (t) => ({ movement: movementOf(t), member: memberOf(t), transaction: transactionOf(t) }),
})

mutation('giveBackAtPartner', {
  description:
    'Gives back what was bought or spent at a partner: points follow in proportion. Needs: `partners:write`. Emits: `points.posted`.',
  scopes: { writes: 'partners:write' },
  errors: [IdempotencyKeyReusedError, RefundExceedsPurchaseError],
  input: (t) => ({
    partner: t.string({ required: true, description: PARTNER }),
    reference: t.string({ required: true, description: 'The number it was booked under.' }),
    amount: t.field({
      type: 'Minor',
      description: 'Minor units of what was bought, or points of what was spent; the rest when left out.',
    }),
    reason: t.string({ required: true, description: 'Why, in words for the member; 1 to 200 characters.' }),
  }),
  resolve: async ({ partner, reference, amount, reason }, { db }, operation) =>
    giveBackAtPartner(
      db,
      {
        partner,
        reference,
        amount: amount == null ? null : positive(amount, 'input.amount'),
        reason: text(reason, 'input.reason', 200),
      },
      operation,
    ),
  payload: (t) => ({ movement: movementOf(t), member: memberOf(t), transaction: transactionOf(t) }),
})
