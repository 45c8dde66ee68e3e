import { type ChannelContext, type Fault, type Outcome, retryAfter, type SendContext } from '@engawa/sdk'
import { z } from 'zod'
import type { Sms, SmsProvider } from './provider.ts'
import { parse, statusCallback, verify } from './twilio-callbacks.ts'

const config = z.strictObject({
  accountSid: z.string().regex(/^AC[0-9a-f]{32}$/, 'must be AC and 32 hexadecimal digits'),
  authToken: z.string().min(1),
  /** While the token is being changed: what was signed with the old one still counts. */
  previousAuthToken: z.string().min(1).optional(),
  /** A number in E.164, a sender's name, or a messaging service (MG…). */
  from: z.string().regex(/^(\+[1-9]\d{6,14}|MG[0-9a-f]{32}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11})$/),
  /** This channel's callback as Twilio reaches it. Without one neither receipts nor replies arrive. */
  callbackUrl: z
    .url({ protocol: /^https$/ })
    .regex(/^[^?#]*$/, 'must have no query')
    .optional(),
  baseUrl: z.url({ protocol: /^https?$/ }).default('https://api.twilio.com'),
})
/** What a tenant saves for Twilio. */
export type TwilioConfig = z.infer<typeof config>

/** What Twilio's codes mean; what is not here goes by its HTTP status. */
const codes: Readonly<Record<number, Refusal>> = {
  20003: { cause: 'auth', do: 'hold' },
  20005: { cause: 'auth', do: 'hold' }, // the account is not active
  20404: { cause: 'config', do: 'hold' }, // no such account
  20429: { cause: 'rate', do: 'later' },
  21211: { cause: 'address', do: 'elsewhere', suppress: 'address' }, // no such number
  21212: { cause: 'config', do: 'hold' }, // from: no number
  21408: { cause: 'policy', do: 'elsewhere' }, // the account does not send to this country
  21602: { cause: 'content', do: 'never' }, // nothing is said
  21603: { cause: 'config', do: 'hold' }, // from: none
  21606: { cause: 'config', do: 'hold' }, // from: cannot send
  21608: { cause: 'policy', do: 'elsewhere' }, // a trial account and a number that is not proven
  21610: { cause: 'recipient', do: 'elsewhere', suppress: 'memberChannel' }, // has said STOP
  21611: { cause: 'rate', do: 'later' }, // the sender's queue is full
  21612: { cause: 'address', do: 'elsewhere' }, // not from this sender
  21614: { cause: 'address', do: 'elsewhere', suppress: 'address' }, // no mobile number
  21617: { cause: 'content', do: 'never' }, // too long
  21659: { cause: 'config', do: 'hold' }, // from: not the account's
  21703: { cause: 'config', do: 'hold' }, // the messaging service has no sender
  30002: { cause: 'auth', do: 'hold' }, // the account is suspended
  63038: { cause: 'quota', do: 'later' }, // the account's day is used up
}
const statuses: Readonly<Record<number, Refusal>> = {
  401: { cause: 'auth', do: 'hold' },
  403: { cause: 'auth', do: 'hold' },
  404: { cause: 'config', do: 'hold' },
  429: { cause: 'rate', do: 'later' },
}
const anyOther: Refusal = { cause: 'content', do: 'never' }

interface Refusal {
  readonly cause: Fault['cause']
  readonly do: 'never' | 'elsewhere' | 'hold' | 'later'
  readonly suppress?: 'address' | 'memberChannel'
}

/**
 * Twilio's HTTP API. It knows no key, so nothing keeps a second request from being a second message; but the receipt's
 * address carries the delivery's key, so a receipt tells of a request whose answer never came.
 */
export const twilio: SmsProvider<TwilioConfig, 'authToken' | 'previousAuthToken'> = {
  idempotency: { mode: 'none' },
  receipts: ['accepted', 'delivered', 'failed', 'bounced', 'replied', 'unsubscribed', 'resubscribed'],
  config: {
    schema: config,
    version: 1,
    secrets: ['authToken', 'previousAuthToken'],
    async check(ctx) {
      const response = await ctx.fetch(urlOf(ctx, '.json'), {
        headers: authorization(ctx),
        signal: ctx.signal,
      })
      const answer = await readAnswer(response)
      if (!response.ok) return { ok: false, fault: faultOf(answer, ctx.clock.now()) }
      if (answer.status !== 'active') {
        const detail = 'The account is not active.'
        return { ok: false, fault: { cause: 'auth', disposition: { do: 'hold' }, detail } }
      }
      if (ctx.config.callbackUrl) return { ok: true }
      return { ok: true, notes: ['Without callbackUrl neither receipts nor replies arrive.'] }
    },
  },
  async send(ctx, sms): Promise<Outcome> {
    const response = await ctx.fetch(urlOf(ctx, '/Messages.json'), {
      method: 'POST',
      headers: { ...authorization(ctx), 'content-type': 'application/x-www-form-urlencoded' },
      body: formOf(ctx, sms).toString(),
      signal: ctx.signal,
    })
    const answer = await readAnswer(response)
    if (response.ok) {
      return { is: 'accepted', at: ctx.clock.now(), ...(answer.sid && { providerId: answer.sid }) }
    }
    if (response.status >= 500) {
      return { is: 'unknown', evidence: 'server-error', detail: `Twilio answered ${response.status}` }
    }
    return { is: 'refused', fault: faultOf(answer, ctx.clock.now()) }
  },
  inbound: { path: 'callback', verify, parse },
}

/** The longest that Twilio keeps a message, in seconds. */
const longestWait = 36_000

function formOf({ config, key, clock }: SendContext<TwilioConfig>, sms: Sms): URLSearchParams {
  const form = new URLSearchParams({ To: sms.to, Body: sms.text })
  form.set(config.from.startsWith('MG') ? 'MessagingServiceSid' : 'From', config.from)
  if (config.callbackUrl) form.set('StatusCallback', statusCallback(config.callbackUrl, key))
  if (sms.expiresAt) {
    const left = Math.floor((sms.expiresAt.getTime() - clock.now().getTime()) / 1000)
    if (left < longestWait) form.set('ValidityPeriod', String(Math.max(1, left)))
  }
  return form
}

interface Answer {
  readonly http: number
  readonly headers: Headers
  readonly code: number | undefined
  readonly sid: string | undefined
  readonly status: unknown
}

const body = z.object({
  sid: z.string().optional(),
  code: z.number().optional(),
  status: z.unknown(),
})

async function readAnswer(response: Response): Promise<Answer> {
  const { data } = body.safeParse(await response.json().catch(() => undefined))
  return {
    http: response.status,
    headers: response.headers,
    code: data?.code,
    sid: data?.sid,
    status: data?.status,
  }
}

/** Why Twilio refused. Its own words are left out: they quote the number. */
function faultOf({ http, headers, code }: Answer, now: Date): Fault {
  const detail = `Twilio answered ${http}${code === undefined ? '' : `, code ${code}`}`
  const said = { code: String(code ?? http), detail }
  if (http >= 500) return { cause: 'provider', disposition: { do: 'later' }, ...said }
  const refusal = codes[code ?? 0] ?? statuses[http] ?? anyOther
  const suppress = refusal.suppress && { suppress: { scope: refusal.suppress } }
  if (refusal.do !== 'later')
    return { cause: refusal.cause, disposition: { do: refusal.do }, ...suppress, ...said }
  const notBefore = retryAfter(headers, now)
  return { cause: refusal.cause, disposition: { do: 'later', ...(notBefore && { notBefore }) }, ...said }
}

function urlOf({ config: { accountSid, baseUrl } }: ChannelContext<TwilioConfig>, path: string): string {
  return `${baseUrl.replace(/\/+$/, '')}/2010-04-01/Accounts/${accountSid}${path}`
}

function authorization({ config }: ChannelContext<TwilioConfig>): Record<string, string> {
  const credentials = Buffer.from(`${config.accountSid}:${config.authToken}`).toString('base64')
  return { authorization: `Basic ${credentials}` }
}
