import { builder, type Types } from '../../graph/builder.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { loader } from '../../graph/load.ts'
import { mutation } from '../../graph/mutation.ts'
import { AccessDeniedError, IdempotencyKeyReusedError } from '../../platform/errors/index.ts'
import { Contribution, contributionRef, known } from '../contributions/index.ts'
import { MemberByInput, ownOrWrites, subjectOf } from '../members/index.ts'
import { type ContactFields, type Contacts, readContacts, readTopics } from './contacts.store.ts'
import { introduceMembers, offerContact, replyPrivately, withdrawContact } from './contacts.ts'
import { introductionOf } from './introductions.graphql.ts'
import { Conversation, sentOf } from './messages.graphql.ts'

const ContactKind = builder.enumType('ContactKind', {
  description: 'A way of reaching somebody.',
  values: {
    EMAIL: { description: 'By mail.' },
    PHONE: { description: 'By telephone.' },
    LINE: { description: 'On LINE.' },
    WEBSITE: { description: 'Through a page on the web.' },
    OTHER: { description: 'Another way.' },
  },
})

type Kind = typeof ContactKind.$inferType

const ContactField = builder.objectRef<readonly [kind: string, value: string]>('ContactField').implement({
  description: 'A way in which a member can be reached.',
  fields: (t) => ({
    kind: t.field({
      type: ContactKind,
      description: 'Which way.',
      resolve: ([kind]) => kind as Kind, // offers are made of these alone
    }),
    value: t.string({ description: 'The address or number.', resolve: ([, value]) => value }),
  }),
})

const listed = (fields: ContactFields | null | undefined) => (fields ? Object.entries(fields) : [])

const ContactExchange = builder.objectRef<Contacts>('ContactExchange').implement({
  description:
    'How two members who write to each other tell how to be reached: each sees what the other offered once both did.',
  fields: (t) => ({
    own: t.field({
      type: [ContactField],
      description: 'What the member offered; at most 5.',
      resolve: ({ own }) => listed(own),
    }),
    isOffered: t.exposeBoolean('isOffered', { description: 'Whether the other offered something.' }),
    theirs: t.field({
      type: [ContactField],
      description: 'What the other offered, once both did; at most 5.',
      resolve: ({ theirs }) => listed(theirs),
    }),
  }),
})

const contactsOf = loader<string, Contacts | null>(async (keys, { db }) => {
  const asked = keys.map((key) => key.split(' ') as [viewer: string, other: string])
  const found = new Map<string, Contacts>()
  for (const [viewer, pairs] of Map.groupBy(asked, ([viewer]) => viewer)) {
    const others = pairs.map(([, other]) => other)
    for (const each of await readContacts(db, viewer, others)) found.set(`${viewer} ${each.otherId}`, each)
  }
  return keys.map((key) => found.get(key) ?? null)
})

const topicsOf = loader<string, string[]>(async (keys, { db }) => {
  const asked = keys.map((key) => key.split(' ') as [viewer: string, conversation: string])
  const found = new Map<string, string[]>()
  for (const [viewer, pairs] of Map.groupBy(asked, ([viewer]) => viewer)) {
    const ids = pairs.map(([, id]) => id)
    for (const { conversation, contribution } of await readTopics(db, viewer, ids))
      found.set(`${viewer} ${conversation}`, [
        ...(found.get(`${viewer} ${conversation}`) ?? []),
        contribution,
      ])
  }
  return keys.map((key) => found.get(key) ?? [])
})

builder.objectFields(Conversation, (t) => ({
  contacts: t.field({
    type: ContactExchange,
    nullable: true,
    description: 'How the two tell each other how to be reached; null when one is gone or blocked the other.',
    resolve: ({ viewer, otherId }, _args, context) => contactsOf(context, `${viewer} ${otherId}`),
  }),
  posts: t.field({
    type: [Contribution],
    description:
      'The posts to which one of the two replied in private, as far as the member sees them now; at most 20.',
    resolve: async ({ viewer, id }, _args, context) =>
      (await topicsOf(context, `${viewer} ${id}`)).map((post) => known('POST', post)),
  }),
}))

