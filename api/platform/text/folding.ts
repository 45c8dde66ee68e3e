/** Grows with every change of what folding or cutting makes of a text; what is older is indexed anew. */
const RULES = 1

/** The version of what is indexed: our rules, and the Unicode of this Node. */
export const FOLDING_VERSION = RULES * 1000 + Math.round(Number(process.versions.unicode) * 10)

/** Letters that look or mean the same in names and words; the first of each line stands for all of it. */
const VARIANTS = [
  '高髙',
  '崎﨑嵜碕',
  '辺邊邉',
  '斉齋斎齊',
  '浜濱濵',
  '沢澤',
  '広廣',
  '国國',
  '円圓',
  '桜櫻',
  '島嶋嶌',
  '富冨',
  '恵惠',
  '真眞',
  '徳德',
  '竜龍',
  '滝瀧',
  '淵渕',
  '岳嶽',
  '曽曾',
  '学學',
  '栄榮',
  '実實',
  '寿壽',
  '静靜',
  '黒黑',
  '与與',
  '礼禮',
  '関關',
  '鉄鐵',
  '団團',
  '弥彌',
  '荘莊',
  '蔵藏',
  '館舘',
  '橋槗𣘺',
  '柳栁栢',
  '桑桒',
  '万萬',
  '吉𠮷',
  '船舩',
  '会會',
  '鴎鷗',
  'σς',
] as const

const VARIANT = new Map(
  VARIANTS.flatMap((line) => {
    const [first, ...others] = Array.from(line)
    return others.map((other) => [other, first ?? other] as const)
  }),
)
const VARIANT_LETTER = new RegExp(`[${[...VARIANT.keys()].join('')}]`, 'gu')

const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cs}]/gu
const WAVES = /[〜～∼∾˜〰]/gu
const DASHES = /[\p{Pd}−⁃─━]/gu
const CONTROL = /[^\P{Cc}\n]+/gu
/** A line broken within Japanese text is no gap. */
const BROKEN_LINE =
  /(?<=[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}ー、。]) *\n *(?=[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}ー])/gu
const GAP = /\s+/gu
const KATAKANA = /[ァ-ヶヽヾ]/gu
/** From katakana to hiragana. */
const SHIFT = 0x60

/** As `folded`, still in katakana where it was so, and nothing dropped: what words are cut from. */
export function plain(text: string): string {
  return text
    .replace(INVISIBLE, '')
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFKC')
    .replace(INVISIBLE, '')
    .replace(WAVES, '~')
    .replace(DASHES, '-')
    .replaceAll('ß', 'ss')
    .replace(VARIANT_LETTER, (letter) => VARIANT.get(letter) ?? letter)
    .replace(CONTROL, ' ')
    .replace(BROKEN_LINE, '')
    .replace(GAP, ' ')
    .trim()
}

/** Katakana as hiragana. */
export function hiragana(text: string): string {
  return text
    .replace(KATAKANA, (letter) => {
      if (letter === 'ヵ') return 'か'
      if (letter === 'ヶ') return 'け'
      return String.fromCodePoint((letter.codePointAt(0) ?? 0) - SHIFT)
    })
    .replace(/[ゕゖ]/gu, (letter) => (letter === 'ゕ' ? 'か' : 'け'))
}

/**
 * A text as it is searched in: NFKC, lower case, hiragana for katakana, one letter for all its variants, one dash and
 * one wave for all of theirs, one blank for each gap, and nothing that is not to be seen.
 */
export function normalised(text: string): string {
  return hiragana(plain(text))
}

const KATAKANA_END = /(?<=[ァ-ヺ][ァ-ヺー][ァ-ヺ])ー+(?![ァ-ヺー])/gu
const KANA_END = /(?<=[ぁ-ゖ][ぁ-ゖー][ぁ-ゖ])ー+(?![ぁ-ゖー])/gu

/**
 * A word or a name as it is compared: `normalised`, without the final ー of words of four characters and more, so that
 * サーバー, サーバ, ｻｰﾊﾞｰ and さーばー are one. To look for a word within a text, look for the folded word in the
 * normalised text: カレー is in スープカレー, which ends in one that folding drops.
 *
 * @example folded('髙橋 ﾒｰｶｰ') // '高橋 めーか'
 */
export function folded(text: string): string {
  return hiragana(plain(text).replace(KATAKANA_END, '')).replace(KANA_END, '')
}
