import { createHash } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import type { Clock } from '../clock.ts'
import { UnauthenticatedError, UnavailableError } from '../errors/index.ts'
import type { Tenant, TenantDirectory } from '../tenancy.ts'
import type { Issuer } from './issuers.ts'
import { KeysUnavailableError } from './keys.ts'
import { longestId } from './revocation.ts'
import { kindClaims, makeViewer, type Viewer, type ViewerKind } from './viewer.ts'

/** What verification needs to ask. */
export interface TokenSources {
  readonly tenants: Pick<TenantDirectory, 'byKey'>
  /** The issuer of that name which the tenant trusts. */
  readonly issuer: (tenant: Tenant, name: string) => Promise<Issuer | undefined>
  readonly clock: Pick<Clock, 'now'>
}

/**
 * Verifies a token (a JWT in compact form) from its first byte to its last claim. Throws
 * UnauthenticatedError, which says what is wrong and what would be right and never repeats what the token
 * says; UnavailableError when the issuer's keys cannot be read.
 */
export async function verifyToken(token: string, sources: TokenSources): Promise<Viewer> {
  if (token.length > 8_192) refuse('The token is longer than 8,192 characters.')
  const named = readNames(token)
  const tenant = await sources.tenants.byKey(named.tenant)
  const issuer = tenant && (await sources.issuer(tenant, named.issuer))
  if (!tenant || !issuer) {
    // One answer for both, so that nobody can find out which tenants exist.
    return refuse(
      'The token\'s claim "iss" must be an issuer that the tenant of its claim "tenant" trusts; one is added with `engawa tenant issuer` or addIssuer.',
    )
  }
  const now = sources.clock.now()
  const claims = await verifySignature(token, issuer, now)
  return viewerOf(claims, { token, tenant, issuer: issuer.issuer, now })
}

/** Reads, without believing anything yet, who is to be asked for keys. */
function readNames(token: string): { tenant: string; issuer: string } {
  let payload: JWTPayload
  let type: unknown
  try {
    payload = decodeJwt(token)
    type = decodeProtectedHeader(token).typ
  } catch {
    return refuse('The token is not a well-formed JWT in compact form.')
  }
  // A signed thing of another purpose, such as an id token for a mail link, is not a sign-in.
  if (type !== undefined && !(typeof type === 'string' && /^(application\/)?(at\+)?jwt$/i.test(type))) {
    return refuse('The token\'s header "typ" must be "JWT" or "at+jwt", or left out.')
  }
  return { tenant: text(payload, 'tenant', 63), issuer: text(payload, 'iss', 500) }
}

async function verifySignature(token: string, issuer: Issuer, now: Date): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, issuer.keys, {
      issuer: issuer.issuer,
      audience: issuer.audience,
      algorithms: [...issuer.algorithms],
      requiredClaims: ['exp', 'sub', 'tenant', 'kind'],
      currentDate: now,
    })
    return payload
  } catch (error) {
    if (error instanceof KeysUnavailableError || error instanceof errors.JWKSTimeout) {
      throw new UnavailableError("The keys of this token's issuer cannot be read; try again shortly.", 5)
    }
    return refuse(reason(error, issuer))
  }
}

/** A sentence for what jose found. Only what the issuer or the holder of a signed token may know is told. */
function reason(error: unknown, issuer: Issuer): string {
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return `The token's header "alg" must be one of the algorithms of its issuer: ${issuer.algorithms.join(', ')}.`
  }
  if (error instanceof errors.JWKSNoMatchingKey) {
    return 'No key of the issuer fits the token\'s headers "kid" and "alg". A new key is known at most 30 s after it is published.'
  }
  if (error instanceof errors.JWKSMultipleMatchingKeys) {
    return 'Several keys of the issuer fit the token; its header "kid" must name one.'
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return "The token's signature is not right."
  if (error instanceof errors.JWTExpired) return EXPIRED
  if (error instanceof errors.JWTClaimValidationFailed) return claimReason(error, issuer)
  if (error instanceof errors.JOSENotSupported) {
    return 'The token\'s header asks for something that is not understood here ("crit").'
  }
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
    return 'The token is not a well-formed JWT in compact form.'
  }
  // What is left comes from the key: another curve, an RSA key that is too short.
  return "The issuer's key that fits the token cannot be used (RSA keys need 2048 bits)."
}

function claimReason({ claim, reason: why }: errors.JWTClaimValidationFailed, issuer: Issuer): string {
  if (why === 'missing') return `The token must have the claim "${claim}".`
  if (claim === 'aud') return `The token's claim "aud" must be or contain "${issuer.audience}".`
  if (claim === 'nbf') return 'The token is not valid yet (claim "nbf").'
  return `The token's claim "${claim}" is not right.`
}

const EXPIRED = 'The token has expired (claim "exp"); sign in again.'

interface Verified {
  readonly token: string
  readonly tenant: Tenant
  readonly issuer: string
  readonly now: Date
}

function viewerOf(claims: JWTPayload, { token, tenant, issuer, now }: Verified): Viewer {
  const issuedAt = claims.iat ?? 0
  // A token from the future would outlive every revocation until then.
  if (issuedAt * 1000 > now.getTime() + 60_000) refuse('The token\'s claim "iat" is in the future.')
  const expiresAt = new Date((claims.exp ?? 0) * 1000)
  // What verified the token counts in whole seconds; the claim may be finer.
  if (expiresAt.getTime() <= now.getTime()) refuse(EXPIRED)
  return makeViewer({
    tenant,
    issuer,
    kind: kindOf(claims),
    sub: text(claims, 'sub', longestId),
    asked: scopesOf(claims),
    jti: claims.jti === undefined ? undefined : text(claims, 'jti', longestId),
    issuedAt: new Date(issuedAt * 1000),
    expiresAt,
    tokenKey: createHash('sha256').update(token).digest('base64url'),
  })
}

function kindOf(claims: JWTPayload): ViewerKind {
  const kind = typeof claims.kind === 'string' ? kindClaims.get(claims.kind) : undefined
  return kind ?? refuse('The token\'s claim "kind" must be "member", "integration" or "staff".')
}

function scopesOf({ scope }: JWTPayload): string[] {
  if (scope === undefined) return []
  if (typeof scope !== 'string')
    return refuse('The token\'s claim "scope" must be text, scopes separated by spaces.')
  return scope.split(' ').filter((part) => part !== '')
}

function text(claims: JWTPayload, claim: string, longest: number): string {
  const value = claims[claim]
  if (value === undefined) return refuse(`The token must have the claim "${claim}".`)
  if (typeof value === 'string' && value.length > 0 && value.length <= longest && !value.includes('\0'))
    return value
  return refuse(`The token's claim "${claim}" must be text of 1 to ${longest} characters.`)
}

function refuse(message: string): never {
  throw new UnauthenticatedError(message)
}
