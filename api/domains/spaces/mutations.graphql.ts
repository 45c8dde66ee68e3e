import { builder, type Types } from '../../graph/builder.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { TextsInput } from '../../graph/texts.ts'
import { AccessDeniedError, MembershipEndedError, SpaceNotEnabledError } from '../../platform/errors/index.ts'
import { AudienceInput } from '../audiences/index.ts'
import { MemberByInput, memberRef, onlyOf, ownOrWrites, subjectOf } from '../members/index.ts'
import { publish } from '../program/index.ts'
import { Space, SpaceJoinMode, SpaceKind, SpaceRole, SpaceStanding, spaceOf } from './graphql.ts'
import { spacePart } from './part.ts'
import { enableSpace, joinSpace, leaveSpace, placeMember, type Standing } from './service.ts'

const CoverInput = builder.inputType('SpaceCoverInput', {
  description: 'Hours in which somebody is there.',
  fields: (t) => ({
    weekdays: t.intList({ required: true, description: 'On which days: 1 is Monday, 7 Sunday.' }),
    from: t.string({ required: true, description: 'From when, as in 09:00.' }),
    to: t.string({ required: true, description: 'Until when, as in 18:00; 24:00 is the end of the day.' }),
  }),
})

const SpaceInput = builder.inputType('SpaceInput', {
  description: 'A space as it is to be.',
  fields: (t) => ({
    kind: t.field({ type: SpaceKind, required: true, description: 'What it is for; stays so.' }),
    name: t.field({ type: TextsInput, required: true, description: 'What people call it.' }),
    purpose: t.field({ type: TextsInput, required: true, description: 'What it is there for.' }),
    theme: t.field({ type: TextsInput, description: 'What those in it have in common.' }),
    goal: t.field({ type: TextsInput, description: 'What those in it want to reach.' }),
    see: t.field({
      type: AudienceInput,
      description: 'Who may see what is in it; every member when left out.',
    }),
    post: t.field({
      type: AudienceInput,
      description: 'Who of them may begin something; all when left out.',
    }),
    reply: t.field({ type: AudienceInput, description: 'Who of them may answer; all when left out.' }),
    react: t.field({ type: AudienceInput, description: 'Who of them may react; all when left out.' }),
    join: t.field({ type: SpaceJoinMode, description: 'How members come in; OPEN when left out.' }),
    owner: t.string({
      description: 'Whoever of the staff looks after it, as the tenant names its staff; 1 to 200 characters.',
    }),
    cover: t.field({
      type: [CoverInput],
      description: "When somebody is there, by the tenant's zone. At most 21.",
    }),
    isClosedOutsideCover: t.boolean({
      description:
        'True: while nobody is there, members begin and answer nothing here, and still read and react (NOT_COVERED). False when left out.',
    }),
    isWelcome: t.boolean({ description: 'Whether beginners are welcome here before anywhere else.' }),
    isListed: t.boolean({
      description: 'Whether those who are not in it learn that it exists; true when left out.',
    }),
  }),
})

const SPACE = 'Which space.'

mutation('defineSpace', {
  description:
    'Makes a space, or a new version of it; an equal one changes nothing. Needs: `program:write`. Emits: `program.published`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({ required: true, description: 'Its name within the program; 1 to 100 characters.' }),
    space: t.field({ type: SpaceInput, required: true, description: 'What it is.' }),
  }),
  resolve: async ({ key, space }, { db }, { actor }) => {
    const named = text(key, 'input.key', 100)
    await publish(db, [{ kind: 'space', key: named, body: spacePart.read(space, 'input.space') }], { actor })
    return { key: named }
  },
  payload: (t) => ({
    space: t.prismaField({
      type: Space,
      nullable: true,
      description: 'The space in force.',
      resolve: (query, { key }, _args, { db }) => read(db).space.findFirst({ ...query, where: { key } }),
    }),
  }),
})

