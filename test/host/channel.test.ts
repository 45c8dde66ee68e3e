import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Writable } from 'node:stream'
import { defineChannel, deliveryKey, type Outcome, type Schema, type SendContext, seconds } from '@engawa/sdk'
import { expect, onTestFinished, test } from 'vitest'
import type { Attempt, OpenChannel } from '../../api/domains/channels/index.ts'
import { loadChannels } from '../../api/host/index.ts'
import { processClock } from '../../api/platform/clock.ts'
import { openEgress } from '../../api/platform/egress.ts'
import { openLog } from '../../api/platform/log.ts'

interface Config {
  readonly url: string
  readonly token: string
}
const config: Schema<Config> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const { url, token } = Object(value)
      if (typeof token === 'string') return { value: { url: String(url), token } }
      return { issues: [{ message: 'must be a text, not canary-0417', path: ['token'] }] }
    },
  },
}
const text: Schema<string> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof value === 'string' ? { value } : { issues: [{ message: 'must be a text' }] },
  },
}
const attempt: Attempt = {
  key: deliveryKey('0197a1b2-0000-7000-8000-000000000001'),
  attempt: 3,
  locale: 'ja',
  timeZone: 'Asia/Tokyo',
  withinMs: 2_000,
  now: () => new Date('2026-04-01T00:00:00Z'),
}

type Send = (ctx: SendContext<Config>, body: string) => Promise<Outcome>

async function host(send: Send, options: { saved?: (tenant: string) => object; allow?: string[] } = {}) {
  const lines: string[] = []
  const destination = new Writable({
    write(line, _encoding, done) {
      lines.push(String(line))
      done()
    },
  })
  const channel = defineChannel<Config, 'token', string, string, string>({
    id: 'acme',
    sdk: '^0.1',
    kind: 'acme',
    capabilities: ({ url }) => ({ idempotency: { mode: 'collapse', field: url }, receipts: [], limits: {} }),
    config: { schema: config, version: 1, secrets: ['token'], check: async () => ({ ok: true }) },
    address: { schema: text, normalise: (address) => address.toLowerCase(), identity: (address) => address },
    content: {
      schema: text,
      prepare: (content, address) => ({ ok: true, prepared: `${address}:${content}`, size: content.length }),
    },
    send,
  })
  const channels = await loadChannels(
    { plugins: { acme: async () => ({ default: channel }) } },
    {
      egress: openEgress({ allow: options.allow ?? [] }),
      clock: processClock,
      log: openLog({ level: 'info', destination }),
      settings: async (tenant) => ({
        version: 1,
        config: { token: 'canary-0417', ...options.saved?.(tenant) },
      }),
    },
  )
  const opened = (tenant: string) => channels.get('acme')?.open(tenant) ?? expect.fail('no channel')
  return { lines, opened }
}

async function sent(send: Send, options?: Parameters<typeof host>[1], as: Attempt = attempt) {
  const { lines, opened } = await host(send, options)
  const channel = await opened('t-1')
  if (!channel.ok) return expect.fail('it did not open')
  return { lines, outcome: await sendWith(channel.channel, as) }
}

async function sendWith(channel: OpenChannel, as: Attempt): Promise<Outcome> {
  const preparation = await channel.prepare('hello', 'Taro@Example.com', as)
  return preparation.ok ? channel.send(as, preparation.prepared) : expect.fail('it was not prepared')
}

test('a plugin gets its configuration, the key, the attempt, the member’s place and the tenant’s clock', async () => {
  let seen: object = {}
  await sent(async (ctx, body) => {
    seen = { ...ctx, now: ctx.clock.now(), body }
    return { is: 'accepted', at: ctx.clock.now() }
  })
  expect(seen).toMatchObject({
    config: { token: 'canary-0417' },
    key: attempt.key,
    attempt: 3,
    locale: 'ja',
    timeZone: 'Asia/Tokyo',
    now: new Date('2026-04-01T00:00:00Z'),
    body: 'taro@example.com:hello',
  })
})

test('a configuration that the plugin’s schema refuses holds what is to be sent, and shows no value', async () => {
  const { opened } = await host(async () => expect.fail('it was sent'), { saved: () => ({ token: 7 }) })
  expect(await opened('t-1')).toEqual({
    ok: false,
    fault: {
      cause: 'config',
      disposition: { do: 'hold' },
      code: 'BAD_CONFIG',
      detail: 'Not as it should be: token.',
    },
  })
})

test('capabilities may follow from the configuration', async () => {
  const { opened } = await host(async () => expect.fail('it was sent'), {
    saved: () => ({ url: 'x', token: 't' }),
  })
  expect(await opened('t-1')).toMatchObject({ channel: { capabilities: { idempotency: { field: 'x' } } } })
})

test('content and addresses that the plugin does not take are refused for good', async () => {
  const { opened } = await host(async () => expect.fail('it was sent'))
  const channel = await opened('t-1')
  if (!channel.ok) return expect.fail('it did not open')
  for (const [content, address, cause] of [
    [7, 'a', 'content'],
    ['a', 7, 'address'],
  ]) {
    expect(await channel.channel.prepare(content, address, attempt)).toMatchObject({
      ok: false,
      fault: { cause, disposition: { do: 'never' } },
    })
  }
})

