import { createHmac } from 'node:crypto'
import line from '@engawa/channel-line'
import { channelConformance } from '@engawa/sdk/conformance'
import { lineEndpoint, lineRefusals } from '@engawa/sdk/fakes'
import { expect, test } from 'vitest'

const user = `U${'0123456789abcdef'.repeat(2)}`
const source = { type: 'user', userId: user }
const event = (type: string, more: object = {}) => ({
  type,
  webhookEventId: `e-${type}`,
  timestamp: 1_775_001_600_000,
  source,
  deliveryContext: { isRedelivery: false },
  ...more,
})
const body = (...events: object[]) => JSON.stringify({ destination: 'U1', events })
const message = (text: string) =>
  event('message', { replyToken: 'r-1', message: { type: 'text', id: '7', text } })
const both = [message('こんにちは'), event('postback', { postback: { data: 'menu=1' } })]
const text = (letters: number) => ({ type: 'text', text: 'あ'.repeat(letters) })
const saying = (...data: object[]) => ({ title: '', body: '', data })

const laws = channelConformance(line, {
  provider: lineEndpoint,
  config: ({ url }, tenant) => ({
    baseUrl: url,
    channelAccessToken: `token-of-tenant-${tenant}`,
    channelSecret: `secret-of-tenant-${tenant}`,
  }),
  badConfigs: [
    { path: 'channelAccessToken', value: undefined },
    { path: 'channelSecret', value: '' },
    { path: 'previousChannelSecret', value: 7 },
    { path: 'baseUrl', value: 'nowhere' },
  ],
  address: user,
  fits: [saying(text(5_000)), saying(...Array(5).fill(text(1)))],
  tooLarge: [saying(text(5_001)), saying(...Array(6).fill(text(1)))],
  replies: [
    { reply: lineRefusals.rateLimit, expect: { do: 'later', cause: 'rate' } },
    { reply: lineRefusals.concurrency, expect: { do: 'later', cause: 'rate' } },
    { reply: lineRefusals.monthlyLimit, expect: { do: 'later', cause: 'quota', notBefore: monthAfter } },
    { reply: lineRefusals.notReachable, expect: { do: 'elsewhere', cause: 'address', suppress: 'nothing' } },
    { reply: lineRefusals.token, expect: { do: 'hold', cause: 'auth' } },
    { reply: { status: 403 }, expect: { do: 'hold', cause: 'auth' } },
    { reply: { status: 409 }, expect: 'accepted' },
    { reply: { status: 400 }, expect: { do: 'never', cause: 'content' } },
    {
      reply: {
        status: 400,
        body: { message: "The property, 'to', in the request body is invalid (line: -, column: -)" },
      },
      expect: { do: 'elsewhere', cause: 'address', suppress: 'address' },
    },
    { reply: { status: 500 }, expect: 'unknown' },
  ],
  inbound: {
    sign: (text, { config }) => ({
      headers: {
        'x-line-signature': createHmac('sha256', config.channelSecret).update(text).digest('base64'),
      },
      body: text,
    }),
    signsTime: false,
    rotation: {
      before: { channelSecret: 'the-old-secret' },
      during: { channelSecret: 'the-new-secret', previousChannelSecret: 'the-old-secret' },
      after: { channelSecret: 'the-new-secret' },
    },
    oneMessage: [body(...both)],
    redelivered: [body(...both.map((one) => ({ ...one, deliveryContext: { isRedelivery: true } })))],
    suppressing: { blocked: body(event('unfollow')) },
    answer: (said) => body(message(said)),
    stopWords: ['STOP', '配信停止', '停止'],
    handshake: ({ config }) => ({
      headers: {
        'x-line-signature': createHmac('sha256', config.channelSecret).update(body()).digest('base64'),
      },
      body: body(),
    }),
  },
})

const applying = laws.filter(({ skip }) => skip === false)

test('every law applies to LINE', () => {
  expect(applying.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14])
})

for (const { name, run } of applying) test(`LINE keeps law ${name}`, run)

/** LINE counts by the months of Japan. */
function monthAfter(now: Date): Date {
  const [year = 0, month = 0] = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Tokyo' })
    .format(now)
    .split('-')
    .map(Number)
  return new Date(
    `${month === 12 ? year + 1 : year}-${String((month % 12) + 1).padStart(2, '0')}-01T00:00:00+09:00`,
  )
}
