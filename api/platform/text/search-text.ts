import { FOLDING_VERSION, hiragana, plain } from './folding.ts'
import { gramsNeeded, gramsOf } from './grams.ts'
import { wordsOf } from './words.ts'

/** A text as the table search_document keeps it. */
export interface SearchText {
  /** The normalised title, or nothing. */
  readonly title: string
  /** Title and body, normalised: what a search is checked against. */
  readonly norm: string
  /** What it is found by. */
  readonly grams: string[]
  /** Its whole words; they decide about the order, never about what is found. */
  readonly words: string[]
  readonly version: number
}

/** The one way in which texts are made ready for search. Title and body are as people read them, without marks. */
export function searchText(text: { readonly title?: string | null; readonly body: string }): SearchText {
  const [title, body] = [plain(text.title ?? ''), plain(text.body)]
  const norm = hiragana(title === '' ? body : `${title}\n${body}`)
  return {
    title: hiragana(title),
    norm,
    grams: gramsOf(norm),
    words: wordsOf(`${title}\n${body}`),
    version: FOLDING_VERSION,
  }
}

/** What somebody looks for, in the same terms. */
export interface SearchQuery {
  /** All of these stand in what is found, and each is looked up by its grams. */
  readonly pieces: readonly { readonly text: string; readonly grams: string[] }[]
  /** Regular expressions that match in it as well: words whose final ー may be there or not. */
  readonly patterns: string[]
  /** Whole words; they lift what has them. */
  readonly words: string[]
}

/** Where a final ー may stand; no text has this character. */
const OPTIONAL = '\u0000'
const KATAKANA_WORD = /(?<core>[ァ-ヺ][ァ-ヺー]+[ァ-ヺ])ー*(?![ァ-ヺー])/gu
const KANA_WORD = /(?<core>[ぁ-ゖ][ぁ-ゖー]+[ぁ-ゖ])ー+(?![ぁ-ゖー])/gu
const SPECIAL = /[!-/:-@[-`{-~]/g

/** Makes ready what somebody typed: terms between blanks, all of which must be found. */
export function searchQuery(typed: string): SearchQuery {
  const text = plain(typed)
  const terms = text
    .split(' ')
    .map((term) =>
      hiragana(term.replace(KATAKANA_WORD, `$<core>${OPTIONAL}`))
        .replace(KANA_WORD, `$<core>${OPTIONAL}`)
        .split(OPTIONAL)
        .filter((piece) => piece !== ''),
    )
    .filter((pieces) => pieces.length > 0)
  return {
    pieces: [...new Set(terms.flat())].map((piece) => ({ text: piece, grams: gramsNeeded(piece) })),
    patterns: terms
      .filter((term) => term.length > 1)
      .map((term) => term.map((piece) => piece.replace(SPECIAL, '\\$&')).join('ー?')),
    words: wordsOf(text),
  }
}

/** What to look for texts by that are like a text: pairs of characters and words of its title, and of the rest. */
export interface Likeness {
  readonly grams: string[]
  readonly words: string[]
  /** Those of the rest alone. */
  readonly bodyGrams: string[]
  readonly bodyWords: string[]
}

/** Pairs of characters and words of a text, to look for texts that are like it. */
export function likenessOf(text: { readonly title: string; readonly body?: string | null }): Likeness {
  const [title, body] = [plain(text.title), plain(text.body ?? '')]
  const [grams, words] = [gramsNeeded(hiragana(title)), wordsOf(title)]
  return {
    grams,
    words,
    bodyGrams: without(gramsNeeded(hiragana(body)), grams),
    bodyWords: without(wordsOf(body), words),
  }
}

function without(all: readonly string[], known: readonly string[]): string[] {
  const out = new Set(known)
  return all.filter((each) => !out.has(each))
}
