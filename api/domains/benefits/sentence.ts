import { majorFromMinor } from '../../platform/money.ts'
import type { StatementLine } from './statement.store.ts'

/** The languages that sentences for members are written in. */
export type Language = 'en' | 'ja'

/** What a member had, as a sentence for the member. */
export function sentenceOf(line: StatementLine, language: Language): string {
  const what = typeof line.what === 'string' ? line.what : (line.what[language] ?? line.what.en ?? '')
  const times = Number(line.times)
  const money = moneyOf(line, language)
  const points = (line.points ?? 0n).toLocaleString(language)
  const said = SENTENCES[line.kind]
  return said[language]({ what, times, money, points })
}

interface Said {
  readonly what: string
  readonly times: number
  readonly money: string
  readonly points: string
}

const SENTENCES: Readonly<Record<StatementLine['kind'], Record<Language, (said: Said) => string>>> = {
  DISCOUNT: {
    en: ({ what, money }) => `${money} off: ${what}`,
    ja: ({ what, money }) => `「${what}」で${money}引き`,
  },
  MEMBER_PRICE: {
    en: ({ what, money }) => `Member price for ${what}: ${money} saved`,
    ja: ({ what, money }) => `${what}を会員価格で${money}お得に購入`,
  },
  POINTS: {
    en: ({ what, points }) => `${points} points: ${what}`,
    ja: ({ what, points }) => `「${what}」で${points}ポイント獲得`,
  },
  GIVEN: {
    en: ({ what }) => `Received: ${what}`,
    ja: ({ what }) => `「${what}」を受け取りました`,
  },
  USE: {
    en: ({ what, times }) => (times === 1 ? `Used: ${what}` : `Used ${times} times: ${what}`),
    ja: ({ what, times }) => `「${what}」を${times}回利用`,
  },
  REWARD: {
    en: ({ what, times }) => (times === 1 ? `Reward: ${what}` : `Reward: ${times} × ${what}`),
    ja: ({ what, times }) => `特典「${what}」${times}点`,
  },
}

function moneyOf({ minor, currency }: StatementLine, language: Language): string {
  if (minor === null || currency === null) return ''
  const format = new Intl.NumberFormat(language, { style: 'currency', currency })
  // Intl takes a decimal text exactly; its type wants to know that it is one.
  return format.format(majorFromMinor(minor, currency) as `${number}`)
}
