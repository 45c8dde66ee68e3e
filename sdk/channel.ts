/*
 * Words used here.
 *   member      the person who is to be reached
 *   channel     a way to reach a member; a plugin defines one
 *   touchpoint  one planned contact with a member
 *   delivery    the carrying of a touchpoint through one channel, over all its attempts
 *   key         the delivery's own UUID, the same on every attempt
 *   address     where a channel finds a member: a mail address, a LINE user id, the member's own id
 *   content     what is said, in the member's language
 *   outcome     what an attempt came to: accepted, refused or unknown
 *   fault       why it was refused, and what to do about it
 *   signal      what a channel reports back later
 */
import type { Capabilities, DeliveryKey, Seconds } from './capabilities.ts'
import type { Fault, Outcome } from './outcome.ts'
import type { Schema } from './schema.ts'
import type { RawRequest, Signal, Verdict, VerifiedRequest } from './signal.ts'

/**
 * What a channel may touch. Everything that is not a pure function of its arguments comes from here, so a run
 * can be recorded, replayed and simulated.
 *
 * @example
 * ```ts
 * import type { ChannelContext } from '@engawa/sdk'
 *
 * async function isUp(ctx: ChannelContext<{ baseUrl: string }>): Promise<boolean> {
 *   const response = await ctx.fetch(`${ctx.config.baseUrl}/status`, { signal: ctx.signal })
 *   ctx.log('status asked', { status: response.status })
 *   return response.ok
 * }
 * console.assert(isUp.length === 1)
 * ```
 */
export interface ChannelContext<Config> {
  /** The tenant's configuration of this channel, as the schema reads it, secrets included. */
  readonly config: Config
  /** The member's language (BCP 47) and time zone (IANA); the tenant's where no member is meant. */
  readonly locale: string
  readonly timeZone: string
  /** Bound to the deadline; cannot reach private addresses, and follows no redirect. */
  readonly fetch: typeof fetch
  /** A connection for protocols that are not HTTP, such as SMTP: bound to the deadline and as guarded as `fetch`. */
  connect(target: ConnectTarget): Promise<Connection>
  /** The tenant's clock. */
  readonly clock: { now(): Date }
  /** Aborts at the deadline; stop within 100 ms. */
  readonly signal: AbortSignal
  /** Kept for the tenant and this channel, for things such as access tokens; may forget at any time. */
  readonly cache: {
    get(key: string): Promise<string | undefined>
    set(key: string, value: string, ttl: Seconds): Promise<void>
  }
  /** A constant sentence and its facts: ids, counts and codes; no address, no content, no secret. */
  log(event: string, fields?: Readonly<Record<string, unknown>>): void
}

/**
 * What a channel may touch while it sends: the context, and which delivery and attempt this is.
 *
 * @example
 * ```ts
 * import type { Outcome, SendContext } from '@engawa/sdk'
 *
 * async function send(ctx: SendContext<{ url: string }>, body: string): Promise<Outcome> {
 *   const headers = { 'idempotency-key': ctx.key }
 *   const response = await ctx.fetch(ctx.config.url, { method: 'POST', headers, body, signal: ctx.signal })
 *   return response.ok
 *     ? { is: 'accepted', at: ctx.clock.now() }
 *     : { is: 'unknown', evidence: 'server-error' }
 * }
 * console.assert(send.length === 2)
 * ```
 */
export interface SendContext<Config> extends ChannelContext<Config> {
  readonly key: DeliveryKey
  /** 1 at first. */
  readonly attempt: number
  /** Of the member's last message, while it lives: see `exclusiveReplyToken`. */
  readonly replyToken?: string
}

/**
 * Where to connect to.
 *
 * @example
 * ```ts
 * import type { ConnectTarget } from '@engawa/sdk'
 *
 * const relay: ConnectTarget = { host: 'smtp.example.com', port: 465, tls: true }
 * console.assert(relay.port === 465)
 * ```
 */
