// What a back-test leaves out is counted; what was earned at a partner is told again.
import { beforeAll, expect, it } from 'vitest'
import { backTest } from '../../api/domains/insight/index.ts'
import { type Shop, testApp } from '../support/app.ts'
import { referralCode } from '../support/world.ts'

const open = testApp({ role: 'web' })
const name = { en: 'Spring', ja: '春' }

const documentOf = async (shop: Shop) =>
  (await shop.ask(shop.staff, '{ program { document } }')).data.program.document

const tested = async (shop: Shop) =>
  backTest(shop.ground.app.db.tenant(shop.tenant.id), {
    ...{ document: await documentOf(shop), days: 30, members: 10 },
  })

let shop: Shop
const [mia, aki] = [{ externalId: 'mia' }, { externalId: 'aki' }]
beforeAll(async () => {
  shop = await open({ testClock: '2026-01-01T00:00:00Z' })
  await shop.member('mia')
  await shop.member('aki')
})

it('what was bought at a partner is told again, and given back again in its parts', async () => {
  const partner = { name, earn: { minor: 300, points: 2, money: 'JPY' }, canBurn: true }
  const settlement = { money: 'JPY', issuedMicro: 0, burnedMicro: 0 }
  await shop.do('definePartner', { key: 'cafe', partner: { ...partner, settlement } })
  const at = { partner: 'cafe', reference: 'r-1' }
  await shop.do('earnAtPartner', { member: mia, ...at, currency: 'JPY', total: 9_999 })
  for (const amount of [100, 1_000, 77]) await shop.do('giveBackAtPartner', { ...at, amount, reason: 'Cold' })
  await shop.do('burnAtPartner', { member: mia, partner: 'cafe', reference: 'r-2', points: 20 })
  await shop.do('giveBackAtPartner', { partner: 'cafe', reference: 'r-2', amount: 5, reason: 'Cold' })
  await shop.clock('2026-01-02T00:00:00Z')
  const found = await tested(shop)
  expect(found).toMatchObject({ same: 2, refused: [], notTold: [] })
  expect(found.rules).toMatchObject([
    { rule: 'partner.cafe', granted: { draft: 66n, actual: 66n }, revoked: { draft: 7n, actual: 7n } },
  ])
  expect(found.currencies).toMatchObject([{ outstanding: { draft: 44n, actual: 44n } }])
})

it('counts by kind what is not told again', async () => {
  await shop.do('grantPoints', { member: mia, points: 1_000, reason: 'Gift' })
  await shop.do('transferPoints', { member: mia, to: aki, points: 10, reason: 'For you' })
  for (const points of [10, -5]) await shop.do('adjustPoints', { member: aki, points, reason: 'A mistake' })
  await shop.do('grantDelight', { member: aki, points: 3, reason: 'A smile' })
  await shop.do('holdPoints', { member: mia, points: 40, expiresIn: 'PT1H', reason: 'Cart' })
  const mug = { name, cost: { points: 1 }, goods: { sku: 'MUG' }, fulfilment: 'MANUAL' }
  await shop.do('defineReward', { key: 'mug', reward: { ...mug, reservation: { for: 'P1D' } } })
  await shop.do('redeemReward', { member: mia, reward: 'mug' })
  await shop.do('defineCoupon', { key: 'tea', coupon: { name, benefit: { points: { amount: 5 } } } })
  await shop.do('addCouponWord', { coupon: 'tea', word: 'SPRING' })
  await shop.do('redeemCoupon', { member: mia, code: 'SPRING' })
  const program = { name, benefits: { referrer: { points: { amount: 5 } } }, qualifying: { nthPurchase: 1 } }
  await shop.do('defineReferralProgram', { key: 'friends', program })
  await shop.do('claimReferral', { member: aki, code: await referralCode(shop, mia) })
  await shop.do('giveBenefit', { member: aki, benefit: { percent: { basisPoints: 500 } }, reason: 'Sorry' })
  await shop.clock('2026-01-02T01:00:00Z')
  const { notTold, rules, currencies } = await tested(shop)
  expect(notTold).toEqual([
    { kind: 'ADJUSTMENT', count: 2 },
    ...['BENEFIT', 'COUPON', 'DELIGHT', 'HOLD', 'REFERRAL', 'REWARD', 'TRANSFER'].map((kind) => ({
      kind,
      count: 1,
    })),
  ])
  expect(rules.map(({ rule }) => rule)).toEqual(['benefit', 'partner.cafe'])
  expect(currencies).toMatchObject([{ outstanding: { draft: 1_044n, actual: 1_057n } }])
})
