import { defineChannel } from '@engawa/sdk'
import { z } from 'zod'

/** The most that one script holds, title and body together, in Unicode code points. */
const longest = 10_000

/** What is to be done, by whom, until when, and what it costs. */
const data = z.strictObject({
  kind: z.enum(['CALL', 'VISIT', 'LETTER']),
  /** Whoever is to do it, as the tenant names its staff. */
  assignee: z.string().trim().min(1).max(200).optional(),
  deadline: z.iso.datetime({ offset: true }).optional(),
  cost: z
    .strictObject({
      amount: z.string().regex(/^\d{1,12}(\.\d{1,4})?$/, 'must be a decimal amount in major units'),
      currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code'),
    })
    .optional(),
})

/**
 * A human touch: somebody calls, visits or writes. The delivery row is the task and its content the script, so there
 * is nothing to send: the channel checks what is to be done and accepts. A second attempt meets the same row, so
 * duplicates collapse. What came of it is what staff report: receipts.
 */
export default defineChannel({
  id: 'task',
  sdk: '^0.1',
  kind: 'task',
  capabilities: {
    idempotency: { mode: 'collapse', field: 'key' },
    receipts: ['accepted', 'delivered', 'failed', 'replied'],
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
    schema: z.object({ title: z.string().trim().min(1), body: z.string().trim().min(1), data }),
    prepare(task) {
      const size = [...task.title, ...task.body].length
      if (size <= longest) return { ok: true, prepared: task, size }
      const detail = `${size} of ${longest} characters`
      return { ok: false, fault: { cause: 'content', disposition: { do: 'never' }, detail } }
    },
  },
  send: async (ctx, { data: { cost } }) => ({ is: 'accepted', at: ctx.clock.now(), ...(cost && { cost }) }),
})
