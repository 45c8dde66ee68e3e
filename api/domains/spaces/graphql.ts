import type { Types } from '../../graph/builder.ts'
import { builder } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { loader } from '../../graph/load.ts'
import { NOBODY } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import type { LoggedEvent } from '../../platform/events.ts'
import { spaceJoined, spaceLeft } from './events.ts'
import { type Cover, coverOf, type Lack, lacksOf } from './service.ts'

/** What a space is for. */
export const SpaceKind = builder.enumType('SpaceKind', {
  description: 'What a space is for.',
  values: {
    SITE: { description: 'Content for members.' },
    COMMUNITY: { description: 'Talk among members.' },
    QA: { description: 'Questions, always paired with answers.' },
  },
})

/** How members come into a space. */
export const SpaceJoinMode = builder.enumType('SpaceJoinMode', {
  description: 'How members come into a space.',
  values: {
    OPEN: { description: 'Whoever may see it takes part; joining only marks it as theirs.' },
    REQUEST: { description: 'They ask, and a moderator agrees.' },
    INVITATION: { description: 'They are invited.' },
  },
})

/** How a member stands to a space. */
export const SpaceStanding = builder.enumType('SpaceStanding', {
  description: 'How a member stands to a space.',
  values: {
    REQUESTED: { description: 'It asked to come in.' },
    INVITED: { description: 'It was invited.' },
    JOINED: { description: 'It is in.' },
    LEFT: { description: 'It went.' },
    DECLINED: { description: 'It asked, and was not let in.' },
    BANNED: { description: 'It was put out, and may not come back.' },
  },
})
type Standing = typeof SpaceStanding.$inferType

/** What a member is in a space. */
export const SpaceRole = builder.enumType('SpaceRole', {
  description: 'What a member is in a space.',
  values: {
    MEMBER: { description: 'One of those who take part.' },
    MODERATOR: { description: 'One of those who look after it.' },
  },
})

const SpaceLack = builder.enumType('SpaceLack', {
  description: 'What a space may lack.',
  values: {
    OWNER: { description: 'Somebody who looks after it.' },
    COVER: { description: 'Hours in which somebody is there.' },
    CONTENT: { description: 'Something to read.' },
    THEME: { description: 'What those in it have in common; of a community.' },
    GOAL: { description: 'What those in it want to reach; of a community.' },
  },
})

const lacks = loader<string, readonly Lack[]>((ids, { db }) => lacksOf(db, ids))
const cover = loader<string, Cover | null>((ids, { db }) => coverOf(db, ids))

