import { isObjectType } from 'graphql'
import { beforeAll, describe, expect, it, test } from 'vitest'
import { deliverDue } from '../../api/domains/touchpoints/index.ts'
import { encodeId } from '../../api/graph/ids.ts'
import { newId } from '../../api/platform/ids.ts'
import { schema } from '../../api/schema.ts'
import { type Shop, testApp } from '../support/app.ts'
import { headOf, history, type Told } from '../support/history.ts'
import { firstSteps, makeWorld, NODE_TYPES, referralCode, type World } from '../support/world.ts'

const open = testApp({ role: 'web' })
let shop: Shop
let elsewhere: Shop
let mia: World
let aki: World
let beginning: string

beforeAll(async () => {
  ;[shop, elsewhere] = [await open({ testClock: '2026-04-01T00:00:00Z' }), await open()]
  beginning = await headOf(shop)
  ;[mia, aki] = [await makeWorld(shop, 'mia'), await makeWorld(shop, 'aki')]
  await shop.do('updateMember', { member: aki.by, displayName: 'Aki B.' })
  const everyone = { name: { en: 'Buyers', ja: 'お客様' }, audience: { stage: ['customer'] }, every: 'P60D' }
  await shop.do('defineSegment', { key: 'buyers', segment: everyone })
  await shop.do('refundPurchase', { orderId: mia.orderId, amount: 100 })
  await bringFriends(mia)
  for (const end of ['fulfilReward', 'cancelRedemption']) {
    const input = { member: mia.by, reward: 'mug' }
    const { redemption } = await shop.do('redeemReward', input, { select: 'redemption { id }' })
    await shop.do(end, { redemption: redemption.id })
  }
  await shop.do('rejectAdjustment', { adjustment: mia.ids.Adjustment }, { as: shop.integration })
  await shop.do('extendPoints', { member: mia.by, within: 'P2Y', by: 'P1D', reason: 'A holiday' })
  await shop.do('transferPoints', { member: mia.by, to: aki.by, points: 1, reason: 'For you' })
  await goThroughOffer(mia)
  await talk()
  await learn(mia)
  await meet()
  await useCoupons()
  await shop.clock('2027-06-01T00:00:00Z')
  await putOff(mia)
  const benefit = { percent: { basisPoints: 500 } }
  const given = await shop.do(
    'giveBenefit',
    { member: mia.by, benefit, reason: 'Sorry' },
    { select: 'benefit { id }' },
  )
  await shop.do('takeBackBenefit', { benefit: given.benefit.id, reason: 'A mistake' })
  const leaver = await shop.member('leaver')
  await befriend()
  await shop.do('pauseMembership', {}, { as: leaver.token })
  await shop.do('resumeMembership', {}, { as: leaver.token })
  await shop.do('leaveProgram', {}, { as: leaver.token })
  await shop.do('returnMembership', { member: leaver.by })
  await shop.do('eraseMember', { member: leaver.by, texts: 'KEEP' })
})

/** Gets to know another member, and writes to it. */
async function befriend() {
  const wish = { messagesFrom: 'MEMBERS', isOpenToIntroductions: true }
  for (const { token } of [mia, aki]) await shop.do('saveProfile', wish, { as: token })
  await shop.do('proposeIntroduction', { to: aki.id }, { as: mia.token })
  await shop.do('answerIntroduction', { to: mia.id, accepts: true }, { as: aki.token })
  await shop.do('sendMessage', { to: aki.id, body: 'Hello' }, { as: mia.token })
}

/** Takes an offer, sees it, completes it, uses it, and gives the purchase back. */
async function goThroughOffer({ by: member }: World) {
  const offer = { type: 'SINGLE_PURCHASE', threshold: 6000, howGiven: 'CLAIMED', stock: 10 }
  await shop.do('defineOffer', { key: 'tea', offer })
  const { receipt } = await shop.do('claimOffer', { member, offer: 'tea' }, { select: 'receipt { id }' })
  await shop.do('viewOffer', { receipt: receipt.id })
  const bought = { orderId: 'tea', purchasedAt: '2026-04-01T00:00:00Z', currency: 'JPY', total: 6000 }
  await shop.do('recordPurchase', { member, ...bought })
  await shop.do('useOffer', { receipt: receipt.id })
  await shop.do('refundPurchase', { orderId: 'tea' })
}