mutation('introduceMembers', {
  description:
    'Introduces two members, who want to be introduced, to each other: both are asked, and both must say yes before they can write to each other. Needs: `messages:write`. Emits: `introduction.proposed`.',
  scopes: { staff: 'messages:write' },
  errors: [IdempotencyKeyReusedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'The one.' }),
    to: t.id({ required: true, description: 'The other member.' }),
    note: t.string({ description: 'What both are told; 1 to 500 characters.' }),
  }),
  resolve: ({ member, to, note }, context, operation) =>
    introduceMembers(context.db, subjectOf(member, context), {
      other: idOf('Member', to, 'input.to'),
      note: note == null ? null : text(note, 'input.note', 500),
      operation,
    }),
  payload: (t) => ({ introduction: introductionOf(t) }),
})

mutation('replyPrivately', {
  description:
    "Writes in private to the author of a post that looks for somebody to work with, whoever else may write to it. At most 20 messages a minute. Needs: a member's token, for its own, or `messages:write`. Emits: `message.sent`.",
  scopes: ownOrWrites('messages:write'),
  errors: [AccessDeniedError, IdempotencyKeyReusedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: 'Who writes; a member itself when left out.' }),
    post: t.id({ required: true, description: 'The post, of the kind COLLABORATION.' }),
    body: t.string({ required: true, description: 'What to say, as plain text; 1 to 5,000 characters.' }),
  }),
  resolve: ({ member, post, body }, context, operation) =>
    replyPrivately(context.db, subjectOf(member, context), {
      post: contributionRef(post, 'input.post'),
      body,
      operation,
    }),
  payload: (t) => ({ sent: sentOf(t) }),
})

const ContactFieldInput = builder.inputType('ContactFieldInput', {
  description: 'A way in which a member can be reached.',
  fields: (t) => ({
    kind: t.field({ type: ContactKind, required: true, description: 'Which way.' }),
    value: t.string({ required: true, description: 'The address or number; 1 to 200 characters.' }),
  }),
})

interface Between {
  readonly member: string
  readonly other: string
}

const exchangeOf = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, Between>) =>
  t.field({
    type: ContactExchange,
    nullable: true,
    description: 'How the two stand now.',
    resolve: async ({ member, other }, _args, { db }) => (await readContacts(db, member, [other]))[0] ?? null,
  })

for (const [name, isAnswer, what] of [
  [
    'offerContact',
    false,
    'Offers a member, with whom one writes, how to be reached: both see what the other offered once both did.',
  ],
  ['acceptContact', true, 'Answers such an offer with one of its own: from now on both see the other’s.'],
] as const)
  mutation(name, {
    description: `${what} A block ends it. Needs: a member's token, for its own, or \`messages:write\`. Emits: nothing.`,
    scopes: ownOrWrites('messages:write'),
    errors: [],
    key: 'none',
    input: (t) => ({
      member: t.field({ type: MemberByInput, description: 'Who offers; a member itself when left out.' }),
      to: t.id({ required: true, description: 'The other member.' }),
      fields: t.field({
        type: [ContactFieldInput],
        required: true,
        description: 'How to be reached; each kind once.',
      }),
    }),
    resolve: ({ member, to, fields }, context) =>
      offerContact(context.db, subjectOf(member, context), {
        other: idOf('Member', to, 'input.to'),
        fields,
        isAnswer,
      }),
    payload: (t) => ({ contacts: exchangeOf(t) }),
  })

mutation('withdrawContact', {
  description:
    "Takes back what was offered to a member: neither sees the other's any more. Needs: a member's token, for its own, or `messages:write`. Emits: nothing.",
  scopes: ownOrWrites('messages:write'),
  errors: [],
  key: 'none',
  input: (t) => ({
    member: t.field({
      type: MemberByInput,
      description: 'Who takes it back; a member itself when left out.',
    }),
    to: t.id({ required: true, description: 'The other member.' }),
  }),
  resolve: ({ member, to }, context) =>
    withdrawContact(context.db, subjectOf(member, context), idOf('Member', to, 'input.to')),
  payload: (t) => ({ contacts: exchangeOf(t) }),
})