/** A place for posts, questions or content. */
export const Space = builder.prismaNode('Space', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({ tenantId_id: { tenantId: context.db.tenantId, id } }),
  authScopes: { reads: 'community:read' },
  select: { id: true },
  fields: (t) => ({
    key: t.exposeString('key'),
    kind: t.field({
      type: SpaceKind,
      description: 'What it is for.',
      select: { kind: true },
      resolve: ({ kind }) => kind as typeof SpaceKind.$inferType, // a check constraint holds it
    }),
    name: t.string({
      description: "What people call it, in the language of the viewer's tenant.",
      select: { name: true, key: true },
      resolve: ({ name, key }, _args, context) => inLanguage(name, context) ?? key,
    }),
    purpose: t.string({
      description: 'What it is there for.',
      select: { purpose: true },
      resolve: ({ purpose }, _args, context) => inLanguage(purpose, context) ?? '',
    }),
    theme: t.string({
      nullable: true,
      description: 'What those in it have in common.',
      select: { theme: true },
      resolve: ({ theme }, _args, context) => inLanguage(theme, context) ?? null,
    }),
    goal: t.string({
      nullable: true,
      description: 'What those in it want to reach.',
      select: { goal: true },
      resolve: ({ goal }, _args, context) => inLanguage(goal, context) ?? null,
    }),
    joinMode: t.field({
      type: SpaceJoinMode,
      description: 'How members come in.',
      select: { joinMode: true },
      resolve: ({ joinMode }) => joinMode as typeof SpaceJoinMode.$inferType, // likewise
    }),
    isListed: t.exposeBoolean('isListed'),
    isClosedOutsideCover: t.exposeBoolean('isClosedOutsideCover'),
    isWelcome: t.exposeBoolean('isWelcome'),
    owner: t.string({
      nullable: true,
      description: 'Whoever of the staff looks after it; null for members.',
      select: { owner: true },
      resolve: ({ owner }, _args, { viewer }) => (viewer?.kind === 'MEMBER' ? null : owner),
    }),
    lacks: t.field({
      type: [SpaceLack],
      nullable: true,
      description: 'What it still needs before anybody comes; null for members. At most 5.',
      select: { id: true },
      resolve: async ({ id }, _args, context) =>
        context.viewer?.kind === 'MEMBER' ? null : [...(await lacks(context, id))],
    }),
    isCovered: t.boolean({
      nullable: true,
      description: 'Whether somebody is there now; null: nothing was said of hours.',
      select: { id: true },
      resolve: async ({ id }, _args, context) => (await cover(context, id))?.isCovered ?? null,
    }),
    coverChangesAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'Until when somebody is there, or from when on again; null: that does not change within a week, or nothing was said of it.',
      select: { id: true },
      resolve: async ({ id }, _args, context) => (await cover(context, id))?.changesAt ?? null,
    }),
    isEnabled: t.exposeBoolean('isEnabled'),
    isRetired: t.exposeBoolean('isRetired'),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    viewerStanding: t.field({
      type: SpaceStanding,
      nullable: true,
      description: 'How the viewer stands to it; null for staff, and for who never did anything about it.',
      select: (_args, { viewer }) => ({
        members: { where: { memberId: viewer?.memberId ?? NOBODY }, take: 1, select: { state: true } },
      }),
      resolve: ({ members }) => (members[0]?.state ?? null) as Standing | null, // likewise
    }),
  }),
})

/** Pages of spaces. */
export const SpaceConnection = connectionOf(Space, 'Space')

builder.queryField('spaces', (t) =>
  t.prismaConnection(
    {
      type: Space,
      nullable: true,
      description: 'The spaces that the viewer may know of, oldest first.',
      authScopes: { reads: 'community:read' },
      cursor: 'tenantId_id',
      args: { kind: t.arg({ type: SpaceKind, description: 'Only those of this kind.' }) },
      resolve: (query, _root, { kind }, { db }) =>
        read(db).space.findMany({
          ...query,
          where: { isRetired: false, ...(kind && { kind }) },
          orderBy: { id: 'asc' },
        }),
    },
    SpaceConnection,
  ),
)

builder.queryField('space', (t) =>
  t.prismaField({
    type: Space,
    nullable: true,
    description: 'The space with this key; null when there is none that the viewer may know of.',
    authScopes: { reads: 'community:read' },
    args: { key: t.arg.string({ required: true, description: 'Its key.' }) },
    resolve: (query, _root, { key }, { db }) => read(db).space.findFirst({ ...query, where: { key } }),
  }),
)

/** `space` of payloads and events. */
export const spaceOf = <Row extends { readonly space: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Row>,
) =>
  t.prismaField({
    type: Space,
    nullable: true,
    description: 'The space, as it is now.',
    resolve: (query, { space }, _args, { db }) =>
      read(db).space.findFirst({ ...query, where: { id: space } }),
  })

const spaceOfEvent = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, LoggedEvent>) =>
  t.prismaField({
    type: Space,
    nullable: true,
    description: 'Which space.',
    resolve: (query, event, _args, { db }) =>
      read(db).space.findFirst({ ...query, where: { id: factOf(event, 'space') } }),
  })

eventType(spaceJoined, (t) => ({ space: spaceOfEvent(t) }))
eventType(spaceLeft, (t) => ({ space: spaceOfEvent(t) }))
