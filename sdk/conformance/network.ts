import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { ConnectTarget } from '../channel.ts'

/** Who is at work: the plugin, or the way out that the kit gives to it. */
export const scene: AsyncLocalStorage<'plugin' | 'wayOut'> = new AsyncLocalStorage()

/** A call over the network failed, as the core's own errors of it look. */
class EgressError extends Error {
  override readonly name = 'EgressError'
  readonly reason: 'refused' | 'network' | 'timeout' | 'aborted'
  /** False only when the other side cannot have seen any of it. */
  readonly mayHaveArrived: boolean

  constructor(reason: EgressError['reason'], mayHaveArrived: boolean) {
    super(`The other side was not reached, or broke off: ${reason}.`)
    this.reason = reason
    this.mayHaveArrived = mayHaveArrived
  }
}

/** True for an error after which the other side certainly has nothing. */
export function cannotHaveArrived(error: unknown): error is EgressError {
  return error instanceof EgressError && !error.mayHaveArrived
}

/**
 * The only way out that a plugin gets: to one fake, under a deadline, with no redirect followed. Where the plugin asks
 * for TLS the fake is spoken to without, so that configurations and addresses may be what they are in earnest.
 */
export class Network {
  readonly #allowed: string | undefined
  readonly #signal: AbortSignal
  readonly #refused: string[]

  /** `refused` is told where the plugin wanted to go and was not let. */
  constructor(allowed: string | undefined, { signal, refused }: { signal: AbortSignal; refused: string[] }) {
    this.#allowed = allowed
    this.#signal = signal
    this.#refused = refused
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    const url = new URL(request.url)
    this.#admit(`${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`)
    url.protocol = 'http:'
    const body = new Uint8Array(await request.arrayBuffer())
    const signal = AbortSignal.any([this.#signal, request.signal])
    return scene.run('wayOut', () => exchange(url, { request, body, signal }))
  }

  async connect({ host, port }: ConnectTarget): Promise<Socket> {
    this.#admit(`${host}:${port}`)
    return scene.run('wayOut', () => reach({ host, port }, this.#signal))
  }

  #admit(host: string): void {
    if (host === this.#allowed) return
    this.#refused.push(host)
    throw new EgressError('refused', false)
  }
}

interface Outgoing {
  readonly request: Request
  readonly body: Uint8Array
  readonly signal: AbortSignal
}

async function exchange(url: URL, { request, body, signal }: Outgoing): Promise<Response> {
  let isConnected = false
  try {
    signal.throwIfAborted()
    const outgoing = httpRequest(url, {
      method: request.method,
      headers: Object.fromEntries(request.headers),
      agent: false,
      signal,
    })
    outgoing.once('socket', (socket) => {
      socket.once('connect', () => {
        isConnected = true
      })
    })
    outgoing.on('error', () => {}) // whoever waits for the answer hears of it
    outgoing.end(body)
    const [incoming]: IncomingMessage[] = await once(outgoing, 'response')
    return incoming ? await asResponse(incoming) : Response.error()
  } catch {
    throw new EgressError(signal.aborted ? 'timeout' : 'network', isConnected)
  }
}

async function asResponse(incoming: IncomingMessage): Promise<Response> {
  const body = Buffer.concat(await incoming.toArray())
  const headers = new Headers()
  for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2) {
    headers.append(incoming.rawHeaders[i] ?? '', incoming.rawHeaders[i + 1] ?? '')
  }
  const status = incoming.statusCode ?? 0
  return new Response([204, 205, 304].includes(status) ? null : new Uint8Array(body), { status, headers })
}

async function reach(target: { host: string; port: number }, signal: AbortSignal): Promise<Socket> {
  const socket = connect(target)
  const abort = () => socket.destroy(new EgressError('aborted', true))
  signal.addEventListener('abort', abort)
  socket.once('close', () => signal.removeEventListener('abort', abort))
  if (signal.aborted) abort()
  try {
    await once(socket, 'connect')
    return socket
  } catch {
    socket.destroy()
    throw new EgressError(signal.aborted ? 'timeout' : 'network', false)
  }
}
