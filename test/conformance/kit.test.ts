import { seconds } from '@engawa/sdk'
import { ConformanceError, channelConformance } from '@engawa/sdk/conformance'
import { httpProvider } from '@engawa/sdk/fakes'
import { expect, test } from 'vitest'
import { type Acme, acme, input, outcomeOf, post, sound } from './acme.ts'

/** What the kit says of one law; undefined when it is kept. */
async function verdict(
  law: number,
  { parts = {}, told = {} }: { parts?: Partial<Acme>; told?: Partial<typeof input> } = {},
): Promise<ConformanceError | undefined> {
  const found = channelConformance(acme(parts), { ...input, ...told }).find(({ number }) => number === law)
  return found?.run().then(
    () => undefined,
    (error: unknown) => (error instanceof ConformanceError ? error : expect.fail(String(error))),
  )
}

const mode = (idempotency: object, reconcile?: Acme['reconcile']): Partial<Acme> => ({
  // Each case gives a whole one.
  capabilities: { ...sound.capabilities, idempotency } as Acme['capabilities'],
  ...(reconcile && { reconcile }),
})

test('an error names the law, what was expected and seen, and what to change', async () => {
  const error = await verdict(2, {
    told: { provider: () => httpProvider({ reply: () => ({ status: 500 }) }) },
  })
  expect(error).toMatchObject({
    law: 2,
    expected: 'a good configuration is found good',
    seen: 'check says no',
    change: expect.stringContaining('`reply` of httpProvider'),
  })
})

test.each([
  [1, { badConfigs: [] }, '`badConfigs` is empty'],
  [
    1,
    { config: ({ url }: { url: string }) => ({ url, token: 'long enough' }) },
    'config.schema refuses the `config`',
  ],
  [3, { address: 'nobody' }, 'address.schema refuses the `address`'],
  [5, { replies: [] }, '`replies` is empty'],
  [
    8,
    { config: ({ url }: { url: string }) => ({ url, token: 'the-one-token', secret: 'the-one-secret' }) },
    'two tenants the same secret',
  ],
  [
    13,
    {
      provider: undefined,
      config: { url: 'http://127.0.0.1:9', token: 'long enough', secret: 'long enough' },
    },
    'give `provider`',
  ],
  [12, { inbound: { ...input.inbound, suppressing: {} } }, 'give a body for it in `inbound.suppressing`'],
  [10, { inbound: undefined }, 'tell the kit what is posted'],
])('law %i cannot be judged by an input that says too little', async (law, told, said) => {
  const error = await verdict(law, { told: told as Partial<typeof input> }) // some leave out what is needed
  expect(error?.message).toMatch(/^Law \d+ cannot be judged/)
  expect(error?.seen).toContain(said)
})

test('a channel whose provider can be asked is asked, and must know what never came', async () => {
  const asked =
    (missing: 'later' | 'never'): Acme['reconcile'] =>
    async (ctx) => {
      const { status } = await ctx.fetch(`${ctx.config.url}/messages/${ctx.key}`)
      if (status === 200) return { is: 'accepted', at: ctx.clock.now() }
      return { is: 'refused', fault: { cause: 'provider', disposition: { do: missing } } }
    }
  const provider = async () => {
    const keys = new Set<string | null>()
    return httpProvider({
      reply: ({ method, path, headers }) => {
        if (method === 'POST') keys.add(headers.get('idempotency-key'))
        return method === 'POST' || keys.has(path.split('/').at(-1) ?? '') ? {} : { status: 404 }
      },
    })
  }
  const lookup = { mode: 'lookup', window: seconds(60) }
  expect(await verdict(7, { parts: mode(lookup, asked('later')), told: { provider } })).toBeUndefined()
  const blind = await verdict(7, { parts: mode(lookup, asked('never')), told: { provider } })
  expect(blind?.expected).toContain('a key that never came')
  const forgetful = await verdict(7, {
    parts: mode(lookup, asked('later')),
    told: { provider: httpProvider },
  })
  expect(forgetful?.seen).toBe('accepted')
  const deaf = await verdict(7, { parts: mode(lookup, async () => ({ is: 'unknown', evidence: 'reset' })) })
  expect(deaf?.expected).toContain('when reconcile asks for a key that the provider took')
})

