import { duplexPair } from 'node:stream'
import email from '@engawa/channel-email'
import type { Fault } from '@engawa/sdk'
import type { SmtpReply, SmtpStage } from '@engawa/sdk/fakes'
import { describe, expect, test } from 'vitest'
import { until } from '../support/until.ts'
import { key, now } from './provider.ts'
import { connecting, emailConfig, overSmtp, prepared, relay, sendOver } from './relay.ts'

const later = { do: 'later' } as const
const never = { do: 'never' } as const
const hold = { do: 'hold' } as const
const address = { scope: 'address' } as const
const inDays = (days: number) =>
  ({ scope: 'address', until: new Date(now.getTime() + days * 86_400_000) }) as const

const messageId = `<engawa.${key}@hanasaku.example>`

describe('what the relay answers decides', () => {
  const table: [at: SmtpStage, code: number, text: string, expected: Fault][] = [
    ['connect', 421, '4.3.2 Closing down', { cause: 'provider', disposition: later }],
    ['connect', 554, '5.3.2 No service here', { cause: 'config', disposition: hold }],
    ['ehlo', 421, '4.3.2 Closing down', { cause: 'provider', disposition: later }],
    ['ehlo', 550, '5.7.1 Go away', { cause: 'policy', disposition: hold }],
    ['auth', 454, '4.7.0 Try again', { cause: 'auth', disposition: later }],
    ['auth', 535, '5.7.8 Wrong', { cause: 'auth', disposition: hold }],
    ['auth', 534, '', { cause: 'auth', disposition: hold }],
    ['mail', 451, '4.3.0 Busy', { cause: 'provider', disposition: later }],
    ['mail', 550, '5.1.8 Who are you', { cause: 'config', disposition: hold }],
    ['mail', 530, '5.7.0 Sign in first', { cause: 'policy', disposition: hold }],
    ['mail', 552, '5.3.4 Too large', { cause: 'content', disposition: never }],
    ['rcpt', 450, '4.7.1 Greylisted', { cause: 'rate', disposition: later }],
    ['rcpt', 452, '4.2.2 Mailbox full', { cause: 'recipient', disposition: later }],
    ['rcpt', 421, '', { cause: 'provider', disposition: later }],
    ['rcpt', 550, '5.1.1 No such user', { cause: 'address', disposition: never, suppress: address }],
    ['rcpt', 556, '5.1.10 Null MX', { cause: 'address', disposition: never, suppress: address }],
    ['rcpt', 550, '', { cause: 'address', disposition: never }],
    ['rcpt', 552, '5.2.2 Mailbox full', { cause: 'recipient', disposition: never, suppress: inDays(7) }],
    ['rcpt', 552, '', { cause: 'recipient', disposition: never, suppress: inDays(7) }],
    ['rcpt', 550, '5.2.1 Switched off', { cause: 'recipient', disposition: never, suppress: inDays(30) }],
    ['rcpt', 554, '5.7.1 Relay access denied', { cause: 'policy', disposition: hold }],
    ['data', 451, '4.3.0 Busy', { cause: 'provider', disposition: later }],
    ['data', 554, '5.5.0 No', { cause: 'content', disposition: never }],
    ['dot', 451, '4.7.1 Later', { cause: 'rate', disposition: later }],
    ['dot', 550, '5.1.1 No such user', { cause: 'address', disposition: never, suppress: address }],
    ['dot', 554, '5.6.0 Bad content', { cause: 'content', disposition: never }],
    ['dot', 550, '5.7.26 Unauthenticated', { cause: 'policy', disposition: hold }],
    ['dot', 554, '', { cause: 'content', disposition: never }],
  ]
  test.each(table)('%s answered with %i %s', async (at, code, text, expected) => {
    const server = await relay()
    server.answer({ at, code, text: text || 'As told' })
    const given = at === 'auth' ? { user: 'shop', password: 'canary-0417' } : {}
    const outcome = await sendOver(server, { given })
    const fault = outcome.is === 'refused' ? outcome.fault : expect.fail(JSON.stringify(outcome))
    const status = text.split(' ')[0] ?? ''
    expect(fault).toEqual({
      ...expected,
      code: `${code} ${status}`.trim(),
      detail: expect.stringContaining(`${code}`),
    })
    expect(server.messages).toHaveLength(0)
  })

  test('another word of refusal is for good, another of delay is not', async () => {
    const server = await relay()
    const answered = async (reply: SmtpReply) => {
      server.answer(reply)
      const outcome = await sendOver(server)
      return outcome.is === 'refused' ? outcome.fault.disposition : outcome
    }
    expect(await answered({ at: 'rcpt', code: 559 })).toEqual(never)
    expect(await answered({ at: 'rcpt', code: 459 })).toEqual(later)
  })
})