/** Reacts to a comment, which is taken away and brought back; goes, and comes again. */
async function talk() {
  const contribution = aki.ids.Comment
  await shop.do('react', { contribution, kind: 'LIKE' }, { as: mia.token })
  for (const step of ['deleteContribution', 'restoreContribution'])
    await shop.do(step, { contribution }, { as: aki.token })
  for (const step of ['leaveSpace', 'joinSpace'])
    await shop.do(step, { space: aki.ids.Space }, { as: aki.token })
  // What mia flags is taken away, asked for again and brought back; and mia is trusted for a thread that it reads.
  await shop.do('flagContribution', { contribution, reason: 'OTHER' }, { as: mia.token })
  await shop.do('decideModeration', { contribution, version: 2, decision: 'REMOVED' })
  await shop.do('appealModeration', { contribution, text: 'Why?' }, { as: aki.token })
  await shop.do('decideModeration', { contribution, version: 4, decision: 'KEPT' })
  await shop.do('defineModeration', {
    ...{ limits: [], repeatWithin: 'PT5M', reviewFirst: 0, hideAt: 8, keepFor: 'P14D', keepShare: 90 },
    trust: [{ level: 1, threads: 1, days: 1, given: 0, received: 0 }],
  })
  for (const { token } of [mia, aki]) await shop.do('markRead', { thread: contribution }, { as: token })
  const { Question: question, Answer: answer } = aki.ids
  await shop.do('acceptAnswer', { question, answer }, { as: aki.token })
  await shop.do('unacceptAnswer', { question }, { as: aki.token })
  await shop.do('closeQuestion', { question, reason: 'SOLVED' }, { as: aki.token })
  await shop.do('reopenQuestion', { question }, { as: aki.token })
  await shop.do('requestAnswer', { question, member: mia.by })
  // Nobody answers this one, and staff are called.
  const space = (
    await shop.ask(shop.staff, '{ spaces(first: 50) { nodes { id kind } } }')
  ).data.spaces.nodes.find(({ kind }: { kind: string }) => kind === 'QA').id
  await shop.do('askQuestion', { space, title: 'Why?', body: 'Tell me.' }, { as: aki.token })
  const said = { on: question, body: 'Because.' }
  const { comment } = await shop.do('addComment', said, { as: mia.token, select: 'comment { id }' })
  await shop.do('convertToAnswer', { reply: comment.id })
  await shop.do('thankAnswer', { answer }, { as: mia.token })
}

/** Reads, rates and looks at what is published, finishes a course, and misses an issue. */
async function learn({ by: member, ids }: World) {
  await shop.do('rateContent', { member, content: ids.Content, rating: 'USEFUL' })
  await shop.do('finishLesson', { member, lesson: ids.Lesson })
  await shop.do('saveChecklist', { ...firstSteps, key: 'other' })
  await shop.do('doChecklistStep', { member, checklist: 'other', step: 'unpack' })
  const body = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
  const file = { name: 'a.png', mediaType: 'image/png', size: body.length }
  const { asset, upload } = await shop.do('createUpload', file, { select: 'asset { id } upload { url }' })
  await fetch(upload.url, { method: 'PUT', body })
  await shop.do('attachAsset', { asset: asset.id, to: ids.Content })
  await shop.do('recordAssetProgress', { member, asset: asset.id, percent: 50 })
  const series = { key: 'yearly', name: { en: 'Yearly', ja: '毎年' }, every: 'P1Y' }
  await shop.do('saveContentSeries', { ...series, firstBy: '2027-05-01T00:00:00Z' })
}

