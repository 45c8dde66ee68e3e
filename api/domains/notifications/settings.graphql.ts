import { builder, type Types } from '../../graph/builder.ts'
import { encodeId, idOf } from '../../graph/ids.ts'
import { loader } from '../../graph/load.ts'
import { mutation } from '../../graph/mutation.ts'
import { ViewerType } from '../../graph/viewer.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import { channelsPort } from '../channels/index.ts'
import { selfOf } from '../contributions/index.ts'
import { NotificationKind } from './graphql.ts'
import { chooseNotifications, setDigest, setSpaceNotice } from './service.ts'
import { type Choice, type DigestFacts, type Place, readSettings, type Settings } from './store.ts'

/** The channel that stands for the list of notifications itself. */
const IN_APP = 'in-app'

const NotificationChoice = builder.objectRef<Choice>('NotificationChoice').implement({
  description: 'Whether a member hears of one kind of news through one channel.',
  fields: (t) => ({
    kind: t.field({
      type: NotificationKind,
      description: 'What it hears of.',
      resolve: ({ kind }) => kind as typeof NotificationKind.$inferType, // mutations take only these
    }),
    channel: t.exposeString('channel', {
      description: 'The id of the channel; `in-app` is the list of notifications.',
    }),
    isOn: t.exposeBoolean('isOn', { description: 'Whether it does.' }),
  }),
})

const NoticeLevel = builder.enumType('NoticeLevel', {
  description: 'How much of a space a member is told of.',
  values: {
    ALL: { description: 'Everything new in it.' },
    MENTIONS: { description: 'What is meant for the member itself: mentions, answers and comments.' },
    NONE: { description: 'Nothing.' },
  },
})

const PlaceKind = builder.enumType('NotificationPlaceKind', {
  description: 'What news can come from.',
  values: {
    SPACE: { description: 'A space.' },
    THREAD: { description: 'A thread.' },
    MEMBER: { description: 'A member.' },
    TAG: { description: 'A tag.' },
  },
})

/** The type whose ids the API gives for a place. */
const TYPES = { SPACE: 'Space', THREAD: 'Contribution', MEMBER: 'Member' } as const

const NotificationPlace = builder.objectRef<Place>('NotificationPlace').implement({
  description:
    'Where news comes from: a space with its level, or what the member follows. It stays when the member may no longer look there, so that it can be taken away; it names nothing then.',
  fields: (t) => ({
    kind: t.expose('kind', { type: PlaceKind, description: 'What it is.' }),
    target: t.id({
      description: 'The id of the space, thread or member, as mutations take it; of a tag, the tag.',
      resolve: ({ kind, target }) => (kind === 'TAG' ? target : encodeId(TYPES[kind], target)),
    }),
    level: t.field({
      type: NoticeLevel,
      nullable: true,
      description: 'How much of a space the member is told of; null where what it follows decides.',
      resolve: ({ level }) => level as typeof NoticeLevel.$inferType | null, // a check constraint holds it
    }),
    since: t.field({
      type: 'DateTime',
      description: 'Since when.',
      resolve: ({ since }) => new Date(since),
    }),
    isPaused: t.exposeBoolean('isPaused', {
      description: 'Whether nothing comes from there because the member may not look there now.',
    }),
  }),
})

const DigestPeriod = builder.enumType('DigestPeriod', {
  description: 'How often a digest comes.',
  values: { DAILY: { description: 'Once a day.' }, WEEKLY: { description: 'Once a week.' } },
})

const Weekdays = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const

const Digest = builder.objectRef<DigestFacts>('DigestSetting').implement({
  description: 'That a member hears in one message what was new.',
  fields: (t) => ({
    period: t.expose('period', { type: DigestPeriod, description: 'How often.' }),
    time: t.expose('localTime', {
      type: 'LocalTime',
      description: "When, on the clocks of the member's zone.",
    }),
    weekday: t.exposeString('weekday', {
      nullable: true,
      description: 'On which day, such as MON; of a weekly one.',
    }),
    channels: t.stringList({
      description: 'The channels in which it is tried, in that order. At most 10.',
      resolve: ({ channels }) => [...channels],
    }),
    nextAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it is due next.',
      resolve: ({ nextAt }) => nextAt && new Date(nextAt),
    }),
  }),
})

const NotificationSettings = builder.objectRef<Settings>('NotificationSettings').implement({
  description: 'What a member hears of, and how. What it did not choose is as it is for everybody.',
  fields: (t) => ({
    choices: t.field({
      type: [NotificationChoice],
      description: 'What the member chose for kinds and channels. At most 500.',
      resolve: ({ choices }) => choices.slice(0, 500),
    }),
    places: t.field({
      type: [NotificationPlace],
      description: 'Where news comes from, the newest first, lost places too. At most 500.',
      resolve: ({ places }) => [...places],
    }),
    digest: t.field({
      type: Digest,
      nullable: true,
      description: 'The digest; null when the member wants none.',
      resolve: ({ digest }) => digest,
    }),
  }),
})

