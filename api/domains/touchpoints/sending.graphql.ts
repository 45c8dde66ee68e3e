import { builder, type Types } from '../../graph/builder.ts'
import { idOf } from '../../graph/ids.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { IdempotencyKeyReusedError, MembershipEndedError } from '../../platform/errors/index.ts'
import type { StoredRule } from '../audiences/index.ts'
import { memberRef } from '../members/index.ts'
import { Touchpoint } from './graphql.ts'
import { audienceOf, messageOf, RecipientInput, saidFields, sentFields } from './sending.input.graphql.ts'
import {
  broadcast,
  cancelTouchpoint,
  cancelWholeBroadcast,
  isUniform,
  sendTest,
  sendToMember,
} from './sending.ts'

const BroadcastState = builder.enumType('BroadcastState', {
  description: 'How far a broadcast has come.',
  values: {
    PLANNED: { description: 'It waits for its time.' },
    SENDING: { description: 'Its touches are being planned.' },
    SENT: { description: 'Everybody whom it is for has a touch.' },
    CANCELLED: {
      description: 'It was called off; what is planned and not being sent is called off as well.',
    },
  },
})

/** One message to everybody who matches a rule at the moment of sending. */
export const Broadcast = builder.prismaNode('Broadcast', {
  description: 'One message to everybody who matches a rule at the moment of sending.',
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({ tenantId_id: { tenantId: context.db.tenantId, id } }),
  authScopes: { lists: 'touchpoints:read' },
  select: { id: true },
  fields: (t) => ({
    audience: t.field({
      type: 'JSON',
      description: 'Whom it is for, in the words of AudienceInput.',
      select: { audience: true },
      resolve: ({ audience }) => (audience as unknown as StoredRule).rule, // as broadcast_plan was given it
    }),
    channels: t.stringList({
      nullable: true,
      description: 'The ids of the channels, in their order; null for what suits each member. At most 10.',
      select: { channels: true },
      resolve: ({ channels }) => channels,
    }),
    purpose: t.exposeString('purpose'),
    state: t.field({
      type: BroadcastState,
      description: 'How far it has come.',
      select: { state: true },
      resolve: ({ state }) => state as typeof BroadcastState.$inferType, // a check constraint holds it
    }),
    planned: t.exposeInt('planned'),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    dueAt: t.expose('dueAt', { type: 'DateTime', nullable: true }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true }),
  }),
})

const BroadcastConnection = connectionOf(Broadcast, 'Broadcast')

builder.queryField('broadcasts', (t) =>
  t.prismaConnection(
    {
      type: Broadcast,
      nullable: true,
      description: 'The broadcasts of the tenant, newest first.',
      authScopes: { lists: 'touchpoints:read' },
      cursor: 'tenantId_id',
      resolve: (query, _root, _args, { db }) =>
        read(db).broadcast.findMany({ ...query, orderBy: { id: 'desc' } }),
    },
    BroadcastConnection,
  ),
)

const SendWarning = builder.enumType('SendWarning', {
  description: 'What speaks against sending something.',
  values: {
    UNIFORM_AUDIENCE: {
      description:
        'It says the same to everybody, whatever their stage; such messages get thrown away unread. Nothing was planned: narrow the audience, or set isUniformOk.',
    },
  },
})

const touchpointField = <Payload extends { readonly touchpoint: string | null }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
  description: string,
) =>
  t.prismaField({
    type: Touchpoint,
    nullable: true,
    description,
    resolve: (query, { touchpoint }, _args, { db }) =>
      touchpoint === null ? null : read(db).touchpoint.findFirst({ ...query, where: { id: touchpoint } }),
  })

const broadcastField = <Payload extends { readonly broadcast: string | null }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
  description: string,
) =>
  t.prismaField({
    type: Broadcast,
    nullable: true,
    description,
    resolve: (query, { broadcast: id }, _args, { db }) =>
      id === null ? null : read(db).broadcast.findFirst({ ...query, where: { id } }),
  })

