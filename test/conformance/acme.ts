import { createHmac, timingSafeEqual } from 'node:crypto'
import {
  type ChannelDefinition,
  type Content,
  defineChannel,
  type Outcome,
  type RawRequest,
  replyIntent,
  retryAfter,
  type SendContext,
  type Signal,
  seconds,
  type Verdict,
  type VerifiedRequest,
  verified,
} from '@engawa/sdk'
import type { ConformanceInput } from '@engawa/sdk/conformance'
import { type HttpProvider, httpProvider } from '@engawa/sdk/fakes'
import { z } from 'zod'

const config = z.strictObject({
  url: z.url(),
  token: z.string().min(8),
  secret: z.string().min(8),
  previousSecret: z.string().min(8).optional(),
})
/** What a tenant of the sound channel saves. */
export type Config = z.infer<typeof config>
/** What goes out. */
export interface Prepared {
  readonly to: string
  readonly text: string
}
/** The whole definition; a broken channel is a sound one with a part exchanged. */
export type Acme = ChannelDefinition<Config, 'token' | 'secret' | 'previousSecret', string, Content, Prepared>

/** The most of a text, in code points. */
export const longest = 100

/** A channel that keeps every law, with all that a channel can have. */
export const sound: Acme = {
  id: 'acme',
  sdk: '^0.1',
  kind: 'acme',
  capabilities: {
    idempotency: { mode: 'native', header: 'Idempotency-Key', format: 'uuid', ttl: seconds(3_600) },
    receipts: [
      'accepted',
      'delivered',
      'seen',
      'replied',
      'unsubscribed',
      'complained',
      'bounced',
      'blocked',
    ],
    limits: { chars: { max: longest, unit: 'codepoint' } },
  },
  config: {
    schema: config,
    version: 1,
    secrets: ['token', 'secret', 'previousSecret'],
    async check(ctx) {
      const headers = { authorization: `Bearer ${ctx.config.token}` }
      const { ok } = await ctx.fetch(`${ctx.config.url}/me`, { headers, signal: ctx.signal })
      return ok ? { ok: true } : { ok: false, fault: { cause: 'auth', disposition: { do: 'hold' } } }
    },
  },
  address: {
    schema: z.string().regex(/^acme-/i),
    normalise: (to) => to.toLowerCase(),
    identity: (to) => to,
  },
  content: {
    schema: z.object({ title: z.string(), body: z.string() }),
    prepare: ({ body }, to) => prepared([...body].length, { to, text: body }),
  },
  send,
  inbound: { path: '/callback', verify: async (request, own) => verify(request, own), parse },
}

/** What `prepare` gives for a size. */
export function prepared(size: number, value: Prepared): ReturnType<Acme['content']['prepare']> {
  if (size <= longest) return { ok: true, prepared: value, size }
  return {
    ok: false,
    fault: { cause: 'content', disposition: { do: 'never' }, detail: `${size} of ${longest}` },
  }
}

async function send(ctx: SendContext<Config>, message: Prepared): Promise<Outcome> {
  return outcomeOf(await post(ctx, message), ctx)
}

/** Posts a message, with headers besides the usual ones. */
export function post(ctx: SendContext<Config>, message: Prepared, headers: object = {}): Promise<Response> {
  return ctx.fetch(`${ctx.config.url}/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ctx.config.token}`, 'idempotency-key': ctx.key, ...headers },
    body: JSON.stringify(message),
    signal: ctx.signal,
  })
}

/** What an answer comes to. */
export function outcomeOf({ ok, status, headers }: Response, { clock }: SendContext<Config>): Outcome {
  const now = clock.now()
  if (ok) return { is: 'accepted', at: now }
  if (status >= 500) return { is: 'unknown', evidence: 'server-error' }
  if (status === 429) {
    const notBefore = retryAfter(headers, now)
    return {
      is: 'refused',
      fault: { cause: 'rate', disposition: { do: 'later', ...(notBefore && { notBefore }) } },
    }
  }
  if (status === 401) return { is: 'refused', fault: { cause: 'auth', disposition: { do: 'hold' } } }
  if (status !== 410) return { is: 'refused', fault: { cause: 'content', disposition: { do: 'never' } } }
  const fault = {
    cause: 'address',
    disposition: { do: 'elsewhere' },
    suppress: { scope: 'address' },
  } as const
  return { is: 'refused', fault }
}

