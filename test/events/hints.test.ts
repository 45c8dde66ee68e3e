import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Events, EventsOptions } from '../../api/platform/events.ts'
import { openHints } from '../../api/platform/hints.ts'
import { testDatabase, usingDatabase } from '../support/database.ts'
import { follow, next, take } from '../support/event-follower.ts'
import { readyNode } from '../support/event-node.ts'
import { addTenants, EventWriter, silent, writers } from '../support/event-writer.ts'
import { natsServer } from '../support/nats-server.ts'
import { onServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const database = testDatabase()

/** Follows on one node while four writers write, and tells what arrived and how late the slowest was. */
async function deliver(
  url: string,
  events: Events,
  poker: Events,
): Promise<{ arrived: string[]; late: number[] }> {
  const [tenantId = ''] = await addTenants(url, 1)
  const stream = follow(events, tenantId)
  await next(stream)
  const arrived: string[] = []
  const late: number[] = []
  const reading = (async () => {
    while (arrived.length < 200) {
      const frame = await next(stream)
      if (frame.kind !== 'event') continue
      arrived.push(String(frame.event.pos))
      late.push(Date.now() - Number(frame.event.payload.sent))
    }
  })()
  await writers(url, 4, async (writer) => {
    for (let i = 0; i < 50; i++) {
      await writer.write(tenantId, [{ sent: Date.now() }])
      poker.poke()
      await delay(Math.random() * 20)
    }
  })
  await reading
  await stream.return()
  return { arrived, late: late.sort((a, b) => a - b) }
}

const all = Array.from({ length: 200 }, (_, index) => String(index + 1))

describe('hints', () => {
  it('may all be lost: every event still arrives once, at the pace of the poll', async () => {
    for (const dropShare of [0.3, 1]) {
      const { url } = await usingDatabase()
      const leader = await readyNode(url)
      const follower = await readyNode(url, { hints: { dropShare } })
      const { arrived, late } = await deliver(url, follower, leader)
      console.log(
        `${dropShare * 100} % of hints dropped: 200 of 200, p50 ${late[100]} ms, slowest ${late[199]} ms`,
      )
      expect(arrived).toEqual(all)
    }
  })

  it('may travel on a bus that is down again and again', async () => {
    const { url } = await usingDatabase()
    const leader = await readyNode(url)
    const follower = await readyNode(url)
    let isOver = false
    const cutting = onServer(url, async (client) => {
      while (!isOver) {
        await client.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'engawa hints'`,
        )
        await delay(100)
      }
    })
    expect((await deliver(url, follower, leader)).arrived).toEqual(all)
    isOver = true
    await cutting
    await until(() => leader.numbers().isHinted && follower.numbers().isHinted)
  })

  it('go through NATS when it is given, also after it was cut', async () => {
    const nats = await natsServer()
    const hints: EventsOptions['hints'] = { natsUrl: nats.url }
    const leader = await readyNode(database.url, { hints })
    const follower = await readyNode(database.url, { hints, tuning: { pollMs: 60_000 } })
    await until(() => leader.numbers().isHinted && follower.numbers().isHinted)
    expect(nats.hello).toMatchObject({ user: 'hints', pass: 'secret' })
    const [tenantId = ''] = await addTenants(database.url, 1)
    const writer = await EventWriter.open(database.url)
    const stream = follow(follower, tenantId)
    await next(stream)
    for (const i of [1, 2]) {
      await writer.write(tenantId, [{ i }])
      leader.poke()
      expect(await take(stream, 1)).toEqual([`#${i} {"i":${i}}`])
      nats.cut()
      await until(() => !follower.numbers().isHinted)
      await until(() => leader.numbers().isHinted && follower.numbers().isHinted)
    }
    expect(nats.published).toBeGreaterThan(0)
    await writer.close()
    await stream.return()
  })

  it('are not believed: one of a position that does not exist changes nothing', async () => {
    const { url } = await usingDatabase()
    const events = await readyNode(url)
    const [tenantId = ''] = await addTenants(url, 1)
    const stream = follow(events, tenantId)
    await next(stream)
    const reading = take(stream, 1)
    const liar = openHints({ url, log: silent, onHint: () => {} })
    await until(() => liar.isConnected)
    for (let i = 0; i < 20; i++) {
      liar.publish([{ tenantId, pos: 10n ** 15n }])
      await delay(5)
    }
    await liar.close()
    await writers(url, 1, (writer) => writer.write(tenantId, [{ i: 1 }]))
    events.poke()
    expect(await reading).toEqual(['#1 {"i":1}'])
    await stream.return()
  })

  it('carry more tenants at once than fit into one message', async () => {
    const heard = new Set<string>()
    const bus = openHints({ url: database.url, log: silent, onHint: () => {} })
    const other = openHints({ url: database.url, log: silent, onHint: (head) => heard.add(head.tenantId) })
    await until(() => bus.isConnected && other.isConnected)
    const tenants = Array.from({ length: 1_000 }, () => crypto.randomUUID())
    bus.publish(tenants.map((tenantId) => ({ tenantId, pos: 9_000_000_000_000_000_000n })))
    await until(() => heard.size === 1_000)
    await Promise.all([bus.close(), other.close()])
  })
})
