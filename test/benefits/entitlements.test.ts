import { expect, test } from 'vitest'
import { testApp } from '../support/app.ts'
import { check, define, grant, use } from './house.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-03-31T09:00:00.000Z' // 18:00 in Tokyo

async function openShop() {
  const shop = await open({ testClock: NOW })
  return { shop, mia: await shop.member('mia'), aki: await shop.member('aki') }
}
const everybody = { audience: { membership: ['ACTIVE'] } }

test('who has an entitlement by rule may use it without a limit', async () => {
  const { shop, mia } = await openShop()
  const defined = await define(shop, 'skin', everybody)
  expect(defined.entitlement).toEqual({ key: 'skin', name: '肌診断', kind: 'TOOL', quota: null, per: null })
  const allowed = { isAllowed: true, reason: 'ALLOWED', left: null, renewsAt: null, endsAt: null }
  expect(await check(shop, mia, 'skin')).toEqual(allowed)
  expect(await use(shop, mia, 'skin', { times: 5 })).toMatchObject({ left: null })
  expect(await use(shop, mia, 'skin')).toMatchObject({ left: null })
})

test('who does not match and was given nothing may not', async () => {
  const { shop, mia } = await openShop()
  await define(shop, 'skin', { audience: { stage: ['repeat'] } })
  const refused = { isAllowed: false, reason: 'NOT_ENTITLED', left: 0, renewsAt: null, endsAt: null }
  expect(await check(shop, mia, 'skin')).toEqual(refused)
  expect(await use(shop, mia, 'skin')).toMatchObject({ __typename: 'NotEntitledError', entitlement: 'skin' })
})

test('a quota begins anew at the midnight of the tenant, and not before', async () => {
  const { shop, mia } = await openShop()
  await define(shop, 'spa', { ...everybody, quota: { times: 2, per: 'MONTH' } })
  expect([(await use(shop, mia, 'spa')).left, (await use(shop, mia, 'spa')).left]).toEqual([1, 0])
  const renewsAt = '2026-03-31T15:00:00.000Z'
  expect(await use(shop, mia, 'spa')).toMatchObject({
    code: 'QUOTA_EXCEEDED',
    left: 0,
    requested: 1,
    renewsAt,
  })
  expect(await check(shop, mia, 'spa')).toMatchObject({ reason: 'USED_UP', left: 0, renewsAt })
  await shop.clock('2026-03-31T14:59:59.999Z')
  expect(await check(shop, mia, 'spa')).toMatchObject({ left: 0 })
  await shop.clock(renewsAt)
  expect(await check(shop, mia, 'spa')).toMatchObject({ isAllowed: true, left: 2 })
})

test('a use asks for all or nothing', async () => {
  const { shop, mia } = await openShop()
  await define(shop, 'spa', { ...everybody, quota: { times: 3, per: 'EVER' } })
  expect(await use(shop, mia, 'spa', { times: 4 })).toMatchObject({ left: 3, requested: 4, renewsAt: null })
  expect(await use(shop, mia, 'spa', { times: 3 })).toMatchObject({ left: 0 })
})

test('of twenty who use the last five at once, five do', async () => {
  const { shop, mia } = await openShop()
  await define(shop, 'spa', { ...everybody, quota: { times: 5, per: 'WEEK' } })
  const all = await Promise.all(Array.from({ length: 20 }, () => use(shop, mia, 'spa')))
  expect(all.map(({ left }) => left).filter((left) => left !== undefined)).toHaveLength(20)
  expect(all.filter(({ code }) => code === 'QUOTA_EXCEEDED')).toHaveLength(15)
  expect(
    all.flatMap(({ use: made, left }) => (made ? [left] : [])).sort((a: number, b: number) => a - b),
  ).toEqual([0, 1, 2, 3, 4])
})

test('a use under the same key happens once, and is answered alike', async () => {
  const { shop, mia } = await openShop()
  await define(shop, 'spa', { ...everybody, quota: { times: 5, per: 'WEEK' } })
  const once = () => use(shop, mia, 'spa', { idempotencyKey: 'visit 1', times: 2 })
  const first = await once()
  await use(shop, mia, 'spa')
  expect(await once()).toEqual(first)
  expect(first.left).toBe(3)
  expect(await check(shop, mia, 'spa')).toMatchObject({ left: 2 })
})

