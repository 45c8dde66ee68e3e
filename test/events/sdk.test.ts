import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Events } from '../../api/platform/events.ts'
import { type Delivered, followEvents, type StreamedEvent, type StreamReset } from '../../sdk/events.ts'
import { testDatabase } from '../support/database.ts'
import { cursorAt, type NodeProcess, nodeProcess, readyNode } from '../support/event-node.ts'
import { type Served, type ServedOptions, serveEvents } from '../support/event-server.ts'
import { addTenants, EventWriter, writers } from '../support/event-writer.ts'
import { until } from '../support/until.ts'

const database = testDatabase()
const transports = ['ws', 'sse'] as const

interface Numbered extends StreamedEvent {
  readonly payload: { readonly i: number }
}

interface Stage {
  readonly events: Events
  readonly served: Served
  readonly url: string
  readonly tenantId: string
  /** Writes numbered events and pokes. */
  write(...numbers: number[]): Promise<void>
}

async function stage(options: Omit<Partial<ServedOptions>, 'events'> = {}): Promise<Stage> {
  const events = await readyNode(database.url)
  const served = await serveEvents({ events, ...options })
  const [tenantId = ''] = await addTenants(database.url, 1)
  const writer = await EventWriter.open(database.url)
  onTestFinished(async () => {
    await writer.close()
    await served.close()
  })
  return {
    events,
    served,
    tenantId,
    url: `http://127.0.0.1:${served.port}/graphql`,
    write: async (...numbers) => {
      await writer.write(
        tenantId,
        numbers.map((i) => ({ i })),
      )
      events.poke()
    },
  }
}

async function take(stream: AsyncGenerator<Delivered<Numbered>>, count: number): Promise<number[]> {
  const numbers: number[] = []
  while (numbers.length < count) {
    const { value, done } = await stream.next()
    if (done) throw new Error('The stream ended.')
    numbers.push(value.event.payload.i)
  }
  return numbers
}

describe.each(transports)('the resuming client over %s', (transport) => {
  const selection = 'id type at bookedAt payload'

  it('follows from a cursor, and tells the cursor of each event', async () => {
    const { url, tenantId, write } = await stage()
    await write(1, 2, 3)
    const after = cursorAt(tenantId, 0)
    const stream = followEvents<Numbered>({ url, token: tenantId, after, transport, selection })
    const { value } = await stream.next()
    expect(value).toMatchObject({
      cursor: cursorAt(tenantId, 1),
      event: { type: 'test.happened', payload: { i: 1 } },
    })
    expect(await take(stream, 2)).toEqual([2, 3])
    await stream.return()
  })

  it('goes on where it was after each cut, with nothing lost and nothing twice', async () => {
    const { url, tenantId, write, served } = await stage()
    const stream = followEvents<Numbered>({
      url,
      token: tenantId,
      after: cursorAt(tenantId, 0),
      transport,
      selection,
    })
    for (let i = 0; i < 20; i++) {
      await write(3 * i, 3 * i + 1)
      expect(await take(stream, 1)).toEqual([3 * i])
      served.cut([4510, 1012, 1001][i % 3] ?? 1001, 'Elsewhere')
      await write(3 * i + 2)
      expect(await take(stream, 2)).toEqual([3 * i + 1, 3 * i + 2])
    }
    expect(served.connections).toBeGreaterThan(20)
    await stream.return()
  })

  it('keeps its place by checkpoints while nothing it wants happens', async () => {
    const { url, tenantId, write, served } = await stage()
    await write(1)
    const places: string[] = []
    const stream = followEvents<Numbered>({
      url,
      token: tenantId,
      types: ['nothing.like.it'],
      after: cursorAt(tenantId, 0),
      transport,
      selection,
      onCheckpoint: (cursor) => places.push(cursor),
    })
    const reading = stream.next()
    await until(() => places.at(-1) === cursorAt(tenantId, 1))
    served.cut(1012, 'Restart')
    await until(() => places.length === 3)
    expect(places).toEqual([0, 1, 1].map((pos) => cursorAt(tenantId, pos)))
    await stream.return()
    expect(await reading).toEqual({ done: true })
  })

  it('asks for a fresh token when the one it has is refused', async () => {
    let isExpired = true
    const { url, tenantId, write } = await stage({ refuse: () => (isExpired ? 4403 : undefined) })
    await write(1)
    let asked = 0
    const token = () => {
      isExpired = ++asked < 2
      return tenantId
    }
    const stream = followEvents<Numbered>({ url, token, after: cursorAt(tenantId, 0), transport, selection })
    expect(await take(stream, 1)).toEqual([1])
    expect(asked).toBe(2)
    await stream.return()
  })

  it('gives up when a fresh token is refused too, and at once when the token cannot change', async () => {
    const { url, tenantId } = await stage({ refuse: () => 4403 })
    for (const token of [tenantId, async () => tenantId]) {
      await expect(followEvents({ url, token, transport }).next()).rejects.toMatchObject({
        name: 'StreamRefusedError',
      })
    }
  })

  it('gives up at once when the server says what is wrong with the request', async () => {
    const { url, tenantId, served } = await stage()
    const wrong = followEvents({ url, token: () => tenantId, transport, selection: 'nothing' })
    await expect(wrong.next()).rejects.toMatchObject({ name: 'StreamRefusedError' })
    expect(served.connections).toBe(1)
  })

  it('tells of a reset and goes on from where it says, or throws when nobody listens', async () => {
    const { url, tenantId, write } = await stage()
    await write(1)
    // Until the node has read it, a reset leads to the place before.
    const first = followEvents<Numbered>({
      url,
      token: tenantId,
      after: cursorAt(tenantId, 0),
      transport,
      selection,
    })
    expect(await take(first, 1)).toEqual([1])
    await first.return()
    const after = cursorAt(tenantId, 9)
    const reset = { reason: 'FUTURE', resumeFrom: cursorAt(tenantId, 1) }
    await expect(followEvents({ url, token: tenantId, after, transport }).next()).rejects.toMatchObject({
      reset,
    })
    const resets: StreamReset[] = []
    const onReset = (missed: StreamReset) => void resets.push(missed)
    const stream = followEvents<Numbered>({ url, token: tenantId, after, transport, selection, onReset })
    const reading = take(stream, 1)
    await until(() => resets.length === 1)
    await write(2)
    expect(await reading).toEqual([2])
    expect(resets).toEqual([reset])
    await stream.return()
  })

  it('ends when it is left or aborted while it waits, also while no server answers', async () => {
    const { url, tenantId } = await stage()
    for (const address of [url, 'http://127.0.0.1:1/graphql']) {
      const stop = new AbortController()
      const left = followEvents({ url: address, token: tenantId, transport })
      const aborted = followEvents({ url: address, token: tenantId, transport, signal: stop.signal })
      const waiting = [left.next(), aborted.next()]
      await delay(50)
      await left.return()
      stop.abort()
      expect(await Promise.all(waiting)).toEqual([{ done: true }, { done: true }])
    }
  })

  it('leaves a server that has fallen silent', async () => {
    const { url, tenantId, served } = await stage()
    const stream = followEvents({ url, token: tenantId, transport, patience: 40 })
    const reading = stream.next()
    await until(() => served.connections >= 3)
    await stream.return()
    await reading
  })
})

