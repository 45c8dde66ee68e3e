import { type Frame, Gone, type Refusal, type Request } from './events-protocol.ts'
import { sseFrames } from './events-sse.ts'
import { wsFrames } from './events-ws.ts'

/** An event as the default selection has it. */
export interface StreamedEvent {
  readonly id: string
  /** As in `purchase.recorded`. */
  readonly type: string
  /** When it happened, ISO 8601. */
  readonly at: string
  /** When it was written, ISO 8601. */
  readonly bookedAt: string
  readonly member: { readonly id: string } | null
}

/** One event, and the place after it: whoever stores the cursor once the event is dealt with misses none. */
export interface Delivered<E> {
  readonly cursor: string
  readonly event: E
}

/** Why a stream could not go on: the cursor is too old, beyond the log's end, or from before a restore. */
export interface StreamReset {
  readonly reason: 'EXPIRED' | 'FUTURE' | 'EPOCH'
  /** Where the stream goes on. */
  readonly resumeFrom: string
}

export interface FollowEventsOptions {
  /** The GraphQL endpoint, as in `https://shop.example/graphql`. */
  readonly url: string
  /** A bearer token, or what gives one: asked at each connection, so that a fresh one replaces an expired one. */
  readonly token?: string | (() => string | Promise<string>)
  /** The cursor to go on from; without it the stream begins with what comes next. */
  readonly after?: string | undefined
  /** Only events of these types. */
  readonly types?: readonly string[]
  /** Only events about this member, by the id that the API gave it. */
  readonly member?: string
  /** graphql-ws over a websocket (the default), or server-sent events. */
  readonly transport?: 'ws' | 'sse'
  /** What to select of an event, as GraphQL; `id type at bookedAt member { id }` when left out. */
  readonly selection?: string
  /** Told when events were missed for good: read the present state anew. Without it the stream throws `StreamResetError`. */
  readonly onReset?: (reset: StreamReset) => void | Promise<void>
  /** Told the place reached when nothing that this token may see happened up to there. */
  readonly onCheckpoint?: (cursor: string) => void
  /** Ends the stream. */
  readonly signal?: AbortSignal
  /** Milliseconds without any frame after which a connection counts as dead. The server sends one every 15 s. */
  readonly patience?: number
}

/** The stream was reset and nobody listened: events were missed. */
export class StreamResetError extends Error {
  readonly reset: StreamReset
  constructor(reset: StreamReset) {
    super(`Events were missed (${reset.reason}): read the present state, then follow from resumeFrom.`)
    this.name = 'StreamResetError'
    this.reset = reset
  }
}

/** The server will not serve this stream, and asking again would not help. */
export class StreamRefusedError extends Error {
  /** A code of the API as in `FORBIDDEN`, a close code of the socket, or a status of HTTP. */
  readonly code: string | number
  constructor(refusal: Refusal) {
    super(refusal.message)
    this.name = 'StreamRefusedError'
    this.code = refusal.code
  }
}

/** How many connections in a row may refuse the token before the stream gives up. */
const TOKENS_TRIED = 2
const SLOWEST_RETRY = 5_000

/**
 * Follows a tenant's events for ever, each exactly once and in order: it moves its cursor with every
 * frame and goes on from there whenever a connection ends. Break out of the loop, or abort the signal,
 * to stop. Throws `StreamRefusedError` when the server refuses for good, `StreamResetError` when events
 * were missed and there is no `onReset`.
 *
 * @example
 * for await (const { cursor, event } of followEvents({ url, token, after: await stored() })) {
 *   await handle(event)
 *   await store(cursor)
 * }
 */
export function followEvents<E extends object = StreamedEvent>(
  options: FollowEventsOptions,
): AsyncGenerator<Delivered<E>, void, undefined> {
  const left = new AbortController()
  const leave = () => {
    left.abort()
    options.signal?.removeEventListener('abort', leave)
  }
  if (options.signal?.aborted) leave()
  options.signal?.addEventListener('abort', leave)
  const events = resume<E>(options, left.signal)
  return {
    next: () => events.next(),
    return: () => {
      leave()
      return events.return()
    },
    throw: (error: unknown) => {
      leave()
      return events.throw(error)
    },
    [Symbol.asyncIterator]() {
      return this
    },
    async [Symbol.asyncDispose]() {
      await this.return()
    },
  }
}

async function* resume<E extends object>(
  options: FollowEventsOptions,
  signal: AbortSignal,
): AsyncGenerator<Delivered<E>, void, undefined> {
  let after = options.after
  let failures = 0
  let refusals = 0
  while (!signal.aborted) {
    try {
      for await (const frame of connect<E>(options, after, signal)) {
        failures = 0
        refusals = 0
        if (frame.__typename === 'EventDelivered') {
          after = frame.cursor
          yield { cursor: frame.cursor, event: frame.event }
        } else if (frame.__typename === 'Checkpoint') {
          after = frame.cursor
          options.onCheckpoint?.(frame.cursor)
        } else {
          after = frame.resumeFrom
          await missed(options, { reason: frame.reason, resumeFrom: frame.resumeFrom })
        }
        if (signal.aborted) return
      }
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof Gone)) throw error
      if (error.refusal) {
        if (error.isFinal || typeof options.token !== 'function' || ++refusals >= TOKENS_TRIED) {
          throw new StreamRefusedError(error.refusal)
        }
      }
    }
    await pause(Math.random() * Math.min(SLOWEST_RETRY, 50 * 2 ** failures++), signal)
  }
}

async function* connect<E>(
  options: FollowEventsOptions,
  after: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<Frame<E>, void, undefined> {
  const { token, transport = 'ws', patience = 45_000 } = options
  const request: Request = {
    url: options.url,
    token: typeof token === 'function' ? await token() : token,
    patience,
    signal,
    body: {
      query: subscription(options),
      variables: { after: after ?? null, types: options.types ?? null, member: options.member },
    },
  }
  yield* transport === 'ws' ? wsFrames<E>(request) : sseFrames<E>(request)
}

function subscription({
  selection = 'id type at bookedAt member { id }',
  member,
}: FollowEventsOptions): string {
  const [asked, given] = member === undefined ? ['', ''] : [', $member: ID', ', member: $member']
  return `subscription ($after: Cursor, $types: [String!]${asked}) { events(after: $after, types: $types${given}) { __typename ... on EventDelivered { cursor event { ${selection} } } ... on Checkpoint { cursor } ... on StreamReset { reason resumeFrom } } }`
}

async function missed(options: FollowEventsOptions, reset: StreamReset): Promise<void> {
  if (!options.onReset) throw new StreamResetError(reset)
  await options.onReset(reset)
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}
