import { ECDH } from 'node:crypto'
import { z } from 'zod'

/** Base64, as browsers and libraries write it: of either alphabet, padded or not. */
const base64 = z.string().regex(/^[\w+/-]+={0,2}$/, 'must be base64url')

/** What `PushSubscription.toJSON()` gives in the browser. */
export const subscription = z.object({
  endpoint: z.url({ protocol: /^https$/ }).max(2_000),
  keys: z.object({
    p256dh: base64.refine(isPoint, 'must be a point of P-256, 65 bytes'),
    auth: base64.refine((text) => bytesOf(text).length >= 16, 'must be at least 16 bytes'),
  }),
})
export type Subscription = z.infer<typeof subscription>

/** One spelling of a subscription. */
export function normalise({ endpoint, keys: { p256dh, auth } }: Subscription): Subscription {
  return {
    endpoint: new URL(endpoint).href,
    keys: { p256dh: bytesOf(p256dh).toString('base64url'), auth: bytesOf(auth).toString('base64url') },
  }
}

function isPoint(text: string): boolean {
  try {
    return bytesOf(text).length === 65 && ECDH.convertKey(bytesOf(text), 'prime256v1').length > 0
  } catch {
    return false // 65 bytes beside the curve
  }
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'base64url')
}
