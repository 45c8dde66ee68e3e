import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { setImmediate as immediate } from 'node:timers/promises'
import { type ExecutionArgs, type GraphQLError, parse } from 'graphql'
import {
  handleProtocols,
  makeServer,
  type OperationResult,
  type Context as ProtocolContext,
  type Server,
  type SubscribePayload,
} from 'graphql-ws'
import { WebSocketServer } from 'ws'
import { TooCostlyError, UnavailableError } from '../platform/errors/index.ts'
import type { Answer, Engine } from './engine.ts'
import { InFlight } from './in-flight.ts'
import { nextRequestId } from './request-id.ts'
import { withoutHttp } from './response.ts'
import type { Sessions, SignIn } from './sessions.ts'
import { type Closing, Socket } from './socket.ts'
import { Stream } from './stream.ts'

/** What the sockets are made of. */
export interface WebSocketOptions {
  readonly engine: Engine
  readonly signIn: SignIn
  readonly sessions: Sessions
  readonly times?: Partial<SocketTimes>
  onFault(error: unknown): void
}

/** How patient the sockets are, in milliseconds. */
export interface SocketTimes {
  /** Until a new connection must have said who it is. */
  readonly init: number
  /** How often connections are looked after. */
  readonly look: number
  /** How long the other end may leave a ping unanswered. */
  readonly pong: number
  /** How long the other end may take nothing of what waits for it. */
  readonly silence: number
}

const TIMES: SocketTimes = { init: 3_000, look: 5_000, pong: 20_000, silence: 30_000 }

/** The most subscriptions that one connection may have at a time. */
const SUBSCRIPTIONS = 50
/** The most that one message may weigh, in bytes. */
const MESSAGE = 65_536

/** Why we close a connection, beside the reasons that the protocol has. */
const CLOSE = {
  goingAway: [1001, 'Going away'],
  tryAgain: [1013, 'Try again later'],
  badToken: [4401, 'Unauthorized'],
  tokenEnded: [4403, 'The token expired or was revoked'],
  forbidden: [4403, 'Forbidden'],
  silent: [4510, 'Nothing was accepted for too long'],
} as const satisfies Record<string, Closing>

interface Extra {
  readonly socket: Socket
}

type Connection = ProtocolContext<Record<string, unknown>, Extra>

/** Live connections: the graphql-transport-ws protocol on the path of the API. */
export class WebSockets {
  readonly #options: WebSocketOptions
  readonly #times: SocketTimes
  readonly #server: WebSocketServer
  readonly #protocol: Server<Extra>
  readonly #sockets = new Set<Socket>()
  readonly #running = new InFlight()
  readonly #timer: NodeJS.Timeout
  #isClosing = false

