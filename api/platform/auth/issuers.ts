import { importJWK, type JSONWebKeySet, type JWK, type JWTVerifyGetKey } from 'jose'
import type pg from 'pg'
import type { Tx } from '../db.ts'
import type { Egress } from '../egress.ts'
import { BadInputError } from '../errors/index.ts'
import { developmentIssuer } from './development.ts'
import { isKeySet, issuerKeys, type KeySource, type KeyTimes } from './keys.ts'

/** Somebody whose tokens a tenant accepts. */
export interface Issuer {
  readonly issuer: string
  /** What the token's `aud` must be or contain. */
  readonly audience: string
  /** The only signature algorithms accepted from this issuer. */
  readonly algorithms: readonly string[]
  readonly keys: JWTVerifyGetKey
}

/** The signature algorithms an issuer may use: those with a public key, so that nothing secret is shared. */
export const signatureAlgorithms = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
] as const

/** What `addIssuer` takes. Exactly one of `jwksUrl` and `jwks`; null counts as absent. */
export interface NewIssuer {
  readonly issuer: string
  readonly audience: string
  readonly jwksUrl?: string | null | undefined
  readonly jwks?: unknown
  readonly algorithms: readonly string[]
}

/**
 * Makes the tenant of `tx` trust an issuer, or changes how it trusts one it knows. From the first issuer on,
 * no server accepts development tokens. Effective on this node after `auth.refresh()`, on others within 2 s.
 * Throws BadInputError naming the field (`issuer`, `audience`, `jwksUrl`, `jwks`, `algorithms`).
 */
export async function addIssuer(tx: Tx, input: NewIssuer, egress: Pick<Egress, 'refusal'>): Promise<void> {
  requireText('issuer', input.issuer)
  requireText('audience', input.audience)
  if (input.issuer === developmentIssuer) {
    throw new BadInputError(
      'issuer',
      `${developmentIssuer} is the name of the local development key; use another.`,
    )
  }
  const algorithms = requireAlgorithms(input.algorithms)
  const source = requireSource(input, egress)
  if ('jwks' in source) await requireKeys(source.jwks, algorithms)
  await tx.query({
    text: `insert into issuer (tenant_id, issuer, audience, jwks_url, jwks, algorithms)
      values ($1, $2, $3, $4, $5, $6)
      on conflict (tenant_id, issuer) do update set
        audience = excluded.audience, jwks_url = excluded.jwks_url, jwks = excluded.jwks,
        algorithms = excluded.algorithms`,
    values: [
      tx.tenantId,
      input.issuer,
      input.audience,
      'url' in source ? source.url : null,
      'jwks' in source ? JSON.stringify(source.jwks) : null,
      algorithms,
    ],
  })
}

function requireText(field: 'issuer' | 'audience', text: string): void {
  if (!/^[\x21-\x7e]{1,500}$/.test(text)) {
    throw new BadInputError(field, 'This must be 1 to 500 printable ASCII characters without spaces.')
  }
}

function requireAlgorithms(given: readonly string[]): string[] {
  const known: ReadonlySet<string> = new Set(signatureAlgorithms)
  if (given.length === 0 || !given.every((algorithm) => known.has(algorithm))) {
    throw new BadInputError(
      'algorithms',
      `Give at least one of ${signatureAlgorithms.join(', ')}, and no other.`,
    )
  }
  return [...new Set(given)]
}

function requireSource({ jwksUrl, jwks }: NewIssuer, egress: Pick<Egress, 'refusal'>): KeySource {
  const hasUrl = jwksUrl !== undefined && jwksUrl !== null
  const hasKeys = jwks !== undefined && jwks !== null
  if (hasUrl && hasKeys)
    throw new BadInputError('jwks', 'Give the keys or their address (jwksUrl), not both.')
  if (hasUrl) {
    const refused = egress.refusal(jwksUrl)
    if (refused) throw new BadInputError('jwksUrl', refused)
    return { url: jwksUrl }
  }
  if (!hasKeys)
    throw new BadInputError('jwksUrl', 'Give the address of the keys, or the keys themselves (jwks).')
  if (!isKeySet(jwks) || jwks.keys.length === 0 || jwks.keys.length > 100) {
    throw new BadInputError('jwks', 'Give a JSON Web Key Set: {"keys": [ … ]} with 1 to 100 public keys.')
  }
  return { jwks }
}