describe('delivery across nodes', () => {
  it('is exact for every client while nodes are killed, hints are dropped and writers go on', async () => {
    const [tenantId = ''] = await addTenants(database.url, 1)
    const start = () => nodeProcess(database.url, { dropShare: 0.3 })
    const nodes = [await start(), await start()]
    const total = 4 * 400
    let connections = 0
    const clients = Array.from({ length: 8 }, async (_, who) => {
      let after = cursorAt(tenantId, 0)
      const got: number[] = []
      while (got.length < total) {
        const node = nodes[connections++ % 2] as NodeProcess // there are always two
        const life = AbortSignal.timeout(200 + Math.floor(Math.random() * 800))
        const options = {
          url: node.url,
          token: tenantId,
          after,
          signal: life,
          transport: transports[who % 2] ?? 'ws',
        }
        for await (const { cursor, event } of followEvents<Numbered>({ ...options, selection: 'payload' })) {
          got.push(event.payload.i)
          after = cursor
          if (got.length === total) break
        }
      }
      return got
    })
    let count = 0
    const writing = writers(database.url, 4, async (writer) => {
      for (let i = 0; i < 400; i++) {
        await writer.write(tenantId, [{ i: count++ }])
        await delay(Math.random() * 20)
      }
    })
    for (let kill = 0; kill < 8; kill++) {
      await delay(300)
      const [dead] = nodes.splice(kill % 2, 1, await start())
      await dead?.kill()
    }
    await writing
    const expected = Array.from({ length: total }, (_, i) => i)
    const results = await Promise.all(clients)
    const lost = results.map((got) => total - new Set(got).size)
    console.log(
      `8 clients, ${connections} connections, 8 nodes killed: ${8 * total} deliveries, lost ${lost}, duplicate 0`,
    )
    for (const got of results) {
      expect(got).toEqual(results[0])
      expect([...got].sort((a, b) => a - b)).toEqual(expected)
    }
  }, 120_000)
})
