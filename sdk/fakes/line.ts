import { createHmac, randomUUID } from 'node:crypto'
import { type HttpHandled, HttpProvider, type HttpReply, type HttpRequest } from './http.ts'

/**
 * How the fake LINE endpoint is set up.
 *
 * @example
 * ```ts
 * import { type LineEndpointOptions, lineEndpoint } from '@engawa/sdk/fakes'
 *
 * const options: LineEndpointOptions = { channelAccessToken: 'token', channelSecret: 'SECRET', monthlyLimit: 200 }
 * const line = await lineEndpoint(options)
 * console.assert((await fetch(`${line.url}/v2/bot/info`)).status === 401)
 * await line.close()
 * ```
 */
export interface LineEndpointOptions {
  /** Whose requests it answers; anybody's with a token unless told. */
  readonly channelAccessToken?: string
  /** With what it signs webhooks; `channel-secret` unless told. */
  readonly channelSecret?: string
  /** How many messages a month may have; no limit unless told. */
  readonly monthlyLimit?: number
}

/**
 * A message that went out by LINE.
 *
 * @example
 * ```ts
 * import type { LineSent } from '@engawa/sdk/fakes'
 *
 * const text = (sent: LineSent): unknown => Reflect.get(Object(sent.messages[0]), 'text')
 * console.assert(text({ id: '1', via: 'push', to: 'U1', messages: [{ type: 'text', text: 'a' }] }) === 'a')
 * ```
 */
export interface LineSent {
  readonly id: string
  readonly via: 'push' | 'reply'
  /** The user id of a push, the token of a reply. */
  readonly to: string
  readonly messages: readonly unknown[]
}

/**
 * LINE's refusals that go by more than their status.
 *
 * @example
 * ```ts
 * import { lineEndpoint, lineRefusals } from '@engawa/sdk/fakes'
 *
 * const line = await lineEndpoint()
 * line.next(lineRefusals.monthlyLimit)
 * console.assert((await fetch(line.url)).status === 429)
 * await line.close()
 * ```
 */
export const lineRefusals: Readonly<Record<LineRefusal, HttpReply>> = {
  rateLimit: { status: 429, body: { message: 'The API rate limit has been exceeded. Try again later.' } },
  concurrency: {
    status: 429,
    body: { message: 'Concurrent requests have exceeded the limit. Try again later.' },
  },
  monthlyLimit: { status: 429, body: { message: 'You have reached your monthly limit.' } },
  notReachable: { status: 400, body: { message: 'Failed to send messages' } },
  token: {
    status: 401,
    body: {
      message: 'Authentication failed. Confirm that the access token in the authorization header is valid.',
    },
  },
  replyToken: { status: 400, body: { message: 'Invalid reply token' } },
}

/**
 * Names of LINE's refusals.
 *
 * @example
 * ```ts
 * import { type LineRefusal, lineRefusals } from '@engawa/sdk/fakes'
 *
 * const both: LineRefusal[] = ['rateLimit', 'monthlyLimit']
 * console.assert(both.every((name) => lineRefusals[name].status === 429))
 * ```
 */
export type LineRefusal =
  | 'rateLimit'
  | 'concurrency'
  | 'monthlyLimit'
  | 'notReachable'
  | 'token'
  | 'replyToken'

/**
 * Starts an endpoint that behaves as LINE's Messaging API does for push, reply, quota and info: it knows retry keys
 * (409 the second time), reply tokens (good once) and a monthly limit, and it signs webhooks.
 *
 * @example
 * ```ts
 * import { lineEndpoint } from '@engawa/sdk/fakes'
 *
 * const line = await lineEndpoint()
 * const push = () =>
 *   fetch(`${line.url}/v2/bot/message/push`, {
 *     method: 'POST',
 *     headers: { authorization: 'Bearer t', 'x-line-retry-key': '0197a1b2-0000-7000-8000-000000000001' },
 *     body: JSON.stringify({ to: 'U1', messages: [{ type: 'text', text: 'Hello' }] }),
 *   })
 * const statuses = [(await push()).status, (await push()).status]
 * console.assert(statuses.join() === '200,409' && line.sent.length === 1)
 * await line.close()
 * ```
 */
export async function lineEndpoint(options: LineEndpointOptions = {}): Promise<LineEndpoint> {
  const line = new LineEndpoint(options)
  await line.listen()
  return line
}

/**
 * The fake LINE endpoint; `lineEndpoint()` starts one.
 *
 * @example
 * ```ts
 * import { type LineEndpoint, lineEndpoint } from '@engawa/sdk/fakes'
 *
 * const line: LineEndpoint = await lineEndpoint({ channelSecret: 'SECRET' })
 * console.assert(line.signature('{}') === '3q8QXTAGaey18yL8FWTqdVlbMr6hcuNvM4tefa0o9nA=')
 * await line.close()
 * ```
 */
export class LineEndpoint extends HttpProvider {
  /** What went out, in order. */
  readonly sent: LineSent[] = []
  readonly #options: LineEndpointOptions
  readonly #accepted = new Map<string, { readonly request: string; readonly body: object }>()
  readonly #replyTokens = new Set<string>()

  constructor(options: LineEndpointOptions = {}) {
    super({ isSending: ({ method, path }) => method === 'POST' && path.startsWith('/v2/bot/message/') })
    this.#options = options
  }

