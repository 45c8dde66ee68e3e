import { beforeAll, expect, test } from 'vitest'
import { settleViews } from '../../api/domains/insight/index.ts'
import { type Shop, testApp } from '../support/app.ts'
import { idOfKind, makeSpace, write } from '../support/house.ts'
import type { TestMember } from '../support/shop.ts'

const open = testApp({ role: 'web' })
let shop: Shop
const who: Record<string, TestMember> = {}
const APRIL = 'from: "2026-04-01T00:00:00Z", until: "2026-04-11T00:00:00Z"'

/** Looks on one visit: `day resource seconds level`. */
async function look(name: string, ...looks: readonly string[]) {
  const views = looks.map((text, i) => {
    const [day = '', resource, seconds, level = '1'] = text.split(' ')
    const at = `2026-04-${day}T03:00:0${i}Z`
    return { key: `${name} ${text}`, at, resource, seconds: Number(seconds), level: Number(level) }
  })
  const session = `${name} ${looks[0]}`
  return shop.do('recordSession', { session, views }, { as: who[name]?.token ?? '', select: 'recorded' })
}

beforeAll(async () => {
  shop = await open({ testClock: '2026-04-05T00:00:00Z', locale: 'en' })
  for (const name of ['aki', 'emi', 'ken']) who[name] = await shop.member(name)
  await look('aki', '01 / 900', '01 /a 60 2', '01 /b 1 3') // 661 s; resources 2, levels 3
  await look('aki', '03 / 40') // 1 and 1
  await look('emi', '01 / 30')
  await look('emi', '02 /a 30 2')
  await look('emi', '04 /b 30 2')
  await look('ken', '04 / 10')
})

const asked = async (query: string, token = shop.staff) => {
  const { data, errors } = await shop.ask(token, query)
  expect(errors).toEqual([])
  return data
}

test('stickiness is dwell, depth and frequency, and the product of their ranks among all who were there', async () => {
  const query = `{ members(orderBy: OLDEST) { nodes { externalId
    stickiness(days: 10) { dwell depth frequency index visits activeDays } } } }`
  const { members } = await asked(query)
  expect(members.nodes.map(({ stickiness }: { stickiness: object }) => stickiness)).toEqual([
    // Ranks: dwell 3/3, depth 3/3, frequency 2/3.
    { dwell: 701, depth: 3.5, frequency: 0.2, index: expect.closeTo(2 / 3, 9), visits: 2, activeDays: 2 },
    // Ranks: dwell 2/3, depth 2/3 (2 each, as Ken's), frequency 3/3.
    { dwell: 90, depth: 2, frequency: 0.3, index: expect.closeTo(4 / 9, 9), visits: 3, activeDays: 3 },
    { dwell: 10, depth: 2, frequency: 0.1, index: expect.closeTo(2 / 27, 9), visits: 1, activeDays: 1 },
  ])
})

test('all together they make daily and monthly members, and how long they stay away', async () => {
  const { stickiness } = await asked(
    `{ stickiness(${APRIL}) { members visits dwell dailyMembers monthlyMembers dailyByMonthly returns { days count } } }`,
  )
  expect(stickiness).toEqual({
    ...{ members: 3, visits: 6, dwell: 267, dailyMembers: 0.6, monthlyMembers: 3 },
    ...{
      dailyByMonthly: expect.closeTo(0.2, 9),
      returns: [
        { days: 1, count: 1 },
        { days: 2, count: 2 },
      ],
    },
  })
})

test('of the last 7 or 28 days members were there on so many, by the calendar of the shop', async () => {
  const { stickiness } =
    await asked(`{ stickiness(from: "2026-03-01T00:00:00Z", until: "2026-04-07T15:00:00Z") {
    month: activeDays { days members } week: activeDays(of: 7) { days members } short: activeDays(of: 4) { days members } } }`)
  // Aki came on the 1st and the 3rd, Emi on the 1st, 2nd and 4th, Ken on the 4th; it is the end of the 7th in Tokyo.
  const all = [1, 2, 3].map((days) => ({ days, members: 1 }))
  expect([stickiness.month, stickiness.week]).toEqual([all, all])
  expect(stickiness.short).toEqual([{ days: 1, members: 2 }])
  const { errors } = await shop.ask(shop.staff, `{ stickiness(${APRIL}) { activeDays(of: 29) { days } } }`)
  expect(errors).toMatchObject([{ code: 'BAD_INPUT', field: 'of' }])
})