test('the log of a plugin hashes the address and leaves secrets out, wherever they stand', async () => {
  const { lines } = await sent(async (ctx) => {
    ctx.log('sending to taro@example.com', { 'taro@example.com': [{ header: `Bearer ${ctx.config.token}` }] })
    return { is: 'accepted', at: ctx.clock.now() }
  })
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('address:')
  expect(lines[0]).toContain('Bearer [redacted]')
  expect(lines.join()).not.toMatch(/taro|canary/)
})

test('what a plugin throws is unknown, and its message goes nowhere', async () => {
  const { outcome, lines } = await sent(async () => {
    throw new RangeError('taro@example.com has canary-0417')
  })
  expect(outcome).toEqual({ is: 'unknown', evidence: 'crash', detail: 'The plugin threw RangeError.' })
  expect(lines.join()).not.toMatch(/taro|canary/)
})

test('an answer that is none of the three is unknown', async () => {
  const wrong = [undefined, {}, { is: 'sent' }, { is: 'accepted' }, { is: 'refused', fault: {} }]
  for (const answer of wrong) {
    const { outcome } = await sent(async () => answer as never)
    expect(outcome).toEqual({ is: 'unknown', evidence: 'crash', detail: 'The plugin gave no outcome.' })
  }
})

test('a plugin that never answers is aborted at the deadline, and the outcome is unknown', async () => {
  let isAborted = false
  const { outcome } = await sent(
    (ctx) =>
      new Promise(() => {
        ctx.signal.addEventListener('abort', () => {
          isAborted = true
        })
      }),
    {},
    { ...attempt, withinMs: 30 },
  )
  expect(outcome).toEqual({ is: 'unknown', evidence: 'timeout' })
  expect(isAborted).toBe(true)
})

test('fetch reaches no private address: the delivery is refused by policy', async () => {
  for (const url of ['https://127.0.0.1/', 'https://169.254.169.254/latest', 'http://example.com/']) {
    const { outcome } = await sent(async (ctx) => {
      await ctx.fetch(url)
      return expect.fail('it was reached')
    })
    expect(outcome).toMatchObject({ is: 'refused', fault: { cause: 'policy', disposition: { do: 'never' } } })
  }
})

test('fetch carries method, headers and body to a host that the operator allows', async () => {
  const server = createServer(async (request, response) => {
    const body = (await request.toArray()).join('')
    response.end(JSON.stringify({ method: request.method, key: request.headers['x-key'], body }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.close()
  })
  const { port } = server.address() as AddressInfo
  let echoed: unknown
  const { outcome } = await sent(
    async (ctx, body) => {
      const headers = { 'x-key': ctx.key }
      const response = await ctx.fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body })
      echoed = await response.json()
      return { is: 'accepted', at: ctx.clock.now() }
    },
    { allow: [`127.0.0.1:${port}`] },
  )
  expect(outcome.is).toBe('accepted')
  expect(echoed).toEqual({ method: 'POST', key: attempt.key, body: 'taro@example.com:hello' })
})

test('a provider that cannot be reached is tried later; one that breaks off leaves it unknown', async () => {
  const server = createServer((request) => request.socket.destroy())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const call: Send = async (ctx) => {
    await ctx.fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'x' })
    return expect.fail('it answered')
  }
  const allow = [`127.0.0.1:${port}`]
  expect((await sent(call, { allow })).outcome).toMatchObject({ is: 'unknown', evidence: 'reset' })
  server.close()
  await once(server, 'close')
  expect((await sent(call, { allow })).outcome).toMatchObject({
    is: 'refused',
    fault: { cause: 'network', disposition: { do: 'later' } },
  })
})

test('a hundred sends at once with different configurations share nothing', async () => {
  const { opened } = await host(
    async (ctx) => {
      await Promise.resolve()
      return { is: 'accepted', at: ctx.clock.now(), providerId: ctx.config.token }
    },
    { saved: (tenant) => ({ token: `token of ${tenant}` }) },
  )
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, async (_, n) => {
      const channel = await opened(`t-${n}`)
      return channel.ok ? sendWith(channel.channel, attempt) : expect.fail('it did not open')
    }),
  )
  const tokens = outcomes.map((outcome) => outcome.is === 'accepted' && outcome.providerId)
  expect(tokens).toEqual(Array.from({ length: 100 }, (_, n) => `token of t-${n}`))
})

test('the cache is the tenant’s own, and forgets in time', async () => {
  const read: (string | undefined)[] = []
  const { opened } = await host(async (ctx) => {
    read.push(await ctx.cache.get('k'), await ctx.cache.get('short'))
    await ctx.cache.set('k', 'v', seconds(60))
    await ctx.cache.set('short', 'v', seconds(0))
    return { is: 'accepted', at: ctx.clock.now() }
  })
  for (const tenant of ['t-1', 't-2', 't-1']) {
    const channel = await opened(tenant)
    if (channel.ok) await sendWith(channel.channel, attempt)
  }
  expect(read).toEqual([undefined, undefined, undefined, undefined, 'v', undefined])
})
