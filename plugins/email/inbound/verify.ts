import { createHmac, timingSafeEqual } from 'node:crypto'
import { type RawRequest, type Verdict, verified } from '@engawa/sdk'

/** What signs the messages that are handed in. */
export interface InboundSecrets {
  readonly inboundSecret?: string | undefined
  /** Still good while the secret is being changed. */
  readonly previousInboundSecret?: string | undefined
}

/** The header that proves who hands a message in: `t=<seconds since 1970>,v1=<hexadecimal HMAC>`, several `v1` if need be. */
const header = 'engawa-signature'
/** Seconds that a signature is good for, and that clocks may differ. */
const tolerance = 300

/**
 * Checks `Engawa-Signature: t=1767225600,v1=<hex>`. The HMAC-SHA256, under the channel's inbound secret, is over the
 * seconds, a full stop and the message as it is sent. In a shell:
 *
 *     t=$(date +%s); v1=$( (printf %s. $t; cat mail.eml) | openssl dgst -sha256 -hmac "$SECRET" -r | cut -c-64)
 *     curl -H "engawa-signature: t=$t,v1=$v1" -H 'content-type: message/rfc822' --data-binary @mail.eml …
 */
export function verify(request: RawRequest, secrets: InboundSecrets): Verdict {
  const given = request.headers.get(header)
  if (given === null) return { is: 'rejected', reason: 'signature' }
  const [, seconds] = /(?:^|[,\s])t=(\d{1,12})(?:[,\s]|$)/.exec(given) ?? []
  const signatures = [...given.matchAll(/(?:^|[,\s])v1=([0-9a-f]{64})(?=[,\s]|$)/gi)].map(
    ([, hex = '']) => hex,
  )
  if (
    request.method !== 'POST' ||
    seconds === undefined ||
    signatures.length === 0 ||
    signatures.length > 5
  ) {
    return { is: 'rejected', reason: 'shape' }
  }
  const known = [secrets.inboundSecret, secrets.previousInboundSecret].filter(
    (secret) => secret !== undefined,
  )
  const right = known.map((secret) =>
    createHmac('sha256', secret).update(`${seconds}.`).update(request.body).digest(),
  )
  const isGood = signatures
    .map((hex) => Buffer.from(hex, 'hex'))
    .some((each) => right.some((one) => timingSafeEqual(each, one)))
  if (!isGood) return { is: 'rejected', reason: 'signature' }
  const age = request.receivedAt.getTime() / 1000 - Number(seconds)
  if (Math.abs(age) > tolerance) return { is: 'rejected', reason: 'stale' }
  return { is: 'verified', request: verified(request) }
}
