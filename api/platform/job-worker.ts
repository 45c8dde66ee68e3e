import { setTimeout as delay } from 'node:timers/promises'
import type { Job as BossJob, PgBoss } from 'pg-boss'
import type { JobData, Queue } from './jobs.ts'
import { type Log, safeError } from './log.ts'

/** One try of a job. */
export interface Job<Data extends JobData> {
  readonly id: string
  readonly data: Data
  /** 1 for the first try. */
  readonly attempt: number
  /** Aborts when the try is given up: too long, taken over by another worker, or the process stops. */
  readonly signal: AbortSignal
}

/** Does a job. Rejects when it could not, and the job is tried again. */
export type JobHandler<Data extends JobData> = (job: Job<Data>) => Promise<void>

/** How a try ended; `lost` when another worker took the job over. */
export type Outcome = 'done' | 'failed' | 'lost'

/** How a process works on a queue. */
export interface WorkOptions {
  /** Jobs that run at once in this process; 20 unless told. One tenant gets at most half of them, over all processes. */
  readonly concurrency?: number
  /** Called when a try ends, with its length in seconds. */
  readonly onTried?: (queue: string, outcome: Outcome, seconds: number) => void
}

/** A running worker. */
export interface JobWorker {
  wake(): void
  stop(patience: number): Promise<void>
}

/** What a worker works with. */
export interface WorkerParts<Data extends JobData> extends WorkOptions {
  readonly boss: PgBoss
  readonly log: Log
  readonly queue: Queue<Data>
  readonly handler: JobHandler<Data>
}

/**
 * Works on one queue: fetches as many jobs as it has room for and runs each on its own, so that a slow one
 * delays nobody else. (The library's own worker settles a batch when its slowest job is done.)
 */
export function startWorker<Data extends JobData>(parts: WorkerParts<Data>): JobWorker {
  const { boss, log, queue, handler, concurrency = 20 } = parts
  const running = new Map<string, { readonly job: BossJob<Data>; readonly giveUp: AbortController }>()
  let isStopping = false
  let bell = newBell()

  async function run(job: BossJob<Data>): Promise<void> {
    const attempt = job.retryCount + 1
    const giveUp = new AbortController()
    running.set(job.id, { job, giveUp })
    const began = performance.now()
    const tooLong = setTimeout(
      () => giveUp.abort(new Error(`it took longer than ${queue.expiresIn} s`)),
      queue.expiresIn * 1000,
    )
    let outcome: Outcome = 'done'
    try {
      const work = handler({ id: job.id, data: job.data, attempt, signal: giveUp.signal })
      await Promise.race([work, whenAborted(giveUp.signal)])
      await boss.complete(queue.name, job)
    } catch (err) {
      outcome = err instanceof LostError ? 'lost' : 'failed'
      log.warn({ err, queue: queue.name, job: job.id, attempt, outcome }, 'A job failed.')
      // Fenced by the attempt: when another worker has it by now, this changes nothing.
      await boss.fail(queue.name, job, safeError(err)).catch((cause) => {
        log.error({ err: cause, queue: queue.name, job: job.id }, 'The failure of a job could not be stored.')
      })
    } finally {
      clearTimeout(tooLong)
      running.delete(job.id)
      parts.onTried?.(queue.name, outcome, (performance.now() - began) / 1000)
      bell.ring()
    }
  }

  async function fetchAll(): Promise<void> {
    let isFailing = false
    while (!isStopping) {
      const room = concurrency - running.size
      try {
        // The data is what `enqueue` put in, and that takes no other type.
        const jobs = room > 0 ? await boss.fetch<Data>(queue.name, fetchOptions(room, concurrency)) : []
        isFailing = false
        for (const job of jobs) void run(job)
      } catch (err) {
        if (!isFailing) log.warn({ err, queue: queue.name }, 'Jobs cannot be fetched; trying on.')
        isFailing = true
      }
      await Promise.race([bell.rung, delay(500)])
      bell = newBell()
      // A moment for others to end as well, so that a busy queue is asked 50 times a second at most.
      await delay(20)
    }
  }

  async function beat(): Promise<void> {
    if (running.size === 0) return
    const held = [...running.values()]
    const answer = await boss.touch(
      queue.name,
      held.map(({ job }) => job),
    )
    // Which ones are still ours: the library answers it, but its types do not say so.
    if (!('settled' in answer) || !Array.isArray(answer.settled)) return
    const ours = new Set<unknown>(answer.settled)
    for (const { job, giveUp } of held) if (!ours.has(job.id)) giveUp.abort(new LostError())
  }

  const fetching = fetchAll()
  const heart = setInterval(() => {
    beat().catch((err) => log.warn({ err, queue: queue.name }, 'A heartbeat could not be written.'))
  }, 3_000)

  async function emptied(patience: number): Promise<void> {
    const deadline = performance.now() + patience
    while (running.size > 0 && performance.now() < deadline) await delay(20)
  }

  return {
    wake: () => bell.ring(),
    async stop(patience) {
      isStopping = true
      bell.ring()
      await fetching
      await emptied(patience)
      for (const { giveUp } of running.values()) giveUp.abort(new Error('the process stops'))
      await emptied(1_000)
      clearInterval(heart)
    },
  }
}

/** Another worker has the job: this one was silent for too long. */
class LostError extends Error {
  override readonly name = 'LostError'
}

function fetchOptions(room: number, concurrency: number): { batchSize: number; groupConcurrency: number } {
  return { batchSize: room, groupConcurrency: Math.max(1, Math.ceil(concurrency / 2)) }
}

function newBell(): { readonly rung: Promise<void>; ring(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { rung: promise, ring: resolve }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
