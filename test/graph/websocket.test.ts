import { type Client, createClient } from 'graphql-ws'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { until } from '../support/until.ts'
import { counting } from './sample.ts'
import { faults, sampleServer } from './sample-server.ts'

let server: Awaited<ReturnType<typeof sampleServer>>

beforeAll(async () => {
  server = await sampleServer({ socketTimes: { init: 200, look: 50, pong: 300, silence: 400 } })
})
afterAll(() => server.close())

const PROTOCOL = 'graphql-transport-ws'

/** A connection that speaks raw frames. `closed` resolves to the code and reason of its end. */
function connect(
  options: { protocol?: string; headers?: Record<string, string>; to?: string; autoPong?: boolean } = {},
) {
  const { protocol = PROTOCOL, headers = {}, to = server.socketUrl, autoPong = true } = options
  const socket = new WebSocket(to, protocol, { headers, autoPong })
  const messages: Record<string, unknown>[] = []
  socket.on('message', (data) => messages.push(JSON.parse(String(data)) as Record<string, unknown>))
  socket.on('error', () => {})
  const closed = new Promise<string>((resolve) => {
    socket.on('close', (code, reason) => resolve(`${code} ${reason}`))
    socket.on('unexpected-response', (_request, response) => resolve(`refused ${response.statusCode}`))
  })
  const opened = new Promise<void>((resolve) => socket.on('open', resolve))
  const say = (message: unknown) =>
    socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  return { socket, messages, closed, opened, say }
}

/** A connection that said who it is. */
async function welcomed(authorization: string | null = 'Bearer staff', to = server.socketUrl) {
  const connection = connect({ to })
  await connection.opened
  connection.say({ type: 'connection_init', payload: authorization === null ? {} : { authorization } })
  await until(() => connection.messages.length > 0)
  return connection
}

const subscribe = (query: string, id = '1', variables = {}) => ({
  id,
  type: 'subscribe',
  payload: { query, variables },
})

test('a subscription is delivered in order and completed', async () => {
  const client: Client = createClient({
    url: server.socketUrl,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: 'Bearer member' },
  })
  const seen: unknown[] = []
  for await (const result of client.iterate({ query: 'subscription { counted(to: 3) }' })) seen.push(result)
  await client.dispose()
  expect(seen).toEqual([1, 2, 3].map((counted) => ({ data: { counted } })))
})

test('queries and mutations have the limits, costs and rights of every other lane', async () => {
  const { say, messages, socket } = await welcomed('Bearer reader')
  say(subscribe('{ hello signedIn }', 'a'))
  say(subscribe('{ nope }', 'b'))
  say(subscribe('{ __schema { types { name } } }', 'c'))
  say(
    subscribe(
      'mutation { writeNote(input: { idempotencyKey: "k", text: "t", points: 1 }) { __typename } }',
      'd',
    ),
  )
  await until(() => messages.filter(({ type }) => type !== 'next').length === 5)
  socket.close()

  const of = (id: string) => messages.filter((message) => message.id === id)
  expect(of('a')).toEqual([
    {
      id: 'a',
      type: 'next',
      payload: {
        data: { hello: 'Hello world.', signedIn: 'staff:mia' },
        extensions: { cost: expect.objectContaining({ requested: 2 }) },
      },
    },
    { id: 'a', type: 'complete' },
  ])
  expect(of('b')).toEqual([
    {
      id: 'b',
      type: 'error',
      payload: [expect.objectContaining({ extensions: { code: 'BAD_INPUT', field: 'query' } })],
    },
  ])
  expect(of('c')).toEqual([
    { id: 'c', type: 'error', payload: [expect.objectContaining({ extensions: { code: 'FORBIDDEN' } })] },
  ])
  expect(of('d')).toMatchObject([
    { payload: { data: { writeNote: null }, errors: [{ extensions: { code: 'FORBIDDEN' } }] } },
    { type: 'complete' },
  ])
})

