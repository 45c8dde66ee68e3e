import { createECDH, randomBytes, randomUUID } from 'node:crypto'
import { decryptPush, type PushKeys, readVapid, type VapidClaims } from './encrypted-push.ts'
import { type HttpHandled, HttpProvider, type HttpReply, type HttpRequest } from './http.ts'

/**
 * A browser's subscription, as `PushSubscription.toJSON()` gives it.
 *
 * @example
 * ```ts
 * import { pushReceiver, type Subscription } from '@engawa/sdk/fakes'
 *
 * const receiver = await pushReceiver()
 * const subscription: Subscription = receiver.subscribe()
 * console.assert(subscription.endpoint.startsWith(receiver.url))
 * await receiver.close()
 * ```
 */
export interface Subscription {
  readonly endpoint: string
  readonly keys: { readonly p256dh: string; readonly auth: string }
}

/**
 * A push message, decrypted, from somebody whose token was good.
 *
 * @example
 * ```ts
 * import type { PushMessage } from '@engawa/sdk/fakes'
 *
 * const title = ({ text }: PushMessage): unknown => JSON.parse(text).title
 * console.assert(title.length === 1)
 * ```
 */
export interface PushMessage {
  readonly subscription: Subscription
  readonly text: string
  /** How long the push service may keep it, in seconds. */
  readonly ttl: number
  /** A message waiting with the same topic is replaced. */
  readonly topic?: string
  readonly urgency?: string
  readonly vapid: VapidClaims
}

/**
 * How the fake push service is set up.
 *
 * @example
 * ```ts
 * import { type PushReceiverOptions, pushReceiver } from '@engawa/sdk/fakes'
 *
 * const options: PushReceiverOptions = { now: () => new Date('2026-04-01T00:00:00Z') }
 * const receiver = await pushReceiver(options)
 * console.assert(receiver.messages.length === 0)
 * await receiver.close()
 * ```
 */
export interface PushReceiverOptions {
  /** The time by which tokens end; the machine's unless told. */
  readonly now?: () => Date
  /** Endpoints that begin with https, though no TLS is spoken: for who goes there through something that leaves it out. */
  readonly isHttps?: boolean
  /** The one application server key that subscriptions are for; any key unless told. */
  readonly applicationServerKey?: string
}

/**
 * Starts a push service and the browser behind it: it gives subscriptions, checks VAPID tokens (RFC 8292), and decrypts
 * what comes (RFC 8291).
 *
 * @example
 * ```ts
 * import { pushReceiver } from '@engawa/sdk/fakes'
 *
 * const receiver = await pushReceiver()
 * const { endpoint } = receiver.subscribe()
 * const response = await fetch(endpoint, { method: 'POST', body: 'not encrypted' })
 * console.assert(response.status === 401 && receiver.messages.length === 0)
 * await receiver.close()
 * ```
 */
export async function pushReceiver(options: PushReceiverOptions = {}): Promise<PushReceiver> {
  const receiver = new PushReceiver(options)
  await receiver.listen()
  return receiver
}

/**
 * The fake push service; `pushReceiver()` starts one.
 *
 * @example
 * ```ts
 * import { type PushReceiver, pushReceiver } from '@engawa/sdk/fakes'
 *
 * const receiver: PushReceiver = await pushReceiver()
 * const subscription = receiver.subscribe()
 * receiver.unsubscribe(subscription)
 * console.assert((await fetch(subscription.endpoint, { method: 'POST' })).status === 410)
 * await receiver.close()
 * ```
 */
export class PushReceiver extends HttpProvider {
  /** What was decrypted, in order; a message that replaces another one stands here too. */
  readonly messages: PushMessage[] = []
  readonly #options: PushReceiverOptions
  readonly #browsers = new Map<string, { readonly subscription: Subscription; readonly keys: PushKeys }>()

  constructor(options: PushReceiverOptions = {}) {
    super()
    this.#options = options
  }

  /** Makes a subscription. */
  subscribe(): Subscription {
    const ecdh = createECDH('prime256v1')
    ecdh.generateKeys()
    const keys = {
      privateKey: ecdh.getPrivateKey('base64url'),
      publicKey: ecdh.getPublicKey('base64url'),
      auth: randomBytes(16).toString('base64url'),
    }
    const path = `/push/${randomUUID()}`
    const subscription = {
      endpoint: `${this.#options.isHttps ? 'https' : 'http'}://${this.host}${path}`,
      keys: { p256dh: keys.publicKey, auth: keys.auth },
    }
    this.#browsers.set(path, { subscription, keys })
    return subscription
  }

  /** Ends a subscription: what is sent to it is answered 410 from now on. */
  unsubscribe({ endpoint }: Subscription): void {
    this.#browsers.delete(new URL(endpoint).pathname)
  }

  protected override handle(request: HttpRequest): HttpHandled {
    const browser = this.#browsers.get(request.path)
    if (!browser) return refused(410, 'This subscription has ended.')
    const now = this.#options.now?.() ?? new Date()
    const vapid = readVapid(request.headers.get('authorization'), {
      origin: new URL(browser.subscription.endpoint).origin,
      now,
    })
    if (typeof vapid === 'string') return refused(401, vapid)
    const wanted = this.#options.applicationServerKey
    if (wanted !== undefined && wanted !== vapid.key)
      return refused(403, 'The key is not the subscription’s.')
    const ttl = request.headers.get('ttl') ?? ''
    if (!/^\d+$/.test(ttl)) return refused(400, 'A TTL is needed.')
    const topic = request.headers.get('topic')
    if (topic !== null && !/^[\w-]{1,32}$/.test(topic)) return refused(400, 'The topic is not one.')
    if (request.body.length > 4096) return refused(413, 'This is more than 4096 bytes.')
    const text = decrypted(request, browser.keys)
    if (text === undefined) return refused(400, 'This cannot be decrypted.')
    const urgency = request.headers.get('urgency')
    this.messages.push({
      subscription: browser.subscription,
      text,
      ttl: Number(ttl),
      ...(topic !== null && { topic }),
      ...(urgency !== null && { urgency }),
      vapid,
    })
    const location = `${this.url}/message/${this.messages.length}`
    return { reply: { status: 201, headers: { location } }, isTaken: true }
  }
}

function refused(status: number, message: string): { readonly reply: HttpReply; readonly isTaken: false } {
  return { reply: { status, body: { message } }, isTaken: false }
}

function decrypted({ headers, body }: HttpRequest, keys: PushKeys): string | undefined {
  if (headers.get('content-encoding') !== 'aes128gcm') return undefined
  try {
    return decryptPush(body, keys)
  } catch {
    return undefined
  }
}