async function requireKeys(jwks: JSONWebKeySet, algorithms: readonly string[]): Promise<void> {
  let usable = 0
  for (const [index, key] of jwks.keys.entries()) {
    // Keeping somebody's private key would make us able to sign for them.
    if (key.kty === 'oct' || 'd' in key || 'k' in key) {
      throw new BadInputError('jwks', `Key ${index} is secret or private; give public keys only.`)
    }
    if (await isUsable(key, algorithms)) usable++
  }
  if (usable === 0) {
    throw new BadInputError(
      'jwks',
      `None of the keys fits ${algorithms.join(', ')} (RSA keys need 2048 bits).`,
    )
  }
}

async function isUsable(key: JWK, algorithms: readonly string[]): Promise<boolean> {
  if (key.use !== undefined && key.use !== 'sig') return false
  for (const algorithm of key.alg === undefined
    ? algorithms
    : algorithms.filter((name) => name === key.alg)) {
    const imported = await importJWK(key, algorithm).catch(() => undefined)
    if (!imported || imported instanceof Uint8Array) continue
    const bits = 'modulusLength' in imported.algorithm ? Number(imported.algorithm.modulusLength) : undefined
    if (bits === undefined || bits >= 2048) return true
  }
  return false
}

/** Finds issuers; remembers what it read until told to forget. */
export interface IssuerDirectory {
  /** The issuer of that name which the tenant trusts. Rejects when the database is away. */
  find(tenantId: string, issuer: string): Promise<Issuer | undefined>
  /** Something changed: read again. Keys stay, they belong to their addresses. */
  forget(): void
}

interface IssuerRow {
  readonly issuer: string
  readonly audience: string
  readonly jwks_url: string | null
  readonly jwks: JSONWebKeySet | null
  readonly algorithms: string[]
}

/** Reads issuers through `system`, a pool that acts as engawa_system. */
export function openIssuers(system: pg.Pool, egress: Egress, times: KeyTimes): IssuerDirectory {
  let known = new Map<string, Promise<readonly Issuer[]>>()
  // By tenant too: one tenant must not be able to use up the cool-down of another.
  const remoteKeys = new Map<string, JWTVerifyGetKey>()

  function keysOf(tenantId: string, row: IssuerRow): JWTVerifyGetKey {
    if (row.jwks) return issuerKeys({ jwks: row.jwks }, egress, times)
    const url = row.jwks_url ?? ''
    const name = `${tenantId} ${url}`
    const keys = remoteKeys.get(name) ?? issuerKeys({ url }, egress, times)
    if (remoteKeys.size >= 10_000) remoteKeys.clear()
    remoteKeys.set(name, keys)
    return keys
  }

  async function read(tenantId: string): Promise<readonly Issuer[]> {
    const { rows } = await system.query<IssuerRow>({
      name: 'issuers_of_tenant',
      text: 'select issuer, audience, jwks_url, jwks, algorithms from issuer where tenant_id = $1',
      values: [tenantId],
    })
    return rows.map((row) => ({ ...row, keys: keysOf(tenantId, row) }))
  }

  return {
    async find(tenantId, issuer) {
      const before = known
      let reading = before.get(tenantId)
      if (!reading) {
        reading = read(tenantId)
        before.set(tenantId, reading)
        reading.catch(() => before.delete(tenantId))
      }
      return (await reading).find((candidate) => candidate.issuer === issuer)
    },
    forget() {
      known = new Map()
    },
  }
}
