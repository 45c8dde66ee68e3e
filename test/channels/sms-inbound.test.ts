import { createHmac } from 'node:crypto'
import sms from '@engawa/channel-sms'
import type { RawRequest, Signal } from '@engawa/sdk'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { key, now, posted } from './provider.ts'

const AccountSid = `AC${'0123456789abcdef'.repeat(2)}`
const callbackUrl = 'https://api.shop.example/inbound/t/sms/callback'
const config = {
  accountSid: AccountSid,
  authToken: 'new',
  previousAuthToken: 'old',
  from: '+815012345678',
  callbackUrl,
  baseUrl: 'https://x',
}
const inbound = sms.inbound ?? expect.fail('it takes no callbacks')

type Form = Record<string, string>
interface Signing {
  readonly token?: string
  readonly url?: string
}

function sign(form: Form, { token = 'new', url = callbackUrl }: Signing = {}): string {
  const text = Object.entries(form)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flat()
    .join('')
  return createHmac('sha1', token)
    .update(url + text)
    .digest('base64')
}

function signed(form: Form, query = '', signing: Signing = {}): RawRequest {
  const url = query ? `${callbackUrl}?${query}` : callbackUrl
  const body = new URLSearchParams(form).toString()
  return posted(body, { 'x-twilio-signature': sign(form, { url, ...signing }) }, query)
}

async function signals(request: RawRequest): Promise<readonly Signal[]> {
  const verdict = await inbound.verify(request, config)
  return verdict.is === 'verified'
    ? inbound.parse(verdict.request, config)
    : expect.fail(JSON.stringify(verdict))
}

const receipt = (MessageStatus: string, more: Form = {}): Form => ({
  AccountSid,
  MessageSid: 'SM1',
  MessageStatus,
  To: '+819012345678',
  From: '+815012345678',
  ...more,
})
const written = (Body: string, more: Form = {}): Form => ({
  AccountSid,
  MessageSid: `SM-${Body}`,
  SmsStatus: 'received',
  From: '+819012345678',
  To: '+815012345678',
  Body,
  ...more,
})

test.each([
  ['+14158675309', 'RSOYDt4T1cUTdK1PDd93/VVr8B8='],
  ['+12349013030', '0/KCTR6DLpKmkAf8muzZqo1nDgQ='],
])('the signature that Twilio publishes of a call from %s holds', async (From, signature) => {
  const form = { CallSid: 'CA1234567890ABCDE', Caller: From, Digits: '1234', From, To: '+18005551212' }
  const headers = { 'x-twilio-signature': signature }
  const request = posted(new URLSearchParams(form).toString(), headers, 'foo=1&bar=2')
  const as = { ...config, authToken: '12345', callbackUrl: 'https://mycompany.com/myapp.php' }
  // It is a call's: genuine, and of a wrong shape.
  expect(await inbound.verify(request, as)).toEqual({ is: 'rejected', reason: 'shape' })
  expect(await inbound.verify(request, { ...as, authToken: '12346' })).toEqual({
    is: 'rejected',
    reason: 'signature',
  })
})

test('while the token is being changed both count; without a public address nothing does', async () => {
  const verdict = async (token: string, as: object = config) =>
    (await inbound.verify(signed(written('a'), '', { token }), as as typeof config)).is
  const { previousAuthToken: _, ...after } = config
  const { callbackUrl: __, ...nowhere } = config
  expect(await verdict('new')).toBe('verified')
  expect(await verdict('old')).toBe('verified')
  expect(await verdict('old', after)).toBe('rejected')
  expect(await verdict('new', nowhere)).toBe('rejected')
})

test('the address counts with and without its port, and with its query', async () => {
  const url = callbackUrl.replace('.example', '.example:443')
  expect((await inbound.verify(signed(written('a'), '', { url }), config)).is).toBe('verified')
  const request = signed(receipt('delivered'), `key=${key}`)
  const other = new URLSearchParams({ key: key.replace('0197', '0198') })
  expect((await inbound.verify(request, config)).is).toBe('verified')
  expect(await inbound.verify({ ...request, query: other }, config)).toEqual({
    is: 'rejected',
    reason: 'signature',
  })
})

test('one bit flipped in the body, a field more, less or renamed: it fails', async () => {
  const form = written('再開', { NumMedia: '0' })
  const request = signed(form)
  await fc.assert(
    fc.asyncProperty(fc.nat(request.body.length - 1), fc.nat(7), async (place, bit) => {
      const body = request.body.map((byte, n) => (n === place ? byte ^ (1 << bit) : byte))
      const verdict = await inbound.verify({ ...request, body }, config)
      // `%E5` and `%e5` are one text: the signature is over what the form says.
      const same = new URLSearchParams(Buffer.from(body).toString())
      const isSame = new URLSearchParams(form).toString() === same.toString()
      expect(verdict.is).toBe(isSame ? 'verified' : 'rejected')
    }),
    { numRuns: 100 },
  )
  const { NumMedia: _, ...less } = form
  for (const changed of [less, { ...form, Extra: '1' }, { ...form, From: '+819000000000' }]) {
    const body = Buffer.from(new URLSearchParams(changed).toString())
    expect(await inbound.verify({ ...request, body }, config)).toEqual({
      is: 'rejected',
      reason: 'signature',
    })
  }
})

