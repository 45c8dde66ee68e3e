import { expect, onTestFinished, test } from 'vitest'
import { followEvents } from '../../sdk/events.ts'
import { type Shop, testApp } from '../support/app.ts'
import { until } from '../support/until.ts'

const open = testApp()
const SPRING = '2026-04-01T00:00:00.000Z' // 9 in the morning in Tokyo

/** Every live event about one member from now on, as it arrives over a socket. */
async function listen(shop: Shop, token: string, member: string) {
  const { data } = await shop.ask(token, '{ viewer { asOf } }')
  const selection = `type at
    ... on PurchaseRecorded { purchase { orderId state } member { stage { key } } }
    ... on PurchaseRefunded { amount }
    ... on PointsPosted { transaction { kind points reason } wallet { available } }
    ... on PointsExpired { transaction { kind points } }
    ... on MemberStageChanged { change { from { key } to { key } cause } }
    ... on MemberFreshnessBandChanged { from to }
    ... on TouchpointPlanned { touchpoint { purpose channel } }
    ... on TouchpointSettled { touchpoint { state } }
    member { id }`
  const heard: Record<string, unknown>[] = []
  const ended = new AbortController()
  onTestFinished(() => ended.abort())
  const stream = followEvents<{ type: string; member: { id: string } | null }>({
    url: shop.url,
    token,
    after: data.viewer.asOf,
    selection,
    signal: ended.signal,
  })
  void (async () => {
    for await (const { event } of stream) if (event.member?.id === member) heard.push(event)
  })()
  return heard
}

const types = (events: readonly Record<string, unknown>[]) => events.map(({ type }) => type)

const buy = (shop: Shop, member: object, orderId: string) =>
  shop.do(
    'recordPurchase',
    {
      member,
      orderId,
      purchasedAt: SPRING,
      currency: 'JPY',
      total: '5480',
      lines: [{ sku: 'lotion', name: '化粧水', quantity: 2, amount: 5480 }],
    },
    { as: shop.integration, select: 'purchase { state } member { stage { key } } transaction { points }' },
  )

const HOME = `{ viewer { asOf tenant { name now } member {
  displayName stage { key name goal } stageHistory(first: 3) { nodes { from { key } to { key } at cause } }
  freshness { score band sentence(locale: "en") nextBandAt basis }
  wallet { available pending held debt expiring(within: "P400D") { points expiresAt } postings(first: 3) { nodes { from to points explanation } } }
  purchases(first: 3) { nodes { orderId total state lines { sku quantity amount } } }
  nextTouch { __typename ... on PlannedTouch { at } ... on NoTouch { reason } }
  inbox(first: 3) { nodes { id title body receivedAt readAt } }
  timeline(first: 10) { nodes { __typename } } } } }`

/** How many statements the member's home took, each of three times. */
async function thrice(shop: Shop, token: string): Promise<number[]> {
  const counts: number[] = []
  for (let i = 0; i < 3; i++) counts.push((await shop.ask(token, HOME)).statements.length)
  return counts
}

