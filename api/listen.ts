import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FrontDoor, Route } from './graph/front-door.ts'
import type { openHealth } from './platform/health.ts'
import type { Log } from './platform/log.ts'
import type { openMetrics } from './platform/metrics.ts'

/** Where the process says how it is. */
export function statusRoutes(
  health: ReturnType<typeof openHealth>,
  metrics: ReturnType<typeof openMetrics>,
): Record<string, Route> {
  const json = (response: ServerResponse, status: number, body: object) => {
    response
      .writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
      .end(`${JSON.stringify(body)}\n`)
  }
  return {
    '/health/live': (_request, response) => json(response, 200, { isLive: true }),
    '/health/ready': async (_request, response) => {
      const readiness = await health.ready()
      json(response, readiness.isReady ? 200 : 503, readiness)
    },
    '/metrics': async (_request, response) => {
      response.writeHead(200, { 'content-type': metrics.contentType }).end(await metrics.text())
    },
  }
}

/** What listening needs. */
interface Listening {
  readonly door: FrontDoor
  readonly log: Log
  opened<T>(part: T, close: (part: T) => unknown): T
}

/** Listens on every host with one port; a host that this machine does not have is left out. Resolves to the port. */
export async function listen(
  hosts: readonly (string | undefined)[],
  port: number,
  { door, log, opened }: Listening,
): Promise<number> {
  let taken = port
  for (const [i, host] of hosts.entries()) {
    const server = createServer(door.handle)
    server.on('upgrade', door.upgrade)
    try {
      taken = await bound(server, taken, host)
      // The door finishes what runs; whoever waits for this server would wait for its sockets.
      opened(server, (part) => void part.close())
    } catch (error) {
      if (i === 0) throw error
      log.debug({ err: error, host }, 'Not listening on this address.')
    }
  }
  return taken
}

function bound(server: Server, port: number, host: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port) // a server on a port, not on a pipe
    })
  })
}
