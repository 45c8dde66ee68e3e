import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { Arrivals } from './arrivals.ts'
import { type DeliveryReport, deliveryReport } from './delivery-report.ts'
import type { Provider, Situations, Taken } from './provider.ts'
import { SmtpSession } from './smtp-session.ts'

/**
 * Where in a conversation something is to happen: `content` is while the message comes, before its final dot; `dot` is
 * the answer to it.
 *
 * @example
 * ```ts
 * import type { SmtpStage } from '@engawa/sdk/fakes'
 *
 * const lastSafe: SmtpStage = 'content'
 * console.assert(lastSafe === 'content')
 * ```
 */
export type SmtpStage = 'connect' | 'ehlo' | 'auth' | 'mail' | 'rcpt' | 'data' | 'content' | 'dot'

/**
 * What the fake SMTP server does at one stage; at the others it does what is usual.
 *
 * @example
 * ```ts
 * import type { SmtpReply } from '@engawa/sdk/fakes'
 *
 * const full: SmtpReply = { at: 'rcpt', code: 452, text: '4.2.2 Mailbox full' }
 * const lost: SmtpReply = { at: 'dot', drop: true }
 * console.assert(full.at === 'rcpt' && lost.drop)
 * ```
 */
export interface SmtpReply {
  readonly at: SmtpStage
  readonly code?: number
  /** What follows the code; `{recipient}` stands for the recipient's address. */
  readonly text?: string
  /** Cuts the connection instead of answering. At `dot` the message was taken by then, unless the code says otherwise. */
  readonly drop?: boolean
  /** Does not answer until `release()`. */
  readonly held?: boolean
}

/**
 * A message that the fake SMTP server took.
 *
 * @example
 * ```ts
 * import { smtpServer, type SmtpMessage } from '@engawa/sdk/fakes'
 *
 * const isTo = (message: SmtpMessage, address: string) => message.to.includes(address)
 * const server = await smtpServer()
 * console.assert(!server.messages.some((message) => isTo(message, 'mika@example.com')))
 * await server.close()
 * ```
 */
export interface SmtpMessage extends Taken {
  /** Of the envelope: where returned mail goes. */
  readonly from: string
  readonly to: readonly string[]
  /** What came after the addresses of MAIL and of each RCPT, as in `RET=HDRS`, `NOTIFY=FAILURE`. */
  readonly mailParameters: readonly string[]
  readonly rcptParameters: readonly (readonly string[])[]
  /** Who signed in. */
  readonly user?: string
  /** Head and body as they came, without the dots of the transport. */
  readonly raw: Uint8Array
}

/**
 * How the fake SMTP server is set up.
 *
 * @example
 * ```ts
 * import { smtpServer, type SmtpServerOptions } from '@engawa/sdk/fakes'
 *
 * const options: SmtpServerOptions = { login: { user: 'shop', password: 'pw' }, size: 1_000_000 }
 * const server = await smtpServer(options)
 * console.assert(server.port > 0)
 * await server.close()
 * ```
 */
export interface SmtpServerOptions {
  /** Who may send; anybody unless told. PLAIN and LOGIN are offered, and any pair is good where none is told. */
  readonly login?: { readonly user: string; readonly password: string }
  /** The most bytes of a message that it says it takes; nothing is said unless told. */
  readonly size?: number
  /** Whether it offers delivery status notifications; true unless told. */
  readonly dsn?: boolean
}

/**
 * Starts an SMTP server that refuses, defers, drops and bounces as it is told. It speaks no TLS.
 *
 * @example
 * ```ts
 * import { smtpServer } from '@engawa/sdk/fakes'
 *
 * const server = await smtpServer()
 * server.answer({ at: 'rcpt', code: 550, text: '5.1.1 No such user' })
 * console.assert(server.host === `127.0.0.1:${server.port}` && server.messages.length === 0)
 * await server.close()
 * ```
 */
export async function smtpServer(options: SmtpServerOptions = {}): Promise<SmtpServer> {
  const server = new SmtpServer(options)
  await server.listen()
  return server
}

