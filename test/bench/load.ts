import { connect, type Socket } from 'node:net'

/** One request, ready to be written, and what its answer must begin with and hold. */
export interface Shot {
  readonly bytes: Buffer
  /** Text within the first 300 bytes of the body; an answer without it is a failure. */
  readonly expects: string
}

/** What a load of requests gave. Latencies are in milliseconds, sorted. */
export interface Volley {
  readonly perSecond: number
  readonly latencies: Float64Array
}

/** A POST of JSON to a path of a server on this machine. */
export function shot(port: number, path: string, { body, token, expects }: ShotOptions): Shot {
  const text = JSON.stringify(body)
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Content-Type: application/json',
    'Accept: application/json',
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    `Content-Length: ${Buffer.byteLength(text)}`,
  ]
  return { bytes: Buffer.from(`${head.join('\r\n')}\r\n\r\n${text}`), expects }
}

interface ShotOptions {
  readonly body: object
  readonly token?: string | undefined
  readonly expects: string
}

/**
 * Sends requests over as many connections as told, each as soon as the last one of its connection is answered, for
 * so many seconds. The client reads no more of an answer than it must, so that it takes little of the processors
 * that the server needs. Rejects at the first answer that is not what its request expects.
 */
export async function fire(
  port: number,
  next: () => Shot,
  { connections, seconds }: { readonly connections: number; readonly seconds: number },
): Promise<Volley> {
  const latencies: number[] = []
  const began = performance.now()
  const until = began + seconds * 1000
  await Promise.all(
    Array.from({ length: connections }, () => new Gunner(port, next, { until, latencies }).done),
  )
  const took = (performance.now() - began) / 1000
  return { perSecond: latencies.length / took, latencies: Float64Array.from(latencies).sort() }
}

/** The latency below which so much of a volley lies, in milliseconds; `share` is between 0 and 1. */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** One connection that fires its requests one after another. */
class Gunner {
  readonly done: Promise<void>
  readonly #socket: Socket
  readonly #next: () => Shot
  readonly #until: number
  readonly #latencies: number[]
  #shot: Shot | undefined
  #sentAt = 0
  /** Bytes of the answer that are still to come, -1 while its head is incomplete. */
  #left = -1
  #head: Buffer = Buffer.alloc(0)
  #resolve: () => void = () => {}
  #reject: (error: Error) => void = () => {}

  constructor(port: number, next: () => Shot, { until, latencies }: { until: number; latencies: number[] }) {
    this.#next = next
    this.#until = until
    this.#latencies = latencies
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#socket.on('connect', () => this.#fire())
    this.#socket.on('data', (chunk) => this.#read(chunk))
    this.#socket.on('error', (error) => this.#fail(error.message))
    this.#socket.on('close', () => this.#reject(new Error('the server closed the connection')))
  }

  #fire(): void {
    this.#shot = this.#next()
    this.#left = -1
    this.#sentAt = performance.now()
    this.#socket.write(this.#shot.bytes)
  }

  #read(chunk: Buffer): void {
    if (this.#left < 0) {
      const known = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk])
      const end = known.indexOf('\r\n\r\n')
      if (end < 0 || known.length < end + 4 + 20) {
        this.#head = known
        return
      }
      this.#head = EMPTY
      if (!this.#open(known, end)) return
      this.#left -= known.length - end - 4
    } else {
      this.#left -= chunk.length
    }
    if (this.#left > 0) return
    const now = performance.now()
    this.#latencies.push(now - this.#sentAt)
    if (now < this.#until) this.#fire()
    else {
      this.#resolve()
      this.#socket.destroy()
    }
  }

  /** Reads the head of an answer; false when it is not what was expected. */
  #open(known: Buffer, end: number): boolean {
    const head = known.toString('latin1', 0, end)
    const length = /content-length: (\d+)/i.exec(head)?.[1]
    const begin = known.toString('utf8', end + 4, Math.min(known.length, end + 304))
    if (
      length === undefined ||
      !head.startsWith('HTTP/1.1 200') ||
      !begin.includes(this.#shot?.expects ?? '')
    ) {
      this.#fail(`${head.split('\r\n')[0]}: ${begin}`)
      return false
    }
    this.#left = Number(length)
    return true
  }

  #fail(message: string): void {
    this.#reject(new Error(`the load got an answer that it did not expect: ${message}`))
    this.#socket.destroy()
  }
}

const EMPTY = Buffer.alloc(0)
