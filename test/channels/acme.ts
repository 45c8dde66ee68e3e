import { createHmac, timingSafeEqual } from 'node:crypto'
import {
  type ChannelContext,
  type CheckResult,
  defineChannel,
  type Outcome,
  type Quota,
  type SendContext,
  type Signal,
  seconds,
  verified,
} from '@engawa/sdk'
import { z } from 'zod'
import type { Deployment } from '../../api/host/index.ts'

/** What the channel acme is configured with; two tokens are good at once. */
export interface AcmeConfig {
  readonly url: string
  readonly token: string
  readonly oldToken?: string | undefined
  readonly sender: string
}

/** How a test has the channel behave. */
export interface Acme {
  send?(ctx: SendContext<AcmeConfig>, text: string): Promise<Outcome>
  check?(ctx: ChannelContext<AcmeConfig>): Promise<CheckResult>
  quota?(ctx: ChannelContext<AcmeConfig>): Promise<Quota>
  poll?(ctx: ChannelContext<AcmeConfig>, cursor?: string): Promise<{ signals: Signal[]; cursor?: string }>
}

const config = z.strictObject({
  url: z.url(),
  token: z.string().min(8),
  oldToken: z.string().optional(),
  sender: z.string().default('Shop'),
})

/** The signature that acme's provider puts on what it posts. */
export function acmeSignature(body: string, token: string): string {
  return createHmac('sha256', token).update(body).digest('base64')
}

/**
 * A channel with secrets, inbound requests, a budget and a mailbox. Its provider posts `{"signals": [Signal …]}`,
 * signed, and a handshake `{"challenge": "…"}` that nobody signs.
 */
export function acme(is: Acme = {}) {
  return defineChannel({
    id: 'acme',
    sdk: '^0.1',
    kind: 'acme',
    capabilities: {
      idempotency: { mode: 'native', header: 'x-key', format: 'uuid', ttl: seconds(86_400) },
      receipts: ['accepted', 'delivered', 'bounced', 'replied'],
      exclusiveReplyToken: { ttl: seconds(60) },
      limits: { chars: { max: 100, unit: 'codepoint' } },
      quota: 'introspectable',
    },
    config: {
      schema: config,
      version: 2,
      secrets: ['token', 'oldToken'],
      // Version 1 had the address under another name.
      migrate: (_from, old) => {
        const { address, ...rest } = Object(old)
        return { url: address, ...rest }
      },
      check: (ctx) => is.check?.(ctx) ?? Promise.resolve({ ok: true, notes: ['signed in'] }),
    },
    address: {
      schema: z.email(),
      normalise: (address) => address.toLowerCase(),
      identity: (address) => address,
    },
    content: {
      schema: z.object({ title: z.string(), body: z.string() }),
      prepare: ({ title }) => ({ ok: true, prepared: title, size: title.length }),
    },
    send: (ctx, text) => is.send?.(ctx, text) ?? Promise.resolve({ is: 'accepted', at: ctx.clock.now() }),
    inbound: {
      path: '/callback',
      async verify(request, { token, oldToken }) {
        const text = Buffer.from(request.body).toString()
        const { challenge } = asJson(text)
        if (challenge) return { is: 'handshake', respond: { status: 200, body: String(challenge) } }
        const given = Buffer.from(request.headers.get('x-signature') ?? '', 'base64')
        const isGood = [token, oldToken].some((key) => {
          const right = Buffer.from(acmeSignature(text, key ?? ''), 'base64')
          return key !== undefined && given.length === right.length && timingSafeEqual(given, right)
        })
        return isGood
          ? { is: 'verified', request: verified(request) }
          : { is: 'rejected', reason: 'signature' }
      },
      parse: (request) => {
        const { signals } = JSON.parse(Buffer.from(request.body).toString())
        return signals.map((signal: Signal) => ({ ...signal, occurredAt: new Date(signal.occurredAt) }))
      },
    },
    ...(is.poll && { poll: is.poll }),
    ...(is.quota && { quota: is.quota }),
  })
}

function asJson(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}

/** A deployment that has acme, and the inbox. */
export function withAcme(is: Acme = {}): Deployment {
  return {
    plugins: { inbox: () => import('@engawa/channel-inbox'), acme: async () => ({ default: acme(is) }) },
  }
}
