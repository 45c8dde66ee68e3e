import { createHmac } from 'node:crypto'
import line from '@engawa/channel-line'
import type { RawRequest, Signal } from '@engawa/sdk'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { posted } from './provider.ts'

const user = `U${'0123456789abcdef'.repeat(2)}`
const config = {
  channelAccessToken: 't',
  channelSecret: 'new',
  previousChannelSecret: 'old',
  baseUrl: 'https://x',
}
const inbound = line.inbound ?? expect.fail('it takes no callbacks')

const sign = (body: string, secret = 'new') => createHmac('sha256', secret).update(body).digest('base64')
const signed = (body: string, secret?: string) => posted(body, { 'x-line-signature': sign(body, secret) })

async function signals(request: RawRequest): Promise<readonly Signal[]> {
  const verdict = await inbound.verify(request, config)
  return verdict.is === 'verified'
    ? inbound.parse(verdict.request, config)
    : expect.fail(JSON.stringify(verdict))
}

let count = 0
const event = (type: string, more: object = {}) => ({
  type,
  webhookEventId: `01HX-${++count}`,
  timestamp: 1_775_001_600_000,
  mode: 'active',
  source: { type: 'user', userId: user },
  deliveryContext: { isRedelivery: false },
  ...more,
})
const callback = (...events: object[]) => JSON.stringify({ destination: 'Ubot', events })
const text = (said: string) =>
  event('message', { replyToken: 'r-1', message: { type: 'text', id: '7', text: said } })

test.each([
  ['SECRET', '{}', '3q8QXTAGaey18yL8FWTqdVlbMr6hcuNvM4tefa0o9nA='],
  ['test_secret', '{"hello":"world"}', 't7Hn4ZDHqs6e+wdvI5TyQIvzie0DmMUmuXEBqyyE/tM='],
])('the published signature of %s holds', async (channelSecret, body, signature) => {
  const verify = (given: string) =>
    inbound.verify(posted(body, { 'x-line-signature': given }), { ...config, channelSecret })
  // No callback has such a body: it is genuine, and of a wrong shape.
  expect(await verify(signature)).toEqual({ is: 'rejected', reason: 'shape' })
  expect(await verify(`A${signature.slice(1)}`)).toEqual({ is: 'rejected', reason: 'signature' })
})

test('while the secret is being changed, both count; afterwards, or with none, one does', async () => {
  const body = callback(text('a'))
  const verdict = async (secret: string, as = config) => (await inbound.verify(signed(body, secret), as)).is
  expect(await verdict('new')).toBe('verified')
  expect(await verdict('old')).toBe('verified')
  const { previousChannelSecret: _, ...after } = config
  expect(await verdict('old', after as typeof config)).toBe('rejected')
  expect(await verdict('', after as typeof config)).toBe('rejected')
  expect(await inbound.verify(posted(body, {}), config)).toEqual({ is: 'rejected', reason: 'signature' })
})

test('the console’s test of the connection is answered, and says nothing', async () => {
  const handshake = { is: 'handshake', respond: { status: 200 } }
  expect(await inbound.verify(signed(callback()), config)).toEqual(handshake)
  expect(await inbound.verify(posted(callback(), { 'x-line-signature': sign('x') }), config)).toEqual({
    is: 'rejected',
    reason: 'signature',
  })
})

test('a callback counts by its raw bytes: one bit flipped or written anew, it fails', async () => {
  const body = callback(text('配信 再開'), event('follow'))
  const { headers } = signed(body)
  const bytes = new TextEncoder().encode(body)
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(7), async (place, bit) => {
      const flipped = bytes.map((byte, n) => (n === place ? byte ^ (1 << bit) : byte))
      const verdict = await inbound.verify({ ...signed(body), headers, body: flipped }, config)
      expect(verdict).toEqual({ is: 'rejected', reason: 'signature' })
    }),
    { numRuns: 100 },
  )
  const anew = JSON.stringify(JSON.parse(body), null, 1)
  expect((await inbound.verify({ ...posted(anew, {}), headers }, config)).is).toBe('rejected')
})

