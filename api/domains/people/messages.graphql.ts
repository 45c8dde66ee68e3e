import { builder, type Types } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { loader } from '../../graph/load.ts'
import { mutation } from '../../graph/mutation.ts'
import { AccessDeniedError, IdempotencyKeyReusedError } from '../../platform/errors/index.ts'
import { MemberByInput, memberOf, ownOrWrites, subjectOf } from '../members/index.ts'
import { introductionAccepted, introductionProposed, messageSent } from './events.ts'
import {
  type ConversationRow,
  type IntroductionRow,
  type MessageRow,
  readIntroductions,
  readMessages,
} from './messages.store.ts'
import {
  answerIntroduction,
  conversationsOf,
  MESSAGES_PAGE,
  markConversationRead,
  messagesWith,
  proposeIntroduction,
  type Some,
  sendMessage,
} from './messages.ts'
import { eyesOf, ownOrReads, PersonType } from './people.graphql.ts'
import { type Person, readPeople } from './people.store.ts'

/** What one member sees: with whose eyes it was read. */
type Seen<Row> = Row & { readonly viewer: string }

const personOf = loader<string, Person | null>(async (keys, { db }) => {
  const asked = keys.map((key) => key.split(' ') as [viewer: string, other: string])
  const found = new Map(
    await Promise.all(
      [...Map.groupBy(asked, ([viewer]) => viewer)].map(
        async ([viewer, pairs]) =>
          [
            viewer,
            await readPeople(
              db,
              viewer,
              pairs.map(([, other]) => other),
            ),
          ] as const,
      ),
    ),
  )
  return asked.map(([viewer, other]) => found.get(viewer)?.get(other) ?? null)
})

const seenPerson = (context: Context, viewer: string, other: string) =>
  personOf(context, `${viewer} ${other}`)

const IntroductionState = builder.enumType('IntroductionState', {
  description: 'How an introduction stands, as far as the member may know.',
  values: {
    PROPOSED: { description: 'Somebody has still to say yes.' },
    INTRODUCED: { description: 'Both said yes: they can write to each other.' },
    DECLINED: { description: 'The member said no. The other is not told.' },
  },
})

const Introduction = builder.objectRef<Seen<IntroductionRow>>('Introduction').implement({
  description: 'Two members who may get to know each other, as one of them sees it.',
  fields: (t) => ({
    person: t.field({
      type: PersonType,
      nullable: true,
      description: 'The other; null when it is not there any more.',
      resolve: ({ viewer, otherId }, _args, context) => seenPerson(context, viewer, otherId),
    }),
    note: t.exposeString('note', { nullable: true, description: 'What who asked said.' }),
    state: t.field({ type: IntroductionState, description: 'How it stands.', resolve: ({ state }) => state }),
    isAsked: t.exposeBoolean('isAsked', { description: 'Whether the other asked, and not the member.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was proposed.' }),
  }),
})

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

const Conversations = builder
  .objectRef<Some<ConversationRow> & { readonly viewer: string }>('Conversations')
  .implement({
    description: 'A page of the conversations of a member.',
    fields: (t) => ({
      conversations: t.field({
        type: [Conversation],
        description: `The one with the newest message first; at most ${MESSAGES_PAGE}.`,
        resolve: ({ rows, viewer }) => rows.map((row) => ({ ...row, viewer })),
      }),
      next: t.exposeString('next', {
        nullable: true,
        description: 'Where the next page begins; null at the end.',
      }),
    }),
  })

const Messages = builder.objectRef<Some<MessageRow> & { readonly viewer: string }>('Messages').implement({
  description: 'A page of what two members wrote to each other.',
  fields: (t) => ({
    messages: t.field({
      type: [Message],
      description: `The newest first; at most ${MESSAGES_PAGE}.`,
      resolve: ({ rows, viewer }) => rows.map((row) => ({ ...row, viewer })),
    }),
    next: t.exposeString('next', {
      nullable: true,
      description: 'Where the next page begins; null at the end.',
    }),
  }),
})

builder.queryField('introductions', (t) =>
  t.field({
    type: [Introduction],
    nullable: true,
    description: 'The introductions of a member, the newest first; at most 100.',
    authScopes: ownOrReads('messages:read'),
    args: { member: t.arg({ type: MemberByInput, description: 'Whose; a member’s own when left out.' }) },
    resolve: async (_root, { member }, context) => {
      const viewer = await eyesOf(member, context)
      if (viewer === null) return null
      const rows = await readIntroductions(context.db, viewer, { id: null, most: 100 })
      return rows.map((row) => ({ ...row, viewer }))
    },
  }),
)

