// What providers post, repeated, reordered, tampered with and late, through a running server: one effect each.
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { testApp } from '../support/app.ts'
import { onServer } from '../support/server.ts'
import type { Shop } from '../support/shop.ts'

const open = testApp({ role: 'web' })
const accountSid = `AC${'0123456789abcdef'.repeat(2)}`
const callbackUrl = 'https://api.shop.example/inbound/shop/sms/callback'
const members = 20

/** One thing that a provider tells, as one request; `isGood` is false when it was changed on the way. */
interface Post {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly isGood: boolean
}

async function openShop(
  channel: 'line' | 'sms',
  config: object,
  addressOf: (n: number) => string,
): Promise<Shop> {
  const shop = await open()
  await shop.do('configureChannel', { channel, config }, { select: 'channel { isConfigured }' })
  for (let n = 0; n < members; n++) {
    const { by } = await shop.member(`m-${n}`, { locale: 'ja' })
    await shop.do('addAddress', { member: by, channel, value: addressOf(n) })
    const consent = { purpose: 'offers', channel, textVersion: '1', source: 'form' }
    await shop.do('giveConsent', { ...consent, member: by })
  }
  return shop
}

/** Posts all of them, ten at a time, in an order that is nobody's, and gives the statuses. */
async function posted(shop: Shop, channel: string, posts: readonly Post[]): Promise<number[]> {
  const url = new URL(`/inbound/${shop.tenant.key}/${channel}/callback`, shop.url)
  const order = posts.map((_, n) => posts[(n * 37 + 11) % posts.length] as Post) // 37 and 100 share no factor
  const statuses: number[] = []
  for (let n = 0; n < order.length; n += 10) {
    const some = order.slice(n, n + 10).map(async ({ body, headers, isGood }) => {
      const { status } = await fetch(url, { method: 'POST', body, headers })
      expect(status).toBe(isGood ? 200 : 401)
      return status
    })
    statuses.push(...(await Promise.all(some)))
  }
  return statuses
}

/** What stands in the books of the tenant afterwards. */
async function effects(shop: Shop): Promise<Record<string, number>> {
  const { rows } = await onServer(shop.ground.databaseUrl, (client) =>
    client.query(
      `select 'signals' as what, count(*)::int as n from signal where tenant_id = $1
       union all select 'withdrawn', count(*)::int from consent_event where tenant_id = $1 and what = 'WITHDRAWN'
       union all select lower(reason), count(*)::int from suppression where tenant_id = $1 group by reason
       union all select type, count(*)::int from (
         select type from outbox where tenant_id = $1 union all select type from event_log where tenant_id = $1) e
         where type in ('signal.received', 'consent.changed', 'address.suppressed') group by type`,
      [shop.tenant.id],
    ),
  )
  return Object.fromEntries(rows.map(({ what, n }) => [what, n]))
}

/** Turns one bit of a signed body round. */
function tampered(post: Post, n: number): Post {
  const at = 20 + (n % 40)
  const changed = String.fromCharCode(post.body.charCodeAt(at) ^ 1)
  return { ...post, body: post.body.slice(0, at) + changed + post.body.slice(at + 1), isGood: false }
}

const userOf = (n: number) => `U${n.toString(16).padStart(32, '0')}`

function lineEvent(n: number, isRedelivery: boolean): object {
  const stop = { type: 'message', message: { type: 'text', id: `t-${n}`, text: '配信停止' } }
  return {
    ...(n % 2 === 0 ? stop : { type: 'unfollow' }),
    ...{ webhookEventId: `e-${n}`, timestamp: 1_775_001_600_000 + n, mode: 'active' },
    ...{ source: { type: 'user', userId: userOf(n) }, deliveryContext: { isRedelivery } },
  }
}

function linePost(...events: object[]): Post {
  const body = JSON.stringify({ destination: 'U0', events })
  const signature = createHmac('sha256', 'line-secret').update(body).digest('base64')
  return { body, headers: { 'x-line-signature': signature }, isGood: true }
}

test('a hundred callbacks of LINE tell twenty facts, and each has its effect once', async () => {
  const config = { channelAccessToken: 'line-token', channelSecret: 'line-secret' }
  const shop = await openShop('line', config, userOf)
  const posts = Array.from({ length: members }, (_, n) => {
    const [first, again] = [lineEvent(n, false), lineEvent(n, true)]
    const other = lineEvent((n + 7) % members, true)
    const once = linePost(first)
    return [once, once, linePost(again), linePost(other, again), tampered(once, n)]
  }).flat()
  const statuses = await posted(shop, 'line', posts)
  const found = await effects(shop)
  console.log(`LINE: ${statuses.length} callbacks, ${JSON.stringify(found)}`)
  expect(found).toEqual({
    ...{ signals: 20, 'signal.received': 20 },
    ...{ withdrawn: 10, blocked: 10, 'consent.changed': 30, 'address.suppressed': 10 },
  })
})

const numberOf = (n: number) => `+8190123450${String(n).padStart(2, '0')}`

function smsPost(n: number, token: string): Post {
  const stop = { SmsStatus: 'received', From: numberOf(n), To: '+815012345678', Body: '停止' }
  const gone = { MessageStatus: 'undelivered', ErrorCode: '30005', To: numberOf(n), From: '+815012345678' }
  const fields = { AccountSid: accountSid, MessageSid: `SM${n}`, ...(n % 2 === 0 ? stop : gone) }
  const sorted = Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const signature = createHmac('sha1', token)
    .update(callbackUrl + sorted.flat().join(''))
    .digest('base64')
  return {
    body: new URLSearchParams(fields).toString(),
    headers: { 'x-twilio-signature': signature, 'content-type': 'application/x-www-form-urlencoded' },
    isGood: true,
  }
}

test('a hundred callbacks about text messages tell twenty facts, and each has its effect once', async () => {
  const tokens = { authToken: 'twilio-newer', previousAuthToken: 'twilio-older' }
  const config = { ...tokens, accountSid, from: '+815012345678', callbackUrl }
  const shop = await openShop('sms', config, numberOf)
  const posts = Array.from({ length: members }, (_, n) => {
    const [newer, older] = [smsPost(n, 'twilio-newer'), smsPost(n, 'twilio-older')]
    return [newer, newer, older, older, tampered(newer, n)]
  }).flat()
  const statuses = await posted(shop, 'sms', posts)
  const found = await effects(shop)
  console.log(`Text messages: ${statuses.length} callbacks, ${JSON.stringify(found)}`)
  expect(found).toEqual({
    ...{ signals: 20, 'signal.received': 20 },
    ...{ withdrawn: 10, bounced: 10, 'consent.changed': 30, 'address.suppressed': 10 },
  })
})
