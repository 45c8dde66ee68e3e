import { request } from 'node:http'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { said } from './sample.ts'
import { sampleEngine, sampleServer } from './sample-server.ts'

let server: Awaited<ReturnType<typeof sampleServer>>

beforeAll(async () => {
  server = await sampleServer({
    origins: ['https://shop.example'],
    routes: {
      '/health/live': (_request, response) => {
        response.end('alive')
      },
      '/inbound/': ({ url }, response) => {
        response.end(`below: ${url}`)
      },
    },
    graphiql: () => [
      {
        title: 'Hello',
        query: 'query Hello { hello }',
        variables: { a: 1 },
        headers: { authorization: 'Bearer staff' },
      },
    ],
  })
})
afterAll(() => server.close())
beforeEach(() => {
  said.length = 0
})

const WRITE = 'mutation { writeNote(input: { idempotencyKey: "k", text: "t", points: 1 }) { __typename } }'
const own = () => `http://127.0.0.1:${server.port}`

/** A request with full control over its headers. */
function send(method: string, path: string, headers: Record<string, string | string[]> = {}, body = '') {
  return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>(
    (resolve, reject) => {
      const outgoing = request(
        { port: server.port, host: '127.0.0.1', method, path, headers },
        (response) => {
          let text = ''
          response.on('data', (chunk: Buffer) => {
            text += chunk
          })
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
          )
        },
      )
      outgoing.on('error', reject)
      outgoing.end(body)
    },
  )
}

const FOREIGN = { origin: 'https://evil.example', authorization: 'Bearer staff' }
const form = `query=${encodeURIComponent(WRITE)}`
const multipart = `--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n${JSON.stringify({ query: WRITE })}\r\n--x\r\nContent-Disposition: form-data; name="map"\r\n\r\n{}\r\n--x--\r\n`
const TYPES: readonly (readonly [type: string, body: string])[] = [
  ['application/json', JSON.stringify({ query: WRITE })],
  ['application/x-www-form-urlencoded', form],
  ['multipart/form-data; boundary=x', multipart],
  ['text/plain', JSON.stringify({ query: WRITE })],
  ['application/graphql', WRITE],
]

test.each(TYPES)('a page of a foreign origin does nothing with a body of %s', async (type, body) => {
  const answer = await send('POST', '/graphql', { ...FOREIGN, 'content-type': type }, body)

  expect(answer.status).toBe(403)
  expect(JSON.parse(answer.text).errors[0].extensions.code).toBe('FORBIDDEN')
  expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
  expect(said).toEqual([])
})

test.each(TYPES.slice(1))('a body of %s is refused whoever sends it', async (type, body) => {
  const answer = await send('POST', '/graphql', { authorization: 'Bearer staff', 'content-type': type }, body)

  expect(answer.status).toBe(415)
  expect(JSON.parse(answer.text).errors[0].extensions).toEqual({ code: 'BAD_INPUT', field: 'content-type' })
  expect(said).toEqual([])
})

test('a body without a type is refused', async () => {
  expect((await send('POST', '/graphql', { authorization: 'Bearer staff' }, '{}')).status).toBe(415)
})

test.each(['null', 'http://localhost', 'not an origin', 'https://shop.example.evil.example', 'file://'])(
  'the origin %j is foreign',
  async (origin) => {
    const headers = { origin, authorization: 'Bearer staff', 'content-type': 'application/json' }
    expect((await send('POST', '/graphql', headers, JSON.stringify({ query: WRITE }))).status).toBe(403)
    expect((await send('GET', '/graphql?query=%7Bhello%7D', headers)).status).toBe(403)
    expect(
      (await send('OPTIONS', '/graphql', { ...headers, 'access-control-request-method': 'POST' })).status,
    ).toBe(403)
    expect(said).toEqual([])
  },
)

test('a page of an origin that the operator named may ask, with its preflight', async () => {
  const origin = 'https://shop.example'
  const asked = {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization, content-type',
  }
  const preflight = await send('OPTIONS', '/graphql', asked)
  const answer = await send(
    'POST',
    '/graphql',
    { origin, authorization: 'Bearer staff', 'content-type': 'application/json' },
    '{"query":"{ signedIn }"}',
  )

  expect(preflight.headers).toMatchObject({
    'access-control-allow-origin': origin,
    'access-control-allow-headers': 'authorization, content-type',
  })
  expect(preflight.headers).not.toHaveProperty('access-control-allow-credentials', 'true')
  expect(answer.headers['access-control-allow-origin']).toBe(origin)
  expect(JSON.parse(answer.text).data).toEqual({ signedIn: 'staff:mia' })
})

