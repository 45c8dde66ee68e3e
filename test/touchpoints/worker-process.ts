/*
 * A worker process of its own, for tests that kill it. Arguments: the database, and `hang` to say "sending" in the
 * middle of each delivery and never come back; otherwise it delivers to inboxes, each in 60 ms, so that a kill finds
 * some on their way. It says "ready" when it works.
 */
import { setTimeout as delay } from 'node:timers/promises'
import inbox from '@engawa/channel-inbox'
import { deliverQueue, startTouchpointWorker } from '../../api/domains/touchpoints/index.ts'
import { loadChannels } from '../../api/host/index.ts'
import { processClock } from '../../api/platform/clock.ts'
import { openDb } from '../../api/platform/db.ts'
import { openEgress } from '../../api/platform/egress.ts'
import { openJobs } from '../../api/platform/jobs.ts'
import { openLog } from '../../api/platform/log.ts'

const [url = '', manner] = process.argv.slice(2)
const slow: typeof inbox = {
  ...inbox,
  async send(ctx, prepared) {
    if (manner !== 'hang') await delay(60)
    else {
      console.log('sending')
      await new Promise(() => {})
    }
    return inbox.send(ctx, prepared)
  },
}
const log = openLog({ level: 'error' })
const db = openDb({ url, appConnections: 4, systemConnections: 4 })
const jobs = await openJobs({ system: db.system, log, queues: [deliverQueue], watches: true })
const channels = await loadChannels(
  { plugins: { inbox: async () => ({ default: slow }) } },
  { egress: openEgress({ allow: [] }), clock: processClock, log },
)
startTouchpointWorker({ db, jobs, channels, clock: processClock, log })
console.log('ready')
