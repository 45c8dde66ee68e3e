import { deliveryKey, type RawRequest, type SendContext } from '@engawa/sdk'
import { type HttpProvider, type HttpReply, httpProvider } from '@engawa/sdk/fakes'
import { onTestFinished } from 'vitest'

export const key = deliveryKey('0197a1b2-0000-7000-8000-000000000001')
export const now = new Date('2026-04-30T14:59:00Z')

/** A provider over a real socket that gives these answers, one after the other, and the last one for ever. */
export async function provider(...replies: readonly HttpReply[]): Promise<HttpProvider> {
  const started = await httpProvider()
  onTestFinished(() => started.close())
  started.next(...replies)
  started.answer(replies.at(-1))
  return started
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
