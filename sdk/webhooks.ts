/**
 * Webhooks signed as Standard Webhooks 1.0 (standardwebhooks.com), for who sends them and for who receives those of
 * Engawa. Nothing here is Node's own: it runs wherever there is Web Crypto.
 *
 * @packageDocumentation
 */

/**
 * What is to be sent. Its `id` stays the same on every retry, its `timestamp` is of this attempt; `secrets` are all
 * that the receiver may know, during a rotation the new and the old one.
 *
 * @example
 * ```ts
 * import { type OutgoingWebhook, webhookSecret } from '@engawa/sdk/webhooks'
 *
 * const webhook: OutgoingWebhook = {
 *   id: 'msg_1',
 *   timestamp: new Date(),
 *   body: '{"type":"purchase.recorded"}',
 *   secrets: [webhookSecret()],
 * }
 * console.assert(webhook.secrets.length === 1)
 * ```
 */
export interface OutgoingWebhook {
  /** Without a full stop, which separates the parts of what is signed. */
  readonly id: string
  readonly timestamp: Date
  readonly body: string | Uint8Array
  readonly secrets: readonly string[]
}

/**
 * The headers that say who sent a webhook. Send them with exactly the body that was signed.
 *
 * @example
 * ```ts
 * import type { WebhookHeaders } from '@engawa/sdk/webhooks'
 *
 * const headers: WebhookHeaders = {
 *   'webhook-id': 'msg_1',
 *   'webhook-timestamp': '1614265330',
 *   'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
 * }
 * console.assert(new Headers(headers).has('webhook-signature'))
 * ```
 */
export type WebhookHeaders = {
  readonly 'webhook-id': string
  /** Seconds since 1970. */
  readonly 'webhook-timestamp': string
  /** One signature for each secret, separated by blanks. */
  readonly 'webhook-signature': string
}

/**
 * Signs a webhook with each of its secrets. Throws TypeError for a secret or an id that is not as it should be.
 *
 * @example
 * ```ts
 * import { signWebhook } from '@engawa/sdk/webhooks'
 *
 * const headers = await signWebhook({
 *   id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
 *   timestamp: new Date(1614265330_000),
 *   body: '{"test": 2432232314}',
 *   secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
 * })
 * console.assert(headers['webhook-signature'] === 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
 * ```
 */
export async function signWebhook(webhook: OutgoingWebhook): Promise<WebhookHeaders> {
  const { id, body } = webhook
  if (!isWebhookId(id))
    throw new TypeError('The id of a webhook is 1 to 200 visible characters, no full stop.')
  if (webhook.secrets.length === 0) throw new TypeError('A webhook is signed with at least one secret.')
  const timestamp = String(Math.floor(webhook.timestamp.getTime() / 1000))
  const signed = signedBytes(id, timestamp, body)
  const signatures = await Promise.all(webhook.secrets.map((secret) => signature(secret, signed)))
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}

/**
 * What came in: the headers, and the body as it came, never parsed and written again.
 *
 * @example
 * ```ts
 * import type { IncomingWebhook } from '@engawa/sdk/webhooks'
 *
 * const webhook: IncomingWebhook = { headers: { 'webhook-id': 'msg_1' }, body: '{}' }
 * console.assert(typeof webhook.body === 'string')
 * ```
 */
export interface IncomingWebhook {
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string | Uint8Array
}

/**
 * Against what a webhook is verified: during a rotation, the new secret and the old one.
 *
 * @example
 * ```ts
 * import { type WebhookVerification, webhookSecret } from '@engawa/sdk/webhooks'
 *
 * const verification: WebhookVerification = { secrets: [webhookSecret(), webhookSecret()] }
 * console.assert(verification.secrets.length === 2)
 * ```
 */
export interface WebhookVerification {
  readonly secrets: readonly string[]
  /** The receiver's clock; the machine's unless told. */
  readonly now?: Date
  /** How far the timestamp may be from now, either way; 300 seconds unless told. */
  readonly toleranceSeconds?: number
}

/**
 * What verifying says. `id` is what to remember: a webhook that is sent again has the same. A webhook is rejected
 * because its signature is none of the secrets' (`signature`), because it is too old or too new (`stale`), or because
 * a header or the JSON of its body is not one (`shape`).
 *
 * @example
 * ```ts
 * import type { WebhookVerdict } from '@engawa/sdk/webhooks'
 *
 * const verdict: WebhookVerdict = { is: 'rejected', reason: 'stale' }
 * console.assert(verdict.is === 'rejected')
 * ```
 */
export type WebhookVerdict =
  | { readonly is: 'verified'; readonly id: string; readonly timestamp: Date; readonly payload: unknown }
  | { readonly is: 'rejected'; readonly reason: 'signature' | 'stale' | 'shape' }