test('a form that is cut elsewhere, or of another account, is not whole', async () => {
  const { AccountSid: _, ...rest } = written('a')
  const cut = { ...rest, Account: `Sid${AccountSid}` }
  expect(sign(cut)).toBe(sign(written('a')))
  expect(await inbound.verify(signed(cut), config)).toEqual({ is: 'rejected', reason: 'shape' })
  const other = { ...written('a'), AccountSid: AccountSid.replace('0', '1') }
  expect(await inbound.verify(signed(other), config)).toEqual({ is: 'rejected', reason: 'shape' })
})

const failed = (ErrorCode: string) => receipt('undelivered', { ErrorCode })
test.each<[string, Form, object[]]>([
  ['delivered', receipt('delivered'), [{ kind: 'delivered', dedupeKey: 'SM1:delivered' }]],
  ['failed', receipt('failed'), [{ kind: 'failed', dedupeKey: 'SM1:failed' }]],
  ['undelivered', failed('30008'), [{ kind: 'failed', dedupeKey: 'SM1:undelivered' }]],
  ['out of reach', failed('30003'), [{ kind: 'bounced', bounce: { permanence: 'transient' } }]],
  ['no such number', failed('30005'), [{ kind: 'bounced', bounce: { permanence: 'permanent' } }]],
  ['a landline', failed('30006'), [{ kind: 'bounced', bounce: { permanence: 'permanent' } }]],
  ['not a number', failed('21211'), [{ kind: 'bounced', bounce: { permanence: 'permanent' } }]],
  ['not a mobile', failed('21614'), [{ kind: 'bounced', bounce: { permanence: 'permanent' } }]],
  ['opted out', failed('21610'), [{ kind: 'unsubscribed' }]],
  ['queued', receipt('queued'), []],
  ['sent', receipt('sent'), []],
  ['a status to come', receipt('teleported'), []],
])('a receipt of %s gives its signal', async (_, form, expected) => {
  const found = await signals(signed(form, `key=${key}`))
  expect(found).toMatchObject(expected)
  expect(found).toHaveLength(expected.length)
  for (const { about } of found) expect(about).toEqual({ providerId: 'SM1', address: '+819012345678', key })
})

test('a receipt has the carrier’s time, and never one after it came', async () => {
  const time = async (more: Form) =>
    (await signals(signed(receipt('delivered', more))))[0]?.occurredAt.toISOString()
  expect(await time({ RawDlrDoneDate: '2604301430' })).toBe('2026-04-30T14:30:00.000Z')
  for (const more of [{ RawDlrDoneDate: '2604302330' }, { RawDlrDoneDate: 'soon' }, {}]) {
    expect(await time(more)).toBe(now.toISOString())
  }
})

test('what a member writes is a reply, and only a whole message asks for silence', async () => {
  const said = [
    '予約したい',
    'STOP',
    '停止',
    ' Stop. ',
    "don't stop",
    '停止しないで',
    'END',
    'START',
    'YES',
    'HELP',
    'info',
  ]
  const found = await Promise.all(said.map(async (text) => (await signals(signed(written(text))))[0]))
  expect(found.map((signal) => signal?.reply?.intent)).toEqual([
    ...['other', 'stop', 'stop', 'stop', 'other', 'other', 'stop', 'start', 'other', 'help', 'help'],
  ])
  expect(found[0]).toEqual({
    kind: 'replied',
    dedupeKey: 'SM-予約したい',
    occurredAt: now,
    about: { address: '+819012345678' },
    reply: { text: '予約したい', intent: 'other' },
    raw: { SmsStatus: 'received', OptOutType: null, NumMedia: null },
  })
})

test('where Twilio itself judged the words, its judgement counts', async () => {
  const [signal] = await signals(signed(written('やめて', { OptOutType: 'STOP' })))
  expect(signal?.reply).toEqual({ text: 'やめて', intent: 'stop' })
})

test('redelivered in any order and number, receipts keep their keys', async () => {
  const forms = [
    receipt('delivered'),
    failed('30005'),
    receipt('delivered', { MessageSid: 'SM2' }),
    written('停止'),
  ]
  const first = await Promise.all(forms.map(async (form) => (await signals(signed(form)))[0]?.dedupeKey))
  expect(new Set(first).size).toBe(4)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(3), { minLength: 1, maxLength: 9 }),
      fc.integer({ min: 0, max: 86_400_000 }),
      async (order, late) => {
        for (const n of order) {
          const receivedAt = new Date(now.getTime() + late)
          const [again] = await signals({ ...signed(forms[n] ?? {}), receivedAt })
          expect(again?.dedupeKey).toBe(first[n])
        }
      },
    ),
    { numRuns: 100 },
  )
})
