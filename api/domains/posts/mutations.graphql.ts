import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import {
  AccessDeniedError,
  BadInputError,
  IdempotencyKeyReusedError,
  SpaceNotEnabledError,
} from '../../platform/errors/index.ts'
import { ContributionState, writerOf } from '../contributions/index.ts'
import { MemberByInput, ownOrWrites, subjectOf } from '../members/index.ts'
import { spaceOf } from '../spaces/index.ts'
import { postOf } from './graphql.ts'
import { postFields, postGiven } from './input.graphql.ts'
import { GatheringAnswer, IdeaStatus } from './kinds.graphql.ts'
import {
  allowPromotion,
  answerGathering,
  pinPost,
  setIdeaBudget,
  setIdeaStatus,
  voteForIdea,
  voteInPoll,
  writePost,
} from './service.ts'

const POST = 'Which post.'
const WHO = 'Who; a member leaves it out.'

for (const [name, isDraft, says, emits] of [
  ['publishPost', false, 'Puts a post into a space, or publishes a draft', '`post.published`'],
  ['saveDraft', true, 'Keeps a post that is not ready, for its author alone', 'nothing'],
] as const) {
  mutation(name, {
    description: `${says}. Needs: a member who may post there, or \`community:write\`. Emits: ${emits}.`,
    scopes: ownOrWrites('community:write'),
    errors: [IdempotencyKeyReusedError, SpaceNotEnabledError, AccessDeniedError],
    input: postFields,
    resolve: (given, context, operation) =>
      writePost(context.db, { post: postGiven(given), isDraft }, writerOf(context), operation),
    payload: (t) => ({
      post: postOf(t),
      state: t.expose('state', {
        type: ContributionState,
        description: 'Whether it is there, waits for a moderator, or is a draft.',
      }),
    }),
  })
}

mutation('pinPost', {
  description:
    'Puts a post to the top of its space, or takes it from there. Needs: a moderator of the space, or `community:moderate`. Emits: nothing.',
  scopes: ownOrWrites('community:moderate'),
  errors: [SpaceNotEnabledError, AccessDeniedError],
  key: 'none',
  input: (t) => ({
    post: t.id({ required: true, description: POST }),
    isPinned: t.boolean({ required: true, description: 'Whether it is to be at the top.' }),
  }),
  resolve: ({ post, isPinned }, context) =>
    pinPost(context.db, idOf('Post', post, 'input.post'), isPinned, writerOf(context)),
  payload: (t) => ({ post: postOf(t) }),
})

mutation('allowPromotion', {
  description:
    'Lets the house make content of a post, with credit, or no longer. Needs: whoever wrote it. Emits: nothing.',
  scopes: ownOrWrites('community:write'),
  errors: [AccessDeniedError],
  key: 'none',
  input: (t) => ({
    post: t.id({ required: true, description: POST }),
    isAllowed: t.boolean({ required: true, description: 'Whether the house may.' }),
  }),
  resolve: ({ post, isAllowed }, context) =>
    allowPromotion(context.db, idOf('Post', post, 'input.post'), isAllowed, writerOf(context)),
  payload: (t) => ({ post: postOf(t) }),
})

mutation('voteForIdea', {
  description:
    'Gives an idea so many of the votes that a member has in the space; 0 takes them back. Needs: a member, for itself, or `community:write`. Emits: nothing.',
  scopes: ownOrWrites('community:write'),
  errors: [SpaceNotEnabledError, AccessDeniedError],
  key: 'none',
  input: (t) => ({
    post: t.id({ required: true, description: 'Which idea.' }),
    member: t.field({ type: MemberByInput, description: WHO }),
    votes: t.int({ required: true, description: 'How many it is to have of the member; 0 to 1,000.' }),
  }),
  resolve: ({ post, member, votes }, context) => {
    if (votes < 0 || votes > 1000) {
      throw new BadInputError('input.votes', `input.votes must be from 0 to 1,000; it is ${votes}.`)
    }
    return voteForIdea(context.db, idOf('Post', post, 'input.post'), subjectOf(member, context), votes)
  },
  payload: (t) => ({
    post: postOf(t),
    remaining: t.exposeInt('remaining', { description: 'How many votes the member has left in the space.' }),
  }),
})

