import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { ask, mutationOf } from '../support/asking.ts'
import { testDatabase } from '../support/database.ts'
import { openFleet } from '../support/fleet.ts'
import { Clients, checkBooks, compare } from '../support/journal.ts'
import { until } from '../support/until.ts'

const database = testDatabase()
// A hundred before a release: ENGAWA_FAULTS=100.
const KILLS = Number(process.env.ENGAWA_FAULTS ?? 40)

it(`${KILLS} times kill -9 of a node amid traffic loses nothing, doubles nothing, answers nothing wrongly`, async () => {
  const fleet = await openFleet(database.url, { nodes: 3 })
  const token = await fleet.token('integration', 'till')
  const register = mutationOf('registerMember', { externalId: 'mia', displayName: 'Mia' })
  await ask(fleet.nodes[0]?.url ?? '', token, register)

  const clients = new Clients(fleet, token, 'mia', 6)
  const standing = [...fleet.nodes]
  let left = KILLS
  // Two of the three are down or coming up at a time; the one that has been up longest is next, amid traffic.
  const killer = async () => {
    while (left-- > 0) {
      const node = standing.shift()
      const { answers } = clients.journal
      await until(() => clients.journal.answers > answers + 2, 30_000)
      await delay(Math.random() * 50)
      await node?.kill()
      await node?.start()
      if (node) standing.push(node)
    }
  }
  await Promise.all([killer(), killer()])
  const journal = await clients.stop()

  const wrong = { ...(await compare(fleet, journal)), ...(await checkBooks(fleet)) }
  const asked = [...journal.acknowledged.values()].reduce((sum, { tries }) => sum + tries, 0)
  console.log(
    `${KILLS} node kills: ${journal.acknowledged.size} acknowledged in ${asked} tries;`,
    JSON.stringify(wrong),
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
  expect(journal.acknowledged.size).toBeGreaterThan(KILLS)
}, 600_000)
