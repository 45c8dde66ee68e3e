import { builder } from '../../graph/builder.ts'
import { loader } from '../../graph/load.ts'
import { mutation } from '../../graph/mutation.ts'
import { MembershipEndedError, raise } from '../../platform/errors/index.ts'
import { channelsPort } from '../channels/index.ts'
import { Member, MemberByInput, memberOf, subjectOf } from '../members/index.ts'
import { centreOf, type MemberWishes, readWishes } from './preferences.store.ts'
import { Purpose, type PurposeFacts } from './purposes.graphql.ts'
import { checkText, updatePreferences } from './service.ts'
import { type PausedBy, pauseCall, resumeCall } from './store.ts'
import { OWN_OR_WRITES } from './subject.graphql.ts'

const ConsentStanding = builder.enumType('ConsentStanding', {
  description: 'Whether messages of a purpose may come by a channel.',
  values: {
    NOT_NEEDED: { description: 'Yes; nobody has to agree.' },
    NOT_GIVEN: { description: 'No; the member never agreed.' },
    PENDING: { description: 'Not yet; the member was asked to confirm.' },
    LIVE: { description: 'Yes; the member agrees.' },
    WITHDRAWN: { description: 'No; the member does not agree, or no longer.' },
  },
})

interface ChannelChoice {
  readonly channel: string
  readonly standing: typeof ConsentStanding.$inferType
  readonly hasAddress: boolean
}

const ChannelPreference = builder.objectRef<ChannelChoice>('ChannelPreference').implement({
  description: 'How a purpose stands on one channel.',
  fields: (t) => ({
    channel: t.exposeString('channel', { description: 'The id of the channel.' }),
    standing: t.expose('standing', {
      type: ConsentStanding,
      description: 'Whether messages may come by it.',
    }),
    hasAddress: t.exposeBoolean('hasAddress', {
      description: 'Whether the channel finds the member anywhere.',
    }),
  }),
})

interface PurposeChoice {
  readonly purpose: PurposeFacts
  readonly channels: readonly ChannelChoice[]
}

const PurposePreference = builder.objectRef<PurposeChoice>('PurposePreference').implement({
  description: 'How a purpose stands on every channel.',
  fields: (t) => ({
    purpose: t.expose('purpose', { type: Purpose, description: 'What messages are for.' }),
    channels: t.field({
      type: [ChannelPreference],
      description: 'Every channel of this deployment. At most 100.',
      resolve: ({ channels }) => [...channels],
    }),
  }),
})

interface Hours {
  readonly from: string
  readonly to: string
}

const LocalHours = builder.objectRef<Hours>('LocalHours').implement({
  description: "Hours in which nothing is to come, on the clocks of the member's zone.",
  fields: (t) => ({
    from: t.expose('from', { type: 'LocalTime', description: 'When they begin.' }),
    to: t.expose('to', {
      type: 'LocalTime',
      description: 'When they end; before from, that is on the next day.',
    }),
  }),
})

const PausedByType = builder.enumType('PausedBy', {
  description: 'Whose wish a pause is.',
  values: {
    MEMBER: { description: 'The member wants a rest.' },
    STAFF: { description: 'Staff keep everything back, such as while a complaint is open.' },
  },
})

const TouchPause = builder.objectRef<MemberWishes['pauses'][number]>('TouchPause').implement({
  description: 'A rest from every touch that is not about security.',
  fields: (t) => ({
    by: t.expose('pausedBy', { type: PausedByType, description: 'Whose wish it is.' }),
    since: t.field({ type: 'DateTime', description: 'Since when.', resolve: ({ since }) => new Date(since) }),
    endsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it ends by itself; null: when it is ended.',
      resolve: ({ until }) => until && new Date(until),
    }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why.' }),
  }),
})

