import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { type Db, openDb } from '../../api/platform/db.ts'
import type { JobHandler } from '../../api/platform/job-worker.ts'
import { type Jobs, jobQueue, openJobs } from '../../api/platform/jobs.ts'
import { openLog } from '../../api/platform/log.ts'
import { createTenant, type Tenant } from '../../api/platform/tenancy.ts'
import { testDatabase } from '../support/database.ts'
import { until } from '../support/until.ts'
import { errand } from './errand.ts'

const database = testDatabase()
let db: Db
let shop: Tenant
let rival: Tenant

beforeAll(async () => {
  db = openDb({ url: database.url, systemConnections: 8 })
  const place = { timeZone: 'Asia/Tokyo', locale: 'ja-JP' }
  shop = await createTenant(db.system, { key: 'shop', name: 'Shop', ...place })
  rival = await createTenant(db.system, { key: 'rival', name: 'Rival', ...place })
})
afterAll(() => db.close())
beforeEach(() => db.system.query('delete from pgboss.job'))

async function open(): Promise<Jobs> {
  const jobs = await openJobs({
    system: db.system,
    log: openLog({ level: 'silent' }),
    queues: [errand],
    watches: true,
  })
  onTestFinished(() => jobs.stop(0))
  return jobs
}

async function stored(): Promise<{ name: string; state: string; data: unknown }[]> {
  const { rows } = await db.system.query('select name, state::text, data from pgboss.job order by created_on')
  return rows
}

test('a job enqueued in the transaction of a tenant exists when it commits, and not when it rolls back', async () => {
  const jobs = await open()
  const tx = db.tenant(shop.id)
  const undone = tx.transaction(async (inside) => {
    await jobs.enqueue(inside, errand, { tenant: shop.id, n: 1 })
    throw new Error('no')
  })
  await expect(undone).rejects.toThrow('no')
  expect(await stored()).toEqual([])
  await tx.transaction((inside) => jobs.enqueue(inside, errand, { tenant: shop.id, n: 2 }))
  expect(await stored()).toEqual([{ name: 'errand', state: 'created', data: { tenant: shop.id, n: 2 } }])
})

test('the same holds in a transaction of the system', async () => {
  const jobs = await open()
  for (const end of ['rollback', 'commit']) {
    const client = await db.system.connect()
    await client.query('begin')
    await jobs.enqueue(client, errand, { tenant: shop.id, n: 1 }, { tenant: rival.id, n: 2 })
    await client.query(end)
    client.release()
    expect((await stored()).length).toBe(end === 'commit' ? 2 : 0)
  }
})

test('the application can put jobs in, and can neither read, change nor delete them', async () => {
  const tx = db.tenant(shop.id)
  for (const text of [
    'select data from pgboss.job',
    'select data from pgboss.job_common',
    "update pgboss.job set state = 'cancelled'",
    'delete from pgboss.job',
    "select pgboss.delete_queue('errand')",
  ]) {
    await expect(tx.query({ text, values: [] })).rejects.toMatchObject({ code: '42501' })
  }
})

test('a committed job is done once, soon', async () => {
  const jobs = await open()
  const done: number[] = []
  jobs.work(errand, async ({ data, attempt }) => void done.push(data.n * 10 + attempt))
  await jobs.enqueue(db.tenant(shop.id), errand, { tenant: shop.id, n: 7 })
  jobs.wake()
  await until(async () => (await stored())[0]?.state === 'completed', 2_000)
  expect(done).toEqual([71])
})

test('a job that fails is tried again, then lies dead with its ids and without what the error quoted', async () => {
  const jobs = await open()
  const attempts: number[] = []
  const fails: JobHandler<{ tenant: string; n: number }> = async ({ attempt }) => {
    attempts.push(attempt)
    await db.system.query("update pgboss.job set start_after = now() where state = 'retry'") // no waiting here
    throw new Error('no mailbox canary@shop.example')
  }
  jobs.work(errand, fails)
  await jobs.enqueue(db.tenant(shop.id), errand, { tenant: shop.id, n: 7 })
  await until(async () => (await stored()).some(({ name }) => name === 'errand.dead'), 20_000)
  expect(attempts).toEqual([1, 2, 3])
  const { rows } = await db.system.query('select j::text as text from pgboss.job j')
  expect(rows.some(({ text }) => text.includes('no mailbox'))).toBe(true)
  expect(rows.some(({ text }) => text.includes('canary'))).toBe(false)
  expect((await stored()).find(({ name }) => name === 'errand.dead')?.data).toEqual({ tenant: shop.id, n: 7 })
})

