import { once } from 'node:events'
import net from 'node:net'
import pg from 'pg'
import { onTestFinished } from 'vitest'

/** A way to the database that a test may cut. */
export interface CuttingProxy {
  /** The database's address by way of the proxy. */
  readonly url: string
  /** Lets the next request that says this word through, and cuts its connection before the answer comes back. */
  cutAfter(word: string): void
  /** How many connections were cut, once the database had answered: what it did is committed. */
  readonly cuts: number
}

/** Listens on loopback in front of a database, until the test ends. */
export async function cuttingProxy(databaseUrl: string): Promise<CuttingProxy> {
  const words = new Set<string>()
  let cuts = 0
  const open = new Set<net.Socket>()
  const database = new pg.Client({ connectionString: databaseUrl })
  const proxy = net.createServer((client) => {
    const server = net.connect(addressOf(database))
    let isDoomed = false
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
    }
    client.on('data', (bytes) => {
      for (const word of words) isDoomed = (bytes.includes(word) && words.delete(word)) || isDoomed
      server.write(bytes)
    })
    server.on('data', (bytes) => {
      if (!isDoomed) return void client.write(bytes)
      cuts++
      client.destroy()
    })
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    proxy.close()
  })
  const address = proxy.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const url = new URL(`postgres://127.0.0.1:${address.port}/${database.database}`)
  url.username = database.user ?? ''
  url.password = database.password ?? ''
  return {
    url: url.href,
    cutAfter: (word) => void words.add(word),
    get cuts() {
      return cuts
    },
  }
}

/** Where the database listens: a socket in a folder, or a port. */
function addressOf({ host, port }: pg.Client): net.NetConnectOpts {
  return host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port }
}
