import { afterAll, beforeAll, expect, test } from 'vitest'
import { sampleServer } from './sample-server.ts'

let server: Awaited<ReturnType<typeof sampleServer>>

beforeAll(async () => {
  server = await sampleServer()
})
afterAll(() => server.close())

const WRITE =
  'mutation ($i: WriteNoteInput!) { writeNote(input: $i) { __typename ... on Error { code message } } }'

/** Bodies that a well-meaning, a careless or a hostile client may post. */
const BODIES: readonly (readonly [what: string, body: string])[] = [
  ['a query', '{"query":"{ hello }"}'],
  ['variables', '{"query":"query ($n: String) { hello(name: $n) }","variables":{"n":"Mia"}}'],
  ['null variables', '{"query":"{ hello }","variables":null,"operationName":null,"extensions":null}'],
  ['extensions', '{"query":"{ hello }","extensions":{"a":1}}'],
  ['a name', '{"query":"query A { hello } query B { __typename }","operationName":"B"}'],
  ['a wrong name', '{"query":"query A { hello }","operationName":"C"}'],
  ['no name for two', '{"query":"query A { hello } query B { hello }"}'],
  ['an empty name', '{"query":"{ hello }","operationName":""}'],
  ['a number as name', '{"query":"{ hello }","operationName":7}'],
  [
    'a mutation',
    JSON.stringify({ query: WRITE, variables: { i: { idempotencyKey: 'k', text: 't', points: 1 } } }),
  ],
  [
    'a dry run',
    JSON.stringify({
      query: WRITE.replace('{', '@dryRun {'),
      variables: { i: { idempotencyKey: 'k', text: 't', points: 1 } },
    }),
  ],
  ['a dry query', '{"query":"query @dryRun { hello }"}'],
  [
    'a refusal',
    JSON.stringify({ query: WRITE, variables: { i: { idempotencyKey: 'k', text: 't', points: 60 } } }),
  ],
  [
    'a wrong input',
    JSON.stringify({ query: WRITE, variables: { i: { idempotencyKey: 'k', text: 't', points: 'x' } } }),
  ],
  ['a subscription', '{"query":"subscription { counted(to: 1) }"}'],
  ['a syntax error', '{"query":"{ hello "}'],
  ['an unknown field', '{"query":"{ nope }"}'],
  ['half an answer', '{"query":"{ hello locked }"}'],
  ['only fragments', '{"query":"fragment A on Query { hello }"}'],
  ['introspection', '{"query":"{ __schema { queryType { name } } }"}'],
  ['too many aliases', `{"query":"{ ${Array.from({ length: 16 }, (_, i) => `a${i}: hello`).join(' ')} }"}`],
  [
    'too costly',
    '{"query":"{ notes(first: 100) { nodes { replies(first: 100) { nodes { replies(first: 100) { nodes { text } } } } } } }"}',
  ],
  ['an unknown parameter', '{"query":"{ hello }","quary":"{ hello }"}'],
  ['an unknown parameter of null', '{"query":"{ hello }","quary":null}'],
  ['no query', '{}'],
  ['an empty query', '{"query":""}'],
  ['a null query', '{"query":null}'],
  ['a list as query', '{"query":["{ hello }"]}'],
  ['variables as text', '{"query":"{ hello }","variables":"{}"}'],
  ['variables as list', '{"query":"{ hello }","variables":[1]}'],
  ['extensions as text', '{"query":"{ hello }","extensions":"x"}'],
  ['a batch', '[{"query":"{ hello }"},{"query":"{ hello }"}]'],
  ['an empty batch', '[]'],
  ['null', 'null'],
  ['text', '"{ hello }"'],
  ['a number', '7'],
  ['half of JSON', '{"query":"{ hel'],
  ['nothing', ''],
  ['a prototype', '{"query":"{ hello }","__proto__":{"query":"{ nope }"}}'],
  ['a zero character', '{"query":"{ hello(name: \\"\\\\u0000\\") }"}'],
  ['a byte order mark', '\uFEFF{"query":"{ hello }"}'],
]

const ACCEPTS = [
  undefined,
  '*/*',
  'application/json',
  'application/graphql-response+json',
  'application/graphql-response+json, application/json;q=0.9',
  'application/json, text/plain, */*',
]
const TOKENS = [undefined, 'Bearer staff', 'Bearer member', 'Bearer nobody']

/** Everything of an answer that a client can tell, without what depends on the moment. */
async function post(body: string, headers: Record<string, string>) {
  const response = await fetch(server.url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  })
  const text = await response.text()
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    retryAfter: response.headers.get('retry-after'),
    authenticate: response.headers.get('www-authenticate'),
    body: text.replace(/"available":\d+/, '"available":0'),
  }
}

test.each(BODIES)('both lanes answer alike to %s', async (_what, body) => {
  for (const accept of ACCEPTS) {
    for (const authorization of TOKENS) {
      const headers = { ...(accept && { accept }), ...(authorization && { authorization }) }
      const fast = await post(body, headers)
      const full = await post(body, { ...headers, origin: `http://127.0.0.1:${server.port}` })
      expect(full).toEqual(fast)
    }
  }
})

test('every refusal has a code of the table', async () => {
  const codes = new Set<string>()
  for (const [, body] of BODIES) {
    const answer = await post(body, { authorization: 'Bearer member' })
    const { errors = [] } = JSON.parse(answer.body) as { errors?: { extensions: { code: string } }[] }
    for (const { extensions } of errors) codes.add(extensions.code)
  }
  expect([...codes].sort()).toEqual(['BAD_INPUT', 'FORBIDDEN', 'TOO_COSTLY'])
})
