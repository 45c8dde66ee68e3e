/** Checks that predicates share. Each returns what it was given, or throws BadInputError naming the field. */
import { BadInputError } from '../../platform/errors/index.ts'

const MOST_VALUES = 100
const LONGEST = 200

/** A list of at most 100 values; a single value counts as a list of one. Each must pass `check`. */
export function listOf<Value>(
  value: unknown,
  field: string,
  check: (value: unknown, field: string) => Value,
): readonly Value[] {
  const list = Array.isArray(value) ? value : [value]
  if (list.length > MOST_VALUES) throw new BadInputError(field, `${field} has at most ${MOST_VALUES} values.`)
  return list.map((each, i) => check(each, `${field}.${i}`))
}

/** Text of 1 to 200 characters that PostgreSQL can hold. */
export function word(value: unknown, field: string): string {
  if (typeof value === 'string' && value.length > 0 && isStorable(value)) return value
  throw new BadInputError(field, `${field} must be text of 1 to ${LONGEST} characters.`)
}

/** A check for one of a few words. */
export function oneOf<Word extends string>(words: readonly Word[]) {
  return (value: unknown, field: string): Word => {
    const found = words.find((each) => each === value)
    if (found !== undefined) return found
    throw new BadInputError(field, `${field} must be one of ${words.join(', ')}.`)
  }
}

/** A whole number from 0 that fits 32 bits. */
export function count(value: unknown, field: string): number {
  if (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 2_147_483_647) return Number(value)
  throw new BadInputError(field, `${field} must be a whole number, zero or more.`)
}

/** An object with no other names than these; names without a value are left out. */
export function objectOf<Name extends string>(
  value: unknown,
  field: string,
  names: readonly Name[],
): Partial<Record<Name, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadInputError(field, `${field} must be an object with ${names.join(', ')}.`)
  }
  const found: Partial<Record<Name, unknown>> = {}
  for (const [given, content] of Object.entries(value)) {
    const name = names.find((each) => each === given)
    if (name === undefined) {
      throw new BadInputError(field, `${field} knows only ${names.join(', ')}.`)
    }
    if (content != null) found[name] = content
  }
  return found
}

/** Whether PostgreSQL can hold the text: at most 200 characters, no zero character, no half of a pair. */
export function isStorable(text: string): boolean {
  return text.length <= LONGEST && !text.includes('\0') && text.isWellFormed()
}
