import inbox from '@engawa/channel-inbox'
import { expect, test } from 'vitest'
import { deliver, markInboxRead } from '../../api/domains/touchpoints/index.ts'
import { processClock } from '../../api/platform/clock.ts'
import { testDatabase } from '../support/database.ts'
import { channelsOf, openShop, scripted } from './shop.ts'

const database = testDatabase()
const plugins = { inbox: async () => ({ default: inbox }) }
const ports = { channels: await channelsOf(plugins), clock: processClock }

test('a thank-you arrives in the inbox, written in Japanese for a member who reads Japanese', async () => {
  const shop = await openShop(database.url, { clockAt: new Date('2026-04-01T00:00:00Z') })
  const touchpoint = await shop.plan(await shop.member({ name: '佐藤 花子', locale: 'ja-JP' }), {
    order: 'A-1001',
  })
  expect(await deliver(shop.tenant, touchpoint, ports)).toBe('settled')
  expect(await shop.delivery(touchpoint)).toMatchObject({
    channel: 'inbox',
    state: 'ACCEPTED',
    accepted_at: new Date('2026-04-01T00:00:00Z'),
    read_at: null,
    content: {
      title: 'ご購入ありがとうございます',
      body: [
        '佐藤 花子 様',
        '',
        'このたびはお買い上げいただき、誠にありがとうございます。ご注文（注文番号 A-1001）を確かに承りました。',
        'ご使用にあたりご不明な点がございましたら、どうぞお気軽にお問い合わせください。',
        'これからも末永いお付き合いのほど、よろしくお願いいたします。',
      ].join('\n'),
    },
  })
  expect(await shop.touchpoint(touchpoint)).toMatchObject({
    state: 'ACCEPTED',
    settled_at: new Date('2026-04-01T00:00:00Z'),
  })
})

test('the same thank-you is in English for a member who reads English', async () => {
  const shop = await openShop(database.url)
  const touchpoint = await shop.plan(await shop.member({ name: 'Anna Bell', locale: 'en-GB' }), {
    order: 'A-2',
  })
  await deliver(shop.tenant, touchpoint, ports)
  expect((await shop.delivery(touchpoint)).content).toEqual({
    title: 'Thank you for your purchase',
    body: [
      'Dear Anna Bell,',
      '',
      'Thank you for your order A-2. We hope you will enjoy it for a long time.',
      'If anything is unclear or not quite right, please write to us. We are glad to help.',
    ].join('\n'),
  })
})

test('a language that no template has falls back to the tenant’s own', async () => {
  const shop = await openShop(database.url, { locale: 'ja' })
  const touchpoint = await shop.plan(await shop.member({ locale: 'fr' }))
  await deliver(shop.tenant, touchpoint, ports)
  expect(await shop.delivery(touchpoint)).toMatchObject({ content: { title: 'ご購入ありがとうございます' } })
})

test('the language is the one that the member reads at delivery', async () => {
  const shop = await openShop(database.url)
  const member = await shop.member({ locale: 'ja' })
  const touchpoint = await shop.plan(member)
  const text = `select member_update($1, null, '{"locale": "en"}') as outcome`
  await shop.tenant.query({ text, values: [member] })
  await deliver(shop.tenant, touchpoint, ports)
  expect(await shop.delivery(touchpoint)).toMatchObject({ content: { title: 'Thank you for your purchase' } })
})

test('twenty deliveries at once have one effect', async () => {
  const shop = await openShop(database.url)
  const { sent, plugins } = scripted({ mode: 'none' }, [{ is: 'accepted', at: new Date() }])
  const channels = await channelsOf(plugins)
  const touchpoint = await shop.plan(await shop.member(), { channel: 'scripted' })
  await Promise.all(
    Array.from({ length: 20 }, () => deliver(shop.tenant, touchpoint, { ...ports, channels })),
  )
  expect(sent).toHaveLength(1)
  expect(await shop.announced('touchpoint.settled', touchpoint)).toBe(1)
})

test('a member whose membership ended gets nothing, and the row says why', async () => {
  const shop = await openShop(database.url)
  const member = await shop.member()
  const touchpoint = await shop.plan(member)
  await shop.end(member)
  expect(await deliver(shop.tenant, touchpoint, ports)).toBe('settled')
  expect(await shop.touchpoint(touchpoint)).toMatchObject({
    state: 'NOT_SENT',
    not_sent_reason: 'MEMBERSHIP_ENDED',
  })
  expect(await shop.delivery(touchpoint)).toBeUndefined()
  expect(await shop.announced('touchpoint.settled', touchpoint)).toBe(1)
})