/** An idea that is planned, a gathering whose seat goes on, a test sale with an answer, a complaint, and a stumble that staff are told of. */
async function meet() {
  const { Space: space } = mia.ids
  const post = async (more: object) => {
    const given = { space, title: 'Tea', body: `Tea ${JSON.stringify(more)}.`, ...more }
    return (await shop.do('publishPost', given, { as: mia.token, select: 'post { id }' })).post.id
  }
  await shop.do('setIdeaStatus', { post: await post({ kind: 'IDEA' }), status: 'PLANNED' })
  const gathering = {
    startsAt: '2026-05-01T00:00:00Z',
    endsAt: '2026-05-02T00:00:00Z',
    place: 'Kyoto',
    seats: 1,
  }
  const meeting = await post({ kind: 'EVENT', gathering })
  for (const { token: as } of [mia, aki])
    await shop.do('answerGathering', { post: meeting, isComing: true }, { as })
  await shop.do('answerGathering', { post: meeting, isComing: false }, { as: mia.token })
  const form = [{ key: 'smell', label: 'How is it?', kind: 'SCALE' }]
  await shop.do('openTestSale', { key: 'soap', title: 'Soap', description: 'Soap.', form, stock: 1 })
  await shop.do('takeFromTestSale', { key: 'soap' }, { as: mia.token })
  await shop.do(
    'answerResearch',
    { key: 'soap', answers: [{ question: 'smell', number: 5 }] },
    { as: mia.token },
  )
  const complaint = await post({ kind: 'TALK' })
  await shop.do('markAsComplaint', { post: complaint }, { as: mia.token })
  await shop.do('resolveComplaint', { post: complaint, body: 'Mended.' })
  const title = { en: 'Offer help', ja: '声をかける' }
  await shop.do('defineOutreach', { key: 'help', signal: 'STUMBLE', times: 1, within: 'P1D', title })
  await shop.do('reportStumble', { feature: 'checkout' }, { as: mia.token })
}

/** Begins a campaign that has a stock, and uses a coupon. */
async function useCoupons() {
  const campaign = { name: { en: 'Spring', ja: '春' }, stock: 5 }
  await shop.do('defineCampaign', { key: 'spring', campaign })
  await shop.do('activateCampaign', { campaign: 'spring' })
  await shop.do('redeemCoupon', { member: mia.by, code: 'TEAmia' })
}

/** Friends of the member's: one who buys, one who gives it back, one who is the member itself. */
async function bringFriends({ by: mia }: World) {
  const code = await referralCode(shop, mia)
  await shop.do('noteReferralSignals', { member: mia, signals: { device: 'hers' } })
  for (const device of ['one', 'two', 'hers']) {
    const { by: member } = await shop.member(`friend with ${device}`)
    await shop.do('claimReferral', { member, code, signals: { device } })
    const order = {
      orderId: `order with ${device}`,
      purchasedAt: '2026-04-01T00:00:00Z',
      currency: 'JPY',
      total: 1,
    }
    await shop.do('recordPurchase', { member, ...order })
  }
  await shop.do('refundPurchase', { orderId: 'order with two' })
}

/** Has a touch of the member's put off: its channel is not there. */
async function putOff(member: World) {
  const { app } = shop.ground
  const said = '{"template": "thank-you", "parameters": {}}'
  await app.db.tenant(shop.tenant.id).query({
    text: `select touchpoint_plan((select m.id from member m where own(m) and m.external_id = $1), '{gone}', 'service',
      $2, tenant_now(current_tenant()), 'test', 'put off', tenant_now(current_tenant()))`,
    values: [member.by.externalId, said],
  })
  await deliverDue(app.db, shop.tenant.id, app.delivery)
  app.events.poke()
}