test('looks that are told again count once, even twenty times at the same moment', async () => {
  const again = await Promise.all(Array.from({ length: 20 }, () => look('ken', '04 /new 5')))
  expect(again.reduce((sum: number, { recorded }: { recorded: number }) => sum + recorded, 0)).toBe(1)
  const { members } = await asked(`{ members(search: "ken") { nodes { stickiness(days: 10) { dwell } } } }`)
  expect(members.nodes).toEqual([{ stickiness: { dwell: 15 } }])
})

test.each([
  ['input.views.0.at', { at: '2026-03-01T00:00:00Z' }],
  ['input.views.0.at', { at: '2026-04-06T00:00:00Z' }],
  ['input.views.0.seconds', { seconds: -1 }],
  ['input.views.0.level', { level: 21 }],
])('a look with a bad %s is refused, and nothing of its visit is kept', async (field, bad) => {
  const view = { key: 'k', at: '2026-04-04T00:00:00Z', resource: '/', seconds: 1, ...bad }
  const done = await shop.do('recordSession', { session: 's', views: [view] }, { as: who.aki?.token ?? '' })
  expect(done).toMatchObject({ code: 'BAD_INPUT', field })
})

test('a contribution counts a member once a day, and who may not see it not at all', async () => {
  const space = await makeSpace(shop, 'garden')
  const post = await write(shop, { space: 'garden', kind: 'POST', by: 'aki' })
  const on = idOfKind('Comment', post)
  const { comment } = await shop.do('addComment', { on, body: 'So.' }, { select: 'comment { id }' })
  const view = (name: string, key: string, day: string) => {
    const at = `2026-04-${day}T05:00:00Z`
    const views = [{ key, at, resource: '/p', seconds: 9, contribution: comment.id }]
    return shop.do('recordSession', { session: key, views }, { as: who[name]?.token ?? '' })
  }
  for (const [name, key, day] of [
    ['aki', 'v1', '04'],
    ['aki', 'v2', '04'],
    ['aki', 'v3', '03'],
    ['emi', 'v4', '04'],
  ] as const)
    await view(name, key, day)
  await shop.do('disableSpace', { space })
  await view('ken', 'v5', '04')
  await shop.do('enableSpace', { space })
  await settleViews(shop.ground.app.db.tenant(shop.tenant.id), 100)
  const query = 'query ($id: ID!) { node(id: $id) { ... on Comment { viewCount } } }'
  expect((await shop.ask(shop.staff, query, { id: comment.id })).data.node).toEqual({ viewCount: 3 })
})

test('a funnel counts who took its steps in their order and in time', async () => {
  await shop.do('recordActivity', {
    member: who.emi?.by,
    name: 'joined',
    key: 'e',
    at: '2026-04-04T06:00:00Z',
  })
  await shop.do('recordActivity', {
    member: who.ken?.by,
    name: 'joined',
    key: 'k',
    at: '2026-04-03T06:00:00Z',
  })
  const steps = '[{resource: "/"}, {resource: "/*"}, {activity: "joined"}]'
  const { all, soon } = await asked(`{ all: funnel(${APRIL}, steps: ${steps}) { members }
    soon: funnel(${APRIL}, steps: ${steps}, within: "P1D") { members } }`)
  expect([all, soon].map((found) => found.map(({ members }: { members: number }) => members))).toEqual([
    [3, 3, 1],
    [3, 3, 0],
  ])
})

test('one look is one step of a funnel, whatever it fits', async () => {
  const { funnel } = await asked(
    `{ funnel(${APRIL}, steps: [{resource: "/b"}, {resource: "/b*"}, {resource: "/b"}]) { members } }`,
  )
  expect(funnel).toEqual([{ members: 2 }, { members: 0 }, { members: 0 }])
})

test('revenue stands beside stickiness, with how much they go together', async () => {
  const order = { purchasedAt: '2026-04-02T00:00:00Z', currency: 'JPY' }
  await shop.do('recordPurchase', { ...order, member: who.aki?.by, orderId: 'a', total: 900 })
  await shop.do('recordPurchase', { ...order, member: who.emi?.by, orderId: 'e', total: 300 })
  const { stickinessRevenue } = await asked(
    `{ stickinessRevenue(${APRIL}, currency: "JPY", bands: 3) { correlation bands { band members revenue } } }`,
  )
  expect(stickinessRevenue.bands).toEqual([
    { band: 1, members: 1, revenue: '0' },
    { band: 2, members: 1, revenue: '300' },
    { band: 3, members: 1, revenue: '900' },
  ])
  expect(stickinessRevenue.correlation).toBeGreaterThan(0.9)
})