test('a membership that ends between reading and claiming still gets nothing', async () => {
  const shop = await openShop(database.url)
  const member = await shop.member()
  const touchpoint = await shop.plan(member)
  const channels = {
    // The last look before the claim.
    get: (id: string) => {
      ending ??= shop.end(member)
      return ports.channels.get(id)
    },
  }
  let ending: Promise<void> | undefined
  const slowTenant = {
    ...shop.tenant,
    query: async <Row>(statement: Parameters<typeof shop.tenant.query>[0]) => {
      await ending
      return shop.tenant.query<Row>(statement)
    },
  }
  expect(await deliver(slowTenant, touchpoint, { ...ports, channels })).toBe('settled')
  expect(await shop.touchpoint(touchpoint)).toMatchObject({
    state: 'NOT_SENT',
    not_sent_reason: 'MEMBERSHIP_ENDED',
  })
  expect(await shop.delivery(touchpoint)).toBeUndefined()
})

test('a channel that needs an address which nobody has given leaves the member unreachable', async () => {
  const shop = await openShop(database.url)
  const { sent, plugins } = scripted({ mode: 'none' }, [], undefined, { kind: 'pigeon', own: false })
  const member = await shop.member()
  await shop.agree(member, 'scripted', { kind: 'pigeon', purpose: 'thank-you' })
  const touchpoint = await shop.plan(member, { channel: 'scripted' })
  await deliver(shop.tenant, touchpoint, { ...ports, channels: await channelsOf(plugins) })
  expect(sent).toHaveLength(0)
  expect(await shop.touchpoint(touchpoint)).toMatchObject({
    state: 'NOT_SENT',
    not_sent_reason: 'UNREACHABLE',
  })
})

test('a channel that this deployment does not have holds the touch', async () => {
  const shop = await openShop(database.url, { clockAt: new Date('2026-04-01T00:00:00Z') })
  const touchpoint = await shop.plan(await shop.member(), { channel: 'gone' })
  expect(await deliver(shop.tenant, touchpoint, ports)).toBe('put_off')
  expect(await shop.touchpoint(touchpoint)).toMatchObject({
    state: 'PLANNED',
    due_at: new Date('2026-04-01T00:15:00Z'),
  })
  expect(await shop.decisions(touchpoint)).toEqual(['gone HELD CHANNEL_MISSING 1'])
})

test('a template that does not exist is not sent, and the row says why', async () => {
  const shop = await openShop(database.url)
  const touchpoint = await shop.plan(await shop.member(), {
    content: { template: 'no-such', parameters: {} },
  })
  await deliver(shop.tenant, touchpoint, ports)
  expect(await shop.touchpoint(touchpoint)).toMatchObject({ state: 'NOT_SENT', not_sent_reason: 'CONTENT' })
  expect(await shop.decisions(touchpoint)).toEqual(['inbox NOT_SENT CONTENT 1'])
})

test('content that the channel does not take is refused for good', async () => {
  const shop = await openShop(database.url)
  const fault = { cause: 'content', disposition: { do: 'never' }, detail: '5001 of 5000' } as const
  const { sent, plugins } = scripted({ mode: 'none' }, [], undefined, {
    prepare: () => ({ ok: false, fault }),
  })
  const touchpoint = await shop.plan(await shop.member(), { channel: 'scripted' })
  await deliver(shop.tenant, touchpoint, { ...ports, channels: await channelsOf(plugins) })
  expect(sent).toHaveLength(0)
  expect(await shop.touchpoint(touchpoint)).toMatchObject({ state: 'REFUSED' })
  expect(await shop.delivery(touchpoint)).toMatchObject({ outcome: { is: 'refused', fault } })
})

test('an item is read once, at its first reading, by its own member', async () => {
  const shop = await openShop(database.url, { clockAt: new Date('2026-04-01T00:00:00Z') })
  const [member, stranger] = [await shop.member(), await shop.member()]
  const touchpoint = await shop.plan(member)
  await deliver(shop.tenant, touchpoint, ports)
  const item = String((await shop.delivery(touchpoint)).id)
  await expect(markInboxRead(shop.tenant, item, stranger)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(await shop.delivery(touchpoint)).toMatchObject({ read_at: null })
  await markInboxRead(shop.tenant, item, member)
  await shop.everything.query(`update tenant set clock_at = '2026-04-02' where id = $1`, [
    shop.tenant.tenantId,
  ])
  await markInboxRead(shop.tenant, item, member)
  expect(await shop.delivery(touchpoint)).toMatchObject({ read_at: new Date('2026-04-01T00:00:00Z') })
})