interface Sent {
  readonly touchpoint: string | null
  readonly broadcast: string | null
  readonly warnings: 'UNIFORM_AUDIENCE'[]
}

mutation('sendTouchpoint', {
  description:
    "Plans a message to a member, or a broadcast to everybody who matches a rule when it is sent. Consent, the contact policy and the member's wishes are asked again at the moment of sending. Needs: `touchpoints:write`. Emits: `touchpoint.planned`.",
  scopes: { writes: 'touchpoints:write' },
  errors: [IdempotencyKeyReusedError, MembershipEndedError],
  input: (t) => ({
    to: t.field({ type: RecipientInput, required: true, description: 'To whom.' }),
    ...saidFields(t),
    ...sentFields(t),
    isUniformOk: t.boolean({
      defaultValue: false,
      required: true,
      description: 'Whether an audience that no stage, segment or other target narrows is meant.',
    }),
  }),
  resolve: async ({ to, isUniformOk, ...given }, context, operation): Promise<Sent> => {
    const message = await messageOf(given, context)
    if (to.member) {
      const by = memberRef(to.member, 'input.to.member')
      return {
        touchpoint: await sendToMember(context.db, by, message, operation),
        broadcast: null,
        warnings: [],
      }
    }
    const rule = audienceOf(to.audience ?? {}, 'input.to.audience', context)
    if (isUniform(rule) && !isUniformOk)
      return { touchpoint: null, broadcast: null, warnings: ['UNIFORM_AUDIENCE'] }
    return {
      touchpoint: null,
      broadcast: await broadcast(context.db, rule, message, operation),
      warnings: [],
    }
  },
  payload: (t) => ({
    touchpoint: touchpointField(t, 'The touch that was planned for the member.'),
    broadcast: broadcastField(t, 'The broadcast that was planned; its touches come when it is due.'),
    warnings: t.field({
      type: [SendWarning],
      description: 'What speaks against it. At most 5.',
      resolve: ({ warnings }) => warnings,
    }),
  }),
})

mutation('sendTest', {
  description:
    "Sends a message at once to oneself: the member whose externalId is the staff token's own sub, and nobody else. It needs no consent and keeps no quiet hours. Needs: `touchpoints:write`. Emits: `touchpoint.planned`.",
  scopes: { staff: 'touchpoints:write' },
  errors: [IdempotencyKeyReusedError, MembershipEndedError],
  input: saidFields,
  resolve: async (given, context, operation) => ({
    touchpoint: await sendTest(
      context.db,
      context.viewer?.sub ?? '',
      await messageOf({ ...given, purpose: 'test' }, context),
      operation,
    ),
  }),
  payload: (t) => ({ touchpoint: touchpointField(t, 'The touch that was planned.') }),
})

mutation('cancelTouchpoint', {
  description:
    'Calls a touch off, or a broadcast with all its touches. What is being sent goes on. Needs: `touchpoints:write`. Emits: `touchpoint.settled`.',
  scopes: { writes: 'touchpoints:write' },
  errors: [],
  key: 'none',
  isOneOf: true,
  input: (t) => ({
    touchpoint: t.id({ description: 'The touch.' }),
    broadcast: t.id({ description: 'The broadcast.' }),
  }),
  resolve: async ({ touchpoint, broadcast: whole }, { db }) => {
    if (touchpoint != null) {
      const id = idOf('Touchpoint', touchpoint, 'input.touchpoint')
      return { touchpoint: id, broadcast: null, isCancelled: await cancelTouchpoint(db, id) }
    }
    const id = idOf('Broadcast', whole ?? '', 'input.broadcast')
    return { touchpoint: null, broadcast: id, isCancelled: await cancelWholeBroadcast(db, id) }
  },
  payload: (t) => ({
    touchpoint: touchpointField(t, 'The touch, as it is now.'),
    broadcast: broadcastField(t, 'The broadcast, as it is now.'),
    isCancelled: t.exposeBoolean('isCancelled', {
      description: 'Whether it is called off; false when it had come to an end, or is being sent.',
    }),
  }),
})
