import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import type { Answer, EngineOptions } from '../../api/graph/engine.ts'
import { aViewer, faults, sampleContext, sampleEngine } from './sample-server.ts'

beforeEach(() => {
  faults.length = 0
})

async function run(query: string, options: Partial<EngineOptions> = {}) {
  const caller = {
    viewer: aViewer('STAFF', ['*']),
    address: '',
    requestId: 'r-7',
    mayMutate: true,
    mayStream: false,
  }
  return (await sampleEngine(options).run({ query }, caller)) as Answer
}

/** An engine whose context cannot be made. */
const failing = (error: unknown): Partial<EngineOptions> => ({
  context: () => {
    throw error
  },
})

test('a fault of ours tells the caller the request id, and the log everything, once', async () => {
  const { data, errors } = await run('{ fault hello }')

  expect(data).toEqual({ fault: null, hello: 'Hello world.' })
  expect(errors?.map((error) => error.toJSON())).toEqual([
    {
      message: 'Something went wrong on our side. Please name the request r-7 when you report it.',
      locations: [{ line: 1, column: 3 }],
      path: ['fault'],
      extensions: { code: 'INTERNAL', requestId: 'r-7' },
    },
  ])
  expect(JSON.stringify(errors)).not.toContain('swordfish')
  expect(faults).toEqual([
    { error: new Error('the password of the database is swordfish'), requestId: 'r-7', path: 'fault' },
  ])
})

test('what is expected is not logged', async () => {
  await run('{ locked nope }')
  await run('{ locked }')
  await run('{')
  expect(faults).toEqual([])
})

test.each([
  ['ECONNREFUSED', 'UNAVAILABLE'],
  ['57P01', 'UNAVAILABLE'],
  ['08006', 'UNAVAILABLE'],
  ['53300', 'UNAVAILABLE'],
  ['57014', 'TOO_COSTLY'],
  ['23505', 'INTERNAL'],
])('the database failing with %s is %s', async (code, expected) => {
  const { errors } = await run('{ hello }', failing(Object.assign(new Error('secret'), { code })))

  expect(errors?.map(({ extensions }) => extensions.code)).toEqual([expected])
  expect(JSON.stringify(errors)).not.toContain('secret')
  expect(faults.length).toBe(1)
})

test('text that the database cannot store is bad input, and no fault', async () => {
  const { errors } = await run('{ hello }', failing(Object.assign(new Error('secret'), { code: '22021' })))

  expect(errors?.map(({ extensions }) => extensions)).toMatchObject([{ code: 'BAD_INPUT', field: 'input' }])
  expect(faults).toEqual([])
})

test('something thrown that is no error is a fault as well', async () => {
  expect((await run('{ hello }', failing('boom'))).errors?.[0]?.extensions.code).toBe('INTERNAL')
  expect((await run('{ hello }', failing(undefined))).errors?.[0]?.extensions.code).toBe('INTERNAL')
})

test('asOf is read before anything else is', async () => {
  const order: string[] = []
  const context: EngineOptions['context'] = (viewer, requestId) => ({
    ...sampleContext(viewer, requestId),
    get viewer() {
      order.push('a resolver or the engine looked at the viewer')
      return viewer && { ...viewer, memberId: null }
    },
    asOf: async () => {
      await sleep(5)
      order.push('asOf')
      return 'place'
    },
  })

  await run('{ signedIn ... on Query { asOf } }', { context })

  expect(order.indexOf('asOf')).toBe(1)
  expect(order.length).toBeGreaterThan(2)
})
