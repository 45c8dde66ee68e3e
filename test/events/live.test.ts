import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { BadInputError } from '../../api/platform/errors.ts'
import { startEpoch } from '../../api/platform/events.ts'
import { RolePool } from '../../api/platform/role-pool.ts'
import { testDatabase, usingDatabase } from '../support/database.ts'
import { follow, next, placeOf, take } from '../support/event-follower.ts'
import { cursorAt, readyNode } from '../support/event-node.ts'
import { addTenants, EventWriter, headOf, writers } from '../support/event-writer.ts'
import { onServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const database = testDatabase()

/** A tenant with so many events in its log: {"i": 1} and so on. */
async function tenantWith(url: string, count: number): Promise<string> {
  const [tenantId = ''] = await addTenants(url, 1)
  if (count > 0) await write(url, tenantId, count)
  return tenantId
}

async function write(url: string, tenantId: string, count: number): Promise<void> {
  const before = await headOf(url, tenantId)
  await writers(url, 1, (writer) => writer.fill(tenantId, count))
  await until(async () => (await headOf(url, tenantId)) === before + count)
}

describe('a stream', () => {
  it('begins at the head with a checkpoint, and goes on with what comes', async () => {
    const events = await readyNode(database.url)
    const tenantId = await tenantWith(database.url, 3)
    const stream = follow(events, tenantId)
    const first = await next(stream)
    expect(first).toEqual({ kind: 'checkpoint', cursor: cursorAt(tenantId, 3) })
    await write(database.url, tenantId, 2)
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

  it('is reset with FUTURE beyond the head, and goes on from the head', async () => {
    const events = await readyNode(database.url)
    const tenantId = await tenantWith(database.url, 3)
    const stream = follow(events, tenantId, { after: cursorAt(tenantId, 4) })
    expect(await next(stream)).toEqual({ kind: 'reset', reason: 'FUTURE', resumeFrom: cursorAt(tenantId, 3) })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  it('is reset with EXPIRED once a partition was dropped, and goes on with the oldest event that is left', async () => {
    const { url } = await usingDatabase()
    const events = await readyNode(url)
    const tenantId = await tenantWith(url, 5)
    await age(url, tenantId, 3)
    const expired = follow(events, tenantId, { after: cursorAt(tenantId, 2) })
    expect(await next(expired)).toEqual({
      kind: 'reset',
      reason: 'EXPIRED',
      resumeFrom: cursorAt(tenantId, 3),
    })
    expect((await expired.next()).done).toBe(true)
    const stream = follow(events, tenantId, { after: cursorAt(tenantId, 3) })
    expect(await take(stream, 3)).toEqual(['checkpoint', '#4 {"i":4}', '#5 {"i":5}'])
    await stream.return()
  })

  it('is reset with EXPIRED in the middle when it was so slow that events went away', async () => {
    const { url } = await usingDatabase()
    const events = await readyNode(url, { tuning: { pageSize: 2 } })
    const tenantId = await tenantWith(url, 9)
    const stream = follow(events, tenantId, { after: cursorAt(tenantId, 0) })
    expect(await take(stream, 2)).toEqual(['checkpoint', '#1 {"i":1}'])
    await age(url, tenantId, 5)
    expect(await take(stream, 1)).toEqual(['#2 {"i":2}'])
    expect(await next(stream)).toEqual({
      kind: 'reset',
      reason: 'EXPIRED',
      resumeFrom: cursorAt(tenantId, 5),
    })
    expect((await stream.next()).done).toBe(true)
  })

  it('is reset with EXPIRED when all that it has not seen went away', async () => {
    const { url } = await usingDatabase()
    const events = await readyNode(url, { tuning: { pageSize: 2 } })
    const tenantId = await tenantWith(url, 9)
    const stream = follow(events, tenantId, { after: cursorAt(tenantId, 0) })
    expect(await take(stream, 3)).toEqual(['checkpoint', '#1 {"i":1}', '#2 {"i":2}'])
    await age(url, tenantId, 9)
    expect(await next(stream)).toEqual({
      kind: 'reset',
      reason: 'EXPIRED',
      resumeFrom: cursorAt(tenantId, 9),
    })
    expect(await take(follow(events, tenantId, { after: cursorAt(tenantId, 8) }), 1)).toEqual(['EXPIRED'])
    const after = follow(events, tenantId, { after: cursorAt(tenantId, 9) })
    expect(await take(after, 1)).toEqual(['checkpoint'])
    await after.return()
  })

  it('is reset with EPOCH after a restore, at its next look and at the next try', async () => {
    const { url } = await usingDatabase()
    const events = await readyNode(url, { tuning: { pollMs: 20 } })
    const tenantId = await tenantWith(url, 3)
    const stream = follow(events, tenantId)
    const start = await next(stream)
    const pool = new RolePool({
      url,
      role: 'engawa_system',
      connections: 1,
      statementTimeout: 5_000,
    })
    await startEpoch(pool)
    await pool.end()
    const reset = await next(stream)
    expect(reset).toMatchObject({ kind: 'reset', reason: 'EPOCH' })
    expect(await take(follow(events, tenantId, { after: placeOf(start) }), 1)).toEqual(['EPOCH'])
    const again = follow(events, tenantId, { after: placeOf(reset) })
    expect(await take(again, 1)).toEqual(['checkpoint'])
    await again.return()
  })

  it('is reset with FUTURE when the database fell back to an older state under it', async () => {
    const { url } = await usingDatabase()
    const events = await readyNode(url, { tuning: { pollMs: 20 } })
    const tenantId = await tenantWith(url, 5)
    const stream = follow(events, tenantId)
    await next(stream)
    await onServer(url, (client) =>
      client.query(`update event_head set pos = 3; delete from event_log where pos > 3`),
    )
    expect(await next(stream)).toEqual({ kind: 'reset', reason: 'FUTURE', resumeFrom: cursorAt(tenantId, 3) })
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
    await write(database.url, tenantId, 10_000)
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
    await write(database.url, tenantId, 2_000)
    const streams = Array.from({ length: 10 }, () => follow(events, tenantId))
    await Promise.all(streams.map(next))
    let reads = 0
    systemPool.on('acquire', () => reads++)
    for (let i = 0; i < 20; i++) {
      await write(database.url, tenantId, 1)
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

/** Makes the first events of a tenant as old as ten days, and drops what is older than a week. */
async function age(url: string, tenantId: string, upTo: number): Promise<void> {
  await onServer(url, async (client) => {
    await client.query(`begin; set local role engawa_owner;
      create table event_log_20200101 partition of event_log for values from ('2020-01-01') to ('2020-01-02');
      commit`)
    await client.query(
      `with moved as (delete from event_log where tenant_id = $1 and pos <= $2 returning *)
       insert into event_log (tenant_id, pos, logged_at, id, type, member_id, payload, at, booked_at)
       select tenant_id, pos, '2020-01-01T12:00Z', id, type, member_id, payload, at, booked_at from moved`,
      [tenantId, upTo],
    )
    await client.query(`select event_log_partitions('7 days')`)
  })
}
