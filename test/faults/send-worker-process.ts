/*
 * A worker process of its own, for the test that kills it. Arguments: the database, the host of the provider that
 * knows keys, and of the one that does not. It says "ready" when it works.
 */
import { type Capabilities, defineChannel, retryAfter, type Schema, seconds } from '@engawa/sdk'
import { deliverQueue, startTouchpointWorker } from '../../api/domains/touchpoints/index.ts'
import { loadChannels } from '../../api/host/index.ts'
import { processClock } from '../../api/platform/clock.ts'
import { openDb } from '../../api/platform/db.ts'
import { openEgress } from '../../api/platform/egress.ts'
import { openJobs } from '../../api/platform/jobs.ts'
import { openLog } from '../../api/platform/log.ts'

const [url = '', native = '', plain = ''] = process.argv.slice(2)
/** Nobody listens there: connections are refused. */
const closed = '127.0.0.1:9'
const anything: Schema<unknown> = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) },
}

function channel(id: string, host: string, idempotency: Capabilities['idempotency']) {
  return defineChannel({
    id,
    sdk: '^0.1',
    kind: 'inbox',
    capabilities: { idempotency, receipts: ['accepted'], limits: {} },
    config: { schema: anything, version: 1, secrets: [], check: async () => ({ ok: true }) },
    address: { schema: anything, own: true, normalise: (address) => address, identity: String },
    content: { schema: anything, prepare: () => ({ ok: true, prepared: 'hello', size: 5 }) },
    async send(ctx, body) {
      // Every thirtieth first attempt finds the door shut.
      const isRefused = ctx.attempt === 1 && Number.parseInt(ctx.key.slice(0, 4), 16) % 30 === 0
      const response = await ctx.fetch(`http://${isRefused ? closed : host}/messages`, {
        method: 'POST',
        headers: { 'idempotency-key': ctx.key },
        body,
        signal: AbortSignal.any([ctx.signal, AbortSignal.timeout(400)]),
      })
      if (response.ok) return { is: 'accepted', at: ctx.clock.now() }
      if (response.status >= 500) return { is: 'unknown', evidence: 'server-error' }
      const notBefore = retryAfter(response.headers, ctx.clock.now())
      const disposition = { do: 'later', ...(notBefore && { notBefore }) } as const
      return { is: 'refused', fault: { cause: 'rate', disposition, code: String(response.status) } }
    },
  })
}

const log = openLog({ level: 'error' })
const db = openDb({ url, appConnections: 8, systemConnections: 4 })
const jobs = await openJobs({ system: db.system, log, queues: [deliverQueue], watches: true })
const channels = await loadChannels(
  {
    plugins: {
      native: async () => ({
        default: channel('native', native, {
          mode: 'native',
          header: 'idempotency-key',
          format: 'uuid',
          ttl: seconds(86_400),
        }),
      }),
      plain: async () => ({ default: channel('plain', plain, { mode: 'none' }) }),
    },
  },
  { egress: openEgress({ allow: [native, plain, closed] }), clock: processClock, log },
)
startTouchpointWorker({ db, jobs, channels, clock: processClock, log })
console.log('ready')
