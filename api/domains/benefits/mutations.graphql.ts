import { builder, type Types } from '../../graph/builder.ts'
import { eventType } from '../../graph/events.ts'
import { idOf } from '../../graph/ids.ts'
import { positive, text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { TextsInput } from '../../graph/texts.ts'
import {
  BenefitSettledError,
  IdempotencyKeyReusedError,
  MembershipEndedError,
  NotEntitledError,
  QuotaExceededError,
} from '../../platform/errors/index.ts'
import type { LoggedEvent } from '../../platform/events.ts'
import { AudienceInput } from '../audiences/index.ts'
import { MemberByInput, memberOf, memberRef } from '../members/index.ts'
import { readBody } from '../program/index.ts'
import { Benefit as BenefitSchema } from './benefit.ts'
import { BenefitInput } from './benefit-input.graphql.ts'
import { Entitlement, EntitlementKind, entitlementOf, QuotaPeriod } from './entitlement.graphql.ts'
import { readInForce } from './entitlements.store.ts'
import { benefitGiven, benefitTakenBack, benefitUsed } from './events.ts'
import { Benefit } from './graphql.ts'
import { entitlementPart } from './parts.ts'
import {
  checkKey,
  defineEntitlement,
  giveBenefit,
  returnEntitlement,
  takeBackBenefit,
  useBenefit,
  useEntitlement,
} from './service.ts'

/** A member used an entitlement. */
const EntitlementUse = builder.prismaNode('EntitlementUse', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { reads: 'benefits:read' },
  select: { id: true },
  fields: (t) => ({
    member: t.relation('member', { description: 'Who used it.' }),
    entitlement: t.field({
      type: Entitlement,
      nullable: true,
      description: 'What was used, as it was then.',
      select: { entitlementKey: true, version: true },
      resolve: ({ entitlementKey, version }, _args, context) =>
        entitlementOf(context, `${version} ${entitlementKey}`),
    }),
    times: t.int({
      description: 'How many times at once.',
      select: { times: true },
      resolve: ({ times }) => Number(times),
    }),
    at: t.expose('at', { type: 'DateTime' }),
    returnedAt: t.expose('returnedAt', { type: 'DateTime', nullable: true }),
    returnedReason: t.exposeString('returnedReason', {
      nullable: true,
      description: 'Why it was given back.',
    }),
  }),
})

const QuotaInput = builder.inputType('QuotaInput', {
  description: 'How often something may be used.',
  fields: (t) => ({
    times: t.int({ required: true, description: 'How often; 1 to 1,000,000.' }),
    per: t.field({ type: QuotaPeriod, required: true, description: 'When it begins anew.' }),
  }),
})

const EntitlementInput = builder.inputType('EntitlementInput', {
  description: 'Something that members may use.',
  fields: (t) => ({
    name: t.field({
      type: TextsInput,
      required: true,
      description: 'What members call it, in both languages.',
    }),
    kind: t.field({ type: EntitlementKind, required: true, description: 'What it opens.' }),
    audience: t.field({
      type: AudienceInput,
      description: 'Who has it without a grant; nobody when left out.',
    }),
    quota: t.field({ type: QuotaInput, description: 'How often; without limit when left out.' }),
    validFor: t.field({
      type: 'Duration',
      description: 'How long a grant of it lives; until it is taken back when left out.',
    }),
    tiers: t.stringList({ description: 'The keys of the tiers that list it. At most 50.' }),
  }),
})

mutation('defineEntitlement', {
  description:
    'Puts an entitlement in force, or a new version of it; an equal one changes nothing. What was given keeps its version. Needs: `program:write`. Emits: `program.published`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({ required: true, description: 'Its name for tools and programs.' }),
    entitlement: t.field({ type: EntitlementInput, required: true, description: 'What it is.' }),
  }),
  resolve: async ({ key, entitlement }, { db }, { actor }) => {
    const named = checkKey(key, 'input.key')
    const body = entitlementPart.read(entitlement, 'input.entitlement')
    await defineEntitlement(db, { key: named, entitlement: body }, actor)
    return { key: named }
  },
  payload: (t) => ({
    entitlement: t.field({
      type: Entitlement,
      nullable: true,
      description: 'The entitlement in force.',
      resolve: ({ key }, _args, { db }) => readInForce(db, key),
    }),
  }),
})

type Payload<Shape extends object> = PothosSchemaTypes.ObjectFieldBuilder<Types, Shape>

const useOf = <Shape extends { readonly use: string }>(t: Payload<Shape>) =>
  t.prismaField({
    type: EntitlementUse,
    nullable: true,
    description: 'The use, as it is now.',
    resolve: (query, { use }, _args, { db }) =>
      read(db).entitlementUse.findFirst({ ...query, where: { id: use } }),
  })

const benefitOf = <Shape extends { readonly benefit: string }>(t: Payload<Shape>) =>
  t.prismaField({
    type: Benefit,
    nullable: true,
    description: 'The benefit, as it is now.',
    resolve: (query, { benefit }, _args, { db }) =>
      read(db).benefitGrant.findFirst({ ...query, where: { id: benefit } }),
  })

const REASON = 'Why, in words for the member; 1 to 200 characters.'