const events = z.array(
  z.object({
    id: z.string(),
    is: z.enum(['delivered', 'seen', 'complained', 'bounced', 'blocked', 'replied']),
    to: z.string(),
    of: z.string().optional(),
    at: z.number(),
    text: z.string().optional(),
  }),
)

/** The right signature of a body. */
export function signature(secret: string, time: string, body: Uint8Array | string): string {
  return createHmac('sha256', secret).update(`${time}.`).update(body).digest('base64')
}

function verify(request: RawRequest, { secret, previousSecret }: Config): Verdict {
  return verdictOn(request, [secret, previousSecret], request.body)
}

/** The verdict on a request whose signature is of these bytes. */
export function verdictOn(
  request: RawRequest,
  secrets: readonly (string | undefined)[],
  body: Uint8Array | string,
): Verdict {
  const [given, time] = [request.headers.get('x-signature') ?? '', request.headers.get('x-time') ?? '']
  const isGood = secrets.some((one) => one !== undefined && isSame(given, signature(one, time, body)))
  if (!isGood) return { is: 'rejected', reason: 'signature' }
  if (Math.abs(request.receivedAt.getTime() / 1000 - Number(time)) > 300)
    return { is: 'rejected', reason: 'stale' }
  if (request.query.has('challenge')) return { is: 'handshake', respond: { status: 200 } }
  return { is: 'verified', request: verified(request) }
}

function isSame(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function parse(request: VerifiedRequest): Signal[] {
  return (events.safeParse(json(request)).data ?? []).map(({ id, is, to, of, at, text }) => ({
    kind: is,
    dedupeKey: id,
    occurredAt: new Date(at),
    about: { address: to, ...(of !== undefined && { providerId: of }) },
    ...(is === 'bounced' && { bounce: { permanence: 'permanent' as const } }),
    ...(text !== undefined && { reply: { text, intent: replyIntent(text) } }),
    raw: { id, is },
  }))
}

/** The JSON of a body, if it is some. */
export function json({ body }: RawRequest): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch {
    return undefined
  }
}

const event = (id: string, is: string, more: object = {}) => ({
  ...{ id, is, to: 'acme-4711', of: 'message-1', at: 1_775_000_000_000 + Number(id) },
  ...more,
})

/** What the kit is told of it. */
export const input: ConformanceInput<Config, string, HttpProvider> = {
  provider: httpProvider,
  config: ({ url }, tenant) => ({ url, token: `token-of-tenant-${tenant}`, secret: `secret-of-${tenant}` }),
  badConfigs: [
    { path: 'url', value: 'nowhere' },
    { path: 'token', value: undefined },
    { path: 'secret', value: 7 },
  ],
  address: 'ACME-4711',
  replies: [
    { reply: { status: 202 }, expect: 'accepted' },
    { reply: { status: 401 }, expect: { do: 'hold', cause: 'auth', suppress: 'nothing' } },
    { reply: { status: 410 }, expect: { do: 'elsewhere', cause: 'address', suppress: 'address' } },
    { reply: { status: 429 }, expect: 'later' },
    { reply: { status: 503 }, expect: 'unknown' },
  ],
  inbound: {
    sign(body, { config: { secret }, at }) {
      const time = String(at.getTime() / 1000)
      return { headers: { 'x-time': time, 'x-signature': signature(secret, time, body) }, body }
    },
    signsTime: 300,
    rotation: {
      before: { secret: 'secret-before' },
      during: { secret: 'secret-after', previousSecret: 'secret-before' },
      after: { secret: 'secret-after' },
    },
    oneMessage: [JSON.stringify([event('2', 'seen'), event('1', 'delivered')])],
    suppressing: {
      complained: JSON.stringify([event('3', 'complained')]),
      bounced: JSON.stringify([event('4', 'bounced')]),
      blocked: JSON.stringify([event('5', 'blocked')]),
    },
    answer: (text) => JSON.stringify([event('6', 'replied', { text })]),
    stopWords: ['STOP', '停止'],
    handshake({ config: { secret }, at }) {
      const time = String(at.getTime() / 1000)
      const headers = { 'x-time': time, 'x-signature': signature(secret, time, '') }
      return { headers, body: '', query: 'challenge=1' }
    },
  },
}

/** A channel out of the sound one with parts exchanged. */
export const acme = (parts: Partial<Acme> = {}): Acme => defineChannel({ ...sound, ...parts })
