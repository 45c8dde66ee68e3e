import type { Message, Preparation } from '@engawa/sdk'
import { z } from 'zod'
import type { Subscription } from './subscription.ts'

/** Push services take a body of 4,096 bytes (RFC 8030), of which aes128gcm needs 103. */
export const longestPayload = 3_993

const urgency = z.enum(['very-low', 'low', 'normal', 'high'])

/** In `data`: how urgent it is, and whatever else the page's service worker understands. */
export const content = z.object({
  title: z.string().trim().min(1),
  body: z.string().trim(),
  url: z.url().optional(),
  data: z.looseObject({ urgency: urgency.optional() }).optional(),
})

/** What goes out, before it is encrypted. */
export interface Notification extends Subscription {
  /** JSON: title, body, url and data of the content, and the tag by which a newer one replaces it. */
  readonly payload: string
  readonly topic: string
  readonly urgency: z.infer<typeof urgency>
  readonly expiresAt: Date | undefined
}

/** Makes the payload that the page's service worker gets. */
export function prepare(
  said: z.infer<typeof content>,
  { endpoint, keys }: Subscription,
  { key, expiresAt }: Message,
): Preparation<Notification> {
  const { urgency = 'normal', ...data } = said.data ?? {}
  const { title, body, url } = said
  const hasData = Object.keys(data).length > 0
  const payload = JSON.stringify({ title, body, tag: key, ...(url && { url }), ...(hasData && { data }) })
  const size = Buffer.byteLength(payload)
  if (size > longestPayload) {
    const detail = `${size} of ${longestPayload} bytes`
    return { ok: false, fault: { cause: 'content', disposition: { do: 'never' }, detail } }
  }
  return { ok: true, prepared: { endpoint, keys, payload, topic: topicOf(key), urgency, expiresAt }, size }
}

/** A Topic has at most 32 characters: the 16 bytes of the key in base64url are 22. */
function topicOf(key: Message['key']): string {
  return Buffer.from(key.replaceAll('-', ''), 'hex').toString('base64url')
}
