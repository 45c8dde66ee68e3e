import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type ExecutionResult, GraphQLError } from 'graphql'
import { createYoga, type Plugin } from 'graphql-yoga'
import { UnauthenticatedError } from '../platform/errors/index.ts'
import type { Answer, Caller, Engine } from './engine.ts'
import { nextRequestId } from './request-id.ts'
import type { Sessions, SignIn } from './sessions.ts'
import { Stream } from './stream.ts'

/** What the full lane is made of. */
export interface FullLaneOptions {
  readonly engine: Engine
  readonly signIn: SignIn
  readonly sessions: Sessions
  readonly path: string
  /** Web origins whose pages may read the answers. */
  readonly origins: readonly string[]
}

interface LaneContext {
  readonly incoming: IncomingMessage
}

/**
 * Everything that is no plain JSON post: GET, live streams (SSE), odd headers and ill-formed bodies. Yoga reads
 * the request and writes the response; in between runs the engine, as in every other lane.
 */
export class FullLane {
  readonly #options: FullLaneOptions
  readonly #yoga: ReturnType<typeof createYoga<LaneContext>>
  readonly #streams = new Set<ServerResponse>()

  constructor(options: FullLaneOptions) {
    this.#options = options
    this.#yoga = createYoga<LaneContext>({
      graphqlEndpoint: options.path,
      landingPage: false,
      graphiql: false,
      logging: false,
      batching: false,
      multipart: false,
      // The engine has done it: its errors are fit to be seen.
      maskedErrors: false,
      parserAndValidationCache: false,
      cors:
        options.origins.length > 0
          ? { origin: [...options.origins], credentials: false, methods: ['GET', 'POST'], maxAge: 600 }
          : false,
      plugins: [this.#engineInYoga()],
    })
  }

  /** Answers one request, whose body was read already. */
  async answer(incoming: IncomingMessage, response: ServerResponse, body: string | undefined): Promise<void> {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const { method = 'GET', url = '/' } = incoming
    const answer = await this.#yoga.fetch(
      `http://localhost${url}`,
      { method, headers: headersOf(incoming), signal: gone.signal, ...(body !== undefined && { body }) },
      { incoming },
    )
    if (response.destroyed) return
    response.setHeader('x-content-type-options', 'nosniff')
    response.setHeader('cache-control', 'no-store')
    answer.headers.forEach((value, name) => {
      response.setHeader(name, value)
    })
    response.statusCode = answer.status
    if (!answer.headers.get('content-type')?.startsWith('text/event-stream')) {
      const text = await answer.text()
      response.setHeader('content-length', Buffer.byteLength(text))
      response.end(method === 'HEAD' ? undefined : text)
      return
    }
    this.#streams.add(response)
    try {
      // Yoga's body is a stream of its own kind, which Node's pipeline can read and its types cannot say.
      await pipeline(answer.body as unknown as Readable, response)
    } catch {
      // The other end went away, or we cut it: its stream ended with it.
    } finally {
      this.#streams.delete(response)
    }
  }

  /** Cuts all live streams without saying that they are complete. */
  cut(): void {
    for (const response of this.#streams) response.destroy()
  }

  #engineInYoga(): Plugin<object, LaneContext> {
    return {
      onParams: ({ setParamsHandler }) => {
        setParamsHandler(({ params, request, context }) => {
          const { incoming } = context as unknown as LaneContext // What `answer` passed in.
          const operationName: unknown = params.operationName ?? null
          if (operationName !== null && typeof operationName !== 'string') {
            return { errors: [illFormed('operationName must be a string.', 'operationName')] }
          }
          const { query = '', variables = null } = params
          const accept = request.headers.get('accept') ?? ''
          return this.#run(incoming, { query, variables, operationName, accept })
        })
      },
      onResultProcess({ result, setResult }) {
        if (!Array.isArray(result) && 'errors' in result && result.errors) {
          setResult({ ...result, errors: result.errors.map(withCode) })
        }
      },
    }
  }

  async #run(
    incoming: IncomingMessage,
    request: {
      query: string
      variables: Record<string, unknown> | null
      operationName: string | null
      accept: string
    },
  ): Promise<ExecutionResult | AsyncIterable<ExecutionResult>> {
    const { engine, signIn, sessions } = this.#options
    const requestId = nextRequestId()
    try {
      const viewer = await signIn.authenticate(incoming.headers.authorization)
      const caller: Caller = {
        viewer,
        requestId,
        address: incoming.socket.remoteAddress ?? '',
        mayMutate: incoming.method === 'POST',
        mayStream: request.accept.includes('text/event-stream'),
      }
      const answer = await engine.run(request, caller)
      if (answer instanceof Stream) return this.#watched(answer, caller, sessions)
      return answer
    } catch (error) {
      return engine.refuse(error, requestId)
    }
  }

  #watched(stream: Stream<Answer>, { viewer, requestId }: Caller, sessions: Sessions): Stream<Answer> {
    const stop = sessions.watch(viewer, () => {
      const error = new UnauthenticatedError('The token expired or was revoked; sign in again.')
      stream.finish(this.#options.engine.refuse(error, requestId))
    })
    stream.onEnd(stop)
    return stream
  }
}

function headersOf({ rawHeaders }: IncomingMessage): [string, string][] {
  const pairs: [string, string][] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    pairs.push([rawHeaders[i] ?? '', rawHeaders[i + 1] ?? ''])
  }
  return pairs
}

/** Yoga complains about ill-formed requests in words of its own; the code is ours. */
function withCode(error: GraphQLError): GraphQLError {
  if (error.extensions?.code !== 'BAD_REQUEST') return error
  const field = /"(query|variables|extensions)"|query string/.exec(error.message)
  return illFormed(error.message, field ? (field[1] ?? 'query') : 'body', error.extensions.http)
}

function illFormed(message: string, field: string, http: unknown = {}): GraphQLError {
  // Without `spec`: a request that cannot be read is 400 whatever media type it accepts.
  const { spec: _, ...plain } = { status: 400, ...(http as { spec?: boolean }) }
  return new GraphQLError(message, { extensions: { code: 'BAD_INPUT', field, http: plain } })
}
