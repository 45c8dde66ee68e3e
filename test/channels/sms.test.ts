import sms, { smsChannel, twilio } from '@engawa/channel-sms'
import type { Message, Outcome } from '@engawa/sdk'
import type { HttpReply } from '@engawa/sdk/fakes'
import { expect, test } from 'vitest'
import { context, key, now, provider } from './provider.ts'

const number = '+819012345678'
const accountSid = `AC${'0123456789abcdef'.repeat(2)}`
const callbackUrl = 'https://api.shop.example/inbound/t/sms/callback'
const message: Message = { key, locale: 'ja' }
const queued: HttpReply = { status: 201, body: { sid: 'SM1', status: 'queued', num_segments: '1' } }

type Config = Parameters<typeof sms.send>[0]['config']
const configOf = (baseUrl: string): Config => ({
  baseUrl,
  accountSid,
  authToken: 'token-1',
  from: '+815012345678',
  callbackUrl,
})

async function sent(
  reply: HttpReply,
  { said = message, config = {} }: { said?: Message; config?: Partial<Config> } = {},
) {
  const { url, requests } = await provider(reply)
  const preparation = sms.content.prepare({ body: '豆が届きました。' }, number, said)
  if (!preparation.ok) return expect.fail('it was not prepared')
  const sending = sms.send(context({ ...configOf(url), ...config }), preparation.prepared)
  const outcome: Outcome | Error = await sending.catch((error: Error) => error)
  return { outcome, request: requests[0], form: Object.fromEntries(new URLSearchParams(requests[0]?.text)) }
}

test('a message goes out as Twilio wants it, and its receipt will name the delivery', async () => {
  const { outcome, request, form } = await sent(queued)
  expect(outcome).toEqual({ is: 'accepted', at: now, providerId: 'SM1' })
  expect([request?.method, request?.path]).toEqual([
    'POST',
    `/2010-04-01/Accounts/${accountSid}/Messages.json`,
  ])
  expect(request?.headers.get('authorization')).toBe(`Basic ${btoa(`${accountSid}:token-1`)}`)
  expect(form).toEqual({
    To: number,
    From: '+815012345678',
    Body: '豆が届きました。',
    StatusCallback: `${callbackUrl}?key=${key}`,
  })
})

test('a messaging service sends in place of a number; an offer dies with its end', async () => {
  const from = `MG${'0123456789abcdef'.repeat(2)}`
  const said = { ...message, expiresAt: new Date(now.getTime() + 90_500) }
  const { form } = await sent(queued, { said, config: { from, callbackUrl: undefined } })
  expect(form).toEqual({
    To: number,
    MessagingServiceSid: from,
    Body: '豆が届きました。',
    ValidityPeriod: '90',
  })
})

const answered = (
  cause: string,
  disposition: object,
  [status, code, suppress]: [number, number?, string?],
) => ({
  is: 'refused',
  fault: {
    cause,
    disposition,
    code: String(code ?? status),
    detail: `Twilio answered ${status}${code ? `, code ${code}` : ''}`,
    ...(suppress && { suppress: { scope: suppress } }),
  },
})
const hold = { do: 'hold' }
const elsewhere = { do: 'elsewhere' }
const at = (notBefore: string) => ({ do: 'later', notBefore: new Date(notBefore) })

