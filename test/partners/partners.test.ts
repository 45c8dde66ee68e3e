import { beforeAll, expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'
let shop: Shop
beforeAll(async () => {
  shop = await open({ testClock: NOW })
  await define({ minor: 200, points: 1, money: 'JPY' })
})

const define = (earn: object | null, settlement: object = {}) =>
  shop.do('definePartner', {
    key: 'cafe',
    partner: {
      name: { en: 'Café Sora', ja: 'カフェ空' },
      ...(earn && { earn }),
      canBurn: true,
      // ¥0.8 for a point earned, ¥1 for a point spent.
      settlement: { money: 'JPY', issuedMicro: 800_000, burnedMicro: 1_000_000, ...settlement },
    },
  })
const earn = (member: object, reference: string, total: number, more: object = {}) =>
  shop.do('earnAtPartner', { member, partner: 'cafe', reference, currency: 'JPY', total, ...more })
const burn = (member: object, reference: string, points: number) =>
  shop.do('burnAtPartner', { member, partner: 'cafe', reference, points })
const giveBack = (reference: string, amount?: number) =>
  shop.do('giveBackAtPartner', {
    partner: 'cafe',
    reference,
    reason: 'Cup broken',
    ...(amount && { amount }),
  })
const available = async (externalId: string) => {
  const query =
    'query ($by: MemberBy!) { member(by: $by) { wallet { available } } ledgerCheck { differences { found } } }'
  const { data } = await shop.ask(shop.staff, query, { by: { externalId } })
  expect(data.ledgerCheck.differences).toEqual([])
  return data.member.wallet.available
}
const settle = async (from: string, until: string) => {
  const query = `query ($from: DateTime!, $until: DateTime!) {
    partnerSettlement(partner: "cafe", from: $from, until: $until) {
      currency issued issuedReturned burned burnedReturned owedByPartner owedToPartner balance } }`
  return (await shop.ask(shop.staff, query, { from, until })).data.partnerSettlement
}

test('what is bought at a partner earns once for its number, and goes back in proportion', async () => {
  const { by } = await shop.member('mia')
  expect(await earn(by, 'r-1', 2_999)).toMatchObject({ __typename: 'EarnAtPartnerPayload' })
  expect(await available('mia')).toBe('14')
  expect(await earn(by, 'r-1', 2_999)).toMatchObject({ code: 'DUPLICATE_REFERENCE', reference: 'r-1' })
  await giveBack('r-1', 1_000)
  expect(await available('mia')).toBe('10')
  await giveBack('r-1')
  expect(await available('mia')).toBe('0')
  expect(await giveBack('r-1', 1)).toMatchObject({ code: 'REFUND_EXCEEDS_PURCHASE', refundable: '0' })
})

test('an amount too small for a point is booked without one', async () => {
  const { by } = await shop.member('noa')
  const { movement, transaction } = await earn(by, 'r-2', 199)
  expect([typeof movement.id, transaction]).toEqual(['string', null])
  expect(await available('noa')).toBe('0')
})

test('points are spent at a partner once for its number, and come back to their lots', async () => {
  const { by } = await shop.member('rin')
  await shop.do('grantPoints', { member: by, points: 50, reason: 'Welcome' })
  expect(await burn(by, 'b-1', 51)).toMatchObject({ code: 'INSUFFICIENT_POINTS', available: '50' })
  await burn(by, 'b-2', 30)
  expect(await burn(by, 'b-2', 30)).toMatchObject({ code: 'INSUFFICIENT_POINTS' })
  expect(await burn(by, 'b-2', 20)).toMatchObject({ code: 'DUPLICATE_REFERENCE', reference: 'b-2' })
  expect(await available('rin')).toBe('20')
  await giveBack('b-2', 10)
  expect(await available('rin')).toBe('30')
})

test('of twenty at once with one number one counts', async () => {
  const { by } = await shop.member('sora')
  const all = await Promise.all(Array.from({ length: 20 }, () => earn(by, 'r-3', 1_000)))
  expect(all.filter(({ code }) => code === 'DUPLICATE_REFERENCE')).toHaveLength(19)
  expect(await available('sora')).toBe('5')
})

test('what each owes the other is told to the minor unit, at the rates of when it moved', async () => {
  const day = '2026-05-01T00:00:00Z'
  await shop.clock(day)
  const { by } = await shop.member('umi')
  await earn(by, 's-1', 1_001)
  await define({ minor: 100, points: 1, money: 'JPY' }, { issuedMicro: 500_000 })
  await earn(by, 's-2', 701)
  await burn(by, 's-3', 4)
  await giveBack('s-2', 300)
  await giveBack('s-3', 1)
  // 5 points at ¥0.8; 7 points less 2 at ¥0.5; 4 spent less 1 at ¥1.
  expect(await settle(day, '2026-06-01T00:00:00Z')).toEqual([
    {
      currency: 'JPY',
      ...{ issued: '12', issuedReturned: '2', burned: '4', burnedReturned: '1' },
      ...{ owedByPartner: '6', owedToPartner: '3', balance: '3' },
    },
  ])
  expect(await settle('2026-06-01T00:00:00Z', '2026-07-01T00:00:00Z')).toEqual([])
})

test('a partner that does neither, and money of another currency, are refused by name', async () => {
  const { by } = await shop.member('yui')
  const nothing = await shop.do('definePartner', {
    key: 'none',
    partner: {
      name: { en: 'None', ja: 'なし' },
      settlement: { money: 'JPY', issuedMicro: 0, burnedMicro: 0 },
    },
  })
  expect(nothing).toMatchObject({ code: 'BAD_INPUT', field: 'input.partner.earn' })
  expect(await earn(by, 'x-1', 100, { currency: 'USD' })).toMatchObject({
    code: 'BAD_INPUT',
    field: 'input.currency',
  })
  expect(await earn(by, 'x-1', 100, { partner: 'nobody' })).toMatchObject({ what: 'partner' })
})