const Preferences = builder.objectRef<MemberWishes>('Preferences').implement({
  description: 'How a member wishes to be approached: the whole preference centre.',
  fields: (t) => ({
    channels: t.stringList({
      description: 'The channels that the member likes best, in that order. At most 20.',
      resolve: ({ channels }) => [...channels],
    }),
    quietHours: t.field({
      type: LocalHours,
      nullable: true,
      description: 'When nothing is to come; null when the member said nothing.',
      resolve: ({ quietFrom, quietTo }) =>
        quietFrom !== null && quietTo !== null ? { from: quietFrom, to: quietTo } : null,
    }),
    preferredTime: t.expose('preferredTime', {
      type: 'LocalTime',
      nullable: true,
      description: 'When messages suit the member best; null when the member said nothing.',
    }),
    timeZone: t.expose('timeZone', { type: 'TimeZone', description: 'Whose clocks these times are by.' }),
    pauses: t.field({
      type: [TouchPause],
      description: 'What keeps touches back now. At most 2.',
      resolve: ({ pauses }) => [...pauses],
    }),
    purposes: t.field({
      type: [PurposePreference],
      description: 'Every purpose of the tenant, by its key, with every channel. At most 100.',
      resolve: (wishes, _args, context) => centreOf(wishes, context.use(channelsPort).all()),
    }),
  }),
})

const wishesOf = loader<string, MemberWishes | null>(async (ids, { db }) => {
  const found = await readWishes(db, ids)
  return ids.map((id) => found.get(id) ?? null)
})

builder.prismaObjectFields(Member, (t) => ({
  preferences: t.field({
    type: Preferences,
    nullable: true,
    description: 'How the member wishes to be approached. For the member itself and who may read consents.',
    authScopes: { reads: 'consents:read' },
    select: { id: true },
    resolve: ({ id }, _args, context) =>
      context.viewer?.kind === 'MEMBER' && context.viewer.memberId !== id ? null : wishesOf(context, id),
  }),
}))

const LocalHoursInput = builder.inputType('LocalHoursInput', {
  description: "Hours in which nothing is to come, on the clocks of the member's zone.",
  fields: (t) => ({
    from: t.field({ type: 'LocalTime', required: true, description: 'When they begin.' }),
    to: t.field({
      type: 'LocalTime',
      required: true,
      description: 'When they end; before from, that is on the next day.',
    }),
  }),
})

const WHOSE = "Whose; a member's own when left out."

mutation('updatePreferences', {
  description:
    "Changes what is given of how a member wishes to be approached; null forgets it. Needs: a member's token, for its own, or `consents:write`. Emits: nothing.",
  scopes: OWN_OR_WRITES,
  errors: [MembershipEndedError],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: WHOSE }),
    channels: t.stringList({
      description: 'The ids of the channels that the member likes best, in that order; at most 20.',
    }),
    quietHours: t.field({ type: LocalHoursInput, description: 'When nothing is to come.' }),
    preferredTime: t.field({
      type: 'LocalTime',
      description:
        'When messages suit the member best, by its own clock. Told to those who plan; no message waits for it by itself.',
    }),
  }),
  resolve: ({ member, ...changes }, context) =>
    updatePreferences(context.db, subjectOf(member, context), changes, context.use(channelsPort)),
  payload: (t) => ({ member: memberOf(t) }),
})

mutation('pauseTouches', {
  description:
    "Keeps every touch back that is not about security: by a member's token as the member's wish, else as the staff's. Needs: a member's token, for its own, or `consents:write`. Emits: nothing.",
  scopes: OWN_OR_WRITES,
  errors: [MembershipEndedError],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: WHOSE }),
    endsAt: t.field({
      type: 'DateTime',
      description: 'When it ends by itself; when it is ended when left out.',
    }),
    reason: t.string({ description: 'Why.' }),
  }),
  resolve: async ({ member, endsAt, reason }, context, { actor }) => {
    if (reason != null) checkText(reason, 'input.reason')
    const pause = {
      pausedBy: pausedBy(context.viewer?.kind),
      endsAt: endsAt ?? null,
      reason: reason ?? null,
      actor,
    }
    return raise(await pauseCall(context.db, subjectOf(member, context), pause))
  },
  payload: (t) => ({ member: memberOf(t) }),
})

mutation('resumeTouches', {
  description:
    "Ends a pause: by a member's token the member's own, else every one. Needs: a member's token, for its own, or `consents:write`. Emits: nothing.",
  scopes: OWN_OR_WRITES,
  errors: [],
  key: 'none',
  input: (t) => ({ member: t.field({ type: MemberByInput, description: WHOSE }) }),
  resolve: async ({ member }, context) => {
    const whose = context.viewer?.kind === 'MEMBER' ? 'MEMBER' : null
    return raise(await resumeCall(context.db, subjectOf(member, context), whose))
  },
  payload: (t) => ({ member: memberOf(t) }),
})

function pausedBy(kind: string | undefined): PausedBy {
  return kind === 'MEMBER' ? 'MEMBER' : 'STAFF'
}
