/**
 * Formulas of earn rules: whole-number arithmetic over named amounts. Here a formula is checked before it is stored;
 * earn_formula_compile of 0018_earning.sql puts it in order, and the database computes it, in exact fractions.
 *
 *     formula  = sum
 *     sum      = product { ("+" | "-") product }
 *     product  = unary { ("*" | "/") unary }
 *     unary    = "-" unary | number | name | function "(" sum { "," sum } ")" | "(" sum ")"
 *     function = floor | ceil | round (of one), min | max (of up to ten)
 */

/** The most characters of a formula. */
export const LONGEST_FORMULA = 200
const DEEPEST = 20

const ARITY: Readonly<Record<string, number>> = { floor: 1, ceil: 1, round: 1, min: 10, max: 10 }

/** A formula that is none, with what is wrong. */
class FormulaFault extends Error {}

/**
 * What is wrong with a formula, in words that end a sentence which begins with its name; undefined when it is one.
 * `names` are the names that it may use; without them any will do.
 */
export function formulaFault(text: string, names?: readonly string[]): string | undefined {
  if (text.length > LONGEST_FORMULA) return `must have at most ${LONGEST_FORMULA} characters`
  try {
    new Reader(text, names).whole()
    return undefined
  } catch (error) {
    if (error instanceof FormulaFault) return error.message
    throw error
  }
}

const TOKEN = / *(?:(\d+(?:\.\d+)?)|([A-Za-z]\w*)|([-+*/(),]))/y

class Reader {
  readonly #text: string
  readonly #names: readonly string[] | undefined
  readonly #tokens: {
    readonly is: 'number' | 'name' | 'sign'
    readonly text: string
    readonly at: number
  }[] = []
  #next = 0

  constructor(text: string, names: readonly string[] | undefined) {
    this.#text = text
    this.#names = names
    TOKEN.lastIndex = 0
    const end = text.trimEnd().length
    while (TOKEN.lastIndex < end) {
      const from = TOKEN.lastIndex
      const found = TOKEN.exec(text)
      if (!found) throw new FormulaFault(`has something unknown at character ${from + 1}`)
      const [, number, name, sign] = found
      const token = number ?? name ?? sign ?? ''
      const is = number !== undefined ? 'number' : name !== undefined ? 'name' : 'sign'
      this.#tokens.push({ is, text: token, at: TOKEN.lastIndex - token.length + 1 })
    }
  }

  whole(): void {
    if (this.#tokens.length === 0) throw new FormulaFault('must not be empty')
    this.#sum(0)
    const left = this.#tokens[this.#next]
    if (left) throw new FormulaFault(`does not go on with "${left.text}" at character ${left.at}`)
  }

  #sum(depth: number): void {
    this.#product(depth)
    while (this.#takes('+') || this.#takes('-')) this.#product(depth)
  }

  #product(depth: number): void {
    this.#unary(depth)
    while (this.#takes('*') || this.#takes('/')) this.#unary(depth)
  }

  #unary(depth: number): void {
    if (depth > DEEPEST) throw new FormulaFault(`must not nest more than ${DEEPEST} deep`)
    if (this.#takes('-')) this.#unary(depth + 1)
    else if (this.#takes('(')) {
      this.#sum(depth + 1)
      this.#expect(')')
    } else this.#primary(depth)
  }

  #primary(depth: number): void {
    const token = this.#tokens[this.#next]
    if (!token || token.is === 'sign')
      throw new FormulaFault(`lacks a number or a name at character ${this.#at}`)
    this.#next++
    const arity = ARITY[token.text]
    if (token.is === 'number') this.#number(token.text)
    else if (arity === undefined) this.#name(token.text)
    else this.#arguments(token.text, arity, depth + 1)
  }

  #arguments(name: string, arity: number, depth: number): void {
    this.#expect('(')
    let given = 0
    do {
      this.#sum(depth)
      if (++given > arity) throw new FormulaFault(`gives ${name} more than ${arity}`)
    } while (this.#takes(','))
    this.#expect(')')
  }

  #number(text: string): void {
    if (!/^\d{1,18}(\.\d{1,6})?$/.test(text))
      throw new FormulaFault(`has numbers of at most 18 digits and 6 decimals, not ${text}`)
  }

  #name(name: string): void {
    if (name.length > 40) throw new FormulaFault('has names of at most 40 characters')
    if (this.#names && !this.#names.includes(name))
      throw new FormulaFault(`knows only ${this.#names.join(', ')}, not ${name}`)
  }

  #takes(sign: string): boolean {
    const token = this.#tokens[this.#next]
    if (token?.is !== 'sign' || token.text !== sign) return false
    this.#next++
    return true
  }

  #expect(sign: string): void {
    if (!this.#takes(sign)) throw new FormulaFault(`lacks a "${sign}" at character ${this.#at}`)
  }

  /** Where reading stands. */
  get #at(): number {
    return this.#tokens[this.#next]?.at ?? this.#text.trimEnd().length + 1
  }
}
