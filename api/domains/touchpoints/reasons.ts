/** Why a touch is not sent, or not yet, or not this way. */
export type Reason =
  | 'NO_CONSENT'
  | 'SUPPRESSED'
  | 'UNREACHABLE'
  | 'PAUSED'
  | 'QUIET_HOURS'
  | 'FREQUENCY_CAP'
  | 'TOO_SOON'
  | 'STAGE_POLICY'
  | 'IGNORED'
  | 'OUTRANKED'
  | 'QUOTA'
  | 'CIRCUIT_OPEN'
  | 'CHANNEL_DISABLED'
  | 'CHANNEL_MISSING'
  | 'CONTENT'
  | 'EXPIRED'
  | 'MEMBERSHIP_ENDED'
  | 'PROVIDER'
  | 'CANCELLED'
  | 'NOT_IN_AUDIENCE'
  | 'NO_ACCESS'
  | 'NOTHING_TO_SAY'

/** A reason in words: a whole clause, such as "the member has not agreed to this purpose on email". */
export type ReasonWords = Readonly<Record<Reason, (channel: string) => string>>

/** In English, to stand after a colon. */
export const ENGLISH: ReasonWords = {
  NO_CONSENT: (channel) => `the member has not agreed to messages of this purpose on ${channel}`,
  SUPPRESSED: (channel) => `nothing goes to the member's address on ${channel} any more`,
  UNREACHABLE: (channel) => `no address of the member is known for ${channel}`,
  PAUSED: () => 'a pause was asked for',
  QUIET_HOURS: () => 'it is a quiet hour where the member lives',
  FREQUENCY_CAP: () => 'the member got as many messages as are allowed',
  TOO_SOON: () => 'the last message is not long enough ago',
  STAGE_POLICY: () => "the member's stage allows no such message",
  IGNORED: (channel) => `the member did not react to the last messages on ${channel}`,
  OUTRANKED: () => 'another message to the member is more important',
  QUOTA: (channel) => `the budget of ${channel} is used up`,
  CIRCUIT_OPEN: (channel) => `${channel} failed too often in a row, and rests`,
  CHANNEL_DISABLED: (channel) => `${channel} is switched off, or cannot be used as it is configured`,
  CHANNEL_MISSING: (channel) => `${channel} is not set up`,
  CONTENT: (channel) => `the template could not be written out for ${channel}`,
  EXPIRED: () => 'its time was over',
  MEMBERSHIP_ENDED: () => 'the membership has ended',
  PROVIDER: (channel) => `${channel} did not take it`,
  CANCELLED: () => 'it was called off',
  NOT_IN_AUDIENCE: () => 'the member did not match the audience when it was sent',
  NO_ACCESS: () => 'the member may no longer see what it tells of',
  NOTHING_TO_SAY: () => 'nothing was left to tell: it was read, taken back, or may not be seen',
}

/** In Japanese, to stand before 「ため」. */
export const JAPANESE: ReasonWords = {
  NO_CONSENT: (channel) => `${channel}でのこの目的の連絡に会員が同意していない`,
  SUPPRESSED: (channel) => `${channel}の宛先が配信停止になっている`,
  UNREACHABLE: (channel) => `${channel}の宛先が登録されていない`,
  PAUSED: () => '連絡の一時停止中である',
  QUIET_HOURS: () => '会員の地域が連絡を控える時間帯である',
  FREQUENCY_CAP: () => '送信回数の上限に達している',
  TOO_SOON: () => '前回の連絡から十分な間隔が空いていない',
  STAGE_POLICY: () => '会員の現在のステージではこの連絡を行わない',
  IGNORED: (channel) => `${channel}での最近の連絡に反応がない`,
  OUTRANKED: () => 'より優先度の高い連絡がある',
  QUOTA: (channel) => `${channel}の送信枠を使い切っている`,
  CIRCUIT_OPEN: (channel) => `${channel}で障害が続き、休止している`,
  CHANNEL_DISABLED: (channel) => `${channel}が無効か、設定に不備がある`,
  CHANNEL_MISSING: (channel) => `${channel}が設定されていない`,
  CONTENT: (channel) => `${channel}向けの文面を作成できない`,
  EXPIRED: () => '有効期限が過ぎた',
  MEMBERSHIP_ENDED: () => '退会済みである',
  PROVIDER: (channel) => `${channel}が受け付けなかった`,
  CANCELLED: () => '取り消された',
  NOT_IN_AUDIENCE: () => '送信時に会員が対象者の条件に当てはまらなかった',
  NO_ACCESS: () => '会員が内容を閲覧できなくなった',
  NOTHING_TO_SAY: () => '既読・取り消し・閲覧不可により、お知らせする内容がない',
}
