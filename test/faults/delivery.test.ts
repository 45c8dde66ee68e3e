import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { followEvents } from '../../sdk/events.ts'
import { ask, mutationOf } from '../support/asking.ts'
import { testDatabase } from '../support/database.ts'
import { type Fleet, openFleet } from '../support/fleet.ts'
import { Clients, checkBooks } from '../support/journal.ts'
import { onServer } from '../support/server.ts'

const database = testDatabase()
const MEMBERS = ['mia', 'aki', 'emma', 'noa']
const KILLS = 8

it('every subscriber hears every acknowledged event once and in order, whatever breaks on the way', async () => {
  const fleet = await openFleet(database.url, { nodes: 2, dropShare: 0.3 })
  const token = await fleet.token('integration', 'till')
  const url = fleet.nodes[0]?.url ?? ''
  const { data } = await ask(url, token, { query: '{ viewer { asOf } }' })
  for (const name of MEMBERS)
    await ask(url, token, mutationOf('registerMember', { externalId: name, displayName: name }))

  const over = new AbortController()
  const everything = { token, after: data.viewer.asOf, over: over.signal }
  const own = { ...everything, token: await fleet.token('member', 'mia') }
  const subscribers = [
    ...Array.from({ length: 6 }, () => listen(fleet, { ...everything, transport: 'ws' })),
    ...Array.from({ length: 4 }, () => listen(fleet, { ...everything, transport: 'sse' })),
    listen(fleet, { ...own, transport: 'ws' }),
    listen(fleet, { ...own, transport: 'sse' }),
  ]
  const clients = MEMBERS.map((name) => new Clients(fleet, token, name, 2))
  for (let kill = 0; kill < KILLS; kill++) {
    await delay(300 + Math.random() * 700)
    const node = fleet.nodes[kill % 2]
    await node?.kill()
    await delay(Math.random() * 300)
    await node?.start()
  }
  const journals = await Promise.all(clients.map((each) => each.stop()))
  expect(await checkBooks(fleet)).toEqual({ differences: 0, gaps: 0, untold: 0, toldTwice: 0 })

  const log = await readLog(fleet)
  const mine = log.filter(({ owner }) => owner === 'mia')
  const goals = subscribers.map((_, i) => (i < 10 ? log : mine).map(({ id }) => id))
  for (let rounds = 0; subscribers.some(({ heard }, i) => heard.length < (goals[i]?.length ?? 0)); rounds++) {
    if (rounds > 600) break
    await delay(50)
  }
  await delay(1_000) // for what should not come any more
  over.abort()

  const acknowledged = journals.flatMap((journal) => [...journal.acknowledged.values()])
  const told = new Set(log.map(({ transaction }) => transaction))
  const unannounced = acknowledged.filter(({ transaction }) => !told.has(transaction)).length
  const counts = { unannounced, ...faultsOf(subscribers.map(({ heard }, i) => [heard, goals[i] ?? []])) }
  const deliveries = subscribers.reduce((sum, { heard }) => sum + heard.length, 0)
  const cuts = subscribers.reduce((sum, subscriber) => sum + subscriber.cuts, 0)
  console.log(
    `${acknowledged.length} acknowledged by 8 writers, ${log.length} events, ${KILLS} node kills, ${cuts} disconnects, 30 % of hints dropped:`,
    `${deliveries} deliveries to 12 subscribers, ${JSON.stringify(counts)}`,
  )
  expect(counts).toEqual({ lost: 0, duplicate: 0, outOfOrder: 0, unannounced: 0 })
  expect(acknowledged.length).toBeGreaterThan(100)
  expect(cuts).toBeGreaterThan(50)
}, 180_000)

/** What was heard, against what should have been. */
function faultsOf(pairs: readonly (readonly [heard: readonly string[], goal: readonly string[]])[]) {
  const counts = { lost: 0, duplicate: 0, outOfOrder: 0 }
  for (const [heard, goal] of pairs) {
    const once = new Set(heard)
    counts.lost += goal.filter((id) => !once.has(id)).length
    counts.duplicate += heard.length - once.size
    counts.outOfOrder += heard.filter((id, at) => id !== goal[at]).length
  }
  return counts
}

interface Listening {
  readonly token: string
  readonly after: string
  readonly transport: 'ws' | 'sse'
  readonly over: AbortSignal
}

/** A subscriber who keeps its cursor, hangs up at random moments, and goes on at a random node. */
function listen({ nodes }: Fleet, { over, token, transport, ...from }: Listening) {
  const subscriber = { heard: [] as string[], cuts: -1 }
  void (async () => {
    let { after } = from
    while (!over.aborted) {
      subscriber.cuts++
      const url = nodes[Math.floor(Math.random() * nodes.length)]?.url ?? ''
      const signal = AbortSignal.any([over, AbortSignal.timeout(Math.ceil(Math.random() * 2_500))])
      const stream = followEvents({
        url,
        token,
        after,
        transport,
        signal,
        onCheckpoint: (cursor) => {
          after = cursor
        },
      })
      for await (const { cursor, event } of stream) {
        subscriber.heard.push(event.id)
        after = cursor
      }
    }
  })()
  return subscriber
}

/** What the log holds, in order: the ids as the API tells them, whose it is, and the transaction. */
async function readLog({ databaseUrl, tenant }: Fleet) {
  return onServer(databaseUrl, async (client) => {
    const { rows } = await client.query<{ id: string; owner: string; transaction: string | null }>(
      `select l.id, m.external_id as owner, l.payload ->> 'transaction' as transaction
       from event_log l join member m on m.tenant_id = l.tenant_id and m.id = l.member_id
       where l.tenant_id = $1 order by l.pos`,
      [tenant.id],
    )
    return rows.map(({ id, owner, transaction }) => ({
      id: globalId('Event', id),
      owner,
      transaction: transaction === null ? null : globalId('PointsTransaction', transaction),
    }))
  })
}

function globalId(type: string, id: string): string {
  return Buffer.from(`${type}:${id}`).toString('base64url')
}