/**
 * The fake SMTP server; `smtpServer()` starts one.
 *
 * @example
 * ```ts
 * import { smtpServer, type SmtpServer } from '@engawa/sdk/fakes'
 *
 * const server: SmtpServer = await smtpServer({ dsn: false })
 * server.next({ at: 'connect', code: 421, text: '4.3.2 Closing down' })
 * console.assert(server.sendings === 0)
 * await server.close()
 * ```
 */
export class SmtpServer implements Provider<SmtpReply> {
  readonly situations: Situations<SmtpReply> = smtpSituations
  readonly #messages: SmtpMessage[] = []
  readonly #options: SmtpServerOptions
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer({ noDelay: true }, (socket) => this.#welcome(socket))
  readonly #sendings = new Arrivals()
  readonly #takings = new Arrivals()
  readonly #script: SmtpReply[] = []
  readonly #held: (() => void)[] = []
  #standing: SmtpReply | undefined
  #connections = 0

  constructor(options: SmtpServerOptions = {}) {
    this.#options = options
  }

  /** Opens the port. */
  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  get host(): string {
    return `127.0.0.1:${this.port}`
  }

  get connections(): number {
    return this.#connections
  }

  /** How many MAIL commands came. */
  get sendings(): number {
    return this.#sendings.count
  }

  /** The messages that it took, in order. */
  get messages(): readonly SmtpMessage[] {
    return this.#messages
  }

  get taken(): readonly SmtpMessage[] {
    return this.#messages
  }

  /** Each of these once, the next time that its stage comes, before anything else that was told. */
  next(...replies: readonly SmtpReply[]): void {
    this.#script.push(...replies)
  }

  answer(reply?: SmtpReply): void {
    this.#standing = reply
  }

  arrived(sendings: number): Promise<void> {
    return this.#sendings.reach(sendings)
  }

  took(messages: number): Promise<void> {
    return this.#takings.reach(messages)
  }

  /** Lets everything that is held be answered. */
  release(): void {
    for (const resume of this.#held.splice(0)) resume()
  }

  /** The report by which a server tells, later, what became of a message that it had taken: see `deliveryReport`. */
  bounce(message: SmtpMessage, report: Partial<DeliveryReport> = {}): string {
    return deliveryReport({
      returnPath: message.from,
      recipient: message.to[0] ?? '',
      status: '5.1.1',
      original: message.text,
      ...report,
    })
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #welcome(socket: Socket): void {
    this.#connections += 1
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    const { login, size, dsn = true } = this.#options
    const extensions = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES', 'AUTH PLAIN LOGIN']
    new SmtpSession(socket, {
      greeting: 'fake.example ESMTP',
      extensions: [...extensions, ...(dsn ? ['DSN'] : []), ...(size === undefined ? [] : [`SIZE ${size}`])],
      login,
      told: (at) => this.#told(at),
      sending: () => this.#sendings.add(),
      take: (message) => {
        this.#messages.push(message)
        this.#takings.add()
      },
      hold: (resume) => this.#held.push(resume),
    })
  }

  #told(at: SmtpStage): SmtpReply | undefined {
    const next = this.#script.findIndex((reply) => reply.at === at)
    if (next !== -1) return this.#script.splice(next, 1)[0]
    return this.#standing?.at === at ? this.#standing : undefined
  }
}

const smtpSituations: Situations<SmtpReply> = {
  lost: [
    { name: 'dropped before the final dot', reply: { at: 'content', drop: true }, mayBeLater: true },
    { name: 'dropped after the final dot', reply: { at: 'dot', drop: true } },
    { name: 'no answer to the final dot until the deadline', reply: { at: 'dot', held: true } },
  ],
  takenUnsaid: { at: 'dot', drop: true },
  silent: { at: 'dot', held: true },
  undeclared: (declared) => {
    const free = (codes: readonly number[]) =>
      codes.find((code) => declared.every((reply) => reply.code !== code))
    return [
      { code: free([459, 458, 457]), expect: 'later' as const },
      { code: free([559, 558, 557]), expect: 'never' as const },
    ].flatMap(({ code, expect }) =>
      code === undefined
        ? []
        : [{ name: `${code} to RCPT, not declared`, reply: { at: 'rcpt' as const, code }, expect }],
    )
  },
  echo: { at: 'rcpt', code: 550, text: '5.1.1 <{recipient}> is not known here' },
}
