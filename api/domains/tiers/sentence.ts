/** How much more a tier takes, in words that a member's own page can show. */
import { minorDigits } from '../../platform/money.ts'
import type { LadderFacts } from './store.ts'

/** What is missing, to which tier, until when. */
export interface Missing {
  readonly ladder: LadderFacts
  /** Whether it is about keeping the tier, or about reaching it. */
  readonly isToStay: boolean
  /** The place of the tier on the ladder, from 1. */
  readonly level: number
  /** In the ladder's unit; 0: nothing. */
  readonly missing: bigint
  /** Exclusive; null: there is no end. */
  readonly by: Date | null
  readonly timeZone: string
}

/**
 * The sentence for what is missing. Japanese for `ja` and its regions, English for every other locale. A day that it
 * names is the last one of the tenant's on which it counts.
 */
export function sentence(about: Missing, locale: string): string {
  const isJapanese = /^ja(?:[-_]|$)/i.test(locale)
  const name = about.ladder.names[about.level - 1]
  return isJapanese ? japanese(about, name?.ja ?? '') : english(about, name?.en ?? '')
}

function english({ ladder, missing, by, timeZone, isToStay }: Missing, tier: string): string {
  const day = by ? lastDay(by, timeZone, 'en-GB') : null
  if (missing === 0n) return day ? `You will still be ${tier} after ${day}.` : `You stay ${tier}.`
  const what = {
    POINTS: () => `Earn ${number(missing)} more points`,
    BALANCE: () => `Have ${number(missing)} more points`,
    SPEND: () => `Spend ${money(missing, ladder.unit ?? '', 'en')} more`,
    PURCHASES: () => (missing === 1n ? 'Buy once more' : `Buy ${number(missing)} more times`),
    ACTIVITIES: () => (missing === 1n ? 'Take part once more' : `Take part ${number(missing)} more times`),
  }[ladder.measure]()
  return `${what}${day ? ` by ${day}` : ''} to ${isToStay ? 'stay' : 'become'} ${tier}.`
}

function japanese({ ladder, missing, by, timeZone, isToStay }: Missing, tier: string): string {
  const day = by ? lastDay(by, timeZone, 'ja-JP') : null
  if (missing === 0n) return day ? `${day}を過ぎても${tier}のままです。` : `${tier}のままです。`
  const what = {
    POINTS: () => `あと${number(missing)}ポイントの獲得`,
    BALANCE: () => `あと${number(missing)}ポイントの残高`,
    SPEND: () => `あと${money(missing, ladder.unit ?? '', 'ja')}のお買い上げ`,
    PURCHASES: () => `あと${number(missing)}回のお買い上げ`,
    ACTIVITIES: () => `あと${number(missing)}回のご参加`,
  }[ladder.measure]()
  return `${day ? `${day}までに` : ''}${what}で${isToStay ? `${tier}を維持できます` : `${tier}になります`}。`
}

const number = (amount: bigint) => new Intl.NumberFormat('en').format(amount)

/** An amount of money, exact however large. */
function money(minor: bigint, currency: string, language: string): string {
  const digits = minorDigits(currency)
  const text = String(minor).padStart(digits + 1, '0')
  const exact = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`
  // A decimal as text is formatted exactly; the type does not know that it may be one.
  return new Intl.NumberFormat(language, { style: 'currency', currency }).format(exact as `${number}`)
}

function lastDay(by: Date, timeZone: string, locale: string): string {
  const last = new Date(by.getTime() - 1)
  return new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone }).format(last)
}