  /** A token that a reply may use, once. */
  replyToken(): string {
    const token = randomUUID().replaceAll('-', '')
    this.#replyTokens.add(token)
    return token
  }

  /** The signature of a webhook's body: base64 of HMAC-SHA256 with the channel secret. */
  signature(body: string): string {
    const secret = this.#options.channelSecret ?? 'channel-secret'
    return createHmac('sha256', secret).update(body).digest('base64')
  }

  /** A webhook as LINE posts it. */
  webhook(events: readonly object[]): {
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  } {
    const body = JSON.stringify({ destination: 'U00000000000000000000000000000000', events })
    return { headers: { 'content-type': 'application/json', 'x-line-signature': this.signature(body) }, body }
  }

  protected override handle(request: HttpRequest): HttpHandled {
    const headers = { 'x-line-request-id': randomUUID() }
    const { reply, isTaken } = this.#handle(request, headers['x-line-request-id'])
    return { reply: { ...reply, headers: { ...headers, ...reply.headers } }, isTaken }
  }

  #handle({ method, path, headers, text }: HttpRequest, id: string): HttpHandled {
    const wanted = this.#options.channelAccessToken
    const token = /^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1]
    if (token === undefined || (wanted !== undefined && token !== wanted)) return refused(lineRefusals.token)
    switch (`${method} ${path}`) {
      case 'GET /v2/bot/info':
        return refused({ body: { userId: 'U00000000000000000000000000000000', displayName: 'Fake' } })
      case 'GET /v2/bot/message/quota':
        return refused({ body: this.#quota() })
      case 'GET /v2/bot/message/quota/consumption':
        return refused({ body: { totalUsage: this.#used } })
      case 'POST /v2/bot/message/push':
        return this.#push(text, headers.get('x-line-retry-key'), id)
      case 'POST /v2/bot/message/reply':
        return this.#reply(text)
      default:
        return refused({ status: 404, body: { message: 'Not found' } })
    }
  }

  get #used(): number {
    return this.sent.filter(({ via }) => via === 'push').length
  }

  #quota(): object {
    const { monthlyLimit } = this.#options
    return monthlyLimit === undefined ? { type: 'none' } : { type: 'limited', value: monthlyLimit }
  }

  #push(text: string, key: string | null, id: string): HttpHandled {
    const { to, messages } = fields(text)
    if (key !== null && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(key)) {
      return refused(badRequest('Invalid retry key', []))
    }
    const accepted = key === null ? undefined : this.#accepted.get(key)
    if (accepted) {
      const headers = { 'x-line-accepted-request-id': accepted.request }
      const body = { message: 'The retry key is already accepted', ...accepted.body }
      return refused({ status: 409, headers, body })
    }
    if (typeof to !== 'string' || to === '') {
      return refused(
        badRequest("The property, 'to', in the request body is invalid (line: -, column: -)", []),
      )
    }
    const wrong = problems(messages)
    if (wrong.length > 0) return refused(badRequest(`The request body has ${wrong.length} error(s)`, wrong))
    const { monthlyLimit = Number.POSITIVE_INFINITY } = this.#options
    if (this.#used >= monthlyLimit) return refused(lineRefusals.monthlyLimit)
    const handled = this.#send({ via: 'push', to, messages: list(messages) })
    if (key !== null) this.#accepted.set(key, { request: id, body: handled.body })
    return handled
  }

  #reply(text: string): HttpHandled {
    const { replyToken, messages } = fields(text)
    if (typeof replyToken !== 'string' || !this.#replyTokens.has(replyToken)) {
      return refused(lineRefusals.replyToken)
    }
    const wrong = problems(messages)
    if (wrong.length > 0) return refused(badRequest(`The request body has ${wrong.length} error(s)`, wrong))
    this.#replyTokens.delete(replyToken)
    return this.#send({ via: 'reply', to: replyToken, messages: list(messages) })
  }

  #send(message: Omit<LineSent, 'id'>): HttpHandled & { readonly body: object } {
    const id = String(461_230_966_842_064_000 + this.sent.length)
    this.sent.push({ id, ...message })
    const body = { sentMessages: message.messages.map(() => ({ id, quoteToken: `quote-${id}` })) }
    return { reply: { body }, isTaken: true, body }
  }
}

const refused = (reply: HttpReply): HttpHandled => ({ reply, isTaken: false })

function badRequest(message: string, details: readonly object[]): HttpReply {
  return { status: 400, body: details.length > 0 ? { message, details } : { message } }
}

/** What LINE would find wrong with message objects, as far as it is about texts. */
function problems(messages: unknown): object[] {
  const count = Array.isArray(messages) ? messages.length : 0
  if (count < 1 || count > 5) return [{ message: 'Size must be between 1 and 5', property: 'messages' }]
  return list(messages).flatMap((message, n) => {
    const { type, text } = Object(message)
    if (type !== 'text') return []
    const length = typeof text === 'string' ? text.length : 0
    if (length >= 1 && length <= 5_000) return []
    const said = length === 0 ? 'May not be empty' : 'Length must be between 0 and 5000'
    return [{ message: said, property: `messages[${n}].text` }]
  })
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function fields(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}
