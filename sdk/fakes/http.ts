import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Arrivals } from './arrivals.ts'
import { httpSituations } from './http-situations.ts'
import type { Provider, Situations, Taken } from './provider.ts'

/**
 * What a scripted provider answers. Without a status it is 200.
 *
 * @example
 * ```ts
 * import type { HttpReply } from '@engawa/sdk/fakes'
 *
 * const slowDown: HttpReply = { status: 429, headers: { 'retry-after': '60' }, body: { message: 'Slow down.' } }
 * const lost: HttpReply = { drop: 'afterBody' }
 * console.assert(slowDown.status === 429 && lost.status === undefined)
 * ```
 */
export interface HttpReply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** An object goes out as JSON; a function is told the request. */
  readonly body?: string | Uint8Array | object | ((request: HttpRequest) => string | object)
  /**
   * Cuts the connection instead: before a header of the answer, the request's body unread; after the whole request was
   * read (and, unless the status says otherwise, its message taken); or in the middle of the answer's body.
   */
  readonly drop?: 'beforeHeaders' | 'afterBody' | 'inAnswer'
  /** Waits with the answer, once the request was read, until `release()`. */
  readonly held?: boolean
}

/**
 * A request as it came.
 *
 * @example
 * ```ts
 * import { httpProvider } from '@engawa/sdk/fakes'
 *
 * const provider = await httpProvider()
 * await fetch(`${provider.url}/messages?dry=1`, { method: 'POST', body: '{"to":"mika"}' })
 * const [request] = provider.requests
 * console.assert(request?.path === '/messages' && request.query.get('dry') === '1')
 * console.assert(request?.text === '{"to":"mika"}')
 * await provider.close()
 * ```
 */
export interface HttpRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Headers
  readonly body: Uint8Array
  /** The body as UTF-8. */
  readonly text: string
}

/**
 * How a scripted provider behaves where nothing else is told.
 *
 * @example
 * ```ts
 * import { httpProvider, type HttpProviderOptions } from '@engawa/sdk/fakes'
 *
 * const options: HttpProviderOptions = {
 *   keyHeader: 'idempotency-key',
 *   isSending: ({ path }) => path === '/messages',
 *   reply: ({ path }) => (path === '/token' ? { body: { token: 'abc' } } : { status: 202 }),
 * }
 * const provider = await httpProvider(options)
 * console.assert((await fetch(`${provider.url}/token`, { method: 'POST' })).status === 200)
 * console.assert(provider.sendings === 0)
 * await provider.close()
 * ```
 */
export interface HttpProviderOptions {
  /** Which requests would send a message; all but GET, HEAD and OPTIONS unless told. */
  readonly isSending?: (request: HttpRequest) => boolean
  /** The usual answer; 200 with an id of the message unless told. */
  readonly reply?: (request: HttpRequest) => HttpReply
  /** The header by which it recognises a repetition, which then gets the first answer and no second effect. */
  readonly keyHeader?: string
}

/**
 * Starts a provider that speaks HTTP and answers as it is told.
 *
 * @example
 * ```ts
 * import { httpProvider } from '@engawa/sdk/fakes'
 *
 * const provider = await httpProvider()
 * provider.next({ status: 503 })
 * const statuses = [(await fetch(provider.url)).status, (await fetch(provider.url)).status]
 * console.assert(statuses.join() === '503,200')
 * await provider.close()
 * ```
 */
export async function httpProvider(options: HttpProviderOptions = {}): Promise<HttpProvider> {
  const provider = new HttpProvider(options)
  await provider.listen()
  return provider
}

/**
 * A scripted provider; `httpProvider()` starts one.
 *
 * @example
 * ```ts
 * import { httpProvider, type HttpProvider } from '@engawa/sdk/fakes'
 *
 * const provider: HttpProvider = await httpProvider()
 * provider.answer({ status: 500 })
 * console.assert((await fetch(provider.url, { method: 'POST' })).status === 500)
 * console.assert(provider.sendings === 1 && provider.taken.length === 0)
 * await provider.close()
 * ```
 */
