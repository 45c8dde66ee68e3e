import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { migrate } from '../../api/platform/migrate.ts'
import { ask, mutationOf } from '../support/asking.ts'
import { ownCluster } from '../support/database.ts'
import { openFleet } from '../support/fleet.ts'
import { Clients, checkBooks, compare } from '../support/journal.ts'
import { onServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const CRASHES = Math.ceil(Number(process.env.ENGAWA_FAULTS ?? 100) / 10)

it(`${CRASHES} crashes of PostgreSQL lose nothing, and the same nodes go on within five seconds`, async () => {
  const cluster = await ownCluster()
  await migrate(cluster.url)
  const fleet = await openFleet(cluster.url, { nodes: 2 })
  const token = await fleet.token('integration', 'till')
  const register = mutationOf('registerMember', { externalId: 'mia', displayName: 'Mia' })
  await ask(fleet.nodes[0]?.url ?? '', token, register)

  const clients = new Clients(fleet, token, 'mia', 6)
  const waits: number[] = []
  for (let crash = 0; crash < CRASHES; crash++) {
    const sofar = clients.journal.answers
    await until(() => clients.journal.answers > sofar + 30)
    await delay(Math.random() * 100)
    await cluster.crash()
    await delay(Math.random() * 200)
    const before = clients.journal.answers
    const restarting = cluster.restart()
    await until(() => answers(cluster.url), 30_000)
    const back = performance.now()
    await until(() => clients.journal.answers > before)
    waits.push(performance.now() - back)
    await restarting
  }
  const journal = await clients.stop()

  const wrong = { ...(await compare(fleet, journal)), ...(await checkBooks(fleet)) }
  console.log(
    `${CRASHES} database crashes: ${journal.acknowledged.size} acknowledged, first success after`,
    `${waits.map((wait) => wait.toFixed(0)).join(', ')} ms; ${JSON.stringify(wrong)}`,
  )
  expect(wrong).toEqual({
    lost: 0,
    double: 0,
    wrongReplays: 0,
    differences: 0,
    gaps: 0,
    untold: 0,
    toldTwice: 0,
  })
  expect(Math.max(...waits)).toBeLessThan(5_000)
}, 300_000)

/** Whether the database takes connections. */
async function answers(url: string): Promise<boolean> {
  return onServer(url, async () => true).catch(() => false)
}
