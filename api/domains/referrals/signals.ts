import { createHmac, hkdfSync } from 'node:crypto'
import { BadInputError } from '../../platform/errors/index.ts'
import { definePort } from '../../platform/ports.ts'

/** What somebody was seen with; each as the shop knows it, whatever that looks like. */
export interface Seen {
  readonly paymentFingerprint?: string | null | undefined
  readonly device?: string | null | undefined
  readonly cookie?: string | null | undefined
  readonly ip?: string | null | undefined
  readonly address?: string | null | undefined
}

/** A signal as the database keeps it: a digest in hexadecimal that tells nobody what it is of. */
export interface Signal {
  readonly kind: 'PAYMENT' | 'DEVICE' | 'COOKIE' | 'IP' | 'ADDRESS'
  readonly hash: string
}

/** How resolvers make digests. */
export const signalsPort = definePort<ReferralSignals>('referral signals')

const KINDS = {
  paymentFingerprint: 'PAYMENT',
  device: 'DEVICE',
  cookie: 'COOKIE',
  ip: 'IP',
  address: 'ADDRESS',
} as const

const LONGEST = 500

/** Makes digests of signals under a key of each tenant, which comes of a secret outside of the tenant's tables. */
export class ReferralSignals {
  readonly #secret: Uint8Array

  constructor(secret: Uint8Array) {
    this.#secret = secret
  }

  /** The digests of what is given; blanks and case do not count. Throws BadInputError naming the field. */
  of(tenantId: string, seen: Seen, field: string): readonly Signal[] {
    const key = this.#keyOf(tenantId)
    return Object.entries(KINDS).flatMap(([name, kind]) => {
      const given = seen[name as keyof Seen] // the keys of KINDS are those of Seen
      if (given == null) return []
      const folded = given.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()
      if (folded === '' || folded.length > LONGEST) {
        throw new BadInputError(`${field}.${name}`, `${field}.${name} must have 1 to ${LONGEST} characters.`)
      }
      return [{ kind, hash: createHmac('sha256', key).update(`${kind}\n${folded}`).digest('hex') }]
    })
  }

  /** The hash of an operation, so that nobody who has it can try what was in it. */
  seal(tenantId: string, hash: Uint8Array): Buffer {
    return createHmac('sha256', this.#keyOf(tenantId)).update(hash).digest()
  }

  #keyOf(tenantId: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#secret, '', `engawa.referral.${tenantId}`, 32))
  }
}
