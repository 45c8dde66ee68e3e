import { defineChannel, type Message, type Schema } from '@engawa/sdk'
import { expect, test } from 'vitest'
import { Links } from '../../api/domains/consents/index.ts'
import { deliver } from '../../api/domains/touchpoints/index.ts'
import { processClock } from '../../api/platform/clock.ts'
import { testDatabase } from '../support/database.ts'
import { channelsOf, openShop } from './shop.ts'

const database = testDatabase()
const links = new Links({ secret: Buffer.alloc(32, 7), publicUrl: () => 'https://shop.example' })
const anything: Schema<unknown> = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) },
}

/** A mail channel that keeps what it was given. */
function postbox() {
  const posted: { content: unknown; address: unknown; message: Message }[] = []
  const channel = defineChannel({
    id: 'email',
    sdk: '^0.1',
    kind: 'email',
    capabilities: { idempotency: { mode: 'none' }, receipts: [], limits: {} },
    config: { schema: anything, version: 1, secrets: [], check: async () => ({ ok: true }) },
    address: { schema: anything, normalise: (address) => address, identity: String },
    content: {
      schema: anything,
      prepare(content, address, message) {
        posted.push({ content, address, message })
        return { ok: true, prepared: null, size: 0 }
      },
    },
    send: async ({ clock }) => ({ is: 'accepted', at: clock.now() }),
  })
  return { posted, plugins: { email: async () => ({ default: channel }) } }
}

async function openPost() {
  const shop = await openShop(database.url, { clockAt: new Date('2026-04-01T00:00:00Z') })
  const { posted, plugins } = postbox()
  const ports = { channels: await channelsOf(plugins), clock: processClock, links }
  const member = await shop.member({ locale: 'en' })
  const addresses = [
    await shop.address(member, 'email', 'hana@example.com'),
    await shop.address(member, 'email', 'sato@example.com'),
  ]
  const run = (touchpoint: string) => deliver(shop.tenant, touchpoint, ports)
  return { shop, posted, member, addresses, run }
}

test('what is advertised can be stopped by a link of its own; what serves has none', async () => {
  const { shop, posted, member, run } = await openPost()
  for (const purpose of ['offers', 'service']) {
    await shop.agree(member, 'email', { purpose })
    const options = { expires_at: '2026-04-05T00:00:00Z' }
    await run(await shop.plan(member, { channels: ['email'], purpose, options }))
  }
  const [offer, , service] = posted.map(({ message }) => message)
  const token = String(offer?.unsubscribeUrl).replace('https://shop.example/unsubscribe/', '')
  expect(links.subscriptionOf(token)).toEqual({
    tenant: shop.tenant.tenantId,
    member,
    purpose: 'offers',
    channel: 'email',
  })
  expect(service?.unsubscribeUrl).toBeUndefined()
  expect(offer?.expiresAt).toEqual(new Date('2026-04-05T00:00:00Z'))
})

test('a question to confirm an address is planned with it, goes to that address alone, and has its link', async () => {
  const { shop, posted, member, addresses, run } = await openPost()
  await shop.everything.query(
    `begin; select set_config('app.tenant', '${shop.tenant.tenantId}', true);
     select confirmation_ask('${member}', null, '${addresses[1]}', 'email'); commit`,
  )
  const [touch] = (await shop.everything.query('select * from touchpoint where member_id = $1', [member]))
    .rows
  expect(touch).toMatchObject({
    purpose: 'consent-confirmation',
    class: 'SERVICE',
    source_type: 'confirmation',
    expires_at: new Date('2026-04-08T00:00:00Z'),
  })
  expect(await run(touch.id)).toBe('settled')
  expect(posted).toHaveLength(1)
  expect(posted[0]).toMatchObject({
    address: 'sato@example.com',
    content: { title: 'Please confirm your address' },
  })
  const body = String(Reflect.get(Object(posted[0]?.content), 'body'))
  const token = /https:\/\/shop\.example\/confirm\/(\S+)/.exec(body)?.[1] ?? ''
  expect(links.questionOf(token)).toEqual({
    tenant: shop.tenant.tenantId,
    confirmation: touch.source_id,
  })
  // The link is for the member: what was planned does not have it.
  expect(JSON.stringify(touch.content)).not.toContain(token)
})

test('a question about a consent that is agreed to twice is planned likewise', async () => {
  const { shop, posted, member, run } = await openPost()
  await shop.agree(member, 'email', { purpose: 'newsletter' })
  const [touch] = (await shop.everything.query('select id from touchpoint where member_id = $1', [member]))
    .rows
  expect(await run(touch.id)).toBe('settled')
  expect(posted.map(({ address }) => address)).toEqual(['hana@example.com', 'sato@example.com'])
  expect(posted[0]).toMatchObject({ content: { title: 'Please confirm your subscription' } })
})
