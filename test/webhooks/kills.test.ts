import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { onServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { quick, type Receiver, receive } from './receiver.ts'

const open = testApp({ ...quick, role: 'web' })
const KILLS = 10
const EVENTS = 400

async function workerProcess({ ground }: Shop) {
  const file = join(import.meta.dirname, 'worker-process.ts')
  const child = spawn(process.execPath, [file, ground.databaseUrl, ground.dataDir], {
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
  return { kill }
}

/** Lets the claims of dead workers lapse, as thirty seconds would. */
const lapse = ({ ground, tenant }: Shop) =>
  onServer(ground.databaseUrl, (client) =>
    client.query('update webhook_endpoint set due_at = now() where tenant_id = $1 and is_claimed', [
      tenant.id,
    ]),
  )

const firstsOf = ({ accepted }: Receiver) => [...new Set(accepted.map(({ id }) => id))]

test(`kill -9 of the worker ${KILLS} times: each of ${EVENTS} events reaches both endpoints, in order`, {
  timeout: 120_000,
}, async () => {
  const shop = await open()
  // One that fails now and then, and one that is slower.
  const receivers = [
    await receive(shop, { reply: (_, nth) => (nth % 17 === 0 ? { status: 500 } : {}) }),
    await receive(shop, { reply: (_, nth) => (nth % 29 === 0 ? { drop: 'afterBody' } : {}) }),
  ]
  for (let i = 0; i < EVENTS; i += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, n) => shop.member(`m${i + n}`)))
  }
  const least = () => Math.min(...receivers.map((receiver) => firstsOf(receiver).length))
  for (let kill = 1; kill <= KILLS; kill++) {
    const worker = await workerProcess(shop)
    const goal = Math.floor((EVENTS * kill) / (KILLS + 1))
    await until(() => least() >= goal, 20_000)
    await worker.kill()
    await lapse(shop)
  }
  const last = await workerProcess(shop)
  await until(() => least() === EVENTS, 30_000)
  await last.kill()
  const { rows } = await onServer(shop.ground.databaseUrl, (client) =>
    client.query<{ id: string }>(
      `select id from event_log where tenant_id = $1 and type = 'member.registered' order by pos`,
      [shop.tenant.id],
    ),
  )
  const log = rows.map(({ id }) => id)
  expect(log).toHaveLength(EVENTS)
  for (const receiver of receivers) {
    const ids = receiver.accepted.map(({ id }) => id)
    const again = ids.length - EVENTS
    console.log(`${KILLS} kills: ${EVENTS} events, 0 lost, ${again} came again`)
    expect(firstsOf(receiver)).toEqual(log)
    // What comes again is what a dead worker had not noted: a run that ends where it had come to.
    const steps = ids.slice(1).map((id, i) => log.indexOf(id) - log.indexOf(ids[i] ?? ''))
    expect(steps.filter((step) => step > 1)).toEqual([])
    expect(steps.filter((step) => step < 1).length).toBeLessThanOrEqual(KILLS)
    expect(await receiver.failures()).toEqual([])
  }
})
