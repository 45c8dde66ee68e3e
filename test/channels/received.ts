import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import email from '@engawa/channel-email'
import { type RawRequest, type Signal, verified } from '@engawa/sdk'
import { expect } from 'vitest'

/** When everything of these tests is handed in. */
export const receivedAt = new Date('2026-03-04T00:00:00Z')

const { parse } = email.inbound ?? expect.fail('it takes nothing in')

/** A received message of `fixtures`, as its bytes. */
export function mail(name: string): Buffer {
  return readFileSync(join(import.meta.dirname, 'fixtures', `${name}.eml`))
}

/** A message as it is handed in. */
export function handedIn(body: Uint8Array, headers: Readonly<Record<string, string>> = {}): RawRequest {
  return {
    method: 'POST',
    path: '',
    query: new URLSearchParams(),
    headers: new Headers(headers),
    body,
    receivedAt,
  }
}

/** The same, signed as the channel wants it. */
export function signed(body: Uint8Array, secret: string, at: Date = receivedAt): RawRequest {
  const seconds = Math.floor(at.getTime() / 1000)
  const hex = createHmac('sha256', secret).update(`${seconds}.`).update(body).digest('hex')
  return handedIn(body, { 'engawa-signature': `t=${seconds},v1=${hex}` })
}

/** The signals of a message that was proven. */
export function signalsOf(body: Uint8Array | string): readonly Signal[] {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  return parse(verified(handedIn(bytes)), {
    host: 'mx.example',
    tls: 'starttls',
    from: 'news@hanasaku.example',
  })
}

/** The copies of a message whose lines end with LF, CRLF and CR. */
export function lineEnds(body: Uint8Array): Buffer[] {
  const lines = Buffer.from(body).toString('latin1').replace(/\r\n?/g, '\n')
  return ['\n', '\r\n', '\r'].map((end) => Buffer.from(lines.replaceAll('\n', end), 'latin1'))
}