test.each<[status: number, code: number | undefined, outcome: object, headers?: Record<string, string>]>([
  [400, 21211, answered('address', elsewhere, [400, 21211, 'address'])],
  [400, 21614, answered('address', elsewhere, [400, 21614, 'address'])],
  [400, 21612, answered('address', elsewhere, [400, 21612])],
  [400, 21610, answered('recipient', elsewhere, [400, 21610, 'memberChannel'])],
  [400, 21408, answered('policy', elsewhere, [400, 21408])],
  [400, 21608, answered('policy', elsewhere, [400, 21608])],
  [400, 21212, answered('config', hold, [400, 21212])],
  [400, 21603, answered('config', hold, [400, 21603])],
  [400, 21606, answered('config', hold, [400, 21606])],
  [400, 21659, answered('config', hold, [400, 21659])],
  [400, 21703, answered('config', hold, [400, 21703])],
  [404, 20404, answered('config', hold, [404, 20404])],
  [404, undefined, answered('config', hold, [404])],
  [401, 20003, answered('auth', hold, [401, 20003])],
  [401, undefined, answered('auth', hold, [401])],
  [403, 20005, answered('auth', hold, [403, 20005])],
  [403, undefined, answered('auth', hold, [403])],
  [400, 30002, answered('auth', hold, [400, 30002])],
  [400, 21602, answered('content', { do: 'never' }, [400, 21602])],
  [400, 21617, answered('content', { do: 'never' }, [400, 21617])],
  [400, 29999, answered('content', { do: 'never' }, [400, 29999])],
  [418, undefined, answered('content', { do: 'never' }, [418])],
  [429, 20429, answered('rate', { do: 'later' }, [429, 20429])],
  [429, undefined, answered('rate', at('2026-04-30T15:00:00Z'), [429]), { 'retry-after': '60' }],
  [
    429,
    20429,
    answered('rate', at('2026-04-30T15:10:00Z'), [429, 20429]),
    { 'retry-after': 'Thu, 30 Apr 2026 15:10:00 GMT' },
  ],
  [400, 21611, answered('rate', { do: 'later' }, [400, 21611])],
  [400, 63038, answered('quota', { do: 'later' }, [400, 63038])],
  [500, 20500, { is: 'unknown', evidence: 'server-error', detail: 'Twilio answered 500' }],
  [503, undefined, { is: 'unknown', evidence: 'server-error', detail: 'Twilio answered 503' }],
  [200, undefined, { is: 'accepted', at: now }],
])('%i with code %s gives its outcome', async (status, code, outcome, headers = {}) => {
  const body = code === undefined ? 'not JSON' : { code, message: `to ${number} by token-1`, status }
  expect((await sent({ status, body, headers })).outcome).toEqual(outcome)
})

test('a connection that breaks says nothing: the error rises, and the host reads it', async () => {
  expect((await sent({ drop: 'afterBody' })).outcome).toBeInstanceOf(Error)
})

test('a check asks for the account, and sends nothing', async () => {
  const check = async (reply: HttpReply, config: Partial<Config> = {}) => {
    const { url, requests, sendings } = await provider(reply)
    const result = await sms.config.check(context({ ...configOf(url), ...config }))
    return { result, asked: requests.map(({ method, path }) => `${method} ${path}`), sendings }
  }
  const active: HttpReply = { body: { sid: accountSid, status: 'active' } }
  const asked = [`GET /2010-04-01/Accounts/${accountSid}.json`]
  expect(await check(active)).toEqual({ result: { ok: true }, asked, sendings: 0 })
  expect(await check(active, { callbackUrl: undefined })).toMatchObject({
    result: { notes: [expect.any(String)] },
  })
  for (const reply of [{ body: { status: 'suspended' } }, { status: 401, body: { code: 20003 } }]) {
    expect(await check(reply)).toMatchObject({
      result: { ok: false, fault: { cause: 'auth', disposition: hold } },
    })
  }
})

function segments(body: string) {
  const made = sms.content.prepare({ body }, number, message)
  return made.ok ? made.size : made.fault.detail
}

test.each([
  ['160 of the GSM alphabet', 'a'.repeat(160), 1],
  ['161 of it', 'a'.repeat(161), 2],
  ['306 of it', 'é'.repeat(306), 2],
  ['307 of it', 'é'.repeat(307), 3],
  ['80 of its extension, each two', '€'.repeat(80), 1],
  ['81 of its extension', '€'.repeat(81), 2],
  ['an escape that would be cut in two', `${'a'.repeat(152)}€${'a'.repeat(152)}`, 3],
  ['the same length without one', 'a'.repeat(306), 2],
  ['70 Japanese', 'あ'.repeat(70), 1],
  ['71 Japanese', 'あ'.repeat(71), 2],
  ['134 Japanese', 'あ'.repeat(134), 2],
  ['35 surrogate pairs', '𠮷'.repeat(35), 1],
  ['36 surrogate pairs', '𠮷'.repeat(36), 2],
  ['pairs that would be cut in two', '𠮷'.repeat(67), 3],
  ['one character outside the GSM alphabet', `${'a'.repeat(70)}ë`, 2],
  ['1,530 of the GSM alphabet', 'a'.repeat(1_530), 10],
  ['1,531 of it', 'a'.repeat(1_531), '11 of 10 parts'],
  ['670 Japanese', 'あ'.repeat(670), 10],
  ['671 Japanese', 'あ'.repeat(671), '11 of 10 parts'],
])('%s are counted as they go over the air', (_, body, count) => {
  expect(segments(body)).toBe(count)
})

