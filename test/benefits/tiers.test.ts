import { expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { define } from './house.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'

async function openShop(): Promise<Shop> {
  const shop = await open({ testClock: NOW })
  const tiers = [
    { key: 'silver', name: { en: 'Silver', ja: '銀' }, threshold: 1000 },
    { key: 'gold', name: { en: 'Gold', ja: '金' }, threshold: 5000 },
  ]
  const ladder = {
    tiers,
    measure: { spend: { currency: 'JPY' } },
    window: { calendar: 'YEAR' },
    falls: 'FULL',
  }
  await shop.do('defineTierLadder', { ladder })
  await define(shop, 'lounge', { tiers: ['gold'] })
  await define(shop, 'tea', { tiers: ['gold', 'silver'] })
  await define(shop, 'spa')
  return shop
}
const buy = (shop: Shop, member: object, total: number) =>
  shop.do('recordPurchase', { member, orderId: `${total}`, purchasedAt: NOW, currency: 'JPY', total })

const MEMBERSHIP = 'membership { tier { key benefits { key } } }'

test('a membership tells its tier, and a tier the entitlements that are listed under it', async () => {
  const shop = await openShop()
  const { by, token } = await shop.member('mia')
  const mine = async () => (await shop.ask(token, `{ viewer { ${MEMBERSHIP} } }`)).data.viewer.membership
  expect(await mine()).toEqual({ tier: null })
  await buy(shop, by, 1000)
  expect(await mine()).toEqual({ tier: { key: 'silver', benefits: [{ key: 'tea' }] } })
  await buy(shop, by, 4000)
  expect(await mine()).toEqual({ tier: { key: 'gold', benefits: [{ key: 'lounge' }, { key: 'tea' }] } })
  await shop.do('retireDefinition', { kind: 'entitlement', key: 'tea' })
  expect(await mine()).toEqual({ tier: { key: 'gold', benefits: [{ key: 'lounge' }] } })
})

test('the tiers of many memberships and what is listed under them are one statement each', async () => {
  const shop = await openShop()
  const { by } = await shop.member('first')
  await buy(shop, by, 1001)
  const query = `{ members(first: 50) { nodes { ${MEMBERSHIP} } } }`
  const one = (await shop.ask(shop.staff, query)).statements.length
  for (let i = 0; i < 10; i++) {
    const member = await shop.member(`m${i}`)
    await buy(shop, member.by, 2000 + i * 500)
  }
  const { data, statements } = await shop.ask(shop.staff, query)
  expect(data.members.nodes).toHaveLength(11)
  expect(statements).toHaveLength(one)
})
