import { builder } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { AccessDeniedError, BadInputError, SpaceNotEnabledError } from '../../platform/errors/index.ts'
import { ownOrWrites } from '../members/index.ts'
import { contributionStateChanged, reactionChanged } from './events.ts'
import { Contribution, ContributionState, contributionOf, contributionRef, TextFormat } from './graphql.ts'
import { block, editContribution, type FollowKind, follow, markRead, react, setState } from './service.ts'
import { selfOf, writerOf } from './writer.graphql.ts'
import { written } from './written.ts'

const WHICH = 'Which one.'

mutation('editContribution', {
  description:
    'Changes what a post, comment, question, answer or content says; what it said before is kept. A draft can be published by it. Needs: whoever wrote it, a moderator of the space, or `community:write`. Emits: `comment.published`.',
  scopes: ownOrWrites('community:write'),
  errors: [SpaceNotEnabledError, AccessDeniedError],
  key: 'none',
  input: (t) => ({
    contribution: t.id({ required: true, description: WHICH }),
    title: t.string({ description: 'What it is headed with; stays when left out.' }),
    body: t.string({ required: true, description: 'What it says; 1 to 30,000 characters.' }),
    format: t.field({ type: TextFormat, description: 'How the body is written; MARKDOWN when left out.' }),
    tags: t.stringList({ description: 'What it is about; stays when left out. At most 10.' }),
    isPublished: t.boolean({ description: 'True publishes a draft.' }),
  }),
  resolve: async ({ contribution, isPublished, ...draft }, context) => {
    const id = contributionRef(contribution, 'input.contribution')
    const change = { id, what: written(draft, 'input'), publish: isPublished ?? false }
    return editContribution(context.db, change, writerOf(context))
  },
  payload: (t) => ({ contribution: contributionOf(t) }),
})

for (const [name, state, says, needs] of [
  ['deleteContribution', 'DELETED', 'Takes away what one wrote', 'whoever wrote it'],
  [
    'restoreContribution',
    'PUBLISHED',
    'Brings back what was taken away, or lets through what waits',
    'whoever wrote it and took it away',
  ],
  ['removeContribution', 'REMOVED', 'Takes away what somebody wrote', 'nobody but'],
] as const) {
  mutation(name, {
    description: `${says}; nothing is lost. Needs: ${needs}, a moderator of the space, or \`community:moderate\`. Emits: \`contribution.state_changed\`.`,
    scopes: ownOrWrites('community:moderate'),
    errors: [AccessDeniedError],
    key: 'none',
    input: (t) => ({ contribution: t.id({ required: true, description: WHICH }) }),
    resolve: async ({ contribution }, context) => {
      const id = contributionRef(contribution, 'input.contribution')
      return setState(context.db, id, state, writerOf(context))
    },
    payload: (t) => ({
      contribution: contributionOf(t),
      state: t.expose('state', { type: ContributionState, description: 'How it stands now.' }),
    }),
  })
}

for (const [name, isOn, says] of [
  [
    'react',
    true,
    'Reacts to something: a vote UP or DOWN, of which there is one, or a word of one’s own such as LIKE',
  ],
  ['unreact', false, 'Takes a reaction back'],
] as const) {
  mutation(name, {
    description: `${says}. Needs: a member. Emits: \`reaction.changed\`.`,
    scopes: { member: true },
    errors: [SpaceNotEnabledError, AccessDeniedError],
    key: 'none',
    input: (t) => ({
      contribution: t.id({ required: true, description: 'To what.' }),
      kind: t.string({
        required: true,
        description: 'UP or DOWN for a vote; else 1 to 30 capital letters and underscores, such as LIKE.',
      }),
    }),
    resolve: async ({ contribution, kind }, context) => {
      const id = contributionRef(contribution, 'input.contribution')
      if (!/^[A-Z][A-Z_]{0,29}$/.test(kind)) {
        throw new BadInputError('input.kind', 'input.kind must be 1 to 30 capital letters, such as LIKE.')
      }
      await react(context.db, { id, member: selfOf(context), kind, isOn })
      return { contribution: id }
    },
    payload: (t) => ({ contribution: contributionOf(t) }),
  })
}

const FollowInput = builder.inputType('FollowTarget', {
  description: 'What is followed.',
  isOneOf: true,
  fields: (t) => ({
    space: t.id({ description: 'Whatever is begun in a space.' }),
    thread: t.id({ description: 'Whatever happens in the thread of this post, question or content.' }),
    tag: t.string({ description: 'Whatever bears a tag.' }),
  }),
})

