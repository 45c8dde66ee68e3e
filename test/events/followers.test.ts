import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import type { Events } from '../../api/platform/events.ts'
import { testDatabase } from '../support/database.ts'
import { follow, next, placeOf } from '../support/event-follower.ts'
import { cursorAt, readyNode } from '../support/event-node.ts'
import { addTenants, headOf, writers } from '../support/event-writer.ts'
import { until } from '../support/until.ts'

const database = testDatabase()

describe('many followers', () => {
  it('each get every event once and in order, however slow they are and however often they leave', async () => {
    const nodes = [await readyNode(database.url, SMALL), await readyNode(database.url, SMALL)]
    const [tenantId = ''] = await addTenants(database.url, 1)
    const total = 6 * 250
    let resumes = 0
    const followers = Array.from({ length: 24 }, async (_, who) => {
      const got: number[] = []
      let after = cursorAt(tenantId, 0)
      while (got.length < total) {
        const stream = follow(nodes[Math.floor(Math.random() * 2)] as Events, tenantId, { after }) // one of the two above
        const stay = Math.random() * 120
        resumes++
        for (let i = 0; i < stay && got.length < total; i++) {
          const frame = await next(stream)
          expect(frame.kind).not.toBe('reset')
          after = placeOf(frame)
          if (frame.kind === 'event') got.push(Number(frame.event.pos))
          if (Math.random() < who / 240) await delay(Math.random() * 5)
        }
        if (Math.random() < 0.5) void stream.next().catch(() => {})
        await stream.return()
      }
      return got
    })
    await writers(database.url, 6, async (writer, who) => {
      for (let i = 0; i < 250; i++) {
        await writer.write(tenantId, [{ who, i }])
        nodes[i % 2]?.poke()
        if (i % 20 === 0) await delay(Math.random() * 20)
      }
    })
    const expected = Array.from({ length: total }, (_, index) => index + 1)
    for (const got of await Promise.all(followers)) expect(got).toEqual(expected)
    console.log(`24 followers, 2 nodes, ${resumes} resumes: ${24 * total} deliveries, 0 lost, 0 duplicate`)
  })

  it('cost bounded memory when they are stuck, hold up nobody, and find everything when they go on', async () => {
    const events = await readyNode(database.url)
    const [tenantId = ''] = await addTenants(database.url, 1)
    const total = 60_000
    const stuck = Array.from({ length: 20 }, () => follow(events, tenantId))
    for (const stream of stuck) await next(stream)
    const lively = follow(events, tenantId)
    await next(lively)
    const before = heap()
    const reading = (async () => {
      for (let got = 0; got < total; ) if ((await next(lively)).kind === 'event') got++
    })()
    await writers(database.url, 1, async (writer) => {
      for (let i = 0; i < 12; i++) await writer.fill(tenantId, total / 12).then(() => events.poke())
    })
    await reading
    const grown = (heap() - before) / 2 ** 20
    console.log(
      `20 stuck followers, ${total} events: ${events.numbers().ringEvents} in memory, +${grown.toFixed(0)} MB`,
    )
    expect(events.numbers().ringEvents).toBeLessThanOrEqual(1_024)
    expect(grown).toBeLessThan(16)
    for (const stream of stuck.slice(0, 2)) {
      for (let pos = 1; pos <= 5_000; pos++) expect(Number(await posOf(stream))).toBe(pos)
    }
    for (const stream of [...stuck, lively]) await stream.return()
    await until(() => events.numbers().ringEvents === 0)
    expect(await headOf(database.url, tenantId)).toBe(total)
  }, 60_000)
})

const SMALL = { tuning: { pageSize: 20, ringSize: 50 } }

/** Bytes in use after a collection. */
function heap(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}

async function posOf(stream: ReturnType<typeof follow>): Promise<bigint> {
  for (;;) {
    const frame = await next(stream)
    if (frame.kind === 'event') return frame.event.pos
  }
}