test('what the relay says is not repeated: it may name the address', async () => {
  const server = await relay()
  server.answer({ at: 'rcpt', code: 550, text: '5.1.1 <{recipient}>: unknown' })
  expect(JSON.stringify(await sendOver(server))).not.toContain('taro')
})

describe('a conversation that breaks', () => {
  test.each<SmtpStage>(['connect', 'ehlo', 'auth', 'mail', 'rcpt', 'data'])(
    'at %s sent nothing',
    async (at) => {
      const server = await relay()
      server.answer({ at, drop: true })
      const given = at === 'auth' ? { user: 'shop', password: 'secret' } : {}
      expect(await sendOver(server, { given })).toEqual({
        is: 'refused',
        fault: { cause: 'network', disposition: later, detail: 'The connection to the relay broke.' },
      })
    },
  )

  test('after the final dot leaves everybody in doubt', async () => {
    const server = await relay()
    server.answer({ at: 'dot', drop: true })
    expect(await sendOver(server)).toMatchObject({ is: 'unknown', evidence: 'reset' })
    expect(server.messages).toHaveLength(1)
  })

  test('in the middle of a long message sent nothing', async () => {
    const { near, far } = slowWire()
    const answers: Record<string, string> = {
      EHLO: '250 hello',
      MAIL: '250 ok',
      RCPT: '250 ok',
      DATA: '354 go',
    }
    let heard = 0
    far.write('220 hello\r\n')
    far.on('data', (bytes: Buffer) => {
      const answer = answers[bytes.toString('latin1', 0, 4)]
      if (answer) far.write(`${answer}\r\n`)
      else heard += bytes.length
      if (heard > 100_000) near.destroy(new Error('ECONNRESET'))
    })
    const ctx = overSmtp(await emailConfig(), { connect: async () => near })
    const mail = prepared({ body: 'とても長いお知らせです。'.repeat(15_000) })
    expect(await email.send(ctx, mail)).toMatchObject({ is: 'refused', fault: { disposition: later } })
    expect(heard).toBeLessThan(mail.message.length)
  })

  test('before it began sent nothing, and a host that may not be reached waits to be put right', async () => {
    const config = await emailConfig()
    const failing = (error: Error) =>
      email.send(overSmtp(config, { connect: () => Promise.reject(error) }), prepared())
    expect(await failing(new Error('ECONNREFUSED'))).toMatchObject({
      is: 'refused',
      fault: { cause: 'network', disposition: later },
    })
    expect(await failing(Object.assign(new Error('private'), { reason: 'refused' }))).toMatchObject({
      is: 'refused',
      fault: { cause: 'config', disposition: hold },
    })
  })
})

describe('an attempt that is given up', () => {
  test.each<readonly [SmtpStage, object]>([
    ['connect', { is: 'refused', fault: { disposition: later } }],
    ['ehlo', { is: 'refused', fault: { disposition: later } }],
    ['rcpt', { is: 'refused', fault: { disposition: later } }],
    ['dot', { is: 'unknown', evidence: 'timeout' }],
  ])('while the relay is silent at %s ends at once', async (at, expected) => {
    const server = await relay()
    server.answer({ at, held: true })
    const giveUp = new AbortController()
    const sending = sendOver(server, { told: { signal: giveUp.signal } })
    if (at === 'dot') await until(() => server.messages.length > 0)
    else if (at === 'rcpt') await server.arrived(1)
    else await until(() => server.connections > 0)
    giveUp.abort()
    expect(await Promise.race([sending, turns(20)])).toMatchObject(expected)
  })

  test('leaves no connection behind', async () => {
    const server = await relay()
    server.answer({ at: 'dot', held: true })
    const giveUp = new AbortController()
    const socket = await connecting({ host: '127.0.0.1', port: server.port }, new AbortController().signal)
    const sending = sendOver(server, { told: { signal: giveUp.signal, connect: async () => socket } })
    await until(() => server.messages.length > 0)
    giveUp.abort()
    await sending
    expect(socket.destroyed).toBe(true)
  })

  test('before it began says so without a word to the relay', async () => {
    const server = await relay()
    const outcome = await sendOver(server, { told: { signal: AbortSignal.abort() } })
    expect(outcome).toMatchObject({ is: 'refused', fault: { disposition: later } })
    expect(server.sendings).toBe(0)
  })
})

