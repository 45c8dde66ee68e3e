import { BadInputError } from '../platform/errors/index.ts'
import { isId } from '../platform/ids.ts'

/** The opaque id of a thing at the edge: its type and its uuid, as base64url. */
export function encodeId(typename: string, id: bigint | number | string): string {
  return Buffer.from(`${typename}:${id}`, 'latin1').toString('base64url')
}

/** A decoded id. The type may be one that does not exist. */
export interface DecodedId {
  readonly typename: string
  /** A uuid, lower case; for a part of a numbered whole the number follows, as in `<uuid>.2`. */
  readonly id: string
}

/** Reads an opaque id. Throws BadInputError naming `field` for any text that this API cannot have given. */
export function decodeId(globalId: string, field: string): DecodedId {
  const text = Buffer.from(globalId.slice(0, 200), 'base64url').toString('latin1')
  const colon = text.indexOf(':')
  const typename = text.slice(0, Math.max(colon, 0))
  const id = text.slice(colon + 1)
  // Encoding again refuses other spellings of the same bytes: one thing has one id.
  if (/^[A-Z]\w{0,60}$/.test(typename) && isThing(id) && encodeId(typename, id) === globalId)
    return { typename, id }
  throw new BadInputError(field, `${field} must be an id that this API gave.`)
}

function isThing(id: string): boolean {
  const [whole = '', part = '1', ...rest] = id.split('.')
  return isId(whole) && /^[1-9]\d{0,5}$/.test(part) && rest.length === 0
}

/**
 * The uuid inside the opaque id of one type, for arguments and input fields that want that type.
 * Throws BadInputError naming `field` when it cannot be decoded, or is the id of another type.
 */
export function idOf(typename: string, globalId: string, field: string): string {
  const decoded = decodeId(globalId, field)
  if (decoded.typename === typename) return decoded.id
  throw new BadInputError(
    field,
    `${field} must be the id of a ${typename}; this is the id of a ${decoded.typename}.`,
  )
}
