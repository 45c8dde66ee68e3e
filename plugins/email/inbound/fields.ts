import { decodeWords } from 'postal-mime'
import { decodeText } from './charset.ts'

/** Header fields, or the fields of a report: names in lower case, values unfolded, in their order. */
export class Fields {
  readonly #fields: readonly (readonly [name: string, value: string])[]

  constructor(fields: readonly (readonly [name: string, value: string])[]) {
    this.#fields = fields
  }

  /** The first value of that name, as it stands there. */
  first(name: string): string | undefined {
    return this.#fields.find(([key]) => key === name)?.[1]
  }

  /** Every value of that name. */
  all(name: string): string[] {
    return this.#fields.filter(([key]) => key === name).map(([, value]) => value)
  }

  /** The first value of that name for people: encoded words decoded. */
  readable(name: string): string | undefined {
    const value = this.first(name)
    return value === undefined ? undefined : decodeWords(decodeText(value, undefined))
  }

  has(name: string): boolean {
    return this.first(name) !== undefined
  }

  get size(): number {
    return this.#fields.length
  }
}

const field = /^([!-9;-~]{1,200})[ \t]*:[ \t]*(.*)$/

/** Splits the header from what follows it. Lines end with `\n`. A line that cannot be of a header ends it, as MTAs have it. */
export function readHeader(text: string): { readonly header: Fields; readonly body: string } {
  const found: [string, string][] = []
  let at = 0
  while (at < text.length) {
    const end = endOfLine(text, at)
    const line = text.slice(at, end)
    const last = found.at(-1)
    const [, name, value] = field.exec(line) ?? []
    if (trimBlanks(line) === '') return { header: new Fields(found), body: text.slice(end + 1) }
    if (last && /^[ \t]/.test(line)) last[1] += ` ${trimBlanks(line)}`
    else if (name !== undefined && value !== undefined) found.push([name.toLowerCase(), trimBlanks(value)])
    else return { header: new Fields(found), body: text.slice(at) }
    at = end + 1
  }
  return { header: new Fields(found), body: '' }
}

/** The groups of fields of a report, which blank lines part. A line that is no field goes on with the one above. */
export function readGroups(text: string): Fields[] {
  return text
    .split(/\n(?:[ \t]*\n)+/)
    .map((group) => new Fields(fieldsOf(group)))
    .filter(({ size }) => size > 0)
}

function fieldsOf(group: string): [string, string][] {
  const found: [string, string][] = []
  for (const line of group.split('\n')) {
    const [, name, value] = field.exec(line) ?? []
    const last = found.at(-1)
    if (name !== undefined && value !== undefined) found.push([name.toLowerCase(), trimBlanks(value)])
    else if (last) last[1] += ` ${trimBlanks(line)}`
  }
  return found
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end < 0 ? text.length : end
}

/**
 * Without the blanks and tabs around it. Unlike `trim` it leaves the byte A0 alone, which ends many a character of
 * UTF-8, and unlike an expression it takes linear time.
 */
export function trimBlanks(text: string): string {
  const short = trimBlanksAtEnd(text)
  let begin = 0
  while (isBlank(short, begin)) begin += 1
  return short.slice(begin)
}

/** Without the blanks and tabs at its end. */
export function trimBlanksAtEnd(text: string): string {
  let end = text.length
  while (isBlank(text, end - 1)) end -= 1
  return text.slice(0, end)
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code === 0x20 || code === 0x09
}
