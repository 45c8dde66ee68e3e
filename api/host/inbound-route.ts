import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RawRequest, Verdict } from '@engawa/sdk'
import type { DeployedChannel, DeployedChannels, OpenChannel, ToldSignal } from '../domains/channels/index.ts'
import { BodyTooLargeError, readRawBody, throwAwayBody } from '../platform/raw-body.ts'
import type { TenantDirectory } from '../platform/tenancy.ts'
import { type InboundPlace, inboundPlace } from './inbound-place.ts'
import { type OpenedChannels, openedChannels } from './opened-channels.ts'

/** What requests of providers are taken in with. */
export interface InboundParts {
  readonly channels: DeployedChannels
  readonly tenants: Pick<TenantDirectory, 'byKey'>
  readonly clock: { now(): Date }
  /** Takes what was reported, all of it or nothing; resolves when that is committed. */
  take(tenantId: string, channel: OpenedFor, signals: readonly ToldSignal[]): Promise<void>
}

/** A channel that reports, opened for a tenant. */
export interface OpenedFor {
  readonly id: string
  readonly kind: string
  readonly capabilities: OpenChannel['capabilities']
}

/** The largest request: of mail, with what was written and what came back; of everything else. */
const mostBytes = { mail: 10 * 1024 * 1024, other: 1024 * 1024 }

/**
 * Answers what providers post to `/inbound/<tenant key>/<channel>/…`: 2xx once it is committed, so that what was not
 * taken comes again. Whoever is not the provider learns nothing.
 */
export function inboundRoute(
  parts: InboundParts,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const opened = openedChannels()
  return async (request, response) => {
    const answer = await answerTo(request, { ...parts, opened })
    if (!request.complete) {
      throwAwayBody(request)
      response.setHeader('connection', 'close')
    }
    response
      .writeHead(answer.status, {
        'content-type': 'text/plain; charset=utf-8',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        ...(answer.retryAfter !== undefined && { 'retry-after': String(answer.retryAfter) }),
      })
      .end(request.method === 'HEAD' ? undefined : answer.body)
  }
}

interface Answer {
  readonly status: number
  readonly body?: string
  readonly retryAfter?: number
}

const notFound: Answer = { status: 404 }
/** What is in the way is ours to put right; the provider is to come again. */
const unusable: Answer = { status: 503, retryAfter: 60 }

type Parts = InboundParts & { readonly opened: OpenedChannels }

async function answerTo(request: IncomingMessage, parts: Parts): Promise<Answer> {
  const place = inboundPlace(request.url ?? '')
  const channel = place && parts.channels.get(place.channel)
  if (!place || channel?.inboundPath === undefined || place.path !== channel.inboundPath) return notFound
  const tenant = await parts.tenants.byKey(place.tenant)
  if (!tenant) return notFound
  const found = await parts.opened.open(channel, tenant.id)
  if (!found.ok) return found.fault.code === 'NOT_CONFIGURED' ? notFound : unusable
  const raw = await rawOf(request, { channel, place, now: parts.clock.now() })
  if (!raw) return { status: 413 }
  const { verdict, by } = await judged(raw, { channel, tenantId: tenant.id, first: found.channel, ...parts })
  switch (verdict.is) {
    case 'handshake':
      return { status: verdict.respond.status, body: verdict.respond.body ?? '' }
    case 'rejected':
      return { status: verdict.reason === 'shape' ? 400 : 401 }
    case 'verified': {
      const signals = await by.parse(verdict.request)
      // Comes again; somebody may have put the plugin right by then.
      if (!signals) return { status: 500 }
      const { id, kind } = channel
      if (signals.length > 0) {
        await parts.take(tenant.id, { id, kind, capabilities: by.capabilities }, signals)
      }
      return { status: 200 }
    }
  }
}

interface Raw {
  readonly channel: DeployedChannel
  readonly place: InboundPlace
  readonly now: Date
}

/** The request as it came; undefined when it is too large. */
async function rawOf(
  request: IncomingMessage,
  { channel, place, now }: Raw,
): Promise<RawRequest | undefined> {
  const headers = new Headers()
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    headers.append(request.rawHeaders[i] ?? '', request.rawHeaders[i + 1] ?? '')
  }
  try {
    const body = await readRawBody(request, channel.kind === 'email' ? mostBytes.mail : mostBytes.other)
    const { path, query } = place
    return { method: request.method ?? 'GET', path, query, headers, body, receivedAt: now }
  } catch (error) {
    if (error instanceof BodyTooLargeError) return undefined
    throw error
  }
}

interface Judging extends Parts {
  readonly channel: DeployedChannel
  readonly tenantId: string
  readonly first: OpenChannel
}

/** A request that is refused is looked at again with what is set now, as long as that is not asked too often. */
async function judged(
  raw: RawRequest,
  { channel, tenantId, first, opened }: Judging,
): Promise<{ readonly verdict: Verdict; readonly by: OpenChannel }> {
  const verdict = await first.verify(raw)
  if (verdict.is !== 'rejected') return { verdict, by: first }
  const now = await opened.anew(channel, tenantId)
  return now?.ok ? { verdict: await now.channel.verify(raw), by: now.channel } : { verdict, by: first }
}
