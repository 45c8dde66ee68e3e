import { lookup as systemLookup } from 'node:dns/promises'
import { once } from 'node:events'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect as connectPlain, isIP, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { isPublicAddress } from './public-address.ts'

/** One outgoing request. */
export interface EgressRequest {
  /** GET unless told. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Milliseconds from the look-up of the name to the last byte of the answer; 10,000 unless told. */
  readonly timeoutMs?: number
  /** The most bytes that an answer's body may have; 1 MiB unless told. */
  readonly maxBytes?: number
  /** Gives up early. */
  readonly signal?: AbortSignal
}

/** Requests to addresses that somebody else chose. Nothing in the product reaches out in any other way. */
export interface Egress {
  /**
   * Sends one request and reads the whole answer. https only; only addresses that are public at the very
   * moment of connecting; redirects are not followed, they are the answer. Hosts that the operator allows
   * may be private and plain http. Throws EgressError.
   */
  fetch(url: string | URL, request?: EgressRequest): Promise<Response>
  /**
   * Opens a connection for a protocol that is not HTTP; with `tls`, from the first byte. Only public addresses, and
   * hosts that the operator allows. Destroyed when the signal aborts. Throws EgressError.
   */
  connect(
    target: EgressTarget,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<Socket>
  /** Why this URL would be refused as it is written, and what would be right; undefined when it would not. */
  refusal(url: string): string | undefined
}

/** Where to connect to. */
export interface EgressTarget {
  readonly host: string
  readonly port: number
  readonly tls?: boolean
}

/** Finds the addresses of a host name. */
export type Resolve = (
  host: string,
) => Promise<readonly { readonly address: string; readonly family: number }[]>

/** A request that did not get an answer. */
export class EgressError extends Error {
  override readonly name = 'EgressError'
  readonly reason: 'refused' | 'network' | 'timeout' | 'aborted' | 'too_large'
  /** False only when the other side cannot have seen any of it, so that another try does nothing twice. */
  readonly mayHaveArrived: boolean

  constructor(
    reason: EgressError['reason'],
    message: string,
    details: { mayHaveArrived: boolean; cause?: unknown },
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.reason = reason
    this.mayHaveArrived = details.mayHaveArrived
  }
}

/**
 * Opens the way out. `allow` lists the hosts (`host` or `host:port`, lower case) that the operator vouches
 * for. `resolve` is the system's look-up unless a test gives its own.
 */
export function openEgress(options: { allow: readonly string[]; resolve?: Resolve }): Egress {
  const resolve = options.resolve ?? ((host) => systemLookup(host, { all: true, verbatim: true }))
  const guarded = lookupWith(async (host) => onlyPublic(await resolve(host)))
  const free = lookupWith(resolve)
  const allows = (host: string, port: number) =>
    options.allow.some((entry) => entry === host || entry === `${host}:${port}`)
  const isAllowed = (url: URL) => allows(url.hostname, portOf(url))
  const refusal = (text: string) => {
    if (!URL.canParse(text)) return 'This must be an absolute https address.'
    const url = new URL(text)
    return refusalOf(url, isAllowed(url))
  }
  return {
    refusal,
    async fetch(target, request = {}) {
      const url = new URL(target)
      const refused = refusal(url.href)
      if (refused) throw new EgressError('refused', refused, { mayHaveArrived: false })
      return exchange(url, request, isAllowed(url) ? free : guarded)
    },
    async connect({ host, port, tls = false }, { timeoutMs, signal }) {
      const name = host.toLowerCase()
      const isFree = allows(name, port)
      if (!isFree && isIP(name) && !isPublicAddress(name)) {
        throw new EgressError('refused', privateMessage, { mayHaveArrived: false })
      }
      const deadline = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])])
      return connected({ host: name, port, tls, lookup: isFree ? free : guarded }, deadline)
    },
  }
}

function refusalOf(url: URL, isAllowed: boolean): string | undefined {
  if (url.username || url.password) return 'An address must not carry a user name or password.'
  if (isAllowed && url.protocol === 'http:') return undefined
  if (url.protocol !== 'https:') return 'This must be an https address.'
  if (isAllowed) return undefined
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) && !isPublicAddress(host)) return privateMessage
  // Low ports belong to other protocols, which a request could be made to speak.
  if (portOf(url) !== 443 && portOf(url) < 1024) return 'The port must be 443 or at least 1024.'
  return undefined
}

