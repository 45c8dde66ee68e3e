import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { contextFactory } from './contexts.ts'
import { activityPredicate, settleActivities } from './domains/activities/index.ts'
import { recompileOutdated, registerPredicates } from './domains/audiences/index.ts'
import {
  entitlementPart,
  entitlementPredicate,
  priceListPart,
  stackingPart,
} from './domains/benefits/index.ts'
import { channelsPort, readSaved, startErrands, type TakeSignals } from './domains/channels/index.ts'
import { consentPredicate, Links, linksPort, memberPages } from './domains/consents/index.ts'
import {
  AssetLinks,
  assetLinksPort,
  assetRoutes,
  settleContent,
  sweepAssets,
} from './domains/content/index.ts'
import { campaignPart, couponPart, settleCoupons } from './domains/coupons/index.ts'
import { settleExpiry } from './domains/expiry/index.ts'
import { settleViews, supportLevelPart } from './domains/insight/index.ts'
import { freshnessBandPredicate, settleLifecycle, stagePredicate } from './domains/lifecycle/index.ts'
import {
  attributePredicate,
  MembershipWatch,
  membershipPredicate,
  settleMemberships,
} from './domains/members/index.ts'
import {
  checksPort,
  contributionNoticePart,
  moderationPart,
  startChecks,
  watchedWordsPart,
} from './domains/moderation/index.ts'
import { settleDigests, settleNotifications } from './domains/notifications/index.ts'
import { offerPart, settleOffers } from './domains/offers/index.ts'
import { partnerPart } from './domains/partners/index.ts'
import { settleInterests } from './domains/people/index.ts'
import { currencyPart, earnRulePart, labelPart, operationsPart, settleDue } from './domains/points/index.ts'
import { registerParts } from './domains/program/index.ts'
import { purchasesPredicate, replayImported } from './domains/purchases/index.ts'
import { settleFaq, settleQuestions } from './domains/questions/index.ts'
import {
  ReferralSignals,
  referralProgramPart,
  settleReferrals,
  signalsPort,
} from './domains/referrals/index.ts'
import { badgePart, reputationPart, settleBadges } from './domains/reputation/index.ts'
import { rewardPart, settleRewards } from './domains/rewards/index.ts'
import { startSearchUpkeep } from './domains/search/index.ts'
import { segmentPart, segmentPredicate, settleSegments } from './domains/segments/index.ts'
import { spacePart } from './domains/spaces/index.ts'
import { ladderPart, settleTiers, tierPredicate } from './domains/tiers/index.ts'
import {
  type DeliveryPorts,
  deliverQueue,
  extendBroadcasts,
  startTouchpointWorker,
  takeSignals,
} from './domains/touchpoints/index.ts'
import { type Patience, startWebhookWorker, webhooksPort } from './domains/webhooks/index.ts'
import { Engine } from './graph/engine.ts'
import { eventBodies } from './graph/event-body.ts'
import { eventScopes } from './graph/events.ts'
import { FrontDoor, type FrontDoorOptions, type Route } from './graph/front-door.ts'
import { type Deployment, inboundRoute, loadChannels, loadChecks } from './host/index.ts'
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
import { openStorage, type Storage, storagePort } from './platform/storage/index.ts'
import { openTenants, type TenantDirectory } from './platform/tenancy.ts'
import { openVault, vaultPort } from './platform/vault.ts'
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

registerPredicates(
  membershipPredicate,
  attributePredicate,
  stagePredicate,
  freshnessBandPredicate,
  purchasesPredicate,
  consentPredicate,
  segmentPredicate,
  activityPredicate,
  tierPredicate,
  entitlementPredicate,
)

registerParts(
  operationsPart,
  moderationPart,
  watchedWordsPart,
  reputationPart,
  contributionNoticePart,
  badgePart,
)
registerParts(currencyPart, labelPart, ladderPart, segmentPart, earnRulePart)
registerParts(entitlementPart, priceListPart, stackingPart)
registerParts(partnerPart, supportLevelPart)
registerParts(campaignPart, couponPart, offerPart, rewardPart, referralProgramPart)
registerParts(spacePart)

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
          ...routes(health, metrics),
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

