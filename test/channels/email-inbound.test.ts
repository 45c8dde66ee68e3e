import email from '@engawa/channel-email'
import type { Signal } from '@engawa/sdk'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { weigh } from '../../api/host/index.ts'
import { key } from './provider.ts'
import { handedIn, lineEnds, mail, receivedAt, signalsOf, signed } from './received.ts'
import { emailConfig } from './relay.ts'

const messageId = `<engawa.${key}@hanasaku.example>`
const fixtures = {
  'report-permanent': 'PERMANENT_BOUNCE',
  'report-transient': 'TRANSIENT_BOUNCE',
  'report-delayed': 'TRANSIENT_BOUNCE',
  'report-delivered': 'UNRECOGNISED',
  'report-several': 'PERMANENT_BOUNCE',
  'report-without-status': 'PERMANENT_BOUNCE',
  'report-without-codes': 'UNDETERMINED_BOUNCE',
  'report-without-parts': 'PERMANENT_BOUNCE',
  'report-empty': 'UNDETERMINED_BOUNCE',
  complaint: 'COMPLAINT',
  'complaint-broken': 'COMPLAINT',
  'complaint-junk': 'COMPLAINT',
  'complaint-technical': 'COMPLAINT',
  'complaint-amazon': 'COMPLAINT',
  'opt-out': 'OPT_OUT',
  'not-spam': 'UNRECOGNISED',
  'notice-qmail': 'PERMANENT_BOUNCE',
  'notice-exim': 'UNDETERMINED_BOUNCE',
  'notice-japanese': 'UNDETERMINED_BOUNCE',
  'notice-mislabelled': 'UNDETERMINED_BOUNCE',
  'auto-reply': 'AUTO_REPLY',
  'auto-reply-old': 'AUTO_REPLY',
  reply: 'REPLY',
  'reply-stop': 'OPT_OUT',
  ordinary: 'UNRECOGNISED',
  'ordinary-list': 'UNRECOGNISED',
  'ordinary-forwarding': 'UNRECOGNISED',
}

/** What matters of signals, in few words. */
const brief = (signals: readonly Signal[]) =>
  signals.map(({ kind, about, bounce, machine, reply }) => ({ kind, ...about, ...bounce, machine, ...reply }))

