import { randomBytes } from 'node:crypto'
import dgram from 'node:dgram'
import { isIPv6 } from 'node:net'

/** A poke says "look at the outbox now" and nothing else; losing one costs latency, up to one poll. */
export interface PokeListener {
  /** `host:port/word`. Only datagrams that are exactly the word count. */
  readonly address: string
  close(): void
}

/** Listens for pokes on a free port of one interface. Rejects when the host cannot be bound. */
export function listenForPokes(host: string, onPoke: () => void): Promise<PokeListener> {
  const word = randomBytes(12).toString('base64url')
  const socket = dgram.createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  socket.on('message', (message) => {
    if (message.toString('latin1') === word) onPoke()
  })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ port: 0, address: host, exclusive: true }, () => {
      socket.removeListener('error', reject)
      socket.on('error', () => {})
      socket.unref()
      resolve({ address: `${host}:${socket.address().port}/${word}`, close: () => socket.close() })
    })
  })
}

/** Sends pokes to whatever address is current; many in one turn of the event loop become one datagram. */
export class PokeSender {
  #sockets = new Map<'udp4' | 'udp6', dgram.Socket>()
  #isDue = false
  #isClosed = false
  /** Datagrams sent so far. */
  sent = 0

  /** Never throws and never waits. Without an address there is nobody to poke yet. */
  send(address: string | null): void {
    if (this.#isDue || this.#isClosed || address === null) return
    this.#isDue = true
    setImmediate(() => {
      this.#isDue = false
      if (!this.#isClosed) this.#datagram(address)
    })
  }

  close(): void {
    this.#isClosed = true
    for (const socket of this.#sockets.values()) socket.close()
  }

  #datagram(address: string): void {
    const [, host, port, word] = /^(.+):(\d+)\/([\w-]+)$/.exec(address) ?? []
    if (!host || !port || !word) return
    this.sent++
    this.#socket(isIPv6(host) ? 'udp6' : 'udp4').send(word, Number(port), host, () => {})
  }

  #socket(family: 'udp4' | 'udp6'): dgram.Socket {
    let socket = this.#sockets.get(family)
    if (!socket) {
      socket = dgram.createSocket(family)
      socket.on('error', () => {})
      socket.unref()
      this.#sockets.set(family, socket)
    }
    return socket
  }
}
