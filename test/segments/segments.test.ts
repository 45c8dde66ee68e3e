import { beforeAll, expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { headOf, history } from '../support/history.ts'

const open = testApp()
const START = '2026-04-01T00:00:00Z'
let shop: Shop
beforeAll(async () => {
  shop = await open({ testClock: START })
})

const bought = (member: object, orderId: string, purchasedAt = START) =>
  shop.do('recordPurchase', { member, orderId, purchasedAt, currency: 'JPY', total: 900 })
const define = (key: string, audience: object, more: object = {}) =>
  shop.do(
    'defineSegment',
    { key, segment: { name: { en: key, ja: key }, audience, ...more } },
    { select: 'segment { key }' },
  )
const segmentsOf = async (externalId: string) => {
  const { data } = await shop.ask(
    shop.staff,
    'query ($by: MemberBy!) { member(by: $by) { segments { key } } }',
    { by: { externalId } },
  )
  return data.member.segments.map(({ key }: { key: string }) => key)
}
const isFound = async (externalId: string, segment: string) => {
  const query =
    'query ($filter: AudienceInput) { members(filter: $filter, first: 100) { nodes { externalId } } }'
  const { data } = await shop.ask(shop.staff, query, { filter: { segment: [segment] } })
  return data.members.nodes.some((each: { externalId: string }) => each.externalId === externalId)
}

test('who comes into a segment and who goes out is told, once, at the look that saw it', async () => {
  const { by } = await shop.member('mia')
  const after = await headOf(shop)
  await define('buyers', { purchases: { atLeast: 1 } })
  await shop.clock('2026-04-01T00:30:00Z')
  expect(await segmentsOf('mia')).toEqual([])
  await bought(by, 'a')
  expect(await isFound('mia', 'buyers')).toBe(true)
  await shop.clock('2026-04-01T01:00:00Z')
  expect(await segmentsOf('mia')).toEqual(['buyers'])
  await shop.do('refundPurchase', { orderId: 'a' })
  await shop.clock('2026-04-01T05:00:00Z')
  expect(await segmentsOf('mia')).toEqual([])
  const told = await history(shop, shop.staff, { after, types: ['segment.entered', 'segment.left'] })
  expect(told.map(({ type, at }) => [type, at])).toEqual([
    ['segment.entered', '2026-04-01T01:00:00.000Z'],
    ['segment.left', '2026-04-01T02:00:00.000Z'],
  ])
})

test('a segment may stand on another, but never on itself, however far round', async () => {
  await shop.member('noa')
  await define('everybody', { all: [] })
  await define('nobody', { not: { segment: ['everybody'] } })
  expect(await isFound('noa', 'nobody')).toBe(false)
  const round = await shop.do('defineSegment', {
    key: 'everybody',
    segment: { name: { en: 'Everybody', ja: '全員' }, audience: { any: [{ segment: ['nobody'] }] } },
  })
  expect(round).toMatchObject({
    code: 'BAD_INPUT',
    field: 'input.segment.audience',
    message: 'Segment everybody would stand on itself.',
  })
  expect(await isFound('noa', 'everybody')).toBe(true)
})

test('a segment whose rule is wrong, or that is looked at too often, is refused by the name of the field', async () => {
  const wrong = await shop.do('defineSegment', {
    key: 'often',
    segment: { name: { en: 'Often', ja: 'よく' }, audience: { all: [] }, every: 'PT59S' },
  })
  expect(wrong).toMatchObject({ code: 'BAD_INPUT', field: 'input.segment.every' })
  const nameless = await shop.do('defineSegment', {
    key: 'often',
    segment: { name: { en: ' ', ja: '空' }, audience: { all: [] } },
  })
  expect(nameless).toMatchObject({ code: 'BAD_INPUT', field: 'input.segment.name.en' })
})
