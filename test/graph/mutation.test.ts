import { beforeEach, expect, test } from 'vitest'
import type { Answer } from '../../api/graph/engine.ts'
import { encodeId } from '../../api/graph/ids.ts'
import { hashOf, mutation } from '../../api/graph/mutation.ts'
import { said } from './sample.ts'
import { aViewer, sampleEngine } from './sample-server.ts'

const uuid = '0198c0de-0000-7000-8000-00000000002a'
const WRITE = `mutation ($input: WriteNoteInput!) {
  writeNote(input: $input) { __typename ... on Error { code message } ... on WriteNotePayload { note { text points } } }
}`

async function write(input: object, viewer = aViewer('STAFF', ['notes:write', 'notes:read'])) {
  const caller = { viewer, address: '', requestId: 'r1', mayMutate: true, mayStream: false }
  const given = { idempotencyKey: 'k', text: 'a', points: 1, ...input }
  const answer = (await sampleEngine().run({ query: WRITE, variables: { input: given } }, caller)) as Answer
  return {
    data: answer.data,
    errors: answer.errors?.map(({ message, extensions: { code, field } }) => ({ message, code, field })),
  }
}

beforeEach(() => {
  said.length = 0
})

test('a mutation answers its payload, and knows who did it', async () => {
  expect(await write({ points: '7' })).toEqual({
    data: { writeNote: { __typename: 'WriteNotePayload', note: { text: 'a', points: '7' } } },
    errors: undefined,
  })
  expect(said.map(({ key, actor }) => ({ key, actor }))).toEqual([{ key: 'k', actor: 'staff:mia' }])
})

test('the hash is the same for the same input however it is written, and another for another', async () => {
  const inputs = [
    { text: 'a', points: 1 },
    { points: '1', text: 'a' },
    { points: 1, text: 'a', after: undefined },
    { text: 'a', points: 2 },
    { text: 'b', points: 1 },
    { text: 'a', points: 1, idempotencyKey: 'other' },
  ]
  for (const input of inputs) await write(input)

  const [first, ...others] = said.map(({ hash }) => hash)
  expect(first).toMatch(/^[0-9a-f]{64}$/)
  expect(others.map((hash) => hash === first)).toEqual([true, true, false, false, false])
})

test('the hash covers the name, and sorts keys all the way down', () => {
  const at = new Date('2026-04-01T00:00:00Z')
  const one = hashOf('spend', { b: [1n, at, null], a: { d: 'x', c: undefined } })
  expect(hashOf('spend', { a: { d: 'x' }, b: ['1', '2026-04-01T00:00:00.000Z', null] })).toEqual(one)
  expect(hashOf('grant', { a: { d: 'x' }, b: ['1', '2026-04-01T00:00:00.000Z', null] })).not.toEqual(one)
  expect(hashOf('spend', { a: { d: 'x' }, b: [] })).not.toEqual(one)
})

test.each([
  ['', 'input.idempotencyKey must have 1 to 200 characters.'],
  ['x'.repeat(201), 'input.idempotencyKey must have 1 to 200 characters.'],
  ['engawa:settle', 'input.idempotencyKey must not begin with "engawa:", which is kept for our own keys.'],
])('the idempotency key %j is refused', async (idempotencyKey, message) => {
  expect(await write({ idempotencyKey })).toEqual({
    data: { writeNote: null },
    errors: [{ message, code: 'BAD_INPUT', field: 'input.idempotencyKey' }],
  })
  expect(said).toEqual([])
})

test('text that cannot be stored is refused, naming its field', async () => {
  const message = 'input.idempotencyKey must not contain zero characters or halves of surrogate pairs.'
  expect(await write({ idempotencyKey: 'a\u0000b' })).toEqual({
    data: undefined,
    errors: [{ message, code: 'BAD_INPUT', field: 'input.idempotencyKey' }],
  })
  expect(said).toEqual([])
})

test('an expected failure is typed data with its facts', async () => {
  expect(await write({ points: 60 })).toMatchObject({
    data: {
      writeNote: {
        __typename: 'InsufficientPointsError',
        code: 'INSUFFICIENT_POINTS',
        message: 'This needs 60 points; the balance is 40.',
      },
    },
    errors: undefined,
  })
  expect(await write({ after: encodeId('Note', uuid) })).toMatchObject({
    data: {
      writeNote: { __typename: 'NotFoundError', code: 'NOT_FOUND', message: 'There is no such note.' },
    },
  })
})

test.each([
  [
    { points: 'x' },
    'input.points',
    'Points must be a whole number of points within 64 bits, as a decimal string or an integer.',
  ],
  [{ points: null }, 'input.points', 'Expected non-nullable type "Points!" not to be null.'],
  [{ text: undefined }, 'input.text', 'Field "text" of required type "String!" was not provided.'],
  [{ text: 7 }, 'input.text', 'String cannot represent a non string value.'],
  [{ txet: 'a' }, 'input.txet', 'Field "txet" is not defined by type "WriteNoteInput".'],
  [{ points: -3 }, 'input.points', 'input.points must be more than zero; it is -3.'],
  [{ after: 'nonsense' }, 'input.after', 'input.after must be an id that this API gave.'],
])('bad input %j names the field %s', async (input, field, message) => {
  const { errors } = await write(input)
  expect(errors).toEqual([{ message, code: 'BAD_INPUT', field }])
  expect(said).toEqual([])
})

test.each([
  ['points: "x"', 'input.points'],
  ['after: 1.5', 'input.after'],
  ['nope: 1', 'input.nope'],
])('a literal that is wrong (%s) names its field too', async (wrong, field) => {
  const query = `mutation { writeNote(input: { idempotencyKey: "k", text: "t", ${wrong.startsWith('points') ? '' : 'points: 1,'} ${wrong} }) { __typename } }`
  const caller = {
    viewer: aViewer('STAFF', ['*']),
    address: '',
    requestId: 'r1',
    mayMutate: true,
    mayStream: false,
  }

  const { errors } = (await sampleEngine().run({ query }, caller)) as Answer

  expect(errors?.map(({ extensions }) => extensions)).toEqual([
    expect.objectContaining({ code: 'BAD_INPUT', field }),
  ])
})

test.each([
  ['a member', aViewer('MEMBER'), 'FORBIDDEN', 'This needs a token with the scope notes:write.'],
  [
    'staff that only reads',
    aViewer('STAFF', ['notes:read']),
    'FORBIDDEN',
    'This needs a token with the scope notes:write.',
  ],
])('%s may not write', async (_who, viewer, code, message) => {
  expect(await write({}, viewer)).toEqual({
    data: { writeNote: null },
    errors: [{ message, code, field: undefined }],
  })
  expect(said).toEqual([])
})

test('a mutation that does not say what it needs and emits is not built', () => {
  const define = () =>
    mutation('doSomething', {
      description: 'Does something.',
      scopes: { signedIn: true },
      errors: [],
      input: () => ({}),
      resolve: () => ({}),
      payload: () => ({}),
    })
  expect(define).toThrow('doSomething: the description must end with "Needs: … Emits: …".')
})
