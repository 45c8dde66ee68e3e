import { createHmac, timingSafeEqual } from 'node:crypto'
import {
  type RawRequest,
  replyIntent,
  type Signal,
  type Verdict,
  type VerifiedRequest,
  verified,
} from '@engawa/sdk'
import { z } from 'zod'
import type { Config } from './config.ts'

const event = z.object({
  type: z.string(),
  webhookEventId: z.string().min(1),
  timestamp: z.number(),
  source: z.object({ type: z.string(), userId: z.string().optional() }).optional(),
  replyToken: z.string().optional(),
  deliveryContext: z.object({ isRedelivery: z.boolean() }).optional(),
  follow: z.object({ isUnblocked: z.boolean() }).optional(),
  message: z
    .object({
      type: z.string(),
      id: z.string(),
      text: z.string().optional(),
      quotedMessageId: z.string().optional(),
    })
    .optional(),
  postback: z.object({ data: z.string() }).optional(),
})
type LineEvent = z.infer<typeof event>

/** The events are read one by one, so that one of a shape to come costs no other. */
const callback = z.object({ events: z.array(z.unknown()) })

/**
 * Proves that LINE sent it, by the raw bytes; both secrets count while one is being changed. LINE signs no time, so a
 * callback has no age here; a repeated one has the same ids. No events at all are the console's test of the connection.
 */
export async function verify(request: RawRequest, config: Config): Promise<Verdict> {
  const given = request.headers.get('x-line-signature') ?? ''
  const known = [config.channelSecret, config.previousChannelSecret].filter((secret) => secret !== undefined)
  if (!known.some((secret) => isSame(given, signature(secret, request.body)))) {
    return { is: 'rejected', reason: 'signature' }
  }
  const body = read(request)
  if (!body) return { is: 'rejected', reason: 'shape' }
  if (body.events.length === 0) return { is: 'handshake', respond: { status: 200 } }
  return { is: 'verified', request: verified(request) }
}

/** The signals of a callback, one an event. What happens in groups, and events of other kinds, say nothing here. */
export function parse(request: VerifiedRequest): Signal[] {
  return (read(request)?.events ?? []).flatMap((found) => {
    const { data } = event.safeParse(found)
    const user = data?.source?.type === 'user' ? data.source.userId : undefined
    return data && user !== undefined ? signalsOf(data, user) : []
  })
}

function signalsOf(of: LineEvent, user: string): Signal[] {
  const fact = {
    dedupeKey: of.webhookEventId,
    occurredAt: new Date(of.timestamp),
    about: { address: user },
  }
  // A token that comes a second time is old, and may be used up.
  const token = of.replyToken && !of.deliveryContext?.isRedelivery ? { token: of.replyToken } : {}
  switch (of.type) {
    case 'follow':
      return [{ ...fact, kind: 'unblocked', reply: token, raw: { type: of.type, follow: of.follow } }]
    case 'unfollow':
      return [{ ...fact, kind: 'blocked', raw: { type: of.type } }]
    case 'message': {
      const { type, id, text, quotedMessageId } = of.message ?? {}
      const said = text === undefined ? {} : { text, intent: replyIntent(text) }
      const about = { ...fact.about, ...(quotedMessageId && { providerId: quotedMessageId }) }
      const raw = { type: of.type, message: { type, id } }
      return [{ ...fact, about, kind: 'replied', reply: { ...said, ...token }, raw }]
    }
    case 'postback': {
      const raw = { type: of.type, postback: of.postback }
      return [{ ...fact, kind: 'clicked', machine: 'unlikely', reply: token, raw }]
    }
    default:
      return []
  }
}

function read({ body }: RawRequest): z.infer<typeof callback> | undefined {
  try {
    return callback.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))).data
  } catch {
    return undefined
  }
}

function signature(secret: string, body: Uint8Array): string {
  return createHmac('sha256', secret).update(body).digest('base64')
}

/** In constant time, as texts: decoded, several spellings of one signature would do. */
function isSame(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