const privateMessage = 'This address is inside a private or reserved network; it must be a public one.'

function portOf(url: URL): number {
  if (url.port) return Number(url.port)
  return url.protocol === 'https:' ? 443 : 80
}

function onlyPublic(found: Awaited<ReturnType<Resolve>>): Awaited<ReturnType<Resolve>> {
  // One bad address spoils the name: a mixed answer is how rebinding begins.
  if (found.every(({ address }) => isPublicAddress(address))) return found
  throw new EgressError('refused', privateMessage, { mayHaveArrived: false })
}

/** The hook that the socket calls: what it gets here is what it connects to, so nothing can change in between. */
function lookupWith(resolve: Resolve): LookupFunction {
  return (host, options, done) => {
    resolve(host).then(
      (found) => {
        const [first] = found
        if (!first) done(new Error('the name has no address'), '')
        else if (options.all) done(null, [...found])
        else done(null, first.address, first.family)
      },
      (error: Error) => done(error, ''),
    )
  }
}

async function connected(
  { host, port, tls, lookup }: EgressTarget & { readonly lookup: LookupFunction },
  signal: AbortSignal,
): Promise<Socket> {
  const socket = tls
    ? connectTls({ host, port, lookup, ...(isIP(host) ? {} : { servername: host }) })
    : connectPlain({ host, port, lookup })
  const give = () =>
    socket.destroy(new EgressError('aborted', 'The connection was given up.', { mayHaveArrived: true }))
  signal.addEventListener('abort', give)
  socket.once('close', () => signal.removeEventListener('abort', give))
  if (signal.aborted) give()
  try {
    await once(socket, tls ? 'secureConnect' : 'connect')
    return socket
  } catch (cause) {
    socket.destroy()
    if (cause instanceof EgressError && cause.reason === 'refused') throw cause
    const reason = signal.aborted ? 'timeout' : 'network'
    throw new EgressError(reason, 'The other side could not be reached.', { mayHaveArrived: false, cause })
  }
}

async function exchange(url: URL, request: EgressRequest, lookup: LookupFunction): Promise<Response> {
  const deadline = AbortSignal.timeout(request.timeoutMs ?? 10_000)
  const signal = request.signal ? AbortSignal.any([deadline, request.signal]) : deadline
  let isConnected = false
  try {
    signal.throwIfAborted()
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const outgoing = send(url, {
      method: request.method ?? 'GET',
      headers: { 'accept-encoding': 'identity', ...request.headers },
      // A connection of its own: a kept one may die under a request, and nobody could say if it arrived.
      agent: false,
      lookup,
      signal,
    })
    outgoing.once('socket', (socket) => {
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
        isConnected = true
      })
    })
    const incoming = await answer(outgoing, request.body)
    return asResponse(incoming, await readBody(incoming, request.maxBytes ?? 1_048_576))
  } catch (error) {
    if (error instanceof EgressError) throw error
    const details = { mayHaveArrived: isConnected, cause: error }
    if (request.signal?.aborted) throw new EgressError('aborted', 'The request was given up.', details)
    if (deadline.aborted) throw new EgressError('timeout', 'The other side did not answer in time.', details)
    throw new EgressError('network', 'The other side could not be reached, or broke off.', details)
  }
}

function answer(outgoing: ClientRequest, body: string | Uint8Array | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve)
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

async function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    // Leaving the loop destroys the connection.
    if (size > maxBytes) {
      throw new EgressError('too_large', `The answer is larger than ${maxBytes} bytes.`, {
        mayHaveArrived: true,
      })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function asResponse(incoming: IncomingMessage, body: Buffer): Response {
  const headers = new Headers()
  for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2) {
    headers.append(incoming.rawHeaders[i] ?? '', incoming.rawHeaders[i + 1] ?? '')
  }
  const status = incoming.statusCode ?? 0
  const isEmpty = status === 204 || status === 205 || status === 304
  return new Response(isEmpty ? null : new Uint8Array(body), { status, headers })
}
