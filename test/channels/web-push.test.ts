import { generateKeyPairSync } from 'node:crypto'
import push from '@engawa/channel-web-push'
import type { Message, SendContext } from '@engawa/sdk'
import { type HttpReply, type PushReceiverOptions, pushReceiver } from '@engawa/sdk/fakes'
import { expect, onTestFinished, test } from 'vitest'
import { context, key, now, provider } from './provider.ts'

type Config = Parameters<typeof push.send>[0]['config']
const keys = newKeys()
const config: Config = { ...keys, subject: 'mailto:push@shop.example' }
const message: Message = { key, locale: 'ja' }
const arrival = { title: '入荷', body: '豆が届きました。', url: 'https://shop.example/beans' }

function newKeys(): { publicKey: string; privateKey: string } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '', d = '' } = privateKey.export({ format: 'jwk' })
  const point = [Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]
  return { publicKey: Buffer.concat(point).toString('base64url'), privateKey: d }
}

async function browser(options: PushReceiverOptions = {}) {
  const receiver = await pushReceiver(options)
  onTestFinished(() => receiver.close())
  return { receiver, subscription: receiver.subscribe() }
}
type Address = Awaited<ReturnType<typeof browser>>['subscription']

async function sent(
  to: Address,
  said: { content?: Parameters<typeof push.content.prepare>[0]; as?: Partial<Message> } = {},
) {
  const made = push.content.prepare(said.content ?? arrival, to, { ...message, ...said.as })
  if (!made.ok) return expect.fail('it was not prepared')
  return push.send(context(config), made.prepared)
}

test('a push is encrypted for one browser, signed for its push service, and carries the key as topic and tag', async () => {
  const { receiver, subscription } = await browser({ applicationServerKey: keys.publicKey })
  expect(await sent(subscription)).toEqual({ is: 'accepted', at: now })
  expect(receiver.messages).toMatchObject([
    {
      ttl: 86_400,
      topic: 'AZehsgAAcACAAAAAAAAAAQ',
      urgency: 'normal',
      vapid: { audience: receiver.url, subject: 'mailto:push@shop.example', key: keys.publicKey },
    },
  ])
  expect(JSON.parse(receiver.messages[0]?.text ?? '')).toEqual({ ...arrival, tag: key })
  expect(receiver.requests[0]?.text).not.toContain('豆')
})

test('the same key sent twice collapses: one topic and one tag', async () => {
  const { receiver, subscription } = await browser()
  await sent(subscription)
  await sent(subscription)
  expect(new Set(receiver.messages.map(({ topic, text }) => `${topic} ${text}`)).size).toBe(1)
  expect(receiver.messages).toHaveLength(2)
})

test('a message lives as long as its offer: never longer than 28 days, not at all when it is over', async () => {
  const { receiver, subscription } = await browser()
  const ends = ['2026-04-30T15:00:30Z', '2027-01-01T00:00:00Z', '2026-04-30T14:00:00Z']
  for (const end of ends) await sent(subscription, { as: { expiresAt: new Date(end) } })
  expect(receiver.messages.map(({ ttl }) => ttl)).toEqual([90, 2_419_200, 0])
})

test('what else the page understands travels along, and says how urgent it is', async () => {
  const { receiver, subscription } = await browser()
  const data = { urgency: 'high', badge: 'https://shop.example/b.png' } as const
  await sent(subscription, { content: { ...arrival, data } })
  expect(receiver.messages[0]).toMatchObject({ urgency: 'high' })
  expect(JSON.parse(receiver.messages[0]?.text ?? '').data).toEqual({ badge: data.badge })
})

test('a payload holds 3,993 bytes, which is all that a push service takes, and not one more', async () => {
  const { receiver, subscription } = await browser()
  const size = (body: string) => {
    const made = push.content.prepare({ title: '豆', body }, subscription, message)
    return made.ok ? made.size : made.fault
  }
  const rest = 3_993 - Number(size(''))
  const body = 'あ'.repeat(Math.floor(rest / 3)) + 'x'.repeat(rest % 3)
  expect(size(body)).toBe(3_993)
  expect(size(`${body}x`)).toMatchObject({
    cause: 'content',
    disposition: { do: 'never' },
    detail: '3994 of 3993 bytes',
  })
  expect(await sent(subscription, { content: { title: '豆', body } })).toMatchObject({ is: 'accepted' })
  expect(receiver.requests[0]?.body).toHaveLength(4_096)
})

const gone = { cause: 'address', disposition: { do: 'elsewhere' }, suppress: { scope: 'address' } }
const chrome =
  'the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions.'
const later = (notBefore: string) => ({ do: 'later', notBefore: new Date(notBefore) })
const minute = { 'retry-after': '60' }