export class HttpProvider implements Provider<HttpReply> {
  readonly situations: Situations<HttpReply> = httpSituations
  /** Every request whose headers came, whatever was answered. */
  readonly requests: HttpRequest[] = []
  readonly taken: Taken[] = []
  readonly #options: HttpProviderOptions
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch(() => request.socket.destroy())
  })
  readonly #sendings = new Arrivals()
  readonly #takings = new Arrivals()
  readonly #script: HttpReply[] = []
  readonly #held: (() => void)[] = []
  readonly #answers = new Map<string, HttpReply>()
  #standing: HttpReply | undefined
  #connections = 0

  constructor(options: HttpProviderOptions = {}) {
    this.#options = options
    this.#server.on('connection', () => {
      this.#connections += 1
    })
  }

  /** Opens the port. */
  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** As in `http://127.0.0.1:4711`, without a slash at the end. */
  get url(): string {
    return `http://${this.host}`
  }

  get host(): string {
    const address = this.#server.address()
    return typeof address === 'object' && address ? `127.0.0.1:${address.port}` : ''
  }

  get connections(): number {
    return this.#connections
  }

  get sendings(): number {
    return this.#sendings.count
  }

  /** Answers the next requests with these, one each, before anything else that was told. */
  next(...replies: readonly HttpReply[]): void {
    this.#script.push(...replies)
  }

  answer(reply?: HttpReply): void {
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

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    this.release()
    await closed
  }

  /** What becomes of a request to which nothing else was told. */
  protected handle(request: HttpRequest, isSending: boolean): HttpHandled {
    const key = this.#options.keyHeader ? request.headers.get(this.#options.keyHeader) : null
    const first = key === null ? undefined : this.#answers.get(key)
    if (isSending && first) return { reply: first, isTaken: false }
    const reply: HttpReply = this.#options.reply?.(request) ?? {
      body: { id: `message-${this.taken.length + 1}` },
    }
    if (isSending && key !== null) this.#answers.set(key, reply)
    return { reply, isTaken: isSending && (reply.status ?? 200) < 300 }
  }

  protected isSending(request: HttpRequest): boolean {
    return this.#options.isSending?.(request) ?? !['GET', 'HEAD', 'OPTIONS'].includes(request.method)
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const told = this.#script.shift() ?? this.#standing
    const isUnread = told?.drop === 'beforeHeaders'
    const request = await read(incoming, isUnread)
    const isSending = this.isSending(request)
    this.requests.push(request)
    if (isUnread) incoming.socket.destroy()
    if (isSending) this.#sendings.add()
    if (isUnread) return
    const reply = this.#replyTo(request, told, isSending)
    if (reply.held) await new Promise<void>((resolve) => this.#held.push(resolve))
    write(response, request, reply)
  }

  #replyTo(request: HttpRequest, told: HttpReply | undefined, isSending: boolean): HttpReply {
    if (told?.status !== undefined && told.status >= 300) return told
    const { reply, isTaken } = this.handle(request, isSending)
    if (isTaken) {
      this.taken.push(takenFrom(request))
      this.#takings.add()
    }
    return { ...reply, ...told }
  }
}

/** What a provider made of a request: what it answers, and whether it carried a message out. */
export interface HttpHandled {
  readonly reply: HttpReply
  readonly isTaken: boolean
}

async function read(incoming: IncomingMessage, isUnread: boolean): Promise<HttpRequest> {
  const url = new URL(incoming.url ?? '/', 'http://127.0.0.1')
  const body = isUnread ? new Uint8Array() : new Uint8Array(Buffer.concat(await incoming.toArray()))
  const headers = new Headers()
  for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2) {
    headers.append(incoming.rawHeaders[i] ?? '', incoming.rawHeaders[i + 1] ?? '')
  }
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers,
    body,
    text: new TextDecoder().decode(body),
  }
}

function takenFrom({ method, path, query, headers, text }: HttpRequest): Taken {
  const head = [...headers].map(([name, value]) => `${name}: ${value}`)
  const target = query.size > 0 ? `${path}?${query}` : path
  return {
    field: (name) => headers.get(name) ?? undefined,
    text: [`${method} ${target}`, ...head, '', text].join('\n'),
  }
}

function write(response: ServerResponse, request: HttpRequest, reply: HttpReply): void {
  if (reply.drop === 'afterBody') {
    response.socket?.destroy()
    return
  }
  const said = typeof reply.body === 'function' ? reply.body(request) : (reply.body ?? '')
  const isPlain = typeof said === 'string' || said instanceof Uint8Array
  const body = Buffer.from(isPlain ? said : JSON.stringify(said))
  const type = isPlain ? 'text/plain; charset=utf-8' : 'application/json'
  response.writeHead(reply.status ?? 200, {
    'content-type': type,
    'content-length': reply.drop ? body.length + 1 : body.length,
    ...reply.headers,
  })
  if (reply.drop) response.write(body, () => response.socket?.destroy())
  else response.end(body)
}
