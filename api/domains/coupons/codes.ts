import { createHmac, randomBytes } from 'node:crypto'
import { BadInputError } from '../../platform/errors/index.ts'

/** Crockford's base 32: no letter that looks like a digit, and no U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** Crockford's check symbol counts modulo 37. */
const CHECK = 37
const BITS = 5
const GROUP = 6

/** Symbols of a bulk code before its check symbol: 85 random bits. */
const BULK_SYMBOLS = 17
/** Symbols of a code that works for one member only: 35 random bits. */
const MEMBER_SYMBOLS = 7

const LONGEST_PREFIX = 12
const [SHORTEST_WORD, LONGEST_WORD] = [3, 40]

/**
 * What somebody typed, as it is compared: full-width letters as usual ones, in capitals, without blanks and dashes, O
 * as 0, I and L as 1.
 */
export function foldCode(given: string): string {
  return given
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[\s\p{Pd}_.]/gu, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1')
}

/** A new code of 85 random bits and a check symbol, as it is written: `SPRING-7K2M9Q-…`. */
export function makeBulkCode(prefix = ''): string {
  const code = grouped(randomCode(BULK_SYMBOLS))
  return prefix ? `${prefix}-${code}` : code
}

/** A new code of 35 random bits and a check symbol. */
export function makeMemberCode(): string {
  return grouped(randomCode(MEMBER_SYMBOLS))
}

/** Whether a code that opens nothing looks like one of ours in which something was mistyped. */
export function isMistyped(folded: string): boolean {
  return [BULK_SYMBOLS, MEMBER_SYMBOLS].some((symbols) => {
    const body = folded.slice(-symbols - 1)
    const isOurs = body.length === symbols + 1 && [...body].every((symbol) => ALPHABET.includes(symbol))
    return isOurs && ALPHABET[checkOf(body.slice(0, -1))] !== body.at(-1)
  })
}

/** What is stored of a code, and looked up. */
export function hashCode(key: Uint8Array, given: string): Buffer {
  return createHmac('sha256', key).update(foldCode(given)).digest()
}

/** A prefix as it is written. Throws BadInputError. */
export function checkPrefix(prefix: string | null | undefined, field: string): string {
  const written = (prefix ?? '').normalize('NFKC').toUpperCase()
  if (written.length <= LONGEST_PREFIX && /^[A-Z0-9]*$/.test(written)) return written
  throw new BadInputError(field, `${field} has at most ${LONGEST_PREFIX} letters and digits.`)
}

/** A word that opens a coupon. Throws BadInputError. */
export function checkWord(word: string, field: string): string {
  const folded = foldCode(word)
  const isWord = /^[\p{L}\p{N}]+$/u.test(folded)
  if (isWord && folded.length >= SHORTEST_WORD && folded.length <= LONGEST_WORD) return word
  throw new BadInputError(
    field,
    `${field} has ${SHORTEST_WORD} to ${LONGEST_WORD} letters and digits; blanks and dashes do not count.`,
  )
}

/** Draws until the check symbol is one of the alphabet, which five of the 37 are not. */
function randomCode(symbols: number): string {
  while (true) {
    const body = Array.from(randomBytes(symbols), (byte) => ALPHABET[byte % 2 ** BITS]).join('')
    const check = ALPHABET[checkOf(body)]
    if (check !== undefined) return body + check
  }
}

function checkOf(body: string): number {
  return [...body].reduce((sum, symbol) => (sum * 2 ** BITS + ALPHABET.indexOf(symbol)) % CHECK, 0)
}

function grouped(code: string): string {
  const size = code.length % GROUP === 0 ? GROUP : 4
  return code.match(new RegExp(`.{1,${size}}`, 'g'))?.join('-') ?? code
}
