import type pg from 'pg'
import { PgBoss } from 'pg-boss'
import type { TenantClient } from './db.ts'
import { newId } from './ids.ts'
import { type JobHandler, type JobWorker, startWorker, type WorkOptions } from './job-worker.ts'
import type { Log } from './log.ts'

/** What a job carries: ids and amounts, never personal data. The tenant is the one it is counted for. */
export interface JobData {
  readonly tenant: string
}

/** A kind of job. Jobs are for now; what is due later is a row with an instant, which a scan turns into a job. */
export interface Queue<Data extends JobData> {
  /** Small letters and hyphens. Jobs that fail for good go to the queue of this name with `.dead` behind it. */
  readonly name: string
  /** A try that takes longer is given up and counts as failed. In seconds. */
  readonly expiresIn: number
  /** How often a failed job is tried again, with growing pauses, before it is dead. */
  readonly retries: number
  /** The type of the data; there is no value. */
  readonly [dataOf]?: Data
}

declare const dataOf: unique symbol

/** Declares a kind of job. Five minutes and eight retries (about ten minutes in all) unless told. */
export function jobQueue<Data extends JobData>(
  name: string,
  options: { expiresIn?: number; retries?: number } = {},
): Queue<Data> {
  return { name, expiresIn: options.expiresIn ?? 300, retries: options.retries ?? 8 }
}

/** A transaction to enqueue in: a tenant's, or a client of the system pool between BEGIN and COMMIT. */
export type JobTransaction = TenantClient | pg.ClientBase

/** How many jobs a queue holds, as of a few seconds ago. */
export interface QueueDepth {
  readonly queue: string
  readonly waiting: number
  readonly running: number
}

/** Work that happens outside of the request that caused it: at least once, after that request committed. */
export interface Jobs {
  /**
   * Puts jobs into a queue, in the caller's transaction: they exist if it commits, and not otherwise.
   * One statement for any number. Returns their ids.
   */
  enqueue<Data extends JobData>(
    via: JobTransaction,
    queue: Queue<Data>,
    ...data: Data[]
  ): Promise<readonly string[]>
  /**
   * Works on a queue until `stop`. The handler must bear being run twice, and should give up when its signal
   * aborts: then the job is no longer its own. A rejection is logged, and the job is tried again.
   */
  work<Data extends JobData>(queue: Queue<Data>, handler: JobHandler<Data>, options?: WorkOptions): void
  /** Has workers of this process look for jobs now instead of at the next half second. */
  wake(): void
  depths(): Promise<readonly QueueDepth[]>
  /** Takes no more jobs, and waits for those that run; after `patience` (25,000 ms) they are given back. */
  stop(patience?: number): Promise<void>
}

/** What the queue needs. */
export interface JobsOptions {
  /** A pool that acts as engawa_system. The schema is there already: the migrations install it. */
  readonly system: pg.Pool
  readonly log: Log
  /** Every queue that this process enqueues into or works on. */
  readonly queues: readonly Queue<JobData>[]
  /** True in workers: watches for jobs whose worker died, and cleans up. */
  readonly watches: boolean
}

/** Opens the queues, making those that are not there yet. */
export async function openJobs({ system, log, queues, watches }: JobsOptions): Promise<Jobs> {
  const boss = new PgBoss({
    db: { executeSql: (text, values) => system.query(text, values) },
    schema: 'pgboss',
    migrate: false,
    schedule: false,
    supervise: watches,
    superviseIntervalSeconds: 5,
    monitorIntervalSeconds: 5,
    // Its indexes belong to the migrating user.
    reindex: false,
  })
  boss.on('error', (err) => log.error({ err }, 'The job queue failed.'))
  boss.on('warning', ({ message }) => log.warn({ warning: message }, 'The job queue warns.'))
  await boss.start()
  for (const queue of queues) await makeQueue(boss, queue)
  const workers: JobWorker[] = []

  return {
    async enqueue(via, queue, ...data) {
      const jobs = data.map((item) => ({ id: newId(), data: item, group: { id: item.tenant } }))
      if (jobs.length > 0) await boss.insert(queue.name, jobs, { db: { executeSql: adapter(via) } })
      return jobs.map(({ id }) => id)
    },
    work(queue, handler, options) {
      workers.push(startWorker({ boss, log, queue, handler, ...options }))
    },
    wake() {
      for (const worker of workers) worker.wake()
    },
    async depths() {
      const found = await boss.getQueues()
      return found.map(({ name, readyCount, activeCount }) => ({
        queue: name,
        waiting: readyCount,
        running: activeCount,
      }))
    },
    async stop(patience = 25_000) {
      await Promise.all(workers.map((worker) => worker.stop(patience)))
      await boss.stop({ graceful: false, close: false })
    },
  }
}

async function makeQueue(boss: PgBoss, { name, expiresIn, retries }: Queue<JobData>): Promise<void> {
  const dead = { retentionSeconds: 30 * 86_400 }
  const settings = {
    // The worker gives up by itself; this is for one that hangs.
    expireInSeconds: expiresIn + 15,
    // A worker that died is noticed after this long, and its jobs go to another one.
    heartbeatSeconds: 10,
    retryLimit: retries,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: 300,
    deleteAfterSeconds: 3_600,
    deadLetter: `${name}.dead`,
  }
  await boss.createQueue(settings.deadLetter, dead)
  await boss.createQueue(name, settings)
  // Making a queue that exists changes nothing, and this version may have other settings.
  await boss.updateQueue(name, settings)
}

function adapter(via: JobTransaction): (text: string, values?: unknown[]) => Promise<{ rows: unknown[] }> {
  if ('tenantId' in via) {
    return async (text, values = []) => ({ rows: await via.query({ text, values }) })
  }
  return (text, values) => via.query(text, values)
}