describe('received mail', () => {
  test.each(Object.entries(fixtures))('%s is %s, whatever ends its lines', (name, is) => {
    const [lf, ...others] = lineEnds(mail(name)).map(signalsOf)
    expect(weigh(lf ?? []).class).toBe(is)
    expect(others).toEqual([lf, lf])
  })

  test('a report of failure names delivery, address, code and time', () => {
    expect(signalsOf(mail('report-permanent'))).toEqual([
      {
        kind: 'bounced',
        dedupeKey: expect.stringMatching(/^[\w-]{43}$/),
        occurredAt: new Date('2026-03-03T01:00:01Z'),
        about: { key, providerId: messageId, address: 'taro@example.net' },
        bounce: { permanence: 'permanent', enhancedStatus: '5.1.1' },
        raw: expect.objectContaining({
          action: 'failed',
          diagnostic: 'smtp; 550 5.1.1 <taro@forwarded.example.org>: no such mailbox here',
          originalEnvelopeId: key,
        }),
      },
    ])
  })

  test.each([
    ['the return path', `To: bounce+${key}@mail.hanasaku.example`],
    [
      'the return path as the mailbox has it',
      `Delivered-To: bounce+${key.toUpperCase()}@mail.hanasaku.example`,
    ],
    ['the message that it answers', `References: <other@example.com> <engawa.${key}@hanasaku.example>`],
    ['the envelope id', '', `Original-Envelope-Id: ${key}`],
    ['the returned header', '', '', `X-Engawa-Delivery: ${key}`],
    ['the returned Message-ID', '', '', `Message-ID: <engawa.${key}@hanasaku.example>`],
    [
      'nothing',
      `To: bounce@hanasaku.example`,
      'Original-Envelope-Id: 42',
      `Message-ID: <${key}@example.com>`,
    ],
  ])('a report finds its delivery by %s', (by, head, group = '', returned = '') => {
    const report = `From: MAILER-DAEMON@example.net
${head}
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; example.net
${group}

Final-Recipient: rfc822; taro@example.net
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

From: news@hanasaku.example
${returned}
--b--
`.replace(/\n\nContent-Type: multipart/, '\nContent-Type: multipart')
    expect(signalsOf(report)[0]?.about.key).toBe(by === 'nothing' ? undefined : key)
  })

  test('a report that several addresses failed says it of each, and of none that did not', () => {
    expect(brief(signalsOf(mail('report-several')))).toMatchObject([
      { kind: 'bounced', address: 'jiro@example.net', permanence: 'transient', enhancedStatus: '4.2.2' },
      { kind: 'bounced', address: 'saburo@example.net', permanence: 'permanent', enhancedStatus: '5.2.1' },
    ])
  })

  test('a message that is still tried is deferred, not bounced', () => {
    expect(brief(signalsOf(mail('report-delayed')))).toMatchObject([
      { kind: 'deferred', address: 'taro@example.net', permanence: 'transient' },
    ])
  })

  test('a report that lost its parts is read from its text, and not from what it returns', () => {
    expect(brief(signalsOf(mail('report-without-parts')))).toMatchObject([
      { address: 'taro@example.net', permanence: 'permanent', enhancedStatus: '5.5.0' },
    ])
  })

  test('qmail decides by the status codes that its notices may carry, and only by them', () => {
    expect(brief(signalsOf(mail('notice-qmail')))).toMatchObject([
      { address: 'taro@example.net', permanence: 'permanent', enhancedStatus: '5.1.1', key },
      { address: 'jiro@example.org', permanence: 'transient', enhancedStatus: '4.4.1' },
      { address: 'saburo@example.org', permanence: 'undetermined' },
    ])
  })

  test('a notice in free text is undetermined, whatever it says, and is kept', () => {
    const [signal] = signalsOf(mail('notice-exim'))
    expect(signal).toMatchObject({
      about: { key, address: 'taro@example.net' },
      bounce: { permanence: 'undetermined' },
      raw: { text: expect.stringContaining('550 5.1.1 User unknown') },
    })
  })

  test.each([
    ['mailer-daemon@example.net', 'Delivery Status Notification (Failure)', true],
    ['Mail Administrator <no-reply@carrier.example>', 'Mail System Error - Returned Mail', true],
    ['post_master@carrier.example', 'Undeliverable Message', true],
    ['<>', 'failure notice', true],
    ['postmaster@example.net', 'Welcome to the postmasters’ list', false],
    ['Anna <anna@example.net>', 'Returned mail from my grandmother', false],
    ['no-reply@supplier.example', 'Your order is on its way', false],
  ])('by %s about "%s" is a notice of failure: %s', (from, subject, isNotice) => {
    const [signal] = signalsOf(`From: ${from}\nSubject: ${subject}\n\nHello <taro@example.net>\n`)
    expect(signal?.bounce).toEqual(isNotice ? { permanence: 'undetermined' } : undefined)
  })

  test('a notice that names nobody is about whom the returned message was for', () => {
    const notice = `From: MAILER-DAEMON@example.net
To: news@hanasaku.example
Subject: Returned mail: Cannot send message for 4 days

421 example.com (smtp)... Deferred

   ----- Unsent message follows -----
From: news@hanasaku.example
To: taro@example.net
Message-ID: <1@example.com>
`
    expect(signalsOf(notice)[0]?.about).toEqual({
      address: 'taro@example.net',
      providerId: '<1@example.com>',
    })
  })

  test('a complaint finds its delivery although the address was taken out', () => {
    expect(brief(signalsOf(mail('complaint')))).toEqual([{ kind: 'complained', key, providerId: messageId }])
  })

  test('a complaint of broken MIME names everybody that it names', () => {
    expect(brief(signalsOf(mail('complaint-broken')))).toMatchObject([
      { kind: 'complained', key, address: 'taro@example.net' },
      { kind: 'complained', key, address: 'jiro@example.net' },
    ])
  })

  test('a failed signature is nobody’s complaint: it names neither address nor delivery', () => {
    expect(brief(signalsOf(mail('complaint-technical')))).toEqual([
      { kind: 'complained', providerId: '<fbl-1@mailbox.example>' },
    ])
  })

  test('a notification of Amazon is read in the frame of its SNS too', () => {
    const text = mail('complaint-amazon').toString()
    const [whole = '', json = ''] = /^(\{[\s\S]*\})$/m.exec(text) ?? []
    const framed = JSON.stringify({ Type: 'Notification', Message: json.replace('!\n ', '') })
    expect(signalsOf(text.replace(whole, () => framed))[0]?.about).toEqual({
      key,
      address: 'taro@example.net',
    })
  })

  test('an opt-out unsubscribes', () => {
    expect(brief(signalsOf(mail('opt-out')))).toMatchObject([
      { kind: 'unsubscribed', address: 'taro@example.net' },
    ])
  })

  test('a machine that answers asks for nothing, even with the word for it', () => {
    expect(brief(signalsOf(mail('auto-reply')))).toEqual([
      { kind: 'replied', machine: 'likely', key, address: 'taro@example.net' },
    ])
    expect(signalsOf(mail('auto-reply'))[0]?.raw).toMatchObject({
      subject: '不在のお知らせ',
      text: '配信停止',
    })
  })

  test.each([
    'Auto-Submitted: auto-replied',
    'Auto-Submitted: auto-generated (vacation)',
    'Precedence: auto_reply',
    'X-Autoreply: yes',
    'X-Auto-Response-Suppress: All',
    'Return-Path: <>',
    'Subject: 自動返信: ご連絡ありがとうございます',
    'Subject: Automatic reply: Thank you',
  ])('%s is the mark of a machine', (field) => {
    const [signal] = signalsOf(`From: taro@example.net\n${field}\nIn-Reply-To: <x@y>\n\nSTOP\n`)
    expect(signal).toMatchObject({ kind: 'replied', machine: 'likely' })
    expect(signal?.reply).toBeUndefined()
  })

  test('whoever says that no machine wrote it is believed', () => {
    const [signal] = signalsOf(
      'From: a@example.net\nAuto-Submitted: no\nSubject: Re: out of office hours\n\nWhen?\n',
    )
    expect(signal).toMatchObject({ machine: 'unlikely', reply: { text: 'When?' } })
  })

  test('an answer is its own words; what it quotes, and a word in a sentence, ask for nothing', () => {
    expect(brief(signalsOf(mail('reply')))).toEqual([
      {
        kind: 'replied',
        machine: 'unlikely',
        key,
        address: 'Anna@Example.com',
        text: 'Please do not stop sending! I didn’t get the second parcel.',
        intent: 'other',
      },
    ])
  })
})

