import { builder } from '../../graph/builder.ts'
import { AudienceInput } from '../audiences/index.ts'
import { MessageClass } from '../consents/index.ts'
import { WEEKDAYS } from './policy.ts'

const DAYS = { MON: 'Monday', TUE: 'Tuesday', WED: 'Wednesday', THU: 'Thursday', FRI: 'Friday' }

/** `Weekday` of the API. */
export const WeekdayType = builder.enumType('Weekday', {
  description: 'A day of the week.',
  values: Object.fromEntries(
    WEEKDAYS.map((day) => [
      day,
      { description: `${{ ...DAYS, SAT: 'Saturday', SUN: 'Sunday' }[day]}.`, value: day },
    ]),
  ) as Record<(typeof WEEKDAYS)[number], { description: string; value: (typeof WEEKDAYS)[number] }>, // fromEntries forgets the names
})

/** `IgnoredResponse` of the API. */
export const IgnoredResponse = builder.enumType('IgnoredResponse', {
  description: 'What follows when messages are ignored.',
  values: {
    STOP: { description: 'No more marketing through the channels of the touch.' },
    NEXT_CHANNEL: { description: 'The next channel of the touch is tried instead.' },
  },
})

/** What the parts of a quiet period are. */
export const PERIOD = {
  from: "When it begins, by the member's clock: HH:MM.",
  to: 'When it ends: HH:MM. At or before the beginning it is on the next day.',
  weekdays: 'The days on which it begins; every day when left out.',
}
/** What the parts of a cap are. */
export const CAP = {
  class: 'The class that is counted.',
  channel: 'The channel that is counted; all of them together when left out.',
  most: 'How many messages a member gets at most; 1 to 1,000.',
  within: 'In how long a time.',
}
/** What the parts of a stage's policy are. */
export const STAGE = {
  stage: 'The key of the stage.',
  purposes: 'The purposes of marketing that its members may hear of; all when left out.',
  channels: 'The channels that marketing may use; all when left out.',
  shortestSilence: 'How long marketing leaves a member alone at least after a message.',
  longestSilence:
    'How long a member should be left alone at most. Kept for plans; nothing is sent because of it by itself.',
}
/** What the parts of the rule on ignored messages are. */
export const IGNORED = {
  after:
    'So many messages of marketing in a row that nobody took up; opening them does not count. 1 to 1,000.',
  response: 'What follows.',
}
/** What the parts of a contact policy are. */
export const POLICY = {
  periods: 'The parts of the day in which members are left alone.',
  quietChannels: 'The channels that keep quiet hours; all but inbox and task when left out.',
  quietHours: "When members are left alone, by their own clocks; a member's own wish comes first.",
  exemptPurposes: 'Purposes that keep no quiet hours; security and consent-confirmation when left out.',
  caps: 'How often members are written to at most.',
  stages: 'What holds for members of a stage. It binds marketing only.',
  ignored: 'What follows when messages are ignored.',
  channelRules:
    'Which channels suit whom: the first rule that matches decides. What a member prefers comes first.',
  defaultChannels: 'The channels for everybody else, the best first.',
}

/** Quiet hours, as they are given. */
export const QuietHoursInput = builder.inputType('QuietHoursInput', {
  description: 'When members are left alone.',
  fields: (t) => ({
    periods: t.field({
      type: [
        builder.inputType('QuietPeriodInput', {
          description: 'A part of the day in which members are left alone.',
          fields: (p) => ({
            from: p.string({ required: true, description: PERIOD.from }),
            to: p.string({ required: true, description: PERIOD.to }),
            weekdays: p.field({ type: [WeekdayType], description: PERIOD.weekdays }),
          }),
        }),
      ],
      required: true,
      description: `${POLICY.periods} At most 20.`,
    }),
    channels: t.stringList({ description: `${POLICY.quietChannels} At most 20.` }),
  }),
})

/** A cap, as it is given. */
export const FrequencyCapInput = builder.inputType('FrequencyCapInput', {
  description: 'How many messages of a class a member gets at most in a time.',
  fields: (t) => ({
    class: t.field({ type: MessageClass, required: true, description: CAP.class }),
    channel: t.string({ description: CAP.channel }),
    most: t.int({ required: true, description: CAP.most }),
    within: t.field({ type: 'Duration', required: true, description: CAP.within }),
  }),
})

/** The policy of a stage, as it is given. */
export const StagePolicyInput = builder.inputType('StagePolicyInput', {
  description: 'How members of a stage may be approached by marketing.',
  fields: (t) => ({
    stage: t.string({ required: true, description: STAGE.stage }),
    purposes: t.stringList({ description: STAGE.purposes }),
    channels: t.stringList({ description: STAGE.channels }),
    shortestSilence: t.field({ type: 'Duration', description: STAGE.shortestSilence }),
    longestSilence: t.field({ type: 'Duration', description: STAGE.longestSilence }),
  }),
})

/** The rule on ignored messages, as it is given. */
export const IgnoredRuleInput = builder.inputType('IgnoredRuleInput', {
  description: POLICY.ignored,
  fields: (t) => ({
    after: t.int({ required: true, description: IGNORED.after }),
    response: t.field({ type: IgnoredResponse, required: true, description: IGNORED.response }),
  }),
})

/** A rule for channels, as it is given. */
export const ChannelRuleInput = builder.inputType('ChannelRuleInput', {
  description: 'Which channels suit the members who match a rule.',
  fields: (t) => ({
    audience: t.field({ type: AudienceInput, required: true, description: 'Who is meant.' }),
    channels: t.stringList({ required: true, description: 'The ids of the channels, the best first.' }),
  }),
})