test('a job that takes too long is given up', async () => {
  const brief = jobQueue<{ tenant: string }>('brief', { expiresIn: 1, retries: 0 })
  const jobs = await openJobs({
    system: db.system,
    log: openLog({ level: 'silent' }),
    queues: [brief],
    watches: false,
  })
  onTestFinished(() => jobs.stop(0))
  let reason: unknown
  jobs.work(brief, ({ signal }) => {
    signal.addEventListener('abort', () => {
      reason = signal.reason
    })
    return new Promise(() => {})
  })
  await jobs.enqueue(db.tenant(shop.id), brief, { tenant: shop.id })
  await until(async () => (await stored()).some(({ name }) => name === 'brief.dead'), 5_000)
  expect(reason).toEqual(new Error('it took longer than 1 s'))
})

test('one tenant takes at most half of a worker, and a slow job delays nobody else', async () => {
  const jobs = await open()
  const running: string[] = []
  let most = 0
  const release = Promise.withResolvers<void>()
  jobs.work(
    errand,
    async ({ data }) => {
      if (data.tenant === rival.id) return
      running.push(data.tenant)
      most = Math.max(most, running.length)
      await release.promise
      running.pop()
    },
    { concurrency: 8 },
  )
  const flood = Array.from({ length: 40 }, (_, n) => ({ tenant: shop.id, n }))
  await jobs.enqueue(db.tenant(shop.id), errand, ...flood)
  await until(() => running.length === 4)
  await jobs.enqueue(db.tenant(rival.id), errand, { tenant: rival.id, n: 0 })
  const isDone = async () =>
    (await db.system.query("select from pgboss.job where group_id = $1 and state = 'completed'", [rival.id]))
      .rowCount === 1
  await until(isDone, 3_000)
  expect(most).toBe(4)
  release.resolve()
  await until(async () => (await stored()).every(({ state }) => state === 'completed'), 10_000)
})

test('stopping waits for running jobs, takes no new ones, and gives back those that do not end', async () => {
  const jobs = await open()
  const begun: number[] = []
  const release = Promise.withResolvers<void>()
  jobs.work(errand, async ({ data }) => {
    begun.push(data.n)
    await (data.n === 1 ? release.promise : new Promise(() => {}))
  })
  await jobs.enqueue(db.tenant(shop.id), errand, { tenant: shop.id, n: 1 }, { tenant: shop.id, n: 2 })
  await until(() => begun.length === 2)
  const stopping = jobs.stop(500)
  await jobs.enqueue(db.tenant(shop.id), errand, { tenant: shop.id, n: 3 })
  await delay(200) // an impatient stop would have given the jobs up by now
  release.resolve()
  await stopping
  const states = (await stored()).map(({ data, state }) => [(data as { n: number }).n, state])
  expect(states.sort()).toEqual([
    [1, 'completed'],
    [2, 'retry'],
    [3, 'created'],
  ])
})

function worker(manner: 'hang' | 'finish'): {
  process: ChildProcess
  said: (line: RegExp) => Promise<number>
} {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'job-process.ts'), database.url, manner], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  return {
    process: child,
    async said(pattern) {
      await until(() => lines.some((line) => pattern.test(line)), 40_000)
      return performance.now()
    },
  }
}

test('jobs of a killed and of a frozen worker are run again within 30 seconds', {
  timeout: 90_000,
}, async () => {
  const jobs = await open()
  const enqueue = (n: number) => jobs.enqueue(db.tenant(shop.id), errand, { tenant: shop.id, n })
  const [frozen, killed] = [worker('hang'), worker('hang')]
  await enqueue(1)
  const first = await Promise.race([frozen, killed].map(async (one) => one.said(/started 1/).then(() => one)))
  const second = first === frozen ? killed : frozen
  first.process.kill('SIGSTOP')
  await enqueue(2)
  await second.said(/started 2/)
  second.process.kill('SIGKILL')
  const began = performance.now()

  const third = worker('finish')
  for (const n of [1, 2]) {
    const seconds = ((await third.said(new RegExp(`done ${n} at try 2`))) - began) / 1000
    console.log(`job ${n} was run again after ${seconds.toFixed(1)} s`)
    expect(seconds).toBeLessThan(30)
  }
  first.process.kill('SIGCONT')
  await first.said(/aborted: LostError/)
  await until(async () => (await stored()).every(({ state }) => state === 'completed'))
  expect((await stored()).length).toBe(2)
})
