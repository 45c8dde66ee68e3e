import { createHmac, timingSafeEqual } from 'node:crypto'
import { type HttpHandled, HttpProvider, type HttpReply, type HttpRequest } from './http.ts'

/**
 * A webhook whose signature was good.
 *
 * @example
 * ```ts
 * import type { ReceivedWebhook } from '@engawa/sdk/fakes'
 *
 * const type = ({ body }: ReceivedWebhook): unknown => JSON.parse(body).type
 * console.assert(type.length === 1)
 * ```
 */
export interface ReceivedWebhook {
  readonly id: string
  readonly timestamp: Date
  readonly body: string
}

/**
 * How the fake receiver of webhooks is set up.
 *
 * @example
 * ```ts
 * import { type WebhookReceiverOptions, webhookReceiver } from '@engawa/sdk/fakes'
 *
 * const options: WebhookReceiverOptions = { secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] }
 * const receiver = await webhookReceiver(options)
 * console.assert(receiver.webhooks.length === 0)
 * await receiver.close()
 * ```
 */
export interface WebhookReceiverOptions {
  /** What it knows; `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw` unless told. One good signature is enough. */
  readonly secrets?: readonly string[]
  /** The time; the machine's unless told. */
  readonly now?: () => Date
}

/**
 * Starts a receiver of webhooks as Standard Webhooks 1.0 describes it: it takes what is signed with one of its secrets
 * and not older than five minutes, takes each id once, and answers anything else 401.
 *
 * @example
 * ```ts
 * import { webhookReceiver } from '@engawa/sdk/fakes'
 *
 * const receiver = await webhookReceiver()
 * const response = await fetch(receiver.url, { method: 'POST', body: '{}' })
 * console.assert(response.status === 401 && receiver.webhooks.length === 0)
 * await receiver.close()
 * ```
 */
export async function webhookReceiver(options: WebhookReceiverOptions = {}): Promise<WebhookReceiver> {
  const receiver = new WebhookReceiver(options)
  await receiver.listen()
  return receiver
}

/**
 * The fake receiver of webhooks; `webhookReceiver()` starts one.
 *
 * @example
 * ```ts
 * import { type WebhookReceiver, webhookReceiver } from '@engawa/sdk/fakes'
 *
 * const receiver: WebhookReceiver = await webhookReceiver()
 * receiver.answer({ status: 410 })
 * console.assert((await fetch(receiver.url, { method: 'POST' })).status === 410)
 * await receiver.close()
 * ```
 */
export class WebhookReceiver extends HttpProvider {
  /** Each id once, in order. */
  readonly webhooks: ReceivedWebhook[] = []
  readonly #options: WebhookReceiverOptions

  constructor(options: WebhookReceiverOptions = {}) {
    super()
    this.#options = options
  }

  protected override handle(request: HttpRequest): HttpHandled {
    const header = (name: string) => request.headers.get(`webhook-${name}`) ?? ''
    const [id, timestamp] = [header('id'), header('timestamp')]
    const { secrets = [usualSecret], now = () => new Date() } = this.#options
    const given = header('signature').split(' ')
    const isSigned = secrets.some((secret) =>
      given.some((one) => isSame(one, signature(secret, `${id}.${timestamp}.${request.text}`))),
    )
    if (!isSigned) return refused('The signature is not good.')
    const away = Math.abs(now().getTime() / 1000 - Number(timestamp))
    if (!(away <= 300)) return refused('The timestamp is too far from now.')
    if (this.webhooks.some((known) => known.id === id)) return { reply: { status: 204 }, isTaken: false }
    this.webhooks.push({ id, timestamp: new Date(Number(timestamp) * 1000), body: request.text })
    return { reply: { status: 204 }, isTaken: true }
  }
}

const usualSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

function refused(message: string): { readonly reply: HttpReply; readonly isTaken: false } {
  return { reply: { status: 401, body: { message } }, isTaken: false }
}

function signature(secret: string, signed: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`
}

function isSame(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
