// What is told again besides purchases, what of it a draft would have refused, and what is left out and counted.
import { beforeAll, expect, it } from 'vitest'
import { backTest } from '../../api/domains/insight/index.ts'
import { type Shop, testApp } from '../support/app.ts'
import { documentOf, lived, type Step } from '../support/lived.ts'
import { RICH } from '../support/rich-program.ts'
import { referralCode } from '../support/world.ts'

const open = testApp({ role: 'web' })
const name = { en: 'Spring', ja: '春' }

const tested = async (shop: Shop) =>
  backTest(tenantOf(shop), { document: await documentOf(shop), days: 30, members: 10 })

const tenantOf = (shop: Shop) => shop.ground.app.db.tenant(shop.tenant.id)

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

type Document = Awaited<ReturnType<typeof documentOf>>

const step = (what: Step['what'], amount = 1, who = 0): Step => ({ after: 1, what, who, amount })

/** One of each: held, captured and let go, moved to another, adjusted, approved, redeemed, called off. */
const EACH: readonly Step[] = [
  ...[step('buy', 30_000), step('hold', 20), step('resolve', 1), step('hold', 30), step('resolve', 3)],
  ...[step('transfer', 25), step('adjust', 9), step('adjust', 150), step('decide', 1), step('delight', 7)],
  ...[step('redeem', 6), step('settle', 1), step('redeem', 3), step('settle', 2), step('redeem', 2)],
  ...[step('spend', 10), step('unspend', 5), step('coupon', 1), step('coupon', 2), step('release', 1)],
]

const refusedBy = async (shop: Shop, change: (document: Document) => object) => {
  const document = change(await documentOf(shop))
  const { refused } = await backTest(tenantOf(shop), { document, days: 60, members: 10 })
  return refused.map(({ kind, why, count }) => `${kind} ${why} ${count}`).sort()
}

it('what was held, moved, adjusted, redeemed and used is told again, or refused by the draft', async () => {
  const shop = await lived(open, EACH, RICH)
  const document = await documentOf(shop)
  const found = await backTest(tenantOf(shop), { document, days: 60, members: 10 })
  expect(found).toMatchObject({ same: 3, refused: [], notTold: [] })
  expect(found.currencies).toMatchObject([{ outstanding: { draft: 684n, actual: 684n } }])
  const adjustment = { approvalAbove: '5', dailyPerOperator: '20' }
  const operations = { operations: { adjustment, delight: { monthlyPerOperator: '1' } } }
  const without = { rewards: {}, coupons: {}, campaigns: {}, operations }
  expect(await refusedBy(shop, (live) => ({ ...live, ...without }))).toEqual([
    'adjust APPROVAL_NEEDED 1',
    'adjust OPERATOR_LIMIT_REACHED 2',
    'cancel NOT_FOUND 1',
    'coupon NOT_FOUND 2',
    'decide NOT_FOUND 1',
    'fulfil NOT_FOUND 1',
    'redeem NOT_FOUND 3',
  ])
})

it('what points were not there for is refused, and what followed from it', async () => {
  const steps = [...EACH.slice(0, 6), step('spend', 10), step('unspend', 5)]
  const shop = await lived(open, steps)
  expect(await refusedBy(shop, (live) => ({ ...live, earnRules: {} }))).toEqual([
    'capture NOT_FOUND 1',
    'hold INSUFFICIENT_POINTS 2',
    'spend INSUFFICIENT_POINTS 1',
    'spend back NOT_FOUND 1',
    'transfer INSUFFICIENT_POINTS 1',
    'void NOT_FOUND 1',
  ])
})

it('counts by kind what cannot be told', async () => {
  const { rank } = RICH.tierLadders
  await shop.do('defineTierLadder', { key: 'rank', ladder: rank })
  await shop.do('moveTier', { member: aki, ladder: 'rank', tier: 'gold', reason: 'A friend' })
  await shop.do('grantPoints', {
    member: mia,
    points: 100,
    reason: 'Gift',
    expiresAt: '2026-02-01T00:00:00Z',
  })
  await shop.do('extendPoints', { member: mia, within: 'P90D', by: 'P1D', reason: 'A storm' })
  await shop.do('transferPoints', { member: mia, to: aki, points: 10, reason: 'For you' })
  await shop.do('transferPoints', { member: aki, to: mia, points: 4, reason: 'And back' })
  const program = { name, benefits: { referrer: { points: { amount: 5 } } }, qualifying: { nthPurchase: 1 } }
  await shop.do('defineReferralProgram', { key: 'friends', program })
  await shop.do('claimReferral', { member: aki, code: await referralCode(shop, mia) })
  await shop.clock('2026-01-02T01:00:00Z')
  expect((await tested(shop)).notTold).toEqual([
    { kind: 'EXTEND', count: 1 },
    { kind: 'TIER', count: 1 },
  ])
  const document = await documentOf(shop)
  const one = await backTest(tenantOf(shop), { document, days: 30, members: 1 })
  expect(one.notTold.filter(({ kind }) => kind === 'TRANSFER' || kind === 'REFERRAL')).toEqual([
    { kind: 'REFERRAL', count: 1 },
    { kind: 'TRANSFER', count: 1 },
  ])
})
