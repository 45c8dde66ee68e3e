import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Outcome, SendContext, Signal, VerifiedRequest } from '@engawa/sdk'
import { channelConformance } from '@engawa/sdk/conformance'
import { expect, test } from 'vitest'
import { z } from 'zod'
import {
  type Acme,
  acme,
  type Config,
  input,
  json,
  outcomeOf,
  type Prepared,
  post,
  prepared,
  sound,
  verdictOn,
} from './acme.ts'

type Part<Name extends keyof Acme> = NonNullable<Acme[Name]>
type Ctx = SendContext<Config>

/** The numbers of the laws that a channel breaks, and what is said of the first. */
async function broken(parts: Partial<Acme>): Promise<{ laws: number[]; said: string }> {
  const laws = channelConformance(acme(parts), input)
  const errors: { law: number; message: string }[] = []
  for (const { run, number } of laws) {
    await run().catch(({ message }: Error) => errors.push({ law: number, message }))
  }
  return { laws: errors.map(({ law }) => law), said: errors[0]?.message ?? 'nothing' }
}

const inbound = (parts: Partial<Part<'inbound'>>): Partial<Acme> => ({
  inbound: { ...(sound.inbound as Part<'inbound'>), ...parts }, // the sound one has it
})
const config = (parts: Partial<Part<'config'>>): Partial<Acme> => ({ config: { ...sound.config, ...parts } })
const sending = (send: (ctx: Ctx, message: Prepared) => Promise<Outcome>): Partial<Acme> => ({ send })
const preparing = (prepare: Acme['content']['prepare']): Partial<Acme> => ({
  content: { ...sound.content, prepare },
})
const parsing = (change: (signal: Signal, request: VerifiedRequest) => Signal): Partial<Acme> =>
  inbound({
    parse: (request, own) => (sound.inbound?.parse(request, own) ?? []).map((one) => change(one, request)),
  })

let firstToken: string | undefined

