import { builder, type Types } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { mutation } from '../../graph/mutation.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import {
  ConfirmationExpiredError,
  IdempotencyKeyReusedError,
  MembershipEndedError,
  NotFoundError,
} from '../../platform/errors/index.ts'
import { channelsPort } from '../channels/index.ts'
import { Member, MemberByInput, memberOf, onlyOf, subjectOf } from '../members/index.ts'
import { consentChanged } from './events.ts'
import { linksPort } from './links.ts'
import { answer, giveConsent, withdrawConsent } from './service.ts'
import { OWN_OR_WRITES } from './subject.graphql.ts'

const ConsentState = builder.enumType('ConsentState', {
  description: 'How a consent stands.',
  values: {
    PENDING: { description: 'The member was asked to confirm it and has not yet; nothing is sent.' },
    LIVE: { description: 'The member agrees.' },
    WITHDRAWN: { description: 'The member does not agree, or no longer; nothing is sent.' },
  },
})

const ConsentChangeKind = builder.enumType('ConsentChangeKind', {
  description: 'What was said about a consent.',
  values: {
    REQUESTED: { description: 'The member agreed and was asked to confirm it.' },
    GIVEN: { description: 'The member agreed.' },
    CONFIRMED: { description: 'The member confirmed it.' },
    WITHDRAWN: { description: 'The member withdrew it.' },
  },
})

const ConsentChange = builder.prismaNode('ConsentEvent', {
  variant: 'ConsentChange',
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { reads: 'consents:read' },
  select: { id: true },
  fields: (t) => ({
    what: t.field({
      type: ConsentChangeKind,
      description: 'What was said.',
      select: { what: true },
      resolve: ({ what }) => what as typeof ConsentChangeKind.$inferType, // a check constraint holds it
    }),
    textVersion: t.exposeString('textVersion', { nullable: true }),
    source: t.exposeString('source'),
    at: t.expose('at', { type: 'DateTime' }),
    proof: t.expose('proof', { type: 'JSON' }),
    actor: t.exposeString('actor'),
  }),
})

const ConsentChangeConnection = connectionOf(ConsentChange, 'ConsentChange')

/** How a purpose stands on a channel for a member. */
const Consent = builder.prismaNode('Consent', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { reads: 'consents:read' },
  select: { id: true },
  fields: (t) => ({
    member: t.relation('member', { description: 'Whose it is.' }),
    purpose: t.exposeString('purpose'),
    channel: t.exposeString('channel'),
    state: t.field({
      type: ConsentState,
      description: 'How it stands.',
      select: { state: true },
      resolve: ({ state }) => state as typeof ConsentState.$inferType, // likewise
    }),
    since: t.expose('since', { type: 'DateTime' }),
    textVersion: t.exposeString('textVersion', { nullable: true }),
    source: t.exposeString('source'),
    history: t.relatedConnection(
      'events',
      {
        type: ConsentChange,
        description: 'Everything that was ever said about it, the newest first.',
        nullable: true,
        cursor: 'tenantId_id',
        query: { orderBy: { id: 'desc' } },
      },
      ConsentChangeConnection,
    ),
  }),
})

const ConsentConnection = connectionOf(Consent, 'Consent')

builder.prismaObjectFields(Member, (t) => ({
  consents: t.relatedConnection(
    'consents',
    {
      type: Consent,
      description:
        'What the member agreed to and what not, as of now. For the member itself and who may read consents.',
      nullable: true,
      authScopes: { reads: 'consents:read' },
      cursor: 'tenantId_id',
      query: (_args, context) => ({
        where: { AND: ownOnly(context, (memberId) => ({ memberId })) },
        orderBy: { id: 'desc' },
      }),
    },
    ConsentConnection,
  ),
}))

const consentOf = <Payload extends { readonly consent: string | null }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.prismaField({
    type: Consent,
    nullable: true,
    description: 'The consent, as it is now.',
    resolve: (query, { consent }, _args, { db }) =>
      consent === null ? null : read(db).consent.findFirst({ ...query, where: { id: consent } }),
  })

