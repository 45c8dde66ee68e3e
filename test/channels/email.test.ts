import email from '@engawa/channel-email'
import type { Message } from '@engawa/sdk'
import fc from 'fast-check'
import PostalMime from 'postal-mime'
import { describe, expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { onServer } from '../support/server.ts'
import { key } from './provider.ts'
import { emailConfig, prepared } from './relay.ts'

const good = {
  host: 'smtp.example.com',
  from: 'news@hanasaku.example',
  user: 'shop',
  password: 'canary-0417',
}

describe('a configuration', () => {
  async function issues(given: object) {
    const read = await email.config.schema['~standard'].validate({ ...good, ...given })
    return (read.issues ?? []).map(({ path, message }) => [path?.join('.'), message])
  }

  test('needs a relay and a sender; the rest has its usual value', async () => {
    const { host, from } = good
    const read = await email.config.schema['~standard'].validate({ host, from })
    expect(read).toEqual({ value: { host, from, tls: 'starttls' } })
    expect(await issues({})).toEqual([])
  })

  test.each<[object, string]>([
    [{ host: 'smtp example' }, 'host'],
    [{ host: undefined }, 'host'],
    [{ port: 0 }, 'port'],
    [{ port: 2.5 }, 'port'],
    [{ tls: 'ssl' }, 'tls'],
    [{ tls: 'none' }, 'tls'],
    [{ user: undefined }, 'user'],
    [{ password: undefined }, 'password'],
    [{ from: 'Hanasaku <news@hanasaku.example>' }, 'from'],
    [{ fromName: 'Hanasaku\r\nBcc: all@example.com' }, 'fromName'],
    [{ replyTo: 'nobody' }, 'replyTo'],
    [{ returnPath: 'bounce@hanasaku.example' }, 'returnPath'],
    [{ inboundSecret: 'short' }, 'inboundSecret'],
    [{ previousInboundSecret: 7 }, 'previousInboundSecret'],
    [{ pasword: 'canary-0417' }, ''],
  ])('%j is refused, and its place named', async (given, path) => {
    const found = await issues(given)
    expect(found.map(([at]) => at)).toEqual([path])
    expect(JSON.stringify(found)).not.toContain('canary')
  })

  test('sends a password without encryption to a relay on its own network only', async () => {
    const isTaken = async (host: string) => (await issues({ host, tls: 'none' })).length === 0
    for (const host of [
      'localhost',
      'mailpit',
      '127.0.0.1',
      '10.0.0.7',
      '172.16.3.4',
      '192.168.1.1',
      '::1',
      'fd00::1',
    ]) {
      expect([host, await isTaken(host)]).toEqual([host, true])
    }
    for (const host of ['smtp.example.com', '203.0.113.7', '172.32.0.1', '10.example.com', '2001:db8::1']) {
      expect([host, await isTaken(host)]).toEqual([host, false])
    }
  })

  test('keeps its secrets apart', () => {
    expect(email.config.secrets).toEqual(['password', 'inboundSecret', 'previousInboundSecret'])
  })
})

describe('an address', () => {
  const database = testDatabase()
  const read = (address: unknown) => email.address.schema['~standard'].validate(address)
  const isTaken = async (address: unknown) => (await read(address)).issues === undefined

  test.each([
    'taro@example.com',
    ' taro@example.com ',
    'a..b.@docomo.ne.jp',
    "o'neil+x@mail.example.co.jp",
    '太郎@例え.jp',
  ])('%s is one', async (address) => {
    expect(await isTaken(address)).toBe(true)
  })

  test.each([
    'taro',
    '@example.com',
    'taro@',
    'taro@localhost',
    'ta ro@example.com',
    'taro@exam ple.com',
    'Taro <taro@example.com>',
    'taro@example.com, jiro@example.com',
    'taro@example.com\r\nRCPT TO:<jiro@example.com>',
    'taro@example.com\0',
    'taro@-example.com',
    `${'x'.repeat(65)}@example.com`,
    `${'あ'.repeat(22)}@example.com`,
    `taro@${'x'.repeat(250)}.com`,
    7,
  ])('%j is none', async (address) => {
    expect(await isTaken(address)).toBe(false)
  })

  test('has one spelling, and is known by the whole of it in lower case', () => {
    const { normalise, identity } = email.address
    expect(normalise(' Taro.Yamada@EXAMPLE.com')).toBe('Taro.Yamada@example.com')
    expect(identity('Taro.Yamada@EXAMPLE.com')).toBe('taro.yamada@example.com')
    expect(identity('e\u0301@example.com')).toBe(identity('\u00e9@example.com'))
    expect(normalise(normalise('Ａ@EXAMPLE.com'))).toBe(normalise('Ａ@EXAMPLE.com'))
  })

  test('is known by the same as in the database', async () => {
    const letter = fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
      fc.constantFrom(...'ΣΑΣİIıßẞÅÉΩ'),
    )
    const local = fc
      .array(letter, { minLength: 1, maxLength: 8 })
      .map((letters) => letters.join('').normalize('NFC'))
    const samples = fc
      .sample(
        local.filter((text) => !/[\s@\p{C}]/u.test(text)),
        500,
      )
      .map((text) => `${text}@Example.COM`)
    const { rows } = await onServer(database.url, (client) =>
      client.query(
        'select lower(address) as known from unnest($1::text[]) with ordinality as a(address, n) order by n',
        [samples],
      ),
    )
    expect(samples.map(email.address.identity)).toEqual(rows.map(({ known }) => known))
  })
})

