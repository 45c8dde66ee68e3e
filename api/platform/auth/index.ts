import type pg from 'pg'
import type { Clock } from '../clock.ts'
import type { Egress } from '../egress.ts'
import { UnauthenticatedError } from '../errors/index.ts'
import type { Log } from '../log.ts'
import type { Tenant, TenantDirectory } from '../tenancy.ts'
import { developmentAudience, developmentIssuer, developmentKey } from './development.ts'
import { type Issuer, openIssuers } from './issuers.ts'
import { type KeyTimes, keyTimes } from './keys.ts'
import { openRevocations, type Revocable } from './revocation.ts'
import { verifyToken } from './tokens.ts'
import type { Viewer } from './viewer.ts'

export { type DevelopmentToken, mintDevelopmentToken } from './development.ts'
export { addIssuer, type NewIssuer } from './issuers.ts'
export { type NewRevocation, revokeTokens } from './revocation.ts'
export type { Viewer, ViewerKind } from './viewer.ts'

/** Called when tokens were revoked, with a judge: true for each viewer whose token just became worthless. */
export type RevocationListener = (matches: (viewer: Revocable) => boolean) => void

/** Sign-in. */
export interface Auth {
  /**
   * Whom the value of an `Authorization` header speaks for: null for none (anonymous). Throws
   * UnauthenticatedError for a token that is not accepted, and UnavailableError when its keys cannot be read.
   */
  authenticate(authorization: string | null | undefined): Promise<Viewer | null>
  /** True while the viewer's token is neither expired nor revoked. Costs next to nothing: ask at each delivery. */
  isGood(viewer: Viewer): boolean
  /** True while no issuer exists at all: then, and only then, development tokens are accepted. */
  readonly isDevelopment: boolean
  /** Looks for new revocations and issuers at once; otherwise that happens every second. */
  refresh(): Promise<void>
  /** Calls back when tokens are revoked, so that their sockets can be closed. Returns what stops it. */
  onRevoked(listener: RevocationListener): () => void
  close(): void
}

/** What sign-in needs. Times are in milliseconds. */
export interface AuthOptions {
  /** A pool that acts as engawa_system. */
  readonly system: pg.Pool
  readonly tenants: Pick<TenantDirectory, 'byKey'>
  readonly clock: Pick<Clock, 'now'>
  readonly egress: Egress
  readonly log: Log
  /** Where the development key lives. */
  readonly dataDir: string
  readonly keyTimes?: KeyTimes
  /** How often to look for revocations and issuers; 1,000 unless told. */
  readonly lookEvery?: number
}

/** How long a verified token is believed without looking at its signature again. */
const believedFor = 60_000
const remembered = 10_000

/** Opens sign-in: reads what is revoked, and keeps looking. Rejects when the database is away. */
export async function openAuth(options: AuthOptions): Promise<Auth> {
  const { clock, log } = options
  const revocations = openRevocations(options.system)
  const issuers = openIssuers(options.system, options.egress, options.keyTimes ?? keyTimes)
  const listeners = new Set<RevocationListener>()
  // In order of use, the one used longest ago first.
  const believed = new Map<string, { readonly viewer: Viewer; readonly until: number }>()
  let development: Promise<Issuer> | undefined
  // Counts the changes of issuers: what was verified before one is not believed after it.
  let generation = 0

  async function issuerOf(tenant: Tenant, name: string): Promise<Issuer | undefined> {
    if (name !== developmentIssuer) return issuers.find(tenant.id, name)
    if (!revocations.hasNoIssuer) return undefined
    development ??= openDevelopmentIssuer(options.dataDir)
    development.catch(() => {
      development = undefined
    })
    return development
  }

  async function refresh(): Promise<void> {
    const wasDevelopment = revocations.hasNoIssuer
    const changes = await revocations.refresh()
    if (changes.issuers) {
      generation++
      issuers.forget()
      believed.clear()
    }
    const developmentEnded = wasDevelopment && !revocations.hasNoIssuer
    if (!developmentEnded && !changes.revoked) return
    const matches = (viewer: Revocable) =>
      (developmentEnded && viewer.issuer === developmentIssuer) || changes.revoked?.(viewer) === true
    for (const listener of listeners) {
      try {
        listener(matches)
      } catch (err) {
        log.error({ err }, 'A listener for revoked tokens failed.')
      }
    }
  }

  const isGood = (viewer: Viewer) =>
    viewer.expiresAt.getTime() > clock.now().getTime() && !revocations.covers(viewer)

  function recall(token: string): Viewer | undefined {
    const found = believed.get(token)
    if (!found) return undefined
    if (found.until <= performance.now() || !isGood(found.viewer)) {
      believed.delete(token)
      return undefined
    }
    // The order matters only when room gets scarce, and moving costs more than all the rest.
    if (believed.size > remembered / 2) {
      believed.delete(token)
      believed.set(token, found)
    }
    return found.viewer
  }

  function believe(token: string, viewer: Viewer): void {
    if (believed.size >= remembered) {
      for (const oldest of believed.keys()) {
        believed.delete(oldest)
        break
      }
    }
    believed.set(token, { viewer, until: performance.now() + believedFor })
  }

  await refresh()
  const stop = repeat(refresh, options.lookEvery ?? 1_000, log)
  return {
    async authenticate(authorization) {
      if (authorization === undefined || authorization === null) return null
      const token = bearer(authorization)
      const known = recall(token)
      if (known) return known
      const began = generation
      const viewer = await verifyToken(token, { tenants: options.tenants, issuer: issuerOf, clock })
      if (revocations.covers(viewer)) throw new UnauthenticatedError('The token was revoked; sign in again.')
      if (began === generation) believe(token, viewer)
      return viewer
    },
    isGood,
    get isDevelopment() {
      return revocations.hasNoIssuer
    },
    refresh,
    onRevoked(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close() {
      stop()
      listeners.clear()
    },
  }
}

function bearer(authorization: string): string {
  const match = /^Bearer +([A-Za-z0-9_.~+/-]+=*) *$/i.exec(authorization)
  if (match?.[1]) return match[1]
  throw new UnauthenticatedError('The header Authorization must be `Bearer <token>`.')
}

async function openDevelopmentIssuer(dataDir: string): Promise<Issuer> {
  const { publicKey } = await developmentKey(dataDir)
  return {
    issuer: developmentIssuer,
    audience: developmentAudience,
    algorithms: ['ES256'],
    keys: async () => publicKey,
  }
}

/** Runs the work again and again, a pause after each; a failure is logged when it begins, not each time. */
function repeat(work: () => Promise<void>, pause: number, log: Log): () => void {
  let isFailing = false
  let timer: NodeJS.Timeout
  const run = async () => {
    try {
      await work()
      isFailing = false
    } catch (err) {
      if (!isFailing) log.warn({ err }, 'Revocations and issuers cannot be read; those known stay in force.')
      isFailing = true
    }
    if (!isStopped) timer = setTimeout(run, pause).unref()
  }
  let isStopped = false
  timer = setTimeout(run, pause).unref()
  return () => {
    isStopped = true
    clearTimeout(timer)
  }
}