test('what ends soonest is used first: the grant before the month, the longer grant last', async () => {
  const { shop, mia } = await openShop()
  await define(shop, 'spa', { ...everybody, quota: { times: 1, per: 'YEAR' } })
  const long = await grant(shop, mia, { key: 'spa', quota: 2, validFor: 'P2Y' })
  const short = await grant(shop, mia, { key: 'spa', quota: 1, validFor: 'P7D' })
  const because = async () => {
    const { data } = await shop.ask(
      mia.token,
      '{ viewer { entitlements { left endsAt renewsAt because { by left benefit { id source } } } } }',
    )
    return data.viewer.entitlements[0]
  }
  const gave = (id: string, left: number) => ({ by: 'GRANT', left, benefit: { id, source: 'hand' } })
  const rule = (left: number) => ({ by: 'RULE', left, benefit: null })
  expect(await because()).toMatchObject({ left: 4, because: [gave(short, 1), rule(1), gave(long, 2)] })
  expect(await use(shop, mia, 'spa', { times: 3 })).toMatchObject({ left: 1 })
  expect(await because()).toEqual({
    ...{ left: 1, endsAt: null, renewsAt: '2026-12-31T15:00:00.000Z' },
    because: [gave(short, 0), rule(0), gave(long, 1)],
  })
})

test('a use given back can be used again, once', async () => {
  const { shop, mia } = await openShop()
  await define(shop, 'spa')
  await grant(shop, mia, { key: 'spa', quota: 1, validFor: 'P1D' })
  await grant(shop, mia, { key: 'spa', quota: 1, validFor: 'P2D' })
  const { use: made } = await use(shop, mia, 'spa', { times: 2 })
  const giveBack = () =>
    shop.do(
      'returnEntitlement',
      { use: made.id, reason: 'The room was closed' },
      { select: 'use { returnedAt }' },
    )
  expect(await giveBack()).toMatchObject({ use: { returnedAt: NOW } })
  expect(await giveBack()).toMatchObject({ __typename: 'BenefitSettledError', state: 'RETURNED' })
  expect(await check(shop, mia, 'spa')).toMatchObject({ left: 2 })
})

test('a grant ends with its time, at the same hour of its last day', async () => {
  const { shop, mia } = await openShop()
  await define(shop, 'seat', { kind: 'SEAT', quota: { times: 1, per: 'GRANT' }, validFor: 'P1M' })
  const id = await grant(shop, mia, { key: 'seat' })
  const endsAt = '2026-04-30T09:00:00.000Z' // 31 March and a month
  expect(await check(shop, mia, 'seat')).toMatchObject({ left: 1, endsAt })
  await shop.clock(endsAt)
  expect(await check(shop, mia, 'seat')).toMatchObject({ reason: 'NOT_ENTITLED' })
  const { data, errors } = await shop.ask(
    mia.token,
    'query ($id: ID!) { node(id: $id) { ... on Benefit { state gives { __typename } } } }',
    { id },
  )
  expect([data.node, errors]).toEqual([{ state: 'EXPIRED', gives: { __typename: 'EntitlementBenefit' } }, []])
})

test('a grant taken back is gone at once, and what it gave keeps the version it was given in', async () => {
  const { shop, mia } = await openShop()
  await define(shop, 'spa', { quota: { times: 3, per: 'GRANT' } })
  const benefit = await grant(shop, mia, { key: 'spa' })
  await define(shop, 'spa', { quota: { times: 9, per: 'GRANT' } })
  expect(await check(shop, mia, 'spa')).toMatchObject({ left: 3 })
  await shop.do('takeBackBenefit', { benefit, reason: 'A mistake' })
  expect(await check(shop, mia, 'spa')).toMatchObject({ reason: 'NOT_ENTITLED' })
})

test('a lower quota of the rule holds at once, and takes nothing back', async () => {
  const { shop, mia } = await openShop()
  await define(shop, 'spa', { ...everybody, quota: { times: 5, per: 'MONTH' } })
  await use(shop, mia, 'spa', { times: 3 })
  await define(shop, 'spa', { ...everybody, quota: { times: 2, per: 'MONTH' } })
  expect(await check(shop, mia, 'spa')).toMatchObject({ left: 0, reason: 'USED_UP' })
  await define(shop, 'spa', { ...everybody, quota: { times: 6, per: 'MONTH' } })
  expect(await use(shop, mia, 'spa')).toMatchObject({ left: 2 })
})

test('whose membership has ended has nothing, whatever was given', async () => {
  const { shop, mia } = await openShop()
  await define(shop, 'spa', { audience: { all: [] } })
  await grant(shop, mia, { key: 'spa' })
  await shop.do('endMembership', { member: mia.by, end: 'LEFT' })
  expect(await check(shop, mia, 'spa')).toMatchObject({ isAllowed: false, reason: 'MEMBERSHIP_ENDED' })
  expect(await use(shop, mia, 'spa')).toMatchObject({ __typename: 'MembershipEndedError' })
})

