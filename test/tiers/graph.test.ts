import { beforeAll, describe, expect, it, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { headOf, history } from '../support/history.ts'
import type { TestMember } from '../support/shop.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T09:00:00+09:00'

const tier = (key: string, ja: string, threshold: number) => ({
  key,
  name: { en: key.charAt(0).toUpperCase() + key.slice(1), ja },
  threshold,
})
const TIERS = [
  tier('bronze', 'ブロンズ', 0),
  tier('silver', 'シルバー', 1_000),
  tier('gold', 'ゴールド', 5_000),
]
const LADDER = {
  tiers: TIERS,
  measure: { spend: { currency: 'JPY' } },
  window: { calendar: 'YEAR' },
  falls: 'FULL',
}

const OUTLOOK =
  'tier { key } missing unit measure dueAt en: sentence(locale: "en") ja: sentence(locale: "ja")'
const STANDING = `ladder tier { key name position threshold } since expiresAt isManual isGrace measured
  toStay { ${OUTLOOK} } toNext { ${OUTLOOK} }`

async function standing(shop: Shop, { by }: TestMember, ladder = 'default') {
  const query = `query ($by: MemberBy!, $ladder: String) { member(by: $by) { tier(ladder: $ladder) { ${STANDING} } } }`
  const { data, errors } = await shop.ask(shop.staff, query, { by, ladder })
  expect(errors).toEqual([])
  return data.member.tier
}

async function newShop(ladder: object = LADDER): Promise<Shop> {
  const shop = await open({ testClock: NOW })
  await shop.do('defineTierLadder', { ladder })
  return shop
}

let orders = 0
const buy = (shop: Shop, member: TestMember, total: number, purchasedAt: string) =>
  shop.do('recordPurchase', {
    member: member.by,
    orderId: `o-${++orders}`,
    purchasedAt,
    currency: 'JPY',
    total,
  })

describe('where a member stands', () => {
  it('is told with what it takes to stay and to rise, in figures and in words', async () => {
    const shop = await newShop()
    const mia = await shop.member('mia')
    await buy(shop, mia, 2_000, NOW)
    await shop.clock('2027-02-01T00:00:00+09:00')
    await buy(shop, mia, 400, '2027-02-01T00:00:00+09:00')
    const money = { unit: 'JPY', measure: 'SPEND', dueAt: '2027-12-31T15:00:00.000Z' }
    expect(await standing(shop, mia)).toEqual({
      ladder: 'default',
      tier: { key: 'silver', name: 'シルバー', position: 2, threshold: '1000' },
      since: '2026-04-01T00:00:00.000Z',
      expiresAt: '2027-12-31T15:00:00.000Z',
      isManual: false,
      isGrace: false,
      measured: '400',
      toStay: {
        tier: { key: 'silver' },
        missing: '600',
        ...money,
        en: 'Spend ¥600 more by 31 December 2027 to stay Silver.',
        ja: '2027年12月31日までにあと￥600のお買い上げでシルバーを維持できます。',
      },
      toNext: {
        tier: { key: 'gold' },
        missing: '4600',
        ...money,
        en: 'Spend ¥4,600 more by 31 December 2027 to become Gold.',
        ja: '2027年12月31日までにあと￥4,600のお買い上げでゴールドになります。',
      },
    })
  })

  it('is told by the member itself, with the whole history of decisions', async () => {
    const shop = await newShop()
    const mia = await shop.member('mia')
    await buy(shop, mia, 6_000, NOW)
    await shop.clock('2028-01-02T00:00:00+09:00')
    const query = `{ viewer { member { tier { tier { key } toStay { missing } toNext { missing } }
      tierHistory { nodes { number from to cause at expiresAt version basis { measured threshold beginsAt endsAt } } } } } }`
    const { data } = await shop.ask(mia.token, query)
    expect(data.viewer.member.tier).toEqual({
      tier: { key: 'bronze' },
      toStay: null,
      toNext: { missing: '1000' },
    })
    const [fall, keep] = data.viewer.member.tierHistory.nodes
    expect(fall).toEqual({
      ...{ number: 4, from: 'gold', to: 'bronze', cause: 'FALL', version: 1 },
      ...{ at: '2027-12-31T15:00:00.000Z', expiresAt: null },
      basis: {
        ...{ measured: '0', threshold: '0' },
        ...{ beginsAt: '2026-12-31T15:00:00.000Z', endsAt: '2027-12-31T15:00:00.000Z' },
      },
    })
    expect(keep).toMatchObject({ cause: 'KEEP', basis: { measured: '6000', threshold: '5000' } })
  })

  it('says in a grace until when what is missing can still be reached', async () => {
    const shop = await newShop({ ...LADDER, grace: { months: 1 } })
    const mia = await shop.member('mia')
    await buy(shop, mia, 1_000, NOW)
    await shop.clock('2028-01-10T00:00:00+09:00')
    await buy(shop, mia, 300, '2028-01-10T00:00:00+09:00')
    expect(await standing(shop, mia)).toMatchObject({
      tier: { key: 'silver' },
      isGrace: true,
      expiresAt: '2028-01-31T15:00:00.000Z',
      toStay: { missing: '700', en: 'Spend ¥700 more by 31 January 2028 to stay Silver.' },
    })
  })

  it('says with a rolling window what will be missing when the oldest leaves it', async () => {
    const shop = await newShop({ ...LADDER, window: { rolling: { days: 30 } } })
    const mia = await shop.member('mia')
    await buy(shop, mia, 800, NOW)
    await shop.clock('2026-04-11T09:00:00+09:00')
    await buy(shop, mia, 300, '2026-04-11T09:00:00+09:00')
    expect(await standing(shop, mia)).toMatchObject({
      measured: '1100',
      expiresAt: '2026-05-01T00:00:00.000Z',
      toStay: { missing: '700', dueAt: '2026-05-01T00:00:00.000Z' },
      toNext: { missing: '3900' },
    })
  })
})

describe('by hand', () => {
  let shop: Shop
  let mia: TestMember
  beforeAll(async () => {
    shop = await newShop()
    mia = await shop.member('mia')
  })
  const select =
    'decision { cause from to reason basis { earned } } member { tier { tier { key } isManual toStay { missing } } }'

  it('staff move a member with a reason, and it is told', async () => {
    const after = await headOf(shop)
    const input = {
      member: mia.by,
      tier: 'gold',
      until: '2026-06-01T00:00:00+09:00',
      reason: 'A mishap of ours',
    }
    expect(await shop.do('moveTier', input, { select })).toMatchObject({
      decision: {
        cause: 'MANUAL',
        from: 'bronze',
        to: 'gold',
        reason: 'A mishap of ours',
        basis: { earned: 'bronze' },
      },
      member: { tier: { tier: { key: 'gold' }, isManual: true, toStay: null } },
    })
    const selection = '... on TierChanged { decision { from to } }'
    expect(await history(shop, shop.staff, { after, types: ['tier.changed'], selection })).toMatchObject([
      { decision: { from: 'bronze', to: 'gold' } },
    ])
  })

  it.each([
    ['an integration', 'integration', 'tiers:write'],
    ['staff without the scope', 'staff', 'points:write'],
  ] as const)('%s may not', async (_, kind, scopes) => {
    const as = await shop.token(kind, 'x', scopes)
    const input = { member: mia.by, tier: 'gold', reason: 'I like her' }
    expect(await shop.do('moveTier', input, { as })).toMatchObject({ code: 'FORBIDDEN' })
  })

  it.each([
    [{ tier: 'platinum' }, { code: 'NOT_FOUND', what: 'tier' }],
    [{ ladder: 'other' }, { code: 'NOT_FOUND', what: 'ladder' }],
    [{ member: { externalId: 'nobody' } }, { code: 'NOT_FOUND', what: 'member' }],
    [{ until: '2026-01-01T00:00:00Z' }, { code: 'BAD_INPUT', field: 'input.until' }],
    [{ reason: ' ' }, { code: 'BAD_INPUT', field: 'input.reason' }],
  ])('%j is refused', async (change, refusal) => {
    const input = { member: mia.by, tier: 'silver', reason: 'A mishap of ours', ...change }
    expect(await shop.do('moveTier', input)).toMatchObject(refusal)
  })
})

test('rules ask for tiers, of the usual ladder and of another', async () => {
  const shop = await newShop()
  await shop.do('defineTierLadder', { key: 'club', ladder: { ...LADDER, measure: { purchases: true } } })
  const mia = await shop.member('mia')
  const members = async (filter: object) => {
    const query = 'query ($filter: AudienceInput!) { members(filter: $filter) { nodes { externalId } } }'
    return (await shop.ask(shop.staff, query, { filter })).data.members.nodes.map(
      ({ externalId }: { externalId: string }) => externalId,
    )
  }
  await shop.member('aki')
  await buy(shop, mia, 1_000, NOW)
  expect(await members({ tier: ['silver', 'gold'] })).toEqual(['mia'])
  expect(await members({ tier: ['club:silver'] })).toEqual([])
  expect(await members({ tier: ['club:bronze'] })).toEqual(['aki', 'mia'])
  expect(await members({ not: { tier: ['silver'] } })).toEqual(['aki'])
})

test('a ladder can be tried first: it moves those that it said it would, and nobody before', async () => {
  const shop = await open({ testClock: NOW })
  const people = [await shop.member('mia'), await shop.member('aki'), await shop.member('ren')]
  for (const [i, member] of people.entries()) await buy(shop, member, i * 1_000, NOW)
  const query = 'query ($ladder: TierLadderInput!) { previewTierLadder(ladder: $ladder) { from to members } }'
  const { data } = await shop.ask(shop.staff, query, { ladder: LADDER })
  const moves = [
    { from: null, to: 'silver', members: 2 },
    { from: null, to: 'bronze', members: 1 },
  ]
  expect(data.previewTierLadder).toEqual(moves)
  expect((await shop.ask(shop.staff, '{ tiers { key } }')).data.tiers).toBeNull()
  await shop.do('defineTierLadder', { ladder: LADDER })
  await shop.clock(NOW)
  const tiers = await Promise.all(people.map(async (member) => (await standing(shop, member)).tier.key))
  expect(tiers).toEqual(['bronze', 'silver', 'silver'])
  expect((await shop.ask(shop.staff, query, { ladder: LADDER })).data.previewTierLadder).toEqual([])
})

test.each([
  [{ activities: { name: 'lesson.finished' } }, 'recordActivity'],
  [{ purchases: true }, 'recordPurchase'],
])('a ladder may count %j', async (measure, mutation) => {
  const tiers = TIERS.map((each, i) => ({ ...each, threshold: i * 2 }))
  const shop = await newShop({ ...LADDER, tiers, measure })
  const mia = await shop.member('mia')
  for (const n of [1, 2, 3]) {
    const done = { name: 'lesson.finished', key: `lesson ${n}` }
    const bought = { orderId: `o ${n}`, purchasedAt: NOW, currency: 'JPY', total: 0 }
    await shop.do(mutation, { member: mia.by, ...(mutation === 'recordActivity' ? done : bought) })
  }
  expect(await standing(shop, mia)).toMatchObject({
    tier: { key: 'silver' },
    measured: '3',
    toNext: { missing: '1', tier: { key: 'gold' } },
  })
})

test('an import brings the tiers of the past with it', async () => {
  const shop = await newShop()
  const rows = [1, 2].map((line) => ({
    ...{
      line,
      external_id: 'mia',
      order_id: `i-${line}`,
      purchased_at: '2025-12-01T00:00:00Z',
      currency: 'JPY',
    },
    ...{ total: 600, lines: [], is_local: false },
  }))
  const { app } = shop.ground
  const text = 'select purchase_import($1::jsonb, $2) as done'
  await app.db.tenant(shop.tenant.id).query({ text, values: [JSON.stringify(rows), 'staff:anna'] })
  const query = '{ member(by: {externalId: "mia"}) { tierHistory { nodes { to cause } } } }'
  expect((await shop.ask(shop.staff, query)).data.member.tierHistory.nodes).toEqual([
    { to: 'silver', cause: 'IMPORT' },
    { to: 'bronze', cause: 'RISE' },
  ])
})

test.each([
  [{ tiers: [] }, 'tiers'],
  [{ tiers: [TIERS[1], TIERS[1]] }, 'tiers.1.threshold'],
  [{ tiers: [TIERS[0], { ...TIERS[1], key: 'bronze' }] }, 'tiers.1.key'],
  [{ validFor: { months: 1 } }, 'validFor'],
  [{ window: { rolling: { months: 1, days: 1 } } }, 'window.rolling'],
  [{ window: { sinceTierStart: true } }, 'validFor'],
  [{ window: { rolling: { months: 1 } }, falls: 'ONE_LEVEL' }, 'validFor'],
  [{ falls: 'NEVER', grace: { days: 1 } }, 'grace'],
  [{ measure: { balance: {} }, window: { rolling: { days: 1 } } }, 'window'],
  [{ measure: { pointsEarned: { currency: 'points' } } }, 'measure.pointsEarned.currency'],
  [{ measure: { purchases: false } }, 'measure.purchases'],
])('a ladder with %j is refused by the name of the field', async (change, field) => {
  const shop = await open()
  const answer = await shop.do('defineTierLadder', { ladder: { ...LADDER, ...change } })
  expect(answer).toMatchObject({ code: 'BAD_INPUT', field: `input.ladder.${field}` })
})
