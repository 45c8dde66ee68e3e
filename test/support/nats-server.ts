import { createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** As much of a NATS server as a bus of hints needs: connect, ping, subscribe and publish. */
export interface NatsServer {
  readonly url: string
  readonly published: number
  /** What the last client said of itself. */
  readonly hello: Readonly<Record<string, unknown>>
  /** Drops all connections. */
  cut(): void
}

/** Starts one on a free port; it stops when the test ends. */
export async function natsServer(): Promise<NatsServer> {
  const subscriptions = new Map<Socket, Map<string, string>>()
  let published = 0
  let hello = {}

  const publish = (subject: string, payload: string) => {
    published++
    for (const [socket, topics] of subscriptions) {
      const sid = topics.get(subject)
      if (sid) socket.write(`MSG ${subject} ${sid} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`)
    }
  }
  const hear = (socket: Socket, line: string, next: () => string | undefined) => {
    const [verb = '', ...rest] = line.split(' ')
    if (verb === 'CONNECT') hello = JSON.parse(line.slice(8))
    else if (verb === 'PING') socket.write('PONG\r\n')
    else if (verb === 'SUB') subscriptions.get(socket)?.set(rest[0] ?? '', rest.at(-1) ?? '')
    else if (verb === 'PUB') publish(rest[0] ?? '', next() ?? '')
  }
  const server = createServer((socket) => {
    subscriptions.set(socket, new Map())
    socket.on('close', () => subscriptions.delete(socket))
    socket.on('error', () => {})
    socket.write(
      `INFO {"server_id":"x","version":"2.10.0","max_payload":1048576,"proto":1,"headers":true}\r\n`,
    )
    let rest = ''
    socket.on('data', (bytes) => {
      const lines = (rest + bytes.toString('latin1')).split('\r\n')
      rest = lines.pop() ?? ''
      for (let line = lines.shift(); line !== undefined; line = lines.shift())
        hear(socket, line, () => lines.shift())
    })
  })
  const cut = () => {
    for (const socket of subscriptions.keys()) socket.destroy()
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    cut()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `nats://hints:secret@127.0.0.1:${port}`,
    get published() {
      return published
    },
    get hello() {
      return hello
    },
    cut,
  }
}