test('the header of the request is a token too, and the parameters go before it', async () => {
  const both = connect({ headers: { authorization: 'Bearer nobody' } })
  await both.opened
  both.say({ type: 'connection_init', payload: { authorization: 'Bearer member' } })
  await until(() => both.messages.length > 0)
  const header = connect({ headers: { authorization: 'Bearer staff' } })
  await header.opened
  header.say({ type: 'connection_init' })
  await until(() => header.messages.length > 0)
  header.say(subscribe('{ signedIn }'))
  await until(() => header.messages.length > 1)

  expect(header.messages[1]).toMatchObject({ payload: { data: { signedIn: 'staff:mia' } } })
  expect(both.messages[0]).toEqual({ type: 'connection_ack' })
  header.socket.close()
  both.socket.close()
})

test.each([
  [
    'a bad token',
    [{ type: 'connection_init', payload: { authorization: 'Bearer nobody' } }],
    '4401 Unauthorized',
  ],
  ['a subscription before anything else', [subscribe('{ hello }')], '4401 Unauthorized'],
  ['nothing at all', [], '4408 Connection initialisation timeout'],
  [
    'two beginnings',
    [{ type: 'connection_init' }, { type: 'connection_init' }],
    '4429 Too many initialisation requests',
  ],
  ['something that is no message', ['{"type":'], '4400 Invalid message received'],
  ['a strange message', [{ type: 'dance' }], '4400 Invalid message received'],
  ['a message of 65 KB', ['x'.repeat(65_537)], '1009 '],
])('%s closes the connection', async (_what, messages, expected) => {
  const { opened, say, closed } = connect()
  await opened
  for (const message of messages) say(message)
  expect(await closed).toBe(expected)
})

test('the same id twice closes the connection', async () => {
  const { say, closed } = await welcomed()
  say(subscribe('subscription { counted(to: 0) }'))
  say(subscribe('subscription { counted(to: 0) }'))
  expect(await closed).toBe('4409 Subscriber for 1 already exists')
})

test('another sub-protocol is not spoken', async () => {
  expect(await connect({ protocol: 'graphql-ws' }).closed).toMatch(/^(4406|1006|1002)/)
})

test.each([
  [{ origin: 'https://evil.example' }, 'refused 403'],
  [{ origin: 'null' }, 'refused 403'],
])('a page of a foreign origin gets no connection (%j)', async (headers, expected) => {
  expect(await connect({ headers }).closed).toBe(expected)
  expect(await connect({ headers, to: `${server.socketUrl}s` }).closed).toBe('refused 404')
})

test('a page of our own origin gets one', async () => {
  const { opened, socket } = connect({ headers: { origin: `http://127.0.0.1:${server.port}` } })
  await opened
  socket.close()
})

test('one socket has at most 50 subscriptions; the 51st is refused alone', async () => {
  const { say, messages, socket } = await welcomed()
  for (let i = 1; i <= 51; i++) say(subscribe('subscription { counted(to: 0, everyMs: 1000) }', `s${i}`))
  await until(() => messages.some(({ type }) => type === 'error'))
  await until(() => counting.now === 50)

  expect(messages.filter(({ type }) => type === 'error')).toEqual([
    {
      id: 's51',
      type: 'error',
      payload: [
        {
          message: 'One socket may have at most 50 subscriptions at a time.',
          extensions: { code: 'TOO_COSTLY' },
        },
      ],
    },
  ])
  socket.close()
  await until(() => counting.now === 0)
})

test('a subscription that is completed, or whose socket goes, ends its source', async () => {
  const { say, socket } = await welcomed()
  say(subscribe('subscription { counted(to: 0) }', 'a'))
  say(subscribe('subscription { counted(to: 0) }', 'b'))
  await until(() => counting.now === 2)
  say({ id: 'a', type: 'complete' })
  await until(() => counting.now === 1)
  socket.terminate()
  await until(() => counting.now === 0)
})

