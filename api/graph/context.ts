import type { TenantClient } from '../platform/db.ts'

/** Who may ask. Anonymous callers have no viewer. */
export type ViewerKind = 'MEMBER' | 'STAFF' | 'INTEGRATION'

/** Whom a token speaks for, as found at this request (or at this delivery of a subscription). */
export interface Viewer {
  readonly kind: ViewerKind
  readonly tenant: ViewerTenant
  /** Scopes of a staff or integration token, `*` for every scope of the kind. Empty for members. */
  readonly scopes: ReadonlySet<string>
  readonly sub: string
  /** The member behind a member token; null while no such member exists, and for other kinds. */
  readonly memberId: string | null
  /** Who is written down as having done it, such as `staff:mia` or `member:u-1042`. */
  readonly actor: string
  /** Real time at which the token stops counting. */
  readonly expiresAt: Date
  /** The same for every request of one token: its cost bucket and its sockets go by it. */
  readonly tokenKey: string
}

/** The tenant of a viewer, without its clock: ask `context.now()`. */
export interface ViewerTenant {
  readonly id: string
  readonly key: string
  readonly name: string
  readonly timeZone: string
  readonly locale: string
}

/** What every resolver gets. One object for each request, and for each delivered event. */
export interface Context {
  readonly viewer: Viewer | null
  /** The viewer's tenant. Throws UnauthenticatedError when nobody is signed in. */
  readonly db: TenantClient
  /** Now, for the rules of the viewer's tenant: its test clock, else the database's. */
  now(): Promise<Date>
  /** Ties a masked error to its line in the log. */
  readonly requestId: string
  /** Says that events were just committed, so that they are delivered at once. Mutations do it by themselves. */
  poke(): void
  /** The same viewer and tenant with nothing remembered: each delivered event is answered with a new one. */
  fresh(): Context | Promise<Context>
}
