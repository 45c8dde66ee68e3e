import type { Egress } from '../platform/egress.ts'

/**
 * `fetch` as a plugin has it: through the guarded way out, given up when the attempt is. Redirects are not
 * followed. Rejects with EgressError, which says whether anything can have arrived.
 */
export function pluginFetch(
  egress: Pick<Egress, 'fetch'>,
  deadline: { signal: AbortSignal; ms: number },
): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const body = request.body ? new Uint8Array(await request.arrayBuffer()) : undefined
    return egress.fetch(request.url, {
      method: request.method,
      headers: Object.fromEntries(request.headers),
      timeoutMs: deadline.ms,
      signal: AbortSignal.any([deadline.signal, request.signal]),
      ...(body && { body }),
    })
  }
}
