import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { migrate } from '../../api/platform/migrate.ts'
import { ownCluster } from '../support/database.ts'
import { follow, next } from '../support/event-follower.ts'
import { readyNode } from '../support/event-node.ts'
import { addTenants, EventWriter, isDense, outboxSize, readLog } from '../support/event-writer.ts'
import { until } from '../support/until.ts'

it('a stream lives through crashes of the database: every acknowledged event once, in order', async () => {
  const cluster = await ownCluster()
  await migrate(cluster.url)
  const events = await readyNode(cluster.url)
  const [tenantId = ''] = await addTenants(cluster.url, 1)
  const stream = follow(events, tenantId)
  await next(stream)
  const delivered: string[] = []
  const reading = (async () => {
    for await (const frame of stream) {
      expect(frame.kind).not.toBe('reset')
      if (frame.kind === 'event') delivered.push(JSON.stringify(frame.event.payload))
    }
  })()

  const acknowledged: string[] = []
  let isOver = false
  const writing = [0, 1, 2, 3].map(async (who) => {
    for (let i = 0; !isOver; ) {
      const writer = await EventWriter.open(cluster.url).catch(() => delay(20))
      try {
        for (; writer && !isOver; i++) {
          await writer.write(tenantId, [{ who, i }])
          acknowledged.push(JSON.stringify({ i, who }))
          events.poke()
        }
      } catch {
        i++ // it may have been committed all the same: the next one has another number
      }
      await writer?.close().catch(() => {})
    }
  })
  for (let crash = 0; crash < 3; crash++) {
    await delay(400)
    await cluster.crash()
    await cluster.restart()
    await until(() => events.ready())
  }
  await delay(200)
  isOver = true
  await Promise.all(writing)
  await until(async () => (await outboxSize(cluster.url)) === 0)
  const log = await readLog(cluster.url, tenantId)
  await until(() => delivered.length === log.length)
  await stream.return()
  await reading

  expect(isDense(log)).toBe(true)
  expect(delivered).toEqual(log.map((event) => JSON.stringify(event.payload)))
  const got = new Set(delivered)
  expect(got.size).toBe(delivered.length)
  const lost = acknowledged.filter((event) => !got.has(event))
  console.log(
    `3 crashes: ${acknowledged.length} acknowledged, ${lost.length} lost, ${delivered.length} delivered once`,
  )
  expect(lost).toEqual([])
}, 60_000)
