import type pg from 'pg'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** The figures of one process, as Prometheus reads them. */
export interface Metrics {
  /** A request ended. `transport` is a short fixed word such as `http` or `websocket`. */
  request(transport: string, status: number): void
  /** A named operation ended after so many seconds. Names beyond the first 200 are counted as `other`. */
  operation(
    name: string | null | undefined,
    kind: 'query' | 'mutation' | 'subscription',
    seconds: number,
  ): void
  /** An error was answered. `code` is one of the table in errors.ts. */
  error(code: string): void
  /** An event was delivered so many seconds after it was logged. */
  eventLag(seconds: number): void
  /** A try of a job ended; fits `WorkOptions.onTried`. */
  job(queue: string, outcome: string, seconds: number): void
  /** From now on tells how a pool is used. `name` is a short fixed word. */
  watchPool(name: string, pool: Pick<pg.Pool, 'totalCount' | 'idleCount' | 'waitingCount'>): void
  /** From now on asks for a value whenever the figures are read; one that cannot be had is left out. */
  watch(gauge: Watched, read: () => Promise<number> | number): void
  /** All figures in Prometheus' text format. */
  text(): Promise<string>
  /** The media type of that text. */
  readonly contentType: string
}

/** What only somebody else can count. */
export type Watched = 'outbox_depth' | 'jobs_waiting' | 'jobs_running' | 'subscriptions' | 'sockets'

const watchedHelp: Readonly<Record<Watched, string>> = {
  outbox_depth: 'Events written that the log does not have yet.',
  jobs_waiting: 'Jobs that could run now.',
  jobs_running: 'Jobs that run now, in all processes.',
  subscriptions: 'Live subscriptions of this process.',
  sockets: 'Open websockets of this process.',
}

const mostNames = 200

/** Opens a registry of its own: two in one process do not meet. */
export function openMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const requests = new Counter({
    name: 'engawa_requests_total',
    help: 'Requests answered, by transport and status.',
    labelNames: ['transport', 'status'],
    registers,
  })
  const operations = new Histogram({
    name: 'engawa_operation_seconds',
    help: 'How long operations took, by their name.',
    labelNames: ['operation', 'kind'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  const errors = new Counter({
    name: 'engawa_errors_total',
    help: 'Errors answered, by code.',
    labelNames: ['code'],
    registers,
  })
  const lag = new Histogram({
    name: 'engawa_event_lag_seconds',
    help: 'From the logging of an event to its delivery.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
    registers,
  })
  const jobs = new Histogram({
    name: 'engawa_job_seconds',
    help: 'How long tries of jobs took, by queue and outcome.',
    labelNames: ['queue', 'outcome'],
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300],
    registers,
  })
  const pools = new Map<string, Pick<pg.Pool, 'totalCount' | 'idleCount' | 'waitingCount'>>()
  new Gauge({
    name: 'engawa_pool_connections',
    help: 'Database connections, by pool and state; waiting are those who want one.',
    labelNames: ['pool', 'state'],
    registers,
    collect() {
      for (const [pool, { totalCount, idleCount, waitingCount }] of pools) {
        this.set({ pool, state: 'busy' }, totalCount - idleCount)
        this.set({ pool, state: 'idle' }, idleCount)
        this.set({ pool, state: 'waiting' }, waitingCount)
      }
    },
  })
  // A caller chooses the name, and every name is a series that stays.
  const names = new Set<string>()
  const bounded = (name: string) => {
    if (names.has(name)) return name
    if (names.size >= mostNames || !/^\w{1,64}$/.test(name)) return 'other'
    names.add(name)
    return name
  }

  return {
    request: (transport, status) => requests.inc({ transport, status: String(status) }),
    operation(name, kind, seconds) {
      operations.observe({ operation: name ? bounded(name) : 'anonymous', kind }, seconds)
    },
    error: (code) => errors.inc({ code }),
    eventLag: (seconds) => lag.observe(seconds),
    job: (queue, outcome, seconds) => jobs.observe({ queue, outcome }, seconds),
    watchPool: (name, pool) => void pools.set(name, pool),
    watch(gauge, read) {
      const name = `engawa_${gauge}`
      registry.removeSingleMetric(name)
      new Gauge({
        name,
        help: watchedHelp[gauge],
        registers,
        async collect() {
          this.reset()
          try {
            this.set(await read())
          } catch {
            this.remove()
          }
        },
      })
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}
