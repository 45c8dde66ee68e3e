import { createHmac } from 'node:crypto'
import email from '@engawa/channel-email'
import { channelConformance } from '@engawa/sdk/conformance'
import { deliveryReport, smtpServer } from '@engawa/sdk/fakes'
import { expect, test } from 'vitest'

const key = '0197a1b2-0000-7000-8000-000000000001'
const original = `Message-ID: <engawa.${key}@hanasaku.example>\r\nX-Engawa-Delivery: ${key}\r\nSubject: Hello\r\n\r\nHello`
const report = (action: 'failed' | 'delayed', status: string) =>
  deliveryReport({
    returnPath: `bounce+${key}@mail.hanasaku.example`,
    recipient: 'taro@example.com',
    action,
    status,
    original,
  })
const feedback = (type: string) => `From: feedback@mailbox.example
To: fbl@hanasaku.example
Subject: FW: Hello
Date: Wed, 01 Apr 2026 00:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=fbl

--fbl
Content-Type: message/feedback-report

Feedback-Type: ${type}
User-Agent: Feedback/1.0
Version: 1

--fbl
Content-Type: message/rfc822

${original}
--fbl--
`
const answer = (text: string) => `From: Taro <taro@example.com>
To: news@hanasaku.example
Subject: Re: Hello
Date: Wed, 01 Apr 2026 00:00:00 +0000
Message-ID: <1@example.com>
In-Reply-To: <engawa.${key}@hanasaku.example>
Content-Type: text/plain; charset=utf-8

${text}
`

const laws = channelConformance(email, {
  provider: () => smtpServer(),
  config: ({ port }, tenant) => ({
    host: '127.0.0.1',
    port,
    tls: 'none',
    user: `shop-${tenant}`,
    password: `password-of-tenant-${tenant}`,
    from: 'news@hanasaku.example',
    returnPath: 'mail.hanasaku.example',
    inboundSecret: `secret-of-tenant-${tenant}`,
  }),
  badConfigs: [
    { path: 'host', value: undefined },
    { path: 'port', value: 70_000 },
    { path: 'tls', value: 'ssl' },
    { path: 'password', value: undefined },
    { path: 'from', value: 'nobody' },
    { path: 'returnPath', value: 'a@b' },
    { path: 'inboundSecret', value: 'short' },
  ],
  address: 'taro@example.com',
  replies: [
    {
      reply: { at: 'connect', code: 421, text: '4.3.2 Closing down' },
      expect: { do: 'later', cause: 'provider' },
    },
    {
      reply: { at: 'connect', code: 554, text: '5.3.2 No service' },
      expect: { do: 'hold', cause: 'config' },
    },
    { reply: { at: 'auth', code: 535, text: '5.7.8 Wrong' }, expect: { do: 'hold', cause: 'auth' } },
    { reply: { at: 'auth', code: 454, text: '4.7.0 Later' }, expect: { do: 'later', cause: 'auth' } },
    { reply: { at: 'mail', code: 550, text: '5.1.8 Who' }, expect: { do: 'hold', cause: 'config' } },
    { reply: { at: 'mail', code: 451, text: '4.3.0 Busy' }, expect: { do: 'later', cause: 'provider' } },
    {
      reply: { at: 'rcpt', code: 550, text: '5.1.1 No such user' },
      expect: { do: 'never', cause: 'address', suppress: 'address' },
    },
    {
      reply: { at: 'rcpt', code: 552, text: '5.2.2 Mailbox full' },
      expect: { do: 'never', cause: 'recipient', suppress: 'address' },
    },
    {
      reply: { at: 'rcpt', code: 452, text: '4.2.2 Mailbox full' },
      expect: { do: 'later', cause: 'recipient', suppress: 'nothing' },
    },
    { reply: { at: 'rcpt', code: 550 }, expect: { do: 'never', cause: 'address', suppress: 'nothing' } },
    { reply: { at: 'rcpt', code: 450, text: '4.7.1 Greylisted' }, expect: { do: 'later', cause: 'rate' } },
    { reply: { at: 'rcpt', code: 554, text: '5.7.1 Denied' }, expect: { do: 'hold', cause: 'policy' } },
    { reply: { at: 'data', code: 451, text: '4.3.0 Busy' }, expect: { do: 'later', cause: 'provider' } },
    { reply: { at: 'dot', code: 554, text: '5.6.0 Bad content' }, expect: { do: 'never', cause: 'content' } },
    { reply: { at: 'dot', code: 451, text: '4.3.0 Busy' }, expect: { do: 'later', cause: 'provider' } },
    { reply: { at: 'dot', drop: true }, expect: 'unknown' },
  ],
  inbound: {
    sign: (body, { config, at }) => {
      const seconds = Math.floor(at.getTime() / 1000)
      const hex = createHmac('sha256', config.inboundSecret ?? '')
        .update(`${seconds}.${body}`)
        .digest('hex')
      return { headers: { 'engawa-signature': `t=${seconds},v1=${hex}` }, body }
    },
    signsTime: 300,
    rotation: {
      before: { inboundSecret: 'the-old-secret-of-shop' },
      during: { inboundSecret: 'the-new-secret-of-shop', previousInboundSecret: 'the-old-secret-of-shop' },
      after: { inboundSecret: 'the-new-secret-of-shop' },
    },
    oneMessage: [report('delayed', '4.4.1'), report('failed', '5.1.1')],
    redelivered: [report('delayed', '4.4.1'), `Received: by elsewhere\r\n${report('failed', '5.1.1')}`],
    suppressing: {
      bounced: report('failed', '5.1.1'),
      complained: feedback('abuse'),
      unsubscribed: feedback('opt-out'),
    },
    answer,
    stopWords: ['STOP', '配信停止', '退会'],
  },
})

const applying = laws.filter(({ skip }) => skip === false)

test('every law applies to e-mail but that of keys, which SMTP does not know', () => {
  expect(laws.filter(({ skip }) => skip !== false)).toMatchObject([
    { number: 6, skip: 'its idempotency is none: the core does not send a key twice unasked (law 7)' },
  ])
})

for (const { name, run } of applying) test(`e-mail keeps law ${name}`, run)
