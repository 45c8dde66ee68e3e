import type { Tenant } from '../tenancy.ts'

/** Whom a token speaks for: a member, somebody of the tenant's staff, or a program of the tenant. */
export type ViewerKind = 'MEMBER' | 'STAFF' | 'INTEGRATION'

/** What a verified token says. It stays the same object while the token is remembered. */
export interface Viewer {
  readonly tenant: Tenant
  readonly kind: ViewerKind
  /** A member's `externalId`; for the other kinds a name that the tenant's sign-in gives. */
  readonly sub: string
  /** What the token asks for and its kind may have; `*` is every scope of the kind. Empty for members. */
  readonly scopes: ReadonlySet<string>
  /** Who is written down as having done something: the kind in lower case, a colon, the sub. */
  readonly actor: string
  /** The token's own id; only a token that has one can be revoked by it. */
  readonly jti: string | undefined
  readonly issuer: string
  /** 1970 when the token does not say, so that it counts as older than any revocation of its subject. */
  readonly issuedAt: Date
  /** Real time from which the token is refused. */
  readonly expiresAt: Date
  /** The same for every request that carries this token, and for no other: a digest of it. */
  readonly tokenKey: string
  /** True when the scopes cover this one. Never for members: what is theirs needs no scope. */
  can(scope: string): boolean
}

/** The kinds as tokens spell them. */
export const kindClaims: ReadonlyMap<string, ViewerKind> = new Map([
  ['member', 'MEMBER'],
  ['integration', 'INTEGRATION'],
  ['staff', 'STAFF'],
])

/** A kind as tokens, actors and revocations spell it. */
export function kindClaim(kind: ViewerKind): 'member' | 'integration' | 'staff' {
  switch (kind) {
    case 'MEMBER':
      return 'member'
    case 'INTEGRATION':
      return 'integration'
    case 'STAFF':
      return 'staff'
  }
}

/** What `makeViewer` needs to know from a token. */
export type ViewerFacts = Omit<Viewer, 'actor' | 'scopes' | 'can'> & { readonly asked: readonly string[] }

/** A viewer of these facts, with the scopes that its kind may have of those it asks for. */
export function makeViewer({ asked, ...facts }: ViewerFacts): Viewer {
  const scopes = new Set(asked.filter((scope) => mayHave(facts.kind, scope)))
  return {
    ...facts,
    scopes,
    actor: `${kindClaim(facts.kind)}:${facts.sub}`,
    can: (scope) => scopes.has(scope) || (scopes.has('*') && mayHave(facts.kind, scope)),
  }
}

/** A program cannot be given these, whatever its token says. */
const staffOnly: ReadonlySet<string> = new Set(['lifecycle:write', 'settings', 'introspect'])

function mayHave(kind: ViewerKind, scope: string): boolean {
  switch (kind) {
    case 'MEMBER':
      return false
    case 'INTEGRATION':
      return !staffOnly.has(scope)
    case 'STAFF':
      return true
  }
}
