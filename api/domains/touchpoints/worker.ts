import { setTimeout } from 'node:timers/promises'
import type pg from 'pg'
import type { Db } from '../../platform/db.ts'
import { type Jobs, jobQueue } from '../../platform/jobs.ts'
import type { Log } from '../../platform/log.ts'
import { type DeliveryPorts, deliver } from './deliver.ts'
import { extendBroadcasts } from './sending.broadcast.ts'
import { dueTouchpoints } from './store.ts'

/** Jobs that deliver one touch each. */
export const deliverQueue = jobQueue<{ readonly tenant: string; readonly touchpoint: string }>('deliver', {
  expiresIn: 60,
})

/** What the worker needs besides what delivering needs. */
export interface WorkerPorts extends DeliveryPorts {
  readonly db: Db
  readonly jobs: Jobs
  readonly log: Log
  /** Calls back when a touch may have been planned; returns how to stop. Without it the scan comes once a second. */
  readonly onPlanned?: (poke: () => void) => () => void
}

/** The worker that turns due touches into deliveries. */
export interface TouchpointWorker {
  /** Looks for due touches now. */
  poke(): void
  /** Looks no more, and waits for the look that is on its way. Jobs are stopped with their queue. */
  stop(): Promise<void>
}

/** Deliveries that one process has on their way at once: most of their time is spent waiting for providers. */
const concurrency = 64
/** The least time between two looks, in milliseconds. */
const betweenLooksMs = 50
/** Touches taken of each tenant at a time. */
const batch = 200
/** How long a touch in the queue is left to it; a queue that lost it gives it back after that. */
const queuedFor = '10 minutes'

/** Starts delivering: every second, and as soon as something was planned. */
export function startTouchpointWorker(ports: WorkerPorts): TouchpointWorker {
  const { db, jobs, log } = ports
  jobs.work(
    deliverQueue,
    async ({ data }) => {
      await deliver(db.tenant(data.tenant), data.touchpoint, ports)
    },
    { concurrency },
  )

  let isWanted = false
  let isStopping = false
  let scanning: Promise<void> | undefined

  async function scanAll(): Promise<void> {
    while (isWanted && !isStopping) {
      isWanted = false
      try {
        // A full batch means that there may be more.
        if ((await enqueueDue(db.system, jobs)) >= batch) isWanted = true
      } catch (err) {
        log.warn({ err }, 'Due touches could not be looked for; trying on.')
      }
      // Under traffic every commit pokes; one look serves all of them.
      if (isWanted) await setTimeout(betweenLooksMs)
    }
  }
  function poke(): void {
    isWanted = true
    scanning ??= scanAll().finally(() => {
      scanning = undefined
      // Wanted again in the very moment of ending.
      if (isWanted && !isStopping) poke()
    })
  }

  const timer = setInterval(poke, 1_000)
  const forget = ports.onPlanned?.(poke)
  poke()
  return {
    poke,
    async stop() {
      isStopping = true
      clearInterval(timer)
      forget?.()
      await scanning
    },
  }
}

/** Claims due touches of all tenants and makes their jobs, in one transaction. Returns how many. */
async function enqueueDue(system: pg.Pool, jobs: Jobs): Promise<number> {
  const client = await system.connect()
  try {
    await client.query('begin')
    const { rows } = await client.query<{ tenant: string; touchpoint: string }>({
      name: 'touchpoint_due',
      text: 'select tenant_id as tenant, touchpoint_id as touchpoint from touchpoint_due($1, $2)',
      values: [batch, queuedFor],
    })
    await jobs.enqueue(client, deliverQueue, ...rows)
    await client.query('commit')
    if (rows.length > 0) jobs.wake()
    return rows.length
  } finally {
    // Inside a transaction that failed, the pool closes the connection, and the server rolls back.
    client.release()
  }
}

/**
 * Plans the touches of what broadcasts of one tenant are due by its clock, and delivers here and now everything that
 * is due, in the order in which it fell due, as far as it goes: afterwards all of it is settled or put off. What another worker is sending is waited for.
 * Returns how many touches were settled or put off.
 */
export async function deliverDue(db: Db, tenantId: string, ports: DeliveryPorts): Promise<number> {
  const tenant = db.tenant(tenantId)
  await extendBroadcasts(tenant, { chunks: Number.POSITIVE_INFINITY })
  let booked = 0
  while (true) {
    const due = await dueTouchpoints(tenant, batch)
    if (due.length === 0) return booked
    for (const touchpoint of due) {
      const result = await deliver(tenant, touchpoint, ports)
      if (result === 'settled' || result === 'put_off') booked += 1
      if (result === 'busy') await setTimeout(betweenLooksMs)
    }
  }
}
