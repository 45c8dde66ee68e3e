import { randomUUIDv7 } from 'node:crypto'

/** A new id: UUID version 7 (RFC 9562), so that ids made later sort later, to the millisecond. Lower case. */
export function newId(): string {
  return randomUUIDv7()
}

/** True for a UUID in the one form that this product writes: lower case, with hyphens. Any version. */
export function isId(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text)
}
