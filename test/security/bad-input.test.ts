// Bad input is refused by a name and a field, and leaves nothing behind.
import { expect, test } from 'vitest'
import { testApp } from '../support/app.ts'
import { fingerprint } from '../support/fingerprint.ts'

const openShop = testApp()

test('an unknown currency is refused by its field', async () => {
  const shop = await openShop({ testClock: '2026-01-01T00:00:00Z' })
  const { by } = await shop.member('yuki')
  const before = await fingerprint(shop.ground.databaseUrl)
  const bought = { member: by, orderId: 'o-1', purchasedAt: '2026-01-01T00:00:00Z', total: 100 }
  expect(await shop.do('recordPurchase', { ...bought, currency: 'XXQ' })).toMatchObject({ code: 'BAD_INPUT' })
  expect(await fingerprint(shop.ground.databaseUrl)).toEqual(before)
})
