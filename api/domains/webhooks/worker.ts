import { setTimeout } from 'node:timers/promises'
import type { Db } from '../../platform/db.ts'
import { type Claim, claimDue, forgetFailures } from './queue.store.ts'
import { retryWaits } from './schedule.ts'
import { type Patience, type SendPorts, serve, type Turn } from './turn.ts'

/** What the worker needs besides what sending needs. */
export interface WebhookPorts extends SendPorts {
  readonly db: Pick<Db, 'system' | 'tenant'>
  /** Calls back with a tenant's id when its log may have grown; returns how to stop. */
  onGrowth(listener: (tenantId: string) => void): () => void
  /** For tests: other times than the usual ones. */
  readonly patience?: Partial<Patience>
}

/** The worker that posts the event log to the endpoints of integrators. */
export interface WebhookWorker {
  /** Looks for what is due now. */
  poke(): void
  /** Takes no more, lets what is on its way come to its end for a moment, and notes how far it came. */
  stop(): Promise<void>
}

const usual: Patience = {
  waits: retryWaits,
  answerMs: 15_000,
  leaseMs: 30_000,
  noteMs: 1_000,
  lookMs: 1_000,
  turnMs: 10_000,
  batch: 100,
}
/** Endpoints that are served at a time. */
const mostTurns = 64
/** The least time between two looks. */
const betweenLooksMs = 50
/** Of the looks that come by themselves, how many until one at the logs of all tenants, and until old failures go. */
const looksPerSweep = 5
const looksPerForgetting = 3_600
/** How long what is on its way may take once the worker is stopped. */
const lastMs = 4_000
/** Tenants whose growth is remembered until the next look; with more, all are looked at. */
const mostGrown = 1_000

/**
 * Starts posting. It looks when a log has grown, once a second for what is due by the clock, and every five seconds at
 * all logs, because hints get lost. Any number of workers may run at once; an endpoint is with one of them.
 */
export function startWebhookWorker(ports: WebhookPorts): WebhookWorker {
  const patience = { ...usual, ...ports.patience }
  const { db, log } = ports
  const stopping = new AbortController()
  const givingUp = new AbortController()
  const turns = new Map<Turn, Promise<void>>()
  const grown = new Set<string>()
  let isSweeping = true
  let isWanted = false
  let looking: Promise<void> | undefined
  let ticks = 0

  async function look(): Promise<void> {
    while (isWanted && !stopping.signal.aborted) {
      isWanted = false
      const limit = mostTurns - turns.size
      if (limit === 0) return // the end of a turn looks again
      const tenants = isSweeping ? null : [...grown]
      grown.clear()
      isSweeping = false
      try {
        const claims = await claimDue(db.system, tenants, { limit, leaseMs: patience.leaseMs })
        for (const claim of claims) begin(claim)
        // A full hand means that there may be more.
        if (claims.length === limit) isSweeping ||= tenants === null || tenants.length > 0
      } catch (err) {
        isSweeping = true
        log.warn({ err }, 'Due webhooks could not be looked for; trying on.')
      }
      await setTimeout(betweenLooksMs) // under traffic every batch of the log pokes; one look serves all of them
    }
  }
  function poke(): void {
    isWanted = true
    looking ??= look().finally(() => {
      looking = undefined
      // Wanted again in the very moment of ending.
      if (isWanted && !stopping.signal.aborted && turns.size < mostTurns) poke()
    })
  }
  function begin(claim: Claim): void {
    const turn: Turn = { ...claim, stopping: stopping.signal, givingUp: givingUp.signal, hasGrown: false }
    const served = serve(turn, ports, patience).catch((err) => {
      // Its lease lapses, and somebody goes on from the last note.
      log.warn(
        { err, tenant: claim.tenant, endpoint: claim.endpoint },
        'A webhook endpoint could not be served.',
      )
    })
    turns.set(
      turn,
      served.finally(() => {
        turns.delete(turn)
        if (turn.hasGrown) grow(turn.tenant)
        poke()
      }),
    )
  }
  function grow(tenant: string): void {
    for (const turn of turns.keys()) if (turn.tenant === tenant) turn.hasGrown = true
    if (grown.size < mostGrown) grown.add(tenant)
    else isSweeping = true
    poke()
  }
  async function forget(): Promise<void> {
    await forgetFailures(db.system, 1_000).catch((err) => {
      log.warn({ err }, 'Old webhook failures could not be forgotten; trying on.')
    })
  }

  const timer = setInterval(() => {
    if (ticks % looksPerSweep === 0) isSweeping = true
    if (ticks % looksPerForgetting === 0) void forget()
    ticks += 1
    poke()
  }, patience.lookMs)
  const deaf = ports.onGrowth(grow)
  poke()
  return {
    poke,
    async stop() {
      stopping.abort()
      clearInterval(timer)
      deaf()
      const last = AbortSignal.timeout(lastMs)
      last.addEventListener('abort', () => givingUp.abort())
      await looking
      await Promise.all(turns.values())
    },
  }
}
