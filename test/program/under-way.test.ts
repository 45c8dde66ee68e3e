// A new version of a program is for what begins with it; what is under way keeps the version that it began with.
import { expect, it } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'
const name = { en: 'Spring', ja: '春' }

/** A program in which so much bought earns a tier and completes an offer that gives so many points. */
const program = (threshold: number, points: number) => ({
  tierLadders: {
    rank: {
      ...{ measure: { spend: { currency: 'JPY' } }, window: { calendar: 'YEAR' }, falls: 'FULL' },
      tiers: [{ key: 'silver', name, threshold }],
    },
  },
  offers: {
    spend: {
      ...{ name, type: 'SPEND_TOTAL', threshold, currency: 'JPY', validFor: 'P60D', howGiven: 'RECEIVED' },
      benefits: [{ points: { amount: points } }],
    },
  },
})

async function publish(shop: Shop, sections: object): Promise<void> {
  const { document } = (await shop.ask(shop.staff, '{ program { document } }')).data.program
  const imported = { document: { ...document, ...sections, earnRules: {} } }
  expect(await shop.do('importProgram', imported)).toHaveProperty('program')
}

const receive = (shop: Shop, externalId: string, key: string) =>
  shop.do('receiveOffer', { member: { externalId }, offer: 'spend', key })
const buy = (shop: Shop, externalId: string, orderId: string, purchasedAt = NOW) =>
  shop.do('recordPurchase', {
    ...{ member: { externalId }, orderId, purchasedAt, currency: 'JPY', total: 1_000 },
  })

async function standing(shop: Shop, externalId: string) {
  const query = `query ($by: MemberBy!) { member(by: $by) { wallet { available }
    tier(ladder: "rank") { tier { key } } } }`
  const { data } = await shop.ask(shop.staff, query, { by: { externalId } })
  return [data.member.wallet?.available ?? '0', data.member.tier?.tier?.key ?? null]
}

it('an import leaves what is under way on its version: a receipt of an offer, and a tier', async () => {
  const shop = await open({ testClock: NOW })
  for (const each of ['mia', 'aki']) await shop.member(each)
  await publish(shop, program(1_000, 10))
  await buy(shop, 'mia', 'm-1', '2026-03-31T00:00:00Z')
  await receive(shop, 'mia', 'r-mia')
  expect(await standing(shop, 'mia')).toEqual(['0', 'silver'])
  await publish(shop, program(5_000, 99))
  await shop.clock('2026-04-02T00:00:00Z')
  await receive(shop, 'aki', 'r-aki')
  await buy(shop, 'mia', 'm-2')
  await buy(shop, 'aki', 'a-1')
  // The receipt was completed by the old threshold with the old benefit; the tier stays until its year is over.
  expect(await standing(shop, 'mia')).toEqual(['10', 'silver'])
  expect(await standing(shop, 'aki')).toEqual(['0', null])
  await shop.clock('2027-01-02T00:00:00Z')
  expect((await standing(shop, 'mia'))[1]).toBeNull()
})
