import { defineChannel } from '@engawa/sdk'
import { z } from 'zod'

/** The most that one item holds, title and body together, in Unicode code points. */
const longest = 10_000

/**
 * The member's own inbox. The delivery row is the item, so there is nothing to send: the channel checks what is
 * said and accepts. A second attempt meets the same row, so duplicates collapse. Its address is the member's id.
 */
export default defineChannel({
  id: 'inbox',
  sdk: '^0.1',
  kind: 'inbox',
  capabilities: {
    idempotency: { mode: 'collapse', field: 'key' },
    receipts: ['accepted', 'seen'],
    limits: { chars: { max: longest, unit: 'codepoint' } },
    quota: 'none',
  },
  config: { schema: z.strictObject({}), version: 1, secrets: [], check: async () => ({ ok: true }) },
  address: {
    schema: z.uuid(),
    own: true,
    normalise: (member) => member.toLowerCase(),
    identity: (member) => member,
  },
  content: {
    schema: z.object({ title: z.string().trim().min(1), body: z.string().trim().min(1) }),
    prepare(item) {
      const size = [...item.title, ...item.body].length
      if (size <= longest) return { ok: true, prepared: item, size }
      const detail = `${size} of ${longest} characters`
      return { ok: false, fault: { cause: 'content', disposition: { do: 'never' }, detail } }
    },
  },
  send: async (ctx) => ({ is: 'accepted', at: ctx.clock.now() }),
})
