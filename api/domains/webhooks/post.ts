import { retryAfter } from '@engawa/sdk'
import { signWebhook } from '@engawa/sdk/webhooks'
import { type Egress, EgressError } from '../../platform/egress.ts'
import type { Fault } from './queue.store.ts'

/** The most that a webhook's body has, in bytes. */
export const mostBytes = 20_000

/** One webhook on its way. */
export interface Outgoing {
  readonly url: string
  /** The same on every try. */
  readonly id: string
  readonly body: string
  readonly secrets: readonly string[]
}

/** What posting needs. */
export interface PostPorts {
  /** Reaches public addresses only, whatever the operator allows elsewhere. */
  readonly egress: Pick<Egress, 'fetch'>
  /** Real time. */
  readonly clock: { now(): Date }
}

/** What came of a try. Cut short: we gave up ourselves, and nobody knows whether it arrived. */
export type Posted =
  | { readonly is: 'accepted'; readonly status: number }
  | { readonly is: 'failed'; readonly fault: Fault; readonly retryAfterMs: number | undefined }
  | { readonly is: 'cut_short' }

/** Posts one webhook, signed anew. What is answered besides status and Retry-After is dropped. */
export async function post(
  { egress, clock }: PostPorts,
  { url, id, body, secrets }: Outgoing,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<Posted> {
  if (Buffer.byteLength(body) >= mostBytes) return failed({ fault: 'EVENT', status: null })
  const signed = await signWebhook({ id, timestamp: clock.now(), body, secrets })
  const headers = { 'content-type': 'application/json', 'user-agent': 'Engawa', ...signed }
  try {
    const {
      ok,
      status,
      headers: answered,
    } = await egress.fetch(url, {
      method: 'POST',
      headers,
      body,
      timeoutMs,
      signal,
    })
    if (ok) return { is: 'accepted', status }
    const fault = status === 410 ? 'GONE' : status >= 300 && status < 400 ? 'REDIRECT' : 'STATUS'
    const now = clock.now()
    const asked = retryAfter(answered, now)
    return failed({ fault, status }, asked && asked.getTime() - now.getTime())
  } catch (error) {
    if (signal.aborted) return { is: 'cut_short' }
    return failed({ fault: faultOf(error), status: null })
  }
}

function failed(fault: Fault, retryAfterMs?: number): Posted {
  return { is: 'failed', fault, retryAfterMs }
}

function faultOf(error: unknown): Fault['fault'] {
  if (!(error instanceof EgressError)) return 'UNREACHABLE'
  switch (error.reason) {
    case 'refused':
      return 'REFUSED_ADDRESS'
    case 'timeout':
    case 'aborted':
      return 'TIMEOUT'
    case 'too_large':
      return 'LONG_ANSWER'
    case 'network':
      return 'UNREACHABLE'
  }
}
