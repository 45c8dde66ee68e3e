import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { EgressError, type EgressRequest, openEgress, type Resolve } from '../../api/platform/egress.ts'
import { isPublicAddress } from '../../api/platform/public-address.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

async function serve(listener: RequestListener): Promise<{ port: number; requests: () => number }> {
  let requests = 0
  const server = createServer((request, response) => {
    requests++
    listener(request, response)
  })
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { port: address.port, requests: () => requests }
}

const failure = (sent: Promise<Response>): Promise<EgressError> =>
  sent.then(
    () => expect.fail('an answer came'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(EgressError)
      return error as EgressError
    },
  )

test.each([
  'https://127.0.0.1/',
  'https://127.1/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0177.0.0.1/',
  'https://①②⑦.⓪.⓪.①/',
  'https://0/',
  'https://10.0.0.1/',
  'https://100.64.0.1/',
  'https://169.254.169.254/latest/meta-data/',
  'https://192.168.1.1/',
  'https://[::]/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[2002:7f00:1::]/',
  'https://[fd00:ec2::254]/',
  'https://[fe80::1]/',
])('%s is refused as it is written', async (url) => {
  const error = await failure(openEgress({ allow: [] }).fetch(url))
  expect(error).toMatchObject({
    reason: 'refused',
    mayHaveArrived: false,
    message: 'This address is inside a private or reserved network; it must be a public one.',
  })
})

test.each([
  ['http://shop.example/', 'This must be an https address.'],
  ['file:///etc/passwd', 'This must be an https address.'],
  ['https://user:pass@shop.example/', 'An address must not carry a user name or password.'],
  ['https://shop.example:25/', 'The port must be 443 or at least 1024.'],
  ['shop.example', 'This must be an absolute https address.'],
])('%s is refused: %s', (url, message) => {
  expect(openEgress({ allow: [] }).refusal(url)).toBe(message)
})

test.each(['https://localhost:PORT/', 'https://localhost.:PORT/', 'https://LOCALHOST:PORT/'])(
  '%s is refused when the name turns out to be private, and nothing connects',
  async (template) => {
    let connections = 0
    const server = createTcpServer(() => connections++)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as { port: number }
    const egress = openEgress({ allow: [], resolve: async () => [{ address: '127.0.0.1', family: 4 }] })
    const error = await failure(egress.fetch(template.replace('PORT', String(port))))
    expect(error).toMatchObject({ reason: 'refused', mayHaveArrived: false })
    expect(connections).toBe(0)
    server.close()
  },
)

test('a name that answers public at first and private later is refused at the moment of connecting', async () => {
  const answers = [['192.0.43.8'], ['127.0.0.1'], ['192.0.43.8', '169.254.169.254'], ['::ffff:10.0.0.1']]
  const asked: string[] = []
  const resolve: Resolve = async (host) => {
    asked.push(host)
    return (answers[asked.length - 1] ?? []).map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }))
  }
  await resolve('rebind.example') // what a check at the time of saving would have seen
  for (let visit = 1; visit < answers.length; visit++) {
    const error = await failure(openEgress({ allow: [], resolve }).fetch('https://rebind.example/'))
    expect(error).toMatchObject({ reason: 'refused', mayHaveArrived: false })
  }
  expect(asked.length).toBe(4) // one look-up for each request: what is checked is what is connected to
})

test('an allowed host is reached, also when it is private and plain http', async () => {
  const { port } = await serve((request, response) => {
    response.writeHead(201, { 'x-echo': request.headers['x-in'] ?? '' })
    request.pipe(response)
  })
  const egress = openEgress({ allow: [`127.0.0.1:${port}`] })
  const request: EgressRequest = { method: 'POST', headers: { 'x-in': 'a' }, body: 'hello' }
  const response = await egress.fetch(`http://127.0.0.1:${port}/`, request)
  expect([response.status, response.headers.get('x-echo'), await response.text()]).toEqual([
    201,
    'a',
    'hello',
  ])
  expect(egress.refusal(`http://127.0.0.1:${port + 1}/`)).toBe('This must be an https address.')
})

test('a redirect is the answer and is not followed', async () => {
  const inner = await serve((_, response) => response.end('secret'))
  const outer = await serve((_, response) =>
    response.writeHead(302, { location: `http://127.0.0.1:${inner.port}/` }).end(),
  )
  const allow = [`127.0.0.1:${outer.port}`, `127.0.0.1:${inner.port}`]
  const response = await openEgress({ allow }).fetch(`http://127.0.0.1:${outer.port}/`)
  expect(response.status).toBe(302)
  expect(inner.requests()).toBe(0)
})

test('an answer over the limit is cut off', async () => {
  const { port } = await serve((_, response) => response.end('x'.repeat(1001)))
  const egress = openEgress({ allow: ['127.0.0.1'] })
  const url = `http://127.0.0.1:${port}/`
  expect(await failure(egress.fetch(url, { maxBytes: 1000 }))).toMatchObject({ reason: 'too_large' })
  expect((await egress.fetch(url, { maxBytes: 1001 })).status).toBe(200)
})

test('an answer that drips is cut off at the deadline', async () => {
  const { port } = await serve((_, response) => {
    const drip = setInterval(() => response.write('x'), 20)
    response.on('close', () => clearInterval(drip))
  })
  const began = performance.now()
  const error = await failure(
    openEgress({ allow: ['127.0.0.1'] }).fetch(`http://127.0.0.1:${port}/`, { timeoutMs: 200 }),
  )
  expect(error).toMatchObject({ reason: 'timeout', mayHaveArrived: true })
  expect(performance.now() - began).toBeLessThan(2000)
})

test('a refused connection cannot have arrived, one cut after the request may have', async () => {
  const { port } = await serve((request) => request.socket.destroy())
  const egress = openEgress({ allow: ['127.0.0.1'] })
  const cut = await failure(egress.fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'x' }))
  expect(cut).toMatchObject({ reason: 'network', mayHaveArrived: true })
  const closed = await failure(egress.fetch('http://127.0.0.1:1/'))
  expect(closed).toMatchObject({ reason: 'network', mayHaveArrived: false })
})

test('a request can be given up', async () => {
  const { port } = await serve(() => {})
  const giveUp = new AbortController()
  const sent = failure(
    openEgress({ allow: ['127.0.0.1'] }).fetch(`http://127.0.0.1:${port}/`, { signal: giveUp.signal }),
  )
  giveUp.abort()
  expect(await sent).toMatchObject({ reason: 'aborted' })
})

test.each(['8.8.8.8', '192.0.43.8', '223.255.255.254', '2606:4700::1111', '2a00:1450::1'])(
  '%s is public',
  (address) => expect(isPublicAddress(address)).toBe(true),
)

test.each(['example.com', '', '172.31.255.255', '255.255.255.255', '2001:db8::1', 'fe80::1%eth0', 'ff02::1'])(
  '%j is not public',
  (address) => expect(isPublicAddress(address)).toBe(false),
)
