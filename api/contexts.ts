import { standingMember } from './domains/members/index.ts'
import type { Context } from './graph/context.ts'
import type { Viewer } from './platform/auth/index.ts'
import type { openClock } from './platform/clock.ts'
import type { Db } from './platform/db.ts'
import { UnauthenticatedError } from './platform/errors.ts'
import type { Events } from './platform/events.ts'
import type { Ports } from './platform/ports.ts'

/** What contexts are made of. */
export interface ContextParts extends Pick<Context, 'egress' | 'refreshAuth'> {
  readonly db: Db
  readonly clock: Awaited<ReturnType<typeof openClock>>
  readonly events: Events
  readonly ports: Ports
  /** Called after each mutation. */
  readonly committed: () => void
}

/** Makes the context of each request and each delivery: the viewer as it stands now. */
export function contextFactory({ db, clock, events, egress, committed, refreshAuth, ports }: ContextParts) {
  return async (viewer: Viewer | null, requestId: string): Promise<Context> => {
    const shared = { requestId, egress, refreshAuth, poke: committed, use: ports.use.bind(ports) }
    if (!viewer) {
      const nobody = () => {
        throw new UnauthenticatedError()
      }
      return {
        ...shared,
        viewer: null,
        get db() {
          return nobody()
        },
        now: nobody,
        asOf: nobody,
        follow: nobody,
        ownMember: nobody,
      }
    }
    const { tenant } = viewer
    const client = db.tenant(tenant.id)
    let head: Promise<string> | undefined
    const ownMember = async () => (viewer.kind === 'MEMBER' ? standingMember(client, viewer.sub) : null)
    const memberId = await ownMember()
    let now: Date | Promise<Date> | undefined
    return {
      ...shared,
      // A viewer is one object for all requests of its token; only the member behind it is looked up anew.
      viewer: Object.assign(Object.create(viewer) as Viewer, { memberId }),
      db: client,
      now: () => (now ??= clock.tenantNow(tenant)),
      asOf: () => (head ??= events.headCursor(tenant.id)),
      follow: (options) => events.follow({ ...options, tenantId: tenant.id }),
      ownMember,
    }
  }
}
