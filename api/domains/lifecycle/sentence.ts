/** What a freshness means, in words that a member's own page can show. */

/** Who the sentence is about. */
export interface SentenceSubject {
  /** False before the first purchase, when nothing can have been bought again. Default true. */
  readonly hasBought?: boolean
}

interface Wording {
  /** Shares of tenths: the entry at n says n in ten; the first and the last say nearly none and nearly all. */
  readonly shares: readonly string[]
  /** Marks a share as rounded. */
  readonly about: (share: string) => string
  readonly sentence: (share: string, hasBought: boolean) => string
  /** Where the language needs another sentence for nearly nobody. */
  readonly hardlyAny?: (hasBought: boolean) => string
}

const ENGLISH: Wording = {
  shares: [
    'hardly any',
    'one in ten',
    'one in five',
    'three in ten',
    'two in five',
    'one in two',
    'three in five',
    'seven in ten',
    'four in five',
    'nine in ten',
    'almost all',
  ],
  about: (share) => `about ${share}`,
  sentence: (share, hasBought) =>
    `${share} active members with this rhythm would have ${hasBought ? 'bought again' : 'made their first purchase'} by now`,
}

const JAPANESE: Wording = {
  shares: [
    'ほとんどの人',
    '10人に1人',
    '5人に1人',
    '10人に3人',
    '5人に2人',
    '2人に1人',
    '5人に3人',
    '10人に7人',
    '5人に4人',
    '10人に9人',
    'ほとんどの人',
  ],
  about: (share) => `およそ${share}`,
  sentence: (share, hasBought) =>
    `${japaneseSubject(hasBought)}、${share}がすでに${japanesePurchase(hasBought)}をしている頃です`,
  hardlyAny: (hasBought) =>
    `${japaneseSubject(hasBought)}、ほとんどの人がまだ${japanesePurchase(hasBought)}をしていない頃です`,
}

const japaneseSubject = (hasBought: boolean) =>
  hasBought ? '同じ購入ペースの現役会員なら' : '同じ時期に登録した現役会員なら'
const japanesePurchase = (hasBought: boolean) => (hasBought ? '次の購入' : '最初の購入')

/**
 * The sentence for a freshness between 0 and 1: of active members with this rhythm, how many would have bought
 * again by now. Japanese for `ja` and its regions, English for every other locale. Without a full stop, for the
 * page around it to place. A share is rounded to a tenth, and "about" says so when it is off by half a percent.
 */
export function sentence(freshness: number, locale: string, subject: SentenceSubject = {}): string {
  const wording = /^ja(?:[-_]|$)/i.test(locale) ? JAPANESE : ENGLISH
  const hasBought = subject.hasBought ?? true
  const bought = 1 - freshness
  const tenths = Math.round(bought * 10)
  if (tenths === 0 && wording.hardlyAny) return wording.hardlyAny(hasBought)
  const share = wording.shares[tenths] ?? ''
  const isVague = tenths === 0 || tenths === 10
  const isExact = Math.abs(bought - tenths / 10) < 0.005
  return wording.sentence(isVague || isExact ? share : wording.about(share), hasBought)
}
