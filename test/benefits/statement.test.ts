import { expect, test } from 'vitest'
import { testApp } from '../support/app.ts'
import { define, grant, use } from './house.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00.000Z'

async function openShop() {
  const shop = await open({ testClock: NOW })
  const mia = await shop.member('mia', { attributes: { vip: true } })
  const list = (key: string, price: number, more: object = {}) =>
    shop.do('definePriceList', {
      key,
      priceList: { name: { en: key, ja: key }, currency: 'JPY', prices: [{ sku: 'soap', price }], ...more },
    })
  await list('everybody', 1000)
  await list('vip', 900, { audience: { attribute: { name: 'vip', equals: true } } })
  const buy = (orderId: string, amount: number, quantity: number, day = NOW) =>
    shop.do('recordPurchase', {
      ...{ member: mia.by, orderId, purchasedAt: day, currency: 'JPY', total: amount },
      lines: [{ sku: 'soap', name: 'Soap', quantity, amount }],
    })
  const ask = async (select: string) => {
    const { data, errors } = await shop.ask(mia.token, `{ viewer { membership { ${select} } } }`)
    expect(errors).toEqual([])
    return data.viewer.membership
  }
  return { shop, mia, buy, ask }
}

test('money and no money stand side by side, in words for the member', async () => {
  const { shop, mia, buy, ask } = await openShop()
  await define(shop, 'spa', { name: { en: 'Spa', ja: '温泉' }, kind: 'SERVICE' })
  await grant(shop, mia, { key: 'spa', quota: 3 })
  await use(shop, mia, 'spa', { times: 2 })
  const off = { member: mia.by, benefit: { money: { amount: 500, currency: 'JPY' } }, reason: 'Birthday' }
  const { benefit } = await shop.do('giveBenefit', off, { select: 'benefit { id }' })
  await shop.do('useBenefit', { benefit: benefit.id, amount: 450, currency: 'JPY' })
  await buy('A-1', 1800, 2)
  const { benefits, valueReceived } = await ask(
    'valueReceived(currency: "JPY") benefits { kind amount times ja: sentence(locale: "ja") en: sentence(locale: "en") }',
  )
  expect(valueReceived).toBe('650')
  expect(new Map(benefits.map((line: { kind: string }) => [line.kind, line]))).toEqual(
    new Map(
      [
        { kind: 'DISCOUNT', amount: '450', times: 1, ja: '「Birthday」で¥450引き', en: '¥450 off: Birthday' },
        {
          ...{ kind: 'MEMBER_PRICE', amount: '200', times: 2 },
          ...{ ja: 'Soapを会員価格で¥200お得に購入', en: 'Member price for Soap: ¥200 saved' },
        },
        { kind: 'GIVEN', amount: null, times: 1, ja: '「温泉」を受け取りました', en: 'Received: Spa' },
        { kind: 'USE', amount: null, times: 2, ja: '「温泉」を2回利用', en: 'Used 2 times: Spa' },
      ].map((line) => [line.kind, { ...line, ja: line.ja.replace('¥', '￥') }]),
    ),
  )
})

test('a member price counts only where it was paid, and less what was given back', async () => {
  const { shop, buy, ask } = await openShop()
  await buy('full', 1000, 1)
  await buy('haggled', 850, 1)
  expect((await ask('valueReceived(currency: "JPY")')).valueReceived).toBe('0')
  await buy('vip', 2700, 3)
  expect((await ask('valueReceived(currency: "JPY")')).valueReceived).toBe('300')
  await shop.do('refundPurchase', { orderId: 'vip', lines: [{ sku: 'soap', quantity: 1 }] })
  expect((await ask('valueReceived(currency: "JPY")')).valueReceived).toBe('200')
  await shop.do('refundPurchase', { orderId: 'vip' })
  expect(await ask('yen: valueReceived(currency: "JPY") dollars: valueReceived(currency: "USD")')).toEqual({
    ...{ yen: '0', dollars: '0' },
  })
})

test('a statement is of its span, and taken back is taken out', async () => {
  const { shop, mia } = await openShop()
  await define(shop, 'spa')
  const benefit = await grant(shop, mia, { key: 'spa' })
  await shop.clock('2026-05-01T00:00:00Z')
  await use(shop, mia, 'spa')
  const query = `query ($member: MemberBy!) {
    april: benefitStatement(member: $member, until: "2026-05-01T00:00:00Z") { kind }
    may: benefitStatement(member: $member, from: "2026-05-01T00:00:00Z") { kind } }`
  const told = async () => (await shop.ask(shop.staff, query, { member: mia.by })).data
  expect(await told()).toEqual({ april: [{ kind: 'GIVEN' }], may: [{ kind: 'USE' }] })
  await shop.do('takeBackBenefit', { benefit, reason: 'A mistake' })
  expect(await told()).toEqual({ april: [], may: [{ kind: 'USE' }] })
})

test('a program without points has benefits all the same', async () => {
  const { shop, mia, ask } = await openShop()
  await define(shop, 'spa', { audience: { attribute: { name: 'vip', equals: true } } })
  expect(await ask('status exclusiveBenefits { isAllowed entitlement { key } }')).toEqual({
    ...{ status: 'ACTIVE', exclusiveBenefits: [{ isAllowed: true, entitlement: { key: 'spa' } }] },
  })
  await use(shop, mia, 'spa')
  const { data } = await shop.ask(mia.token, '{ viewer { member { wallet { postings { nodes { id } } } } } }')
  expect(data.viewer.member.wallet?.postings.nodes ?? []).toEqual([])
})

test('the benefits of fifty members are as many statements as those of one', async () => {
  const { shop } = await openShop()
  await define(shop, 'spa')
  for (let i = 0; i < 20; i++) await grant(shop, await shop.member(`m${i}`), { key: 'spa' })
  const query = `query ($first: Int!) { members(first: $first) { nodes {
    entitlements { left because { benefit { id } } }
    membership { valueReceived(currency: "JPY") exclusiveBenefits { left } benefits { kind } } } } }`
  const count = async (first: number) => (await shop.ask(shop.staff, query, { first })).statements.length
  expect([await count(1), await count(20)]).toEqual([5, 5])
})
