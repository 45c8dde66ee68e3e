import webPush from 'web-push'
import type { Config } from './keys.ts'
import type { Notification } from './notification.ts'

/** How long a push service keeps what has no end of its own, and the longest that it keeps anything, in seconds. */
const usualLife = 86_400
const longestLife = 28 * 86_400

/**
 * Encrypts a notification for its browser and signs the request. Of the package only these two functions are used:
 * its `generateRequestDetails` splits addresses with the deprecated `url.parse`, looks at settings of the whole
 * process, and knows Google's service before VAPID. The token lives by real time, twelve hours, because push services
 * do; what the tenant's clock decides is how long the message lives.
 */
export function requestOf(
  { endpoint, keys, payload, topic, urgency, expiresAt }: Notification,
  { subject, publicKey, privateKey }: Config,
  now: Date,
): { endpoint: string; headers: Record<string, string>; body: Uint8Array<ArrayBuffer> } {
  const { origin } = new URL(endpoint)
  const { cipherText } = webPush.encrypt(keys.p256dh, keys.auth, payload, 'aes128gcm')
  const { Authorization } = webPush.getVapidHeaders(origin, subject, publicKey, privateKey, 'aes128gcm')
  const left = expiresAt ? Math.floor((expiresAt.getTime() - now.getTime()) / 1000) : usualLife
  return {
    endpoint,
    headers: {
      Authorization,
      'Content-Encoding': 'aes128gcm',
      'Content-Type': 'application/octet-stream',
      TTL: String(Math.min(longestLife, Math.max(0, left))),
      Topic: topic,
      Urgency: urgency,
    },
    body: new Uint8Array(cipherText),
  }
}
