import { builder } from '../../graph/builder.ts'
import { loader } from '../../graph/load.ts'
import { mutation } from '../../graph/mutation.ts'
import { channelsPort } from '../channels/index.ts'
import { MessageClass } from '../consents/index.ts'
import { rulesOf } from '../lifecycle/index.ts'
import { Member } from '../members/index.ts'
import { recommendedChannels } from './policy.channels.ts'
import {
  CAP,
  ChannelRuleInput,
  FrequencyCapInput,
  IGNORED,
  IgnoredResponse,
  IgnoredRuleInput,
  PERIOD,
  POLICY,
  QuietHoursInput,
  STAGE,
  StagePolicyInput,
  WeekdayType,
} from './policy.input.graphql.ts'
import { readPolicy, type SavedPolicy, savePolicy } from './policy.store.ts'
import {
  type ChannelRule,
  checkPolicy,
  type FrequencyCap,
  type IgnoredRule,
  type QuietPeriod,
  type StagePolicy,
} from './policy.ts'

const QuietPeriodType = builder.objectRef<QuietPeriod>('QuietPeriod').implement({
  description: 'A part of the day in which members are left alone.',
  fields: (t) => ({
    from: t.exposeString('from', { description: PERIOD.from }),
    to: t.exposeString('to', { description: PERIOD.to }),
    weekdays: t.field({
      type: [WeekdayType],
      nullable: true,
      description: `${PERIOD.weekdays} At most 7.`,
      resolve: ({ weekdays }) => (weekdays ? [...weekdays] : null),
    }),
  }),
})

const QuietHours = builder.objectRef<NonNullable<SavedPolicy['quietHours']>>('QuietHours').implement({
  description: 'When members are left alone.',
  fields: (t) => ({
    periods: t.field({
      type: [QuietPeriodType],
      description: `${POLICY.periods} At most 20.`,
      resolve: ({ periods }) => [...periods],
    }),
    channels: t.stringList({
      nullable: true,
      description: `${POLICY.quietChannels} At most 20.`,
      resolve: ({ channels }) => channels && [...channels],
    }),
  }),
})

const FrequencyCapType = builder.objectRef<FrequencyCap>('FrequencyCap').implement({
  description: 'How many messages of a class a member gets at most in a time.',
  fields: (t) => ({
    class: t.expose('class', { type: MessageClass, description: CAP.class }),
    channel: t.exposeString('channel', { nullable: true, description: CAP.channel }),
    most: t.exposeInt('most', { description: CAP.most }),
    within: t.expose('within', { type: 'Duration', description: CAP.within }),
  }),
})

const StagePolicyType = builder.objectRef<StagePolicy>('StagePolicy').implement({
  description: 'How members of a stage may be approached by marketing.',
  fields: (t) => ({
    stage: t.exposeString('stage', { description: STAGE.stage }),
    purposes: t.stringList({
      nullable: true,
      description: `${STAGE.purposes} At most 20.`,
      resolve: ({ purposes }) => purposes && [...purposes],
    }),
    channels: t.stringList({
      nullable: true,
      description: `${STAGE.channels} At most 20.`,
      resolve: ({ channels }) => channels && [...channels],
    }),
    shortestSilence: t.expose('shortestSilence', {
      type: 'Duration',
      nullable: true,
      description: STAGE.shortestSilence,
    }),
    longestSilence: t.expose('longestSilence', {
      type: 'Duration',
      nullable: true,
      description: STAGE.longestSilence,
    }),
  }),
})

const IgnoredRuleType = builder.objectRef<IgnoredRule>('IgnoredRule').implement({
  description: POLICY.ignored,
  fields: (t) => ({
    after: t.exposeInt('after', { description: IGNORED.after }),
    response: t.expose('response', { type: IgnoredResponse, description: IGNORED.response }),
  }),
})

const ChannelRuleType = builder.objectRef<ChannelRule>('ChannelRule').implement({
  description: 'Which channels suit the members who match a rule.',
  fields: (t) => ({
    audience: t.field({
      type: 'JSON',
      description: 'The rule, in the words of AudienceInput.',
      resolve: ({ audience }) => audience.rule,
    }),
    channels: t.stringList({
      description: 'The ids of the channels, the best first. At most 20.',
      resolve: ({ channels }) => [...channels],
    }),
  }),
})

