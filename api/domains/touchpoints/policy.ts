import { BadInputError } from '../../platform/errors/index.ts'
import { parseRule, type Rule, readRule, type StoredRule, storedRule } from '../audiences/index.ts'

/** The days of the week, in their order. */
export const WEEKDAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const

/** A day of the week. */
export type Weekday = (typeof WEEKDAYS)[number]

/** A part of the day in which members are left alone, by their own clocks: times are HH:MM. */
export interface QuietPeriod {
  readonly from: string
  /** Where it ends; at or before `from` it is on the next day. */
  readonly to: string
  /** The days on which it begins; every day when null. */
  readonly weekdays: readonly Weekday[] | null
}

/** At most so many messages of a class to one member in a window that slides. */
export interface FrequencyCap {
  readonly class: 'SERVICE' | 'MARKETING'
  /** The channel that it counts; null counts all of them together. */
  readonly channel: string | null
  readonly most: number
  /** ISO 8601. */
  readonly within: string
}

/** How members of one stage may be approached by marketing. Nulls allow everything. */
export interface StagePolicy {
  readonly stage: string
  readonly purposes: readonly string[] | null
  readonly channels: readonly string[] | null
  /** The shortest and the longest time between two messages, ISO 8601. */
  readonly shortestSilence: string | null
  readonly longestSilence: string | null
}

/** What follows when `after` messages of marketing in a row were ignored on a channel. */
export interface IgnoredRule {
  readonly after: number
  readonly response: 'STOP' | 'NEXT_CHANNEL'
}

/** Which channels suit the members who match a rule, the best first. `Audience` is the rule as it is kept. */
export interface ChannelRule<Audience = StoredRule> {
  readonly audience: Audience
  readonly channels: readonly string[]
}

/** A contact policy as it is stored: see 0008_contact_policy.sql, which holds touches to it. */
export interface ContactPolicy<Audience = StoredRule> {
  readonly quietHours: {
    readonly periods: readonly QuietPeriod[]
    readonly channels: readonly string[] | null
  } | null
  readonly exemptPurposes: readonly string[]
  readonly caps: readonly FrequencyCap[]
  readonly stages: readonly StagePolicy[]
  readonly ignored: IgnoredRule | null
  readonly channelRules: readonly ChannelRule<Audience>[]
  readonly defaultChannels: readonly string[]
}

/** What there is to speak of: the stages of the tenant's lifecycle, the channels of the deployment. */
export interface Known {
  hasStage(key: string): boolean
  hasChannel(id: string): boolean
}

const MOST = { periods: 20, list: 20, caps: 20, stages: 50, rules: 20, messages: 1_000 }

/** Checks a policy that came from outside. Throws BadInputError naming the field below `input`. */
export function checkPolicy(given: ContactPolicy<unknown>, known: Known): ContactPolicy {
  const channels = (list: readonly string[] | null, field: string) => {
    atMost(list ?? [], MOST.list, field)
    list?.forEach((id, i) => {
      if (!known.hasChannel(id)) throw new BadInputError(`${field}.${i}`, `There is no channel ${id} here.`)
    })
  }
  atMost(given.quietHours?.periods ?? [], MOST.periods, 'input.quietHours.periods')
  given.quietHours?.periods.forEach((period, i) => {
    localTime(period.from, `input.quietHours.periods.${i}.from`)
    localTime(period.to, `input.quietHours.periods.${i}.to`)
  })
  channels(given.quietHours?.channels ?? null, 'input.quietHours.channels')
  purposes(given.exemptPurposes, 'input.exemptPurposes')
  atMost(given.caps, MOST.caps, 'input.caps')
  given.caps.forEach((cap, i) => {
    within(cap.most, 1, MOST.messages, `input.caps.${i}.most`)
    someTime(cap.within, `input.caps.${i}.within`)
    if (cap.channel !== null && !known.hasChannel(cap.channel)) {
      throw new BadInputError(`input.caps.${i}.channel`, `There is no channel ${cap.channel} here.`)
    }
  })
  atMost(given.stages, MOST.stages, 'input.stages')
  given.stages.forEach((stage, i) => {
    const field = `input.stages.${i}`
    if (!known.hasStage(stage.stage))
      throw new BadInputError(`${field}.stage`, `There is no stage ${stage.stage}.`)
    if (given.stages.findIndex((other) => other.stage === stage.stage) < i) {
      throw new BadInputError(`${field}.stage`, `The stage ${stage.stage} is there twice.`)
    }
    purposes(stage.purposes ?? [], `${field}.purposes`)
    channels(stage.channels, `${field}.channels`)
    if (stage.shortestSilence !== null) someTime(stage.shortestSilence, `${field}.shortestSilence`)
    if (stage.longestSilence !== null) someTime(stage.longestSilence, `${field}.longestSilence`)
  })
  if (given.ignored) within(given.ignored.after, 1, MOST.messages, 'input.ignored.after')
  channels(given.defaultChannels, 'input.defaultChannels')
  atMost(given.channelRules, MOST.rules, 'input.channelRules')
  return {
    ...given,
    channelRules: given.channelRules.map(({ audience, channels: list }, i) => {
      const field = `input.channelRules.${i}`
      if (list.length === 0)
        throw new BadInputError(`${field}.channels`, 'A rule names at least one channel.')
      channels(list, `${field}.channels`)
      return { audience: storedRule(parseRule(audience, `${field}.audience`)), channels: list }
    }),
  }
}

/** The rules of a policy, ready to be asked. */
export function channelRulesOf(policy: ContactPolicy): readonly ChannelRule<Rule>[] {
  return policy.channelRules.map(({ audience, channels }) => ({ audience: readRule(audience), channels }))
}

/** A time of day, HH:MM from 00:00 to 23:59. Throws BadInputError. */
export function localTime(value: string, field: string): string {
  if (/^([01]\d|2[0-3]):[0-5]\d$/.test(value)) return value
  throw new BadInputError(field, `${field} must be a time of day from 00:00 to 23:59, such as 08:00.`)
}

function purposes(list: readonly string[], field: string): void {
  atMost(list, MOST.list, field)
  list.forEach((purpose, i) => {
    if (purpose.length < 1 || purpose.length > 100) {
      throw new BadInputError(`${field}.${i}`, `${field}.${i} must have 1 to 100 characters.`)
    }
  })
}

function atMost(list: readonly unknown[], most: number, field: string): void {
  if (list.length > most) throw new BadInputError(field, `${field} has at most ${most} entries.`)
}

function within(value: number, least: number, most: number, field: string): void {
  if (value < least || value > most) {
    throw new BadInputError(field, `${field} must be from ${least} to ${most}; it is ${value}.`)
  }
}

function someTime(duration: string, field: string): void {
  // A duration of only zeros: nothing ever falls into such a window.
  if (!/[1-9]/.test(duration)) throw new BadInputError(field, `${field} must be longer than nothing.`)
}
