import { deepStrictEqual } from 'node:assert'

/**
 * Throws unless both bodies say the same: global ids are compared as the uuids inside them, instants as milliseconds,
 * decimals to six places, for time goes by between the two.
 */
export function sameAnswer(candidate: { readonly body: string }, floor: { readonly body: string }): void {
  deepStrictEqual(plain(JSON.parse(candidate.body).data), plain(JSON.parse(floor.body).data))
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
  }
  if (typeof value === 'number') return Math.round(value * 1e6) / 1e6
  if (typeof value !== 'string') return value
  if (INSTANT.test(value)) return Math.floor(Date.parse(value))
  const [, uuid] =
    /^[A-Z]\w+:([0-9a-f-]{36}(?:\.\d+)?)$/.exec(Buffer.from(value, 'base64url').toString('latin1')) ?? []
  return uuid ?? value
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/
