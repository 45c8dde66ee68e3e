import { createDecipheriv, createECDH, createPublicKey, hkdfSync, verify } from 'node:crypto'

/**
 * What a browser keeps of a subscription. Values are bytes as base64url.
 *
 * @example
 * ```ts
 * import type { PushKeys } from '@engawa/sdk/fakes'
 *
 * const bytes = ({ auth }: PushKeys) => Buffer.from(auth, 'base64url').length
 * console.assert(bytes({ privateKey: '', publicKey: '', auth: 'BTBZMqHH6r4Tts7J_aSIgg' }) === 16)
 * ```
 */
export interface PushKeys {
  readonly privateKey: string
  readonly publicKey: string
  readonly auth: string
}

/**
 * Decrypts a push message (aes128gcm: RFC 8188 and 8291). Throws for what was not encrypted for these keys.
 *
 * @example
 * ```ts
 * import { decryptPush } from '@engawa/sdk/fakes'
 *
 * // The example of RFC 8291, section 5.
 * const body = Buffer.from(
 *   'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3' +
 *     'jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
 *   'base64url',
 * )
 * const text = decryptPush(body, {
 *   privateKey: 'q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94',
 *   publicKey: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
 *   auth: 'BTBZMqHH6r4Tts7J_aSIgg',
 * })
 * console.assert(text === 'When I grow up, I want to be a watermelon')
 * ```
 */
export function decryptPush(body: Uint8Array, keys: PushKeys): string {
  const bytes = Buffer.from(body)
  const salt = bytes.subarray(0, 16)
  const recordSize = bytes.readUInt32BE(16)
  const keyLength = bytes.readUInt8(20)
  const senderKey = bytes.subarray(21, 21 + keyLength)
  const record = bytes.subarray(21 + keyLength)
  if (record.length > recordSize) throw new RangeError('A push message is one record.')
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(Buffer.from(keys.privateKey, 'base64url'))
  const receiverKey = Buffer.from(keys.publicKey, 'base64url')
  const shared = ecdh.computeSecret(senderKey)
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), receiverKey, senderKey])
  const material = hkdf(shared, { salt: Buffer.from(keys.auth, 'base64url'), info, length: 32 })
  const key = hkdf(material, { salt, info: 'Content-Encoding: aes128gcm\0', length: 16 })
  const nonce = hkdf(material, { salt, info: 'Content-Encoding: nonce\0', length: 12 })
  const decipher = createDecipheriv('aes-128-gcm', key, nonce)
  decipher.setAuthTag(record.subarray(-16))
  const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()])
  // The last record ends in a 2, and zeros after it as padding.
  const end = padded.findLastIndex((byte) => byte !== 0)
  if (padded[end] !== 2) throw new RangeError('The padding of the push message is not as it should be.')
  return padded.subarray(0, end).toString()
}

function hkdf(
  material: Uint8Array,
  { salt, info, length }: { salt: Uint8Array; info: Uint8Array | string; length: number },
): Buffer {
  return Buffer.from(hkdfSync('sha256', material, salt, info, length))
}

/**
 * Who sent a push message, as its VAPID token says (RFC 8292).
 *
 * @example
 * ```ts
 * import type { VapidClaims } from '@engawa/sdk/fakes'
 *
 * const isReachable = ({ subject }: VapidClaims) => subject.startsWith('mailto:')
 * console.assert(isReachable.length === 1)
 * ```
 */
export interface VapidClaims {
  /** The application server's public key, as base64url. */
  readonly key: string
  readonly audience: string
  readonly subject: string
  readonly expiresAt: Date
}

/**
 * Verifies the `Authorization` of a push message. Gives the claims, or in a few words why it is not good: it must be
 * signed by its own key with ES256, be for this origin, and end within 24 hours.
 */
export function readVapid(
  authorization: string | null,
  { origin, now }: { origin: string; now: Date },
): VapidClaims | string {
  const found = /^vapid t=([\w-]+)\.([\w-]+)\.([\w-]+),\s*k=([\w-]+)$/.exec(authorization ?? '')
  if (!found) return 'no VAPID authorization'
  const [, head = '', body = '', signature = '', key = ''] = found
  const { alg } = claims(head)
  if (alg !== 'ES256') return 'the token is not signed with ES256'
  const point = Buffer.from(key, 'base64url')
  if (point.length !== 65) return 'the key is not a point of P-256'
  const coordinate = (start: number) => point.subarray(start, start + 32).toString('base64url')
  const jwk = { kty: 'EC', crv: 'P-256', x: coordinate(1), y: coordinate(33) }
  const publicKey = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' as const }
  const isSigned = verify(
    'sha256',
    Buffer.from(`${head}.${body}`),
    publicKey,
    Buffer.from(signature, 'base64url'),
  )
  if (!isSigned) return 'the token is not signed by its key'
  const { aud, exp, sub } = claims(body)
  if (aud !== origin) return 'the token is for another audience'
  const left = Number(exp) - now.getTime() / 1000
  if (!(left > 0 && left <= 86_400)) return 'the token has ended, or lasts longer than 24 hours'
  if (!/^(mailto:|https:)/.test(String(sub))) return 'the subject is neither mailto: nor https:'
  return { key, audience: origin, subject: String(sub), expiresAt: new Date(Number(exp) * 1000) }
}

function claims(part: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(Buffer.from(part, 'base64url').toString()))
  } catch {
    return {}
  }
}