mutation('setIdeaStatus', {
  description:
    'Brings an idea into a status. Its author and all who voted are told, each by an event; merging gives its votes to the other idea. Needs: a moderator of the space, or `community:moderate`. Emits: `idea.status_changed`.',
  scopes: ownOrWrites('community:moderate'),
  errors: [SpaceNotEnabledError, AccessDeniedError],
  key: 'none',
  input: (t) => ({
    post: t.id({ required: true, description: 'Which idea.' }),
    status: t.field({ type: IdeaStatus, required: true, description: 'Which status.' }),
    mergedInto: t.id({ description: 'With MERGED: the idea that gets its votes.' }),
    note: t.string({ description: 'What members are told; 1 to 1,000 characters.' }),
  }),
  resolve: ({ post, status, mergedInto, note }, context) => {
    const into = mergedInto == null ? null : idOf('Post', mergedInto, 'input.mergedInto')
    if ((status === 'MERGED') !== (into !== null)) {
      throw new BadInputError(
        'input.mergedInto',
        'input.mergedInto must be given with MERGED, and with nothing else.',
      )
    }
    const change = {
      post: idOf('Post', post, 'input.post'),
      status,
      mergedInto: into,
      note: note == null ? null : text(note, 'input.note', 1000),
    }
    return setIdeaStatus(context.db, change, writerOf(context))
  },
  payload: (t) => ({ post: postOf(t) }),
})

mutation('setIdeaVotes', {
  description:
    'Says how many votes each member has for the undecided ideas of a space; 10 where nobody said. Needs: `community:moderate`. Emits: nothing.',
  scopes: { writes: 'community:moderate' },
  errors: [],
  key: 'none',
  input: (t) => ({
    space: t.id({ required: true, description: 'Which space.' }),
    votes: t.int({ required: true, description: 'How many; 1 to 1,000.' }),
  }),
  resolve: ({ space, votes }, { db }) => {
    if (votes < 1 || votes > 1000) {
      throw new BadInputError('input.votes', `input.votes must be from 1 to 1,000; it is ${votes}.`)
    }
    return setIdeaBudget(db, idOf('Space', space, 'input.space'), votes)
  },
  payload: (t) => ({ space: spaceOf(t) }),
})

mutation('voteInPoll', {
  description:
    'Chooses options of a poll instead of those chosen before; none takes the vote back. Needs: a member, for itself, or `community:write`. Emits: nothing.',
  scopes: ownOrWrites('community:write'),
  errors: [SpaceNotEnabledError, AccessDeniedError],
  key: 'none',
  input: (t) => ({
    post: t.id({ required: true, description: 'The post with the poll.' }),
    member: t.field({ type: MemberByInput, description: WHO }),
    options: t.intList({ required: true, description: 'The numbers of the options. At most 20.' }),
  }),
  resolve: ({ post, member, options }, context) => {
    if (options.length > 20)
      throw new BadInputError('input.options', 'input.options may be at most 20 numbers.')
    return voteInPoll(context.db, idOf('Post', post, 'input.post'), subjectOf(member, context), options)
  },
  payload: (t) => ({ post: postOf(t) }),
})

mutation('answerGathering', {
  description:
    'Says whether a member comes. It gets a seat, or waits for one; a seat given up goes to whoever has waited longest. Needs: a member, for itself, or `community:write`. Emits: `gathering.answered`, `gathering.seat_given`.',
  scopes: ownOrWrites('community:write'),
  errors: [SpaceNotEnabledError, AccessDeniedError],
  key: 'none',
  input: (t) => ({
    post: t.id({ required: true, description: 'The post with the gathering.' }),
    member: t.field({ type: MemberByInput, description: WHO }),
    isComing: t.boolean({ required: true, description: 'Whether it comes.' }),
  }),
  resolve: ({ post, member, isComing }, context) =>
    answerGathering(context.db, idOf('Post', post, 'input.post'), subjectOf(member, context), isComing),
  payload: (t) => ({
    post: postOf(t),
    answer: t.expose('state', { type: GatheringAnswer, description: 'What the member has now.' }),
  }),
})
