import { builder, type Types } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { idOf } from '../../graph/ids.ts'
import { mutation } from '../../graph/mutation.ts'
import { byId, byTime, connection, connectionOf, ownedBy, pageOf } from '../../graph/relay.ts'
import { AccessDeniedError, IdempotencyKeyReusedError } from '../../platform/errors/index.ts'
import { MemberByInput, memberOf, ownOrWrites, subjectOf } from '../members/index.ts'
import { messageSent } from './events.ts'
import {
  type ConversationRow,
  type MessageRow,
  readConversations,
  readMessage,
  readMessages,
} from './messages.store.ts'
import { markConversationRead, sendMessage } from './messages.ts'
import { eyesOf, ownOrReads, PersonType, type Seen, seenBy, seenPerson } from './people.graphql.ts'

const Message = builder.objectRef<Seen<MessageRow>>('Message').implement({
  description: 'Something that one member wrote to another.',
  fields: (t) => ({
    body: t.exposeString('body', { description: 'What it says, as plain text.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was written.' }),
    isOwn: t.boolean({
      description: 'Whether the member itself wrote it.',
      resolve: ({ viewer, authorId }) => viewer === authorId,
    }),
    author: t.field({
      type: PersonType,
      nullable: true,
      description: 'Who wrote it; null when it is not there any more.',
      resolve: ({ viewer, authorId }, _args, context) => seenPerson(context, viewer, authorId),
    }),
  }),
})

/** What a member and another wrote to each other. */
export const Conversation = builder.objectRef<Seen<ConversationRow>>('Conversation').implement({
  description: 'What a member and another wrote to each other.',
  fields: (t) => ({
    person: t.field({
      type: PersonType,
      nullable: true,
      description: 'The other; null when it is not there any more.',
      resolve: ({ viewer, otherId }, _args, context) => seenPerson(context, viewer, otherId),
    }),
    lastAt: t.expose('lastAt', { type: 'DateTime', description: 'When the newest message was written.' }),
    unread: t.exposeInt('unread', { description: 'How many messages the member has not read.' }),
  }),
})

builder.queryField('conversations', (t) =>
  t.connection(
    {
      type: Conversation,
      nullable: true,
      description: 'With whom a member writes, the one with the newest message first.',
      authScopes: ownOrReads('messages:read'),
      args: { member: t.arg({ type: MemberByInput, description: 'Whose; a member’s own when left out.' }) },
      resolve: async (_root, { member, ...args }, context) => {
        const viewer = await eyesOf(member, context)
        if (viewer === null) return null
        const format = ownedBy(byTime, 'conversations', viewer)
        const page = pageOf(args, format)
        const rows = seenBy(viewer, await readConversations(context.db, viewer, page))
        return connection(rows, page, { format, keyOf: ({ lastAt, id }) => ({ at: lastAt, id }) })
      },
    },
    connectionOf(Conversation, 'Conversation'),
  ),
)

builder.queryField('messages', (t) =>
  t.connection(
    {
      type: Message,
      nullable: true,
      description: 'What a member and another wrote to each other, the newest first.',
      authScopes: ownOrReads('messages:read'),
      args: {
        member: t.arg({ type: MemberByInput, description: 'Whose; a member’s own when left out.' }),
        with: t.arg.id({ required: true, description: 'The other member.' }),
      },
      resolve: async (_root, { member, with: other, ...args }, context) => {
        const otherId = idOf('Member', other, 'with')
        const viewer = await eyesOf(member, context)
        if (viewer === null) return null
        const format = ownedBy(byId, 'messages', viewer, otherId)
        const page = pageOf(args, format)
        const rows = seenBy(viewer, await readMessages(context.db, viewer, otherId, page))
        return connection(rows, page, { format, keyOf: ({ id }) => id })
      },
    },
    connectionOf(Message, 'Message'),
  ),
)

/** `sent` of payloads. */
export const sentOf = <Payload extends { readonly message: string; readonly member: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.field({
    type: Message,
    nullable: true,
    description: 'The message.',
    resolve: ({ message, member }, _args, context) => messageSeen(context, member, message),
  })

mutation('sendMessage', {
  description:
    "Writes to another member: to whom one was introduced or wrote before, or who takes messages. Nobody is told that it was blocked; at most 20 messages a minute, and 50 new conversations a day. Needs: a member's token, for its own, or `messages:write`. Emits: `message.sent`.",
  scopes: ownOrWrites('messages:write'),
  errors: [AccessDeniedError, IdempotencyKeyReusedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: 'Who writes; a member itself when left out.' }),
    to: t.id({ required: true, description: 'The other member.' }),
    body: t.string({ required: true, description: 'What to say, as plain text; 1 to 5,000 characters.' }),
  }),
  resolve: ({ member, to, body }, context, operation) =>
    sendMessage(context.db, subjectOf(member, context), {
      other: idOf('Member', to, 'input.to'),
      body,
      operation,
    }),
  payload: (t) => ({ sent: sentOf(t) }),
})

mutation('markConversationRead', {
  description:
    "Notes that a member has read what another wrote to it. Needs: a member's token, for its own, or `messages:write`. Emits: nothing.",
  scopes: ownOrWrites('messages:write'),
  errors: [],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: 'Who read it; a member itself when left out.' }),
    with: t.id({ required: true, description: 'The other member.' }),
  }),
  resolve: ({ member, with: other }, context) =>
    markConversationRead(context.db, subjectOf(member, context), idOf('Member', other, 'input.with')),
  payload: (t) => ({ member: memberOf(t) }),
})

async function messageSeen({ db }: Context, viewer: string, id: string): Promise<Seen<MessageRow> | null> {
  const row = await readMessage(db, viewer, id)
  return row && { ...row, viewer }
}

eventType(messageSent, (t) => ({
  message: t.field({
    type: Message,
    nullable: true,
    description: 'The message, for the two between whom it was sent.',
    resolve: (event, _args, context) =>
      context.viewer?.memberId == null
        ? null
        : messageSeen(context, context.viewer.memberId, factOf(event, 'message')),
  }),
}))