test.each([
  ['is revoked', true],
  ['expires', false],
])('a token that %s closes its sockets with 4403, and no others', async (_how, isTold) => {
  const other = await sampleServer()
  const gone = await welcomed('Bearer member', other.socketUrl)
  const stays = await welcomed('Bearer staff', other.socketUrl)
  gone.say(subscribe('subscription { counted(to: 0) }'))
  stays.say(subscribe('subscription { counted(to: 0) }'))
  const began = performance.now()

  other.signIn.end('member', isTold)

  expect(await gone.closed).toBe('4403 The token expired or was revoked')
  expect(performance.now() - began).toBeLessThan(5_000)
  expect(stays.socket.readyState).toBe(WebSocket.OPEN)
  await other.close()
})

test('a stream that loses its right tells so and closes the socket with 4403', async () => {
  const { say, messages, closed } = await welcomed()
  say(subscribe('subscription { failing(isRefusal: true) }'))
  expect(await closed).toBe('4403 Forbidden')
  expect(messages.slice(1, 3)).toMatchObject([
    { type: 'next', payload: { data: { failing: 1 } } },
    {
      type: 'next',
      payload: { errors: [{ message: 'This membership has ended.', extensions: { code: 'FORBIDDEN' } }] },
    },
  ])
})

test('a stream that fails ends alone, and its fault is masked', async () => {
  faults.length = 0
  const { say, messages, socket } = await welcomed()
  say(subscribe('subscription { failing(isRefusal: false) }'))
  await until(() => messages.some(({ type }) => type === 'complete'))

  expect(JSON.stringify(messages)).not.toContain('swordfish')
  expect(messages.at(-2)).toMatchObject({ payload: { errors: [{ extensions: { code: 'INTERNAL' } }] } })
  expect(faults.map(({ error }) => (error as Error).message)).toEqual(['swordfish'])
  expect(socket.readyState).toBe(WebSocket.OPEN)
  socket.close()
})

test('a reader that takes nothing is closed with 4510, and only a little waits for it', async () => {
  counting.flooded = 0
  const { say, socket, closed } = await welcomed()
  say(subscribe('subscription { flooded }'))
  await until(() => counting.flooded > 3)
  socket.pause()
  await until(() => counting.now === 0)
  const waiting = counting.flooded * 50_000
  socket.resume()

  expect(await closed).toBe('4510 Nothing was accepted for too long')
  expect(waiting).toBeLessThan(64_000_000)
})

test('a connection whose other end is gone is noticed', async () => {
  const { closed, opened, say } = connect({ autoPong: false })
  await opened
  say({ type: 'connection_init' })
  expect(await closed).toBe('4510 Nothing was accepted for too long')
})

test('a quiet connection that answers pings stays', async () => {
  const { socket } = await welcomed()
  let pings = 0
  socket.on('ping', () => {
    pings++
  })
  await until(() => pings >= 20)
  expect(socket.readyState).toBe(WebSocket.OPEN)
  socket.close()
})

test('a stop lets running operations finish, completes nothing, and closes with 1001', async () => {
  const stopping = await sampleServer()
  const { say, messages, closed } = await welcomed('Bearer staff', stopping.socketUrl)
  say(subscribe('subscription { counted(to: 0) }', 'live'))
  say(subscribe('{ slow(ms: 200) }', 'slow'))
  await until(() => messages.some(({ id }) => id === 'live'))

  const stopped = stopping.close()

  expect(await closed).toBe('1001 Going away')
  await stopped
  expect(messages.filter(({ id }) => id === 'slow')).toMatchObject([
    { type: 'next', payload: { data: { slow: 'done' } } },
    { type: 'complete' },
  ])
  expect(messages.filter(({ id, type }) => id === 'live' && type !== 'next')).toEqual([])
  await until(() => counting.now === 0)
})
