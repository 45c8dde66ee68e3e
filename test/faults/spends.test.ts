import { expect, it } from 'vitest'
import { testApp } from '../support/app.ts'

const open = testApp()

it('200 spends at once over HTTP, from a wallet that affords 10, are exactly 10', async () => {
  const shop = await open()
  const { by: member, token } = await shop.member('mia')
  await shop.do('grantPoints', { member, points: 60, reason: 'Welcome' })
  await shop.do('grantPoints', { member, points: 43, reason: 'Contest' })
  const select = 'transaction { id }'
  const spend = () =>
    shop.do('spendPoints', { member, points: 10, reason: 'Soap' }, { as: shop.integration, select })
  const answers = await Promise.all(Array.from({ length: 200 }, spend))

  const done = answers.filter(({ transaction }) => transaction)
  const refused = answers.filter(({ code }) => code === 'INSUFFICIENT_POINTS')
  expect(new Set(done.map(({ transaction }) => transaction.id)).size).toBe(10)
  expect([done.length, refused.length]).toEqual([10, 190])
  const { data } = await shop.ask(token, '{ viewer { member { wallet { available held debt } } } }')
  expect(data.viewer.member.wallet).toEqual({ available: '3', held: '0', debt: '0' })
  const check = await shop.ask(shop.staff, '{ ledgerCheck { differences { found } } }')
  expect(check.data.ledgerCheck).toEqual({ differences: [] })
  console.log(`200 spends at once: ${done.length} done, ${refused.length} refused`)
})
