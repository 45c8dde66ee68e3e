import { describe, expect, it } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { headOf, history } from '../support/history.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-10T00:00:00.000Z'
const name = { en: 'Thanks', ja: 'ありがとう' }

async function begin(rules: Record<string, object> = {}) {
  const shop = await open({ testClock: NOW })
  for (const [key, rule] of Object.entries(rules))
    await shop.do('defineEarnRule', { key, rule: { name, points: { fixed: 10 }, ...rule } })
  return { shop, mia: await shop.member('mia') }
}

const record = (shop: Shop, { by: member }: TestMember, activity: object) =>
  shop.do(
    'recordActivity',
    { member, name: 'review.written', key: 'a-1', ...activity },
    { select: 'activity { name key at properties } isNew' },
  )

async function points(shop: Shop, { token }: TestMember) {
  const { data } = await shop.ask(token, '{ viewer { member { wallet { available pending } } } }')
  return data.viewer.member.wallet
}

describe('an activity', () => {
  const answers = { on: { activity: 'review.written' } }

  it('earns by the rules for it, once for its name and key, and is told', async () => {
    const { shop, mia } = await begin({ answers })
    const after = await headOf(shop)
    const recorded = await record(shop, mia, { at: NOW, properties: { question: 'q-7' } })
    expect(recorded).toMatchObject({
      isNew: true,
      activity: { name: 'review.written', key: 'a-1', at: NOW, properties: { question: 'q-7' } },
    })
    expect(await record(shop, mia, {})).toMatchObject({
      isNew: false,
      activity: { properties: { question: 'q-7' } },
    })
    expect(await points(shop, mia)).toMatchObject({ available: '10' })
    await record(shop, mia, { key: 'a-2' })
    await record(shop, mia, { name: 'lesson.finished' })
    expect(await points(shop, mia)).toMatchObject({ available: '20' })
    const told = (await history(shop, shop.staff, { after })).filter(
      ({ type }) => type === 'activity.recorded',
    )
    expect(told).toHaveLength(3)
  })

  it('told twenty times at once earns once', async () => {
    const { shop, mia } = await begin({ answers })
    const told = await Promise.all(Array.from({ length: 20 }, () => record(shop, mia, {})))
    expect(told.filter(({ isNew }) => isNew)).toHaveLength(1)
    expect(await points(shop, mia)).toMatchObject({ available: '10' })
  })

  it('gives its numbers to a formula, exactly; what is missing is nothing', async () => {
    const formula = 'floor(minutes * 0.1) + max(score, 3) / 2'
    const { shop, mia } = await begin({
      lessons: { on: { activity: 'lesson.finished' }, points: { formula } },
    })
    await record(shop, mia, {
      name: 'lesson.finished',
      properties: { minutes: 70, score: 9, teacher: 'Aki' },
    })
    expect(await points(shop, mia)).toMatchObject({ available: '11' }) // 7 + 4.5
    await record(shop, mia, { name: 'lesson.finished', key: 'a-2', properties: { minutes: '70' } })
    expect(await points(shop, mia)).toMatchObject({ available: '12' }) // 0 + 1.5
  })

  it('makes points spendable that wait for it', async () => {
    const { shop, mia } = await begin({
      purchase: { on: { purchase: true }, pending: { event: 'review.written', cancelAfter: 'P30D' } },
    })
    await shop.do('recordPurchase', {
      member: mia.by,
      orderId: 'o',
      purchasedAt: NOW,
      currency: 'JPY',
      total: 100,
    })
    expect(await points(shop, mia)).toEqual({ available: '0', pending: '10' })
    await record(shop, mia, {})
    expect(await points(shop, mia)).toEqual({ available: '10', pending: '0' })
  })

  it('is asked for by audiences, by how often and since when', async () => {
    const { shop, mia } = await begin()
    await shop.member('aki')
    await record(shop, mia, { at: '2026-04-01T00:00:00.000Z' })
    await record(shop, mia, { key: 'a-2' })
    const found = async (rule: object) => {
      const query = 'query ($filter: AudienceInput) { members(filter: $filter) { nodes { externalId } } }'
      const { data, errors } = await shop.ask(shop.staff, query, { filter: { activity: rule } })
      expect(errors).toEqual([])
      return data.members.nodes.map(({ externalId }: { externalId: string }) => externalId)
    }
    expect(await found({ name: 'review.written' })).toEqual(['mia'])
    expect(await found({ name: 'review.written', atLeast: 2 })).toEqual(['mia'])
    expect(await found({ name: 'review.written', atLeast: 3 })).toEqual([])
    expect(await found({ name: 'review.written', atLeast: 2, within: 'P5D' })).toEqual([])
    expect(await found({ name: 'review.written', within: 'P5D' })).toEqual(['mia'])
    expect(await found({ name: 'lesson.finished' })).toEqual([])
  })

  it.each([
    ['input.name', { name: 'no spaces' }],
    ['input.key', { key: '' }],
    ['input.at', { at: '2026-04-10T00:05:01Z' }],
    ['input.properties', { properties: [1] }],
    ['input.properties.n', { properties: { n: 1e16 } }],
  ])('with a wrong %s is refused', async (field, part) => {
    const { shop, mia } = await begin()
    expect(await record(shop, mia, part)).toMatchObject({ code: 'BAD_INPUT', field })
  })
})

it('entering a stage earns, once for each entry', async () => {
  const { shop, mia } = await begin({
    welcome: { on: { stage: 'customer' } },
    talk: { on: { stage: 'negotiation' } },
  })
  const buy = (orderId: string) =>
    shop.do('recordPurchase', { member: mia.by, orderId, purchasedAt: NOW, currency: 'JPY', total: 0 })
  await buy('o-1')
  expect(await points(shop, mia)).toMatchObject({ available: '10' })
  await buy('o-2')
  expect(await points(shop, mia)).toMatchObject({ available: '10' })
  const aki = await shop.member('aki')
  await shop.do('moveMember', { member: aki.by, stage: 'negotiation', reason: 'Called' })
  expect(await points(shop, aki)).toMatchObject({ available: '10' })
})

it('entering a segment earns for everybody whom a look finds new there', async () => {
  const { shop, mia } = await begin({ club: { on: { segment: 'buyers' } } })
  const segment = { name: { en: 'Buyers', ja: 'お客様' }, audience: { stage: ['customer'] }, every: 'P1D' }
  await shop.do('defineSegment', { key: 'buyers', segment })
  await shop.do('recordPurchase', {
    member: mia.by,
    orderId: 'o',
    purchasedAt: NOW,
    currency: 'JPY',
    total: 0,
  })
  expect(await points(shop, mia)).toMatchObject({ available: '0' })
  await shop.clock('2026-04-11T01:00:00.000Z')
  expect(await points(shop, mia)).toMatchObject({ available: '10' })
  await shop.clock('2026-04-14T00:00:00.000Z')
  expect(await points(shop, mia)).toMatchObject({ available: '10' })
})
