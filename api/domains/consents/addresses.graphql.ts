import { builder, type Types } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { idOf } from '../../graph/ids.ts'
import { loader } from '../../graph/load.ts'
import { mutation } from '../../graph/mutation.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import {
  ConfirmationExpiredError,
  IdempotencyKeyReusedError,
  MembershipEndedError,
  NotFoundError,
  raise,
} from '../../platform/errors/index.ts'
import { channelsPort } from '../channels/index.ts'
import { Member, MemberByInput, memberOf, onlyOf, subjectOf } from '../members/index.ts'
import { addressChanged } from './events.ts'
import { linksPort } from './links.ts'
import { addAddress, answer, askVerification, channelOf } from './service.ts'
import { removeAddressCall } from './store.ts'
import { OWN_OR_WRITES } from './subject.graphql.ts'
import { SuppressionReason } from './suppressions.graphql.ts'
import { type Reason, readSuppressed } from './suppressions.store.ts'

/** Where a channel finds a member. Seen by the member itself, and by whoever may read consents; nobody else. */
export const Address = builder.prismaNode('Address', {
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
    kind: t.exposeString('kind'),
    value: t.expose('value', { type: 'JSON' }),
    source: t.exposeString('source'),
    addedAt: t.expose('addedAt', { type: 'DateTime' }),
    verifiedAt: t.expose('verifiedAt', { type: 'DateTime', nullable: true }),
    removedAt: t.expose('removedAt', { type: 'DateTime', nullable: true }),
    suppressedBecause: t.field({
      type: SuppressionReason,
      nullable: true,
      description: 'Why nothing is sent to it; null when it may be used.',
      select: { id: true },
      resolve: ({ id }, _args, context) => suppressionOf(context, id),
    }),
  }),
})

const suppressionOf = loader<string, Reason | null>(async (ids, { db }) => {
  const found = await readSuppressed(db, ids)
  return ids.map((id) => found.get(id) ?? null)
})

const AddressConnection = connectionOf(Address, 'Address')

builder.prismaObjectFields(Member, (t) => ({
  addresses: t.relatedConnection(
    'addresses',
    {
      type: Address,
      description:
        'Where channels find the member, the newest first. For the member itself and who may read consents.',
      nullable: true,
      authScopes: { reads: 'consents:read' },
      cursor: 'tenantId_id',
      query: (_args, context) => ({
        // Wherever a member is met, its addresses are told to itself alone.
        where: { removedAt: null, AND: ownOnly(context, (memberId) => ({ memberId })) },
        orderBy: { id: 'desc' },
      }),
    },
    AddressConnection,
  ),
}))

const addressOf = <Payload extends { readonly address: string | null }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.prismaField({
    type: Address,
    nullable: true,
    description: 'The address, as it is now.',
    resolve: (query, { address }, _args, { db }) =>
      address === null ? null : read(db).address.findFirst({ ...query, where: { id: address } }),
  })

mutation('addAddress', {
  description:
    "Adds an address as its channel reads it; one that is there already comes back. Needs: a member's token, for its own, or `consents:write`. Emits: `address.changed`.",
  scopes: OWN_OR_WRITES,
  errors: [MembershipEndedError],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: "Whose; a member's own when left out." }),
    channel: t.string({ required: true, description: 'The id of a channel that uses such addresses.' }),
    value: t.field({ type: 'JSON', required: true, description: 'The address, as the channel wants it.' }),
  }),
  resolve: ({ member, channel, value }, context, op) =>
    addAddress(context.db, subjectOf(member, context), {
      channel: channelOf(context.use(channelsPort), channel),
      value,
      source: context.viewer?.kind === 'MEMBER' ? 'member' : op.actor,
    }),
  payload: (t) => ({
    address: addressOf(t),
    isNew: t.exposeBoolean('is_new', { description: 'Whether it was not there before.' }),
    member: memberOf(t),
  }),
})

mutation('removeAddress', {
  description:
    "Takes an address away; with the profile's, the e-mail of the profile. Needs: a member's token, for its own, or `consents:write`. Emits: `address.changed`, `member.updated`.",
  scopes: OWN_OR_WRITES,
  errors: [],
  key: 'none',
  input: (t) => ({ address: t.id({ required: true, description: 'Which address.' }) }),
  resolve: async ({ address }, context) =>
    raise(await removeAddressCall(context.db, idOf('Address', address, 'input.address'), onlyOf(context))),
  payload: (t) => ({ address: addressOf(t), member: memberOf(t) }),
})

mutation('requestAddressVerification', {
  description:
    "Asks by a message whether an address is the member's; not again within the hour, and not when it is verified. Needs: a member's token, for its own, or `consents:write`. Emits: `touchpoint.planned`.",
  scopes: OWN_OR_WRITES,
  errors: [IdempotencyKeyReusedError, MembershipEndedError],
  input: (t) => ({
    address: t.id({ required: true, description: 'Which address.' }),
    channel: t.string({
      description:
        'The channel to ask through; the one that is named as the kind of the address when left out.',
    }),
  }),
  resolve: ({ address, channel }, context, op) =>
    askVerification(
      context.db,
      {
        address: idOf('Address', address, 'input.address'),
        member: onlyOf(context),
        channel: channel ?? null,
      },
      { channels: context.use(channelsPort), op },
    ),
  payload: (t) => ({ address: addressOf(t), member: memberOf(t) }),
})

mutation('verifyAddress', {
  description:
    "Says that an address is the member's, by the token of the message that asked. Needs: a member's token, for its own, or `consents:write`. Emits: `address.changed`.",
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
  payload: (t) => ({ address: addressOf(t), member: memberOf(t) }),
})

eventType(addressChanged, (t) => ({
  address: t.prismaField({
    type: Address,
    nullable: true,
    description: 'The address, as it is now.',
    resolve: (query, event, _args, { db }) =>
      read(db).address.findFirst({ ...query, where: { id: factOf(event, 'address') } }),
  }),
  kind: t.string({
    description: 'Which channels use it, such as email.',
    resolve: (event) => factOf(event, 'kind'),
  }),
}))
