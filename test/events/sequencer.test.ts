import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { testDatabase, usingDatabase } from '../support/database.ts'
import { eventNode, readyNode } from '../support/event-node.ts'
import {
  addTenants,
  EventWriter,
  headOf,
  isDense,
  outboxSize,
  readLog,
  writers,
} from '../support/event-writer.ts'
import { onServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const database = testDatabase()

describe('the sequencer', () => {
  it('numbers the events of each tenant densely under 24 writers that pause and roll back', async () => {
    const events = await readyNode(database.url)
    const tenants = await addTenants(database.url, 5)
    let committed = 0
    await writers(database.url, 24, async (writer, who) => {
      for (let i = 0; i < 60; i++) {
        const tenantId = tenants[(who + i) % 5] ?? ''
        const rollsBack = Math.random() < 0.2
        const batch = Array.from({ length: 1 + (i % 3) }, (_, k) => ({ who, i, k }))
        const wrote = writer.write(tenantId, batch, async () => {
          await delay(Math.random() * 6)
          if (rollsBack) throw new Error('changed my mind')
        })
        if (rollsBack) await expect(wrote).rejects.toThrow('changed my mind')
        else await wrote.then(() => (committed += batch.length))
        events.poke()
      }
    })
    await until(async () => (await outboxSize(database.url)) === 0)
    const logs = await Promise.all(tenants.map((tenantId) => readLog(database.url, tenantId)))
    for (const log of logs) expect(isDense(log)).toBe(true)
    const all = logs.flat().map((event) => JSON.stringify(event.payload))
    expect(all.length).toBe(committed)
    expect(new Set(all).size).toBe(committed)
    console.log(`24 writers: ${committed} committed, ${all.length} logged, 5 tenants dense`)
  })

  it('logs an event after every event whose writing was acknowledged before it was written', async () => {
    const events = await readyNode(database.url)
    const [tenantId = ''] = await addTenants(database.url, 1)
    const acknowledged = new Set<number>()
    let next = 0
    await writers(database.url, 16, async (writer) => {
      for (let i = 0; i < 80; i++) {
        const me = next++
        const before = [...acknowledged].slice(-20)
        await writer.write(tenantId, [{ me, before }], () => delay(Math.random() * 3))
        acknowledged.add(me)
        events.poke()
      }
    })
    await until(async () => (await headOf(database.url, tenantId)) === 16 * 80)
    const log = await readLog(database.url, tenantId)
    const posOf = new Map(log.map((event) => [event.payload.me, event.pos]))
    const wrong = log.flatMap(({ pos, payload }) =>
      (payload.before as number[]).filter((earlier) => (posOf.get(earlier) ?? Infinity) > pos),
    )
    expect(wrong).toEqual([])
  })

  it('logs an event that commits late in a later batch, and skips nothing', async () => {
    const events = await readyNode(database.url)
    const [tenantId = ''] = await addTenants(database.url, 1)
    await writers(database.url, 2, async (writer, who) => {
      if (who === 0) {
        await writer.write(tenantId, [{ late: true }], () =>
          until(async () => (await headOf(database.url, tenantId)) === 3),
        )
      } else {
        await delay(20)
        for (let i = 0; i < 3; i++) await writer.write(tenantId, [{ i }])
      }
      events.poke()
    })
    await until(async () => (await headOf(database.url, tenantId)) === 4)
    const log = await readLog(database.url, tenantId)
    expect(log.map((event) => event.payload)).toEqual([{ i: 0 }, { i: 1 }, { i: 2 }, { late: true }])
  })

  it('keeps the order of writing over many batches', async () => {
    const { url } = await usingDatabase()
    const [tenantId = ''] = await addTenants(url, 1)
    await writers(url, 1, (writer) => writer.fill(tenantId, 3_500))
    await readyNode(url)
    await until(async () => (await headOf(url, tenantId)) === 3_500)
    const log = await readLog(url, tenantId)
    expect(log.filter((event) => event.payload.i !== event.pos)).toEqual([])
  })

  it('makes the partition of a day that nobody prepared, and goes on', async () => {
    const { url } = await usingDatabase()
    const events = await readyNode(url)
    const [tenantId = ''] = await addTenants(url, 1)
    await until(() => events.numbers().sequencer.batches > 0)
    const today = new Date().toISOString().slice(0, 10).replaceAll('-', '')
    await onServer(url, (client) => client.query(`drop table event_log_${today}`))
    await writers(url, 1, (writer) => writer.write(tenantId, [{ i: 1 }]))
    events.poke()
    await until(async () => (await readLog(url, tenantId)).length === 1)
  })

  it('goes on after a batch that failed', async () => {
    const { url } = await usingDatabase()
    const events = await readyNode(url)
    const [tenantId = ''] = await addTenants(url, 1)
    await until(() => events.numbers().sequencer.batches > 0)
    await onServer(url, async (client) => {
      await client.query('begin')
      await client.query('lock table event_head')
      await writers(url, 1, (writer) => writer.write(tenantId, [{ i: 1 }]))
      events.poke()
      await until(() => events.numbers().sequencer.failures > 0)
      await client.query('commit')
    })
    await until(async () => (await readLog(url, tenantId)).length === 1)
    expect(events.numbers().sequencer.isLeading).toBe(true)
  })

  it('is led by one of many nodes, and by the next at once when that one closes', async () => {
    const { url } = await usingDatabase()
    const nodes = Array.from({ length: 4 }, () => eventNode(url))
    await until(() => nodes.every((node) => node.ready()))
    const leaders = () => nodes.filter((node) => node.numbers().sequencer.isLeading)
    expect(leaders().length).toBe(1)
    for (let left = 3; left > 0; left--) {
      const [leader] = leaders()
      if (leader) nodes.splice(nodes.indexOf(leader), 1)
      await leader?.close()
      await until(() => leaders().length === 1, 1_000)
    }
  })

  it('hears the pokes of its own node and of another one long before it would look by itself', async () => {
    const { url } = await usingDatabase()
    const leader = await readyNode(url)
    const other = await readyNode(url)
    const [tenantId = ''] = await addTenants(url, 1)
    const writer = await EventWriter.open(url)
    for (const [who, node] of Object.entries({ leader, other })) {
      const stream = leader.follow({ tenantId, sees: () => true })
      await stream.next()
      const took: number[] = []
      for (let i = 0; i < 100; i++) {
        await writer.write(tenantId, [{ i }])
        const since = performance.now()
        node.poke()
        await stream.next()
        took.push(performance.now() - since)
        await delay(Math.random() * 10)
      }
      took.sort((a, b) => a - b)
      console.log(
        `commit to delivery, poked by ${who}: p50 ${took[50]?.toFixed(1)} ms, p99 ${took[98]?.toFixed(1)} ms`,
      )
      expect(took[50]).toBeLessThan(50)
      await stream.return()
    }
    await writer.close()
  })
})
