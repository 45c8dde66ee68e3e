import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import inbox from '@engawa/channel-inbox'
import { expect, onTestFinished, test } from 'vitest'
import { deliverDue, deliverQueue, startTouchpointWorker } from '../../api/domains/touchpoints/index.ts'
import { processClock } from '../../api/platform/clock.ts'
import { openJobs } from '../../api/platform/jobs.ts'
import { openLog } from '../../api/platform/log.ts'
import { testDatabase } from '../support/database.ts'
import { until } from '../support/until.ts'
import { channelsOf, openShop, type Shop } from './shop.ts'

const database = testDatabase()
const log = openLog({ level: 'silent' })
const ports = {
  channels: await channelsOf({ inbox: async () => ({ default: inbox }) }),
  clock: processClock,
  log,
}

async function work(shop: Shop) {
  const jobs = await openJobs({ system: shop.db.system, log, queues: [deliverQueue], watches: true })
  const worker = startTouchpointWorker({ ...ports, db: shop.db, jobs })
  onTestFinished(async () => {
    await worker.stop()
    await jobs.stop(0)
  })
  return worker
}

async function workerProcess(manner: 'hang' | 'deliver') {
  const file = join(import.meta.dirname, 'worker-process.ts')
  const child = spawn(process.execPath, [file, database.url, manner], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  const kill = async () => {
    child.kill('SIGKILL')
    await exit
  }
  onTestFinished(kill)
  const said: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => said.push(line))
  await until(() => said.includes('ready'), 20_000)
  return { kill, said }
}

const isSettled = async (shop: Shop, touchpoint: string) =>
  (await shop.touchpoint(touchpoint)).settled_at !== null

test('a planned touch is in the inbox moments later', async () => {
  const shop = await openShop(database.url)
  const worker = await work(shop)
  const touchpoint = await shop.plan(await shop.member())
  worker.poke()
  await until(() => isSettled(shop, touchpoint), 2_000)
  expect(await shop.delivery(touchpoint)).toMatchObject({ state: 'ACCEPTED', attempt: 1 })
})

test('nobody need poke: the scan comes by itself', async () => {
  const shop = await openShop(database.url)
  await work(shop)
  const touchpoint = await shop.plan(await shop.member())
  await until(() => isSettled(shop, touchpoint), 5_000)
})

test('a hint that something was planned is a poke', async () => {
  const shop = await openShop(database.url)
  const jobs = await openJobs({ system: shop.db.system, log, queues: [deliverQueue], watches: false })
  let hint: (() => void) | undefined
  const worker = startTouchpointWorker({
    ...ports,
    db: shop.db,
    jobs,
    onPlanned: (poke) => {
      hint = poke
      return () => {
        hint = undefined
      }
    },
  })
  const touchpoint = await shop.plan(await shop.member())
  hint?.()
  await until(() => isSettled(shop, touchpoint), 2_000)
  await worker.stop()
  await jobs.stop(0)
  expect(hint).toBeUndefined()
})

test('a worker killed while sending leaves a delivery that another one finishes, once', async () => {
  const shop = await openShop(database.url)
  const victim = await workerProcess('hang')
  const touchpoint = await shop.plan(await shop.member())
  await until(() => victim.said.includes('sending'), 10_000)
  await victim.kill()
  expect(await shop.touchpoint(touchpoint)).toMatchObject({ state: 'CLAIMED' })
  await shop.lapse()
  await work(shop)
  await until(() => isSettled(shop, touchpoint), 10_000)
  expect(await shop.delivery(touchpoint)).toMatchObject({
    state: 'ACCEPTED',
    attempt: 2,
    unknown: { evidence: 'crash' },
  })
  expect(await shop.announced('touchpoint.settled', touchpoint)).toBe(1)
})

test('kill -9 four times in a run: each of 400 touches has one item and one event', {
  timeout: 90_000,
}, async () => {
  const shop = await openShop(database.url)
  const member = await shop.member()
  await Promise.all(Array.from({ length: 400 }, () => shop.plan(member)))
  const count = async (what: string): Promise<number> =>
    (await shop.everything.query(`select count(*)::int as n from ${what}`)).rows[0].n
  let cut = 0
  for (const goal of [50, 120, 190, 260]) {
    const victim = await workerProcess('deliver')
    await until(async () => (await count(`delivery where state = 'ACCEPTED'`)) >= goal, 20_000)
    await victim.kill()
    cut += await count(`delivery where state = 'CLAIMED'`)
    await shop.lapse()
  }
  expect(cut).toBeGreaterThan(0)
  await deliverDue(shop.db, shop.tenant.tenantId, ports)
  expect({
    items: await count(`delivery where state = 'ACCEPTED' and tenant_id = '${shop.tenant.tenantId}'`),
    events: await count(`outbox where type = 'touchpoint.settled' and tenant_id = '${shop.tenant.tenantId}'`),
  }).toEqual({ items: 400, events: 400 })
})

test('delivering what is due goes in the order in which it fell due, and leaves the rest', async () => {
  const shop = await openShop(database.url, { clockAt: new Date('2026-04-03T00:00:00Z') })
  const plan = async (dueAt: string) => shop.plan(await shop.member(), { dueAt: new Date(dueAt) })
  const third = await plan('2026-04-03T00:00:00Z')
  const first = await plan('2026-04-01T00:00:00Z')
  const second = await plan('2026-04-02T00:00:00Z')
  const later = await plan('2026-04-03T00:00:01Z')
  expect(await deliverDue(shop.db, shop.tenant.tenantId, ports)).toBe(3)
  const { rows } = await shop.everything.query(
    `select payload ->> 'touchpoint' as id from outbox where type = 'touchpoint.settled' and tenant_id = $1 order by n`,
    [shop.tenant.tenantId],
  )
  expect(rows.map((row) => row.id)).toEqual([first, second, third])
  expect(await shop.touchpoint(later)).toMatchObject({ state: 'PLANNED' })
})
