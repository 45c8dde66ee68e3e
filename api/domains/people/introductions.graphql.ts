import { builder, type Types } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { byId, connection, connectionOf, ownedBy, pageOf } from '../../graph/relay.ts'
import { AccessDeniedError, IdempotencyKeyReusedError } from '../../platform/errors/index.ts'
import { MemberByInput, ownOrWrites, subjectOf } from '../members/index.ts'
import { introductionAccepted, introductionProposed } from './events.ts'
import { type IntroductionRow, readIntroduction, readIntroductions } from './introductions.store.ts'
import { answerIntroduction, proposeIntroduction } from './introductions.ts'
import { eyesOf, ownOrReads, PersonType, type Seen, seenBy, seenPerson } from './people.graphql.ts'

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

builder.queryField('introductions', (t) =>
  t.connection(
    {
      type: Introduction,
      nullable: true,
      description: 'The introductions of a member, the newest first.',
      authScopes: ownOrReads('messages:read'),
      args: { member: t.arg({ type: MemberByInput, description: 'Whose; a member’s own when left out.' }) },
      resolve: async (_root, { member, ...args }, context) => {
        const viewer = await eyesOf(member, context)
        if (viewer === null) return null
        const format = ownedBy(byId, 'introductions', viewer)
        const page = pageOf(args, format)
        const rows = seenBy(viewer, await readIntroductions(context.db, viewer, page))
        return connection(rows, page, { format, keyOf: ({ id }) => id })
      },
    },
    connectionOf(Introduction, 'Introduction'),
  ),
)

async function introductionSeen(
  { db }: Context,
  viewer: string,
  id: string,
): Promise<Seen<IntroductionRow> | null> {
  const row = await readIntroduction(db, viewer, id)
  return row && { ...row, viewer }
}

/** `introduction` of payloads. */
export const introductionOf = <Payload extends { readonly introduction: string; readonly member: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.field({
    type: Introduction,
    nullable: true,
    description: 'The introduction, as the member may see it.',
    resolve: ({ introduction, member }, _args, context) => introductionSeen(context, member, introduction),
  })

mutation('proposeIntroduction', {
  description:
    "Asks another member, who wants to be introduced to others, to get to know this one. Asked again it stays one; when both ask, both have said yes. At most 20 new ones a day. Needs: a member's token, for its own, or `messages:write`. Emits: `introduction.proposed`, `introduction.accepted`.",
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

for (const fact of [introductionProposed, introductionAccepted]) {
  eventType(fact, (t) => ({
    introduction: t.field({
      type: Introduction,
      nullable: true,
      description: 'The introduction, for the two whom it is about.',
      resolve: (event, _args, context) =>
        context.viewer?.memberId == null
          ? null
          : introductionSeen(context, context.viewer.memberId, factOf(event, 'introduction')),
    }),
  }))
}