export interface ConnectTarget {
  readonly host: string
  readonly port: number
  /** TLS from the first byte, with the host's certificate checked; plain unless told. */
  readonly tls?: boolean
}

/**
 * A connection that `ctx.connect` opened. It is Node's own `net.Socket` (`tls.TLSSocket` with TLS), and can be
 * handed to whatever takes one.
 *
 * @example
 * ```ts
 * import type { Connection } from '@engawa/sdk'
 *
 * function greet(connection: Connection): void {
 *   connection.write('EHLO shop.example\r\n')
 * }
 * console.assert(greet.length === 1)
 * ```
 */
export interface Connection {
  write(data: Uint8Array | string): boolean
  end(): unknown
  destroy(error?: Error): unknown
  on(event: 'data', listener: (data: Uint8Array) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end' | 'close', listener: () => void): unknown
}

/**
 * What `prepare` is told besides the content and the address.
 *
 * @example
 * ```ts
 * import { deliveryKey, type Message } from '@engawa/sdk'
 *
 * const message: Message = { key: deliveryKey('0197a1b2-0000-7000-8000-000000000001'), locale: 'ja' }
 * console.assert(message.unsubscribeUrl === undefined)
 * ```
 */
export interface Message {
  readonly key: DeliveryKey
  readonly locale: string
  /** Where the member can stop messages of this kind; absent for service messages. */
  readonly unsubscribeUrl?: string
  /** After this nobody wants it any more, as of an offer; a provider that can should drop it then. */
  readonly expiresAt?: Date
}

/**
 * What `prepare` gives: what will be sent and how large it is in the unit of the limits, or why it cannot be.
 *
 * @example
 * ```ts
 * import type { Preparation } from '@engawa/sdk'
 *
 * const tooLong: Preparation<string> = {
 *   ok: false,
 *   fault: { cause: 'content', disposition: { do: 'never' }, detail: '5001 of 5000 characters' },
 * }
 * console.assert(!tooLong.ok)
 * ```
 */
export type Preparation<Prepared> =
  | { readonly ok: true; readonly prepared: Prepared; readonly size: number }
  | { readonly ok: false; readonly fault: Fault }

/**
 * What `check` says of a configuration.
 *
 * @example
 * ```ts
 * import type { CheckResult } from '@engawa/sdk'
 *
 * const result: CheckResult = { ok: false, fault: { cause: 'auth', disposition: { do: 'hold' } } }
 * console.assert(!result.ok)
 * ```
 */
export type CheckResult =
  | { readonly ok: true; readonly notes?: ReadonlyArray<string> }
  | { readonly ok: false; readonly fault: Fault }

/**
 * What is left of a provider's budget.
 *
 * @example
 * ```ts
 * import type { Quota } from '@engawa/sdk'
 *
 * const quota: Quota = { limit: 5_000, used: 4_200, resetsAt: new Date('2026-05-01T00:00:00+09:00') }
 * console.assert(quota.limit !== 'unlimited' && quota.limit - quota.used === 800)
 * ```
 */
export interface Quota {
  readonly limit: number | 'unlimited'
  readonly used: number
  readonly resetsAt?: Date
}

/**
 * A channel: everything the core needs to reach members through it. `Config` is a tenant's configuration,
 * `Address` where a member is found, `Content` what is said, `Prepared` what goes out.
 *
 * @example
 * ```ts
 * import type { ChannelDefinition } from '@engawa/sdk'
 *
 * type Webhook = ChannelDefinition<{ secret: string }, 'secret', string, { body: string }, Uint8Array>
 * const secrets: Webhook['config']['secrets'] = ['secret']
 * console.assert(secrets.length === 1)
 * ```
 */
export interface ChannelDefinition<Config, Secrets extends keyof Config, Address, Content, Prepared> {
  /** Lower case, digits and hyphens; unique in a deployment, and kept for ever: deliveries are stored with it. */
  readonly id: string
  /** The versions of this SDK that it works with, as in `^0.1`. Another one stops the boot. */
  readonly sdk: `^${number}.${number}`
  /** Which of a member's addresses it uses: `inbox`, `email`, `line`, `web-push`, `webhook`, `sms`, `task`. */
  readonly kind: string
  readonly capabilities: Capabilities | ((config: Config) => Capabilities)
  readonly config: {
    readonly schema: Schema<Config>
    /** Goes up when the shape changes; `migrate` then reads what was saved before. */
    readonly version: number
    /** Encrypted at rest; they never come back out of the API. */
    readonly secrets: ReadonlyArray<Secrets>
    migrate?(from: number, old: unknown): unknown
    /** Proves a configuration without sending anything. */
    check(ctx: ChannelContext<Config>): Promise<CheckResult>
  }
  readonly address: {
    readonly schema: Schema<Address>
    /** True when the member's own id is the address, as for an inbox: nobody has to give one. */
    readonly own?: boolean
    /** One spelling of what reaches the same person. */
    normalise(address: Address): Address
    /** What suppression goes by: equal for addresses that reach the same person. */
    identity(address: Address): string
  }
  readonly content: {
    readonly schema: Schema<Content>
    /** Pure: the same content, address and message give the same bytes. Refuses what is too large. */
    prepare(content: Content, address: Address, message: Message): Preparation<Prepared>
  }
  /** Sends one message. What it throws counts as `unknown`. */
  send(ctx: SendContext<Config>, prepared: Prepared): Promise<Outcome>
  /** Sends several at once; outcomes in the same order. */
  sendMany?(
    ctx: ChannelContext<Config>,
    items: ReadonlyArray<{
      readonly key: DeliveryKey
      readonly attempt: number
      readonly prepared: Prepared
    }>,
  ): Promise<ReadonlyArray<Outcome>>
  /** Asks the provider what became of a key. Needed for idempotency by lookup. */
  reconcile?(ctx: SendContext<Config>): Promise<Outcome>
  /** What the provider posts to us. */
  readonly inbound?: {
    readonly path: string
    verify(request: RawRequest, config: Config): Promise<Verdict>
    parse(request: VerifiedRequest, config: Config): ReadonlyArray<Signal>
  }
  /** Fetches signals where the provider posts none, such as a mailbox of bounces. Resumes after `cursor`. */
  poll?(
    ctx: ChannelContext<Config>,
    cursor?: string,
  ): Promise<{ readonly signals: ReadonlyArray<Signal>; readonly cursor?: string }>
  /** Asks for the budget. */
  quota?(ctx: ChannelContext<Config>): Promise<Quota>
}

/**
 * Defines a channel. Make it the default export of your package; it only gives the types and freezes.
 *
 * @example
 * ```ts
 * import { defineChannel, type Schema } from '@engawa/sdk'
 *
 * const anything = <T>(): Schema<T> => ({
 *   '~standard': { version: 1, vendor: 'me', validate: (value) => ({ value: value as T }) },
 * })
 * const shout = defineChannel({
 *   id: 'shout',
 *   sdk: '^0.1',
 *   kind: 'shout',
 *   capabilities: { idempotency: { mode: 'none' }, receipts: [], limits: {} },
 *   config: { schema: anything<object>(), version: 1, secrets: [], check: async () => ({ ok: true }) },
 *   address: { schema: anything<string>(), normalise: (a) => a.trim(), identity: (a) => a },
 *   content: {
 *     schema: anything<{ text: string }>(),
 *     prepare: ({ text }) => ({ ok: true, prepared: text.toUpperCase(), size: text.length }),
 *   },
 *   send: async (ctx) => ({ is: 'accepted', at: ctx.clock.now() }),
 * })
 * console.assert(Object.isFrozen(shout))
 * ```
 */
export function defineChannel<Config, Secrets extends keyof Config, Address, Content, Prepared>(
  definition: ChannelDefinition<Config, Secrets, Address, Content, Prepared>,
): ChannelDefinition<Config, Secrets, Address, Content, Prepared> {
  return Object.freeze(definition)
}
