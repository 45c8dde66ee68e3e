import line from '@engawa/channel-line'
import type { Message, SendContext } from '@engawa/sdk'
import type { HttpReply } from '@engawa/sdk/fakes'
import { expect, test } from 'vitest'
import { context, key, now, provider } from './provider.ts'

const user = `U${'0123456789abcdef'.repeat(2)}`
const message: Message = { key, locale: 'ja' }
const accepted: HttpReply = { status: 200, body: '{"sentMessages":[{"id":"461230966842064897"}]}' }

type Config = Parameters<typeof line.send>[0]['config']
const configOf = (baseUrl: string): Config => ({
  baseUrl,
  channelAccessToken: 'token-1',
  channelSecret: 'secret-1',
})

function prepared(content: { title: string; body: string; url?: string; data?: unknown }) {
  const read = line.content.schema['~standard'].validate(content)
  if (read instanceof Promise || read.issues) return expect.fail(JSON.stringify(read))
  return line.content.prepare(read.value, user, message)
}

async function sent(scripts: HttpReply[], told: Partial<SendContext<Config>> = {}) {
  const { url, requests } = await provider(...scripts)
  const preparation = prepared({ title: '入荷', body: '豆が届きました。' })
  if (!preparation.ok) return expect.fail('it was not prepared')
  const ctx = context(configOf(url), told)
  const sending = line.send(ctx, preparation.prepared)
  return { requests, outcome: await sending.catch((error: unknown) => error) }
}

test('a push carries the delivery’s key as its retry key from the first request on', async () => {
  const { requests, outcome } = await sent([accepted])
  expect(outcome).toEqual({ is: 'accepted', at: now, providerId: '461230966842064897' })
  expect(requests).toHaveLength(1)
  const { method, path, headers, text } = requests[0] ?? expect.fail('nothing came')
  expect([method, path]).toEqual(['POST', '/v2/bot/message/push'])
  expect(headers.get('x-line-retry-key')).toBe(key)
  expect(headers.get('authorization')).toBe('Bearer token-1')
  expect(JSON.parse(text)).toEqual({
    to: user,
    messages: [{ type: 'text', text: '入荷\n豆が届きました。' }],
  })
})

const quota = '{"message":"You have reached your monthly limit."}'
const rate = '{"message":"The API rate limit has been exceeded. Try again later."}'
const noUser = `{"message":"The property, 'to', in the request body is invalid (line: -, column: -)"}`
const badText =
  '{"message":"The request body has 1 error(s)","details":[{"message":"…","property":"messages[0].text"}]}'
const refused = (cause: string, disposition: object, more: object = {}) => ({
  is: 'refused',
  fault: { cause, disposition, detail: expect.stringMatching(/^LINE answered \d+/), ...more },
})
const later = (notBefore: string) => ({ do: 'later', notBefore: new Date(notBefore) })

test.each<[string, HttpReply, object]>([
  ['200', accepted, { is: 'accepted', at: now, providerId: '461230966842064897' }],
  ['202 without a body', { status: 202 }, { is: 'accepted', at: now }],
  [
    '409, accepted before',
    { ...accepted, status: 409 },
    { is: 'accepted', at: now, replay: true, providerId: '461230966842064897' },
  ],
  [
    '400 for content',
    { status: 400, body: badText },
    refused('content', { do: 'never' }, { code: '400', detail: 'LINE answered 400, about messages[0].text' }),
  ],
  [
    '400 for the user',
    { status: 400, body: noUser },
    refused('address', { do: 'elsewhere' }, { suppress: { scope: 'address' }, code: '400' }),
  ],
  [
    '400 for whom it cannot reach',
    { status: 400, body: '{"message":"Failed to send messages"}' },
    refused('address', { do: 'elsewhere' }, { code: '400' }),
  ],
  ['401', { status: 401 }, refused('auth', { do: 'hold' }, { code: '401' })],
  ['403', { status: 403 }, refused('auth', { do: 'hold' }, { code: '403' })],
  ['404', { status: 404 }, refused('content', { do: 'never' }, { code: '404' })],
  ['413', { status: 413 }, refused('content', { do: 'never' }, { code: '413' })],
  ['429 for the pace', { status: 429, body: rate }, refused('rate', { do: 'later' }, { code: '429' })],
  [
    '429 with seconds',
    { status: 429, body: rate, headers: { 'retry-after': '60' } },
    refused('rate', later('2026-04-30T15:00:00Z'), { code: '429' }),
  ],
  [
    '429 with a date',
    { status: 429, headers: { 'retry-after': 'Thu, 30 Apr 2026 15:10:00 GMT' } },
    refused('rate', later('2026-04-30T15:10:00Z'), { code: '429' }),
  ],
  [
    '429 for the month',
    { status: 429, body: quota },
    refused('quota', later('2026-04-30T15:00:00Z'), { code: '429' }),
  ],
  [
    '500',
    { status: 500, headers: { 'x-line-request-id': 'abc-1' } },
    { is: 'unknown', evidence: 'server-error', detail: 'LINE answered 500, request abc-1' },
  ],
  ['503', { status: 503 }, { is: 'unknown', evidence: 'server-error', detail: 'LINE answered 503' }],
])('%s gives its outcome', async (_, script, outcome) => {
  expect((await sent([script])).outcome).toEqual(outcome)
})

