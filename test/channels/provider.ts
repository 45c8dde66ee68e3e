import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deliveryKey, type RawRequest, type SendContext } from '@engawa/sdk'
import { onTestFinished } from 'vitest'

export const key = deliveryKey('0197a1b2-0000-7000-8000-000000000001')
export const now = new Date('2026-04-30T14:59:00Z')

/** One request as it came over the wire. */
export interface Call {
  readonly method: string
  readonly path: string
  readonly headers: Headers
  readonly body: Buffer
}

/** What the provider is to answer; `drop` hangs up after the whole request was read. */
export type Script =
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  | 'drop'

/** A provider over a real socket that answers as it is told, one script after the other, the last one for ever. */
export async function provider(...scripts: readonly Script[]): Promise<{ baseUrl: string; calls: Call[] }> {
  const calls: Call[] = []
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray())
    const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    const script = scripts[Math.min(calls.length, scripts.length - 1)] ?? 'drop'
    calls.push({ method: request.method ?? '', path: request.url ?? '', headers, body })
    if (script === 'drop') request.socket.destroy()
    else response.writeHead(script.status, script.headers).end(script.body)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.close()
  })
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls }
}

/** A context as a first attempt has it, unless told. */
export function context<Config>(
  config: Config,
  told: Partial<SendContext<Config>> = {},
): SendContext<Config> {
  return {
    config,
    key,
    attempt: 1,
    locale: 'ja',
    timeZone: 'Asia/Tokyo',
    fetch,
    connect: () => Promise.reject(new Error('This channel speaks HTTP.')),
    clock: { now: () => now },
    signal: AbortSignal.timeout(5_000),
    cache: { get: async () => undefined, set: async () => {} },
    log: () => {},
    ...told,
  }
}

/** A request to the channel's inbound path. */
export function posted(body: string, headers: Readonly<Record<string, string>>, query = ''): RawRequest {
  return {
    method: 'POST',
    path: 'callback',
    query: new URLSearchParams(query),
    headers: new Headers(headers),
    body: Buffer.from(body),
    receivedAt: now,
  }
}
