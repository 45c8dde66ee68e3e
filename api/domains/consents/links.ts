import { isId } from '../../platform/ids.ts'
import { definePort } from '../../platform/ports.ts'
import { type TokenSeal, tokenSeal } from '../../platform/sealed-token.ts'

/** What a link to stop messages is about. Tenant and member are uuids. */
export interface Subscription {
  readonly tenant: string
  readonly member: string
  readonly purpose: string
  readonly channel: string
}

/** A question that a message put to a member: the uuids of its tenant and of itself. */
export interface Question {
  readonly tenant: string
  readonly confirmation: string
}

/** How resolvers and deliveries make links for members. */
export const linksPort = definePort<Links>('links')

/**
 * The links in messages that members act by without signing in. Whoever has one may use it; nobody can make one up,
 * and nothing is kept of them.
 */
export class Links {
  readonly #publicUrl: () => string
  readonly #unsubscribe: TokenSeal
  readonly #confirm: TokenSeal

  /** `publicUrl` is where members reach the web role; `secret` must stay the same, or old links die. */
  constructor({ secret, publicUrl }: { secret: Uint8Array; publicUrl: () => string }) {
    this.#publicUrl = publicUrl
    this.#unsubscribe = tokenSeal(secret, 'unsubscribe')
    this.#confirm = tokenSeal(secret, 'confirm')
  }

  /** Where a member stops messages of this purpose on this channel: RFC 8058's address. It never expires. */
  unsubscribeUrl({ tenant, member, purpose, channel }: Subscription): string {
    const token = this.#unsubscribe.seal([compact(tenant), compact(member), channel, purpose].join('\n'))
    return `${this.#publicUrl()}/unsubscribe/${token}`
  }

  /** Where a member says yes to a confirmation. It works once, while the confirmation is open. */
  confirmUrl(question: Question): string {
    return `${this.#publicUrl()}/confirm/${this.confirmToken(question)}`
  }

  /** The token of that address, for front ends with a page of their own. */
  confirmToken({ tenant, confirmation }: Question): string {
    return this.#confirm.seal([compact(tenant), compact(confirmation)].join('\n'))
  }

  /** What a link to stop messages is about; undefined for a token that is none of ours. */
  subscriptionOf(token: string): Subscription | undefined {
    const [tenant = '', member = '', channel = '', ...purpose] =
      this.#unsubscribe.open(token)?.split('\n') ?? []
    if (!tenant || !member) return undefined
    return { tenant: whole(tenant), member: whole(member), channel, purpose: purpose.join('\n') }
  }

  /** The question that a link answers; undefined for a token that is none of ours. */
  questionOf(token: string): Question | undefined {
    const [tenant = '', confirmation = ''] = this.#confirm.open(token)?.split('\n') ?? []
    return tenant && confirmation ? { tenant: whole(tenant), confirmation: whole(confirmation) } : undefined
  }
}

/** A uuid in 22 characters. */
function compact(uuid: string): string {
  if (!isId(uuid)) throw new TypeError('a link is about the ids of a tenant and of a member')
  return Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url')
}

function whole(compacted: string): string {
  const hex = Buffer.from(compacted, 'base64url').toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
