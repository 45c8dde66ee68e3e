import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { BadInputError } from '../../api/platform/errors/index.ts'
import { RolePool } from '../../api/platform/role-pool.ts'
import { testDatabase, usingDatabase } from '../support/database.ts'
import { follow, next, placeOf, take } from '../support/event-follower.ts'
import { cursorAt, readyNode } from '../support/event-node.ts'
import { addTenants, EventWriter, logEvents, tenantWith } from '../support/event-writer.ts'
import { onServer } from '../support/server.ts'

const database = testDatabase()

describe('a stream', () => {
  it('begins at the head with a checkpoint, and goes on with what comes', async () => {
    const events = await readyNode(database.url)
    const tenantId = await tenantWith(database.url, 3)
    const stream = follow(events, tenantId)
    const first = await next(stream)
    expect(first).toEqual({ kind: 'checkpoint', cursor: cursorAt(tenantId, 3) })
    await logEvents(database.url, tenantId, 2)
    expect(await take(stream, 2)).toEqual(['#4 {"i":1}', '#5 {"i":2}'])
    await stream.return()
  })

  it('goes on after any cursor it gave, without loss and without repeating', async () => {
    const events = await readyNode(database.url, { tuning: { pageSize: 7 } })
    const tenantId = await tenantWith(database.url, 40)
    for (const start of [0, 1, 6, 7, 8, 39, 40]) {
      const stream = follow(events, tenantId, { after: cursorAt(tenantId, start) })
      const expected = Array.from(
        { length: 40 - start },
        (_, k) => `#${start + k + 1} {"i":${start + k + 1}}`,
      )
      expect(await take(stream, 41 - start)).toEqual(['checkpoint', ...expected])
      await stream.return()
    }
  })

  it('carries when an event happened, when it was written, and about whom', async () => {
    const events = await readyNode(database.url)
    const tenantId = await tenantWith(database.url, 0)
    const member = '0193e6a0-0000-7000-8000-000000000001'
    const stream = follow(events, tenantId)
    await next(stream)
    await onServer(database.url, async (client) => {
      await client.query(`insert into outbox (tenant_id, id, type, member_id, payload, at, booked_at)
        values ('${tenantId}', '${member}', 'points.posted', '${member}', '{"wallet": "w"}',
          '1997-06-15T00:00:00.123Z', '2026-01-02T03:04:05.678Z')`)
    })
    expect(await next(stream)).toEqual({
      kind: 'event',
      cursor: cursorAt(tenantId, 1),
      event: {
        id: member,
        tenantId,
        pos: 1n,
        type: 'points.posted',
        memberId: member,
        payload: { wallet: 'w' },
        at: new Date('1997-06-15T00:00:00.123Z'),
        bookedAt: new Date('2026-01-02T03:04:05.678Z'),
      },
    })
    await stream.return()
  })

  it('covers hidden events with a checkpoint: after a run, and in the middle of a very long one', async () => {
    const events = await readyNode(database.url, { tuning: { filteredMs: 50 } })
    const tenantId = await tenantWith(database.url, 2_500)
    const stream = follow(events, tenantId, {
      after: cursorAt(tenantId, 0),
      sees: (event) => event.payload.i === 5,
    })
    const frames = [
      await next(stream),
      await next(stream),
      await next(stream),
      await next(stream),
      await next(stream),
    ]
    expect(frames.map(placeOf)).toEqual([0, 5, 1_005, 2_005, 2_500].map((pos) => cursorAt(tenantId, pos)))
    await stream.return()
  })

  it('asks at delivery whether an event may be seen', async () => {
    const events = await readyNode(database.url, { tuning: { filteredMs: 50 } })
    const tenantId = await tenantWith(database.url, 3)
    let isMember = true
    const stream = follow(events, tenantId, {
      after: cursorAt(tenantId, 0),
      sees: async () => isMember,
    })
    expect(await take(stream, 2)).toEqual(['checkpoint', '#1 {"i":1}'])
    isMember = false
    expect(await next(stream)).toEqual({ kind: 'checkpoint', cursor: cursorAt(tenantId, 3) })
    await stream.return()
  })

  it('sends a checkpoint from time to time while nothing happens', async () => {
    const events = await readyNode(database.url, { tuning: { checkpointMs: 30 } })
    const tenantId = await tenantWith(database.url, 1)
    const stream = follow(events, tenantId)
    expect(await take(stream, 3)).toEqual(['checkpoint', 'checkpoint', 'checkpoint'])
    await stream.return()
  })

  it('refuses a cursor of another tenant, and a forged one, naming the argument', async () => {
    const events = await readyNode(database.url)
    const [mine = '', other = ''] = await addTenants(database.url, 2)
    for (const after of [cursorAt(other, 0), 'AAAA', '']) {
      expect(() => follow(events, mine, { after })).toThrow(expect.objectContaining({ field: 'after' }))
      expect(() => follow(events, mine, { after })).toThrow(BadInputError)
    }
  })

  it('ends at once when it is left while it waits, when its signal is aborted, and when the node stops', async () => {
    const events = await readyNode(database.url)
    const tenantId = await tenantWith(database.url, 0)
    const stop = new AbortController()
    const left = follow(events, tenantId)
    const aborted = follow(events, tenantId, { signal: stop.signal })
    const stopped = follow(events, tenantId)
    for (const stream of [left, aborted, stopped]) await next(stream)
    const waiting = [left, aborted, stopped].map((stream) => stream.next())
    await left.return()
    stop.abort()
    expect(await Promise.all(waiting.slice(0, 2))).toEqual([{ done: true }, { done: true }])
    expect(events.numbers().followers).toBe(1)
    await events.close()
    expect(await waiting[2]).toEqual({ done: true })
    expect(events.numbers()).toMatchObject({ followers: 0, ringEvents: 0, tenants: [] })
  })

  it('leaves the event loop free while followers take thousands of events that are at hand', async () => {
    const events = await readyNode(database.url, { tuning: { ringSize: 20_000 } })
    const tenantId = await tenantWith(database.url, 0)
    const streams = Array.from({ length: 11 }, () => follow(events, tenantId))
    for (const stream of streams) await next(stream)
    await logEvents(database.url, tenantId, 10_000)
    const [first, ...others] = streams
    if (first) await take(first, 10_000)
    let beats = 0
    const heart = setInterval(() => beats++, 1)
    await Promise.all(others.map((stream) => take(stream, 10_000)))
    clearInterval(heart)
    console.log(`100,000 deliveries from memory: the event loop turned ${beats} times`)
    expect(beats).toBeGreaterThan(5)
    for (const stream of streams) await stream.return()
  })

  it('shares one read of the log among all who are at its end, whoever lags behind', async () => {
    const systemPool = new RolePool({
      url: database.url,
      role: 'engawa_system',
      connections: 4,
      statementTimeout: 5_000,
    })
    onTestFinished(() => systemPool.end())
    const events = await readyNode(database.url, { systemPool, tuning: { pollMs: 60_000 } })
    const tenantId = await tenantWith(database.url, 0)
    const lagging = follow(events, tenantId)
    await next(lagging)
    await logEvents(database.url, tenantId, 2_000)
    const streams = Array.from({ length: 10 }, () => follow(events, tenantId))
    await Promise.all(streams.map(next))
    let reads = 0
    systemPool.on('acquire', () => reads++)
    for (let i = 0; i < 20; i++) {
      await logEvents(database.url, tenantId, 1)
      events.poke()
      for (const stream of streams) await next(stream)
    }
    expect(reads).toBe(20)
    for (const stream of [lagging, ...streams]) await stream.return()
  })

  it('waits out a database that is away, and goes on', async () => {
    const { url } = await usingDatabase()
    const events = await readyNode(url, { tuning: { pollMs: 50 } })
    const tenantId = await tenantWith(url, 1)
    const stream = follow(events, tenantId)
    await next(stream)
    const got = take(stream, 20)
    const writer = await EventWriter.open(url)
    await onServer(url, async (client) => {
      for (let i = 0; i < 20; i++) {
        await writer.fill(tenantId, 1)
        await client.query(`
          select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name <> 'writer' and pid <> pg_backend_pid()`)
        await delay(20)
      }
    })
    await writer.close()
    expect(await got).toEqual(Array.from({ length: 20 }, (_, i) => `#${i + 2} {"i":1}`))
    await stream.return()
  })
})
