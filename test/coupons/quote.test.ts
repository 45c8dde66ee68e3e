import { expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'
const name = { en: 'Spring', ja: '春' }
const QUOTE = `query ($input: QuotePurchaseInput!) { quotePurchase(input: $input) { total
  coupons { isUsable reason retryAfter coupon { key } }
  discounts { reason amount coupon { key } benefit { id } excludedByCoupon { key } } } }`

async function openShop() {
  const shop = await open({ testClock: NOW })
  const coupon = async (key: string, benefit: object, more: object = {}) => {
    await shop.do('defineCoupon', { key, coupon: { name, benefit, ...more } })
    await shop.do('addCouponWord', { coupon: key, word: `WORD${key.toUpperCase()}` })
    return `WORD${key.toUpperCase()}`
  }
  return { shop, mia: await shop.member('mia'), coupon }
}

async function quote(shop: Shop, token: string, coupons: string[], more: object = {}) {
  const input = { currency: 'JPY', lines: [{ sku: 'soap', amount: 2000 }], coupons, ...more }
  const { data, errors } = await shop.ask(token, QUOTE, { input })
  return errors[0] ?? data.quotePurchase
}

test('codes are stacked by the rules, those not usable say why, and nothing is taken', async () => {
  const { shop, mia, coupon } = await openShop()
  const tenth = await coupon('tenth', { percent: { basisPoints: 1000 } }, { limits: { total: 1 } })
  const money = await coupon('money', { money: { amount: 500, currency: 'JPY' } })
  const gone = await coupon('gone', { points: { amount: 1 } }, { window: { to: '2020-01-01T00:00:00Z' } })
  const told = await quote(shop, shop.staff, [tenth, gone, money], { member: mia.by })
  expect(told).toEqual({
    total: '1350',
    coupons: [
      { isUsable: true, reason: null, retryAfter: null, coupon: { key: 'tenth' } },
      { isUsable: false, reason: 'EXPIRED', retryAfter: null, coupon: null },
      { isUsable: true, reason: null, retryAfter: null, coupon: { key: 'money' } },
    ],
    discounts: [
      { reason: 'APPLIED', amount: '500', coupon: { key: 'money' }, benefit: null, excludedByCoupon: null },
      { reason: 'APPLIED', amount: '150', coupon: { key: 'tenth' }, benefit: null, excludedByCoupon: null },
    ],
  })
  expect(await quote(shop, shop.staff, [tenth, gone, money], { member: mia.by })).toEqual(told)
  await shop.do('redeemCoupon', { member: mia.by, code: tenth })
  expect((await quote(shop, shop.staff, [tenth], { member: mia.by, benefits: [] })).coupons).toMatchObject([
    { isUsable: false, reason: expect.stringMatching(/MEMBER_LIMIT|CODE_USED|STOCK_USED_UP/) },
  ])
})

test('wrong codes in quotes meet the limit of guessing, then a right one waits as well', async () => {
  const { shop, mia, coupon } = await openShop()
  const money = await coupon('money', { money: { amount: 500, currency: 'JPY' } })
  const wrong = Array.from({ length: 10 }, (_, i) => `NOTHING${i}`)
  const first = await quote(shop, mia.token, wrong)
  expect(first.coupons.map(({ reason }: { reason: string }) => reason)).toEqual(Array(10).fill('NOT_USABLE'))
  expect(await quote(shop, mia.token, [money])).toMatchObject({
    total: '2000',
    coupons: [{ isUsable: false, retryAfter: expect.any(Number) }],
  })
})

test('a coupon counts once and in its own currency, and a quote with codes needs the right to look at coupons', async () => {
  const { shop, mia, coupon } = await openShop()
  const yen = await coupon('yen', { money: { amount: 500, currency: 'JPY' } })
  const dollars = await coupon('dollars', { money: { amount: 5, currency: 'USD' } })
  const { total, discounts } = await quote(shop, mia.token, [yen, dollars, yen])
  expect(total).toBe('1500')
  expect(discounts).toMatchObject([
    { reason: 'APPLIED' },
    { reason: 'NO_EFFECT', coupon: { key: 'dollars' } },
  ])
  const till = await shop.token('integration', 'till', 'benefits:read')
  expect(await quote(shop, till, [yen], { member: mia.by })).toMatchObject({ code: 'FORBIDDEN' })
})

test('what an offer gave is taken off until the offer is used', async () => {
  const { shop, mia } = await openShop()
  const benefits = [{ money: { amount: 300, currency: 'JPY' } }]
  await shop.do('defineOffer', { key: 'rise', offer: { type: 'SINGLE_PURCHASE', threshold: 900, benefits } })
  const given = { member: mia.by, offer: 'rise' }
  const { receipt } = await shop.do('receiveOffer', given, { select: 'receipt { id }' })
  const bought = { member: mia.by, orderId: 'a', purchasedAt: NOW, currency: 'JPY', total: 900 }
  expect(await quote(shop, mia.token, [])).toMatchObject({ total: '2000' })
  await shop.do('recordPurchase', bought)
  expect(await quote(shop, mia.token, [])).toMatchObject({ total: '1700' })
  await shop.do('useOffer', { receipt: receipt.id })
  expect(await quote(shop, mia.token, [])).toMatchObject({ total: '2000', discounts: [] })
})
