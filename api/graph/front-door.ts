import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { BadInputError, ForbiddenError } from '../platform/errors/index.ts'
import { BodyCutError, BodyTooLargeError, readBody } from './body.ts'
import type { Caller, Engine, GraphRequest } from './engine.ts'
import { FullLane } from './full-lane.ts'
import { type GraphiqlTab, graphiqlPage, isLoopback } from './graphiql.ts'
import { InFlight } from './in-flight.ts'
import { nextRequestId } from './request-id.ts'
import { httpAnswer, type MediaType, mediaTypeOf } from './response.ts'
import { Sessions, type SignIn } from './sessions.ts'
import { type SocketTimes, WebSockets } from './websocket.ts'

/** Answers one plain path beside the API, such as `/health/live`. */
export type Route = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

/** What the front door is made of. */
export interface FrontDoorOptions {
  readonly engine: Engine
  readonly signIn: SignIn
  /** Plain paths beside `/graphql`; one that ends with `/` is for everything below it. */
  readonly routes?: Readonly<Record<string, Route>>
  /** Web origins, such as `https://shop.example`, whose pages may call the API from a browser. None unless told. */
  readonly origins?: readonly string[]
  /** The tabs of GraphiQL, asked for at each visit; undefined: no GraphiQL. For development on this machine only. */
  readonly graphiql?: () => readonly GraphiqlTab[] | Promise<readonly GraphiqlTab[]>
  /** How patient sockets are; for tests. */
  readonly socketTimes?: Partial<SocketTimes>
  /** Told what broke outside of any operation; it must not throw. */
  onFault(error: unknown): void
}

const PATH = '/graphql'

/** The HTTP and WebSocket face of the API, for any number of Node servers: give them `handle` and `upgrade`. */
export class FrontDoor {
  readonly #options: FrontDoorOptions
  readonly #sessions: Sessions
  readonly #full: FullLane
  readonly #sockets: WebSockets
  readonly #origins: ReadonlySet<string>
  readonly #running = new InFlight()
  #isClosing = false

