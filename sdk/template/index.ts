import { defineChannel, type Outcome, retryAfter, seconds } from '@engawa/sdk'
import { z } from 'zod'

export default defineChannel({
  id: 'acme',
  sdk: '^0.1',
  kind: 'acme',
  capabilities: {
    idempotency: { mode: 'native', header: 'idempotency-key', format: 'uuid', ttl: seconds(86_400) },
    receipts: ['accepted'],
    limits: { bytes: 4_000 },
  },
  config: {
    schema: z.strictObject({ url: z.url(), token: z.string().min(8) }),
    version: 1,
    secrets: ['token'],
    check: async () => ({ ok: true }),
  },
  address: { schema: z.string().min(6), normalise: (device) => device.trim(), identity: (device) => device },
  content: {
    schema: z.object({ title: z.string(), body: z.string() }),
    prepare(content, device) {
      const prepared = JSON.stringify({ to: device, ...content })
      const size = new TextEncoder().encode(prepared).length
      if (size <= 4_000) return { ok: true, prepared, size }
      return { ok: false, fault: { cause: 'content', disposition: { do: 'never' } } }
    },
  },
  async send(ctx, body): Promise<Outcome> {
    const headers = { authorization: `Bearer ${ctx.config.token}`, 'idempotency-key': ctx.key }
    const response = await ctx.fetch(ctx.config.url, { method: 'POST', headers, body, signal: ctx.signal })
    if (response.ok) return { is: 'accepted', at: ctx.clock.now() }
    if (response.status >= 500) return { is: 'unknown', evidence: 'server-error' }
    if (response.status === 401)
      return { is: 'refused', fault: { cause: 'auth', disposition: { do: 'hold' } } }
    if (response.status !== 429)
      return { is: 'refused', fault: { cause: 'content', disposition: { do: 'never' } } }
    const notBefore = retryAfter(response.headers, ctx.clock.now())
    return { is: 'refused', fault: { cause: 'rate', disposition: { do: 'later', notBefore } } }
  },
})
