import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setDefaultCACertificates } from 'node:tls'
import email from '@engawa/channel-email'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { emailConfig, overSmtp, sendOver } from './relay.ts'

/** For `localhost`, signed by itself; made for these tests. */
const [key, cert] = ['relay.key.pem', 'relay.cert.pem'].map((name) =>
  readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8'),
)
const sign = { host: 'localhost', user: 'shop', password: 'canary-0417' }

beforeAll(() => setDefaultCACertificates([cert ?? '']))

interface Received {
  readonly from: string
  readonly to: string[]
  readonly user: string | undefined
  readonly isSecure: boolean
  readonly text: string
}

/** Somebody else's server, over a real port. */
async function server(options: SMTPServerOptions = {}): Promise<{ port: number; received: Received[] }> {
  const received: Received[] = []
  const smtp = new SMTPServer({
    ...(key && { key }),
    ...(cert && { cert }),
    onAuth: ({ username, password }, _session, done) => {
      if (password === 'canary-0417') done(null, { user: username })
      else done(new Error('Wrong'))
    },
    onData: async (stream, { envelope, user, secure }, done) => {
      const text = Buffer.concat(await stream.toArray()).toString()
      const from = envelope.mailFrom ? envelope.mailFrom.address : ''
      const to = envelope.rcptTo.map(({ address }) => address)
      received.push({ from, to, user: String(user), isSecure: secure, text })
      done()
    },
    ...options,
  })
  smtp.on('error', () => {}) // of connections that are given up
  const listening = smtp.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  onTestFinished(() => new Promise<void>((resolve) => void smtp.close(() => resolve())))
  return { port: (listening.address() as AddressInfo).port, received }
}

test.each([
  ['by STARTTLS', 'starttls', false],
  ['from the first byte', 'implicit', true],
])('a relay that wants encryption %s and a password gets both', async (_, tls, secure) => {
  const { port, received } = await server({ secure })
  expect(await sendOver({ port }, { given: { ...sign, tls } })).toMatchObject({ is: 'accepted' })
  expect(received).toEqual([
    {
      from: 'news@hanasaku.example',
      to: ['taro@example.com'],
      user: 'shop',
      isSecure: true,
      text: expect.stringContaining('Auto-Submitted: auto-generated'),
    },
  ])
})

test('a relay whose certificate cannot be trusted gets neither password nor message', async () => {
  setDefaultCACertificates([])
  onTestFinished(() => setDefaultCACertificates([cert ?? '']))
  const { port, received } = await server()
  expect(await sendOver({ port }, { given: { ...sign, tls: 'starttls' } })).toMatchObject({
    is: 'refused',
    fault: { cause: 'config', disposition: { do: 'hold' } },
  })
  expect(received).toEqual([])
})

test('a relay without encryption, where that is asked for, gets neither either', async () => {
  const { port, received } = await server({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] })
  expect(await sendOver({ port }, { given: { ...sign, tls: 'starttls' } })).toMatchObject({
    is: 'refused',
    fault: { cause: 'config', disposition: { do: 'hold' } },
  })
  expect(received).toEqual([])
})

test('a relay that refuses a recipient at its own is understood', async () => {
  const { port, received } = await server({
    authOptional: true,
    onRcptTo: (_address, _session, done) =>
      done(Object.assign(new Error('5.1.1 No such user'), { responseCode: 550 })),
  })
  const given = { host: 'localhost', tls: 'starttls' }
  expect(await sendOver({ port }, { given })).toMatchObject({
    is: 'refused',
    fault: { code: expect.stringMatching(/^550/), disposition: { do: 'never' } },
  })
  expect(received).toEqual([])
})

test('a check finds out everything without sending', async () => {
  const seen: string[] = []
  const { port } = await server({
    onMailFrom: ({ address }, _session, done) => done(void seen.push(address) as never),
  })
  const checking = async (password: string) =>
    email.config.check(overSmtp(await emailConfig({ ...sign, port, tls: 'starttls', password })))
  expect(await checking('canary-0417')).toMatchObject({ ok: true })
  expect(await checking('wrong')).toMatchObject({
    ok: false,
    fault: { cause: 'auth', disposition: { do: 'hold' } },
  })
  expect(seen).toEqual([])
})
