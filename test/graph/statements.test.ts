import { beforeAll, describe, expect, it, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { mutationOf } from '../support/asking.ts'
import { makeSpace } from '../support/house.ts'
import { onServer } from '../support/server.ts'
import type { TestMember } from '../support/shop.ts'
import { LADDER } from '../support/world.ts'

/*
 * How many SQL statements an operation sends, exactly. Each is one round trip, and one transaction. A member's token
 * costs one more, first of all: whether its membership stands. The tenant's lifecycle rules are read once in two
 * seconds, whoever asks, and are not counted.
 */

const open = testApp({ role: 'web' })
let shop: Shop
let mia: TestMember

beforeAll(async () => {
  shop = await open()
  await shop.do('defineTierLadder', { ladder: LADDER })
  mia = await shop.member('mia')
  for (let i = 0; i < 60; i++) await shop.do('registerMember', { externalId: `m${i}`, displayName: `M ${i}` })
  for (let i = 0; i < 12; i++) await buy(`mia ${i}`, { member: mia.by })
  for (let i = 0; i < 12; i++) await buy(`m ${i}`, { member: { externalId: `m${i}` } })
})

function buy(orderId: string, more: object) {
  const purchasedAt = new Date(Date.now() - 60_000).toISOString()
  const lines = [
    { sku: 'LOTION', amount: 900 },
    { sku: 'SOAP', amount: 300 },
  ]
  return shop.do('recordPurchase', { orderId, purchasedAt, currency: 'JPY', total: 1200, lines, ...more })
}

/** The statements of one operation, which must succeed. */
async function statementsOf(
  token: string,
  query: string,
  variables: object = {},
): Promise<readonly string[]> {
  const { errors, statements } = await shop.ask(token, query, variables)
  expect(errors).toEqual([])
  return statements.filter((text) => !text.includes('from freshness_model'))
}

const HOME = `id externalId displayName email locale timeZone attributes registeredAt
  membership { status since } stage { key name } freshness { score band sentence nextBandAt }
  wallet { id available pending held debt postings(first: 10) { nodes { points from to at explanation transaction { kind reason } } } }
  purchases(first: 3) { nodes { orderId total lines { sku amount } } }
  stageHistory(first: 3) { nodes { from { key } to { key } cause } }
  inbox(first: 5) { nodes { title readAt touchpoint { purpose } } }
  nextTouch { ... on PlannedTouch { at touchpoint { state plannedAt } } ... on NoTouch { reason } }`

describe("a member's home is one statement", () => {
  it('after the one that looks whether the membership stands, for the member', async () => {
    const statements = await statementsOf(mia.token, `{ viewer { kind member { ${HOME} } } }`)
    expect(statements).toEqual([
      expect.stringContaining('m.membership'),
      expect.stringContaining('json_build_array'),
    ])
  })

  it.each(['member(by: { externalId: "mia" })', 'node(id: $id)', 'nodes(ids: [$id])'])(
    'for staff, as %s',
    async (root) => {
      const declares = root.includes('$id') ? '($id: ID!)' : ''
      const query = `query ${declares} { ${root} { ... on Member { ${HOME} } } }`
      expect(await statementsOf(shop.staff, query, { id: mia.id })).toHaveLength(1)
    },
  )

  it('and one more for each duration of points that expire', async () => {
    const wallet = 'available a: expiring(within: "P30D") { points } b: expiring(within: "P1Y") { points }'
    const query = `{ viewer { member { wallet { ${wallet} } } } }`
    expect(await statementsOf(mia.token, query)).toHaveLength(2 + 2)
  })

  it('and one for its timeline, with one for each kind of its entries', async () => {
    const entries =
      '... on Purchase { orderId } ... on StageChange { to { key } } ... on PointsTransaction { kind } ... on Touchpoint { purpose }'
    const timeline = (first: number) =>
      `{ member(by: { externalId: "mia" }) { timeline(first: ${first}) { nodes { __typename ${entries} } } } }`
    expect(await statementsOf(shop.staff, timeline(50))).toHaveLength(2 + 4)
    expect(await statementsOf(shop.staff, timeline(100))).toHaveLength(2 + 4)
    const bare = '{ member(by: { externalId: "mia" }) { timeline { nodes { __typename } } } }'
    expect(await statementsOf(shop.staff, bare)).toHaveLength(2)
  })
})

const TIER = `tier { tier { key name } since expiresAt toStay { missing sentence } toNext { missing sentence } }
  tierHistory(first: 3) { nodes { from to cause basis { measured } } }`

describe('the list of members', () => {
  const list = (inside: string) =>
    `query ($first: Int!) { members(first: $first, orderBy: OLDEST) { nodes { ${inside} } pageInfo { hasNextPage endCursor } } }`

  it.each([
    ['with everything of a home', HOME, 1],
    ['with the points that expire', 'wallet { expiring(within: "P30D") { points } }', 2],
    ['with tiers, what is missing and their history', TIER, 2],
    ['with timelines', 'timeline(first: 3) { nodes { __typename ... on Touchpoint { purpose } } }', 3],
  ])('%s is as many statements for 5 as for 50', async (_, inside, count) => {
    expect(await statementsOf(shop.staff, list(inside), { first: 5 })).toHaveLength(count)
    expect(await statementsOf(shop.staff, list(inside), { first: 50 })).toHaveLength(count)
  })

  it('filtered, searched and sorted is one statement', async () => {
    const query = `{ members(filter: { stage: ["repeat"] }, search: "mi", orderBy: COOLEST) { nodes { ${HOME} } } }`
    expect(await statementsOf(shop.staff, query)).toHaveLength(1)
  })
})

const FEED = `id title html kind tags score commentCount helpfulCount reactions { kind count } author { displayName isStaff }
  space { key name viewerStanding } viewerReactions isFollowed isUnread unreadCount viewerCanEdit isPinned
  idea { votes viewerVotes } poll { voters options { label votes isViewers } } gathering { taken viewerAnswer }
  comments(first: 3) { nodes { html author { displayName } viewerReactions } }`

describe('a feed with authors, counts and everything about whoever looks', () => {
  beforeAll(async () => {
    for (const key of ['club', 'lab', 'kitchen']) {
      await makeSpace(shop, key)
      await onServer(shop.ground.databaseUrl, async (client) => {
        await client.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.id])
        await client.query(WRITE, [shop.tenant.id, key])
      })
    }
  })
  const query = `query ($first: Int!, $by: FeedOrder!) { viewer { feed(first: $first, orderBy: $by) {
    nodes { ${FEED} } pageInfo { hasNextPage endCursor } } } }`

  it.each(['NEW', 'ACTIVE', 'TOP', 'FOR_YOU'])('by %s is as many statements for 5 as for 50', async (by) => {
    // Her standing, the feed, the posts with what belongs to them, how they stand to her, and what she has not read.
    expect(await statementsOf(mia.token, query, { first: 5, by })).toHaveLength(5)
    expect(await statementsOf(mia.token, query, { first: 50, by })).toHaveLength(5)
    expect(await statementsOf(shop.staff, query, { first: 50, by })).toHaveLength(2)
    const { data } = await shop.ask(mia.token, query, { first: 50, by })
    expect(data.viewer.feed.nodes).toHaveLength(50)
  })
})

