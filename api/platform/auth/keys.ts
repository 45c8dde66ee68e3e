import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose'
import type { Egress } from '../egress.ts'

/** How often the keys of an issuer are read. All in milliseconds. */
export interface KeyTimes {
  /** After a read, a token with an unknown key does not cause another one for this long. */
  readonly coolDown: number
  /** Keys are read again after this long; until then a key that the issuer removed is still accepted. */
  readonly maxAge: number
  /** A read takes at most this long. */
  readonly timeout: number
}

/** What production uses: a new key is accepted after at most 30 s, a removed one refused after at most 10 min. */
export const keyTimes: KeyTimes = { coolDown: 30_000, maxAge: 600_000, timeout: 5_000 }

/** Where an issuer's public keys are: at an address, or given. */
export type KeySource = { readonly url: string } | { readonly jwks: JSONWebKeySet }

/** The keys of an issuer could not be read. Not the token's fault. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError'
}

/**
 * Finds the key that a token names. A token's own `jku`, `jwk`, `x5u` and `x5c` headers are never looked at.
 * Rejects with KeysUnavailableError when the address does not answer with a key set.
 */
export function issuerKeys(source: KeySource, egress: Egress, times: KeyTimes = keyTimes): JWTVerifyGetKey {
  if ('jwks' in source) return createLocalJWKSet(source.jwks)
  let failedAt = Number.NEGATIVE_INFINITY
  return createRemoteJWKSet(new URL(source.url), {
    timeoutDuration: times.timeout,
    cooldownDuration: times.coolDown,
    cacheMaxAge: times.maxAge,
    [customFetch]: async (url, { headers, signal }) => {
      // jose cools down after a success only; an issuer that fails must not be hammered either.
      if (performance.now() - failedAt < Math.min(times.coolDown, 5_000)) throw new KeysUnavailableError(away)
      try {
        return await readKeySet(egress, url, { headers, signal, timeout: times.timeout })
      } catch (cause) {
        failedAt = performance.now()
        throw new KeysUnavailableError(away, { cause })
      }
    },
  })
}

const away = 'the keys of the issuer cannot be read'

async function readKeySet(
  egress: Egress,
  url: string,
  request: { headers: Headers; signal: AbortSignal; timeout: number },
): Promise<Response> {
  const response = await egress.fetch(url, {
    headers: Object.fromEntries(request.headers),
    signal: request.signal,
    timeoutMs: request.timeout,
    maxBytes: 262_144,
  })
  if (response.status !== 200) throw new Error(`the address answered ${response.status} and not 200`)
  const body: unknown = await response.json()
  if (!isKeySet(body)) throw new Error('the address did not answer with a JSON Web Key Set')
  return Response.json(body)
}

/** True for `{"keys": [{…}, …]}`. Says nothing about the keys inside. */
export function isKeySet(value: unknown): value is JSONWebKeySet {
  if (typeof value !== 'object' || value === null || !('keys' in value) || !Array.isArray(value.keys))
    return false
  return value.keys.every((key: unknown) => typeof key === 'object' && key !== null && !Array.isArray(key))
}
