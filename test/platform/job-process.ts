/*
 * A worker process of its own, for tests that kill it. Arguments: the database and what to do with a job:
 * `hang` says so and never ends, `finish` says so and ends.
 */
import { openDb } from '../../api/platform/db.ts'
import { openJobs } from '../../api/platform/jobs.ts'
import { openLog } from '../../api/platform/log.ts'
import { errand } from './errand.ts'

const [url = '', manner] = process.argv.slice(2)
const db = openDb({ url })
const jobs = await openJobs({
  system: db.system,
  log: openLog({ level: 'error' }),
  queues: [errand],
  watches: true,
})
jobs.work(errand, async ({ attempt, data, signal }) => {
  console.log(manner === 'hang' ? `started ${data.n}` : `done ${data.n} at try ${attempt}`)
  signal.addEventListener('abort', () => console.log(`aborted: ${signal.reason.name}`))
  if (manner === 'hang') await new Promise(() => {})
})
