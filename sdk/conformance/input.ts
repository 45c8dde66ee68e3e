import type { Content } from '../content.ts'
import type { Provider } from '../fakes/provider.ts'
import type { Disposition, FaultCause } from '../outcome.ts'

/**
 * What the kit needs to know of a channel to hold it to the laws.
 *
 * @example
 * ```ts
 * import type { ConformanceInput } from '@engawa/sdk/conformance'
 * import { type HttpProvider, httpProvider } from '@engawa/sdk/fakes'
 *
 * const input: ConformanceInput<{ url: string; token: string }, string, HttpProvider> = {
 *   provider: httpProvider,
 *   config: ({ url }, tenant) => ({ url, token: `token-of-tenant-${tenant}` }),
 *   badConfigs: [{ path: 'url', value: 'nowhere' }],
 *   address: 'device-4711',
 *   replies: [{ reply: { status: 401 }, expect: 'hold' }],
 * }
 * console.assert(input.inbound === undefined)
 * ```
 */
export interface ConformanceInput<Config, Address, P extends Provider<unknown>> {
  /** Starts the fake that stands for the provider. Leave it out only where a channel reaches nobody, as an inbox. */
  readonly provider?: () => Promise<P>
  /**
   * A good configuration as it would be saved, pointed at the fake. `tenant` is a number from 1000 to 1099: give each
   * tenant secrets of its own, at least eight characters long, so that the kit can tell them apart and find them where
   * they should not be.
   */
  readonly config: Saved<Config> | ((provider: P, tenant: number) => Saved<Config>)
  /** Configurations that must be refused. */
  readonly badConfigs: readonly BadConfig[]
  /** Where a member is found. */
  readonly address: Address | ((provider: P, tenant: number) => Address)
  /** What says this text; `{ title: 'Hello', body: text }` unless told. */
  readonly content?: (text: string) => Content
  /** Contents at the limit and one step over it, where a text alone does not reach all limits. */
  readonly fits?: readonly Content[]
  readonly tooLarge?: readonly Content[]
  /** Every answer of the provider that the channel knows, and what it must come to. */
  readonly replies?: readonly DeclaredReply<NonNullable<Parameters<P['answer']>[0]>>[]
  /** What the provider posts; needed when the definition has `inbound`. */
  readonly inbound?: InboundInput<Config>
}

/**
 * A configuration as it is saved, before the schema has read it.
 *
 * @example
 * ```ts
 * import type { Saved } from '@engawa/sdk/conformance'
 *
 * const saved: Saved<{ url: string; tries: number }> = { url: 'https://push.example' }
 * console.assert(saved.tries === undefined)
 * ```
 */
export type Saved<Config> = { readonly [Name in keyof Config]?: unknown }

/**
 * A value that makes the good configuration a bad one, at the path where the schema must say so.
 *
 * @example
 * ```ts
 * import type { BadConfig } from '@engawa/sdk/conformance'
 *
 * const missing: BadConfig = { path: 'token', value: undefined }
 * const nested: BadConfig = { path: 'relay.port', value: 70_000 }
 * console.assert(missing.path !== nested.path)
 * ```
 */
export interface BadConfig {
  /** Keys from the outermost inwards, separated by full stops; '' for the configuration as a whole. */
  readonly path: string
  /** Put there instead of the good value; undefined takes the key away. */
  readonly value: unknown
}

/**
 * An answer of the provider, and what it must come to.
 *
 * @example
 * ```ts
 * import type { DeclaredReply } from '@engawa/sdk/conformance'
 * import type { HttpReply } from '@engawa/sdk/fakes'
 *
 * const gone: DeclaredReply<HttpReply> = {
 *   reply: { status: 410 },
 *   expect: { do: 'elsewhere', cause: 'address', suppress: 'address' },
 * }
 * console.assert(gone.expect !== 'never')
 * ```
 */
export interface DeclaredReply<Reply> {
  /** For what the kit says of it; the reply itself unless told. */
  readonly name?: string
  readonly reply: Reply
  readonly expect: Expectation
}

/**
 * What an answer must come to: in one word, or a refusal in more. What is not said may be anything.
 *
 * @example
 * ```ts
 * import type { Expectation } from '@engawa/sdk/conformance'
 *
 * const expectations: Expectation[] = ['accepted', 'unknown', 'hold', { do: 'later', cause: 'quota' }]
 * console.assert(expectations.length === 4)
 * ```
 */