test('where it leads is said once, and what can be stopped says how', () => {
  const text = (body: string, said: Partial<Message> = {}) => {
    const made = sms.content.prepare({ body, url: 'https://a.example/1' }, number, { ...message, ...said })
    return made.ok && made.prepared.text
  }
  const unsubscribeUrl = 'https://a.example/u'
  expect(text('b')).toBe('b\nhttps://a.example/1')
  expect(text('b https://a.example/1', { unsubscribeUrl })).toBe(
    `b https://a.example/1\n配信停止 ${unsubscribeUrl}`,
  )
  expect(text('b', { unsubscribeUrl, locale: 'en' })).toBe(`b\nhttps://a.example/1\nStop ${unsubscribeUrl}`)
})

const japanese = smsChannel(twilio, { home: 'JP' })
async function address(channel: typeof japanese, text: unknown) {
  const read = await channel.address.schema['~standard'].validate(text)
  return read.issues
    ? read.issues[0]?.message
    : channel.address.identity(channel.address.normalise(read.value))
}

test.each([
  ['+819012345678', number],
  ['+81 90-1234-5678', number],
  ['＋８１（０）９０−１２３４−５６７８', number],
  ['+81 (0)90 1234 5678', number],
  ['+1 (415) 555-2671', '+14155552671'],
])('%s reaches one number, however it is written', async (text, right) => {
  expect(await address(sms, text)).toBe(right)
  expect(await address(japanese, text)).toBe(right)
})

test.each(['090-1234-5678', '０９０ー１２３４ー５６７８', '09012345678', '(090) 1234.5678'])(
  '%s is read where home is Japan, and refused clearly where nobody said so',
  async (text) => {
    expect(await address(japanese, text)).toBe(number)
    expect(await address(sms, text)).toBe('must be an international telephone number such as +819012345678')
  },
)

test.each([
  '',
  '90-1234-5678',
  '090-1234-567',
  '+8190123',
  '+0123456789',
  '+81 90 call me',
  '110',
  '+1234567890123456',
])('%s is no number', async (text) => {
  expect(await address(japanese, text)).toBe('must be a telephone number')
})

test('normalising twice changes nothing', () => {
  const once = japanese.address.normalise('090-1234-5678')
  expect(japanese.address.normalise(once)).toBe(once)
})

test('a configuration is refused by its place', async () => {
  const { baseUrl: _, ...good } = configOf('')
  const places = async (value: object) =>
    (await sms.config.schema['~standard'].validate(value)).issues?.map(({ path }) => path?.join('.'))
  expect(await places(good)).toBe(undefined)
  for (const from of ['Shop 24', `MG${'0'.repeat(32)}`])
    expect(await places({ ...good, from })).toBe(undefined)
  expect(await places({ ...good, accountSid: 'AC1' })).toEqual(['accountSid'])
  expect(await places({ ...good, from: '09012345678' })).toEqual(['from'])
  expect(await places({ ...good, callbackUrl: `${callbackUrl}?a=1` })).toEqual(['callbackUrl'])
  expect(await places({ ...good, callbackUrl: 'http://a.example' })).toEqual(['callbackUrl'])
  expect(await places({ ...good, token: 'x' })).toEqual([''])
})

test('another company is one object', async () => {
  const acme = smsChannel({
    ...twilio,
    send: async (ctx) => ({ is: 'accepted', at: ctx.clock.now(), providerId: 'acme' }),
  })
  const outcome = await acme.send(context(configOf('')), { to: number, text: 'a' })
  expect([acme.id, outcome]).toEqual(['sms', { is: 'accepted', at: now, providerId: 'acme' }])
})
