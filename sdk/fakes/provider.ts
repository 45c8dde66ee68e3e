/**
 * Somebody else's server, played in this process, on a port of its own at 127.0.0.1. The conformance kit drives any
 * fake through this; write one of your own where a provider speaks something else than HTTP or SMTP. `Reply` is what
 * it can be told to answer.
 *
 * @example
 * ```ts
 * import { httpProvider, type HttpReply, type Provider } from '@engawa/sdk/fakes'
 *
 * const provider: Provider<HttpReply> = await httpProvider()
 * console.assert(provider.host.startsWith('127.0.0.1:') && provider.taken.length === 0)
 * await provider.close()
 * ```
 */
export interface Provider<Reply> {
  /** Where it listens, as in `127.0.0.1:4711`; what `ENGAWA_EGRESS_ALLOW` takes. */
  readonly host: string
  /** How many connections were ever opened to it. */
  readonly connections: number
  /** How often something came that would send a message, whatever became of it. */
  readonly sendings: number
  /** The messages that it carried out, in order. One that it recognised as a repetition is not carried out again. */
  readonly taken: readonly Taken[]
  /** How it can fail, for laws that no plugin author should have to write. */
  readonly situations: Situations<Reply>
  /** Answers so from now on; as usual again without a reply. */
  answer(reply?: Reply): void
  /** Resolves once that many sendings have come since the start. */
  arrived(sendings: number): Promise<void>
  /** Resolves once that many messages have been carried out since the start. */
  took(messages: number): Promise<void>
  /** Ends every connection and frees the port. */
  close(): Promise<void>
}

/**
 * One message that a fake carried out.
 *
 * @example
 * ```ts
 * import { httpProvider } from '@engawa/sdk/fakes'
 *
 * const provider = await httpProvider()
 * await fetch(provider.url, { method: 'POST', headers: { topic: 'news' }, body: 'Hello' })
 * const [first] = provider.taken
 * console.assert(first?.field('Topic') === 'news' && first.text.includes('Hello'))
 * await provider.close()
 * ```
 */
export interface Taken {
  /** A header of it, whatever the case of its name. */
  field(name: string): string | undefined
  /** All of it, head and body, as text. */
  readonly text: string
}

/**
 * What can go wrong between a plugin and this kind of provider, as replies that its fake understands.
 *
 * @example
 * ```ts
 * import { httpSituations } from '@engawa/sdk/fakes'
 *
 * const [teapot] = httpSituations.undeclared([{ status: 404 }])
 * console.assert(teapot?.reply.status === 418 && teapot.expect === 'never')
 * ```
 */
export interface Situations<Reply> {
  /** After these nobody can know whether the message arrived; only `mayBeLater` ones may also be `refused`, `later`. */
  readonly lost: readonly {
    readonly name: string
    readonly reply: Reply
    readonly mayBeLater?: boolean
  }[]
  /** Takes the message and is cut off before it can say so. */
  readonly takenUnsaid: Reply
  /** Takes what comes, and never answers. */
  readonly silent: Reply
  /** Answers that the plugin's author declared nothing about, and what they must come to. */
  undeclared(declared: readonly Reply[]): readonly {
    readonly name: string
    readonly reply: Reply
    readonly expect: 'never' | 'later' | 'unknown'
  }[]
  /** Refuses, and repeats in the answer everything that it was sent, secrets and addresses too. */
  readonly echo?: Reply
  /** The same reply with a `Retry-After`; undefined where the reply cannot carry one. */
  retryAfter?(reply: Reply, value: string): Reply | undefined
  /** Sends the caller on to another place. */
  redirect?(url: string): Reply
}