export type Expectation = 'accepted' | 'unknown' | Disposition['do'] | ExpectedRefusal

/**
 * What a refusal must say. A `later` without `notBefore` must heed Retry-After, which the kit then tries.
 *
 * @example
 * ```ts
 * import type { ExpectedRefusal } from '@engawa/sdk/conformance'
 *
 * const stopped: ExpectedRefusal = { do: 'never', cause: 'recipient', suppress: 'memberChannel' }
 * console.assert(stopped.notBefore === undefined)
 * ```
 */
export interface ExpectedRefusal {
  readonly do: Disposition['do']
  readonly cause?: FaultCause
  readonly suppress?: 'address' | 'memberChannel' | 'nothing'
  /** Where the channel reckons it by itself: from the clock of the attempt. */
  readonly notBefore?: (now: Date) => Date
}

/**
 * A request as a provider posts it.
 *
 * @example
 * ```ts
 * import type { Posted } from '@engawa/sdk/conformance'
 *
 * const posted: Posted = { headers: { 'x-signature': 'c2ln' }, body: '{"events":[]}' }
 * console.assert(posted.query === undefined)
 * ```
 */
export interface Posted {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
  /** POST unless told. */
  readonly method?: string
  /** As in `key=1&b=2`. */
  readonly query?: string
}

/**
 * What a provider posts to the channel, for the laws about that.
 *
 * @example
 * ```ts
 * import { createHmac } from 'node:crypto'
 * import type { InboundInput } from '@engawa/sdk/conformance'
 *
 * const inbound: InboundInput<{ secret: string; previousSecret?: string }> = {
 *   sign: (body, { config }) => ({
 *     headers: { 'x-signature': createHmac('sha256', config.secret).update(body).digest('base64') },
 *     body,
 *   }),
 *   signsTime: false,
 *   rotation: {
 *     before: { secret: 'the-old-secret' },
 *     during: { secret: 'the-new-secret', previousSecret: 'the-old-secret' },
 *     after: { secret: 'the-new-secret' },
 *   },
 *   oneMessage: ['[{"id":"1","is":"delivered","of":"m","at":1},{"id":"2","is":"seen","of":"m","at":2}]'],
 * }
 * console.assert(inbound.oneMessage.length === 1)
 * ```
 */
export interface InboundInput<Config> {
  /** The request by which the provider posts a body at an instant, signed with what the configuration holds. */
  sign(body: string, by: { readonly config: Config; readonly at: Date }): Posted | Promise<Posted>
  /** How old a request may be, in seconds; false where the provider signs no time. */
  readonly signsTime: number | false
  /** Changes to the good configuration: before a secret is changed, while both are good, and after. */
  readonly rotation: Readonly<Record<'before' | 'during' | 'after', Saved<Config>>>
  /** Bodies that tell of two or more events of one and the same message; one body, where the provider sends batches. */
  readonly oneMessage: readonly [string, ...string[]]
  /** False where the provider never tells when something happened; true unless told. */
  readonly tellsTime?: boolean
  /** The bodies of `oneMessage` as the provider delivers them again, where that is not the very same. */
  readonly redelivered?: readonly [string, ...string[]]
  /** For each of these that the channel can report, a body that tells of it. */
  readonly suppressing?: Readonly<Partial<Record<Suppressing, string>>>
  /** The body by which a member's answer with this text comes in. */
  readonly answer?: (text: string) => string
  /** By which words alone a member asks for silence; `STOP` unless told. */
  readonly stopWords?: readonly string[]
  /** The request by which the provider tries the connection, which is answered and has no effect. */
  readonly handshake?: (by: { readonly config: Config; readonly at: Date }) => Posted | Promise<Posted>
}

/**
 * What must keep more messages from going out.
 *
 * @example
 * ```ts
 * import type { Suppressing } from '@engawa/sdk/conformance'
 *
 * const byMail: Suppressing[] = ['bounced', 'complained', 'unsubscribed']
 * console.assert(byMail.length === 3)
 * ```
 */
export type Suppressing = 'unsubscribed' | 'complained' | 'addressGone' | 'blocked' | 'bounced'