const settingsOf = loader<string, Settings>((members, { db }) =>
  Promise.all(members.map((member) => readSettings(db, member))),
)

builder.objectField(ViewerType, 'notificationSettings', (t) =>
  t.field({
    type: NotificationSettings,
    nullable: true,
    description: "What the member hears of, and how. Of a member's own token; else null.",
    authScopes: { signedIn: true },
    resolve: ({ memberId }, _args, context) => (memberId ? settingsOf(context, memberId) : null),
  }),
)

/** The payload of every mutation here. */
const settingsPayload = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, { readonly member: string }>) => ({
  settings: t.field({
    type: NotificationSettings,
    nullable: true,
    description: 'The settings, as they are now.',
    resolve: ({ member }, _args, context) => settingsOf(context, member),
  }),
})

mutation('chooseNotifications', {
  description:
    'Sets how one hears of kinds of news through a channel; messages outside the product also need the consent to the purpose `community`. Needs: a member. Emits: nothing.',
  scopes: { member: true },
  errors: [],
  key: 'none',
  input: (t) => ({
    kinds: t.field({ type: [NotificationKind], description: 'Which kinds; all when left out.' }),
    channel: t.string({
      required: true,
      description: 'The id of a channel of this deployment, or `in-app` for the list of notifications.',
    }),
    isOn: t.boolean({ required: true, description: 'Whether one does.' }),
  }),
  resolve: async ({ kinds, channel, isOn }, context) => {
    const member = selfOf(context)
    const known = context
      .use(channelsPort)
      .all()
      .map(({ id }) => id)
    checkChannels([channel], [IN_APP, ...known], 'input.channel')
    await chooseNotifications(context.db, member, { kinds: kinds ?? [], channel, isOn })
    return { member }
  },
  payload: settingsPayload,
})

mutation('setSpaceNotifications', {
  description:
    'Sets how much of a space one is told of; without a level, what one follows decides. What was set for a space that one may no longer see can be taken away. Needs: a member. Emits: nothing.',
  scopes: { member: true },
  errors: [],
  key: 'none',
  input: (t) => ({
    space: t.id({ required: true, description: 'Which space.' }),
    level: t.field({ type: NoticeLevel, description: 'How much; left out, what one follows decides.' }),
  }),
  resolve: async ({ space, level }, context) => {
    const member = selfOf(context)
    await setSpaceNotice(context.db, member, {
      space: idOf('Space', space, 'input.space'),
      level: level ?? null,
    })
    return { member }
  },
  payload: settingsPayload,
})

mutation('setDigest', {
  description:
    "Sets one's digest; without a period there is none. It also needs the consent to the purpose `community-digest`. Needs: a member. Emits: nothing.",
  scopes: { member: true },
  errors: [],
  key: 'none',
  input: (t) => ({
    period: t.field({ type: DigestPeriod, description: 'How often; left out, no digest comes.' }),
    time: t.field({
      type: 'LocalTime',
      description: "When, on the clocks of one's zone; 08:00 when left out.",
    }),
    weekday: t.string({ description: 'On which day of the week, such as MON, which it is when left out.' }),
    channels: t.stringList({
      description: 'The channels in which it is tried, in that order, at most 10; `email` when left out.',
    }),
  }),
  resolve: async ({ period, time, weekday, channels }, context) => {
    const member = selfOf(context)
    const given = channels ?? ['email']
    checkChannels(
      given,
      context
        .use(channelsPort)
        .all()
        .map(({ id }) => id),
      'input.channels',
    )
    const day = Weekdays.find((each) => each === (weekday ?? 'MON'))
    if (!day) throw new BadInputError('input.weekday', `input.weekday must be one of ${Weekdays.join(', ')}.`)
    await setDigest(
      context.db,
      member,
      period ? { period, localTime: time ?? '08:00', weekday: day, channels: [...new Set(given)] } : null,
    )
    return { member }
  },
  payload: settingsPayload,
})

function checkChannels(given: readonly string[], known: readonly string[], field: string): void {
  if (given.length < 1 || given.length > 10) throw new BadInputError(field, `${field} has 1 to 10 channels.`)
  const strange = given.find((channel) => !known.includes(channel))
  if (strange !== undefined)
    throw new BadInputError(
      field,
      `${field} names no channel of this deployment; there are ${known.join(', ')}.`,
    )
}
