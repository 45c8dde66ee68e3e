import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'

/** Writes and reads tokens that only this deployment can make, and that tell nobody else what is in them. */
export interface TokenSeal {
  seal(content: string): string
  /** What was sealed; undefined for what this seal never made. */
  open(token: string): string | undefined
}

const TAG = 16
const LONGEST = 1_000

/**
 * Seals of one use, such as `unsubscribe`; those of another cannot open them. The keys come of `secret` alone, so
 * tokens last as long as it does and need not be kept. The same content gives the same token: its tag, an HMAC of
 * the content, is at the same time where the cipher starts (a synthetic initialization vector).
 */
export function tokenSeal(secret: Uint8Array, use: string): TokenSeal {
  const keys = Buffer.from(hkdfSync('sha256', secret, '', `engawa.token.${use}`, 64))
  const tagOf = (content: Buffer) =>
    createHmac('sha256', keys.subarray(0, 32)).update(content).digest().subarray(0, TAG)
  const cipherKey = keys.subarray(32)
  return {
    seal(content) {
      const plain = Buffer.from(content)
      const tag = tagOf(plain)
      const cipher = createCipheriv('aes-256-ctr', cipherKey, tag)
      return Buffer.concat([tag, cipher.update(plain), cipher.final()]).toString('base64url')
    },
    open(token) {
      const bytes = Buffer.from(token.slice(0, LONGEST), 'base64url')
      if (bytes.length <= TAG || bytes.toString('base64url') !== token) return undefined
      const tag = bytes.subarray(0, TAG)
      const cipher = createDecipheriv('aes-256-ctr', cipherKey, tag)
      const plain = Buffer.concat([cipher.update(bytes.subarray(TAG)), cipher.final()])
      return timingSafeEqual(tagOf(plain), tag) ? plain.toString() : undefined
    },
  }
}