  constructor(options: FrontDoorOptions) {
    this.#options = options
    this.#origins = new Set(options.origins)
    this.#sessions = new Sessions(options.signIn)
    const { engine, signIn, onFault } = options
    this.#sockets = new WebSockets({
      engine,
      signIn,
      sessions: this.#sessions,
      times: options.socketTimes ?? {},
      onFault,
    })
    this.#full = new FullLane({
      engine,
      signIn,
      sessions: this.#sessions,
      path: PATH,
      origins: [...this.#origins],
    })
  }

  /** Sockets that are open now. */
  get sockets(): number {
    return this.#sockets.size
  }

  /** For `http.createServer`. */
  readonly handle: RequestListener = (request, response) => {
    this.#running.enter()
    response.once('close', () => this.#running.leave())
    if (this.#isClosing) response.setHeader('connection', 'close')
    this.#dispatch(request, response).catch((error: unknown) => {
      if (error instanceof BodyCutError) return
      this.#options.onFault(error)
      if (!response.headersSent) this.#refuse(response, error)
      else response.destroy()
    })
  }

  /** For the `upgrade` event of a server. */
  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const isOurs = pathOf(request) === PATH && !this.#isClosing
    if (!isOurs || !this.#isWelcome(request)) {
      const status = !isOurs ? '404 Not Found' : '403 Forbidden'
      socket.on('error', () => {})
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    this.#sockets.upgrade(request, socket, head)
  }

  /**
   * Stops: lets running operations finish, for at most `milliseconds`, then closes sockets with 1001 and cuts
   * streams, whose clients resume elsewhere. Call it before the event log is closed: a stream that ends by
   * itself would tell its client that nothing more will come.
   */
  async close(milliseconds = 10_000): Promise<void> {
    this.#isClosing = true
    this.#full.cut()
    await Promise.all([this.#sockets.close(milliseconds), this.#running.drained(milliseconds)])
    this.#sessions.close()
  }

  async #dispatch(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (isPlainPost(request)) {
      const mediaType = mediaTypeOf(request.headers.accept)
      if (mediaType !== null) return this.#fast(request, response, mediaType)
    }
    const path = pathOf(request)
    const route = this.#routeOf(path)
    if (route) return route(request, response)
    if (path !== PATH) return send(response, 404, 'text/plain; charset=utf-8', 'Not found.\n')
    if (!this.#isWelcome(request)) {
      return this.#refuse(response, new ForbiddenError('Pages of this origin may not call this API.'))
    }
    if (await this.#page(request, response)) return
    const { method = 'GET', headers } = request
    if (method === 'POST' && !/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) {
      throwAwayBody(request)
      const error = new BadInputError('content-type', 'The body must be application/json.')
      return this.#refuse(response, error, 415)
    }
    const body = method === 'GET' || method === 'HEAD' ? undefined : await this.#body(request, response)
    if (body !== null) await this.#full.answer(request, response, body)
  }

  #routeOf(path: string): Route | undefined {
    const { routes = {} } = this.#options
    if (Object.hasOwn(routes, path)) return routes[path]
    const below = `/${path.split('/')[1]}/`
    return path.startsWith(below) && Object.hasOwn(routes, below) ? routes[below] : undefined
  }

  /** A plain JSON request: the same engine without Yoga's HTTP layer, which costs several times its work. */
  async #fast(request: IncomingMessage, response: ServerResponse, mediaType: MediaType): Promise<void> {
    const { engine, signIn } = this.#options
    const body = await this.#body(request, response)
    if (body === null) return
    const params = parseParams(body)
    if (!params) return this.#full.answer(request, response, body)
    const requestId = nextRequestId()
    let answer: Awaited<ReturnType<Engine['run']>>
    try {
      const viewer = await signIn.authenticate(request.headers.authorization)
      answer = await engine.run(params, caller(request, { viewer, requestId }))
    } catch (error) {
      answer = engine.refuse(error, requestId)
    }
    if (Symbol.asyncIterator in answer) throw new TypeError('a stream was opened where none can be answered')
    const { status, headers, body: text } = httpAnswer(answer, mediaType)
    headers['content-length'] = String(Buffer.byteLength(text))
    response.writeHead(status, headers)
    response.end(text)
  }

  async #body(request: IncomingMessage, response: ServerResponse): Promise<string | null> {
    const { body: limit } = this.#options.engine.limits
    try {
      return await readBody(request, limit)
    } catch (error) {
      if (!(error instanceof BodyTooLargeError)) throw error
      response.setHeader('connection', 'close')
      this.#refuse(response, new BadInputError('body', `The body must have at most ${limit} bytes.`), 413)
      return null
    }
  }

  async #page(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const { graphiql } = this.#options
    const wantsPage = request.method === 'GET' && request.headers.accept?.includes('text/html')
    // Another name for this machine could let a foreign page read the tokens.
    if (!graphiql || !wantsPage || !isLoopback(request.headers.host)) return false
    const { html, headers } = await graphiqlPage(await graphiql())
    response.writeHead(200, headers)
    response.end(html)
    return true
  }

  /** Pages of other origins are not, unless an operator named them; programs send no origin. */
  #isWelcome({ headers: { origin, host } }: IncomingMessage): boolean {
    if (origin === undefined || this.#origins.has(origin)) return true
    return URL.canParse(origin) && new URL(origin).host === host
  }

  #refuse(response: ServerResponse, error: unknown, status?: number): void {
    const answer = this.#options.engine.refuse(error, nextRequestId())
    const { status: usual, headers, body } = httpAnswer(answer, 'application/graphql-response+json')
    response.writeHead(status ?? usual, { ...headers, 'content-type': 'application/json; charset=utf-8' })
    response.end(body)
  }
}

/** Exactly the requests that programs send all day; everything odd goes the long way. */
function isPlainPost({ method, url, headers }: IncomingMessage): boolean {
  if (method !== 'POST' || url !== PATH) return false
  const type = headers['content-type']
  const isJson =
    type === 'application/json' ||
    type === 'application/json; charset=utf-8' ||
    type === 'application/json;charset=utf-8'
  return isJson && headers.origin === undefined && headers['content-encoding'] === undefined
}

/** The parameters of a well-formed body; undefined for one that Yoga knows how to complain about. */
function parseParams(body: string): GraphRequest | undefined {
  let params: unknown
  try {
    params = JSON.parse(body)
  } catch {
    return undefined
  }
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return undefined
  for (const name in params) if (!PARAMS.has(name)) return undefined
  const { query, variables, operationName, extensions } = params as Record<string, unknown>
  if (typeof query !== 'string' || !isRecord(variables) || !isRecord(extensions)) return undefined
  if (operationName != null && typeof operationName !== 'string') return undefined
  return { query, variables, operationName }
}

const PARAMS: ReadonlySet<string> = new Set(['query', 'variables', 'operationName', 'extensions'])

function isRecord(value: unknown): value is Record<string, unknown> | null | undefined {
  return value == null || (typeof value === 'object' && !Array.isArray(value))
}

function caller(request: IncomingMessage, who: Pick<Caller, 'viewer' | 'requestId'>): Caller {
  return { ...who, address: request.socket.remoteAddress ?? '', mayMutate: true, mayStream: false }
}

function pathOf({ url = '/' }: IncomingMessage): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}

function throwAwayBody(request: IncomingMessage): void {
  request.on('error', () => {})
  request.resume()
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff' })
  response.end(body)
}
