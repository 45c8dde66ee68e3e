import { describe, expect, it } from 'vitest'
import { startEpoch } from '../../api/platform/events.ts'
import { RolePool } from '../../api/platform/role-pool.ts'
import { testDatabase, usingDatabase } from '../support/database.ts'
import { follow, next, placeOf, take } from '../support/event-follower.ts'
import { cursorAt, readyNode } from '../support/event-node.ts'
import { age, tenantWith } from '../support/event-writer.ts'
import { onServer } from '../support/server.ts'

const database = testDatabase()

describe('a stream', () => {
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
})