describe('a message', () => {
  const said = { title: 'Thank you', body: 'We received your order 42.' }
  const prepare = (content: object = {}, message: Partial<Message> = {}, to = 'taro@example.com') =>
    email.content.prepare({ ...said, ...content }, to, { key, locale: 'ja', ...message })
  const lines = (content: object = {}, message: Partial<Message> = {}) =>
    prepared(content, message).message.split('\r\n')

  test('in ASCII reads as it is written', () => {
    expect(prepare()).toEqual({
      ok: true,
      size: 256,
      prepared: {
        to: 'taro@example.com',
        message: [
          'To: <taro@example.com>',
          'Subject: Thank you',
          'Auto-Submitted: auto-generated',
          `X-Engawa-Delivery: ${key}`,
          'MIME-Version: 1.0',
          'Content-Type: text/plain; charset=utf-8',
          'Content-Transfer-Encoding: 7bit',
          '',
          'We received your order 42.',
          '',
        ].join('\r\n'),
      },
    })
  })

  test('of any text comes out as it went in', async () => {
    const title = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 90 })
      .map((text) => text.replace(/\p{Cc}/gu, '').trim())
    const body = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 400 })
      .map((text) => text.replace(/[^\P{Cc}\n\t]/gu, ''))
    await fc.assert(
      fc.asyncProperty(title.filter(Boolean), body, fc.boolean(), async (title, body, isRich) => {
        const { message } = prepared({ title, body, ...(isRich && { html: `<p>${body}</p>` }) })
        for (const line of message.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(78)
        const read = await PostalMime.parse(message)
        expect(read.subject).toBe(title)
        expect(read.text?.replace(/\r\n/g, '\n').replace(/\n$/, '')).toBe(body.replace(/\n$/, ''))
        if (isRich) expect(read.html?.replace(/\r\n/g, '\n').trim()).toBe(`<p>${body}</p>`.trim())
      }),
      { numRuns: 60 },
    )
  })

  test('of Japanese, emoji and long lines is seven-bit on the wire', async () => {
    const { message } = prepared({
      title: `${'感謝'.repeat(40)} 👨‍👩‍👧‍👦`,
      body: `こんにちは👋\n${'長い'.repeat(600)}`,
    })
    expect(message).not.toMatch(/[^\r\n -~]/)
    expect(await PostalMime.parse(message)).toMatchObject({
      subject: `${'感謝'.repeat(40)} 👨‍👩‍👧‍👦`,
      text: `こんにちは👋\r\n${'長い'.repeat(600)}\r\n`,
    })
  })

  test('in two forms has both, the plain one first', async () => {
    const read = await PostalMime.parse(prepared({ body: 'Hello', html: '<p>Hello</p>' }).message)
    expect(read).toMatchObject({ text: 'Hello\n', html: '<p>Hello</p>\n' })
    expect(lines({ html: '<p>x</p>' })).toContain(` boundary="=_${key}"`)
  })

  test('says where it leads, once', async () => {
    const url = 'https://hanasaku.example/orders/42'
    const text = async (body: string) => (await PostalMime.parse(prepared({ body, url }).message)).text
    expect(await text('Hello')).toBe(`Hello\n\n${url}\n`)
    expect(await text(`See ${url}`)).toBe(`See ${url}\n`)
  })

  test('that can be stopped says so for one click', () => {
    const unsubscribeUrl = 'https://hanasaku.example/u/abc?x=1&y=%E3%81%82'
    expect(lines({}, { unsubscribeUrl })).toEqual(
      expect.arrayContaining([
        `List-Unsubscribe: <${unsubscribeUrl}>`,
        'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
      ]),
    )
    expect(lines().join()).not.toContain('List-Unsubscribe')
  })

  test.each(['Thank\r\nBcc: all@example.com', 'Thank\nyou', 'Thank\0you', '\u0085x', ''])(
    'with %j as its title is refused',
    async (title) => {
      const read = await email.content.schema['~standard'].validate({ ...said, title })
      expect(read.issues?.map(({ path }) => path)).toEqual([['title']])
    },
  )

  test.each([
    'https://x.example/>\r\nBcc: all@example.com',
    'https://x.example/a b',
    'javascript:alert(1)',
    'x',
  ])('that is stopped at %j is refused', (unsubscribeUrl) => {
    expect(prepare({}, { unsubscribeUrl })).toMatchObject({ ok: false, fault: { cause: 'content' } })
  })

  test('is the same for the same content, address and key, and for no other', () => {
    const once = () =>
      prepare({ title: 'ありがとう', html: '<b>x</b>' }, { unsubscribeUrl: 'https://x.example/u' })
    expect(once()).toEqual(once())
    const all = [
      prepare(),
      prepare({ title: 'x' }),
      prepare({ body: 'x' }),
      prepare({}, {}, 'jiro@example.com'),
    ]
    expect(new Set(all.map((one) => JSON.stringify(one))).size).toBe(all.length)
  })

  test('may have a million bytes and not one more', () => {
    const { limits } = typeof email.capabilities === 'function' ? expect.fail() : email.capabilities
    expect(limits).toEqual({ bytes: 1_000_000 })
    const line = `${'x'.repeat(74)}\n`
    const of = (bytes: number) => {
      const free = bytes - 256 + said.body.length + 2 // each line end is two bytes on the wire
      const whole = Math.floor((free - 3) / 76)
      return prepare({ body: `${line.repeat(whole)}${'x'.repeat(free - whole * 76 - 2)}` })
    }
    expect(of(1_000_000)).toMatchObject({ ok: true, size: 1_000_000 })
    expect(of(1_000_001)).toEqual({
      ok: false,
      fault: { cause: 'content', disposition: { do: 'never' }, detail: '1000001 of 1000000 bytes' },
    })
  })

  test('to a host beyond ASCII goes to its name in ASCII', () => {
    expect(prepare({}, {}, 'taro@例え.jp')).toMatchObject({ prepared: { to: 'taro@xn--r8jz45g.jp' } })
  })
})

test('the port follows from how the relay is encrypted, unless it is told', async () => {
  const { portOf } = await import('../../plugins/email/config.ts')
  expect(portOf(await emailConfig({ tls: 'implicit' }))).toBe(465)
  expect(portOf(await emailConfig({ tls: 'starttls' }))).toBe(587)
  expect(portOf(await emailConfig({ tls: 'implicit', port: 2525 }))).toBe(2525)
})
