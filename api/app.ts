import { contextFactory } from './contexts.ts'
import { recompileOutdated } from './domains/audiences/index.ts'
import { channelsPort, readSaved, startErrands, type TakeSignals } from './domains/channels/index.ts'
import { Links, linksPort, memberPages } from './domains/consents/index.ts'
import { AssetLinks, assetLinksPort, assetRoutes } from './domains/content/index.ts'
import { MembershipWatch } from './domains/members/index.ts'
import { checksPort, startChecks } from './domains/moderation/index.ts'
import { ReferralSignals, signalsPort } from './domains/referrals/index.ts'
import { startSearchUpkeep } from './domains/search/index.ts'
import {
  type DeliveryPorts,
  deliverQueue,
  startTouchpointWorker,
  takeSignals,
} from './domains/touchpoints/index.ts'
import { type Patience, startWebhookWorker, webhooksPort } from './domains/webhooks/index.ts'
import { Engine } from './graph/engine.ts'
import { eventBodies } from './graph/event-body.ts'
import { eventScopes } from './graph/events.ts'
import { FrontDoor, type FrontDoorOptions } from './graph/front-door.ts'
import { type Deployment, inboundRoute, loadChannels, loadChecks } from './host/index.ts'
import { listen, statusRoutes } from './listen.ts'
import { openAuth } from './platform/auth/index.ts'
import { openClock } from './platform/clock.ts'
import type { Config } from './platform/config.ts'
import { readCursorKey } from './platform/cursor.ts'
import { type Db, openDb } from './platform/db.ts'
import { startDue } from './platform/due.ts'
import { type Egress, openEgress } from './platform/egress.ts'
import { type Events, openEvents } from './platform/events.ts'
import { type Check, openHealth } from './platform/health.ts'
import { openJobs } from './platform/jobs.ts'
import type { Log } from './platform/log.ts'
import { openMetrics } from './platform/metrics.ts'
import { Ports } from './platform/ports.ts'
import { openStorage, storagePort } from './platform/storage/index.ts'
import { openTenants, type TenantDirectory } from './platform/tenancy.ts'
import { openVault, vaultPort } from './platform/vault.ts'
import { settle } from './rooms.ts'
import { schema } from './schema.ts'

/** What one process does: answer requests, do the work behind them, or both. */
export type Role = 'web' | 'worker' | 'both'

/** What an app is made of. The database is there and migrated. */
export interface AppOptions {
  readonly config: Config
  readonly databaseUrl: string
  readonly role: Role
  readonly log: Log
  readonly deployment: Deployment
  /** Further conditions of readiness. */
  readonly checks?: Readonly<Record<string, Check>>
  /** The tabs of GraphiQL in development mode. */
  readonly tabs?: NonNullable<FrontDoorOptions['graphiql']>
  /** For tests: the second wall has to hold by itself. */
  readonly withoutFirstWall?: boolean
  /** For tests: the way out to addresses that tenants gave, which otherwise leads to public ones alone. */
  readonly publicEgress?: Egress
  /** For tests: how patient webhooks are. */
  readonly webhooks?: Partial<Patience>
  /** For tests: how hints travel. */
  readonly hints?: { readonly dropShare?: number }
}

/** A running process of the product. */
export interface App {
  readonly db: Db
  readonly tenants: TenantDirectory
  readonly events: Events
  readonly delivery: DeliveryPorts
  /** Makes the links in messages. */
  readonly links: Links
  /** Where the API answers, as in `http://localhost:4000/graphql`; undefined for a worker. */
  readonly url: string | undefined
  readonly isDevelopment: boolean
  /** Stops taking requests and jobs, finishes those it has (10 s at most), then closes everything. */
  close(): Promise<void>
}

