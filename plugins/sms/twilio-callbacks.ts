import { createHmac, timingSafeEqual } from 'node:crypto'
import {
  type DeliveryKey,
  deliveryKey,
  type RawRequest,
  replyIntent,
  type Signal,
  type Verdict,
  type VerifiedRequest,
  verified,
} from '@engawa/sdk'
import type { TwilioConfig } from './twilio.ts'

/** Where the receipts of a delivery are to go. Twilio signs the whole address, so the key in it can be trusted. */
export function statusCallback(callbackUrl: string, key: DeliveryKey): string {
  return `${callbackUrl}?key=${key}`
}

/**
 * Proves that Twilio sent it: HMAC-SHA1 over the address as Twilio knows it and the sorted parameters. Twilio signs no
 * time, so a callback has no age here; a repeated one has the same ids.
 */
export async function verify(request: RawRequest, config: TwilioConfig): Promise<Verdict> {
  const given = request.headers.get('x-twilio-signature') ?? ''
  const form = formOf(request)
  const tokens = [config.authToken, config.previousAuthToken].filter((token) => token !== undefined)
  const isGenuine = tokens.some((token) =>
    addressesOf(request, config).some((url) => isSame(given, signature(token, url + joined(form)))),
  )
  if (!isGenuine) return { is: 'rejected', reason: 'signature' }
  // Names and values are signed run together, so they could be cut elsewhere: then this one is not whole.
  if (form.get('AccountSid') !== config.accountSid || !form.get('MessageSid')) {
    return { is: 'rejected', reason: 'shape' }
  }
  return { is: 'verified', request: verified(request) }
}

/** What a status comes to. Those on the way to one say nothing new. */
const statuses: Readonly<Record<string, Signal['kind']>> = {
  delivered: 'delivered',
  undelivered: 'failed',
  failed: 'failed',
}

/** What an error says beyond that it failed. */
const errors: Readonly<Record<string, Pick<Signal, 'kind' | 'bounce'>>> = {
  21610: { kind: 'unsubscribed' },
  21211: { kind: 'bounced', bounce: { permanence: 'permanent' } },
  21614: { kind: 'bounced', bounce: { permanence: 'permanent' } },
  30003: { kind: 'bounced', bounce: { permanence: 'transient' } }, // switched off or out of reach
  30005: { kind: 'bounced', bounce: { permanence: 'permanent' } }, // no such number any more
  30006: { kind: 'bounced', bounce: { permanence: 'permanent' } }, // a landline
}

/** Twilio itself obeys these, so what we know has to follow. Its `YES` says too little to give a consent by. */
const carriersWords = { stop: ['cancel', 'end', 'quit', 'revoke'], help: ['info'] }

/** The signal of a callback: a receipt, or what a member wrote. */
export function parse(request: VerifiedRequest): Signal[] {
  const form = formOf(request)
  const status = form.get('MessageStatus')
  if (status !== null) return receipt(request, { form, status })
  return form.get('SmsStatus') === 'received' ? [reply(request, form)] : []
}

function receipt(
  request: VerifiedRequest,
  { form, status }: { readonly form: URLSearchParams; readonly status: string },
): Signal[] {
  const kind = statuses[status]
  if (!kind) return []
  const [sid, error, doneAt] = [
    form.get('MessageSid') ?? '',
    form.get('ErrorCode'),
    form.get('RawDlrDoneDate'),
  ]
  const key = keyOf(request)
  return [
    {
      ...(kind === 'failed' ? { kind, ...errors[error ?? ''] } : { kind }),
      dedupeKey: `${sid}:${status}`,
      occurredAt: timeOf(doneAt, request.receivedAt),
      about: { providerId: sid, address: form.get('To') ?? '', ...(key && { key }) },
      raw: { MessageStatus: status, ErrorCode: error, RawDlrDoneDate: doneAt },
    },
  ]
}

/** Twilio tells no time of it, so the time of arrival stands for it. */
function reply(request: VerifiedRequest, form: URLSearchParams): Signal {
  const text = form.get('Body') ?? ''
  const optOut = form.get('OptOutType')?.toLowerCase()
  const isKnown = optOut === 'stop' || optOut === 'start' || optOut === 'help'
  return {
    kind: 'replied',
    dedupeKey: form.get('MessageSid') ?? '',
    occurredAt: request.receivedAt,
    about: { address: form.get('From') ?? '' },
    reply: { text, intent: isKnown ? optOut : replyIntent(text, carriersWords) },
    raw: { SmsStatus: 'received', OptOutType: form.get('OptOutType'), NumMedia: form.get('NumMedia') },
  }
}

/** The carrier's `YYMMDDhhmm`; a carrier that counts in its own time zone may be ahead, so never after the arrival. */
function timeOf(doneAt: string | null, receivedAt: Date): Date {
  const [, year, month, day, hour, minute] =
    /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(doneAt ?? '')?.map(Number) ?? []
  if (year === undefined || month === undefined) return receivedAt
  const at = Date.UTC(2000 + year, month - 1, day, hour, minute)
  return new Date(Math.min(at, receivedAt.getTime()))
}

function keyOf({ query }: RawRequest): DeliveryKey | undefined {
  try {
    return deliveryKey(query.get('key') ?? '')
  } catch {
    return undefined
  }
}

function formOf({ body }: RawRequest): URLSearchParams {
  return new URLSearchParams(new TextDecoder().decode(body))
}

/** The address that was called, as the configuration spells it; Twilio signs it now with its port, now without. */
function addressesOf({ query }: RawRequest, { callbackUrl = '' }: TwilioConfig): string[] {
  const [, host, port = ':443', path = ''] = /^(https:\/\/[^/]*?)(:\d+)?(\/.*)?$/.exec(callbackUrl) ?? []
  if (host === undefined) return []
  const rest = query.size > 0 ? `${path}?${query}` : path
  return [`${host}${rest}`, `${host}${port}${rest}`]
}

function joined(form: URLSearchParams): string {
  const names = [...new Set(form.keys())].toSorted()
  return names
    .flatMap((name) => [...new Set(form.getAll(name))].toSorted().map((value) => name + value))
    .join('')
}

function signature(token: string, signed: string): string {
  return createHmac('sha1', token).update(signed).digest('base64')
}

/** In constant time, as texts: decoded, several spellings of one signature would do. */
function isSame(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
