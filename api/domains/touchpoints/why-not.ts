import { ENGLISH, JAPANESE, type Reason, type ReasonWords } from './reasons.ts'

/** What is known of a touch, as far as it explains why a member did not get it. */
export interface TouchStory {
  readonly state:
    | 'PLANNED'
    | 'CLAIMED'
    | 'ACCEPTED'
    | 'DELIVERED'
    | 'REFUSED'
    | 'UNKNOWN'
    | 'NOT_SENT'
    | 'CANCELLED'
  /** The channel that it stands at, or ended at. */
  readonly channel: string
  /** When it is tried next, while it is to come; else when it ended. */
  readonly at: Date
  /** Why it was not sent. */
  readonly reason: Reason | null
  /** What was decided about it, the newest last. */
  readonly decisions: readonly Decision[]
  readonly timeZone: string
}

/** One decision about a touch and a channel. */
export interface Decision {
  readonly channel: string
  readonly decision: 'DEFERRED' | 'NEXT_CHANNEL' | 'NOT_SENT' | 'HELD'
  readonly reason: Reason
}

/** The words of one language. */
interface Wording {
  readonly reasons: ReasonWords
  readonly locale: string
  readonly planned: (at: string) => string
  readonly putOff: (at: string, reason: string) => string
  readonly states: Readonly<Record<'CLAIMED' | 'CANCELLED', string>>
  readonly accepted: (at: string, channel: string) => string
  readonly delivered: (at: string, channel: string) => string
  readonly refused: (at: string, channel: string) => string
  readonly unknown: (at: string, channel: string) => string
  readonly notSent: (reason: string) => string
}

const english: Wording = {
  reasons: ENGLISH,
  locale: 'en-GB',
  planned: (at) => `It is planned for ${at}.`,
  putOff: (at, reason) => `It was put off until ${at}: ${reason}.`,
  states: { CLAIMED: 'It is being sent at this moment.', CANCELLED: 'It was called off before it was sent.' },
  accepted: (at, channel) => `It was sent: ${channel} took it on ${at}.`,
  delivered: (at, channel) => `It arrived: ${channel} said so on ${at}.`,
  refused: (at, channel) => `It was tried, and ${channel} refused it on ${at}.`,
  unknown: (at, channel) => `Nobody can tell whether it arrived: ${channel} gave no clear answer by ${at}.`,
  notSent: (reason) => `It was not sent: ${reason}.`,
}

const japanese: Wording = {
  reasons: JAPANESE,
  locale: 'ja-JP',
  planned: (at) => `${at}に送信予定です。`,
  putOff: (at, reason) => `${reason}ため、${at}まで延期されています。`,
  states: { CLAIMED: '現在送信中です。', CANCELLED: '送信前に取り消されました。' },
  accepted: (at, channel) => `送信済みです。${at}に${channel}が受け付けました。`,
  delivered: (at, channel) => `届いています。${at}に${channel}から到達の報告がありました。`,
  refused: (at, channel) => `送信しましたが、${at}に${channel}が受け付けを拒否しました。`,
  unknown: (at, channel) =>
    `届いたかどうか分かりません。${at}までに${channel}から明確な応答がありませんでした。`,
  notSent: (reason) => `${reason}ため、送信されませんでした。`,
}

/**
 * Why a member did not get a touch, or that it was sent, in one sentence or two. Japanese for `ja` and its regions,
 * English for every other locale. Times are those of the member's zone.
 */
export function whyNot(story: TouchStory, locale: string): string {
  const words = /^ja(?:[-_]|$)/i.test(locale) ? japanese : english
  const { state, channel, decisions } = story
  const at = new Intl.DateTimeFormat(words.locale, {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: story.timeZone,
  }).format(story.at)
  switch (state) {
    case 'PLANNED': {
      const last = decisions.at(-1)
      const isPutOff = last?.decision === 'DEFERRED' || last?.decision === 'HELD'
      return isPutOff ? words.putOff(at, words.reasons[last.reason](last.channel)) : words.planned(at)
    }
    case 'CLAIMED':
    case 'CANCELLED':
      return words.states[state]
    case 'ACCEPTED':
      return words.accepted(at, channel)
    case 'DELIVERED':
      return words.delivered(at, channel)
    case 'REFUSED':
      return words.refused(at, channel)
    case 'UNKNOWN':
      return words.unknown(at, channel)
    case 'NOT_SENT':
      return words.notSent(words.reasons[story.reason ?? 'CANCELLED'](placeOf(story)))
  }
}

/** The channel that the reason is about; with several, that need not be the last one. */
function placeOf({ reason, decisions, channel }: TouchStory): string {
  return decisions.find((each) => each.reason === reason)?.channel ?? channel
}