test('one message goes to one recipient, with the key wherever a report may bring it back', async () => {
  const server = await relay()
  const outcome = await sendOver(server, {
    given: { returnPath: 'mail.hanasaku.example', fromName: 'はなさく', replyTo: 'help@hanasaku.example' },
  })
  expect(outcome).toEqual({ is: 'accepted', at: now, providerId: messageId })
  const [message] = server.messages
  expect(message).toMatchObject({ from: `bounce+${key}@mail.hanasaku.example`, to: ['taro@example.com'] })
  expect(message?.mailParameters).toEqual(expect.arrayContaining(['RET=HDRS', `ENVID=${key}`]))
  expect(message?.rcptParameters).toEqual([['NOTIFY=FAILURE,DELAY', 'ORCPT=rfc822;taro@example.com']])
  const fields = Object.fromEntries(
    ['Date', 'From', 'Reply-To', 'To', 'Message-ID', 'X-Engawa-Delivery'].map((name) => [
      name,
      message?.field(name),
    ]),
  )
  expect(fields).toEqual({
    Date: 'Thu, 30 Apr 2026 14:59:00 +0000',
    From: '=?UTF-8?B?44Gv44Gq44GV44GP?= <news@hanasaku.example>',
    'Reply-To': '<help@hanasaku.example>',
    To: '<taro@example.com>',
    'Message-ID': messageId,
    'X-Engawa-Delivery': key,
  })
})

test('reports are asked for only where they are offered, and go to the sender where no return path is set', async () => {
  const server = await relay({ dsn: false })
  await sendOver(server)
  expect(server.messages[0]).toMatchObject({ from: 'news@hanasaku.example', rcptParameters: [[]] })
  expect(server.messages[0]?.mailParameters.join()).not.toMatch(/RET|ENVID/)
})

test('a relay that says how much it takes is not sent more', async () => {
  const server = await relay({ size: 300 })
  expect(await sendOver(server)).toMatchObject({
    is: 'refused',
    fault: { cause: 'content', disposition: never },
  })
  expect(server.sendings).toBe(0)
})

test('a dot at the beginning of a line arrives as it was', async () => {
  const server = await relay()
  const ctx = overSmtp(await emailConfig({ port: server.port }))
  await email.send(ctx, prepared({ body: 'first\n.\n..last' }))
  expect(server.messages[0]?.text.endsWith('\r\n\r\nfirst\r\n.\r\n..last\r\n')).toBe(true)
})

describe('a check', () => {
  const checking = async (port: number, given: object = {}) =>
    email.config.check(overSmtp(await emailConfig({ port, ...given })))

  test('signs in and names neither sender nor recipient', async () => {
    const server = await relay({ login: { user: 'shop', password: 'right' } })
    const result = await checking(server.port, { user: 'shop', password: 'right', returnPath: 'm.example' })
    expect(result).toEqual({
      ok: true,
      notes: [
        'Mail goes to the relay unencrypted.',
        'Without an inbound secret nothing can be handed in: no bounce and no complaint will be known.',
      ],
    })
    expect(server.sendings).toBe(0)
  })

  test('says that the password is wrong, and not which', async () => {
    const server = await relay({ login: { user: 'shop', password: 'right' } })
    const result = await checking(server.port, { user: 'shop', password: 'canary-0417' })
    expect(result).toMatchObject({
      ok: false,
      fault: { cause: 'auth', disposition: hold, code: '535 5.7.8' },
    })
    expect(JSON.stringify(result)).not.toMatch(/canary|Y2FuYXJ5/)
  })

  test('says that encryption is asked for and not offered', async () => {
    const server = await relay()
    expect(await checking(server.port, { tls: 'starttls' })).toMatchObject({
      ok: false,
      fault: { cause: 'config', disposition: hold },
    })
  })
})

/** So many turns of the event loop, which take no time worth naming. */
async function turns(count: number): Promise<string> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
  return 'It still waits.'
}

/** A connection whose two ends are both here, so that nothing is under way but what the far end has read. */
function slowWire() {
  const [near, far] = duplexPair()
  return { far, near: Object.assign(near, { setTimeout: () => near }) }
}
