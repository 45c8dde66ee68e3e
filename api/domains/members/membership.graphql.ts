import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { AccessDeniedError, MembershipEndedError } from '../../platform/errors/index.ts'
import { MemberByInput, memberOf, memberRef } from './graphql.ts'
import {
  leaveProgram,
  pauseMembership,
  resumeMembership,
  returnMembership,
  setPaidThrough,
  setRenewal,
} from './membership.ts'
import { ownOrWrites, subjectOf } from './subject.graphql.ts'

const reasonOf = (reason: string | null | undefined) =>
  reason == null ? null : text(reason, 'input.reason', 200)

mutation('pauseMembership', {
  description:
    "Lets a membership rest: the member signs in and sees its own things, and nothing of the spaces. A rest that staff began only staff ends. Needs: a member's token, for its own, or `members:write`. Emits: `membership.paused`.",
  scopes: ownOrWrites('members:write'),
  errors: [AccessDeniedError, MembershipEndedError],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: "Whose; a member's own when left out." }),
    until: t.field({ type: 'DateTime', description: 'When it goes on by itself; left out: when resumed.' }),
    reason: t.string({ description: 'Why; 1 to 200 characters.' }),
  }),
  resolve: ({ member, until, reason }, context, { actor }) =>
    pauseMembership(context.db, subjectOf(member, context), {
      until: until ?? null,
      reason: reasonOf(reason),
      isOwn: context.viewer?.kind === 'MEMBER',
      actor,
    }),
  payload: (t) => ({ member: memberOf(t) }),
})

mutation('resumeMembership', {
  description:
    "Ends the rest of a membership. Needs: a member's token, for its own, or `members:write`. Emits: `membership.resumed`.",
  scopes: ownOrWrites('members:write'),
  errors: [AccessDeniedError, MembershipEndedError],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: "Whose; a member's own when left out." }),
  }),
  resolve: ({ member }, context, { actor }) =>
    resumeMembership(context.db, subjectOf(member, context), {
      isOwn: context.viewer?.kind === 'MEMBER',
      actor,
    }),
  payload: (t) => ({ member: memberOf(t) }),
})

mutation('setPaidThrough', {
  description:
    'Says until when a membership is paid. At that instant it opens nothing any more, until more is paid. Needs: `members:write`. Emits: `member.updated`.',
  scopes: { writes: 'members:write' },
  errors: [MembershipEndedError],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Whose.' }),
    through: t.field({
      type: 'DateTime',
      description: 'The first instant that is not paid; null: nothing has to be paid.',
    }),
  }),
  resolve: ({ member, through }, { db }, { actor }) =>
    setPaidThrough(db, memberRef(member, 'input.member'), through ?? null, actor),
  payload: (t) => ({ member: memberOf(t) }),
})

mutation('setRenewal', {
  description:
    "Says whether a membership is renewed. One that is not stays open for what is paid, and then ends as EXPIRED. Needs: a member's token, for its own, or `members:write`. Emits: `member.updated`.",
  scopes: ownOrWrites('members:write'),
  errors: [MembershipEndedError],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: "Whose; a member's own when left out." }),
    renews: t.boolean({ required: true, description: 'Whether it is renewed.' }),
  }),
  resolve: ({ member, renews }, context, { actor }) =>
    setRenewal(context.db, subjectOf(member, context), !renews, actor),
  payload: (t) => ({ member: memberOf(t) }),
})

mutation('leaveProgram', {
  description:
    "Ends the member's own membership. Access is gone at the next request and the next live event; all that it has is kept, and it may return. Needs: a member's token, for its own, or `members:write`. Emits: `membership.ended`.",
  scopes: ownOrWrites('members:write'),
  errors: [MembershipEndedError],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: 'Who leaves; the member itself when left out.' }),
    reason: t.string({ description: 'Why; 1 to 200 characters.' }),
  }),
  resolve: ({ member, reason }, context, { actor }) =>
    leaveProgram(context.db, subjectOf(member, context), reasonOf(reason), actor),
  payload: (t) => ({ member: memberOf(t) }),
})

mutation('returnMembership', {
  description:
    'Takes a member back whose membership ended: follows, spaces, wallet and courses are as they were left. Who was erased does not return. Needs: `members:write`. Emits: `membership.returned`.',
  scopes: { writes: 'members:write' },
  errors: [MembershipEndedError],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Who returns.' }),
    reason: t.string({ description: 'Why; 1 to 200 characters.' }),
  }),
  resolve: ({ member, reason }, { db }, { actor }) =>
    returnMembership(db, memberRef(member, 'input.member'), reasonOf(reason), actor),
  payload: (t) => ({ member: memberOf(t) }),
})