/** Books what the clock has brought for one tenant; true when there may be more. */
async function settle(
  { db, storage, log }: { readonly db: Db; readonly storage: Storage; readonly log: Log },
  tenantId: string,
): Promise<boolean> {
  const tenant = db.tenant(tenantId)
  const ended = await settleMemberships(tenant, 500)
  const replayed = await replayImported(tenant, 500)
  const moved = await settleLifecycle(tenant, 500)
  const booked = (await settleDue(tenant, 500)) + (await settleExpiry(tenant, 500))
  const decided = await settleTiers(tenant, 500)
  const over = await settleOffers(tenant, 500)
  const lapsed = await settleRewards(tenant, 500)
  const referred = await settleReferrals(tenant, 100)
  // Bounded, and gone on with at the next look: neither a large broadcast nor a broken one keeps others waiting.
  await extendBroadcasts(tenant, { chunks: 20 }).catch((err: unknown) =>
    log.warn({ err, tenant: tenantId }, 'A broadcast could not be gone on with; trying on.'),
  )
  const looked = await settleSegments(tenant, 5)
  const taken = await settleCoupons(tenant, 500)
  const paid = await settleActivities(tenant, 200)
  const called = (await settleQuestions(tenant, 100)) + (await settleFaq(tenant, 100))
  const told =
    (await settleInterests(tenant, 100)) +
    (await settleNotifications(tenant, 20)) +
    (await settleDigests(tenant, 500)) +
    (await settleViews(tenant, 500)) +
    (await settleBadges(tenant, 200))
  // A storage that is away keeps nothing else waiting.
  const swept = await sweepAssets(tenant, storage, 100).catch((err: unknown) => {
    log.warn({ err, tenant: tenantId }, 'Files could not be deleted; trying on.')
    return 0
  })
  const known = told + swept + (await settleContent(tenant, 100))
  return (
    known +
      replayed +
      moved +
      booked +
      decided +
      over +
      looked +
      lapsed +
      taken +
      paid +
      called +
      referred +
      ended >
    0
  )
}

function routes(
  health: ReturnType<typeof openHealth>,
  metrics: ReturnType<typeof openMetrics>,
): Record<string, Route> {
  const json = (response: ServerResponse, status: number, body: object) => {
    response
      .writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
      .end(`${JSON.stringify(body)}\n`)
  }
  return {
    '/health/live': (_request, response) => json(response, 200, { isLive: true }),
    '/health/ready': async (_request, response) => {
      const readiness = await health.ready()
      json(response, readiness.isReady ? 200 : 503, readiness)
    },
    '/metrics': async (_request, response) => {
      response.writeHead(200, { 'content-type': metrics.contentType }).end(await metrics.text())
    },
  }
}

interface Listening {
  readonly door: FrontDoor
  readonly log: Log
  opened<T>(part: T, close: (part: T) => unknown): T
}

/** Listens on every host with one port; a host that this machine does not have is left out. Resolves to the port. */
async function listen(
  hosts: readonly (string | undefined)[],
  port: number,
  { door, log, opened }: Listening,
): Promise<number> {
  let taken = port
  for (const [i, host] of hosts.entries()) {
    const server = createServer(door.handle)
    server.on('upgrade', door.upgrade)
    try {
      taken = await bound(server, taken, host)
      // The door finishes what runs; whoever waits for this server would wait for its sockets.
      opened(server, (part) => void part.close())
    } catch (error) {
      if (i === 0) throw error
      log.debug({ err: error, host }, 'Not listening on this address.')
    }
  }
  return taken
}

function bound(server: Server, port: number, host: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port) // a server on a port, not on a pipe
    })
  })
}