mutation('useEntitlement', {
  description:
    'Uses an entitlement of a member: all that is asked for, or nothing; what ends soonest goes first. Needs: `benefits:write`. Emits: `benefit.used`.',
  scopes: { writes: 'benefits:write' },
  errors: [IdempotencyKeyReusedError, MembershipEndedError, NotEntitledError, QuotaExceededError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Who uses it.' }),
    key: t.string({ required: true, description: 'The key of the entitlement.' }),
    times: t.int({ defaultValue: 1, description: 'How many times at once; 1 to 1,000,000.' }),
  }),
  resolve: async ({ member, key, times }, { db }, op) =>
    useEntitlement(
      db,
      {
        member: memberRef(member, 'input.member'),
        key: checkKey(key, 'input.key'),
        times: positive(times ?? 1, 'input.times'),
      },
      op,
    ),
  payload: (t) => ({
    use: useOf(t),
    left: t.int({
      nullable: true,
      description: 'How often it could be used right after this; null: without limit.',
      resolve: ({ remaining }) => (remaining === null ? null : Number(remaining)),
    }),
    member: memberOf(t),
  }),
})

mutation('returnEntitlement', {
  description:
    'Gives a use of an entitlement back, once: it can be used again in its period. Needs: `benefits:write`. Emits: nothing.',
  scopes: { writes: 'benefits:write' },
  errors: [IdempotencyKeyReusedError, BenefitSettledError],
  input: (t) => ({
    use: t.id({ required: true, description: 'The use.' }),
    reason: t.string({ required: true, description: REASON }),
  }),
  resolve: async ({ use, reason }, { db }, op) =>
    returnEntitlement(
      db,
      { use: idOf('EntitlementUse', use, 'input.use'), reason: text(reason, 'input.reason', 200) },
      op,
    ),
  payload: (t) => ({ use: useOf(t), member: memberOf(t) }),
})

mutation('giveBenefit', {
  description:
    'Gives a member an entitlement, or something off a purchase; points are given by grantPoints. Needs: `benefits:write`. Emits: `benefit.given`.',
  scopes: { writes: 'benefits:write' },
  errors: [IdempotencyKeyReusedError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Who gets it.' }),
    benefit: t.field({ type: BenefitInput, required: true, description: 'What it is.' }),
    reason: t.string({ required: true, description: REASON }),
  }),
  resolve: async ({ member, benefit, reason }, { db }, op) =>
    giveBenefit(
      db,
      {
        member: memberRef(member, 'input.member'),
        benefit: readBody(BenefitSchema, benefit, 'input.benefit'),
        reason: text(reason, 'input.reason', 200),
      },
      op,
    ),
  payload: (t) => ({ benefit: benefitOf(t), member: memberOf(t) }),
})

mutation('takeBackBenefit', {
  description:
    'Takes back what was given by hand; what was used of it stays used. Needs: `benefits:write`. Emits: `benefit.taken_back`.',
  scopes: { writes: 'benefits:write' },
  errors: [IdempotencyKeyReusedError, BenefitSettledError],
  input: (t) => ({
    benefit: t.id({ required: true, description: 'The benefit.' }),
    reason: t.string({ required: true, description: REASON }),
  }),
  resolve: async ({ benefit, reason }, { db }, op) =>
    takeBackBenefit(
      db,
      { benefit: idOf('Benefit', benefit, 'input.benefit'), reason: text(reason, 'input.reason', 200) },
      op,
    ),
  payload: (t) => ({ benefit: benefitOf(t), member: memberOf(t) }),
})

mutation('useBenefit', {
  description:
    'Writes down that the shop took an amount or a share off an order for a benefit, once. Needs: `benefits:write`. Emits: `benefit.used`.',
  scopes: { writes: 'benefits:write' },
  errors: [IdempotencyKeyReusedError, MembershipEndedError, BenefitSettledError],
  input: (t) => ({
    benefit: t.id({ required: true, description: 'The benefit.' }),
    amount: t.field({ type: 'Minor', required: true, description: 'What was taken off, in minor units.' }),
    currency: t.field({ type: 'CurrencyCode', required: true, description: 'The currency of the amount.' }),
    order: t.string({ description: "The shop's own id of the order; 1 to 200 characters." }),
  }),
  resolve: async ({ benefit, amount, currency, order }, { db }, op) =>
    useBenefit(
      db,
      {
        benefit: idOf('Benefit', benefit, 'input.benefit'),
        amount: positive(amount, 'input.amount'),
        currency,
        orderId: order == null ? null : text(order, 'input.order', 200),
      },
      op,
    ),
  payload: (t) => ({ benefit: benefitOf(t), member: memberOf(t) }),
})

/** What an event is about, when it is about that. */
const mentioned = ({ payload }: LoggedEvent, name: string) =>
  typeof payload[name] === 'string' ? payload[name] : null

const eventBenefit = (t: Payload<LoggedEvent>) =>
  t.prismaField({
    type: Benefit,
    nullable: true,
    description: 'The benefit, as it is now.',
    resolve: (query, event, _args, { db }) => {
      const id = mentioned(event, 'benefit')
      return id === null ? null : read(db).benefitGrant.findFirst({ ...query, where: { id } })
    },
  })

eventType(benefitGiven, (t) => ({ benefit: eventBenefit(t) }))
eventType(benefitTakenBack, (t) => ({ benefit: eventBenefit(t) }))
eventType(benefitUsed, (t) => ({
  benefit: eventBenefit(t),
  use: t.prismaField({
    type: EntitlementUse,
    nullable: true,
    description: 'The use of an entitlement, as it is now; null when it is about something else.',
    resolve: (query, event, _args, { db }) => {
      const id = mentioned(event, 'use')
      return id === null ? null : read(db).entitlementUse.findFirst({ ...query, where: { id } })
    },
  }),
}))
