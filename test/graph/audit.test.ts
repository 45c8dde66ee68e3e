import { auditServer } from 'graphql-http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sampleServer } from './sample-server.ts'

let server: Awaited<ReturnType<typeof sampleServer>>

beforeAll(async () => {
  server = await sampleServer()
})
afterAll(() => server.close())

/** The names of the audits that were not passed. */
async function failed(headers: Record<string, string>) {
  const results = await auditServer({
    url: server.url,
    fetchFn: (url: string, init?: RequestInit) =>
      fetch(url, { ...init, headers: { ...init?.headers, ...headers, authorization: 'Bearer staff' } }),
  })
  expect(results.length).toBe(61)
  return results.filter(({ status }) => status !== 'ok').map(({ name }) => name)
}

test('the fast lane passes all 61 audits of GraphQL over HTTP', async () => {
  expect(await failed({})).toEqual([])
})

test('the full lane passes all 61 audits of GraphQL over HTTP', async () => {
  expect(await failed({ origin: `http://127.0.0.1:${server.port}` })).toEqual([])
})