const ContactPolicyType = builder.objectRef<SavedPolicy>('ContactPolicy').implement({
  description: 'When, how often and through what members may be approached, whatever was planned.',
  fields: (t) => ({
    version: t.exposeInt('version', { description: 'The how-manieth policy it is, from 1.' }),
    savedAt: t.expose('savedAt', { type: 'DateTime', description: 'Since when it is in force.' }),
    quietHours: t.expose('quietHours', {
      type: QuietHours,
      nullable: true,
      description: POLICY.quietHours,
    }),
    exemptPurposes: t.stringList({
      description: `${POLICY.exemptPurposes} At most 20.`,
      resolve: ({ exemptPurposes }) => [...exemptPurposes],
    }),
    caps: t.field({
      type: [FrequencyCapType],
      description: `${POLICY.caps} At most 20.`,
      resolve: ({ caps }) => [...caps],
    }),
    stages: t.field({
      type: [StagePolicyType],
      description: `${POLICY.stages} At most 50.`,
      resolve: ({ stages }) => [...stages],
    }),
    ignored: t.expose('ignored', { type: IgnoredRuleType, nullable: true, description: POLICY.ignored }),
    channelRules: t.field({
      type: [ChannelRuleType],
      description: `${POLICY.channelRules} At most 20.`,
      resolve: ({ channelRules }) => [...channelRules],
    }),
    defaultChannels: t.stringList({
      description: `${POLICY.defaultChannels} At most 20.`,
      resolve: ({ defaultChannels }) => [...defaultChannels],
    }),
  }),
})

builder.queryField('contactPolicy', (t) =>
  t.field({
    type: ContactPolicyType,
    nullable: true,
    description:
      "The tenant's contact policy in force; null while none was saved, and everything is allowed.",
    authScopes: { staff: 'settings' },
    resolve: (_root, _args, { db }) => readPolicy(db),
  }),
)

mutation('saveContactPolicy', {
  description:
    'Saves the whole contact policy as a new version, in force at once for everything that is not sent yet. Needs: `settings`. Emits: nothing.',
  scopes: { staff: 'settings' },
  errors: [],
  key: 'none',
  input: (t) => ({
    quietHours: t.field({ type: QuietHoursInput, description: POLICY.quietHours }),
    exemptPurposes: t.stringList({ description: POLICY.exemptPurposes }),
    caps: t.field({ type: [FrequencyCapInput], description: `${POLICY.caps} At most 20.` }),
    stages: t.field({ type: [StagePolicyInput], description: `${POLICY.stages} At most 50.` }),
    ignored: t.field({ type: IgnoredRuleInput, description: POLICY.ignored }),
    channelRules: t.field({ type: [ChannelRuleInput], description: `${POLICY.channelRules} At most 20.` }),
    defaultChannels: t.stringList({ description: `${POLICY.defaultChannels} At most 20.` }),
  }),
  resolve: async (input, { db, use }, { actor }) => {
    const { stages } = await rulesOf(db)
    const channels = use(channelsPort)
    const policy = checkPolicy(
      {
        quietHours: input.quietHours
          ? {
              periods: input.quietHours.periods.map((p) => ({ ...p, weekdays: p.weekdays ?? null })),
              channels: input.quietHours.channels ?? null,
            }
          : null,
        exemptPurposes: input.exemptPurposes ?? ['security', 'consent-confirmation'],
        caps: (input.caps ?? []).map((cap) => ({ ...cap, channel: cap.channel ?? null })),
        stages: (input.stages ?? []).map((stage) => ({
          stage: stage.stage,
          purposes: stage.purposes ?? null,
          channels: stage.channels ?? null,
          shortestSilence: stage.shortestSilence ?? null,
          longestSilence: stage.longestSilence ?? null,
        })),
        ignored: input.ignored ?? null,
        channelRules: input.channelRules ?? [],
        defaultChannels: input.defaultChannels ?? [],
      },
      {
        hasStage: (key) => stages.some((stage) => stage.key === key),
        hasChannel: (id) => channels.get(id) !== undefined,
      },
    )
    await savePolicy(db, policy, actor)
    return {}
  },
  payload: (t) => ({
    policy: t.field({
      type: ContactPolicyType,
      nullable: true,
      description: 'The policy in force.',
      resolve: (_payload, _args, { db }) => readPolicy(db),
    }),
  }),
})

const channelsOfMember = loader(async (members: readonly string[], { db }) => {
  const found = await recommendedChannels(db, members, await readPolicy(db))
  return members.map((member) => found.get(member) ?? [])
})

builder.prismaObjectField(Member, 'recommendedChannels', (t) =>
  t.stringList({
    nullable: true,
    description:
      "The ids of the channels to reach the member through, the best first: the member's own wish, then the policy's rules, then its default. At most 20.",
    authScopes: { reads: 'touchpoints:read' },
    select: { id: true },
    resolve: async ({ id }, _args, context) => [...(await channelsOfMember(context, id))],
  }),
)