test('a signature has one spelling: one bit flipped in it, or decoded alike, it fails', async () => {
  const body = callback(text('a'))
  const right = sign(body)
  await fc.assert(
    fc.asyncProperty(fc.nat(right.length - 1), fc.constantFrom(1, 2, 4, 8, 16), async (place, bit) => {
      const code = String.fromCharCode(right.charCodeAt(place) ^ bit)
      const given = right.slice(0, place) + code + right.slice(place + 1)
      const verdict = await inbound.verify(posted(body, { 'x-line-signature': encodeURI(given) }), config)
      expect(verdict.is).toBe('rejected')
    }),
    { numRuns: 100 },
  )
  expect((await inbound.verify(posted(body, { 'x-line-signature': right.slice(0, -1) }), config)).is).toBe(
    'rejected',
  )
})

test('a message is a reply with its text, token and time, and what was sent stays small', async () => {
  expect(await signals(signed(callback(text('予約したい'))))).toEqual([
    {
      kind: 'replied',
      dedupeKey: `01HX-${count}`,
      occurredAt: new Date('2026-04-01T00:00:00Z'),
      about: { address: user },
      reply: { text: '予約したい', intent: 'other', token: 'r-1' },
      raw: { type: 'message', message: { type: 'text', id: '7' } },
    },
  ])
})

test('only a whole message asks for silence', async () => {
  const said = ['配信停止', 'STOP', '停止。', '配信停止はどこですか', "don't stop", '再開']
  const found = await signals(signed(callback(...said.map(text))))
  expect(found.map(({ reply }) => reply?.intent)).toEqual(['stop', 'stop', 'stop', 'other', 'other', 'start'])
})

test('what quotes a message of ours is about that message; a picture is a reply without text', async () => {
  const quote = event('message', { message: { type: 'text', id: '8', text: 'はい', quotedMessageId: '461' } })
  const picture = event('message', { replyToken: 'r-2', message: { type: 'image', id: '9' } })
  expect(await signals(signed(callback(quote, picture)))).toMatchObject([
    { about: { address: user, providerId: '461' }, reply: { text: 'はい', intent: 'other' } },
    { reply: { token: 'r-2' } },
  ])
})

test('blocking, coming back and tapping are signals', async () => {
  const follow = event('follow', { replyToken: 'r-3', follow: { isUnblocked: true } })
  const postback = event('postback', { postback: { data: 'menu=1' }, replyToken: 'r-4' })
  expect(await signals(signed(callback(event('unfollow'), follow, postback)))).toMatchObject([
    { kind: 'blocked', raw: { type: 'unfollow' } },
    { kind: 'unblocked', reply: { token: 'r-3' }, raw: { follow: { isUnblocked: true } } },
    { kind: 'clicked', machine: 'unlikely', reply: { token: 'r-4' }, raw: { postback: { data: 'menu=1' } } },
  ])
})

test('groups, kinds of events to come and events of a broken shape cost no other event', async () => {
  const group = event('message', { source: { type: 'group', groupId: 'C1', userId: user } })
  const broken = { type: 'message', timestamp: 'yesterday' }
  const found = await signals(signed(callback(group, event('hologram'), broken, event('unfollow'))))
  expect(found.map(({ kind }) => kind)).toEqual(['blocked'])
})

test('redelivered in any order and number, an event keeps its key and time, and its token is not used again', async () => {
  const events = [text('停止'), event('unfollow'), event('follow', { replyToken: 'r-5' }), text('a')]
  const first = await signals(signed(callback(...events)))
  const again = events.map((of) => ({ ...of, deliveryContext: { isRedelivery: true } }))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...again), { minLength: 1, maxLength: 9 }), async (some) => {
      for (const signal of await signals(signed(callback(...some)))) {
        const { reply: _, ...fact } = first.find(({ dedupeKey }) => dedupeKey === signal.dedupeKey) ?? {}
        expect(signal).toMatchObject(fact)
        expect(signal.reply?.token).toBe(undefined)
      }
    }),
    { numRuns: 100 },
  )
  expect(new Set(first.map(({ dedupeKey }) => dedupeKey)).size).toBe(4)
})