/**
 * Verifies a webhook, comparing in constant time, and reads its body. Whatever comes in, it only throws for a secret
 * that is none.
 *
 * @example
 * ```ts
 * import { signWebhook, verifyWebhook, webhookSecret } from '@engawa/sdk/webhooks'
 *
 * const secrets = [webhookSecret()]
 * const body = '{"type":"purchase.recorded"}'
 * const headers = await signWebhook({ id: 'msg_1', timestamp: new Date(), body, secrets })
 * const verdict = await verifyWebhook({ headers, body }, { secrets })
 * console.assert(verdict.is === 'verified' && verdict.id === 'msg_1')
 * ```
 */
export async function verifyWebhook(
  { headers, body }: IncomingWebhook,
  { secrets, now = new Date(), toleranceSeconds = 300 }: WebhookVerification,
): Promise<WebhookVerdict> {
  const keys = secrets.map((secret) => keyOf(secret))
  const id = headerOf(headers, 'webhook-id')
  const timestamp = headerOf(headers, 'webhook-timestamp')
  if (!isWebhookId(id) || !/^[0-9]{1,12}$/.test(timestamp)) return { is: 'rejected', reason: 'shape' }
  const signed = signedBytes(id, timestamp, body)
  const right = await Promise.all(keys.map((key) => signatureWith(key, signed)))
  const given = headerOf(headers, 'webhook-signature').split(' ')
  // Every pair is compared, so that the time tells nothing of which one it was.
  const same = right.flatMap((wanted) => given.map((one) => isSame(wanted, one)))
  if (!same.includes(true)) return { is: 'rejected', reason: 'signature' }
  const away = Math.abs(now.getTime() / 1000 - Number(timestamp))
  if (away > toleranceSeconds) return { is: 'rejected', reason: 'stale' }
  const payload = parsed(body)
  if (payload === undefined) return { is: 'rejected', reason: 'shape' }
  return { is: 'verified', id, timestamp: new Date(Number(timestamp) * 1000), payload }
}

/**
 * Makes a secret: 32 random bytes, as base64 behind `whsec_`.
 *
 * @example
 * ```ts
 * import { isWebhookSecret, webhookSecret } from '@engawa/sdk/webhooks'
 *
 * console.assert(isWebhookSecret(webhookSecret()))
 * ```
 */
export function webhookSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  return `whsec_${btoa(String.fromCharCode(...bytes))}`
}

/**
 * Whether a text is a secret: `whsec_` and 24 to 64 bytes as base64.
 *
 * @example
 * ```ts
 * import { isWebhookSecret } from '@engawa/sdk/webhooks'
 *
 * console.assert(isWebhookSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'))
 * console.assert(!isWebhookSecret('whsec_dG9vIHNob3J0'))
 * ```
 */
export function isWebhookSecret(text: string): boolean {
  return bytesOf(text) !== undefined
}

const isWebhookId = (id: string): boolean => /^[!-\-/-~]{1,200}$/.test(id)

function bytesOf(secret: string): Uint8Array<ArrayBuffer> | undefined {
  const base64 = /^whsec_([A-Za-z0-9+/]{32,88}={0,2})$/.exec(secret)?.[1]
  if (base64 === undefined || base64.length % 4 !== 0) return undefined
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
  return bytes.length >= 24 && bytes.length <= 64 ? bytes : undefined
}

/** Never says what the secret was. */
function keyOf(secret: string): Uint8Array<ArrayBuffer> {
  const bytes = bytesOf(secret)
  if (bytes) return bytes
  throw new TypeError('A webhook secret is whsec_ followed by 24 to 64 bytes as base64.')
}

function signedBytes(id: string, timestamp: string, body: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(`${id}.${timestamp}.`)
  const rest = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const bytes = new Uint8Array(head.length + rest.length)
  bytes.set(head)
  bytes.set(rest, head.length)
  return bytes
}

const signature = (secret: string, signed: Uint8Array<ArrayBuffer>): Promise<string> =>
  signatureWith(keyOf(secret), signed)

async function signatureWith(
  bytes: Uint8Array<ArrayBuffer>,
  signed: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, signed))
  return `v1,${btoa(String.fromCharCode(...mac))}`
}

/** In constant time for texts of one length, which tells nothing: every right signature has the same. */
function isSame(right: string, given: string): boolean {
  let difference = right.length ^ given.length
  for (let i = 0; i < right.length; i++) difference |= right.charCodeAt(i) ^ given.charCodeAt(i)
  return difference === 0
}

function headerOf(headers: IncomingWebhook['headers'], name: string): string {
  if (isHeaders(headers)) return headers.get(name) ?? ''
  const value = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  return typeof value === 'string' ? value : (value?.join(' ') ?? '')
}

/** Those of another realm or library too. */
function isHeaders(headers: IncomingWebhook['headers']): headers is Headers {
  return typeof headers.get === 'function'
}

function parsed(body: string | Uint8Array): unknown {
  try {
    return JSON.parse(
      typeof body === 'string' ? body : new TextDecoder('utf-8', { fatal: true }).decode(body),
    )
  } catch {
    return undefined
  }
}
