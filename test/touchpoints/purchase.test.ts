import inbox from '@engawa/channel-inbox'
import { expect, test } from 'vitest'
import { recordPurchase } from '../../api/domains/purchases/index.ts'
import { deliverDue } from '../../api/domains/touchpoints/index.ts'
import { processClock } from '../../api/platform/clock.ts'
import { testDatabase } from '../support/database.ts'
import { channelsOf, openShop, type Shop } from './shop.ts'

const database = testDatabase()
const ports = {
  channels: await channelsOf({ inbox: async () => ({ default: inbox }) }),
  clock: processClock,
}

async function buy(shop: Shop, member: string, orderId: string): Promise<void> {
  const purchasedAt = new Date('2026-03-31T09:00:00Z')
  await recordPurchase(
    shop.tenant,
    { member: { id: member }, orderId, purchasedAt, currency: 'JPY', total: 3_200n },
    { key: `key of ${orderId}`, hash: Buffer.alloc(32), actor: 'test' },
  )
}

async function received(shop: Shop, member: string): Promise<string[]> {
  const { rows } = await shop.everything.query(
    `select content ->> 'body' as body from delivery where member_id = $1 and state = 'ACCEPTED' order by id`,
    [member],
  )
  return rows.map((row) => row.body)
}

test('a purchase is thanked for once, at once, even when it is told again', async () => {
  const shop = await openShop(database.url, { clockAt: new Date('2026-04-01T00:00:00Z') })
  const member = await shop.member()
  await buy(shop, member, 'A-1001')
  await buy(shop, member, 'A-1001')
  expect(await deliverDue(shop.db, shop.tenant.tenantId, ports)).toBe(1)
  expect(await received(shop, member)).toEqual([expect.stringContaining('注文番号 A-1001')])
  expect(await deliverDue(shop.db, shop.tenant.tenantId, ports)).toBe(0)
})

test('two purchases are thanked for twice', async () => {
  const shop = await openShop(database.url, { clockAt: new Date('2026-04-01T00:00:00Z') })
  const member = await shop.member({ locale: 'en' })
  await buy(shop, member, 'A-1')
  await buy(shop, member, 'A-2')
  await deliverDue(shop.db, shop.tenant.tenantId, ports)
  expect(await received(shop, member)).toEqual([
    expect.stringContaining('your order A-1.'),
    expect.stringContaining('your order A-2.'),
  ])
})