mutation('enableSpace', {
  description:
    'Switches a space on. `space { lacks }` tells what it still needs. Needs: `community:moderate`. Emits: nothing.',
  scopes: { writes: 'community:moderate' },
  errors: [AccessDeniedError],
  key: 'none',
  input: (t) => ({
    space: t.id({ required: true, description: SPACE }),
    isReadyOnly: t.boolean({
      description:
        'True refuses a space that lacks an owner, hours of cover or anything to read (NOT_READY). False when left out.',
    }),
  }),
  resolve: async ({ space, isReadyOnly }, { db }) => {
    const id = idOf('Space', space, 'input.space')
    await enableSpace(db, id, { isEnabled: true, isReadyOnly: isReadyOnly ?? false })
    return { space: id }
  },
  payload: (t) => ({ space: spaceOf(t) }),
})

mutation('disableSpace', {
  description:
    'Switches a space off; nothing in it is lost, and nobody but staff sees it. Needs: `community:moderate`. Emits: nothing.',
  scopes: { writes: 'community:moderate' },
  errors: [],
  key: 'none',
  input: (t) => ({ space: t.id({ required: true, description: SPACE }) }),
  resolve: async ({ space }, { db }) => {
    const id = idOf('Space', space, 'input.space')
    await enableSpace(db, id, { isEnabled: false, isReadyOnly: false })
    return { space: id }
  },
  payload: (t) => ({ space: spaceOf(t) }),
})

type Stood = { readonly space: string; readonly state: Standing | null }

const standing = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, Stood>) => ({
  space: spaceOf(t),
  standing: t.field({
    type: SpaceStanding,
    nullable: true,
    description: 'How the member stands to it now.',
    resolve: ({ state }) => state,
  }),
})

mutation('joinSpace', {
  description:
    'Enters a space, or asks to where somebody has to agree. Needs: a member, for itself, or `community:write`. Emits: `space.joined`.',
  scopes: ownOrWrites('community:write'),
  errors: [SpaceNotEnabledError, AccessDeniedError, MembershipEndedError],
  key: 'none',
  input: (t) => ({
    space: t.id({ required: true, description: SPACE }),
    member: t.field({ type: MemberByInput, description: 'Who; a member leaves it out.' }),
  }),
  resolve: async ({ space, member }, context, { actor }) => {
    const id = idOf('Space', space, 'input.space')
    return { space: id, state: (await joinSpace(context.db, id, subjectOf(member, context), actor)).state }
  },
  payload: standing,
})

mutation('leaveSpace', {
  description:
    'Leaves a space, or takes back that one asked to enter; always possible. Needs: a member, for itself, or `community:write`. Emits: `space.left`.',
  scopes: ownOrWrites('community:write'),
  errors: [],
  key: 'none',
  input: (t) => ({
    space: t.id({ required: true, description: SPACE }),
    member: t.field({ type: MemberByInput, description: 'Who; a member leaves it out.' }),
  }),
  resolve: async ({ space, member }, context, { actor }) => {
    const id = idOf('Space', space, 'input.space')
    return { space: id, state: (await leaveSpace(context.db, id, subjectOf(member, context), actor)).state }
  },
  payload: standing,
})

mutation('placeInSpace', {
  description:
    'Decides how a member stands to a space: invites, lets in, declines, puts out, or makes a moderator. Needs: a moderator of the space, or `community:moderate`. Emits: `space.joined`, `space.left`.',
  scopes: ownOrWrites('community:moderate'),
  errors: [SpaceNotEnabledError, AccessDeniedError, MembershipEndedError],
  key: 'none',
  input: (t) => ({
    space: t.id({ required: true, description: SPACE }),
    member: t.field({ type: MemberByInput, required: true, description: 'Whom.' }),
    standing: t.field({ type: SpaceStanding, required: true, description: 'How it is to stand to it.' }),
    role: t.field({
      type: SpaceRole,
      description: 'What it is to be in it; MEMBER when left out. A moderator is in it.',
    }),
  }),
  resolve: async ({ space, member, standing: state, role }, context, { actor }) => {
    const id = idOf('Space', space, 'input.space')
    const placement = {
      space: id,
      member: memberRef(member, 'input.member'),
      state,
      role: role ?? ('MEMBER' as const),
      by: onlyOf(context),
    }
    return { space: id, state: (await placeMember(context.db, placement, actor)).state }
  },
  payload: standing,
})