/** Thirty posts of as many members in a space, each with a comment. */
const WRITE = `
  select contribution_write(m.id, 'test', jsonb_build_object('kind', 'COMMENT', 'parent', p.outcome ->> 'contribution') || t.text)
  from (select '{"body": "Yes.", "html": "<p>Yes.</p>", "format": "MARKDOWN"}'::jsonb as text) t,
    (select m.id, row_number() over (order by m.id) as n from member m where m.tenant_id = $1 and m.external_id like 'm_%') m,
    lateral (select contribution_write(m.id, 'test', jsonb_build_object('kind', 'POST', 'space',
      (select s.id from space s where s.tenant_id = $1 and s.key = $2)) || t.text) as outcome) p
  where m.n <= 30`

test('a purchase with its lines, its member and what is the member’s is one statement', async () => {
  const query = `{ purchase(orderId: "mia 3") { total state lines { sku amount } member { ${HOME} } } }`
  expect(await statementsOf(shop.staff, query)).toHaveLength(1)
})

test('nodes are one statement for each type among them, however many they are', async () => {
  const { data } = await shop.ask(
    shop.staff,
    '{ members(first: 50) { nodes { id purchases { nodes { id } } } } }',
  )
  const members: string[] = data.members.nodes.map(({ id }: { id: string }) => id)
  const purchases = data.members.nodes.flatMap((node: typeof data) =>
    node.purchases.nodes.map(({ id }: { id: string }) => id),
  )
  const query = `query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Member { ${HOME} } ... on Purchase { orderId } } }`
  expect(await statementsOf(shop.staff, query, { ids: members.slice(0, 1) })).toHaveLength(1)
  expect(await statementsOf(shop.staff, query, { ids: members })).toHaveLength(1)
  const both = [...members.slice(0, 20), ...purchases.slice(0, 12)]
  expect(await statementsOf(shop.staff, query, { ids: both })).toHaveLength(2)
})

