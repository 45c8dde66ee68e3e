import type { Viewer } from '../platform/auth/viewer.ts'
import type { TenantClient } from '../platform/db.ts'
import type { Egress } from '../platform/egress.ts'
import type { FollowOptions, Frame } from '../platform/events.ts'
import type { Port } from '../platform/ports.ts'

/** Whom the token speaks for, and the member behind it as found at this request or delivery. */
export interface ContextViewer extends Viewer {
  /** The member (a uuid) of a member token; null while no such member exists, and for other kinds. */
  readonly memberId: string | null
}

/** What every resolver gets. One object for each request, and for each delivered event. */
export interface Context {
  /** Null when the caller is anonymous. */
  readonly viewer: ContextViewer | null
  /** The viewer's tenant. Throws UnauthenticatedError when nobody is signed in. */
  readonly db: TenantClient
  /** Whether all that is done will be undone, so that nothing may reach beyond the database. */
  readonly isDryRun: boolean
  /** Now, for the rules of the viewer's tenant: its test clock, which has to be read, else the database's. */
  now(): Date | Promise<Date>
  /** Ties a masked error to its line in the log. */
  readonly requestId: string
  /** Says that events were just committed, so that they are delivered at once. Mutations do it by themselves. */
  poke(): void
  /** A cursor no later than anything this answer reads: taken before execution whenever a document asks for it. */
  asOf(): Promise<string>
  /** Follows the log of the viewer's tenant. */
  follow(options: Omit<FollowOptions, 'tenantId'>): AsyncGenerator<Frame, void, undefined>
  /** The member behind a member's token as of now; null while there is none. Throws ForbiddenError once it has ended. */
  ownMember(): Promise<string | null>
  /** Whether a member sees something that was written now; uuids. */
  sees(contribution: string, member: string): Promise<boolean>
  /** Makes a change of issuers or revocations count on this node at once. */
  refreshAuth(): Promise<void>
  /** A part that a room was promised by the app, such as the channels of this deployment. */
  use<T>(port: Port<T>): T
  /** The guarded way out. */
  readonly egress: Egress
}
