import { type ChannelDefinition, defineChannel, type Message, type Preparation } from '@engawa/sdk'
import { z } from 'zod'
import { type Country, e164 } from './phone.ts'
import type { Sms, SmsProvider } from './provider.ts'
import { segmentsOf } from './segments.ts'
import { twilio } from './twilio.ts'

export type { Country } from './phone.ts'
export type { Sms, SmsProvider } from './provider.ts'

/** The most parts of one message; each one costs. */
const mostSegments = 10

const content = z.object({ body: z.string().trim().min(1), url: z.url().optional() })
type SmsContent = z.infer<typeof content>

/**
 * A channel for text messages out of a provider. Numbers are international (`+819012345678`). Those written as at home
 * (`090-1234-5678`) are read when the deployment says where home is, and refused when it does not:
 *
 * ```ts
 * '@engawa/channel-sms': async () => ({ default: smsChannel(twilio, { home: 'JP' }) }),
 * ```
 *
 * The title of a touch is not sent. What can be stopped says how: the address to stop it at ends the text.
 */
export function smsChannel<Config, Secrets extends keyof Config>(
  provider: SmsProvider<Config, Secrets>,
  { home }: { readonly home?: Country } = {},
): ChannelDefinition<Config, Secrets, string, SmsContent, Sms> {
  const must = home
    ? 'must be a telephone number'
    : 'must be an international telephone number such as +819012345678'
  return defineChannel({
    id: 'sms',
    sdk: '^0.1',
    kind: 'sms',
    capabilities: {
      idempotency: provider.idempotency,
      receipts: provider.receipts,
      limits: { parts: mostSegments },
      quota: 'none',
    },
    config: provider.config,
    address: {
      schema: z.string().refine((text) => e164(text, home) !== undefined, must),
      normalise: (text) => e164(text, home) ?? text,
      identity: (number) => number,
    },
    content: { schema: content, prepare },
    send: (ctx, sms) => provider.send(ctx, sms),
    ...(provider.inbound && { inbound: provider.inbound }),
  })
}

export { twilio }

export default smsChannel(twilio)

function prepare(
  said: SmsContent,
  to: string,
  { expiresAt, locale, unsubscribeUrl }: Message,
): Preparation<Sms> {
  const stop = unsubscribeUrl && `${locale.startsWith('ja') ? '配信停止' : 'Stop'} ${unsubscribeUrl}`
  const text = [said.body, isIn(said.url, said.body) ? '' : said.url, stop].filter(Boolean).join('\n')
  const { count } = segmentsOf(text)
  if (count > mostSegments) {
    const detail = `${count} of ${mostSegments} parts`
    return { ok: false, fault: { cause: 'content', disposition: { do: 'never' }, detail } }
  }
  return { ok: true, prepared: { to, text, ...(expiresAt && { expiresAt }) }, size: count }
}

function isIn(url: string | undefined, body: string): boolean {
  return url !== undefined && body.includes(url)
}
