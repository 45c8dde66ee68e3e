import { defineChannel } from '@engawa/sdk'
import { addressSchema, identity, normalise } from './address.ts'
import { check } from './check.ts'
import { contentSchema, longest, prepare } from './compose.ts'
import { configSchema } from './config.ts'
import { parse } from './inbound/parse.ts'
import { verify } from './inbound/verify.ts'
import { send } from './send.ts'

/**
 * E-mail through a tenant's SMTP relay. SMTP has no idempotency: after an unknown outcome the message's own wish
 * decides. What comes back (delivery reports, complaints, answers) is handed in as raw messages, signed.
 */
export default defineChannel({
  id: 'email',
  sdk: '^0.1',
  kind: 'email',
  capabilities: {
    idempotency: { mode: 'none' },
    receipts: ['accepted', 'deferred', 'bounced', 'complained', 'unsubscribed', 'replied'],
    limits: { bytes: longest },
    quota: 'none',
  },
  config: {
    schema: configSchema,
    version: 1,
    secrets: ['password', 'inboundSecret', 'previousInboundSecret'],
    check,
  },
  address: { schema: addressSchema, normalise, identity },
  content: { schema: contentSchema, prepare },
  send,
  inbound: {
    path: '',
    verify: async (request, config) => verify(request, config),
    parse,
  },
})
