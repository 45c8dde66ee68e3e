// What providers post: proven, taken once and whole, and whoever is not the provider learns nothing.
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { testApp } from '../support/app.ts'
import { onServer } from '../support/server.ts'
import type { Shop } from '../support/shop.ts'
import { acmeSignature, withAcme } from './acme.ts'

const deployment = withAcme()
const lines: string[] = []
const open = testApp({
  role: 'web',
  deployment: {
    plugins: { ...deployment.plugins, '@engawa/channel-line': () => import('@engawa/channel-line') },
  },
  onLog: (line) => lines.push(line),
})
const token = 'canary-token'

async function openAcme(): Promise<Shop> {
  const shop = await open()
  await configure(shop, { token })
  return shop
}

async function configure(shop: Shop, secrets: object): Promise<void> {
  const config = { url: 'https://acme.example', ...secrets }
  const select = 'channel { isConfigured }'
  const { channel } = await shop.do('configureChannel', { channel: 'acme', config }, { select })
  expect(channel).toEqual({ isConfigured: true })
}

interface Post {
  readonly channel?: string
  readonly tenant?: string
  readonly path?: string
  readonly signature?: string | null
  readonly header?: string
}

function post(shop: Shop, body: string, given: Post = {}): Promise<Response> {
  const { channel = 'acme', tenant = shop.tenant.key, path = '/callback', header = 'x-signature' } = given
  const { signature = acmeSignature(body, token) } = given
  const headers = signature === null ? {} : { [header]: signature }
  return fetch(new URL(`/inbound/${tenant}/${channel}${path}`, shop.url), { method: 'POST', body, headers })
}

const signal = (dedupeKey: string, more: object = {}) => ({
  ...{ kind: 'addressGone', dedupeKey, occurredAt: '2026-04-01T00:00:00Z' },
  ...{ about: { address: 'Hana@Example.com' }, raw: { event: 'gone' } },
  ...more,
})
const bodyOf = (...signals: object[]) => JSON.stringify({ signals })

async function rowsOf(shop: Shop, table: 'signal' | 'suppression'): Promise<Record<string, unknown>[]> {
  const { rows } = await onServer(shop.ground.databaseUrl, (client) =>
    client.query(`select * from ${table} where tenant_id = $1 order by id`, [shop.tenant.id]),
  )
  return rows
}

test('what is proven is taken, and its repetition changes nothing', async () => {
  const shop = await openAcme()
  const body = bodyOf(signal('e-1'), signal('e-2', { kind: 'deferred' }), signal('e-1'))
  for (let n = 0; n < 3; n++) {
    const response = await post(shop, body)
    expect([response.status, await response.text()]).toEqual([200, ''])
  }
  expect(await rowsOf(shop, 'signal')).toMatchObject([
    { dedupe_key: 'e-1', kind: 'addressGone', effects: ['SUPPRESSED'], raw: { event: 'gone' } },
    { dedupe_key: 'e-2', kind: 'deferred', effects: [] },
  ])
  expect(await rowsOf(shop, 'suppression')).toMatchObject([
    { reason: 'GONE', scope: 'ADDRESS', kind: 'acme' },
  ])
})

test('a flipped bit, another spelling of the body, another secret or none: refused without a word', async () => {
  const shop = await openAcme()
  const body = bodyOf(signal('e-1'))
  const good = acmeSignature(body, token)
  const respelt = JSON.stringify(JSON.parse(body), null, 1)
  const refused = [
    post(shop, body, { signature: `${good.startsWith('A') ? 'B' : 'A'}${good.slice(1)}` }),
    post(shop, respelt, { signature: good }),
    post(shop, body, { signature: acmeSignature(body, 'canary-tokem') }),
    post(shop, body, { signature: null }),
    post(shop, body, { signature: '' }),
  ]
  for (const response of await Promise.all(refused)) {
    expect([response.status, await response.text()]).toEqual([401, ''])
  }
  expect(await rowsOf(shop, 'signal')).toEqual([])
})

test('a handshake is answered, and has no effect', async () => {
  const shop = await openAcme()
  const response = await post(shop, JSON.stringify({ challenge: 'abc', signals: [signal('e-1')] }))
  expect([response.status, await response.text()]).toEqual([200, 'abc'])
  expect(await rowsOf(shop, 'signal')).toEqual([])
})

test('a secret that is being changed: both are good, the new one at once', async () => {
  const shop = await openAcme()
  expect((await post(shop, bodyOf(signal('e-1')))).status).toBe(200)
  await configure(shop, { token: 'canary-newer', oldToken: token })
  for (const [key, by] of [
    ['e-2', 'canary-newer'],
    ['e-3', token],
  ] as const) {
    const body = bodyOf(signal(key))
    expect((await post(shop, body, { signature: acmeSignature(body, by) })).status).toBe(200)
  }
  expect(await rowsOf(shop, 'signal')).toHaveLength(3)
})

