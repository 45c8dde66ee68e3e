import { type ChannelContext, defineChannel, type Outcome, type SendContext, seconds } from '@engawa/sdk'
import { z } from 'zod'
import { type Answer, faultOf, nextMonthInJapan, outcomeOf, readAnswer } from './answers.ts'
import { type Config, config } from './config.ts'
import { content, longestText, mostMessages, prepare } from './content.ts'
import { parse, verify } from './inbound.ts'

/**
 * LINE, through its Messaging API. A push carries the delivery's key as its retry key from the first request on, so
 * that LINE itself takes it once. A member who has just written is answered by a reply, which costs nothing of the
 * monthly budget.
 *
 * A reply takes no retry key; its single-use token is all that guards it. So only a first attempt replies, and when
 * nobody knows what became of a reply, no key keeps a push from saying it twice: whoever hands out the token must
 * not repeat that attempt (`exclusiveReplyToken`). A reply that LINE refuses for its token was not sent, and is
 * pushed in the same attempt.
 */
export default defineChannel({
  id: 'line',
  sdk: '^0.1',
  kind: 'line',
  capabilities: {
    idempotency: { mode: 'native', header: 'X-Line-Retry-Key', format: 'uuid', ttl: seconds(86_400) },
    receipts: ['accepted', 'clicked', 'replied', 'unsubscribed', 'resubscribed', 'blocked', 'unblocked'],
    limits: { chars: { max: longestText, unit: 'utf16' }, parts: mostMessages },
    exclusiveReplyToken: { ttl: seconds(50) },
    quota: 'introspectable',
  },
  config: {
    schema: config,
    version: 1,
    secrets: ['channelAccessToken', 'channelSecret', 'previousChannelSecret'],
    async check(ctx) {
      const answer = await readAnswer(await ask(ctx, '/v2/bot/info'))
      return answer.status === 200 ? { ok: true } : { ok: false, fault: faultOf(answer, ctx.clock.now()) }
    },
  },
  address: {
    schema: z.string().regex(/^U[0-9a-f]{32}$/, 'must be a LINE user id: U and 32 hexadecimal digits'),
    normalise: (user) => user,
    identity: (user) => user,
  },
  content: { schema: content, prepare },
  async send(ctx, { to, messages }): Promise<Outcome> {
    const { replyToken } = ctx
    if (replyToken !== undefined && ctx.attempt === 1) {
      const answer = await post(ctx, { path: '/v2/bot/message/reply', body: { replyToken, messages } })
      if (!isDeadToken(answer)) return outcomeOf(answer, ctx.clock.now())
    }
    const headers = { 'x-line-retry-key': ctx.key }
    const answer = await post(ctx, { path: '/v2/bot/message/push', body: { to, messages }, headers })
    return outcomeOf(answer, ctx.clock.now())
  },
  inbound: { path: 'callback', verify, parse },
  async quota(ctx) {
    const limit = quotaAnswer.parse(await (await ask(ctx, '/v2/bot/message/quota')).json())
    const { totalUsage: used } = usageAnswer.parse(
      await (await ask(ctx, '/v2/bot/message/quota/consumption')).json(),
    )
    if (limit.type === 'none') return { limit: 'unlimited', used }
    return { limit: limit.value, used, resetsAt: nextMonthInJapan(ctx.clock.now()) }
  },
})

const quotaAnswer = z.discriminatedUnion('type', [
  z.object({ type: z.literal('none') }),
  z.object({ type: z.literal('limited'), value: z.number().int().nonnegative() }),
])
const usageAnswer = z.object({ totalUsage: z.number().int().nonnegative() })

function isDeadToken({ status, message }: Answer): boolean {
  return status === 400 && /^Invalid reply token/i.test(message)
}

function ask(ctx: ChannelContext<Config>, path: string): Promise<Response> {
  return ctx.fetch(urlOf(ctx, path), { headers: authorization(ctx), signal: ctx.signal })
}

interface Post {
  readonly path: string
  readonly body: object
  readonly headers?: Readonly<Record<string, string>>
}

async function post(ctx: SendContext<Config>, { path, body, headers }: Post): Promise<Answer> {
  const response = await ctx.fetch(urlOf(ctx, path), {
    method: 'POST',
    headers: { ...authorization(ctx), 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: ctx.signal,
  })
  return readAnswer(response)
}

function urlOf({ config: { baseUrl } }: ChannelContext<Config>, path: string): string {
  return baseUrl.replace(/\/+$/, '') + path
}

function authorization({ config: { channelAccessToken } }: ChannelContext<Config>): Record<string, string> {
  return { authorization: `Bearer ${channelAccessToken}` }
}
