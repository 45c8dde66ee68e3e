import { type HttpProvider, type HttpReply, type HttpRequest, httpProvider } from '@engawa/sdk/fakes'
import { verifyWebhook } from '@engawa/sdk/webhooks'
import { expect, onTestFinished } from 'vitest'
import { openEgress } from '../../api/platform/egress.ts'
import type { Shop, TestAppOptions } from '../support/app.ts'
import { until } from '../support/until.ts'

/** An app whose webhooks reach receivers on this machine, and whose pauses are short. */
export const quick: TestAppOptions = {
  publicEgress: openEgress({ allow: ['127.0.0.1'] }),
  webhooks: { waits: [0, 10, 10, 10], lookMs: 30 },
}

/** A webhook as it was posted. */
export interface Posted {
  readonly id: string
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

/** Somebody who gets webhooks, and whose endpoint was added to a shop. */
export interface Receiver {
  readonly provider: HttpProvider
  readonly endpoint: string
  readonly secret: string
  /** Every try, in order. */
  readonly tries: Posted[]
  /** What was answered with 2xx, in order. */
  readonly accepted: Posted[]
  /** The endpoint as the API shows it. */
  look(fields?: string): Promise<Readonly<Record<string, ReturnType<typeof JSON.parse>>>>
  failures(): Promise<readonly Readonly<Record<string, unknown>>[]>
}

/** Starts a receiver that answers as it is told, and adds it to the shop. Every signature is verified. */
export async function receive(
  shop: Shop,
  options: { reply?: (webhook: Posted, nth: number) => HttpReply; types?: string[]; as?: string } = {},
): Promise<Receiver> {
  const tries: Posted[] = []
  const accepted: Posted[] = []
  const provider = await httpProvider({
    reply(request) {
      const webhook = postedIn(request)
      tries.push(webhook)
      const reply = options.reply?.(webhook, tries.length) ?? {}
      if ((reply.status ?? 200) < 300 && !reply.drop) accepted.push(webhook)
      return reply
    },
  })
  onTestFinished(() => provider.close())
  const added = await shop.do(
    'addWebhookEndpoint',
    { url: `${provider.url}/hook`, ...(options.types && { types: options.types }) },
    { select: 'secret endpoint { id }', ...(options.as && { as: options.as }) },
  )
  const { secret, endpoint } = added
  const ask = async (fields: string) => {
    const query = `query ($id: ID!) { node(id: $id) { ... on WebhookEndpoint { ${fields} } } }`
    const { data, errors } = await shop.ask(shop.staff, query, { id: endpoint.id })
    expect(errors).toEqual([])
    return data.node
  }
  return {
    provider,
    secret,
    endpoint: endpoint.id,
    tries,
    accepted,
    look: (fields = 'state disabledReason attempt backlog lastFault lastStatus') => ask(fields),
    failures: async () =>
      (
        await ask(
          'failures { nodes { id kind event type events attempts lastFault lastStatus isReplaying } }',
        )
      ).failures.nodes,
  }
}

function postedIn(request: HttpRequest): Posted {
  const { type, data } = JSON.parse(request.text)
  return { id: request.headers.get('webhook-id') ?? '', type, data }
}

/** Whether the request's signature is good for the secret. */
export async function isSignedWith(secret: string, { headers, text }: HttpRequest): Promise<boolean> {
  return (await verifyWebhook({ headers, body: text }, { secrets: [secret] })).is === 'verified'
}

/** Waits until all that was announced is logged, nothing is left to send, and nothing waits for another try. */
export async function untilSent(shop: Shop, ...receivers: Receiver[]): Promise<void> {
  const { system } = shop.ground.app.db
  const waiting = () => system.query('select from outbox where tenant_id = $1 limit 1', [shop.tenant.id])
  await until(async () => (await waiting()).rowCount === 0)
  await until(async () => {
    const states = await Promise.all(receivers.map(({ look }) => look('backlog attempt')))
    return states.every(({ backlog, attempt }) => backlog === 0 && attempt === 0)
  })
}
