import { builder, type Types } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { idOf } from '../../graph/ids.ts'
import { mutation } from '../../graph/mutation.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { BadInputError, raise } from '../../platform/errors/index.ts'
import { type Channels, channelsPort } from '../channels/index.ts'
import { MemberByInput, memberRef } from '../members/index.ts'
import { addressSuppressed } from './events.ts'
import { channelOf, checkText, readAddress, suppress, type Target } from './service.ts'
import { liftCall } from './store.ts'

/** `SuppressionReason` of the API. */
export const SuppressionReason = builder.enumType('SuppressionReason', {
  description: 'Why nothing is sent to an address any more.',
  values: {
    BOUNCED: { description: 'Messages came back for good.' },
    COMPLAINED: { description: 'The member complained to the provider.' },
    GONE: { description: 'The address does not exist any more.' },
    BLOCKED: { description: 'The member blocked the sender.' },
    UNSUBSCRIBED: { description: 'The member wants nothing of this channel.' },
    MANUAL: { description: 'Staff decided so.' },
    PROVIDER: { description: 'The provider refuses the address.' },
  },
})

const Suppression = builder.prismaNode('Suppression', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ memberId })),
  }),
  authScopes: { reads: 'consents:read' },
  select: { id: true },
  fields: (t) => ({
    member: t.relation('member', {
      nullable: true,
      description: 'Whose address it was, or who is left alone on the channel; null when nobody is known.',
    }),
    kind: t.exposeString('kind'),
    channel: t.exposeString('channel', { nullable: true }),
    reason: t.field({
      type: SuppressionReason,
      description: 'Why.',
      select: { reason: true },
      resolve: ({ reason }) => reason as typeof SuppressionReason.$inferType, // a check constraint holds it
    }),
    since: t.expose('since', { type: 'DateTime' }),
    endsAt: t.expose('until', { type: 'DateTime', nullable: true }),
    liftedAt: t.expose('liftedAt', { type: 'DateTime', nullable: true }),
    liftedBy: t.exposeString('liftedBy', { nullable: true }),
    liftReason: t.exposeString('liftReason', { nullable: true }),
  }),
})

const SuppressionConnection = connectionOf(Suppression, 'Suppression')

builder.queryField('suppressions', (t) =>
  t.prismaConnection(
    {
      type: Suppression,
      nullable: true,
      description: 'Where nothing is sent to any more, the newest first; those that were lifted as well.',
      authScopes: { staff: 'consents:read' },
      cursor: 'tenantId_id',
      args: {
        kind: t.arg.string({ description: 'Only addresses of this kind, such as email.' }),
        reason: t.arg({ type: SuppressionReason, description: 'Only for this reason.' }),
        isLifted: t.arg.boolean({ description: 'Only those that were lifted, or that were not.' }),
      },
      resolve: (query, _root, { kind, reason, isLifted }, { db }) =>
        read(db).suppression.findMany({
          ...query,
          where: {
            ...(kind != null && { kind }),
            ...(reason != null && { reason }),
            ...(isLifted != null && { liftedAt: isLifted ? { not: null } : null }),
          },
          orderBy: { id: 'desc' },
        }),
    },
    SuppressionConnection,
  ),
)

const ChannelAddress = builder.inputType('ChannelAddressInput', {
  description: 'An address that may be known of nobody.',
  fields: (t) => ({
    channel: t.string({ required: true, description: 'The id of a channel that uses such addresses.' }),
    value: t.field({ type: 'JSON', required: true, description: 'The address, as the channel wants it.' }),
  }),
})

const MemberChannel = builder.inputType('MemberChannelInput', {
  description: 'A member on one channel, whatever the address.',
  fields: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Which member.' }),
    channel: t.string({ required: true, description: 'The id of the channel.' }),
  }),
})

const SuppressionTarget = builder.inputType('SuppressionTargetInput', {
  description: 'What nothing is sent to any more.',
  isOneOf: true,
  fields: (t) => ({
    address: t.id({ description: 'An address of a member.' }),
    value: t.field({ type: ChannelAddress, description: 'An address by itself.' }),
    member: t.field({ type: MemberChannel, description: 'A member on one channel.' }),
  }),
})

mutation('suppressAddress', {
  description:
    'Sends nothing any more to an address, or to a member on one channel, security notices included. Needs: `consents:write`. Emits: `address.suppressed`.',
  scopes: { writes: 'consents:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    target: t.field({ type: SuppressionTarget, required: true, description: 'What to suppress.' }),
    reason: t.string({ required: true, description: 'Why, in your words.' }),
    endsAt: t.field({ type: 'DateTime', description: 'When it ends by itself; never when left out.' }),
  }),
  resolve: async ({ target, reason, endsAt }, { db, use }, { actor }) =>
    suppress(db, await targetOf(target, use(channelsPort)), { reason, endsAt: endsAt ?? null, actor }),
  payload: (t) => ({ suppression: suppressionOf(t) }),
})

mutation('liftSuppression', {
  description:
    'Lets messages go out again; other suppressions of the same address still hold. Needs: `consents:write`. Emits: nothing.',
  scopes: { writes: 'consents:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    suppression: t.id({ required: true, description: 'Which suppression.' }),
    reason: t.string({ required: true, description: 'Why; kept with it.' }),
  }),
  resolve: async ({ suppression, reason }, { db }, { actor }) => {
    checkText(reason, 'input.reason')
    const id = idOf('Suppression', suppression, 'input.suppression')
    return raise(await liftCall(db, id, { reason, actor }))
  },
  payload: (t) => ({ suppression: suppressionOf(t) }),
})

async function targetOf(
  { address, value, member }: typeof SuppressionTarget.$inferInput,
  channels: Channels,
): Promise<Target> {
  if (address != null) return { address: idOf('Address', address, 'input.target.address') }
  if (value) {
    const channel = channelOf(channels, value.channel)
    const { identity } = await readAddress(channel, value.value, 'input.target.value.value')
    return { kind: channel.kind, identity }
  }
  const { id, kind, hasOwnAddress } = channelOf(channels, member?.channel ?? '')
  if (hasOwnAddress) {
    throw new BadInputError(
      'input.target.member.channel',
      `The channel ${id} is the member's own; nothing stops it.`,
    )
  }
  const by = memberRef(member?.member ?? {}, 'input.target.member.member')
  return { ...('id' in by ? { member: by.id } : { external_id: by.externalId }), channel: id, kind }
}

function suppressionOf(t: PothosSchemaTypes.ObjectFieldBuilder<Types, { readonly suppression: string }>) {
  return t.prismaField({
    type: Suppression,
    nullable: true,
    description: 'The suppression, as it is now.',
    resolve: (query, { suppression }, _args, { db }) =>
      read(db).suppression.findFirst({ ...query, where: { id: suppression } }),
  })
}

eventType(addressSuppressed, (t) => ({
  suppression: t.prismaField({
    type: Suppression,
    nullable: true,
    description: 'The suppression, as it is now.',
    resolve: (query, event, _args, { db }) =>
      read(db).suppression.findFirst({ ...query, where: { id: factOf(event, 'suppression') } }),
  }),
  channel: t.string({
    description: 'The channel that it came by, or the kind of the address.',
    resolve: (event) => factOf(event, 'channel'),
  }),
}))