function targetOf(given: typeof FollowInput.$inferInput): { kind: FollowKind; target: string } {
  if (given.space != null) return { kind: 'SPACE', target: idOf('Space', given.space, 'input.target.space') }
  if (given.thread != null)
    return { kind: 'THREAD', target: contributionRef(given.thread, 'input.target.thread') }
  return {
    kind: 'TAG',
    target: text(given.tag ?? '', 'input.target.tag', 50)
      .normalize('NFKC')
      .toLowerCase(),
  }
}

for (const [name, isOn, says] of [
  ['follow', true, 'Follows something: it comes into the feed and is told of'],
  ['unfollow', false, 'Follows something no longer; always possible'],
] as const) {
  mutation(name, {
    description: `${says}. Needs: a member. Emits: nothing.`,
    scopes: { member: true },
    errors: [],
    key: 'none',
    input: (t) => ({ target: t.field({ type: FollowInput, required: true, description: 'What.' }) }),
    resolve: async ({ target }, context) => {
      await follow(context.db, { member: selfOf(context), ...targetOf(target), isOn })
      return { isFollowed: isOn }
    },
    payload: (t) => ({
      isFollowed: t.exposeBoolean('isFollowed', { description: 'Whether it is followed now.' }),
    }),
  })
}

mutation('markRead', {
  description:
    'Says that the viewer has read a thread up to now, or to an instant; never backwards. Needs: a member. Emits: nothing.',
  scopes: { member: true },
  errors: [],
  key: 'none',
  input: (t) => ({
    thread: t.id({
      required: true,
      description: 'The post, question or content, or anything in its thread.',
    }),
    at: t.field({ type: 'DateTime', description: 'Up to when; now when left out.' }),
  }),
  resolve: async ({ thread, at }, context) => {
    const id = contributionRef(thread, 'input.thread')
    await markRead(context.db, selfOf(context), id, at ?? null)
    return { contribution: id }
  },
  payload: (t) => ({ contribution: contributionOf(t) }),
})

for (const [name, isOn, says] of [
  [
    'blockAuthor',
    true,
    'Reads nothing more of whoever wrote something; unless it only mutes, neither reads the other',
  ],
  ['unblockAuthor', false, 'Ends that'],
] as const) {
  mutation(name, {
    description: `${says}. Needs: a member. Emits: nothing.`,
    scopes: { member: true },
    errors: [],
    key: 'none',
    input: (t) => ({
      contribution: t.id({ required: true, description: 'Something that the other one wrote.' }),
      isMute: t.boolean({ description: 'True: the other one goes on reading. False when left out.' }),
    }),
    resolve: async ({ contribution, isMute }, context) => {
      const id = contributionRef(contribution, 'input.contribution')
      await block(context.db, { member: selfOf(context), of: id, isMute: isMute ?? false, isOn })
      return { isBlocked: isOn }
    },
    payload: (t) => ({
      isBlocked: t.exposeBoolean('isBlocked', { description: 'Whether it is blocked or muted now.' }),
    }),
  })
}

const contributionOfEvent = { type: Contribution, nullable: true } as const

eventType(reactionChanged, (t) => ({
  contribution: t.prismaField({
    ...contributionOfEvent,
    description: 'To what; null when the viewer may not see it.',
    resolve: (query, event, _args, { db }) =>
      read(db).contribution.findFirst({ ...query, where: { id: factOf(event, 'contribution') } }),
  }),
  kind: t.string({ description: 'The way, such as UP.', resolve: (event) => factOf(event, 'kind') }),
}))

eventType(contributionStateChanged, (t) => ({
  contribution: t.prismaField({
    ...contributionOfEvent,
    description: 'What it is about; null when the viewer may not see it any more.',
    resolve: (query, event, _args, { db }) =>
      read(db).contribution.findFirst({ ...query, where: { id: factOf(event, 'contribution') } }),
  }),
  from: t.field({
    type: ContributionState,
    description: 'How it stood.',
    resolve: (event) => factOf(event, 'from') as typeof ContributionState.$inferType, // a check constraint holds it
  }),
  to: t.field({
    type: ContributionState,
    description: 'How it stands.',
    resolve: (event) => factOf(event, 'to') as typeof ContributionState.$inferType, // likewise
  }),
}))
