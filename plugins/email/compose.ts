import type { Message, Preparation } from '@engawa/sdk'
import { encodeWords } from 'nodemailer/lib/mime-funcs'
import { encode as quotedPrintable, wrap } from 'nodemailer/lib/qp'
import { z } from 'zod'
import { envelopeAddress } from './address.ts'
import { keyHeader } from './inbound/key.ts'

/** The most bytes of a message, without the few fields that name its sender. */
export const longest = 1_000_000

/** What is said: the SDK's `Content`, without what mail has no place for. */
export const contentSchema = z.object({
  title: z
    .string()
    .trim()
    .min(1)
    .regex(/^\P{Cc}*$/u, 'must be one line without control characters'),
  body: z.string().trim().min(1),
  html: z.string().min(1).optional(),
  url: z.url({ protocol: /^https?$/ }).optional(),
})

/** What is said, as the schema reads it. */
export type MailContent = z.output<typeof contentSchema>

/** A message but for what the configuration and the moment of sending give: From, Reply-To, Message-ID and Date. */
export interface PreparedMail {
  /** The recipient, as in SMTP. */
  readonly to: string
  /** Header fields and body, lines ended by CRLF. */
  readonly message: string
}

/**
 * Writes the message. Pure: the parts are told apart by the delivery key, and no clock is read. Whatever would not
 * stay in its header field is refused, and so is a message of more than `longest` bytes.
 */
export function prepare(content: MailContent, address: string, message: Message): Preparation<PreparedMail> {
  const unsubscribe = message.unsubscribeUrl
  if (unsubscribe !== undefined && !isPlainUrl(unsubscribe))
    return refused('The unsubscribe address is none.')
  const to = envelopeAddress(address)
  const header = [
    `To: <${to}>`,
    `Subject: ${folded('Subject', content.title)}`,
    'Auto-Submitted: auto-generated',
    `${keyHeader}: ${message.key}`,
    ...(unsubscribe === undefined
      ? []
      : [`List-Unsubscribe: <${unsubscribe}>`, 'List-Unsubscribe-Post: List-Unsubscribe=One-Click']),
    'MIME-Version: 1.0',
  ]
  const written = [...header, ...bodyOf(content, `=_${message.key}`)].join('\r\n')
  const size = Buffer.byteLength(written)
  if (size > longest) return refused(`${size} of ${longest} bytes`)
  return { ok: true, prepared: { to, message: written }, size }
}

function refused(detail: string): Preparation<PreparedMail> {
  return { ok: false, fault: { cause: 'content', disposition: { do: 'never' }, detail } }
}

/** A field's text with words beyond ASCII encoded, and folded where it is long. */
export function folded(name: string, text: string): string {
  const encoded = encodeWords(text, 'B', 52, true)
  let length = name.length + 2
  return encoded
    .split(' ')
    .map((word, at) => {
      const isLong = at > 0 && length + 1 + word.length > 76
      length = isLong ? word.length + 1 : length + word.length + (at > 0 ? 1 : 0)
      return `${at === 0 ? '' : isLong ? '\r\n ' : ' '}${word}`
    })
    .join('')
}

/** One-click addresses stand in a header as they are (RFC 8058), so they must be of URL characters only. */
function isPlainUrl(url: string): boolean {
  return /^https?:\/\/[!-;=?-~]{1,1900}$/.test(url) && URL.canParse(url)
}

function bodyOf({ body, html, url }: MailContent, boundary: string): string[] {
  const text = url === undefined || body.includes(url) ? body : `${body}\n\n${url}`
  if (html === undefined) return partOf('plain', text)
  return [
    'Content-Type: multipart/alternative;',
    ` boundary="${boundary}"`,
    '',
    ...[partOf('plain', text), partOf('html', html)].flatMap((part) => [
      `--${boundary}`,
      ...part.slice(0, -1),
    ]),
    `--${boundary}--`,
    '',
  ]
}

/** The lines of a part of text, the last one empty, in the encoding that keeps it whole on any way. */
function partOf(kind: 'plain' | 'html', text: string): string[] {
  const clean = text.replace(/\r\n?/g, '\n').replace(/[^\P{Cc}\n\t]/gu, '')
  const { encoding, lines } = encoded(clean.endsWith('\n') ? clean : `${clean}\n`)
  return [`Content-Type: text/${kind}; charset=utf-8`, `Content-Transfer-Encoding: ${encoding}`, '', ...lines]
}

function encoded(text: string): { encoding: string; lines: string[] } {
  const beyond = text.match(/[^\0-\x7f]/g)?.length ?? 0
  if (beyond === 0 && !/[^\n]{77}|[ \t]\n|(?:^|\n)(?:--|From )/.test(text)) {
    return { encoding: '7bit', lines: text.split('\n') }
  }
  const bytes = Buffer.from(text.replaceAll('\n', '\r\n'))
  if (beyond * 4 > text.length) {
    return { encoding: 'base64', lines: [...(bytes.toString('base64').match(/.{1,76}/g) ?? []), ''] }
  }
  return { encoding: 'quoted-printable', lines: wrap(quotedPrintable(bytes), 76).split('\r\n') }
}
