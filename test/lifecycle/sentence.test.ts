import { expect, test } from 'vitest'
import { sentence } from '../../api/domains/lifecycle/sentence.ts'

const WORDS = ['hardly any', 'one in ten', 'one in five', 'three in ten', 'two in five', 'one in two']
const MORE = ['three in five', 'seven in ten', 'four in five', 'nine in ten', 'almost all']
const scores = Array.from({ length: 1_001 }, (_, i) => i / 1_000)

test('A freshness of a fifth reads as in the design, in English and Japanese', () => {
  expect(sentence(0.2, 'en')).toBe(
    'four in five active members with this rhythm would have bought again by now',
  )
  expect(sentence(0.2, 'ja')).toBe('同じ購入ペースの現役会員なら、5人に4人がすでに次の購入をしている頃です')
})

test('The ends say nearly none and nearly all', () => {
  expect(sentence(1, 'en')).toBe('hardly any active members with this rhythm would have bought again by now')
  expect(sentence(0, 'en')).toBe('almost all active members with this rhythm would have bought again by now')
  expect(sentence(1, 'ja')).toBe('同じ購入ペースの現役会員なら、ほとんどの人がまだ次の購入をしていない頃です')
  expect(sentence(0, 'ja')).toBe('同じ購入ペースの現役会員なら、ほとんどの人がすでに次の購入をしている頃です')
})

test('Every freshness gets a share within a twentieth of the truth, marked as rounded where it is', () => {
  for (const score of scores) {
    const text = sentence(score, 'en')
    const said = [...WORDS, ...MORE].findIndex((share) =>
      text.replace('about ', '').startsWith(`${share} active`),
    )
    expect(Math.abs(said / 10 - (1 - score))).toBeLessThanOrEqual(0.05 + 1e-9)
    const isExact = Math.abs(said / 10 - (1 - score)) < 0.005
    if (said > 0 && said < 10) expect(text.startsWith('about ')).toBe(!isExact)
  }
})

test('Every freshness gets the same share in Japanese as in English', () => {
  const fraction = (text: string) => /(\d+)人に(\d+)人/.exec(text)?.slice(1).map(Number)
  for (const score of scores) {
    const [of, many] = fraction(sentence(score, 'ja')) ?? []
    const tenths = Math.round((1 - score) * 10)
    if (of && many) expect(many / of).toBeCloseTo(tenths / 10, 12)
    else expect([0, 10]).toContain(tenths)
    expect(sentence(score, 'ja').includes('およそ')).toBe(sentence(score, 'en').startsWith('about '))
  }
})

test('Before the first purchase nobody is said to buy again', () => {
  for (const score of scores) {
    expect(sentence(score, 'en', { hasBought: false })).not.toContain('again')
    expect(sentence(score, 'ja', { hasBought: false })).not.toContain('次の')
  }
  expect(sentence(0.5, 'en', { hasBought: false })).toBe(
    'one in two active members with this rhythm would have made their first purchase by now',
  )
  expect(sentence(0.47, 'ja', { hasBought: false })).toBe(
    '同じ時期に登録した現役会員なら、およそ2人に1人がすでに最初の購入をしている頃です',
  )
})

test.each([
  ['ja-JP', 'ja'],
  ['ja_JP', 'ja'],
  ['JA', 'ja'],
  ['ja-Latn', 'ja'],
  ['en-GB', 'en'],
  ['fr', 'en'],
  ['jam', 'en'],
  ['', 'en'],
])('The locale "%s" reads as %s', (locale, language) => {
  expect(sentence(0.3, locale)).toBe(sentence(0.3, language))
})
