import { createECDH } from 'node:crypto'
import { z } from 'zod'

const key = (count: number) =>
  z
    .string()
    .regex(/^[\w-]+$/, 'must be base64url without padding')
    .refine((text) => Buffer.from(text, 'base64url').length === count, `must be ${count} bytes`)

/** What a tenant saves: its pair of VAPID keys, and whom a push service may ask about them. */
export const config = z.strictObject({
  publicKey: key(65),
  privateKey: key(32),
  /** `mailto:` or `https:`. Apple refuses localhost. */
  subject: z
    .url({ protocol: /^(mailto|https)$/, hostname: /.*/ })
    .refine((text) => !/^https:\/\/(localhost|127\.|\[::1\])/i.test(text), 'must not be this machine')
    .refine(
      (text) => !/^mailto:/i.test(text) || /^mailto:[^@\s]+@[^@\s]+$/i.test(text),
      'must be an address',
    ),
})
export type Config = z.infer<typeof config>

/** Whether the public key belongs to the private one. */
export function isPair({ publicKey, privateKey }: Pick<Config, 'publicKey' | 'privateKey'>): boolean {
  const curve = createECDH('prime256v1')
  try {
    curve.setPrivateKey(privateKey, 'base64url')
  } catch {
    return false // zero, or beyond the order of the curve
  }
  return curve.getPublicKey('base64url') === publicKey
}