/** Wires the platform, the graph, the rooms and the plugins into one object, and starts it. */
export async function openApp(options: AppOptions): Promise<App> {
  const { config, role, log } = options
  const closers: (() => unknown)[] = []
  const closing = async () => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  const opened = <T>(part: T, close: (part: T) => unknown): T => {
    closers.push(() => close(part))
    return part
  }
  try {
    const without = options.withoutFirstWall ? { withoutFirstWall: true } : {}
    const db = opened(openDb({ url: options.databaseUrl, ...without }), (part) => part.close())
    const clock = opened(await openClock(db.system), (part) => part.close())
    const tenants = openTenants(db.system)
    const egress = openEgress({ allow: config.egressAllow })
    // What the operator vouches for is no concern of those who give addresses of their own.
    const publicEgress = options.publicEgress ?? openEgress({ allow: [] })
    const metrics = openMetrics()
    const health = openHealth()
    const auth = opened(
      await openAuth({ system: db.system, tenants, clock, egress, log, dataDir: config.dataDir }),
      (part) => part.close(),
    )
    const cursorKey = await readCursorKey(db.system)
    const events = opened(
      openEvents({
        url: options.databaseUrl,
        systemPool: db.system,
        cursorKey,
        role,
        log,
        hints: { ...options.hints, ...(config.natsUrl && { natsUrl: config.natsUrl }) },
      }),
      (part) => part.close(),
    )
    const vault = openVault(config)
    const hosting = {
      ...{ egress, clock, log, strictEgress: publicEgress },
      settings: (tenantId: string, plugin: string) => readSaved(db.tenant(tenantId), plugin, vault),
    }
    const channels = await loadChannels(options.deployment, hosting)
    const checks = await loadChecks(options.deployment, { ...hosting, channels })
    const take: TakeSignals = async (tenantId, channel, signals, also) => {
      await takeSignals(db.tenant(tenantId), channel, { signals, ...(also && { also }) })
      events.poke()
    }
    let url: string | undefined
    const publicUrl = () =>
      config.publicUrl ?? (url ? new URL(url).origin : `http://localhost:${config.port}`)
    const links = new Links({ secret: cursorKey, publicUrl })
    const assetLinks = new AssetLinks({ secret: cursorKey, publicUrl })
    const storage = openStorage(config)
    const delivery: DeliveryPorts = { channels, clock, links, announced: () => events.poke() }

    if (role !== 'web') await recompileOutdated(db)
    let touches: ReturnType<typeof startTouchpointWorker> | undefined
    let webhooks: ReturnType<typeof startWebhookWorker> | undefined
    let judging: ReturnType<typeof startChecks> | undefined
    if (role !== 'web') {
      const jobs = opened(
        await openJobs({ system: db.system, log, queues: [deliverQueue], watches: true }),
        (part) => part.stop(),
      )
      touches = opened(startTouchpointWorker({ ...delivery, db, jobs, log }), (part) => part.stop())
      opened(
        startDue({
          system: db.system,
          log,
          settle: (id) => settle({ db, storage, log }, id),
          announced: () => events.poke(),
        }),
        (part) => part.stop(),
      )
      opened(startSearchUpkeep({ db, log }), (part) => part.stop())
      judging = opened(
        startChecks({ db, checks, log, now: () => clock.now(), announced: () => events.poke() }),
        (part) => part.stop(),
      )
      opened(startErrands({ db, channels, log, now: () => clock.now(), take }), (part) => part.stop())
      webhooks = opened(
        startWebhookWorker({
          ...{ db, egress: publicEgress, vault, clock, log },
          facts: eventScopes(),
          tell: eventBodies(schema),
          onGrowth: (listener) => events.onGrowth(listener),
          ...(options.webhooks && { patience: options.webhooks }),
        }),
        (part) => part.stop(),
      )
    }

    const watch = new MembershipWatch({
      follow: (follow) => events.follow(follow),
      client: (id) => db.tenant(id),
    })
    const committed = () => {
      events.poke()
      touches?.poke()
      judging?.poke()
    }
    const webhooksPart = {
      vault,
      refusal: (url: string) => publicEgress.refusal(url),
      place: (tenantId: string, cursor: string) => events.place(tenantId, cursor),
      poke: () => webhooks?.poke(),
    }
    const contexts = contextFactory({
      db,
      clock,
      events,
      egress,
      committed,
      refreshAuth: () => auth.refresh(),
      ports: new Ports()
        .provide(channelsPort, channels)
        .provide(checksPort, checks)
        .provide(vaultPort, vault)
        .provide(linksPort, links)
        .provide(assetLinksPort, assetLinks)
        .provide(storagePort, storage)
        .provide(signalsPort, new ReferralSignals(cursorKey))
        .provide(webhooksPort, webhooksPart, { ...webhooksPart, poke: () => {} }),
    })
    health.add('database', async () => {
      await db.system.query('select 1')
      return true as const
    })
    for (const [name, check] of Object.entries(options.checks ?? {})) health.add(name, check)
    health.add('sequencer', () => events.ready() || 'nobody logs events yet')
    metrics.watch('subscriptions', () => events.numbers().followers)

    if (role !== 'worker') {
      const onFault = (error: unknown, about: object = {}) =>
        log.error({ err: error, ...about }, 'A fault of ours.')
      const engine = new Engine({ schema, ...contexts, cost: config.cost, onFault })
      const door = new FrontDoor({
        engine,
        signIn: {
          authenticate: (authorization) => auth.authenticate(authorization),
          isGood: (viewer) => auth.isGood(viewer),
          onRevoked: (listener) => auth.onRevoked(listener),
          watch: ({ kind, tenant, sub }, end) =>
            kind === 'MEMBER' ? watch.watch(tenant.id, sub, end) : () => {},
        },
        routes: {
          ...statusRoutes(health, metrics),
          '/inbound/': inboundRoute({ channels, tenants, clock, take }),
          ...assetRoutes({ links: assetLinks, storage, client: (id) => db.tenant(id) }),
          ...memberPages({ links, client: (id) => db.tenant(id), announced: () => events.poke() }),
        },
        ...(auth.isDevelopment && options.tabs && { graphiql: options.tabs }),
        onFault,
      })
      opened(door, (part) => part.close())
      metrics.watch('sockets', () => door.sockets)
      // Development tokens are for this machine only.
      const hosts = auth.isDevelopment ? ['127.0.0.1', '::1'] : [undefined]
      const port = await listen(hosts, config.port, { door, opened, log })
      url = `http://localhost:${port}/graphql`
    }
    closers.push(() => health.drain())
    return { db, tenants, events, delivery, links, url, isDevelopment: auth.isDevelopment, close: closing }
  } catch (error) {
    await closing().catch(() => {})
    throw error
  }
}