test('what collapses must carry the same in its field, and another delivery something else', async () => {
  const collapse = mode({ mode: 'collapse', field: 'Topic' })
  const withTopic = (topic: (key: string) => string): Partial<Acme> => ({
    ...collapse,
    send: async (ctx, message) => outcomeOf(await post(ctx, message, { topic: topic(ctx.key) }), ctx),
  })
  expect(await verdict(6, { parts: withTopic((key) => key) })).toBeUndefined()
  expect(await verdict(7, { parts: withTopic((key) => key) })).toBeUndefined()
  expect((await verdict(6, { parts: collapse }))?.seen).toBe('2 effects')
  expect((await verdict(6, { parts: withTopic(() => 'all') }))?.expected).toBe('two effects of two keys')
})

test('without idempotency law 6 does not apply, and one call of send has one effect', async () => {
  const none = mode({ mode: 'none' })
  const six = channelConformance(acme(none), input)[5]
  expect(six?.skip).toMatch(/^its idempotency is none/)
  expect(await verdict(7, { parts: none })).toBeUndefined()
  const twice: Partial<Acme> = {
    ...none,
    async send(ctx, message) {
      await post(ctx, message)
      return sound.send(ctx, message)
    },
  }
  expect((await verdict(7, { parts: twice }))?.seen).toBe('2 effects of 1 deliveries')
})

test('capabilities that follow from the configuration are those of the law’s own tenant', async () => {
  const parts: Partial<Acme> = { capabilities: () => Object(sound.capabilities) }
  for (const law of [3, 6, 7, 11, 12]) expect(await verdict(law, { parts })).toBeUndefined()
})

test('a redirect that a channel follows by itself is not accepted', async () => {
  const parts: Partial<Acme> = {
    async send(ctx, message) {
      const response = await post(ctx, message)
      const location = response.headers.get('location')
      return outcomeOf(location === null ? response : await fetch(location), ctx)
    },
  }
  expect((await verdict(13, { parts }))?.expected).toContain(
    'a redirect to a private address is not followed',
  )
})

test('prepare may not change what it is given, and must give the same twice', async () => {
  const preparing = (prepare: Acme['content']['prepare']) => ({ content: { ...sound.content, prepare } })
  const changing = preparing((content, to, message) => {
    Object.assign(content, { title: 'mine' })
    return sound.content.prepare(content, to, message)
  })
  expect((await verdict(3, { parts: changing }))?.seen).toBe('one of them is changed')
  let count = 0
  const counting = preparing(({ title }, to, message) =>
    sound.content.prepare({ title, body: String(count++) }, to, message),
  )
  expect((await verdict(3, { parts: counting }))?.seen).toBe('two different results')
})

test('the kit leaves clock, chance and console as they were', async () => {
  const own = [Date, Math.random, performance.now, crypto.randomUUID, fetch, console.log]
  for (const law of [1, 3, 13]) await verdict(law)
  expect([Date, Math.random, performance.now, crypto.randomUUID, fetch, console.log]).toEqual(own)
  expect(Object.hasOwn(performance, 'now') || Object.hasOwn(crypto, 'randomUUID')).toBe(false)
})

test('contents at the limit and over it are held to what they are said to be', async () => {
  const body = 'x'.repeat(100)
  expect(
    await verdict(3, { told: { fits: [{ title: '', body }], tooLarge: [{ title: '', body: `${body}x` }] } }),
  ).toBe(undefined)
  expect((await verdict(3, { told: { tooLarge: [{ title: '', body }] } }))?.seen).toBe(
    'taken, with size 100, for tooLarge[0]',
  )
})

test('a configuration may ask for TLS, which the kit leaves out on the way to the fake', async () => {
  const config: typeof input.config = ({ host }, tenant) => ({
    ...{ url: `https://${host}`, token: `token-of-tenant-${tenant}`, secret: `secret-of-${tenant}` },
  })
  for (const law of [2, 4, 5, 13]) expect(await verdict(law, { told: { config } })).toBeUndefined()
})
