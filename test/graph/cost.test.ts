import { expect, test } from 'vitest'
import { Budgets } from '../../api/graph/budget.ts'
import type { Answer } from '../../api/graph/engine.ts'
import { TooCostlyError } from '../../api/platform/errors/index.ts'
import { aViewer, COST, sampleEngine } from './sample-server.ts'

async function costOf(query: string, variables: Record<string, unknown> = {}) {
  const viewer = aViewer('STAFF', ['*'])
  const caller = { viewer, address: '', requestId: 'r1', mayMutate: true, mayStream: false }
  const answer = (await sampleEngine().run({ query, variables }, caller)) as Answer
  return answer.extensions?.cost
}

test.each([
  ['{ __typename }', {}, 1],
  ['{ hello signedIn }', {}, 2],
  ['{ ... on Query { hello } ...A } fragment A on Query { signedIn }', {}, 2],
  ['{ notes { __typename } }', {}, 2],
  // notes + nodes + 20 × text
  ['{ notes { nodes { text } } }', {}, 22],
  ['{ notes(first: 3) { nodes { text } } }', {}, 5],
  ['{ notes(last: 3) { nodes { text } } }', {}, 5],
  ['query ($n: Int) { notes(first: $n) { nodes { text } } }', { n: 7 }, 9],
  ['query ($n: Int) { notes(first: $n) { nodes { text } } }', {}, 22],
  ['query ($n: Int = 4) { notes(first: $n) { nodes { text } } }', {}, 6],
  // edges + 3 × (cursor, node, text); the page's own words are not multiplied
  ['{ notes(first: 3) { edges { cursor node { text } } pageInfo { hasNextPage } } }', {}, 13],
  // notes, nodes, 3 × (replies, nodes, 5 × text)
  ['{ notes(first: 3) { nodes { replies(first: 5) { nodes { text } } } } }', {}, 23],
  // a list of words is no page
  ['{ notes(first: 2) { nodes { tags } } }', {}, 4],
  ['{ nodes(ids: ["Tm90ZTowMDAwMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDA"]) { id } }', {}, 2],
  // a mutation counts 10
  ['mutation { writeNote(input: { idempotencyKey: "k", text: "t", points: 1 }) { __typename } }', {}, 11],
])('%s costs %j %i', async (query, variables, requested) => {
  expect(await costOf(query, variables)).toMatchObject({ requested })
})

test('what was not used is given back', async () => {
  expect(
    await costOf(
      '{ notes(first: 100, after: "WyIwMDAwMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAxNDgiXQ") { nodes { text } } }',
    ),
  ).toEqual({
    requested: 102,
    actual: 3,
    available: expect.closeTo(499_997, -2),
    restoreRate: 25_000,
  })
})

test('one operation may cost 50,000 and no more', async () => {
  const nested = (n: number) =>
    `{ notes(first: 100) { nodes { replies(first: ${n}) { nodes { a: text b: text c: text d: text e: text } } } } }`
  const viewer = aViewer('STAFF', ['*'])
  const caller = { viewer, address: '', requestId: 'r1', mayMutate: true, mayStream: false }

  const dear = (await sampleEngine().run({ query: nested(100) }, caller)) as Answer

  expect(await costOf(nested(99))).toMatchObject({ requested: 49_702 })
  expect(dear.errors?.map(({ message }) => message)).toEqual([
    'This operation costs 50202; one operation may cost at most 50000.',
  ])
  expect(dear).not.toHaveProperty('data')
})

/** Budgets on a clock that stands until it is moved. */
function budgets() {
  const clock = { seconds: 0 }
  return { clock, budgets: new Budgets(COST, () => clock.seconds) }
}

const a = { token: 'a', tenant: 't' }

test('a token holds 500,000 and regains 25,000 a second', () => {
  const { clock, budgets: all } = budgets()
  for (let i = 0; i < 10; i++) all.reserve(a, 50_000).settle(50_000)

  expect(() => all.reserve(a, 1)).toThrow(
    new TooCostlyError('This operation costs 1; 0 is available now.', 1),
  )
  clock.seconds = 1
  expect(all.reserve(a, 20_000).settle(20_000)).toEqual({
    requested: 20_000,
    actual: 20_000,
    available: 5_000,
    restoreRate: 25_000,
  })
})

test('a refusal says how many seconds to wait, and takes nothing', () => {
  const { clock, budgets: all } = budgets()
  for (let i = 0; i < 10; i++) all.reserve(a, 50_000).settle(50_000)

  for (let i = 0; i < 20; i++) {
    expect(() => all.reserve(a, 50_000)).toThrow(expect.objectContaining({ retryAfter: 2 }))
  }

  clock.seconds = 2
  expect(all.reserve(a, 50_000).settle(50_000).available).toBe(0)
})

test('what is set aside counts until it is settled', () => {
  const { budgets: all } = budgets()
  const running = Array.from({ length: 10 }, () => all.reserve(a, 50_000))

  expect(() => all.reserve(a, 1)).toThrow(TooCostlyError)
  for (const reservation of running) reservation.settle(10)

  expect(all.reserve(a, 1).settle(1).available).toBe(499_899)
})

test('all tokens of a tenant together hold 2,000,000', () => {
  const { budgets: all } = budgets()
  for (let i = 0; i < 40; i++) all.reserve({ token: `token ${i % 5}`, tenant: 't' }, 50_000).settle(50_000)

  expect(() => all.reserve({ token: 'another', tenant: 't' }, 1)).toThrow(TooCostlyError)
  expect(all.reserve({ token: 'another', tenant: 'u' }, 1).settle(1).available).toBe(499_999)
})

test('a budget is never fuller than full', () => {
  const { clock, budgets: all } = budgets()
  all.reserve(a, 10).settle(10)
  clock.seconds = 1_000

  expect(all.reserve(a, 1).settle(0).available).toBe(500_000)
})

test('what must be delivered is charged beyond empty, and says how long to wait', () => {
  const { budgets: all } = budgets()
  for (let i = 0; i < 10; i++) all.reserve(a, 50_000).settle(50_000)

  expect(all.charge(a, 50_000)).toBe(2)
  expect(all.charge({ token: 'b', tenant: 't' }, 10)).toBe(0)
})