test('an answer that quotes what was sent is not passed on', async () => {
  const body = '{"message":"token-1 may not send 豆","details":[{"property":"token-1 豆"}]}'
  const { outcome } = await sent([{ status: 401, body, headers: { 'x-line-request-id': 'token-1 x' } }])
  expect(JSON.stringify(outcome)).not.toMatch(/token-1|豆/)
})

test('the month of the budget begins at midnight in Japan, over the turn of the year too', async () => {
  const at = async (instant: string) => {
    const { outcome } = await sent([{ status: 429, body: quota }], {
      clock: { now: () => new Date(instant) },
    })
    return (
      outcome as { fault: { disposition: { notBefore: Date } } }
    ).fault.disposition.notBefore.toISOString()
  }
  expect(await at('2026-04-30T15:00:00Z')).toBe('2026-05-31T15:00:00.000Z')
  expect(await at('2026-12-31T14:59:59Z')).toBe('2026-12-31T15:00:00.000Z')
})

test('a connection that breaks says nothing: the error rises, and the host reads it', async () => {
  expect((await sent([{ drop: 'afterBody' }])).outcome).toBeInstanceOf(Error)
})

test('a member who has just written gets a reply, without a retry key', async () => {
  const { requests, outcome } = await sent([accepted], { replyToken: 'r-1' })
  expect(outcome).toMatchObject({ is: 'accepted', providerId: '461230966842064897' })
  expect(requests.map(({ path, headers }) => [path, headers.get('x-line-retry-key')])).toEqual([
    ['/v2/bot/message/reply', null],
  ])
  expect(JSON.parse(String(requests[0]?.text))).toMatchObject({
    replyToken: 'r-1',
    messages: [{ type: 'text' }],
  })
})

test('a reply whose token is dead was not sent, and is pushed at once with the key', async () => {
  const { requests, outcome } = await sent(
    [{ status: 400, body: '{"message":"Invalid reply token"}' }, accepted],
    {
      replyToken: 'r-1',
    },
  )
  expect(outcome).toMatchObject({ is: 'accepted' })
  expect(requests.map(({ path, headers }) => [path, headers.get('x-line-retry-key')])).toEqual([
    ['/v2/bot/message/reply', null],
    ['/v2/bot/message/push', key],
  ])
})

test.each<[string, HttpReply]>([
  ['answers 500', { status: 500 }],
  ['hangs up', { drop: 'afterBody' }],
])('a reply of which nobody knows is not followed by a push, when LINE %s', async (_, script) => {
  const { requests } = await sent([script, accepted], { replyToken: 'r-1' })
  expect(requests.map(({ path }) => path)).toEqual(['/v2/bot/message/reply'])
})

test('only a first attempt replies: a push may be under way already', async () => {
  const { requests } = await sent([accepted], { replyToken: 'r-1', attempt: 2 })
  expect(requests.map(({ path }) => path)).toEqual(['/v2/bot/message/push'])
})

test('a text holds 5,000 UTF-16 code units, and not one more', () => {
  expect(prepared({ title: 'あ', body: '𠮷'.repeat(2_499) })).toMatchObject({ ok: true, size: 5_000 })
  expect(prepared({ title: 'あ', body: `${'𠮷'.repeat(2_499)}x` })).toEqual({
    ok: false,
    fault: { cause: 'content', disposition: { do: 'never' }, detail: '5001 of 5000 UTF-16 code units' },
  })
})

test('where it leads is said once', () => {
  const url = 'https://shop.example/a'
  const texts = [
    prepared({ title: 'a', body: 'b', url }),
    prepared({ title: '', body: `b ${url}`, url }),
  ].map((made) => made.ok && made.prepared.messages[0]?.text)
  expect(texts).toEqual([`a\nb\n${url}`, `b ${url}`])
})

