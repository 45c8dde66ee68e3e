// Good customers, by value, frequency and engagement: one segment, by which members are listed, content and spaces gated.
import { beforeAll, expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { makeSpace } from '../support/house.ts'
import { onServer } from '../support/server.ts'

const open = testApp({ role: 'web' })
let shop: Shop
beforeAll(async () => {
  shop = await open({ testClock: '2026-04-01T00:00:00Z' })
})

const buy = (externalId: string, total: number, purchasedAt = '2026-04-01T00:00:00Z', currency = 'JPY') =>
  shop.do('recordPurchase', {
    ...{ member: { externalId }, orderId: crypto.randomUUID(), purchasedAt, currency, total },
  })
const found = async (filter: object) => {
  const query =
    'query ($filter: AudienceInput) { members(filter: $filter, first: 100) { nodes { externalId } } }'
  const { data, errors } = await shop.ask(shop.staff, query, { filter })
  return errors[0] ?? data.members.nodes.map((each: { externalId: string }) => each.externalId).sort()
}
/** Trusts a member so far, as if it had read and helped enough. */
const trusted = (externalId: string, level: number) =>
  onServer(shop.ground.databaseUrl, async (client) => {
    await client.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.id])
    await client.query(
      `insert into trust (tenant_id, member_id, level, since)
       select m.tenant_id, m.id, $3, now() from member m where m.tenant_id = $1 and m.external_id = $2
       on conflict (tenant_id, member_id) do update set level = excluded.level`,
      [shop.tenant.id, externalId, level],
    )
  })

test('what a member spent is the sum of one currency within the span, less what it was given back', async () => {
  for (const name of ['ann', 'bea', 'cho']) await shop.member(name)
  await buy('ann', 2000)
  await buy('ann', 1000, '2025-04-01T00:00:00Z')
  await buy('bea', 2999)
  await buy('bea', 1, '2026-04-01T00:00:00Z', 'USD')
  const orderId = 'given back'
  const bought = { orderId, purchasedAt: '2026-04-01T00:00:00Z', currency: 'JPY', total: 9000 }
  await shop.do('recordPurchase', { member: { externalId: 'cho' }, ...bought })
  const spent = (atLeast: number, more: object = {}) =>
    found({ spent: { currency: 'JPY', atLeast, ...more } })
  expect(await spent(3000)).toEqual(['ann', 'cho'])
  expect(await spent(2999)).toEqual(['ann', 'bea', 'cho'])
  expect(await spent(3000, { within: 'P1Y' })).toEqual(['ann', 'cho'])
  expect(await spent(3000, { within: 'P364D' })).toEqual(['cho'])
  await shop.do('refundPurchase', { orderId })
  expect(await spent(1, { within: 'P364D' })).toEqual(['ann', 'bea'])
  expect(await spent(3000)).toEqual(['ann'])
})

test.each([
  [{ spent: { currency: 'JPY', atLeast: 0 } }, 'filter.spent.atLeast'],
  [{ spent: { currency: 'JPY', atLeast: -5 } }, 'filter.spent.atLeast'],
  [{ trust: 0 }, 'filter.trust'],
  [{ trust: 10 }, 'filter.trust'],
])('%j is refused at %s', async (filter, field) => {
  expect(await found(filter)).toMatchObject({ code: 'BAD_INPUT', field })
})

test('a space for those who are trusted so far opens with the next request, and shows them to each other', async () => {
  const [dan, eli] = [await shop.member('dan'), await shop.member('eli')]
  const space = await makeSpace(shop, 'inner', { see: { trust: 2 } })
  const keys = async () =>
    (await shop.ask(dan.token, '{ spaces { nodes { key } } }')).data.spaces.nodes.map(
      ({ key }: { key: string }) => key,
    )
  await trusted('dan', 1)
  expect(await keys()).not.toContain('inner')
  await trusted('dan', 2)
  await trusted('eli', 3)
  expect(await keys()).toContain('inner')
  for (const { token } of [dan, eli]) await shop.do('beHere', { space }, { as: token })
  const { data } = await shop.ask(dan.token, 'query ($space: ID!) { presence(space: $space) { present } }', {
    space,
  })
  expect(data.presence.present).toBe(2)
})

test('good customers are one segment, live at each request, that gates content and lists for mails', async () => {
  const good = {
    all: [
      { spent: { currency: 'JPY', atLeast: 10_000, within: 'P1Y' } },
      { purchases: { atLeast: 2, within: 'P1D' } },
      { any: [{ trust: 1 }, { activity: { name: 'answer.accepted' } }] },
    ],
  }
  const segment = { name: { en: 'Good customers', ja: 'お得意様' }, audience: good }
  const defined = await shop.do(
    'defineSegment',
    { key: 'goodCustomers', segment },
    { select: 'segment { key }' },
  )
  expect(defined).toMatchObject({ segment: { key: 'goodCustomers' } })
  const mia = await shop.member('mia')
  const space = await makeSpace(shop, 'site', { kind: 'SITE' })
  await shop.do('publishContent', {
    ...{ space, title: 'For you', body: 'Thank you.', kind: 'ARTICLE', purpose: 'RETENTION', need: 'Care' },
    audience: { segment: ['goodCustomers'] },
  })
  const isGood = async () => [
    (await found({ segment: ['goodCustomers'] })).includes('mia'),
    (await shop.ask(mia.token, '{ content { nodes { title } } }')).data.content.nodes.length === 1,
  ]
  await buy('mia', 9999)
  await trusted('mia', 1)
  expect(await isGood()).toEqual([false, false])
  await buy('mia', 1)

  expect(await isGood()).toEqual([true, true])
  await trusted('mia', 0)
  expect(await isGood()).toEqual([false, false])
  await shop.do('recordActivity', { member: mia.by, name: 'answer.accepted', key: 'a' })
  expect(await isGood()).toEqual([true, true])
  await shop.clock('2026-04-02T00:00:01Z')
  expect(await isGood()).toEqual([false, false])
})