test('one purchase earns, moves the stage, plans a touch, delivers it, and every listener hears it in order', async () => {
  const shop = await open({ testClock: SPRING, name: '縁 Skin Care' })
  const hanako = await shop.member('hanako', { displayName: '佐藤 花子' })
  const emma = await shop.member('emma', { displayName: 'Emma', locale: 'en-GB' })
  const [byStaff, byHerself, byEmma] = [
    await listen(shop, shop.staff, hanako.id),
    await listen(shop, hanako.token, hanako.id),
    await listen(shop, emma.token, emma.id),
  ]

  const bought = await buy(shop, hanako.by, 'order-1')
  expect(bought).toEqual({
    __typename: 'RecordPurchasePayload',
    purchase: { state: 'COMPLETED' },
    member: { stage: { key: 'customer' } },
    transaction: { points: '54' },
  })
  await buy(shop, emma.by, 'order-2')
  await until(() => [byStaff, byHerself, byEmma].every((heard) => heard.length >= 6))
  const story = [
    { type: 'purchase.recorded', purchase: { orderId: 'order-1', state: 'COMPLETED' } },
    { type: 'points.posted', transaction: { kind: 'EARN', points: '54' }, wallet: { available: '54' } },
    {
      type: 'member.stage_changed',
      change: { from: { key: 'prospect' }, to: { key: 'customer' }, cause: 'EVENT' },
    },
    { type: 'touchpoint.planned', touchpoint: { purpose: 'thank-you', channel: 'inbox' } },
    { type: 'delivery.settled' },
    { type: 'touchpoint.settled', touchpoint: { state: 'ACCEPTED' } },
  ]
  expect(byStaff).toMatchObject(story)
  expect(byHerself).toEqual(byStaff)
  expect(types(byEmma)).toEqual(types(byStaff))

  const home = await shop.ask(hanako.token, HOME)
  expect(home.errors).toEqual([])
  expect(home.data.viewer.member).toMatchObject({
    displayName: '佐藤 花子',
    stage: { key: 'customer' },
    stageHistory: {
      nodes: [{ from: { key: 'prospect' }, to: { key: 'customer' }, at: SPRING, cause: 'EVENT' }],
    },
    freshness: { score: 1, band: 'FRESH', basis: 'DECLARED' },
    wallet: {
      available: '54',
      held: '0',
      debt: '0',
      expiring: [{ points: '54', expiresAt: '2027-04-30T15:00:00.000Z' }],
      postings: { nodes: [{ from: 'ISSUE', to: 'AVAILABLE', points: '54' }] },
    },
    purchases: {
      nodes: [{ orderId: 'order-1', total: '5480', lines: [{ sku: 'lotion', quantity: 2, amount: '5480' }] }],
    },
    nextTouch: { __typename: 'NoTouch', reason: 'NOTHING_PLANNED' },
    inbox: { nodes: [{ title: 'ご購入ありがとうございます', receivedAt: SPRING, readAt: null }] },
  })
  expect(home.data.viewer.member.inbox.nodes[0].body).toContain('佐藤 花子')
  const english = await shop.ask(emma.token, HOME)
  expect(english.data.viewer.member.inbox.nodes).toMatchObject([{ title: 'Thank you for your purchase' }])
  // The worker's own statements may fall into the time of one or the other.
  const fewest = async (token: string) => Math.min(...(await thrice(shop, token)))
  expect(await fewest(emma.token)).toBe(await fewest(hanako.token))
  console.log(`The member's home took ${await fewest(hanako.token)} statements.`)

  const [item] = home.data.viewer.member.inbox.nodes
  const read = await shop.do(
    'markInboxRead',
    { item: item.id },
    { as: hanako.token, select: 'item { readAt }' },
  )
  expect(read).toMatchObject({ item: { readAt: SPRING } })

  await shop.do('refundPurchase', { orderId: 'order-2', reason: 'Skin irritation' })
  await until(() => byEmma.length >= 9)
  expect(byEmma.slice(6)).toMatchObject([
    { type: 'purchase.refunded', amount: '5480' },
    { type: 'points.posted', transaction: { kind: 'REFUND_EARN', points: '54' }, wallet: { available: '0' } },
    { type: 'member.stage_changed', change: { from: { key: 'customer' }, to: { key: 'prospect' } } },
  ])

  const gift = { member: hanako.by, points: 10, reason: 'Birthday', expiresAt: '2026-10-01T00:00:00Z' }
  await shop.do('grantPoints', gift)
  await shop.clock('2027-06-01T00:00:00Z')
  await until(() => [byStaff, byHerself].every((heard) => heard.length >= 13))
  const [given, cooled, ...later] = byHerself.slice(6)
  expect(given).toMatchObject({
    type: 'points.posted',
    transaction: { kind: 'GRANT' },
    wallet: { available: '64' },
  })
  expect(cooled).toMatchObject({ type: 'member.freshness_band_changed', from: 'FRESH', to: 'COOLING' })
  expect(Math.abs(Date.parse(String(cooled?.at)) - bandEdge(0.5))).toBeLessThan(2)
  const death = (at: string, points: string) => [
    { type: 'points.posted', at, transaction: { kind: 'EXPIRE', points } },
    { type: 'points.expired', at, transaction: { kind: 'EXPIRE', points } },
  ]
  expect(later).toMatchObject([
    ...death('2026-10-01T00:00:00.000Z', '10'),
    {
      type: 'member.stage_changed',
      at: '2027-04-01T00:00:00.000Z',
      change: { to: { key: 'lapsed' }, cause: 'CLOCK' },
    },
    ...death('2027-04-30T15:00:00.000Z', '54'),
  ])
  expect(byStaff).toEqual(byHerself)
  const { data } = await shop.ask(shop.staff, '{ ledgerCheck { wallets differences { expected found } } }')
  expect(data.ledgerCheck).toEqual({ wallets: 2, differences: [] })
})

/** When the freshness of somebody who bought once, in spring, falls to an edge: u* = B(θ^(−1/A) − 1) weeks later. */
function bandEdge(edge: number): number {
  const [A, B] = [0.525, 6.18]
  const weeks = B * (edge ** (-1 / A) - 1)
  return Date.parse(SPRING) + weeks * 7 * 86_400_000
}
