import { type ChannelContext, type CheckResult, defineChannel, type Outcome, seconds } from '@engawa/sdk'
import { isWebhookSecret, signWebhook } from '@engawa/sdk/webhooks'
import { z } from 'zod'
import { outcomeOf } from './answers.ts'
import { bodyAt, content, longestBody, prepare } from './touch.ts'

const secret = z.string().refine(isWebhookSecret, 'must be whsec_ and 24 to 64 bytes as base64')

const config = z.strictObject({
  /** The tenant's own address. Plain http is for hosts that the operator allows. */
  url: z.url({ protocol: /^https?$/ }),
  secret,
  /** While the secret is being changed: it signs along. */
  previousSecret: secret.optional(),
})
type Config = z.infer<typeof config>

/**
 * A touch posted to an address of the tenant's, signed as Standard Webhooks 1.0, for whatever carries it on from there.
 * The webhook's id is the delivery's key on every attempt, so the receiver takes each once; it has to remember ids for
 * the four days of the capability. Its address is the member's own id.
 */
export default defineChannel({
  id: 'webhook',
  sdk: '^0.1',
  kind: 'webhook',
  capabilities: {
    idempotency: { mode: 'native', header: 'webhook-id', format: 'uuid', ttl: seconds(4 * 86_400) },
    receipts: ['accepted'],
    limits: { bytes: longestBody },
    quota: 'none',
  },
  config: { schema: config, version: 1, secrets: ['secret', 'previousSecret'], check },
  address: {
    schema: z.uuid(),
    own: true,
    normalise: (member) => member.toLowerCase(),
    identity: (member) => member,
  },
  content: { schema: content, prepare },
  async send(ctx, touch): Promise<Outcome> {
    const { url, secret, previousSecret } = ctx.config
    const timestamp = ctx.clock.now()
    const body = bodyAt(timestamp, touch)
    const secrets = previousSecret === undefined ? [secret] : [secret, previousSecret]
    const signed = await signWebhook({ id: ctx.key, timestamp, body, secrets })
    const headers = { ...signed, 'content-type': 'application/json' }
    const request = { method: 'POST', headers, body, redirect: 'manual', signal: ctx.signal } as const
    return outcomeOf(await ctx.fetch(url, request), ctx.clock.now())
  },
})

/** Opens a connection to the address, encrypted where it is, and sends nothing through it. */
async function check(ctx: ChannelContext<Config>): Promise<CheckResult> {
  const { hostname, port, protocol } = new URL(ctx.config.url)
  const tls = protocol === 'https:'
  try {
    const connection = await ctx.connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port ? Number(port) : tls ? 443 : 80,
      tls,
    })
    connection.destroy()
    return { ok: true, ...(!tls && { notes: ['Touches go to the address unencrypted.'] }) }
  } catch {
    const detail = 'The address cannot be reached, or is not one that may be.'
    return { ok: false, fault: { cause: 'network', disposition: { do: 'hold' }, detail } }
  }
}