/** The scope that each type needs of staff and integrations. A type without one here fails the test. */
const SCOPES: Record<string, string> = {
  Address: 'consents:read',
  Adjustment: 'points:read',
  Answer: 'community:read',
  Asset: 'community:read',
  Benefit: 'benefits:read',
  Broadcast: 'touchpoints:read',
  Comment: 'community:read',
  Consent: 'consents:read',
  ConsentChange: 'consents:read',
  Content: 'community:read',
  ContentCard: 'community:read',
  ContentIdea: 'community:read',
  CouponRedemption: 'coupons:read',
  Course: 'community:read',
  Delivery: 'touchpoints:read',
  Enrolment: 'community:read',
  EntitlementUse: 'benefits:read',
  FaqEntry: 'community:read',
  Hold: 'points:read',
  InboxItem: 'touchpoints:read',
  IssuedCoupon: 'coupons:read',
  Lesson: 'community:read',
  Member: 'members:read',
  MemberChecklist: 'community:read',
  MemberNote: 'notes:read',
  MembershipChange: 'members:read',
  Notification: 'community:read',
  Offer: 'offers:read',
  OfferReceipt: 'offers:read',
  PartnerMovement: 'partners:read',
  PointsTransaction: 'points:read',
  Post: 'community:read',
  Posting: 'points:read',
  Purchase: 'purchases:read',
  Question: 'community:read',
  Referral: 'referrals:read',
  Reward: 'rewards:read',
  RewardRedemption: 'rewards:read',
  Signal: 'touchpoints:read',
  Space: 'community:read',
  StageChange: 'members:read',
  Suppression: 'consents:read',
  Task: 'touchpoints:read',
  Template: 'touchpoints:read',
  TierDecision: 'members:read',
  Touchpoint: 'touchpoints:read',
  Wallet: 'points:read',
  WebhookEndpoint: 'settings',
  WebhookFailure: 'settings',
}
/** What members do not see, their own neither: how the tenant's channels work, and what it is about to say. */
const INNER = [
  'Adjustment',
  'Broadcast',
  'ContentIdea',
  'Delivery',
  'MemberNote',
  'PartnerMovement',
  'Signal',
  'Task',
  'Template',
  'WebhookEndpoint',
  'WebhookFailure',
]
/** Of these, what the database itself keeps from members: for them it is not there. */
const WALLED = ['MemberNote']
/** What is the tenant's and no member's: every member sees it. */
const COMMON = [
  ...[
    'Post',
    'Answer',
    'Comment',
    'Content',
    'ContentCard',
    'Course',
    'FaqEntry',
    'Lesson',
    'Question',
    'Reward',
    'Space',
  ],
]
/** What no integration sees, whatever its scopes. */
const STAFFS = ['InboxItem', 'WebhookEndpoint', 'WebhookFailure']
const ALL = [...new Set(Object.values(SCOPES))]
const without = (scope: string | undefined) => ALL.filter((each) => each !== scope).join(' ')

async function see(token: string, id: string | undefined) {
  const { data, errors } = await shop.ask(token, 'query ($id: ID!) { node(id: $id) { id __typename } }', {
    id,
  })
  return errors[0]?.code ?? (data.node && [data.node.__typename, data.node.id])
}

test('every type that can be fetched by id is judged below', () => {
  expect(Object.keys(SCOPES)).toEqual(NODE_TYPES)
})