test.each<[string, HttpReply, object]>([
  ['404', { status: 404 }, gone],
  ['410', { status: 410 }, gone],
  ['403 for another key, Chrome', { status: 403, body: chrome }, gone],
  [
    '401 for another key, Firefox',
    { status: 401, body: { errno: 109, message: 'VAPID public key mismatch' } },
    gone,
  ],
  ['400 for another key, Safari', { status: 400, body: { reason: 'VapidPkHashMismatch' } }, gone],
  ['403 for another key, Safari', { status: 403, body: { reason: 'VapidPkHashMismatch' } }, gone],
  ['401', { status: 401 }, { cause: 'auth', disposition: { do: 'hold' } }],
  ['403', { status: 403, body: { reason: 'BadJwtToken' } }, { cause: 'auth', disposition: { do: 'hold' } }],
  ['400', { status: 400 }, { cause: 'content', disposition: { do: 'never' } }],
  ['413', { status: 413 }, { cause: 'content', disposition: { do: 'never' } }],
  ['429', { status: 429 }, { cause: 'rate', disposition: { do: 'later' } }],
  [
    '429 with seconds',
    { status: 429, headers: minute },
    { cause: 'rate', disposition: later('2026-04-30T15:00:00Z') },
  ],
  [
    '429 with a date',
    { status: 429, headers: { 'retry-after': 'Thu, 30 Apr 2026 15:10:00 GMT' } },
    { cause: 'rate', disposition: later('2026-04-30T15:10:00Z') },
  ],
  [
    '503 with seconds',
    { status: 503, headers: minute },
    { cause: 'provider', disposition: later('2026-04-30T15:00:00Z') },
  ],
])('%s is refused, and says what to do', async (name, reply, fault) => {
  const { subscription } = await browser()
  const { url } = await provider(reply)
  const outcome = await sent({ ...subscription, endpoint: `${url}/push/1` })
  const status = name.slice(0, 3)
  expect(outcome).toEqual({
    is: 'refused',
    fault: { ...fault, code: status, detail: `The push service answered ${status}` },
  })
})

test.each<[string, HttpReply, object]>([
  ['201', { status: 201, headers: { location: '/m/1' } }, { is: 'accepted', at: now }],
  ['202', { status: 202 }, { is: 'accepted', at: now }],
  [
    '500',
    { status: 500 },
    { is: 'unknown', evidence: 'server-error', detail: 'The push service answered 500' },
  ],
  [
    '503',
    { status: 503 },
    { is: 'unknown', evidence: 'server-error', detail: 'The push service answered 503' },
  ],
])('%s gives its outcome', async (_, reply, outcome) => {
  const { subscription } = await browser()
  const { url } = await provider(reply)
  expect(await sent({ ...subscription, endpoint: `${url}/push/1` })).toEqual(outcome)
})

test('a subscription that ended at the push service is not used again', async () => {
  const { receiver, subscription } = await browser()
  receiver.unsubscribe(subscription)
  expect(await sent(subscription)).toMatchObject({ is: 'refused', fault: gone })
})

test('a subscription to an earlier key of ours costs this browser, and holds up nobody else', async () => {
  const { receiver, subscription } = await browser({ applicationServerKey: newKeys().publicKey })
  receiver.answer({ status: 403, body: chrome })
  expect(await sent(subscription)).toMatchObject({ fault: gone })
})

test('a check proves the pair of keys, and connects to nobody', async () => {
  const offline: Partial<SendContext<Config>> = { fetch: () => expect.fail('it connected') }
  const check = (as: Config) => push.config.check(context(as, offline))
  expect(await check(config)).toEqual({ ok: true })
  expect(await check({ ...config, publicKey: newKeys().publicKey })).toMatchObject({
    ok: false,
    fault: { cause: 'config', disposition: { do: 'hold' } },
  })
  expect(await check({ ...config, privateKey: 'A'.repeat(43) })).toMatchObject({ ok: false })
})

test('a configuration is refused by its place', async () => {
  const places = async (changed: object) =>
    (await push.config.schema['~standard'].validate({ ...config, ...changed })).issues?.map(({ path }) =>
      path?.join('.'),
    )
  expect(await places({})).toBe(undefined)
  expect(await places({ subject: 'https://shop.example/contact' })).toBe(undefined)
  for (const subject of [
    'push@shop.example',
    'http://shop.example',
    'https://localhost/x',
    'https://127.0.0.1',
    'mailto:nobody',
    '',
  ]) {
    expect(await places({ subject }), subject).toContain('subject')
  }
  expect(await places({ publicKey: keys.privateKey })).toEqual(['publicKey'])
  expect(await places({ privateKey: `${keys.privateKey}=` })).toEqual(['privateKey'])
  expect(await places({ vapid: 1 })).toEqual([''])
})

test('an address is a subscription as browsers give it, in one spelling, known by its endpoint', async () => {
  const { keys: of } = (await browser()).subscription
  const read = (value: unknown) => push.address.schema['~standard'].validate(value)
  const given = {
    endpoint: 'https://Push.example:443/x',
    expirationTime: null,
    keys: { ...of, auth: `${of.auth}==` },
  }
  const { value } = (await read(given)) as { value: Address } // it is good
  const normal = push.address.normalise(value)
  expect(normal).toEqual({ endpoint: 'https://push.example/x', keys: of })
  expect(push.address.normalise(normal)).toEqual(normal)
  expect(push.address.identity(normal)).toBe('https://push.example/x')
})

test.each([
  ['endpoint', { endpoint: 'http://push.example/x' }],
  ['endpoint', { endpoint: 'file:///etc/passwd' }],
  ['keys.p256dh', { p256dh: Buffer.alloc(64, 4).toString('base64url') }],
  ['keys.p256dh', { p256dh: Buffer.alloc(65, 4).toString('base64url') }],
  ['keys.p256dh', { p256dh: '*' }],
  ['keys.auth', { auth: Buffer.alloc(15).toString('base64url') }],
])('a subscription whose %s is none is refused by its place', async (place, changed) => {
  const { keys: of } = (await browser()).subscription
  const value = { endpoint: 'https://push.example/x', keys: { ...of, ...changed }, ...changed }
  const { issues } = await push.address.schema['~standard'].validate(value)
  expect(issues?.map(({ path }) => path?.join('.'))).toContain(place)
})