test('a member asks for itself, and for nobody else', async () => {
  const { shop, mia, aki } = await openShop()
  await define(shop, 'spa', everybody)
  expect(await check(shop, mia, 'spa', mia.token)).toMatchObject({ isAllowed: true })
  expect(await check(shop, aki, 'spa', mia.token)).toBeNull()
  expect(await shop.do('useEntitlement', { member: mia.by, key: 'spa' }, { as: mia.token })).toMatchObject({
    code: 'FORBIDDEN',
  })
})

test('what does not exist is nothing to a query and not found by a mutation', async () => {
  const { shop, mia } = await openShop()
  expect(await check(shop, mia, 'spa')).toBeNull()
  expect(await use(shop, mia, 'spa')).toMatchObject({ code: 'NOT_FOUND', what: 'entitlement' })
  const input = { member: mia.by, benefit: { entitlement: { key: 'spa' } }, reason: 'Sorry' }
  expect(await shop.do('giveBenefit', input)).toMatchObject({ code: 'NOT_FOUND', what: 'entitlement' })
})

test.each([
  [{ quota: { times: 0, per: 'DAY' } }, 'input.entitlement.quota.times'],
  [{ ...everybody, quota: { times: 1, per: 'GRANT' } }, 'input.entitlement.quota.per'],
  [{ audience: { any: [{ not: { entitlement: ['x'] } }] } }, 'input.entitlement.audience'],
  [{ validFor: 'PT0S' }, 'input.entitlement.validFor'],
])('an entitlement with %j is refused', async (more, field) => {
  const { shop } = await openShop()
  expect(await define(shop, 'spa', more)).toMatchObject({ code: 'BAD_INPUT', field })
})

test('points are not given by hand here', async () => {
  const { shop, mia } = await openShop()
  const input = { member: mia.by, benefit: { points: { amount: '5' } }, reason: 'Sorry' }
  expect(await shop.do('giveBenefit', input)).toMatchObject({
    code: 'BAD_INPUT',
    field: 'input.benefit.points',
  })
})

test('what is off a purchase is used once, and for no more than it is', async () => {
  const { shop, mia } = await openShop()
  const benefit = { money: { amount: 500, currency: 'JPY' } }
  const given = await shop.do(
    'giveBenefit',
    { member: mia.by, benefit, reason: 'Sorry' },
    { select: 'benefit { id gives { ... on MoneyBenefit { amount currency } } }' },
  )
  expect(given.benefit.gives).toEqual({ amount: '500', currency: 'JPY' })
  const useIt = (more: object) =>
    shop.do(
      'useBenefit',
      { benefit: given.benefit.id, amount: 500, currency: 'JPY', order: 'A-1', ...more },
      { select: 'benefit { state amountOff orderId }' },
    )
  expect(await useIt({ amount: 501 })).toMatchObject({ code: 'BAD_INPUT', field: 'input.amount' })
  expect(await useIt({ currency: 'USD' })).toMatchObject({ code: 'BAD_INPUT', field: 'input.amount' })
  expect((await useIt({})).benefit).toEqual({ state: 'USED', amountOff: '500', orderId: 'A-1' })
  expect(await useIt({ order: 'A-2' })).toMatchObject({ code: 'BENEFIT_SETTLED', state: 'USED' })
})

test('the word entitlement finds who has it, by rule or by grant, now', async () => {
  const { shop, mia, aki } = await openShop()
  await define(shop, 'spa', { audience: { stage: ['customer'] } })
  await define(shop, 'tea')
  const bought = { orderId: 'A', purchasedAt: NOW, currency: 'JPY', total: 100 }
  await shop.do('recordPurchase', { member: aki.by, ...bought })
  const benefit = await grant(shop, mia, { key: 'tea', validFor: 'P1D' })
  const found = async (filter: object) => {
    const query =
      'query ($filter: AudienceInput) { members(filter: $filter, orderBy: OLDEST) { nodes { externalId } } }'
    const { data } = await shop.ask(shop.staff, query, { filter })
    return data.members.nodes.map(({ externalId }: { externalId: string }) => externalId)
  }
  expect(await found({ entitlement: ['spa'] })).toEqual(['aki'])
  expect(await found({ entitlement: ['tea', 'spa'] })).toEqual(['mia', 'aki'])
  expect(await found({ not: { entitlement: ['tea', 'none'] } })).toEqual(['aki'])
  await shop.do('takeBackBenefit', { benefit, reason: 'A mistake' })
  expect(await found({ entitlement: ['tea'] })).toEqual([])
})
