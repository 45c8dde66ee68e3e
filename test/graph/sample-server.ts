import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Context } from '../../api/graph/context.ts'
import { Engine, type EngineOptions } from '../../api/graph/engine.ts'
import { FrontDoor, type FrontDoorOptions } from '../../api/graph/front-door.ts'
import { makeViewer, type Viewer, type ViewerKind } from '../../api/platform/auth/viewer.ts'
import { UnauthenticatedError } from '../../api/platform/errors/index.ts'
import { schema } from './sample.ts'

/** Cost limits of the API's own size. */
export const COST = {
  operation: 50_000,
  token: 500_000,
  tokenPerSecond: 25_000,
  tenant: 2_000_000,
  tenantPerSecond: 100_000,
}

/** A viewer of the tenant `garden`. */
export function aViewer(kind: ViewerKind, scopes: readonly string[] = [], sub = 'mia'): Viewer {
  return makeViewer({
    kind,
    sub,
    asked: scopes,
    tenant: {
      id: 'garden',
      key: 'garden',
      name: 'Garden',
      timeZone: 'Asia/Tokyo',
      locale: 'ja',
      hasTestClock: false,
    },
    jti: undefined,
    issuer: 'test',
    issuedAt: new Date(0),
    expiresAt: new Date(8.64e15),
    tokenKey: `${kind} ${sub} ${scopes.join(' ')}`,
  })
}

/** What the tokens of the sample say. */
const TOKENS: Readonly<Record<string, Viewer>> = {
  staff: aViewer('STAFF', ['*']),
  reader: aViewer('STAFF', ['notes:read']),
  integration: aViewer('INTEGRATION', ['*']),
  member: aViewer('MEMBER'),
}

/** Sign-in with the words above as tokens. `end` makes one worthless. */
export class SampleSignIn {
  readonly #ended = new Set<Viewer>()
  readonly #listeners = new Set<(matches: () => boolean) => void>()

  async authenticate(authorization: string | null | undefined): Promise<Viewer | null> {
    if (authorization == null) return null
    const viewer = TOKENS[authorization.replace('Bearer ', '')]
    if (!viewer || this.#ended.has(viewer)) throw new UnauthenticatedError('This token is not accepted.')
    return viewer
  }

  isGood(viewer: Viewer): boolean {
    return !this.#ended.has(viewer)
  }

  onRevoked(listener: (matches: () => boolean) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Takes a token back; `isTold` is false when it merely expires. */
  end(token: string, isTold: boolean): void {
    const viewer = TOKENS[token]
    if (viewer) this.#ended.add(viewer)
    if (isTold) for (const listen of this.#listeners) listen(() => true)
  }
}

/** A context without a database: the sample's resolvers need none. */
export function sampleContext(viewer: Viewer | null, requestId: string): Context {
  const none = () => {
    throw new Error('the sample has none of it')
  }
  return {
    viewer: viewer && { ...viewer, memberId: null },
    requestId,
    isDryRun: false,
    poke: () => {},
    asOf: async () => 'start',
    now: none,
    follow: none,
    ownMember: none,
    sees: none,
    use: none,
    refreshAuth: none,
    db: undefined as never,
    egress: undefined as never,
  }
}

/** Faults that the last engine was told of. */
export const faults: { error: unknown; requestId: string; path: string | undefined }[] = []

/** An engine over the sample. */
export function sampleEngine(options: Partial<EngineOptions> = {}): Engine {
  return new Engine({
    schema,
    cost: COST,
    context: sampleContext,
    viewAs: () => Promise.reject(new Error('no eyes here')),
    dryRun: async (viewer, { requestId }, work) =>
      work({ ...sampleContext(viewer, requestId), isDryRun: true }),
    onFault: (error, about) => faults.push({ error, ...about }),
    ...options,
  })
}

/** A listening front door over the sample. */
export async function sampleServer(
  options: Partial<FrontDoorOptions> & { engine?: Engine; signIn?: SampleSignIn } = {},
) {
  const signIn = options.signIn ?? new SampleSignIn()
  const door = new FrontDoor({
    engine: sampleEngine(),
    onFault: (error) => faults.push({ error, requestId: '', path: undefined }),
    ...options,
    signIn,
  })
  const server = createServer(door.handle)
  server.on('upgrade', door.upgrade)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    door,
    signIn,
    port,
    url: `http://127.0.0.1:${port}/graphql`,
    socketUrl: `ws://127.0.0.1:${port}/graphql`,
    async close() {
      await door.close(1_000)
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
