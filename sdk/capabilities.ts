declare const brand: unique symbol

/**
 * A length of time in seconds; `seconds(60)` makes one.
 *
 * @example
 * ```ts
 * import { type Seconds, seconds } from '@engawa/sdk'
 *
 * const day: Seconds = seconds(86_400)
 * console.assert(day === 86_400)
 * ```
 */
export type Seconds = number & { readonly [brand]: 'Seconds' }

/**
 * A length of time in seconds. Throws RangeError for what is negative or not finite.
 *
 * @example
 * ```ts
 * import { seconds } from '@engawa/sdk'
 *
 * console.assert(seconds(1.5) === 1.5)
 * ```
 */
export function seconds(count: number): Seconds {
  if (!(count >= 0 && Number.isFinite(count))) throw new RangeError(`${count} is not a length of time.`)
  return count as Seconds // the one place where the brand is given
}

/**
 * The key of a delivery: a UUID, made once, the same on every attempt. Hand it to the provider in whatever
 * form it takes (a retry key, a Message-ID, a topic, an idempotency header).
 *
 * @example
 * ```ts
 * import { type DeliveryKey, deliveryKey } from '@engawa/sdk'
 *
 * const messageId = (key: DeliveryKey) => `<${key}@shop.example>`
 * console.assert(messageId(deliveryKey('0197a1b2-0000-7000-8000-000000000001')).startsWith('<0197'))
 * ```
 */
export type DeliveryKey = string & { readonly [brand]: 'DeliveryKey' }

/**
 * Reads a delivery key, as tests and inbound parsers need to. Throws TypeError for what is not a UUID in lower
 * case.
 *
 * @example
 * ```ts
 * import { deliveryKey } from '@engawa/sdk'
 *
 * const key = deliveryKey('0197a1b2-0000-7000-8000-000000000001')
 * console.assert(key.length === 36)
 * ```
 */
export function deliveryKey(text: string): DeliveryKey {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) {
    throw new TypeError('A delivery key is a UUID in lower case.')
  }
  return text as DeliveryKey // the one place where the brand is given
}

/**
 * How a second attempt with the same key is kept from having a second effect. It decides what the core does
 * after an unknown outcome: `native` the provider knows the key, so it is sent again while the key lives;
 * `lookup` the provider can be asked (`reconcile`); `collapse` duplicates merge at the receiver, so it is sent
 * again; `none` nothing does, so the message's own wish decides, and the doubt is listed.
 *
 * @example
 * ```ts
 * import { type Idempotency, seconds } from '@engawa/sdk'
 *
 * const line: Idempotency = {
 *   mode: 'native',
 *   header: 'X-Line-Retry-Key',
 *   format: 'uuid',
 *   ttl: seconds(86_400),
 * }
 * console.assert(line.mode === 'native')
 * ```
 */
export type Idempotency =
  | {
      readonly mode: 'native'
      readonly header: string
      readonly format: 'uuid' | 'string'
      readonly ttl: Seconds
    }
  | { readonly mode: 'lookup'; readonly window: Seconds }
  | { readonly mode: 'collapse'; readonly field: string }
  | { readonly mode: 'none' }

/**
 * What a channel can report back about a message or an address.
 *
 * @example
 * ```ts
 * import type { ReceiptKind } from '@engawa/sdk'
 *
 * const email: readonly ReceiptKind[] = ['accepted', 'bounced', 'complained', 'unsubscribed']
 * console.assert(!email.includes('seen'))
 * ```
 */
export type ReceiptKind =
  | 'accepted'
  | 'delivered'
  | 'deferred'
  | 'failed'
  | 'bounced'
  | 'complained'
  | 'seen'
  | 'opened'
  | 'clicked'
  | 'replied'
  | 'unsubscribed'
  | 'resubscribed'
  | 'blocked'
  | 'unblocked'
  | 'addressGone'
  | 'addressChanged'

/**
 * The most that one message may hold; `prepare` refuses what is larger and says the size in the same unit.
 *
 * @example
 * ```ts
 * import type { Limits } from '@engawa/sdk'
 *
 * const sms: Limits = { chars: { max: 670, unit: 'gsm7/ucs2' } }
 * console.assert(sms.chars?.max === 670)
 * ```
 */
export interface Limits {
  readonly bytes?: number
  readonly chars?: { readonly max: number; readonly unit: 'utf16' | 'codepoint' | 'gsm7/ucs2' }
  readonly parts?: number
}

/**
 * What a channel can do, as data. Planning and reports read it: a receipt that is not listed can never arrive,
 * and a report says so instead of showing 0 %.
 *
 * @example
 * ```ts
 * import type { Capabilities } from '@engawa/sdk'
 *
 * const webPush: Capabilities = {
 *   idempotency: { mode: 'collapse', field: 'Topic' },
 *   receipts: ['accepted', 'clicked', 'addressGone'],
 *   limits: { bytes: 3_000 },
 * }
 * console.assert(webPush.idempotency.mode === 'collapse')
 * ```
 */
export interface Capabilities {
  readonly idempotency: Idempotency
  /** Every receipt that can ever arrive. */
  readonly receipts: ReadonlyArray<ReceiptKind>
  readonly limits: Limits
  /**
   * A reply to a message of the member's is cheaper, while its token lives. The token is handed out once, to a first
   * attempt. No key guards a reply, so the core takes such an attempt for one of idempotency `none`.
   */
  readonly exclusiveReplyToken?: { readonly ttl: Seconds }
  /** With `sendMany`: how many at once, and whether each gets its own outcome. */
  readonly batch?: { readonly max: number; readonly perRecipientOutcome: boolean }
  /** Whether the provider's budget can be asked for (`quota`), is only declared, or does not exist. */
  readonly quota?: 'introspectable' | 'declared' | 'none'
  /** The provider can keep a message until an instant. */
  readonly nativeSchedule?: boolean
  /** A sent message can be taken back. */
  readonly recallable?: boolean
}