describe('what an answer asks for', () => {
  const intent = (body: string, subject = 'Re: Thank you') =>
    signalsOf(`From: taro@example.net\nSubject: ${subject}\nIn-Reply-To: <x@y>\n\n${body}\n`)[0]?.reply
      ?.intent

  test.each([
    'STOP',
    ' unsubscribe. ',
    '配信停止',
    '「配信停止」',
    '退会',
    '退会希望',
    '配信停止してください。',
    'Ｓｔｏｐ',
  ])('%s alone is a stop', (body) => {
    expect(intent(body)).toBe('stop')
    expect(intent(`${body}\n\n-- \nTaro`)).toBe('stop')
    expect(intent(`${body}\n\n2026年3月2日(月) 9:00 Hanasaku <news@hanasaku.example>:\n> Thank you`)).toBe(
      'stop',
    )
    expect(intent('', body)).toBe('stop')
  })

  test.each([
    'Please stop by our office.',
    '配信停止の方法を教えてください',
    '退会はしません',
    'Do not unsubscribe me',
    'stop\nstop sending twice a day, once is enough',
  ])('%s is not', (body) => {
    expect(intent(body)).toBe('other')
  })
})

describe('Japanese', () => {
  const bytes = {
    'iso-2022-jp': '1b2442475b3f2e44643b5f1b2842',
    shift_jis: '947a904d92e28e7e',
    'euc-jp': 'c7dbbfaec4e4bbdf',
    'utf-8': Buffer.from('配信停止').toString('hex'),
  }
  const answer = (charset: string, hex: string, encoding = '8bit') =>
    Buffer.concat([
      Buffer.from(
        `From: taro@example.net\nSubject: Re: x\nIn-Reply-To: <x@y>\nContent-Type: text/plain; charset=${charset}\nContent-Transfer-Encoding: ${encoding}\n\n`,
      ),
      encoding === 'base64'
        ? Buffer.from(Buffer.from(hex, 'hex').toString('base64'))
        : Buffer.from(hex, 'hex'),
      Buffer.from('\n'),
    ])

  test.each(Object.entries(bytes))(
    'in %s is read, as bytes, in base64, and under a wrong name',
    (charset, hex) => {
      const messages = [
        answer(charset, hex),
        answer(charset, hex, 'base64'),
        ...['us-ascii', 'utf-8', ''].map((wrong) => answer(wrong, hex)),
      ]
      for (const message of messages) {
        expect(signalsOf(message)[0]?.reply).toEqual({ text: '配信停止', intent: 'stop' })
      }
    },
  )

  test('in a notice is read, also where the charset is another than it says', () => {
    for (const name of ['notice-japanese', 'notice-mislabelled']) {
      expect(signalsOf(mail(name))[0]).toMatchObject({
        about: { address: 'taro@carrier.example' },
        raw: { text: expect.stringContaining('エラーのため送信できませんでした') },
      })
    }
    expect(signalsOf(mail('notice-japanese'))[0]?.raw).toMatchObject({
      subject: '配信の Mail System Error - Returned Mail',
    })
  })
})

