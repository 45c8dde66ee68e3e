import { createHmac } from 'node:crypto'
import sms from '@engawa/channel-sms'
import { channelConformance } from '@engawa/sdk/conformance'
import { httpProvider } from '@engawa/sdk/fakes'
import { expect, test } from 'vitest'

const AccountSid = `AC${'0123456789abcdef'.repeat(2)}`
const callbackUrl = 'https://api.shop.example/inbound/t/sms/callback'
const receipt = (MessageStatus: string, more: Readonly<Record<string, string>> = {}) =>
  form({ AccountSid, MessageSid: 'SM1', MessageStatus, To: '12345', ...more })
const form = (fields: Readonly<Record<string, string>>) => new URLSearchParams(fields).toString()
const refusal = (status: number, code: number) => ({ status, body: { code, message: 'No.', status } })

const laws = channelConformance(sms, {
  provider: () =>
    httpProvider({
      reply: ({ method }) =>
        method === 'GET' ? { body: { status: 'active' } } : { status: 201, body: { sid: 'SM1' } },
    }),
  config: ({ url }, tenant) => ({
    baseUrl: url,
    accountSid: AccountSid,
    authToken: `token-of-tenant-${tenant}`,
    from: '+815012345678',
    callbackUrl,
  }),
  badConfigs: [
    { path: 'accountSid', value: 'AC1' },
    { path: 'authToken', value: undefined },
    { path: 'from', value: '090-1234-5678' },
    { path: 'callbackUrl', value: `${callbackUrl}?a=1` },
    { path: 'baseUrl', value: 'nowhere' },
  ],
  address: '+819012345678',
  replies: [
    { reply: refusal(400, 21211), expect: { do: 'elsewhere', cause: 'address', suppress: 'address' } },
    { reply: refusal(400, 21614), expect: { do: 'elsewhere', cause: 'address', suppress: 'address' } },
    { reply: refusal(400, 21612), expect: { do: 'elsewhere', cause: 'address', suppress: 'nothing' } },
    {
      reply: refusal(400, 21610),
      expect: { do: 'elsewhere', cause: 'recipient', suppress: 'memberChannel' },
    },
    { reply: refusal(400, 21606), expect: { do: 'hold', cause: 'config' } },
    { reply: refusal(400, 21617), expect: { do: 'never', cause: 'content' } },
    { reply: refusal(401, 20003), expect: { do: 'hold', cause: 'auth' } },
    { reply: refusal(429, 20429), expect: { do: 'later', cause: 'rate' } },
    { reply: { status: 429 }, expect: { do: 'later', cause: 'rate' } },
    { reply: refusal(400, 63038), expect: { do: 'later', cause: 'quota' } },
    { reply: { status: 503 }, expect: 'unknown' },
  ],
  inbound: {
    sign: (body, { config }) => ({
      headers: { 'x-twilio-signature': signature(body, config.authToken) },
      body,
    }),
    signsTime: false,
    rotation: {
      before: { authToken: 'the-old-token' },
      during: { authToken: 'the-new-token', previousAuthToken: 'the-old-token' },
      after: { authToken: 'the-new-token' },
    },
    // Without a carrier's time Twilio tells none.
    tellsTime: false,
    oneMessage: [receipt('delivered'), receipt('failed')],
    suppressing: { bounced: receipt('undelivered', { ErrorCode: '30005' }) },
    answer: (Body) =>
      form({ AccountSid, MessageSid: 'SM2', SmsStatus: 'received', From: '+819012345678', Body }),
    stopWords: ['STOP', '停止', 'UNSUBSCRIBE', 'END'],
  },
})

const applying = laws.filter(({ skip }) => skip === false)

test('every law applies to text messages, but the one about keys, of which Twilio knows none', () => {
  expect(applying.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14])
})

for (const { name, run } of applying) test(`text messages keep law ${name}`, run)

/** The address, and then each field with its value, sorted by name. */
function signature(body: string, token: string): string {
  const fields = [...new URLSearchParams(body)].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return createHmac('sha1', token)
    .update(callbackUrl + fields.flat().join(''))
    .digest('base64')
}
