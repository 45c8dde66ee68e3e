import { BadInputError } from '../platform/errors/index.ts'

/** Refuses zero and less. Throws BadInputError naming the field. */
export function positive<N extends bigint | number>(value: N, field: string): N {
  if (value > 0) return value
  throw new BadInputError(field, `${field} must be more than zero; it is ${value}.`)
}

/**
 * Text without blanks around it, of 1 to `most` characters. Throws BadInputError naming the field.
 * Control characters are refused as well: PostgreSQL cannot store a zero character, and none belongs in a name.
 */
export function text(value: string, field: string, most: number): string {
  const trimmed = value.trim()
  if (trimmed.length === 0 || trimmed.length > most) {
    throw new BadInputError(field, `${field} must have 1 to ${most} characters.`)
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what we look for.
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(trimmed)) {
    throw new BadInputError(field, `${field} must not contain control characters.`)
  }
  return trimmed
}