describe('the same message', () => {
  test('handed in twice, over other relays, has the same keys; another message has others', () => {
    const relayed = Buffer.concat([Buffer.from('Received: from elsewhere\r\n'), mail('report-several')])
    const keysOf = (body: Uint8Array) => signalsOf(body).map(({ dedupeKey }) => dedupeKey)
    expect(keysOf(relayed)).toEqual(keysOf(mail('report-several')))
    const all = Object.keys(fixtures).flatMap((name) => keysOf(mail(name)))
    expect(new Set(all).size).toBe(all.length)
  })

  test('happened when it says, and never later than it came', () => {
    const dated = (date: string) =>
      signalsOf(`From: a@b.example\nDate: ${date}\nIn-Reply-To: <x@y>\n\nhello`)[0]?.occurredAt
    expect(dated('Tue, 3 Mar 2026 10:00:04 +0900 (JST)')).toEqual(new Date('2026-03-03T01:00:04Z'))
    expect(dated('3 Mar 26 10:00 JST')).toEqual(new Date('2026-03-03T01:00:00Z'))
    expect(dated('Tue, 3 Mar 2099 10:00:04 +0900')).toEqual(receivedAt)
    expect(dated('yesterday')).toEqual(receivedAt)
  })
})

describe('anything at all', () => {
  const isGood = (signals: readonly Signal[]) => {
    for (const { about, occurredAt, raw, dedupeKey } of signals) {
      expect(Object.values(about).filter(Boolean).length).toBeGreaterThan(0)
      expect(occurredAt.getTime()).not.toBeNaN()
      expect(dedupeKey).toHaveLength(43)
      expect(JSON.stringify({ about, raw })).not.toMatch(/\\u0000|\\ud[89a-f]/)
    }
  }

  test('is kept only as a database can keep it', () => {
    const [signal] = signalsOf(
      `From: a@example.net\nAuto-Submitted: auto-replied\n\n${'x'.repeat(3_999)}\u{1f600}\n`,
    )
    expect(Reflect.get(Object(signal?.raw), 'text')).toBe(`${'x'.repeat(3_999)}\ufffd`)
    const [other] = signalsOf(
      'From: a@example.net\nSubject: a\0b\nMessage-ID: <\0@x>\nAuto-Submitted: yes\n\na\0\x07b\n',
    )
    expect(other?.raw).toEqual({ subject: 'ab', text: 'ab', messageId: '<@x>' })
  })

  test('is read without a fault: random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => isGood(signalsOf(bytes))))
  })

  test('is read without a fault: lines of mail in any order', () => {
    const lines = Object.keys(fixtures).flatMap((name) => mail(name).toString('latin1').split('\n'))
    const line = fc.oneof(
      fc.nat().map((n) => lines[n % lines.length] ?? ''),
      fc.string({ unit: 'binary', maxLength: 40 }),
    )
    const some = fc.array(line, { maxLength: 60 })
    fc.assert(
      fc.property(some, fc.constantFrom('\n', '\r\n', '\r'), (found, end) =>
        isGood(signalsOf(Buffer.from(found.join(end), 'latin1'))),
      ),
    )
  })

  test('is read without a fault: messages that break off, with a bit flipped', () => {
    const name = fc.constantFrom(...Object.keys(fixtures))
    fc.assert(
      fc.property(name, fc.nat(), fc.nat(), (of, end, flip) => {
        const bytes = Buffer.from(mail(of))
        const place = flip % bytes.length
        bytes[place] = (bytes[place] ?? 0) ^ (1 << (flip % 8))
        isGood(signalsOf(bytes.subarray(0, end % bytes.length)))
      }),
    )
  })

  test.each([
    ['blanks', `From: a@b.example\nSubject: Re: x\n\n${' '.repeat(500_000)}x`],
    ['line ends', '\n'.repeat(500_000)],
    [
      'dashes',
      `From: mailer-daemon@b.example\nSubject: failed mail\n\n${`\n${'-'.repeat(1_000)}`.repeat(500)}`,
    ],
    ['unclosed tags', `From: a@b.example\nContent-Type: text/html\n\n${'<style>'.repeat(70_000)}`],
    ['boundaries', `Content-Type: multipart/mixed; boundary=a\n\n${'--a\n\n'.repeat(100_000)}`],
    [
      'nesting',
      Array.from(
        { length: 1_000 },
        (_, n) => `Content-Type: multipart/mixed; boundary=b${n}\n\n--b${n}`,
      ).join('\n'),
    ],
    ['a folded header', `From: a@b.example\nSubject: x\n${' y\n'.repeat(150_000)}\n\n`],
    [
      'groups',
      `From: postmaster@b.example\nSubject: returned mail\n\n${'Final-Recipient: x\n\n'.repeat(25_000)}`,
    ],
    ['addresses', `From: ${'<a@b.example>, '.repeat(30_000)}\n\n`],
  ])('is read in a moment: much of %s', { timeout: 5_000 }, (_, text) => {
    isGood(signalsOf(text))
  })
})