const ABOUT = {
  member: "Whose; a member's own when left out.",
  purpose: 'What messages are for, such as newsletter.',
  channel: 'The id of the channel.',
  source: 'Where it comes from, such as the form or the shop; 1 to 200 characters.',
  at: 'When it was said; now when left out.',
  proof: 'What proves it, as a JSON object of at most 8,192 bytes.',
}

mutation('giveConsent', {
  description:
    "Writes down that a member agrees to messages of a purpose on a channel, and what proves it. Where the purpose wants it twice, the member is asked to confirm by a message. Older than a withdrawal it changes nothing. Needs: a member's token, for its own, or `consents:write`. Emits: `consent.changed`, `touchpoint.planned`.",
  scopes: OWN_OR_WRITES,
  errors: [IdempotencyKeyReusedError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: ABOUT.member }),
    purpose: t.string({ required: true, description: ABOUT.purpose }),
    channel: t.string({ required: true, description: ABOUT.channel }),
    textVersion: t.string({ required: true, description: 'The version of the text that the member read.' }),
    source: t.string({ required: true, description: ABOUT.source }),
    at: t.field({ type: 'DateTime', description: ABOUT.at }),
    proof: t.field({ type: 'JSON', description: ABOUT.proof }),
  }),
  resolve: ({ member, ...given }, context, op) =>
    giveConsent(context.db, subjectOf(member, context), { given, channels: context.use(channelsPort), op }),
  payload: (t) => ({ consent: consentOf(t), member: memberOf(t) }),
})

mutation('withdrawConsent', {
  description:
    "Withdraws a member's consent to messages of a purpose on a channel, at once, also of an ended membership. Needs: a member's token, for its own, or `consents:write`. Emits: `consent.changed`.",
  scopes: OWN_OR_WRITES,
  errors: [IdempotencyKeyReusedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: ABOUT.member }),
    purpose: t.string({ required: true, description: ABOUT.purpose }),
    channel: t.string({ required: true, description: ABOUT.channel }),
    source: t.string({ required: true, description: ABOUT.source }),
    at: t.field({ type: 'DateTime', description: ABOUT.at }),
    proof: t.field({ type: 'JSON', description: ABOUT.proof }),
  }),
  resolve: ({ member, ...given }, context, op) =>
    withdrawConsent(context.db, subjectOf(member, context), {
      given,
      channels: context.use(channelsPort),
      op,
    }),
  payload: (t) => ({ consent: consentOf(t), member: memberOf(t) }),
})

mutation('confirmConsent', {
  description:
    "Confirms a consent by the token of the message that asked. Needs: a member's token, for its own, or `consents:write`. Emits: `consent.changed`, `address.changed`.",
  scopes: OWN_OR_WRITES,
  errors: [ConfirmationExpiredError],
  key: 'none',
  input: (t) => ({
    token: t.string({ required: true, description: 'The last part of the link in the message.' }),
  }),
  resolve: async ({ token }, context, op) => {
    const question = context.use(linksPort).questionOf(token)
    if (question?.tenant !== context.db.tenantId) throw new NotFoundError('confirmation')
    return answer(context.db, question.confirmation, { member: onlyOf(context), actor: op.actor })
  },
  payload: (t) => ({ consent: consentOf(t), member: memberOf(t) }),
})

eventType(consentChanged, (t) => ({
  purpose: t.string({ description: ABOUT.purpose, resolve: (event) => factOf(event, 'purpose') }),
  channel: t.string({ description: ABOUT.channel, resolve: (event) => factOf(event, 'channel') }),
  state: t.field({
    type: ConsentState,
    description: 'How it stood then.',
    resolve: (event) => factOf(event, 'state') as typeof ConsentState.$inferType, // as consent_book writes it
  }),
}))
