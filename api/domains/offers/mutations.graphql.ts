import type { Types } from '../../graph/builder.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import {
  BadInputError,
  IdempotencyKeyReusedError,
  MembershipEndedError,
  OfferRefusedError,
} from '../../platform/errors/index.ts'
import { MemberByInput, memberOf, memberRef, onlyOf, ownOrWrites, subjectOf } from '../members/index.ts'
import { publish } from '../program/index.ts'
import { offerPart } from './body.ts'
import { Offer } from './graphql.ts'
import { OfferInput } from './input.graphql.ts'
import { OfferReceipt } from './receipts.graphql.ts'
import { consumeReceipt, receiveOffer, viewReceipt } from './service.ts'

type PayloadFields<Payload extends object> = PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>

const receiptOf = <Payload extends { readonly receipt: string }>(t: PayloadFields<Payload>) =>
  t.prismaField({
    type: OfferReceipt,
    nullable: true,
    description: 'The receipt, as it is now.',
    resolve: (query, { receipt }, _args, { db }) =>
      read(db).offerReceipt.findFirst({ ...query, where: { id: receipt } }),
  })

const KEY = 'The key of the offer.'
const RECEIPT = 'Which of the offers that the member has.'

mutation('defineOffer', {
  description:
    'Puts an offer in force, or a new version of it; an equal one changes nothing. Needs: `program:write`. Emits: `program.published`, `offer.stock_changed`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({ required: true, description: 'Its name within the program; 1 to 100 characters.' }),
    offer: t.field({ type: OfferInput, required: true, description: 'What it is.' }),
  }),
  resolve: async ({ key, offer }, { db }, { actor }) => {
    const entry = {
      kind: 'offer',
      key: text(key, 'input.key', 100),
      body: offerPart.read(offer, 'input.offer'),
    }
    await publish(db, [entry], { actor })
    return { key: entry.key }
  },
  payload: (t) => ({
    offer: t.prismaField({
      type: Offer,
      nullable: true,
      description: 'The offer in force.',
      resolve: (query, { key }, _args, { db }) =>
        read(db).offer.findFirst({ ...query, where: { key, definition: { isLive: true } } }),
    }),
  }),
})

mutation('retireOffer', {
  description:
    'Takes an offer out of force: nobody is given it any more. What members have goes on. Needs: `program:write`. Emits: `program.published`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({ key: t.string({ required: true, description: KEY }) }),
  resolve: async ({ key }, { db }, { actor }) => {
    const { changed } = await publish(db, [{ kind: 'offer', key, body: null }], { actor })
    return { isRetired: changed.length > 0 }
  },
  payload: (t) => ({
    isRetired: t.exposeBoolean('isRetired', { description: 'Whether it was in force until now.' }),
  }),
})

mutation('receiveOffer', {
  description:
    'Gives an offer to a member. What the member bought since then counts already and may complete it at once. Needs: `offers:write`. Emits: `offer.issued`, `offer.completed`, `offer.stock_changed`, `benefit.given`.',
  scopes: { writes: 'offers:write' },
  errors: [IdempotencyKeyReusedError, MembershipEndedError, OfferRefusedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Who gets it.' }),
    offer: t.string({ required: true, description: KEY }),
    key: t.string({
      description:
        'What you call this receipt: a second one of the same key is the same. 1 to 200 characters.',
    }),
    at: t.field({ type: 'DateTime', description: 'When the member received it; now when left out.' }),
  }),
  resolve: ({ member, offer, key, at }, { db }, operation) =>
    receiveOffer(
      db,
      {
        member: memberRef(member, 'input.member'),
        offer,
        receipt: key == null ? null : receiptKey(key),
        at: at ?? null,
        way: 'RECEIVED',
      },
      operation,
    ),
  payload: (t) => ({ receipt: receiptOf(t), member: memberOf(t) }),
})

mutation('claimOffer', {
  description:
    "Takes an offer that members may take. Needs: a member's token, for its own, or `offers:write`. Emits: `offer.claimed`, `offer.stock_changed`.",
  scopes: ownOrWrites('offers:write'),
  errors: [IdempotencyKeyReusedError, MembershipEndedError, OfferRefusedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: "Whose; a member's own when left out." }),
    offer: t.string({ required: true, description: KEY }),
  }),
  resolve: ({ member, offer }, context, operation) =>
    receiveOffer(
      context.db,
      { member: subjectOf(member, context), offer, receipt: null, at: null, way: 'CLAIMED' },
      operation,
    ),
  payload: (t) => ({ receipt: receiptOf(t), member: memberOf(t) }),
})

mutation('viewOffer', {
  description:
    "Writes down that a member saw an offer; the first time counts. Needs: a member's token, for its own, or `offers:write`. Emits: `offer.viewed`.",
  scopes: ownOrWrites('offers:write'),
  errors: [],
  key: 'none',
  input: (t) => ({
    receipt: t.id({ required: true, description: RECEIPT }),
    at: t.field({ type: 'DateTime', description: 'When; now when left out.' }),
  }),
  resolve: ({ receipt, at }, context) =>
    viewReceipt(context.db, idOf('OfferReceipt', receipt, 'input.receipt'), {
      only: onlyOf(context),
      at: at ?? null,
    }),
  payload: (t) => ({ receipt: receiptOf(t), member: memberOf(t) }),
})

mutation('useOffer', {
  description:
    'Writes down that what a completed offer was worth has been used. Needs: `offers:write`. Emits: `offer.used`.',
  scopes: { writes: 'offers:write' },
  errors: [IdempotencyKeyReusedError, OfferRefusedError],
  input: (t) => ({ receipt: t.id({ required: true, description: RECEIPT }) }),
  resolve: ({ receipt }, { db }, operation) =>
    consumeReceipt(db, idOf('OfferReceipt', receipt, 'input.receipt'), { only: null, operation }),
  payload: (t) => ({ receipt: receiptOf(t), member: memberOf(t) }),
})

function receiptKey(given: string): string {
  const key = text(given, 'input.key', 200)
  if (key.startsWith('engawa:'))
    throw new BadInputError(
      'input.key',
      'input.key must not begin with "engawa:", which is kept for our own keys.',
    )
  return key
}