describe('whoever hands a message in', () => {
  const [fresh, old] = ['s'.repeat(16), 'o'.repeat(16)]
  const body = mail('report-permanent')
  const verdict = async (
    request: Parameters<typeof handedIn>[0] | ReturnType<typeof handedIn>,
    given: object = {},
  ) => {
    const config = await emailConfig({ inboundSecret: fresh, previousInboundSecret: old, ...given })
    const read = await email.inbound?.verify('body' in request ? request : handedIn(request), config)
    return read?.is === 'rejected' ? read.reason : read?.is
  }

  test('proves it with the secret, or with the one before', async () => {
    expect(await verdict(signed(body, fresh))).toBe('verified')
    expect(await verdict(signed(body, old))).toBe('verified')
    expect(await verdict(signed(body, old), { previousInboundSecret: undefined })).toBe('signature')
    expect(await verdict(signed(body, 'x'.repeat(16)))).toBe('signature')
    expect(
      await verdict(signed(body, fresh), { inboundSecret: undefined, previousInboundSecret: undefined }),
    ).toBe('signature')
  })

  test('signs the bytes as they are', async () => {
    const { headers } = signed(body, fresh)
    const flipped = Buffer.from(body)
    flipped[9] = (flipped[9] ?? 0) ^ 1
    expect(await verdict({ ...handedIn(flipped), headers })).toBe('signature')
    expect(await verdict({ ...handedIn(lineEnds(body)[1] ?? body), headers })).toBe('signature')
  })

  test('signs now: five minutes ago is late, and so is five minutes ahead', async () => {
    const ago = (seconds: number) => new Date(receivedAt.getTime() - seconds * 1000)
    expect(await verdict(signed(body, fresh, ago(300)))).toBe('verified')
    expect(await verdict(signed(body, fresh, ago(301)))).toBe('stale')
    expect(await verdict(signed(body, fresh, ago(-301)))).toBe('stale')
  })

  test('says what was signed when', async () => {
    const of = (signature: string) => verdict(handedIn(body, { 'engawa-signature': signature }))
    expect(await verdict(handedIn(body))).toBe('signature')
    expect(await of('t=1')).toBe('shape')
    expect(await of(`v1=${'0'.repeat(64)}`)).toBe('shape')
    expect(await of(`t=1,v1=${'0'.repeat(63)}`)).toBe('shape')
    expect(await of(`t=1,v1=${'0'.repeat(64)}`)).toBe('signature')
    expect(await verdict({ ...signed(body, fresh), method: 'PUT' })).toBe('shape')
  })
})
