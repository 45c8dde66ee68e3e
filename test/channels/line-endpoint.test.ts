import line from '@engawa/channel-line'
import type { SendContext } from '@engawa/sdk'
import { type HttpReply, type LineEndpointOptions, lineEndpoint, lineRefusals } from '@engawa/sdk/fakes'
import { expect, onTestFinished, test } from 'vitest'
import { context, now, posted } from './provider.ts'

type Config = Parameters<typeof line.send>[0]['config']
const user = `U${'0123456789abcdef'.repeat(2)}`
const hello = { to: user, messages: [{ type: 'text' as const, text: 'Hello' }] }

async function endpoint(options: LineEndpointOptions = {}) {
  const fake = await lineEndpoint({ channelAccessToken: 'token-1', channelSecret: 'secret-1', ...options })
  onTestFinished(() => fake.close())
  const config: Config = { baseUrl: fake.url, channelAccessToken: 'token-1', channelSecret: 'secret-1' }
  const send = (told: Partial<SendContext<Config>> = {}) => line.send(context(config, told), hello)
  return { fake, config, send }
}

test('pushed twice with one key, it is said once, and both answers name it', async () => {
  const { fake, send } = await endpoint()
  const first = await send()
  expect(await send({ attempt: 2 })).toEqual({ ...first, replay: true })
  expect(fake.sent.map(({ via, to }) => [via, to])).toEqual([['push', user]])
})

test('an answer that was lost costs nothing: the same key says whether it was taken', async () => {
  const { fake, send } = await endpoint()
  fake.next({ drop: 'afterBody' })
  await expect(send()).rejects.toThrow()
  expect(await send({ attempt: 2 })).toMatchObject({ is: 'accepted' })
  expect(fake.sent).toHaveLength(1)
})

test('a reply uses its token once and nothing of the budget', async () => {
  const { fake, config, send } = await endpoint({ monthlyLimit: 10 })
  const replyToken = fake.replyToken()
  expect(await send({ replyToken })).toMatchObject({ is: 'accepted' })
  expect(await line.quota?.(context(config))).toMatchObject({ limit: 10, used: 0 })
  expect(await send({ replyToken })).toMatchObject({ is: 'accepted' })
  expect(fake.sent.map(({ via }) => via)).toEqual(['reply', 'push'])
})

test('a month that is used up waits for the next one', async () => {
  const { send } = await endpoint({ monthlyLimit: 0 })
  const notBefore = new Date('2026-04-30T15:00:00Z')
  expect(await send()).toMatchObject({ fault: { cause: 'quota', disposition: { do: 'later', notBefore } } })
})

test.each<[string, HttpReply, object]>([
  ['the pace', lineRefusals.rateLimit, { cause: 'rate', disposition: { do: 'later' } }],
  ['too much at once', lineRefusals.concurrency, { cause: 'rate', disposition: { do: 'later' } }],
  ['whom it cannot reach', lineRefusals.notReachable, { cause: 'address', disposition: { do: 'elsewhere' } }],
  ['the token', lineRefusals.token, { cause: 'auth', disposition: { do: 'hold' } }],
])('LINE’s refusal for %s is read', async (_, reply, fault) => {
  const { fake, send } = await endpoint()
  fake.next(reply)
  expect(await send()).toMatchObject({ is: 'refused', fault })
  expect(fake.sent).toEqual([])
})

test('a webhook as LINE signs it is verified and read', async () => {
  const { fake, config } = await endpoint()
  const source = { type: 'user', userId: user }
  const blocked = { type: 'unfollow', webhookEventId: 'e-1', timestamp: now.getTime(), source }
  const { headers, body } = fake.webhook([blocked])
  const verdict = (await line.inbound?.verify(posted(body, headers), config)) ?? expect.fail('no callbacks')
  if (verdict.is !== 'verified') return expect.fail(verdict.is)
  expect(line.inbound?.parse(verdict.request, config)).toMatchObject([
    { kind: 'blocked', dedupeKey: 'e-1', occurredAt: now, about: { address: user } },
  ])
})