test('one to five message objects of a template’s own go out as they are', () => {
  const text = { type: 'text', text: '$ ようこそ', emojis: [{ index: 0, productId: 'p', emojiId: '001' }] }
  const flex = { type: 'flex', altText: '新着', contents: { type: 'bubble', body: { type: 'box' } } }
  expect(prepared({ title: '', body: '', data: [text, flex] })).toMatchObject({
    ok: true,
    prepared: { to: user, messages: [text, flex] },
    size: 6,
  })
})

test.each<[string, unknown, string]>([
  ['none', [], 'data'],
  ['six', Array(6).fill({ type: 'text', text: 'a' }), 'data'],
  ['a type that LINE does not know', [{ type: 'hologram' }], 'data.0.type'],
  ['an empty text', [{ type: 'text', text: '' }], 'data.0.text'],
  [
    'an image without https',
    [{ type: 'image', originalContentUrl: 'http://a.example', previewImageUrl: 'https://a.example' }],
    'data.0.originalContentUrl',
  ],
  [
    'a flex message without its text for lists',
    [{ type: 'flex', contents: { type: 'bubble' } }],
    'data.0.altText',
  ],
])('%s is refused by its place', async (_, data, place) => {
  const result = await line.content.schema['~standard'].validate({ title: 'a', body: 'b', data })
  expect(result.issues?.map(({ path }) => path?.join('.'))).toEqual([place])
})

test('preparing is pure, and nothing to say is refused', () => {
  const content = { title: '入荷', body: '豆' }
  expect(prepared(content)).toEqual(prepared(content))
  expect(prepared({ title: ' ', body: '' })).toMatchObject({ ok: false, fault: { cause: 'content' } })
})

test('a check asks who the account is, and sends nothing', async () => {
  const check = async (script: HttpReply) => {
    const { url, requests } = await provider(script)
    const result = await line.config.check(context(configOf(`${url}/`)))
    return { result, asked: requests.map(({ method, path }) => `${method} ${path}`) }
  }
  const asked = ['GET /v2/bot/info']
  expect(await check({ status: 200, body: '{"basicId":"@shop"}' })).toEqual({ result: { ok: true }, asked })
  expect(await check({ status: 401 })).toMatchObject({
    result: { ok: false, fault: { cause: 'auth', disposition: { do: 'hold' } } },
    asked,
  })
  expect(await check({ status: 500 })).toMatchObject({
    result: { ok: false, fault: { cause: 'provider', disposition: { do: 'later' } } },
  })
})

test('the budget is what LINE says of limit and use', async () => {
  const limited = await provider(
    { status: 200, body: '{"type":"limited","value":5000}' },
    { status: 200, body: '{"totalUsage":4200}' },
  )
  expect(await line.quota?.(context(configOf(limited.url)))).toEqual({
    limit: 5_000,
    used: 4_200,
    resetsAt: new Date('2026-04-30T15:00:00Z'),
  })
  expect(limited.requests.map(({ path }) => path)).toEqual([
    '/v2/bot/message/quota',
    '/v2/bot/message/quota/consumption',
  ])
  const free = await provider(
    { status: 200, body: '{"type":"none"}' },
    { status: 200, body: '{"totalUsage":7}' },
  )
  expect(await line.quota?.(context(configOf(free.url)))).toEqual({ limit: 'unlimited', used: 7 })
})

test('a configuration needs both credentials, knows no other field, and LINE is where it is', async () => {
  const read = (value: unknown) => line.config.schema['~standard'].validate(value)
  const both = { channelAccessToken: 'a', channelSecret: 'b' }
  expect(await read(both)).toEqual({ value: { ...both, baseUrl: 'https://api.line.me' } })
  for (const [value, place] of [
    [{ channelSecret: 'b' }, 'channelAccessToken'],
    [{ ...both, channelSecret: '' }, 'channelSecret'],
    [{ ...both, baseUrl: 'ftp://a.example' }, 'baseUrl'],
    [{ ...both, token: 'x' }, ''],
  ] as const) {
    expect((await read(value)).issues?.map(({ path }) => path?.join('.'))).toEqual([place])
  }
})

test('an address is a LINE user id, not a group’s', async () => {
  const read = (value: unknown) => line.address.schema['~standard'].validate(value)
  expect(await read(user)).toEqual({ value: user })
  for (const value of [`C${user.slice(1)}`, `${user}0`, user.toUpperCase(), 7]) {
    expect(await read(value)).toHaveProperty('issues')
  }
})