describe.each(NODE_TYPES)('a %s', (type) => {
  const scope = SCOPES[type]
  const isStaffs = STAFFS.includes(type)
  const isInner = INNER.includes(type)
  const isCommon = COMMON.includes(type)

  it(`of its own is ${isInner ? 'not ' : ''}there for a member, another’s is ${isCommon ? 'too' : 'not'}`, async () => {
    const seen = [await see(mia.token, mia.ids[type]), await see(mia.token, aki.ids[type])]
    const others = isCommon ? [type, aki.ids[type]] : null
    const inner = WALLED.includes(type) ? null : 'FORBIDDEN'
    expect(seen).toEqual(isInner ? [inner, inner] : [[type, mia.ids[type]], others])
  })

  it('is there for staff with its scope, and forbidden to staff with every other', async () => {
    expect(await see(await shop.token('staff', 'anna', scope), aki.ids[type])).toEqual([type, aki.ids[type]])
    expect(await see(await shop.token('staff', 'anna', without(scope)), aki.ids[type])).toBe('FORBIDDEN')
    expect(await see(await shop.token('staff', 'anna'), aki.ids[type])).toBe('FORBIDDEN')
  })

  it(`is ${isStaffs ? 'never ' : ''}there for an integration with its scope, and forbidden to one with every other`, async () => {
    const allowed = await see(await shop.token('integration', 'till', scope), aki.ids[type])
    expect(allowed).toEqual(isStaffs ? 'FORBIDDEN' : [type, aki.ids[type]])
    expect(await see(await shop.token('integration', 'till', without(scope)), aki.ids[type])).toBe(
      'FORBIDDEN',
    )
  })

  it('is nothing to another tenant, its staff and its members alike, and asks the anonymous who they are', async () => {
    const stranger = await elsewhere.member('mia')
    for (const token of [elsewhere.staff, elsewhere.integration, stranger.token]) {
      expect(await see(token, mia.ids[type])).toBeNull()
    }
    expect(await see('', mia.ids[type])).toBe('UNAUTHENTICATED')
  })

  it('that never was is null', async () => {
    const id = encodeId(type, type === 'Posting' ? `${newId()}.1` : newId())
    expect([await see(shop.staff, id), await see(mia.token, id)]).toEqual([null, null])
  })
})

test('nodes keeps the order of its ids, with null for what is not to be seen', async () => {
  const query = 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }'
  const types = NODE_TYPES.filter((type) => !INNER.includes(type) && !COMMON.includes(type))
  const own = types.map((type) => mia.ids[type] ?? '')
  const mixed = own.flatMap((id, i) => [id, aki.ids[types[i] ?? ''] ?? ''])
  const { data, errors } = await shop.ask(mia.token, query, { ids: mixed })
  expect(errors).toEqual([])
  expect(data.nodes).toEqual(own.flatMap((id) => [{ id }, null]))
  const all = await shop.ask(shop.staff, query, { ids: mixed })
  expect(all.data.nodes).toEqual(mixed.map((id) => ({ id })))
})

test('a member finds itself and what is its own, and nobody else', async () => {
  const query = `query ($me: MemberBy!, $her: MemberBy!, $mine: String!, $hers: String!) {
    me: member(by: $me) { externalId } her: member(by: $her) { externalId }
    mine: purchase(orderId: $mine) { orderId } hers: purchase(orderId: $hers) { orderId } }`
  const variables = { me: mia.by, her: { id: aki.id }, mine: mia.orderId, hers: aki.orderId }
  const { data } = await shop.ask(mia.token, query, variables)
  expect(data).toEqual({ me: { externalId: 'mia' }, her: null, mine: { orderId: mia.orderId }, hers: null })
})

test.each(['{ members { nodes { id } } }', '{ ledgerCheck { wallets } }'])(
  '%s is not for members',
  async (query) => {
    const { data, errors } = await shop.ask(mia.token, query)
    expect([Object.values(data), errors]).toMatchObject([[null], [{ code: 'FORBIDDEN' }]])
  },
)

