import type { IncomingMessage } from 'node:http'
import { CloseCode, type WebSocket as ProtocolSocket } from 'graphql-ws'
import type { WebSocket } from 'ws'
import type { Viewer } from '../platform/auth/viewer.ts'

/** A close code and the reason beside it. */
export type Closing = readonly [code: number, reason: string]

/** One live connection: carries messages for the protocol, and knows whether the other end takes them. */
export class Socket implements ProtocolSocket {
  readonly protocol: string
  readonly address: string
  /** The header that came with the request for this connection. */
  readonly authorization: string | undefined
  viewer: Viewer | null = null
  readonly #ws: WebSocket
  readonly #onClose: ((code: number, reason: string) => void)[] = []
  readonly #onFault: (error: unknown) => void
  #isClosed = false
  #unsent = 0
  #acceptedAt = performance.now()
  #pingedAt: number | undefined

  constructor(ws: WebSocket, request: IncomingMessage, onFault: (error: unknown) => void) {
    this.#ws = ws
    this.protocol = ws.protocol
    this.address = request.socket.remoteAddress ?? ''
    this.authorization = request.headers.authorization
    this.#onFault = onFault
    ws.on('close', (code, reason) => this.#ended(code, reason.toString()))
    ws.on('pong', () => {
      this.#pingedAt = undefined
    })
    // A frame that breaks the rules; ws closes the connection by itself.
    ws.on('error', () => {})
  }

  /** Resolves when the system has taken the message, so that a slow reader is felt where messages are made. */
  send(data: string): Promise<void> {
    if (this.#ws.readyState !== this.#ws.OPEN) return Promise.resolve()
    if (this.#unsent === 0) this.#acceptedAt = performance.now()
    this.#unsent++
    return new Promise((resolve) => {
      // Without an answer in case of failure: the close that follows it ends everything.
      this.#ws.send(data, () => {
        this.#unsent--
        this.#acceptedAt = performance.now()
        resolve()
      })
    })
  }

  onMessage(listen: (data: string) => Promise<void>): void {
    this.#ws.on('message', (data) => {
      if (this.#isClosed) return
      listen(String(data)).catch((error: unknown) => {
        this.#onFault(error)
        this.close(CloseCode.InternalServerError, 'Internal server error')
      })
    })
  }

  /** Everything that hangs on the connection ends at once; the other end is told. */
  close(code = 1000, reason = ''): void {
    if (this.#isClosed) return
    this.#ws.close(code, reason)
    this.#ended(code, reason)
  }

  /** Cuts the connection without a word. */
  terminate(): void {
    this.#ws.terminate()
  }

  /** Calls back when the connection ends, whoever ends it; at once when it has ended. */
  onClose(listen: (code: number, reason: string) => void): void {
    if (this.#isClosed) listen(1000, '')
    else this.#onClose.push(listen)
  }

  /** Asks the other end whether it is there, unless a message or an earlier ping is still under way. */
  ping(): void {
    if (this.#unsent > 0 || this.#pingedAt !== undefined || this.#ws.readyState !== this.#ws.OPEN) return
    this.#pingedAt = performance.now()
    this.#ws.ping()
  }

  /** True when the other end took no message for `silence` milliseconds, or answered no ping for `pong`. */
  isSilent({ silence, pong }: { silence: number; pong: number }): boolean {
    const now = performance.now()
    if (this.#unsent > 0) return now - this.#acceptedAt > silence
    return this.#pingedAt !== undefined && now - this.#pingedAt > pong
  }

  #ended(code: number, reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const listen of this.#onClose) listen(code, reason)
  }
}
