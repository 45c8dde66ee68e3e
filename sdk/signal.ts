import type { DeliveryKey, ReceiptKind } from './capabilities.ts'

declare const brand: unique symbol

/**
 * A request to the channel's inbound path, exactly as it came: the raw bytes, never a parsed body.
 *
 * @example
 * ```ts
 * import type { RawRequest } from '@engawa/sdk'
 *
 * const request: RawRequest = {
 *   method: 'POST',
 *   path: '/callback',
 *   query: new URLSearchParams(),
 *   headers: new Headers({ 'x-signature': 'c2ln' }),
 *   body: new TextEncoder().encode('{"events":[]}'),
 *   receivedAt: new Date(),
 * }
 * console.assert(request.body.length === 13)
 * ```
 */
export interface RawRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Headers
  readonly body: Uint8Array
  readonly receivedAt: Date
}

/**
 * A request whose sender is proven. Only this can be parsed; `verified(request)` makes one, inside `verify`.
 *
 * @example
 * ```ts
 * import type { Signal, VerifiedRequest } from '@engawa/sdk'
 *
 * function parse(request: VerifiedRequest): Signal[] {
 *   return JSON.parse(new TextDecoder().decode(request.body)).events
 * }
 * console.assert(parse.length === 1)
 * ```
 */
export type VerifiedRequest = RawRequest & { readonly [brand]: 'Verified' }

/**
 * Says that the sender of a request is proven. Call it in `verify` and nowhere else, after comparing the
 * signature in constant time.
 *
 * @example
 * ```ts
 * import { createHmac, timingSafeEqual } from 'node:crypto'
 * import { type RawRequest, type Verdict, verified } from '@engawa/sdk'
 *
 * function verify(request: RawRequest, secret: string): Verdict {
 *   const given = Buffer.from(request.headers.get('x-signature') ?? '', 'base64')
 *   const right = createHmac('sha256', secret).update(request.body).digest()
 *   const isGood = given.length === right.length && timingSafeEqual(given, right)
 *   return isGood ? { is: 'verified', request: verified(request) } : { is: 'rejected', reason: 'signature' }
 * }
 * console.assert(verify.length === 2)
 * ```
 */
export function verified(request: RawRequest): VerifiedRequest {
  return request as VerifiedRequest // the one place where the brand is given
}

/**
 * What `verify` says of a request: it is proven; it is not; or it is the provider's handshake, which is
 * answered and has no effect.
 *
 * @example
 * ```ts
 * import type { Verdict } from '@engawa/sdk'
 *
 * const handshake: Verdict = { is: 'handshake', respond: { status: 200, body: 'challenge' } }
 * console.assert(handshake.is === 'handshake')
 * ```
 */
export type Verdict =
  | { readonly is: 'verified'; readonly request: VerifiedRequest }
  | { readonly is: 'rejected'; readonly reason: 'signature' | 'stale' | 'shape' }
  | { readonly is: 'handshake'; readonly respond: { readonly status: number; readonly body?: string } }

/**
 * What a channel reports back, as one fact. Redelivered, it has the same `dedupeKey`.
 *
 * @example
 * ```ts
 * import type { Signal } from '@engawa/sdk'
 *
 * const bounced: Signal = {
 *   kind: 'bounced',
 *   dedupeKey: 'evt-71',
 *   occurredAt: new Date('2026-04-01T00:00:05Z'),
 *   about: { providerId: 'msg-1' },
 *   bounce: { permanence: 'permanent', enhancedStatus: '5.1.1' },
 *   raw: { event: 'bounce' },
 * }
 * console.assert(bounced.bounce?.permanence === 'permanent')
 * ```
 */
export interface Signal {
  readonly kind: ReceiptKind
  readonly dedupeKey: string
  /** The provider's time, never the time of arrival. */
  readonly occurredAt: Date
  /** What it is about; at least one of the three. */
  readonly about: {
    readonly key?: DeliveryKey
    readonly providerId?: string
    readonly address?: string
  }
  readonly bounce?: {
    readonly permanence: 'permanent' | 'transient' | 'undetermined'
    readonly enhancedStatus?: string
  }
  /** Whether a scanner or a prefetch did it rather than a person. */
  readonly machine?: 'likely' | 'unlikely' | 'unknown'
  readonly reply?: {
    readonly text?: string
    readonly intent?: 'stop' | 'start' | 'help' | 'other'
    /** Lets the next message go out as a reply while the token lives. */
    readonly token?: string
  }
  /** What the provider sent, for people who look into it. */
  readonly raw: unknown
}