builder.queryField('conversations', (t) =>
  t.field({
    type: Conversations,
    nullable: true,
    description: 'With whom a member writes.',
    authScopes: ownOrReads('messages:read'),
    args: {
      member: t.arg({ type: MemberByInput, description: 'Whose; a member’s own when left out.' }),
      after: t.arg.string({ description: 'The next of the page before.' }),
    },
    resolve: async (_root, { member, after }, context) => {
      const viewer = await eyesOf(member, context)
      if (viewer === null) return null
      return { ...(await conversationsOf(context.db, viewer, { other: null, after: after ?? null })), viewer }
    },
  }),
)

builder.queryField('messages', (t) =>
  t.field({
    type: Messages,
    nullable: true,
    description: 'What a member and another wrote to each other.',
    authScopes: ownOrReads('messages:read'),
    args: {
      member: t.arg({ type: MemberByInput, description: 'Whose; a member’s own when left out.' }),
      with: t.arg.id({ required: true, description: 'The other member.' }),
      after: t.arg.string({ description: 'The next of the page before.' }),
    },
    resolve: async (_root, { member, with: other, after }, context) => {
      const asked = { other: idOf('Member', other, 'with'), after: after ?? null }
      const viewer = await eyesOf(member, context)
      if (viewer === null) return null
      const page = await messagesWith(context.db, viewer, asked)
      return page.rows.length === 0 && asked.after === null ? null : { ...page, viewer }
    },
  }),
)

/** `introduction` of payloads. */
export const introductionOf = <Payload extends { readonly introduction: string; readonly member: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.field({
    type: Introduction,
    nullable: true,
    description: 'The introduction, as the member may see it.',
    resolve: async ({ introduction, member }, _args, { db }) => {
      const [row] = await readIntroductions(db, member, { id: introduction, most: 1 })
      return row ? { ...row, viewer: member } : null
    },
  })

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

mutation('proposeIntroduction', {
  description:
    "Asks another member, who wants to be introduced to others, to get to know this one. Asked again it stays one; when both ask, both have said yes. Needs: a member's token, for its own, or `messages:write`. Emits: `introduction.proposed`, `introduction.accepted`.",
  scopes: ownOrWrites('messages:write'),
  errors: [AccessDeniedError, IdempotencyKeyReusedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: 'Who asks; a member itself when left out.' }),
    to: t.id({ required: true, description: 'The other member.' }),
    note: t.string({ description: 'What the other is told; 1 to 500 characters.' }),
  }),
  resolve: ({ member, to, note }, context, operation) =>
    proposeIntroduction(context.db, subjectOf(member, context), {
      other: idOf('Member', to, 'input.to'),
      note: note == null ? null : text(note, 'input.note', 500),
      operation,
    }),
  payload: (t) => ({ introduction: introductionOf(t) }),
})

mutation('answerIntroduction', {
  description:
    "Says yes or no to getting to know another member. When both said yes they can write to each other; of a no nobody is told. Needs: a member's token, for its own, or `messages:write`. Emits: `introduction.accepted`.",
  scopes: ownOrWrites('messages:write'),
  errors: [],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: 'Who answers; a member itself when left out.' }),
    to: t.id({ required: true, description: 'The other member.' }),
    accepts: t.boolean({ required: true, description: 'Yes or no.' }),
  }),
  resolve: ({ member, to, accepts }, context) =>
    answerIntroduction(context.db, subjectOf(member, context), idOf('Member', to, 'input.to'), accepts),
  payload: (t) => ({ introduction: introductionOf(t) }),
})

mutation('sendMessage', {
  description:
    "Writes to another member: to whom one was introduced or wrote before, or who takes messages. Nobody is told that it was blocked; at most 20 messages a minute. Needs: a member's token, for its own, or `messages:write`. Emits: `message.sent`.",
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
  const [row] = await readMessages(db, viewer, { other: null, id, before: null, most: 1 })
  return row ? { ...row, viewer } : null
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

for (const fact of [introductionProposed, introductionAccepted]) {
  eventType(fact, (t) => ({
    introduction: t.field({
      type: Introduction,
      nullable: true,
      description: 'The introduction, for the two whom it is about.',
      resolve: async (event, _args, { db, viewer }) => {
        if (viewer?.memberId == null) return null
        const [row] = await readIntroductions(db, viewer.memberId, {
          id: factOf(event, 'introduction'),
          most: 1,
        })
        return row ? { ...row, viewer: viewer.memberId } : null
      },
    }),
  }))
}