test('GET asks, and does not change anything', async () => {
  const headers = { authorization: 'Bearer staff' }
  const query = await send(
    'GET',
    `/graphql?query=${encodeURIComponent('query($n: String) { hello(name: $n) }')}&variables=%7B%22n%22%3A%22Mia%22%7D`,
    headers,
  )
  const write = await send('GET', `/graphql?query=${encodeURIComponent(WRITE)}`, headers)

  expect(JSON.parse(query.text).data).toEqual({ hello: 'Hello Mia.' })
  expect(query.headers['cache-control']).toBe('no-store')
  expect(write.status).toBe(405)
  expect(write.headers.allow).toBe('POST')
  expect(JSON.parse(write.text).errors[0]).toMatchObject({ message: 'A mutation must be sent by POST.' })
  expect(said).toEqual([])
})

test.each([
  ['PUT', 405],
  ['DELETE', 405],
  ['PATCH', 405],
])('%s is answered %i', async (method, status) => {
  const headers = { 'content-type': 'application/json', 'content-length': '21' }
  const answer = await send(method, '/graphql', headers, '{"query":"{ hello }"}')
  expect(answer.status).toBe(status)
})

test.each(['with its length', 'in chunks'])(
  'a body of 10 MB is refused before it is read (%s)',
  async (how) => {
    const body = JSON.stringify({ query: `{ hello(name: "${'x'.repeat(10_000_000)}") }` })
    const length =
      how === 'in chunks' ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(body.length) }
    const answer = await send('POST', '/graphql', { 'content-type': 'application/json', ...length }, body)

    expect(answer.status).toBe(413)
    expect(JSON.parse(answer.text)).toEqual({
      errors: [
        {
          message: 'The body must have at most 262144 bytes.',
          extensions: { code: 'BAD_INPUT', field: 'body' },
        },
      ],
    })
  },
)

test('a body of exactly the limit is read', async () => {
  const around = JSON.stringify({ query: '{ hello(name: "") }' }).length
  const body = JSON.stringify({ query: `{ hello(name: "${'x'.repeat(262_144 - around)}") }` })
  const answer = await send('POST', '/graphql', { 'content-type': 'application/json' }, body)
  expect(body.length).toBe(262_144)
  expect(answer.status).toBe(200)
})

test('a token that is not accepted is 401 in every lane', async () => {
  const headers = { authorization: 'Bearer nobody', 'content-type': 'application/json' }
  for (const extra of [{}, { origin: own() }, { accept: 'text/event-stream' }]) {
    const answer = await send('POST', '/graphql', { ...headers, ...extra }, '{"query":"{ hello }"}')
    expect(answer.text).toContain('"code":"UNAUTHENTICATED"')
    if (!('accept' in extra)) expect(answer.status).toBe(401)
  }
})

test('other paths are the routes that were given, or nothing', async () => {
  expect((await send('GET', '/health/live')).text).toBe('alive')
  expect((await send('POST', '/inbound/shop/email?a=1')).text).toBe('below: /inbound/shop/email?a=1')
  expect((await send('GET', '/inbound')).status).toBe(404)
  expect((await send('GET', '/')).status).toBe(404)
  expect((await send('GET', '/graphql/')).status).toBe(404)
  expect((await send('GET', '//evil.example/graphql')).status).toBe(404)
  expect((await send('GET', '/__proto__')).status).toBe(404)
  expect((await send('GET', '/toString')).status).toBe(404)
})

test('GraphiQL has its tabs and needs no network; other names of this machine do not get it', async () => {
  const page = await send('GET', '/graphql', { accept: 'text/html' })
  const renamed = await send('GET', '/graphql', { accept: 'text/html', host: `evil.example:${server.port}` })

  expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(page.text).toContain('# Hello\\nquery Hello { hello }')
  expect(page.text).toContain('Bearer staff')
  expect(page.text).not.toMatch(/<script[^>]+src=|<link[^>]+href="http/)
  expect(renamed.text).not.toContain('Bearer staff')
  expect(renamed.status).toBe(406)
})

test('a stop lets running requests finish and takes no new ones', async () => {
  const stopping = await sampleServer()
  const ask = (query: string) =>
    fetch(stopping.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    })
  const running = ask('{ slow(ms: 200) }')
  await ask('{ hello }')

  const closed = stopping.close()

  expect(await (await running).json()).toMatchObject({ data: { slow: 'done' } })
  await closed
  await expect(ask('{ hello }')).rejects.toThrow('fetch failed')
})

test('a client that leaves in the middle of its body is no fault', async () => {
  const faults: unknown[] = []
  const quiet = await sampleServer({ engine: sampleEngine(), onFault: (error) => faults.push(error) })
  await new Promise<void>((resolve) => {
    const outgoing = request({
      port: quiet.port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/graphql',
      headers: { 'content-type': 'application/json', 'content-length': '100' },
    })
    outgoing.on('error', () => resolve())
    outgoing.write('{"query"', () => outgoing.destroy(new Error('gone')))
  })
  await quiet.close()
  expect(faults).toEqual([])
})