  constructor(options: WebSocketOptions) {
    this.#options = options
    this.#times = { ...TIMES, ...options.times }
    this.#server = new WebSocketServer({
      noServer: true,
      handleProtocols,
      maxPayload: MESSAGE,
      perMessageDeflate: false,
      clientTracking: false,
    })
    this.#protocol = makeServer<Record<string, unknown>, Extra>({
      connectionInitWaitTimeout: this.#times.init,
      onConnect: (connection) => this.#connect(connection),
      onSubscribe: (connection, id, payload) => this.#subscribe(connection, id, payload),
      subscribe: carried,
      onNext: ({ extra }, _id, _payload, _args, result) => next(extra.socket, result as Answer),
      onError: (_connection, _id, _payload, errors) => errors.map(plain),
    })
    this.#timer = setInterval(() => this.#look(), this.#times.look).unref()
  }

  /** Connections that are open now. */
  get size(): number {
    return this.#sockets.size
  }

  /** Takes over the connection of a request that asks for it. */
  upgrade(request: IncomingMessage, connection: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, connection, head, (ws) => {
      const socket = new Socket(ws, request, this.#options.onFault)
      this.#sockets.add(socket)
      const closed = this.#protocol.opened(socket, { socket })
      socket.onClose((code, reason) => {
        this.#sockets.delete(socket)
        closed(code, reason).catch(this.#options.onFault)
      })
    })
  }

  /**
   * Lets running queries and mutations finish, for at most `milliseconds`, then closes every connection with
   * 1001. Nothing is told to be complete: subscribers go on elsewhere.
   */
  async close(milliseconds: number): Promise<void> {
    this.#isClosing = true
    await this.#running.drained(milliseconds)
    // The last answers are taken, but not all are on their way.
    await immediate()
    clearInterval(this.#timer)
    const sockets = [...this.#sockets]
    for (const socket of sockets) socket.close(...CLOSE.goingAway)
    // The farewell needs a moment to leave; whoever does not answer it is cut.
    setTimeout(() => {
      for (const socket of sockets) socket.terminate()
    }, 1_000).unref()
  }

  async #connect({ connectionParams, extra: { socket } }: Connection): Promise<boolean> {
    const { signIn, sessions } = this.#options
    try {
      socket.viewer = await signIn.authenticate(tokenIn(connectionParams) ?? socket.authorization)
    } catch (error) {
      const [code, reason] = error instanceof UnavailableError ? CLOSE.tryAgain : CLOSE.badToken
      socket.close(code, reason)
      return false
    }
    socket.onClose(sessions.watch(socket.viewer, () => socket.close(...CLOSE.tokenEnded)))
    return true
  }

  async #subscribe(
    { subscriptions, extra: { socket } }: Connection,
    id: string,
    { query, variables, operationName }: SubscribePayload,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const { engine } = this.#options
    const requestId = nextRequestId()
    const refuse = (error: Error) => engine.refuse(error, requestId).errors ?? []
    if (this.#isClosing) return refuse(new UnavailableError())
    if (Object.keys(subscriptions).length > SUBSCRIPTIONS) {
      return refuse(
        new TooCostlyError(`One socket may have at most ${SUBSCRIPTIONS} subscriptions at a time.`),
      )
    }
    const { viewer, address } = socket
    const caller = { viewer, address, requestId, mayMutate: true, mayStream: true }
    this.#running.enter()
    const answer = await engine.run({ query, variables, operationName }, caller)
    const isWanted = id in subscriptions
    // A stream may run for ever, and nobody waits for what the other end has given up.
    if (answer instanceof Stream || !isWanted || !('data' in answer)) this.#running.leave()
    if (answer instanceof Stream && !isWanted) void answer.return()
    if (!(answer instanceof Stream) && !('data' in answer)) return answer.errors ?? []
    const carried = answer instanceof Stream || !isWanted ? answer : once(answer, () => this.#running.leave())
    return { ...CARRIER, schema: engine.schema, contextValue: carried }
  }

  #look(): void {
    for (const socket of this.#sockets) {
      if (socket.isSilent(this.#times)) socket.close(...CLOSE.silent)
      else socket.ping()
    }
  }
}

/** The engine has run the operation when the protocol asks for it: the arguments carry what came of it. */
const CARRIER = { document: parse('subscription { carried }'), rootValue: null }

function carried({ contextValue }: ExecutionArgs): OperationResult {
  return contextValue as OperationResult // What `#subscribe` put there.
}

/** One answer, and a word when it has been taken. */
async function* once(answer: Answer, taken: () => void): AsyncGenerator<Answer> {
  try {
    yield answer
  } finally {
    taken()
  }
}

function next(socket: Socket, answer: Answer) {
  // Only a stream that failed on its way has no data at all; who lost the right to it loses the connection.
  const isRefused =
    !('data' in answer) && answer.errors?.some(({ extensions: { code } }) => code === 'FORBIDDEN')
  if (isRefused) setImmediate(() => socket.close(...CLOSE.forbidden))
  return withoutHttp(answer)
}

function plain(error: GraphQLError) {
  return withoutHttp({ errors: [error] }).errors?.[0] ?? error.toJSON()
}

function tokenIn(params: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const token = params?.authorization ?? params?.Authorization
  return typeof token === 'string' ? token : undefined
}
