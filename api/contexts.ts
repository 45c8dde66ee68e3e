import { Seers } from './domains/contributions/index.ts'
import { standingMember } from './domains/members/index.ts'
import { viewAs } from './domains/spaces/index.ts'
import type { Context } from './graph/context.ts'
import type { EngineOptions } from './graph/engine.ts'
import { NOBODY } from './graph/own.ts'
import type { Viewer } from './platform/auth/index.ts'
import type { openClock } from './platform/clock.ts'
import type { Db, TenantClient } from './platform/db.ts'
import type { Egress } from './platform/egress.ts'
import { UnauthenticatedError } from './platform/errors/index.ts'
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

/** Makes contexts: the viewer as it stands now, and how to work for it. */
export interface Contexts {
  /** Of a request or of one delivered event. */
  readonly context: EngineOptions['context']
  /** Of a dry run: what is done in it is undone, and nobody is told. */
  readonly dryRun: EngineOptions['dryRun']
  /** Of a query that sees with a member's eyes; what had to be made for that is undone. */
  readonly viewAs: EngineOptions['viewAs']
}

/** Makes the contexts of an app. */
export function contextFactory({
  db,
  clock,
  events,
  egress,
  committed,
  refreshAuth,
  ports,
}: ContextParts): Contexts {
  const seers = new Seers((id) => db.tenant(id))

  /** In a dry run, `dry` is the client of all that is to be undone. */
  const contextOf = async (viewer: Viewer, requestId: string, dry?: TenantClient): Promise<Context> => {
    const { tenant } = viewer
    const whole = dry ?? db.tenant(tenant.id)
    let head: Promise<string> | undefined
    const ownMember = async () => (viewer.kind === 'MEMBER' ? standingMember(whole, viewer.sub) : null)
    const memberId = await ownMember()
    // Whoever is no member yet sees with the eyes of nobody.
    const client = viewer.kind === 'MEMBER' ? whole.as(memberId ?? NOBODY) : whole
    let now: Date | Promise<Date> | undefined
    return {
      requestId,
      egress: dry ? sealed : egress,
      isDryRun: dry !== undefined,
      poke: dry ? nothing : committed,
      refreshAuth: dry ? async () => {} : refreshAuth,
      use: dry ? ports.useDry.bind(ports) : ports.use.bind(ports),
      // A viewer is one object for all requests of its token; only the member behind it is looked up anew.
      viewer: Object.assign(Object.create(viewer) as Viewer, { memberId }),
      db: client,
      now: () => (now ??= clock.tenantNow(tenant)),
      asOf: () => (head ??= events.headCursor(tenant.id)),
      follow: (options) => events.follow({ ...options, tenantId: tenant.id }),
      ownMember,
      sees: (contribution, member) => seers.sees(tenant.id, contribution, member),
    }
  }

  const nobodys = (requestId: string): Context => ({
    requestId,
    egress,
    refreshAuth,
    isDryRun: false,
    poke: committed,
    use: ports.use.bind(ports),
    viewer: null,
    get db() {
      return nobody()
    },
    now: nobody,
    asOf: nobody,
    follow: nobody,
    ownMember: nobody,
    sees: nobody,
  })

  return {
    context: async (viewer, requestId) => (viewer ? contextOf(viewer, requestId) : nobodys(requestId)),
    dryRun: (viewer, { requestId, milliseconds }, work) =>
      db.dryRun(viewer.tenant.id, milliseconds, async (dry) => work(await contextOf(viewer, requestId, dry))),
    viewAs: ({ tenant, ...viewer }, { requestId, milliseconds }, as, work) =>
      db.dryRun(tenant.id, milliseconds, async (dry) => {
        const sub = await viewAs(dry, as)
        const member: Viewer = { ...viewer, tenant, kind: 'MEMBER', sub, scopes: new Set(), can: () => false }
        const context = await contextOf(member, requestId, dry)
        return work(as.at ? { ...context, now: () => as.at ?? context.now() } : context)
      }),
  }
}

function nobody(): never {
  throw new UnauthenticatedError()
}

function nothing(): void {}

/** The way out of a dry run: none. */
const sealed = new Proxy({} as Egress, {
  get() {
    throw new TypeError('a dry run reached for the way out')
  },
})
