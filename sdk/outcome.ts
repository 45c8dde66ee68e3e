/**
 * What an attempt came to. There are three answers, because after a time-out nobody knows: saying *refused*
 * then makes the core send twice, saying *accepted* makes it lose a message.
 *
 * @example
 * ```ts
 * import type { Outcome } from '@engawa/sdk'
 *
 * function read(response: Response, now: Date): Outcome {
 *   if (response.ok) return { is: 'accepted', at: now }
 *   if (response.status >= 500) return { is: 'unknown', evidence: 'server-error' }
 *   return { is: 'refused', fault: { cause: 'content', disposition: { do: 'never' } } }
 * }
 * console.assert(read(new Response(null, { status: 503 }), new Date()).is === 'unknown')
 * ```
 */
export type Outcome = Accepted | Refused | Unknown

/**
 * The provider took it. That is not yet a delivery; receipts tell the rest.
 *
 * @example
 * ```ts
 * import type { Accepted } from '@engawa/sdk'
 *
 * const outcome: Accepted = {
 *   is: 'accepted',
 *   at: new Date('2026-04-01T00:00:00Z'),
 *   providerId: 'msg-1',
 *   cost: { amount: '3.3', currency: 'JPY' },
 * }
 * console.assert(outcome.cost?.currency === 'JPY')
 * ```
 */
export interface Accepted {
  readonly is: 'accepted'
  /** When the provider says that it took it; else `ctx.clock.now()`. */
  readonly at: Date
  /** The provider's id of the message; receipts are matched by it. */
  readonly providerId?: string
  /** True when the provider said that it had this key already. */
  readonly replay?: boolean
  /** What it cost: a decimal amount in major units, and the provider's own units where it counts in some. */
  readonly cost?: { readonly amount: string; readonly currency: string; readonly units?: number }
}

/**
 * The provider, or the channel itself, said no. Nothing was sent, and nothing will be.
 *
 * @example
 * ```ts
 * import type { Refused } from '@engawa/sdk'
 *
 * const outcome: Refused = {
 *   is: 'refused',
 *   fault: { cause: 'rate', disposition: { do: 'later', notBefore: new Date('2026-04-01T00:01:00Z') } },
 * }
 * console.assert(outcome.fault.disposition.do === 'later')
 * ```
 */
export interface Refused {
  readonly is: 'refused'
  readonly fault: Fault
}

/**
 * Nobody knows whether it was sent: the connection was cut, the deadline passed, the provider broke.
 *
 * @example
 * ```ts
 * import type { Unknown } from '@engawa/sdk'
 *
 * const outcome: Unknown = { is: 'unknown', evidence: 'timeout', detail: 'no answer after the body' }
 * console.assert(outcome.evidence === 'timeout')
 * ```
 */
export interface Unknown {
  readonly is: 'unknown'
  readonly evidence: 'timeout' | 'reset' | 'server-error' | 'crash'
  /** For people who look into it. No address, no content, no secret. */
  readonly detail?: string
}

/**
 * Why something failed, and what to do about it.
 *
 * @example
 * ```ts
 * import type { Fault } from '@engawa/sdk'
 *
 * const gone: Fault = {
 *   cause: 'address',
 *   disposition: { do: 'elsewhere' },
 *   suppress: { scope: 'address' },
 *   code: '410',
 * }
 * console.assert(gone.suppress?.scope === 'address')
 * ```
 */
export interface Fault {
  readonly cause: FaultCause
  readonly disposition: Disposition
  /** Nothing more goes to this address, or to this member through this channel, until then or for good. */
  readonly suppress?: { readonly scope: 'address' | 'memberChannel'; readonly until?: Date }
  /** The provider's own code. */
  readonly code?: string
  /** For people who look into it. No address, no content, no secret. */
  readonly detail?: string
}

/**
 * Where the trouble lies: with the address, its owner, what is said, a rule, our credentials, our settings, a
 * budget, the pace, the provider, or the way to it.
 *
 * @example
 * ```ts
 * import type { FaultCause } from '@engawa/sdk'
 *
 * const causeOf = (status: number): FaultCause =>
 *   status === 401 ? 'auth' : status === 429 ? 'rate' : 'content'
 * console.assert(causeOf(429) === 'rate')
 * ```
 */
export type FaultCause =
  | 'address'
  | 'recipient'
  | 'content'
  | 'policy'
  | 'auth'
  | 'config'
  | 'quota'
  | 'rate'
  | 'provider'
  | 'network'

/**
 * What the core is to do: give this delivery up (`never`), try again (`later`, not before an instant if there
 * is one), try another channel (`elsewhere`), or keep everything of this channel until its configuration is
 * put right (`hold`).
 *
 * @example
 * ```ts
 * import type { Disposition } from '@engawa/sdk'
 *
 * const retryAfter = (seconds: number, now: Date): Disposition => ({
 *   do: 'later',
 *   notBefore: new Date(now.getTime() + seconds * 1000),
 * })
 * console.assert(retryAfter(60, new Date(0)).do === 'later')
 * ```
 */
export type Disposition =
  | { readonly do: 'never' }
  | { readonly do: 'later'; readonly notBefore?: Date | undefined }
  | { readonly do: 'elsewhere' }
  | { readonly do: 'hold' }
