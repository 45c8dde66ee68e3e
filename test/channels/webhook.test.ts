import webhook from '@engawa/channel-webhook'
import type { Message, SendContext } from '@engawa/sdk'
import { type HttpReply, webhookReceiver } from '@engawa/sdk/fakes'
import { webhookSecret } from '@engawa/sdk/webhooks'
import { expect, onTestFinished, test } from 'vitest'
import { encodeId } from '../../api/graph/ids.ts'
import { openEgress } from '../../api/platform/egress.ts'
import { context, key, now } from './provider.ts'

type Config = Parameters<typeof webhook.send>[0]['config']
const member = '0197a1b2-0000-7000-8000-0000000000ff'
const message: Message = { key, locale: 'ja' }
const said = { title: '入荷', body: '豆が届きました。' }
const [secret, oldSecret] = [webhookSecret(), webhookSecret()]

function prepared(content: object, told: Partial<Message> = {}) {
  const read = webhook.content.schema['~standard'].validate(content)
  if (read instanceof Promise || read.issues) return expect.fail(JSON.stringify(read))
  return webhook.content.prepare(read.value, member, { ...message, ...told })
}

async function receiver(known: readonly string[], ...replies: readonly HttpReply[]) {
  const started = await webhookReceiver({ secrets: known, now: () => now })
  onTestFinished(() => started.close())
  started.next(...replies)
  return started
}

function send(
  config: Config,
  told: Partial<SendContext<Config>> = {},
  preparation = prepared(said),
): Promise<unknown> {
  if (!preparation.ok) return expect.fail('it was not prepared')
  return webhook.send(context(config, told), preparation.prepared)
}

test('a touch is posted with all it says, signed, under the key of the delivery', async () => {
  const { url, webhooks } = await receiver([secret])
  const content = { ...said, html: '<p>豆</p>', url: 'https://shop.example/beans', data: { sku: 'beans' } }
  const expiresAt = new Date('2026-05-01T00:00:00Z')
  const preparation = prepared(content, { expiresAt, unsubscribeUrl: 'https://shop.example/u' })
  expect(await send({ url, secret }, {}, preparation)).toEqual({ is: 'accepted', at: now })
  expect(webhooks.map(({ id, body }) => [id, JSON.parse(body)])).toEqual([
    [
      key,
      {
        type: 'touchpoint',
        timestamp: now.toISOString(),
        data: {
          ...{ member: encodeId('Member', member), key, locale: 'ja', ...content },
          ...{ expiresAt: expiresAt.toISOString(), unsubscribeUrl: 'https://shop.example/u' },
        },
      },
    ],
  ])
})

test('while the secret is changed, whoever knows either of the two takes it', async () => {
  for (const known of [secret, oldSecret]) {
    const { url, webhooks } = await receiver([known])
    await send({ url, secret, previousSecret: oldSecret })
    expect(webhooks).toHaveLength(1)
  }
})

test('a second attempt has the same id, and is taken once', async () => {
  const { url, webhooks, requests } = await receiver([secret])
  await send({ url, secret }, { attempt: 1 })
  expect(await send({ url, secret }, { attempt: 2 })).toMatchObject({ is: 'accepted' })
  expect([requests.length, webhooks.length]).toEqual([2, 1])
})

const refused = (cause: string, disposition: object) => ({
  is: 'refused',
  fault: {
    cause,
    disposition,
    code: expect.any(String),
    detail: expect.stringMatching(/^The address answered \d+$/),
  },
})
const later = (notBefore?: string) => ({ do: 'later', ...(notBefore && { notBefore: new Date(notBefore) }) })

test.each<[string, HttpReply, object]>([
  ['202', { status: 202 }, { is: 'accepted', at: now }],
  [
    '301',
    { status: 301, headers: { location: 'https://elsewhere.example/' } },
    refused('config', { do: 'hold' }),
  ],
  ['410', { status: 410 }, refused('config', { do: 'hold' })],
  ['400', { status: 400 }, refused('content', { do: 'never' })],
  ['401', { status: 401 }, refused('content', { do: 'never' })],
  ['429', { status: 429 }, refused('rate', later())],
  [
    '429, in a minute',
    { status: 429, headers: { 'retry-after': '60' } },
    refused('rate', later('2026-04-30T15:00:00Z')),
  ],
  ['502', { status: 502 }, refused('provider', later())],
  ['504', { status: 504 }, refused('provider', later())],
  [
    '503, at a time',
    { status: 503, headers: { 'retry-after': 'Thu, 30 Apr 2026 15:30:00 GMT' } },
    refused('provider', later('2026-04-30T15:30:00Z')),
  ],
  ['500', { status: 500 }, { is: 'unknown', evidence: 'server-error', detail: 'The address answered 500' }],
])('%s', async (_, reply, outcome) => {
  const { url } = await receiver([secret], reply)
  expect(await send({ url, secret })).toEqual(outcome)
})

test('a body of 20,000 bytes passes, one more is refused for good', async () => {
  const ofSize = (bytes: number) => {
    const bare = prepared({ title: '', body: 'x' })
    if (!bare.ok) return expect.fail('it was not prepared')
    return prepared({ title: '', body: 'x'.repeat(bytes - bare.size + 1) })
  }
  const { url, requests } = await receiver([secret])
  expect(ofSize(20_000)).toMatchObject({ ok: true, size: 20_000 })
  await send({ url, secret }, {}, ofSize(20_000))
  expect(requests[0]?.body.length).toBe(20_000)
  const fault = { cause: 'content', disposition: { do: 'never' }, detail: '20001 of 20000 bytes' }
  expect(ofSize(20_001)).toEqual({ ok: false, fault })
})

test.each([
  [{ url: 'ftp://shop.example/', secret }, 'url'],
  [{ url: 'nowhere', secret }, 'url'],
  [{ url: 'https://shop.example/', secret: 'whsec_dG9vIHNob3J0' }, 'secret'],
  [{ url: 'https://shop.example/', secret, previousSecret: 'x' }, 'previousSecret'],
])('%j is a bad configuration at %s', (config, path) => {
  const read = webhook.config.schema['~standard'].validate(config)
  expect(read).toMatchObject({ issues: [{ path: [path] }] })
})

test('a check opens a connection and sends nothing', async () => {
  const { url, host, requests } = await receiver([secret])
  const { connect } = openEgress({ allow: [host] })
  const told = { connect: (target: Parameters<typeof connect>[0]) => connect(target, { timeoutMs: 1_000 }) }
  const notes = ['Touches go to the address unencrypted.']
  expect(await webhook.config.check(context({ url, secret }, told))).toEqual({ ok: true, notes })
  expect(requests).toEqual([])
  const away = await webhook.config.check(context({ url: 'http://127.0.0.1:9/', secret }, told))
  expect(away).toMatchObject({ ok: false, fault: { cause: 'network', disposition: { do: 'hold' } } })
})