/** For each law, what breaks it and nothing else. */
const cases: readonly (readonly [law: number, how: string, parts: Partial<Acme>, said: RegExp])[] = [
  [
    1,
    'says the wrong path',
    config({
      schema: z
        .strictObject({
          url: z.string(),
          token: z.string(),
          secret: z.string(),
          previousSecret: z.string().optional(),
        })
        .superRefine(({ url }, issues) => {
          if (!URL.canParse(url))
            issues.addIssue({ code: 'custom', path: ['address'], message: 'must be one' })
        }),
    }),
    /expected: config\.schema refuses this value at "url"\n {2}seen: {5}issues at "address"/,
  ],
  [
    1,
    'logs its token',
    sending(async (ctx, message) => {
      ctx.log('sending', { headers: { authorization: `Bearer ${ctx.config.token}` } })
      return sound.send(ctx, message)
    }),
    /seen: {5}a secret in the log/,
  ],
  [
    1,
    'tells a secret in a detail, encoded',
    sending(async (ctx, message) => {
      const outcome = await sound.send(ctx, message)
      if (outcome.is !== 'refused') return outcome
      return { ...outcome, fault: { ...outcome.fault, detail: btoa(`acme:${ctx.config.token}`) } }
    }),
    /seen: {5}a secret in the outcome/,
  ],
  [
    2,
    'checks by sending',
    config({
      async check(ctx) {
        const send = { ...ctx, key: '', attempt: 1 } as unknown as Ctx // a check has neither
        return { ok: (await post(send, { to: 'acme-0', text: 'test' })).ok } as { ok: true }
      },
    }),
    /expected: no sending request, when the configuration is good\n {2}seen: {5}1 at the provider/,
  ],
  [
    3,
    'counts UTF-16 units for code points',
    preparing(({ body }, to) => prepared(body.length, { to, text: body })),
    /expected: the longest text taken has 100 codepoint[\s\S]*seen: {5}50 × "𠮷"|one more "𠮷" makes the size 1 larger/,
  ],
  [
    3,
    'allows one too many',
    preparing(({ body }, to) => ({ ...prepared([...body].length - 1, { to, text: body }) })),
    /101 × "a" is over 100 codepoint[\s\S]*seen: {5}taken, with size 100/,
  ],
  [
    3,
    'looks at the clock',
    preparing(({ body }, to, message) => {
      const prefix = Date.now() > 0 ? '' : 'early'
      return sound.content.prepare({ title: '', body: prefix + body }, to, message)
    }),
    /seen: {5}it uses Date\.now/,
  ],
  [
    4,
    'takes a lost connection for a refusal',
    sending(async (ctx, message) =>
      sound.send(ctx, message).catch(() => ({
        is: 'refused',
        fault: { cause: 'network', disposition: { do: 'later' } },
      })),
    ),
    /expected: unknown, when the connection is so: dropped before the headers of the answer\n {2}seen: {5}refused \(network, later\)/,
  ],
  [
    5,
    'reads Retry-After in seconds only',
    sending(async (ctx, message) => {
      const response = await post(ctx, message)
      const wait = response.headers.get('retry-after')
      if (wait === null || /^\d+$/.test(wait)) return outcomeOf(response, ctx)
      return { is: 'refused', fault: { cause: 'rate', disposition: { do: 'later' } } }
    }),
    /expected: refused \(later not before [\d:.TZ-]+\), for \{"status":429\}, Retry-After as a date/,
  ],
  [
    5,
    'takes every 4xx for temporary',
    sending(async (ctx, message) => {
      const response = await post(ctx, message)
      const isKnown = response.status < 400 || [401, 410, 429, 503].includes(response.status)
      if (isKnown || response.status >= 500) return outcomeOf(response, ctx)
      return { is: 'refused', fault: { cause: 'provider', disposition: { do: 'later' } } }
    }),
    /expected: refused \(never\), for status 418, not declared\n {2}seen: {5}refused \(provider, later/,
  ],
  [
    6,
    'makes its own key, of the text alone',
    sending(async (ctx, message) => {
      const key = createHash('sha256').update(message.text).digest('hex')
      return outcomeOf(await post(ctx, message, { 'idempotency-key': key }), ctx)
    }),
    /expected: two effects of two keys\n {2}seen: {5}1 effects/,
  ],
  [
    7,
    'tries again by itself, with another key',
    sending(async (ctx, message) => {
      const again = () => {
        ctx.signal.throwIfAborted()
        return post(ctx, message, { 'idempotency-key': `${ctx.key}-again` })
      }
      return outcomeOf(await post(ctx, message).catch(again), ctx)
    }),
    /expected: one effect of one call of send\n {2}seen: {5}3 effects of 2 deliveries/,
  ],
  [
    8,
    'keeps the first token that it saw',
    sending(async (ctx, message) => {
      firstToken ??= ctx.config.token
      const headers = { authorization: `Bearer ${firstToken}` }
      return outcomeOf(await post(ctx, message, headers), ctx)
    }),
    /expected: nothing of another tenant in a message\n {2}seen: {5}tenant 1 got what is of tenant 0/,
  ],
  [
    9,
    'waits without looking at the signal',
    sending(async (ctx, message) => {
      try {
        return await sound.send(ctx, message)
      } catch (error) {
        await delay(400)
        throw error
      }
    }),
    /expected: send ends within 100 ms of the abort\n {2}seen: {5}it goes on/,
  ],
  [
    10,
    'signs the JSON instead of the bytes',
    inbound({
      verify: async (request, { secret, previousSecret }) =>
        verdictOn(request, [secret, previousSecret], JSON.stringify(json(request)) ?? ''),
    }),
    /expected: a body that was written anew is rejected\n {2}seen: {5}verified/,
  ],
  [
    10,
    'forgets the old secret at once',
    inbound({ verify: async (request, { secret }) => verdictOn(request, [secret], request.body) }),
    /expected: while the secret is changed, what is signed with the old one is verified\n {2}seen: {5}rejected, signature/,
  ],
  [
    11,
    'takes the message’s id for that of the event',
    parsing((signal) => ({ ...signal, dedupeKey: signal.about.providerId ?? '' })),
    /seen: {5}2 signals, 1 different keys/,
  ],
  [
    11,
    'takes the time of arrival',
    parsing((signal, request) => ({ ...signal, occurredAt: request.receivedAt })),
    /expected: occurredAt is the provider’s time/,
  ],
  [
    12,
    'searches for the word',
    parsing((signal) => {
      const isStop = /stop|停止/i.test(signal.reply?.text ?? '')
      return isStop ? { ...signal, reply: { ...signal.reply, intent: 'stop' } } : signal
    }),
    /expected: the answer "Please don't STOP writing to me" asks for nothing/,
  ],
  [
    13,
    'asks a server of its own on the side',
    sending(async (ctx, message) => {
      fetch(`${ctx.config.url}/ping`).catch(() => undefined)
      return sound.send(ctx, message)
    }),
    /expected: nothing is reached past ctx\n {2}seen: {5}a connection over TCP/,
  ],
  [
    14,
    'logs to whom it sends',
    sending(async (ctx, message) => {
      ctx.log(`sending to ${message.to}`)
      return sound.send(ctx, message)
    }),
    /expected: no address in logs, errors and details\n {2}seen: {5}the address in the log/,
  ],
]

test('there is something broken for each law', () => {
  expect([...new Set(cases.map(([law]) => law))]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14])
})

test.each(cases)('law %i, and no other, is broken by what %s', async (law, _how, parts, said) => {
  const found = await broken(parts)
  expect(found.laws).toEqual([law])
  expect(found.said).toMatch(new RegExp(`^Law ${law} is broken: `))
  expect(found.said).toMatch(said)
  expect(found.said).toMatch(/\n {2}change: {3}\S/)
})