describe('a mutation is its function, and one statement for each object of the payload that is asked for', () => {
  const member = { externalId: 'mia' }
  let count = 0
  const order = () => ({
    member,
    orderId: `order ${++count}`,
    purchasedAt: new Date(Date.now() - 1_000).toISOString(),
    currency: 'JPY',
    total: 1200,
  })
  /** What each mutation is given: made when its turn comes. */
  const INPUTS: Record<string, () => object | Promise<object>> = {
    registerMember: () => ({ externalId: `new ${++count}`, displayName: 'New' }),
    updateMember: () => ({ member, displayName: `Mia ${++count}` }),
    recordPurchase: order,
    refundPurchase: async () => {
      const purchase = order()
      await shop.do('recordPurchase', purchase)
      return { orderId: purchase.orderId }
    },
    grantPoints: () => ({ member, points: 10, reason: 'gift' }),
    spendPoints: () => ({ member, points: 1, reason: 'tea' }),
    refundSpend: async () => {
      const { transaction } = await shop.do('spendPoints', { member, points: 1, reason: 'tea' })
      return { transaction: transaction.id, reason: 'cold' }
    },
    holdPoints: () => ({ member, points: 1, expiresIn: 'PT15M', reason: 'till' }),
    captureHold: held,
    voidHold: held,
    moveMember: async () => {
      const { member: moved } = await shop.do('registerMember', {
        externalId: `moved ${++count}`,
        displayName: 'M',
      })
      return { member: { id: moved.id }, stage: 'negotiation', reason: 'called' }
    },
    endMembership: async () => {
      const { member: leaving } = await shop.do('registerMember', {
        externalId: `leaving ${++count}`,
        displayName: 'L',
      })
      return { member: { id: leaving.id }, end: 'LEFT' }
    },
  }
  async function held() {
    const { hold } = await shop.do('holdPoints', { member, points: 1, expiresIn: 'PT15M', reason: 'till' })
    return { hold: hold.id }
  }
  const WALLET = 'wallet { available postings(first: 5) { nodes { points } } }'
  const TRANSACTION = 'transaction { kind points at }'

  it.each([
    ['registerMember', 'isNew member { displayName wallet { available } }', 2],
    ['updateMember', 'member { displayName attributes stage { key } }', 2],
    ['recordPurchase', `purchase { orderId lines { sku } } member { stage { key } } ${TRANSACTION}`, 4],
    ['refundPurchase', 'purchase { state refunded } member { stage { key } }', 3],
    ['grantPoints', `${WALLET} ${TRANSACTION}`, 3],
    ['spendPoints', `${WALLET} ${TRANSACTION}`, 3],
    ['refundSpend', `${WALLET} ${TRANSACTION}`, 3],
    ['holdPoints', `hold { points state expiresAt } ${WALLET}`, 3],
    ['captureHold', `hold { state } ${WALLET} ${TRANSACTION}`, 4],
    ['voidHold', `hold { state } ${WALLET}`, 3],
    ['moveMember', 'member { stage { key } stageHistory { nodes { reason } } }', 2],
    ['endMembership', 'member { membership { status } }', 2],
  ])('%s with %s', async (name, payload, asked) => {
    const make = INPUTS[name] ?? expect.fail(name)
    for (const [select, statements] of [
      ['__typename', 1],
      [payload, asked],
    ] as const) {
      const { query, variables } = mutationOf(name, await make(), select)
      expect(await statementsOf(shop.staff, query, variables), select).toHaveLength(statements)
    }
  })

  it('a refusal is the function alone', async () => {
    const { query, variables } = mutationOf(
      'spendPoints',
      { member, points: 1_000_000, reason: 'all' },
      WALLET,
    )
    const { data, statements } = await shop.ask(shop.staff, query, variables)
    expect(data.spendPoints.__typename).toBe('InsufficientPointsError')
    expect(statements).toEqual([expect.stringContaining('points_spend')])
  })
})

test('a query that reads nothing of the tenant sends nothing, but for the look at a member’s standing', async () => {
  expect(await statementsOf(shop.staff, '{ __typename viewer { kind tenant { key now } scopes } }')).toEqual(
    [],
  )
  expect(await statementsOf(mia.token, '{ __typename }')).toHaveLength(1)
  expect(await statementsOf('', '{ __typename viewer { kind } }')).toEqual([])
})
