import { expect, test } from 'vitest'
import type { Answer } from '../../api/graph/engine.ts'
import { encodeId } from '../../api/graph/ids.ts'
import { byId, byTime, type KeyFormat, pageOf } from '../../api/graph/relay.ts'
import { notes } from './sample.ts'
import { aViewer, sampleEngine } from './sample-server.ts'

async function run(query: string, viewer = aViewer('STAFF', ['*'])) {
  const caller = { viewer, address: '', requestId: 'r1', mayMutate: true, mayStream: false }
  const { data, errors } = (await sampleEngine().run({ query }, caller)) as Answer
  return {
    data,
    errors: errors?.map(({ message, extensions: { code, field } }) => ({ message, code, field })),
  }
}

interface Connection {
  edges: { cursor: string; node: { id: string } }[]
  nodes: { text: string }[]
  pageInfo: {
    startCursor: string | null
    endCursor: string | null
    hasNextPage: boolean
    hasPreviousPage: boolean
  }
}

async function page(args: string): Promise<Connection> {
  const words =
    'edges { cursor node { id } } nodes { text } pageInfo { startCursor endCursor hasNextPage hasPreviousPage }'
  const { data } = await run(`{ notes${args} { ${words} } }`)
  return data?.notes as Connection
}

test.each([
  ['first: 0', 'first', 'first must be from 1 to 100; it is 0.'],
  ['first: 101', 'first', 'first must be from 1 to 100; it is 101.'],
  ['first: -1', 'first', 'first must be from 1 to 100; it is -1.'],
  ['last: 101', 'last', 'last must be from 1 to 100; it is 101.'],
  ['first: 1, last: 1', 'last', 'Give first or last, not both.'],
  ['first: 1, before: "x"', 'before', 'before goes with last, not with first.'],
  ['last: 1, after: "x"', 'after', 'after goes with first, not with last.'],
  ['after: "x", before: "y"', 'before', 'Give after or before, not both.'],
  ['after: "nonsense"', 'after', 'after must be a cursor of this connection.'],
  ['after: ""', 'after', 'after must be a cursor of this connection.'],
  ['last: 1, before: "WzFd"', 'before', 'before must be a cursor of this connection.'],
  ['after: "bnVsbA"', 'after', 'after must be a cursor of this connection.'],
])('a page of (%s) is refused', async (args, field, message) => {
  expect(await run(`{ notes(${args}) { nodes { id } } hello }`)).toEqual({
    data: { notes: null, hello: 'Hello world.' },
    errors: [{ message, code: 'BAD_INPUT', field }],
  })
})

test('a page holds 20 entries unless told, and up to 100', async () => {
  expect((await page('')).nodes.length).toBe(20)
  expect((await page('(first: 100)')).nodes.length).toBe(100)
  expect((await page('(first: null, after: null)')).nodes.length).toBe(20)
})

test('pages forwards and backwards go through every entry once', async () => {
  const all = notes.map(({ text }) => text)
  const forwards: string[] = []
  for (
    let at = await page('(first: 40)');
    ;
    at = await page(`(first: 40, after: "${at.pageInfo.endCursor}")`)
  ) {
    forwards.push(...at.nodes.map(({ text }) => text))
    if (!at.pageInfo.hasNextPage) break
  }
  const backwards: string[] = []
  for (
    let at = await page('(last: 40)');
    ;
    at = await page(`(last: 40, before: "${at.pageInfo.startCursor}")`)
  ) {
    backwards.unshift(...at.nodes.map(({ text }) => text))
    if (!at.pageInfo.hasPreviousPage) break
  }
  expect(forwards).toEqual(all)
  expect(backwards).toEqual(all)
})

test('a page knows what lies around it', async () => {
  const first = await page('(first: 2)')
  const end = notes.at(-1)?.id ?? ''
  const beyond = Buffer.from(JSON.stringify([end])).toString('base64url')

  expect(first.pageInfo).toEqual({
    startCursor: first.edges[0]?.cursor,
    endCursor: first.edges[1]?.cursor,
    hasNextPage: true,
    hasPreviousPage: false,
  })
  expect((await page(`(first: 2, after: "${beyond}")`)).pageInfo).toEqual({
    startCursor: null,
    endCursor: null,
    hasNextPage: false,
    hasPreviousPage: true,
  })
})

test('a key of a time keeps its microseconds, and nothing else is one', () => {
  const key = { at: '2026-04-01T00:00:00.123456+00:00', id: notes[0]?.id ?? '' }
  const cursor = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString('base64url')
  const from = (parts: unknown, format: KeyFormat<unknown> = byTime) =>
    pageOf({ after: cursor(parts) }, format).from

  expect(from(byTime.write(key))).toEqual(key)
  for (const parts of [
    [],
    [key.at],
    [key.at, 'x'],
    ['now', key.id],
    [1, key.id],
    [`${key.at}'; --`, key.id],
    {},
    null,
  ]) {
    expect(() => from(parts)).toThrow('after must be a cursor of this connection.')
  }
  expect(() => from([7], byId)).toThrow('after must be a cursor of this connection.')
})

test('things are fetched again by their ids, in order, and null for what is nothing', async () => {
  const id = (i: number) => encodeId('Note', notes[i]?.id ?? '')
  const nothing = encodeId('Note', '0198c0de-0000-7000-8000-00000000002a')
  const ids = [id(3), nothing, id(1), id(3)].map((it) => `"${it}"`).join(', ')

  expect(
    await run(
      `{ node(id: "${id(3)}") { id ... on Note { text } } nodes(ids: [${ids}]) { ... on Note { text } } }`,
    ),
  ).toEqual({
    data: {
      node: { id: id(3), text: 'note 3' },
      nodes: [{ text: 'note 3' }, null, { text: 'note 1' }, { text: 'note 3' }],
    },
    errors: undefined,
  })
})

test('node and nodes are refused to whoever may not see the type', async () => {
  const id = encodeId('Note', notes[3]?.id ?? '')
  const { data, errors } = await run(`{ node(id: "${id}") { id } }`, aViewer('STAFF', ['members:read']))
  expect(data).toEqual({ node: null })
  expect(errors).toEqual([
    { message: 'This needs a token with the scope notes:read.', code: 'FORBIDDEN', field: undefined },
  ])
})

test.each([
  ['a type that does not exist', encodeId('Nothing', notes[0]?.id ?? '')],
  ['a type without a life of its own', encodeId('PageInfo', notes[0]?.id ?? '')],
  ['nonsense', 'nonsense'],
])('an id of %s is bad input', async (_what, id) => {
  const { errors } = await run(`{ node(id: "${id}") { id } }`)
  expect(errors).toEqual([
    { message: 'id must be an id that this API gave.', code: 'BAD_INPUT', field: 'id' },
  ])
})

test('at most 100 ids are looked up at a time', async () => {
  const ids = Array.from({ length: 101 }, () => `"${encodeId('Note', notes[0]?.id ?? '')}"`).join(', ')
  const { errors } = await run(`{ nodes(ids: [${ids}]) { id } }`)
  expect(errors).toEqual([
    { message: 'ids may hold at most 100 ids; there are 101.', code: 'BAD_INPUT', field: 'ids' },
  ])
})
