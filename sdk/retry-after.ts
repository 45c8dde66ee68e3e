/**
 * When a provider wants to be asked again: what its Retry-After header says, in seconds or as a date, and never
 * before `now`; undefined when it says nothing readable.
 *
 * @example
 * ```ts
 * import { retryAfter } from '@engawa/sdk'
 *
 * const now = new Date('2026-04-01T00:00:00Z')
 * const slow = new Headers({ 'retry-after': '120' })
 * console.assert(retryAfter(slow, now)?.toISOString() === '2026-04-01T00:02:00.000Z')
 * const dated = new Headers({ 'retry-after': 'Wed, 01 Apr 2026 00:05:00 GMT' })
 * console.assert(retryAfter(dated, now)?.toISOString() === '2026-04-01T00:05:00.000Z')
 * ```
 */
export function retryAfter(headers: Headers, now: Date): Date | undefined {
  const said = headers.get('retry-after')?.trim() ?? ''
  if (/^\d{1,9}$/.test(said)) return new Date(now.getTime() + Number(said) * 1000)
  const at = /^[A-Z][a-z]+, .* GMT$/.test(said) ? Date.parse(said) : Number.NaN
  return Number.isNaN(at) ? undefined : new Date(Math.max(at, now.getTime()))
}
