import { defineChannel, type Outcome } from '@engawa/sdk'
import { outcomeOf } from './answers.ts'
import { config, isPair } from './keys.ts'
import { content, longestPayload, prepare } from './notification.ts'
import { requestOf } from './request.ts'
import { normalise, subscription } from './subscription.ts'

/**
 * Web push: one message to one browser, encrypted for it alone. The key of the delivery is the Topic and the tag, so a
 * second message replaces the first, at the push service while it waits there and on the screen afterwards. Push
 * services report nothing back but that a subscription is gone.
 */
export default defineChannel({
  id: 'web-push',
  sdk: '^0.1',
  kind: 'web-push',
  capabilities: {
    idempotency: { mode: 'collapse', field: 'Topic' },
    receipts: ['accepted', 'addressGone'],
    limits: { bytes: longestPayload },
    quota: 'none',
  },
  config: {
    schema: config,
    version: 1,
    secrets: ['privateKey'],
    async check(ctx) {
      if (isPair(ctx.config)) return { ok: true }
      const detail = 'publicKey is not the public half of privateKey.'
      return { ok: false, fault: { cause: 'config', disposition: { do: 'hold' }, detail } }
    },
  },
  address: {
    schema: subscription,
    normalise,
    identity: ({ endpoint }) => endpoint,
  },
  content: { schema: content, prepare },
  async send(ctx, notification): Promise<Outcome> {
    const { endpoint, ...request } = requestOf(notification, ctx.config, ctx.clock.now())
    const response = await ctx.fetch(endpoint, { ...request, method: 'POST', signal: ctx.signal })
    return outcomeOf(response, ctx.clock.now())
  },
})
