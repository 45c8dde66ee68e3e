import { createClient } from 'graphql-sse'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Answer } from '../../api/graph/engine.ts'
import { Stream } from '../../api/graph/stream.ts'
import { until } from '../support/until.ts'
import { counting } from './sample.ts'
import { aViewer, COST, sampleEngine, sampleServer } from './sample-server.ts'

let server: Awaited<ReturnType<typeof sampleServer>>

beforeAll(async () => {
  server = await sampleServer()
})
afterAll(() => server.close())
beforeEach(() => until(() => counting.now === 0))

/** Opens a stream of server-sent events. `text` grows as it arrives; `ended` resolves to how it ended. */
async function follow(query: string, to = server, token = 'member') {
  const leave = new AbortController()
  const response = await fetch(to.url, {
    method: 'POST',
    signal: leave.signal,
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({ query }),
  })
  const stream = { response, text: '', leave: () => leave.abort(), ended: Promise.resolve('') }
  const read = async () => {
    for await (const chunk of response.body ?? []) stream.text += Buffer.from(chunk).toString()
    return 'complete'
  }
  stream.ended = read().catch(() => 'cut')
  return stream
}

test('a subscription is served as server-sent events', async () => {
  const stream = await follow('subscription { counted(to: 2) }')

  expect(await stream.ended).toBe('complete')
  expect(stream.response.headers.get('content-type')).toBe('text/event-stream')
  expect(stream.text.replaceAll(/^:\n\n/gm, '')).toBe(
    [1, 2].map((n) => `event: next\ndata: {"data":{"counted":${n}}}\n\n`).join('') +
      'event: complete\ndata:\n\n',
  )
})

test('a client of graphql-sse gets every answer in order', async () => {
  const client = createClient({ url: server.url, headers: { authorization: 'Bearer member' } })
  const seen: unknown[] = []
  for await (const result of client.iterate({ query: 'subscription { counted(to: 3) }' })) seen.push(result)
  expect(seen).toEqual([1, 2, 3].map((counted) => ({ data: { counted } })))
})

test('a stream is opened by GET as well', async () => {
  const query = encodeURIComponent('subscription { counted(to: 1) }')
  const response = await fetch(`${server.url}?query=${query}`, {
    headers: { accept: 'text/event-stream', authorization: 'Bearer member' },
  })
  expect(await response.text()).toContain('data: {"data":{"counted":1}}')
})

test('a subscription that nobody can stream is refused before it begins', async () => {
  const response = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer member' },
    body: '{"query":"subscription { counted(to: 0) }"}',
  })
  expect(await response.json()).toMatchObject({
    errors: [{ extensions: { code: 'BAD_INPUT', field: 'query' } }],
  })
  expect(counting.now).toBe(0)
})

test('anonymous callers are told so in the stream', async () => {
  const response = await fetch(
    `${server.url}?query=${encodeURIComponent('subscription { counted(to: 1) }')}`,
    {
      headers: { accept: 'text/event-stream' },
    },
  )
  expect(await response.text()).toContain('"code":"UNAUTHENTICATED"')
})

test('a client that leaves ends the source', async () => {
  const stream = await follow('subscription { counted(to: 0) }')
  await until(() => stream.text.includes('"counted":2'))
  stream.leave()
  await until(() => counting.now === 0)
})

test('a token that is revoked ends its streams with a word, within 5 s', async () => {
  const other = await sampleServer()
  const stream = await follow('subscription { counted(to: 0) }', other)
  await until(() => stream.text.includes('"counted":2'))

  other.signIn.end('member', false)

  expect(await stream.ended).toBe('complete')
  expect(stream.text).toContain('"code":"UNAUTHENTICATED"')
  await until(() => counting.now === 0)
  await other.close()
})

test('a stop cuts streams without saying that they are complete', async () => {
  const stopping = await sampleServer()
  const stream = await follow('subscription { counted(to: 0) }', stopping)
  await until(() => stream.text.includes('"counted":2'))

  await stopping.door.close()

  expect(await stream.ended).toBe('cut')
  expect(stream.text).not.toContain('event: complete')
  await stopping.close()
})

const numbers = async function* (to: number) {
  for (let n = 1; n <= to; n++) yield n
}
const double = { wait: () => 0, answer: async (n: number) => n * 2, failed: () => -1 }

test('a stream that is returned while it waits ends at once, and its source with it', async () => {
  let isReturned = false
  const source: AsyncIterableIterator<number> = {
    next: () => new Promise(() => {}),
    return: async () => {
      isReturned = true
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
  const stream = new Stream<number, number>(source, double)
  const waiting = [stream.next(), stream.next()]

  await stream.return()

  expect(await Promise.all(waiting)).toEqual([{ done: true }, { done: true }])
  expect(isReturned).toBe(true)
})

test('a failing source gives one last answer', async () => {
  const failing = async function* () {
    yield 1
    throw new Error('gone')
  }
  const seen: number[] = []
  for await (const answer of new Stream<number, number>(failing(), double)) seen.push(answer)
  expect(seen).toEqual([2, -1])
})

test('every listener hears the end once, however it comes', async () => {
  let heard = 0
  const stream = new Stream<number, number>(numbers(1), double)
  stream.onEnd(() => heard++)
  for await (const _ of stream);
  await stream.return()
  stream.finish(9)
  expect(heard).toBe(1)
  expect(await stream.next()).toEqual({ done: true, value: undefined })
})

test('a stream beyond its budget is slowed and loses nothing', async () => {
  const engine = sampleEngine({ cost: { ...COST, operation: 1, token: 2, tokenPerSecond: 20 } })
  const caller = { viewer: aViewer('MEMBER'), address: '', requestId: 'r', mayMutate: true, mayStream: true }
  const began = performance.now()

  const stream = (await engine.run({ query: 'subscription { counted(to: 8) }' }, caller)) as Stream<Answer>
  const seen: unknown[] = []
  for await (const { data } of stream) seen.push(data?.counted)

  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  // 9 were charged, 2 were there, 7 come back at 20 a second.
  expect(performance.now() - began).toBeGreaterThan(300)
})
