/** A move of points in a sentence, in the member's language. */

/** What the sentence tells. */
export interface Move {
  readonly amount: bigint
  readonly from: string
  readonly to: string
  /** Why, in words for the member. */
  readonly reason: string | null
  /** The rule that points came from, as they are issued. */
  readonly rule: { readonly key: string; readonly version: number } | null
  /** What the rule would have given, and what limits took of it. */
  readonly cuts: { readonly points: bigint; readonly cap: bigint; readonly budget: bigint } | null
  /** By what the rule multiplied. */
  readonly multipliers: readonly string[]
  /** When points that become available die. */
  readonly expiresAt: Date | null
}

interface Wording {
  readonly buckets: Readonly<Record<string, string>>
  sentence(move: Move, from: string, to: string): string
}

const ENGLISH: Wording = {
  buckets: {},
  sentence({ amount, reason, rule, multipliers, cuts, expiresAt }, from, to) {
    return `${[
      `${amount} points ${from} → ${to}${reason ? `: ${reason}` : ''}`,
      ...(rule ? [`by the rule ${rule.key} (version ${rule.version})`] : []),
      ...(multipliers.length > 0 ? [`multiplied by ${multipliers.join(' and ')}`] : []),
      ...(cuts ? [`of ${cuts.points} points by the rule`] : []),
      ...(cuts && cuts.cap > 0n ? [`${cuts.cap} were over the limit for each member`] : []),
      ...(cuts && cuts.budget > 0n ? [`${cuts.budget} were over the budget`] : []),
      ...(expiresAt ? [`good until ${dateOf(expiresAt)}`] : []),
    ].join(', ')}.`
  },
}

const JAPANESE: Wording = {
  buckets: {
    ...{ issue: '発行', pending: '保留', available: '利用可能', held: '確保', spent: '利用済み' },
    ...{ expired: '失効', revoked: '取消' },
  },
  sentence({ amount, reason, rule, multipliers, cuts, expiresAt }, from, to) {
    return `${[
      `${amount}ポイント ${from} → ${to}${reason ? `：${reason}` : ''}`,
      ...(rule ? [`ルール${rule.key}（第${rule.version}版）による`] : []),
      ...(multipliers.length > 0 ? [`${multipliers.map((by) => `${by}倍`).join('、')}`] : []),
      ...(cuts ? [`ルールでは${cuts.points}ポイント`] : []),
      ...(cuts && cuts.cap > 0n ? [`会員ごとの上限で${cuts.cap}ポイント減`] : []),
      ...(cuts && cuts.budget > 0n ? [`予算の上限で${cuts.budget}ポイント減`] : []),
      ...(expiresAt ? [`${dateOf(expiresAt)}まで有効`] : []),
    ].join('、')}。`
  },
}

const dateOf = (at: Date) => at.toISOString().slice(0, 10)

/** The move as a sentence, in Japanese or else in English. */
export function moveSentence(move: Move, locale: string): string {
  const wording = locale.split('-')[0] === 'ja' ? JAPANESE : ENGLISH
  const word = (bucket: string) => wording.buckets[bucket.toLowerCase()] ?? bucket.toLowerCase()
  return wording.sentence(move, word(move.from), word(move.to))
}
