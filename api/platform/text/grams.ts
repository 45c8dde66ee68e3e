/** Scripts that are written without gaps between words: found by each character and each pair of neighbours. */
const DENSE =
  '\\p{sc=Han}\\p{sc=Hira}\\p{sc=Kana}\\p{sc=Hang}\\p{sc=Thai}\\p{sc=Laoo}\\p{sc=Khmr}\\p{sc=Mymr}ー々〆〇'
const RUN = new RegExp(
  `(?<dense>(?:[${DENSE}]\\p{M}*)+)|(?<sparse>(?:(?![${DENSE}])[\\p{L}\\p{N}]\\p{M}*)+)|(?<sign>\\p{Extended_Pictographic})`,
  'gu',
)
const PART = /\p{N}+|[^\p{N}]+/gu

/** Words are found by their beginnings from this many letters on. */
const SHORTEST_PREFIX = 3
/** No longer beginnings than this are kept; the rest is looked up in the text itself. */
const LONGEST_PREFIX = 16

/** All that a normalised text can be found by: characters and pairs, words and their beginnings. */
export function gramsOf(text: string): string[] {
  const grams = new Set<string>()
  for (const { groups } of text.matchAll(RUN)) {
    if (groups?.dense) {
      const letters = Array.from(groups.dense)
      for (const [place, letter] of letters.entries()) {
        grams.add(letter)
        const next = letters[place + 1]
        if (next !== undefined) grams.add(letter + next)
      }
    } else if (groups?.sparse) {
      for (const word of [groups.sparse, ...(groups.sparse.match(PART) ?? [])]) addPrefixes(grams, word)
    } else if (groups?.sign) grams.add(groups.sign)
  }
  return [...grams]
}

function addPrefixes(grams: Set<string>, word: string): void {
  const letters = Array.from(word)
  grams.add(letters.slice(0, LONGEST_PREFIX).join(''))
  for (let end = SHORTEST_PREFIX; end < Math.min(letters.length, LONGEST_PREFIX); end += 1)
    grams.add(letters.slice(0, end).join(''))
}

/** The fewest that a text which contains this normalised piece must have. */
export function gramsNeeded(piece: string): string[] {
  const grams = new Set<string>()
  for (const { groups } of piece.matchAll(RUN)) {
    if (groups?.dense) {
      const letters = Array.from(groups.dense)
      if (letters.length === 1) grams.add(groups.dense)
      for (const [place, letter] of letters.slice(0, -1).entries()) grams.add(letter + letters[place + 1])
    } else if (groups?.sparse) grams.add(Array.from(groups.sparse).slice(0, LONGEST_PREFIX).join(''))
    else if (groups?.sign) grams.add(groups.sign)
  }
  return [...grams]
}