test('there is nothing where no tenant, no channel or no provider is', async () => {
  const [shop, other] = [await openAcme(), await open()]
  const body = bodyOf(signal('e-1'))
  for (const at of [
    { tenant: 'nobody' },
    { tenant: other.tenant.key },
    { channel: 'fax' },
    { channel: 'inbox', path: '' },
    { path: '' },
    { path: '/callback/more' },
    { path: '/other' },
  ]) {
    const response = await post(shop, body, at)
    expect([at, response.status, await response.text()]).toEqual([at, 404, ''])
  }
  expect(await rowsOf(shop, 'signal')).toEqual([])
  expect(await rowsOf(other, 'signal')).toEqual([])
})

test('one tenant’s signature counts for it alone', async () => {
  const [shop, other] = [await openAcme(), await open()]
  await configure(other, { token: 'another-token' })
  expect((await post(shop, bodyOf(signal('e-1')), { tenant: other.tenant.key })).status).toBe(401)
  expect(await rowsOf(other, 'signal')).toEqual([])
})

test('more than a megabyte is refused by its size', async () => {
  const shop = await openAcme()
  const response = await post(shop, bodyOf(signal('e-1', { raw: 'x'.repeat(1_100_000) })))
  expect(response.status).toBe(413)
})

test('a plugin that cannot read what is proven is named, without a word of it, and asked again later', async () => {
  const shop = await openAcme()
  expect((await post(shop, '{"signals": "canary"}')).status).toBe(500)
  const [line = ''] = lines.filter((each) => each.includes('A plugin could not read a request.'))
  expect(JSON.parse(line)).toMatchObject({
    channel: 'acme',
    call: 'parse',
    why: 'The plugin threw TypeError.',
  })
  expect(line).not.toContain('canary')
})

test('what is no signal is left out, and the rest is taken', async () => {
  const shop = await openAcme()
  const bad = [
    signal('', {}),
    signal('b-1', { kind: 'danced' }),
    signal('b-2', { occurredAt: 'yesterday' }),
    signal('b-3', { about: {} }),
    signal('x'.repeat(501)),
  ]
  expect((await post(shop, bodyOf(...bad, signal('good')))).status).toBe(200)
  expect(await rowsOf(shop, 'signal')).toMatchObject([{ dedupe_key: 'good' }])
  expect(lines.find((line) => line.includes('what is no signal'))).toContain('"left":5')
})

test('secrets that cannot be opened are no reason to lose anything: the provider comes again', async () => {
  const shop = await openAcme()
  await onServer(shop.ground.databaseUrl, (client) =>
    client.query(`update channel_setting set key_id = 'another' where tenant_id = $1`, [shop.tenant.id]),
  )
  const response = await post(shop, bodyOf(signal('e-1')))
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '60'])
})

test('three hundred bad requests ask the database next to nothing', async () => {
  const shop = await openAcme()
  const before = shop.ground.statements.length
  const responses = await Promise.all(
    Array.from({ length: 300 }, (_, n) => post(shop, bodyOf(signal(`e-${n}`)), { signature: 'AAAA' })),
  )
  expect(responses.every(({ status }) => status === 401)).toBe(true)
  expect(shop.ground.statements.length - before).toBeLessThan(40)
})

const user = `U${'0123456789abcdef'.repeat(2)}`

test('a hundred callbacks of LINE, repeated, reordered, tampered with and late, have one effect', async () => {
  const shop = await open()
  const config = { channelAccessToken: 'canary-access-token', channelSecret: 'canary-secret' }
  const { channel } = await shop.do(
    'configureChannel',
    { channel: 'line', config },
    { select: 'channel { isConfigured }' },
  )
  expect(channel).toEqual({ isConfigured: true })
  const event = (type: string, at: number) => ({
    ...{ type, webhookEventId: `01HX-${type}-${at}`, timestamp: 1_775_001_600_000 + at, mode: 'active' },
    ...{ source: { type: 'user', userId: user }, deliveryContext: { isRedelivery: at % 2 === 0 } },
  })
  const sent = await Promise.all(
    Array.from({ length: 100 }, (_, n) => {
      const events = [event('unfollow', 2), event('follow', 1)]
      const body = JSON.stringify({ destination: 'Ubot', events: n % 2 === 0 ? events : events.reverse() })
      const signature = createHmac('sha256', 'canary-secret').update(body).digest('base64')
      const isBad = n % 5 === 0
      return post(shop, isBad ? body.replace('unfollow', 'unfriend') : body, {
        ...{ channel: 'line', header: 'x-line-signature', signature },
      })
    }),
  )
  const statuses = sent.map(({ status }) => status)
  expect([
    statuses.filter((status) => status === 200).length,
    statuses.filter((status) => status === 401).length,
  ]).toEqual([80, 20])
  expect(await rowsOf(shop, 'signal')).toHaveLength(2)
  expect(await rowsOf(shop, 'suppression')).toMatchObject([{ reason: 'BLOCKED', lifted_at: null }])
})