// Each waits a second for a checkpoint behind what is hidden.
describe.concurrent('events', () => {
  const EVENT_SCOPES: Record<string, string> = {
    activity: 'members:read',
    address: 'consents:read',
    asset: 'community:read',
    answer: 'community:read',
    badge: 'community:read',
    benefit: 'benefits:read',
    campaign: 'coupons:read',
    comment: 'community:read',
    complaint: 'community:read',
    checklist: 'community:read',
    consent: 'consents:read',
    contribution: 'community:read',
    content: 'community:read',
    coupon: 'coupons:read',
    course: 'community:read',
    delivery: 'touchpoints:read',
    faq: 'community:read',
    flag: 'community:read',
    lesson: 'community:read',
    gathering: 'community:read',
    idea: 'community:read',
    introduction: 'messages:read',
    message: 'messages:read',
    member: 'members:read',
    membership: 'members:read',
    note: 'notes:read',
    notification: 'community:read',
    outreach: 'touchpoints:read',
    points: 'points:read',
    post: 'community:read',
    program: 'program:read',
    purchase: 'purchases:read',
    question: 'community:read',
    reaction: 'community:read',
    segment: 'members:read',
    referral: 'referrals:read',
    research: 'community:read',
    reward: 'rewards:read',
    series: 'community:read',
    signal: 'touchpoints:read',
    space: 'community:read',
    stumble: 'community:read',
    test_sale: 'community:read',
    offer: 'offers:read',
    tier: 'members:read',
    touchpoint: 'touchpoints:read',
    trust: 'members:read',
  }
  const scopeOf = ({ type }: Told) => EVENT_SCOPES[type.split('.')[0] ?? '']
  let all: Told[]
  beforeAll(async () => {
    all = await history(shop, shop.staff, { after: beginning })
  })

  it('of every type happened here', () => {
    const types = Object.values(schema.getTypeMap())
      .filter((type) => isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Event'))
      .map(({ name }) => name)
    const happened = [...new Set(all.map(({ type }) => type))].map((type) =>
      type.replace(/(^|[._])(\w)/g, (_, __, first) => first.toUpperCase()),
    )
    expect(happened.sort()).toEqual(types.sort())
  })

  // No event is about settings or partners: points tell of themselves.
  it.each(ALL.filter((scope) => !['settings', 'partners:read'].includes(scope)))(
    'with %s alone are those of this scope, for staff and integrations',
    async (scope) => {
      const expected = all.filter((event) => scopeOf(event) === scope).map(({ id }) => id)
      expect(expected.length).toBeGreaterThan(1)
      for (const kind of ['staff', 'integration'] as const) {
        const token = await shop.token(kind, 'anna', scope)
        const told = await history(shop, token, { after: beginning })
        expect(told.map(({ id }) => id)).toEqual(expected)
        // Whom it is about is told to those who may read members.
        expect(told.every(({ member }) => (member !== null) === (scope === 'members:read'))).toBe(true)
      }
    },
  )

  it('without any scope are none', async () => {
    expect(await history(shop, await shop.token('staff', 'anna'), { after: beginning })).toEqual([])
  })

  it.each(['ws', 'sse'] as const)(
    'of a member are those about itself and what it may read, over %s',
    async (transport) => {
      const readable = [
        'comment.published',
        'content.published',
        'contribution.state_changed',
        'post.published',
        'question.asked',
        'question.closed',
        ...[
          'contribution.moved',
          'faq.published',
          'question.reopened',
          'answer.given',
          'answer.accepted',
          'answer.unaccepted',
        ],
      ]
      const own = all.filter(({ member, type }) => member?.id === mia.id || readable.includes(type))
      expect(own.length).toBeGreaterThan(8)
      const told = await history(shop, mia.token, { after: beginning, transport })
      expect(told.map(({ id }) => id)).toEqual(own.map(({ id }) => id))
    },
  )

  it('can be asked for by type and by member', async () => {
    const types = ['points.posted', 'touchpoint.planned']
    const expected = all.filter(({ type }) => types.includes(type))
    expect(await history(shop, shop.staff, { after: beginning, types })).toEqual(expected)
    const about = all.filter(({ member }) => member?.id === aki.id)
    expect(await history(shop, shop.staff, { after: beginning, member: aki.id })).toEqual(about)
    expect(await history(shop, mia.token, { after: beginning, member: aki.id })).toEqual([])
  })

  it('of another tenant are unreachable: its cursor is bad input', async () => {
    const query = 'subscription ($after: Cursor) { events(after: $after) { __typename } }'
    const response = await fetch(elsewhere.url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${elsewhere.staff}`,
        accept: 'text/event-stream',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ query, variables: { after: beginning } }),
    })
    expect(await response.text()).toContain('"code":"BAD_INPUT","field":"after"')
  })
})
