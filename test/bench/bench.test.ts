import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { alternate, spreadOf } from './compare.ts'
import { sameAnswer } from './figures/same-answer.ts'
import { fire, quantile, shot } from './load.ts'

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  return (server.address() as AddressInfo).port // a server on a port
}

test('both sides are measured in turn, and each ratio is of neighbours', async () => {
  const order: string[] = []
  const contestant = (name: string, values: number[]) => ({
    round: async () => {
      order.push(name)
      return { perSecond: values.shift() ?? 0 }
    },
  })
  const result = await alternate(contestant('a', [0, 10, 40, 30]), contestant('b', [0, 20, 50, 40]), {
    rounds: 3,
    warmUps: 1,
  })
  expect(order.join('')).toBe('ababbaab')
  expect(result).toMatchObject({ measured: 30, floor: 40, ratio: { median: 0.75, low: 0.5, high: 0.8 } })
})

test('the median of an even number of values lies between the middle two', () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, low: 1, high: 4 })
})

test('the load counts every answer once, however it comes in pieces', async () => {
  let answered = 0
  const body = `{"data":${'"x"'.repeat(50_000)}}`
  const port = await serve((request, response) => {
    request.resume()
    answered++
    response.writeHead(200, { 'content-length': body.length }).write(body.slice(0, 7))
    setImmediate(() => response.end(body.slice(7)))
  })
  const ask = shot(port, '/graphql', { body: { query: '{ a }' }, token: 't', expects: '{"data":' })
  const { latencies, perSecond } = await fire(port, () => ask, { connections: 3, seconds: 0.2 })
  expect(latencies).toHaveLength(answered)
  expect(perSecond).toBeGreaterThan(0)
  expect(quantile(latencies, 0.5)).toBeLessThanOrEqual(quantile(latencies, 0.99))
})

test.each([
  ['another status', (_: unknown, response) => response.writeHead(500).end('{"data": 1}'), 'HTTP/1.1 500'],
  ['an error', (_: unknown, response) => response.end('{"errors":[{"message":"no"}]}'), '{"errors":'],
  ['no answer', (request) => request.socket.destroy(), 'closed the connection'],
] satisfies [string, RequestListener, string][])('the load stops at %s', async (_, listener, message) => {
  const port = await serve(listener)
  const ask = shot(port, '/graphql', { body: {}, expects: '{"data":' })
  await expect(fire(port, () => ask, { connections: 2, seconds: 1 })).rejects.toThrow(message)
})

test('answers are the same when they say the same, each in its own spelling', () => {
  const uuid = '01a201c6-aafb-7212-90fb-76b74c6868a5'
  const id = Buffer.from(`Member:${uuid}`).toString('base64url')
  const candidate = {
    body: JSON.stringify({ data: { id, at: '2026-04-01T00:00:00.123Z', score: 0.12345671 } }),
  }
  const floor = (at: string) => ({ body: JSON.stringify({ data: { id: uuid, at, score: 0.1234567 } }) })
  sameAnswer(candidate, floor('2026-04-01T00:00:00.123456+00:00'))
  expect(() => sameAnswer(candidate, floor('2026-04-01T00:00:00.124+00:00'))).toThrow()
})
