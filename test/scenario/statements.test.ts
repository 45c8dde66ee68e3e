import { beforeAll, describe, expect, it } from 'vitest'
import { deliverDue } from '../../api/domains/touchpoints/index.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { mutationOf } from '../support/asking.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'
let shop: Shop
let mia: TestMember

const order = (orderId: string) => ({
  member: mia.by,
  orderId,
  purchasedAt: NOW,
  currency: 'JPY',
  total: 1_000,
})
const held = () => ({ member: mia.by, points: 5, reason: 'Cart', expiresIn: 'PT1H' })
const hold = async () => ({ hold: (await shop.do('holdPoints', held())).hold.id })

beforeAll(async () => {
  shop = await open({ testClock: NOW })
  mia = await shop.member('mia')
  for (let i = 0; i < 25; i++) await shop.member(`guest-${i}`)
  for (let i = 0; i < 25; i++) await shop.do('recordPurchase', order(`old-${i}`))
  await deliverDue(shop.ground.app.db, shop.tenant.id, shop.ground.app.delivery)
})

/** A tenant's stages and model are remembered for two seconds; reading them anew does not count. */
const besidesRules = (statements: readonly string[]) =>
  statements.filter((text) => !text.includes('from freshness_model f where'))

/** Makes the input of a mutation; `n` tells one from the next. */
const INPUTS: Record<string, (n: number) => object | Promise<object>> = {
  registerMember: (n) => ({ externalId: `new-${n}`, displayName: 'New' }),
  updateMember: (n) => ({ member: mia.by, displayName: `Mia ${n}` }),
  recordPurchase: (n) => order(`new-${n}`),
  refundPurchase: (n) => ({ orderId: `old-${n}` }),
  grantPoints: () => ({ member: mia.by, points: 5, reason: 'Welcome' }),
  spendPoints: () => ({ member: mia.by, points: 5, reason: 'Soap' }),
  holdPoints: held,
  captureHold: hold,
  voidHold: hold,
  refundSpend: async () => {
    const { transaction } = await shop.do('spendPoints', { member: mia.by, points: 5, reason: 'Soap' })
    return { transaction: transaction.id, reason: 'Broken' }
  },
  moveMember: async (n) => ({
    member: (await shop.member(`mover-${n}`)).by,
    stage: 'negotiation',
    reason: 'Asked',
  }),
  endMembership: async (n) => ({ member: (await shop.member(`leaver-${n}`)).by, end: 'LEFT' }),
}

describe.each(Object.entries(INPUTS))('%s', (mutation, input) => {
  it('is one statement, and one more for each thing that is asked back', async () => {
    const sent = []
    for (const select of ['__typename', undefined]) {
      const { query, variables } = mutationOf(mutation, await input(sent.length), select)
      const { data, statements } = await shop.ask(shop.staff, query, variables)
      expect(data[mutation].__typename).toMatch(/Payload$/)
      const things = Object.values(data[mutation]).filter(
        (value) => typeof value === 'object' && value !== null,
      )
      sent.push(besidesRules(statements).length - (select === undefined ? things.length : 0))
    }
    expect(sent).toEqual([1, 1])
  })
})

const PERSON = `id displayName stage { key } freshness { score band sentence } membership { status }
  wallet { available pending held debt } nextTouch { __typename }`

/** Queries with `@` for the size of the page, and how many statements each may take. */
it.each([
  [1, `member(by: {externalId: "mia"}) { ${PERSON} email attributes }`],
  [1, `members(first: @) { nodes { ${PERSON} } }`],
  [1, 'members(first: @, filter: {stage: ["prospect"]}, orderBy: COOLEST) { nodes { id } }'],
  [
    1,
    'members(first: @) { nodes { purchases(first: 3) { nodes { orderId lines { sku } } } inbox(first: 3) { nodes { title } } } }',
  ],
  [
    2,
    'members(first: @) { nodes { wallet { expiring(within: "P400D") { points } postings(first: 3) { nodes { explanation } } } } }',
  ],
  [
    1,
    'member(by: {externalId: "mia"}) { purchases(first: @) { nodes { orderId lines { sku } member { displayName } } } }',
  ],
  [
    1,
    'member(by: {externalId: "mia"}) { inbox(first: @) { nodes { title touchpoint { state } } } stageHistory(first: @) { nodes { to { key } } } }',
  ],
  [
    1,
    'member(by: {externalId: "mia"}) { wallet { postings(first: @) { nodes { explanation transaction { kind } } } } }',
  ],
  // The member, the entries, and one for each kind of thing among them.
  [
    6,
    `member(by: {externalId: "mia"}) { timeline(first: @) { nodes { __typename ... on Purchase { orderId }
        ... on PointsTransaction { points } ... on Touchpoint { state } ... on StageChange { to { key } } } } }`,
  ],
])('%i of them at most, whatever the size of the page: %s', async (most, query) => {
  const counts = []
  for (const size of ['9', '25', '100']) {
    const { errors, statements } = await shop.ask(shop.staff, `{ ${query.replaceAll('@', size)} }`)
    expect(errors).toEqual([])
    counts.push(besidesRules(statements).length)
  }
  expect(Math.max(...counts)).toBe(most)
  if (!query.includes('timeline')) expect(counts).toEqual([most, most, most])
})

it("a member's home is one statement beside the one that asks who it is", async () => {
  const { statements } = await shop.ask(
    mia.token,
    `{ viewer { member { ${PERSON} inbox(first: 3) { nodes { title } } } } }`,
  )
  const own = besidesRules(statements)
  expect(own.map((text) => /from (\w+)/.exec(text)?.[1])).toEqual(['member', expect.anything()])
})
