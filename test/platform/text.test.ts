import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  FOLDING_VERSION,
  folded,
  likenessOf,
  normalised,
  searchQuery,
  searchText,
} from '../../api/platform/text/index.ts'

test.each([
  ['half-width kana and full-width Latin', 'ﾎﾟｲﾝﾄ ＡＢＣ', 'ぽいんと abc'],
  ['squared words and circled numbers', '㌔ ㈱ ①', 'きろ (株) 1'],
  ['composed and decomposed letters', 'か\u3099 が', 'が が'],
  ['katakana', 'カフェ ヴ ヽ', 'かふぇ ゔ ゝ'],
  ['the small ke and ka of counters and places', '茅ヶ崎 茅ケ崎 ヵ月', '茅け崎 茅け崎 か月'],
  ['variants of kanji in names', '髙﨑 渡邊 渡邉 齋藤 斎藤 𠮷野', '高崎 渡辺 渡辺 斉藤 斉藤 吉野'],
  ['dashes and minus signs', '03‐1234–5678—9−0', '03-1234-5678-9-0'],
  ['wave dashes', '10〜20～30', '10~20~30'],
  ['what is not to be seen', '東\u200b京\ufeff都\u00ad 葛\u{e0100}', '東京都 葛'],
  ['letters beyond 16 bits', '𩸽', '𩸽'],
  ['gaps of every kind', ' a\u3000b\t\u00a0c \n d ', 'a b c d'],
  ['lines broken within Japanese text', '東京\nタワー\n\n大阪 line\nbreak', '東京たわー 大阪 line break'],
  ['letters of other cases', 'Straße ΣΟΦΟΣ', 'strasse σοφοσ'],
])('folding makes one of %s', (_, text, expected) => {
  expect(normalised(text)).toBe(expected)
})

test('the final long vowel of words of four characters and more makes no difference', () => {
  expect(['サーバー', 'サーバ', 'ｻｰﾊﾞｰ', 'さーばー'].map(folded)).toEqual(Array(4).fill('さーば'))
  expect(['コピー', 'カレー', 'バー'].map(folded)).toEqual(['こぴー', 'かれー', 'ばー'])
  expect(folded('サーバーの設定とメーカー')).toBe('さーばの設定とめーか')
})

test('folding what is folded changes nothing', () => {
  const any = fc.integer({ min: 0, max: 0x10ffff }).map((point) => String.fromCodePoint(point))
  const letters = fc.string({
    maxLength: 20,
    unit: fc.oneof(fc.constantFrom(...'ーカかがｶﾞ髙ß〜−ΣİＡ\u200b \n'), any),
  })
  fc.assert(
    fc.property(letters, (text) => {
      expect(normalised(normalised(text))).toBe(normalised(text))
      expect(folded(folded(text))).toBe(folded(text))
    }),
  )
})

test('a text is kept as characters, pairs, words and their beginnings', () => {
  const { title, norm, grams, words, version } = searchText({ title: '東京都', body: 'iPhone15の充電' })
  expect({ title, norm, version }).toEqual({
    title: '東京都',
    norm: '東京都\niphone15の充電',
    version: FOLDING_VERSION,
  })
  expect(grams).toEqual([
    ...['東', '東京', '京', '京都', '都'],
    ...['iphone15', 'iph', 'ipho', 'iphon', 'iphone', 'iphone1', '15'],
    ...['の', 'の充', '充', '充電', '電'],
  ])
  expect(words).toEqual(['東京', '都', 'iphone15', '充電'])
})

test('pairs are of neighbours only, and of whole characters', () => {
  expect(searchText({ body: '𠮷野、家' }).grams).toEqual(['吉', '吉野', '野', '家'])
  expect(searchText({ body: '𩸽と🍜' }).grams).toEqual(['𩸽', '𩸽と', 'と', '🍜'])
  expect(searchText({ body: 'なか' }).grams).not.toContain('かな')
})

test('a very long word costs no more than its beginnings', () => {
  expect(searchText({ body: 'x'.repeat(100_000) }).grams).toHaveLength(14)
})

test('a query needs the fewest grams, and every term of it', () => {
  expect(searchQuery('iPhone15 の　充電器')).toEqual({
    pieces: [
      { text: 'iphone15', grams: ['iphone15'] },
      { text: 'の', grams: ['の'] },
      { text: '充電器', grams: ['充電', '電器'] },
    ],
    patterns: [],
    words: ['iphone15', '充電器'],
  })
  expect(searchQuery(' 、 ').pieces).toEqual([{ text: '、', grams: [] }])
})

test('within a query a final long vowel may be there or not', () => {
  const query = searchQuery('サーバの(設定)')
  const pieces = (typed: string) => searchQuery(typed).pieces.map(({ text }) => text)
  expect(pieces('サーバの(設定)')).toEqual(['さーば', 'の(設定)'])
  expect(query.patterns).toEqual(['さーばー?の\\(設定\\)'])
  expect(searchQuery('サーバーの(設定)')).toMatchObject(query)
  expect(pieces('さーばー')).toEqual(['さーば'])
  expect(pieces('カレー')).toEqual(['かれー'])
})

const TEXT =
  'スープカレーのサーバーの話。メーカーズ・データー分析、iPhone15でﾎﾟｲﾝﾄを3倍に！髙島屋の渡邉さん〜東京都議会。'

test('every part of a Japanese text is found by what it needs', () => {
  const letters = Array.from(TEXT.normalize('NFKC'))
  const kept = searchText({ body: TEXT })
  const isDense = (term: string) => !/[\da-z]/i.test(term)
  const terms = letters.flatMap((_, at) =>
    [1, 2, 3, 4, 7, 12].map((size) => letters.slice(at, at + size).join('')),
  )
  const lost = terms.filter(isDense).filter((term) => {
    const query = searchQuery(term)
    return !(
      query.pieces.every(({ grams }) => grams.every((gram) => kept.grams.includes(gram))) &&
      query.pieces.every(({ text }) => kept.norm.includes(text)) &&
      query.patterns.every((pattern) => new RegExp(pattern, 'u').test(kept.norm))
    )
  })
  expect(terms.filter(isDense).length).toBeGreaterThan(200)
  expect(lost).toEqual([])
})

test('likeness is told by pairs and words, never by single characters, and by those of a title apart', () => {
  expect(likenessOf({ title: '配送', body: '配送の状況は？' })).toEqual({
    ...{ grams: ['配送'], words: ['配送'] },
    ...{ bodyGrams: ['送の', 'の状', '状況', '況は'], bodyWords: ['状況'] },
  })
})
