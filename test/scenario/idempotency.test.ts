import { randomUUID } from 'node:crypto'
import { getNamedType, isInputObjectType } from 'graphql'
import { describe, expect, it, test } from 'vitest'
import { schema } from '../../api/schema.ts'
import { MEMBERS_ALONE } from '../security/own.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { fingerprint } from '../support/fingerprint.ts'
import { idOfKind, makeSpace, write } from '../support/house.ts'
import { articleIn, courseIn, LADDER, makeLibrary, makeTask, referralCode } from '../support/world.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'

/** A question that mia asked, with an answer by staff. */
async function answered(shop: Shop) {
  const space = await makeSpace(shop, 'qa', { kind: 'QA' })
  const as = await shop.token('member', 'mia')
  const asked = { space, title: 'Tea?', body: 'Which?' }
  const { question } = await shop.do('askQuestion', asked, { as, select: 'question { id }' })
  const given = { question: question.id, body: 'Barley.' }
  const { answer } = await shop.do('answerQuestion', given, { select: 'answer { id }' })
  return { question: question.id, answer: answer.id }
}

/** Makes what a mutation needs, and gives its input and another one for the same key. */
type Making = (shop: Shop, mia: TestMember) => Promise<readonly [object, object]> | readonly [object, object]

const order = (by: object, orderId: string = randomUUID()) => ({
  member: by,
  orderId,
  purchasedAt: NOW,
  currency: 'JPY',
  total: 900,
})
const grant = (shop: Shop, member: object) =>
  shop.do('grantPoints', { member, points: 100, reason: 'Welcome' })
const hold = async (shop: Shop, member: object) => {
  await grant(shop, member)
  return shop.do('holdPoints', { member, points: 40, expiresIn: 'PT1H', reason: 'Cart' })
}

const askedFor = async (shop: Shop, member: object) => {
  const asked = { member, points: 20_000, reason: 'A mistake' }
  return (await shop.do('adjustPoints', asked, { as: shop.integration })).adjustment.id
}
const defineOffer = (shop: Shop, howGiven: string) =>
  shop.do('defineOffer', { key: 'tea', offer: { type: 'SINGLE_PURCHASE', threshold: 1, howGiven } })

const message = { purpose: 'service', template: 'thank-you' }

const definePartner = (shop: Shop) =>
  shop.do('definePartner', {
    key: 'cafe',
    partner: {
      name: { en: 'Café', ja: 'カフェ' },
      earn: { minor: 100, points: 1, money: 'JPY' },
      canBurn: true,
      settlement: { money: 'JPY', issuedMicro: 0, burnedMicro: 0 },
    },
  })

const MAKINGS: Record<string, Making> = {
  registerMember: () => {
    const input = { externalId: randomUUID(), displayName: 'Aki' }
    return [input, { ...input, displayName: 'Aki Ito' }]
  },
  recordPurchase: (_, { by }) => [order(by), order(by)],
  async refundPurchase(shop, { by }) {
    const input = order(by)
    await shop.do('recordPurchase', input)
    return [
      { orderId: input.orderId, amount: 300 },
      { orderId: input.orderId, amount: 301 },
    ]
  },
  addMemberNote: (_, { by: member }) => [
    { member, body: 'Likes tea.' },
    { member, body: 'Likes coffee.' },
  ],
  async publishContent(shop) {
    const article = articleIn(await makeLibrary(shop))
    return [article, { ...article, title: 'Very dry skin' }]
  },
  async recordTeaserViews(shop) {
    const said = { space: await makeSpace(shop, 'tips'), kind: 'TIP', title: 'Tip', body: 'Use little.' }
    const { post } = await shop.do('publishPost', said, { select: 'post { id }' })
    await shop.do('teaseThread', { contribution: post.id, teaser: 'A tip.' })
    const views = { contribution: post.id, day: '2026-03-01', views: 3 }
    return [views, { ...views, views: 4 }]
  },
  recordMention: () => {
    const mention = { source: 'news', url: 'https://news.example/tea', at: NOW }
    return [mention, { ...mention, url: 'https://news.example/soap' }]
  },
  async registerProspect(shop) {
    const pdf = Buffer.from('%PDF-1.7 tea')
    const file = { name: 'a.pdf', mediaType: 'application/pdf', size: pdf.length, isDownload: true }
    const { asset, upload } = await shop.do('createUpload', file, { select: 'asset { id } upload { url }' })
    await fetch(upload.url, { method: 'PUT', body: pdf })
    const input = {
      ...{ asset: asset.id, email: 'rin@example.com', displayName: 'Rin' },
      ...{ purpose: 'newsletter', textVersion: '1' },
    }
    return [input, { ...input, displayName: 'Rin Ito' }]
  },
  async promotePostToContent(shop) {
    const { title: _, body: __, ...article } = articleIn(await makeLibrary(shop))
    const said = { space: await makeSpace(shop, 'tips'), kind: 'TIP', title: 'Tip', body: 'Use little.' }
    const { post } = await shop.do('publishPost', said, { select: 'post { id }' })
    return [
      { ...article, post: post.id },
      { ...article, post: post.id, title: 'Another' },
    ]
  },
  async enrolInCourse(shop, { by: member }) {
    await shop.do('saveCourse', { key: 'skin', course: courseIn(await makeLibrary(shop)) })
    return [
      { member, course: 'skin' },
      { member, course: 'skin', isAnew: true },
    ]
  },
  async finishLesson(shop, { by: member }) {
    const course = courseIn(await makeLibrary(shop))
    const lessons = [...course.lessons, { key: 'second', title: 'Water', body: 'Use some.' }]
    const select = 'course { lessons { id } }'
    const saved = await shop.do('saveCourse', { key: 'skin', course: { ...course, lessons } }, { select })
    await shop.do('enrolInCourse', { member, course: 'skin' })
    const [first, second] = saved.course.lessons
    return [
      { member, lesson: first.id },
      { member, lesson: second.id },
    ]
  },
  recordActivity: (_, { by: member }) => [
    { member, name: 'lesson.finished', key: 'l-1' },
    { member, name: 'lesson.finished', key: 'l-2' },
  ],
  async flagContribution(shop) {
    await makeSpace(shop, 'hall')
    const one = idOfKind('Comment', await write(shop, { space: 'hall', kind: 'POST' }))
    return [
      { contribution: one, reason: 'SPAM' },
      { contribution: one, reason: 'ABUSE' },
    ]
  },
  async addComment(shop) {
    await makeSpace(shop, 'club')
    const on = idOfKind('Comment', await write(shop, { space: 'club', kind: 'POST', by: 'mia' }))
    return [
      { on, body: 'I agree.' },
      { on, body: 'I do not.' },
    ]
  },
  async publishPost(shop) {
    const space = await makeSpace(shop, 'club')
    return [
      { space, body: 'Hi.' },
      { space, body: 'Hello.' },
    ]
  },
  async saveDraft(shop) {
    const space = await makeSpace(shop, 'club')
    return [
      { space, body: 'Hi.' },
      { space, body: 'Hello.' },
    ]
  },
  async takeFromTestSale(shop, { by: member }) {
    const form = [{ key: 'smell', label: 'How is it?', kind: 'SCALE' }]
    const sale = { key: 'soap', title: 'Soap', description: 'A soap.', form, stock: 9, perMember: 5 }
    await shop.do('openTestSale', sale)
    return [
      { key: 'soap', member, quantity: 1 },
      { key: 'soap', member, quantity: 2 },
    ]
  },
  async resolveComplaint(shop) {
    const space = await makeSpace(shop, 'club')
    const { post } = await shop.do('publishPost', { space, body: 'It broke.' }, { select: 'post { id }' })
    await shop.do('markAsComplaint', { post: post.id })
    return [
      { post: post.id, body: 'Mended.' },
      { post: post.id, body: 'Sent anew.' },
    ]
  },
  reportStumble: (_, { by: member }) => [
    { member, feature: 'checkout' },
    { member, feature: 'search' },
  ],
  async proposeIntroduction(shop, { by: member }) {
    const { id: to } = await shop.member('aki')
    await shop.do('saveProfile', { member: { externalId: 'aki' }, isOpenToIntroductions: true })
    return [
      { member, to, note: 'Tea?' },
      { member, to, note: 'Coffee?' },
    ]
  },
  async introduceMembers(shop, { by: member }) {
    const { id: to } = await shop.member('aki')
    for (const each of [member, { externalId: 'aki' }])
      await shop.do('saveProfile', { member: each, isOpenToIntroductions: true })
    return [
      { member, to, note: 'Tea?' },
      { member, to, note: 'Coffee?' },
    ]
  },
  async replyPrivately(shop, { by: member }) {
    const { token: as } = await shop.member('aki')
    const space = await makeSpace(shop, 'fair')
    const given = { space, kind: 'COLLABORATION', title: 'A stall', body: 'Who joins me?' }
    const { post } = await shop.do('publishPost', given, { as, select: 'post { id }' })
    return [
      { member, post: post.id, body: 'I do' },
      { member, post: post.id, body: 'I may' },
    ]
  },
  async sendMessage(shop, { by: member }) {
    const { id: to } = await shop.member('aki')
    await shop.do('saveProfile', { member: { externalId: 'aki' }, messagesFrom: 'MEMBERS' })
    return [
      { member, to, body: 'Hello' },
      { member, to, body: 'Good bye' },
    ]
  },
  async askQuestion(shop) {
    const space = await makeSpace(shop, 'qa', { kind: 'QA' })
    return [
      { space, title: 'Tea?', body: 'Which?' },
      { space, title: 'Tea?', body: 'When?' },
    ]
  },
  async convertPostToQuestion(shop) {
    const [community, space] = [await makeSpace(shop, 'talk'), await makeSpace(shop, 'asked', { kind: 'QA' })]
    const post = { space: community, kind: 'TIP', title: 'Tea', body: 'Green.' }
    const { id } = (await shop.do('publishPost', post, { select: 'post { id }' })).post
    return [
      { post: id, space },
      { post: id, space, title: 'Tea?' },
    ]
  },
  async moveToCommunity(shop) {
    const { question } = await answered(shop)
    const [one, other] = [await makeSpace(shop, 'talk'), await makeSpace(shop, 'more')]
    return [
      { question, space: one },
      { question, space: other },
    ]
  },
  async convertToAnswer(shop) {
    const { question } = await answered(shop)
    const say = async (body: string) =>
      (await shop.do('addComment', { on: question, body }, { select: 'comment { id }' })).comment.id
    return [{ reply: await say('Barley.') }, { reply: await say('Green.') }]
  },
  async convertToComment(shop) {
    const { question, answer } = await answered(shop)
    const given = { question, body: 'Green.' }
    const other = (await shop.do('answerQuestion', given, { select: 'answer { id }' })).answer.id
    return [{ reply: answer }, { reply: other }]
  },
  async draftFaq(shop) {
    const space = await makeSpace(shop, 'faq')
    return [
      { space, title: 'Tea?', body: 'Barley.' },
      { space, title: 'Tea?', body: 'Green.' },
    ]
  },
  async answerQuestion(shop) {
    const { question } = await answered(shop)
    return [
      { question, body: 'Barley.' },
      { question, body: 'Green.' },
    ]
  },
  async acceptAnswer(shop) {
    const { question, answer } = await answered(shop)
    return [
      { question, answer },
      { question, answer, expectedCurrentAnswer: answer },
    ]
  },
  async unacceptAnswer(shop) {
    const { question, answer } = await answered(shop)
    await shop.do('acceptAnswer', { question, answer })
    return [{ question }, { question, expectedCurrentAnswer: null }]
  },
  grantPoints: (_, { by: member }) => [
    { member, points: 10, reason: 'Birthday' },
    { member, points: 11, reason: 'Birthday' },
  ],
  adjustPoints: (_, { by: member }) => [
    { member, points: 10, reason: 'A mistake' },
    { member, points: -10, reason: 'A mistake' },
  ],
  async approveAdjustment(shop, { by: member }) {
    const adjustment = await askedFor(shop, member)
    return [{ adjustment }, { adjustment, note: 'Seen' }]
  },
  async rejectAdjustment(shop, { by: member }) {
    const adjustment = await askedFor(shop, member)
    return [{ adjustment }, { adjustment, note: 'Seen' }]
  },
  grantDelight: (_, { by: member }) => [
    { member, points: 10, reason: 'A smile' },
    { member, points: 11, reason: 'A smile' },
  ],
  async extendPoints(shop, { by: member }) {
    await shop.do('recordPurchase', order(member))
    const input = { member, within: 'P2Y', by: 'P1D', reason: 'A holiday' }
    return [input, { ...input, by: 'P2D' }]
  },
  async transferPoints(shop, { by: member }) {
    await grant(shop, member)
    const input = { member, to: (await shop.member('aki')).by, points: 10, reason: 'For you' }
    return [input, { ...input, points: 11 }]
  },
  async spendPoints(shop, { by: member }) {
    await grant(shop, member)
    return [
      { member, points: 10, reason: 'Soap' },
      { member, points: 10, reason: 'Soap', currency: 'POINTS' },
    ]
  },
  async refundSpend(shop, { by: member }) {
    await grant(shop, member)
    const { transaction } = await shop.do('spendPoints', { member, points: 50, reason: 'Soap' })
    return [
      { transaction: transaction.id, points: 20, reason: 'Broken' },
      { transaction: transaction.id, reason: 'Broken' },
    ]
  },
  async holdPoints(shop, { by: member }) {
    await grant(shop, member)
    const input = { member, points: 10, expiresIn: 'PT15M', reason: 'Cart' }
    return [input, { ...input, expiresIn: 'PT16M' }]
  },
  async captureHold(shop, { by }) {
    const { hold: made } = await hold(shop, by)
    return [{ hold: made.id, points: 30 }, { hold: made.id }]
  },
  async voidHold(shop, { by }) {
    const [one, other] = [await hold(shop, by), await hold(shop, by)]
    return [{ hold: one.hold.id }, { hold: other.hold.id }]
  },
  receiveOffer: async (shop, { by: member }) => {
    await defineOffer(shop, 'RECEIVED')
    return [
      { member, offer: 'tea' },
      { member, offer: 'tea', key: 'r-1' },
    ]
  },
  claimOffer: async (shop, { by: member }) => {
    const { by: other } = await shop.member('aki')
    await defineOffer(shop, 'CLAIMED')
    return [
      { member, offer: 'tea' },
      { member: other, offer: 'tea' },
    ]
  },
  useOffer: async (shop, { by: member }) => {
    await defineOffer(shop, 'RECEIVED')
    const select = 'receipt { id }'
    const [one, two] = [
      await shop.do('receiveOffer', { member, offer: 'tea' }, { select }),
      await shop.do('receiveOffer', { member, offer: 'tea' }, { select }),
    ]
    await shop.do('recordPurchase', { ...order(member), purchasedAt: NOW })
    return [{ receipt: one.receipt.id }, { receipt: two.receipt.id }]
  },
  moveMember: (_, { by: member }) => [
    { member, stage: 'negotiation', reason: 'Asked for an offer' },
    { member, stage: 'visitor', reason: 'Asked for an offer' },
  ],
  async moveTier(shop, { by: member }) {
    await shop.do('defineTierLadder', { ladder: LADDER })
    return [
      { member, tier: 'gold', reason: 'A mishap of ours' },
      { member, tier: 'bronze', reason: 'A mishap of ours' },
    ]
  },
  sendTouchpoint: (_, { by }) => [
    { to: { member: by }, ...message, parameters: { order: 'A-1' } },
    { to: { member: by }, ...message, parameters: { order: 'A-2' } },
  ],
  async completeTask(shop, { by }) {
    const task = await makeTask(shop, by)
    return [
      { task, outcome: 'DONE' },
      { task, outcome: 'NOT_REACHED' },
    ]
  },
  async sendTest(shop) {
    await shop.member('anna')
    return [{ content: { title: 'Hi', body: 'One.' } }, { content: { title: 'Hi', body: 'Two.' } }]
  },
  recordCost: () => [
    { purpose: 'RETENTION', measure: 'Letters', amount: 500, currency: 'JPY' },
    { purpose: 'RETENTION', measure: 'Letters', amount: 501, currency: 'JPY' },
  ],
  async earnAtPartner(shop, { by: member }) {
    await definePartner(shop)
    const input = { member, partner: 'cafe', reference: randomUUID(), currency: 'JPY', total: 900 }
    return [input, { ...input, total: 901 }]
  },
  async burnAtPartner(shop, { by: member }) {
    await grant(shop, member)
    await definePartner(shop)
    const input = { member, partner: 'cafe', reference: randomUUID(), points: 10 }
    return [input, { ...input, points: 11 }]
  },
  async giveBackAtPartner(shop, { by: member }) {
    await definePartner(shop)
    const bought = { member, partner: 'cafe', reference: randomUUID(), currency: 'JPY', total: 900 }
    await shop.do('earnAtPartner', bought)
    const input = { partner: 'cafe', reference: bought.reference, reason: 'Cup broken' }
    return [{ ...input, amount: 300 }, input]
  },
  addWebhookEndpoint: () => [
    { url: 'https://hooks.example/a', types: ['member.registered'] },
    { url: 'https://hooks.example/b', types: ['member.registered'] },
  ],
  async replayWebhookEvents(shop) {
    const url = 'https://hooks.example/c'
    const { endpoint } = await shop.do('addWebhookEndpoint', { url }, { select: 'endpoint { id }' })
    await shop.do('disableWebhookEndpoint', { endpoint: endpoint.id })
    return [
      { endpoint: endpoint.id, since: NOW },
      { endpoint: endpoint.id, since: '2026-03-31T00:00:00Z' },
    ]
  },
  async claimReferral(shop, { by }) {
    const code = await openReferrals(shop, by)
    const { by: member } = await shop.member('aki')
    return [
      { member, code },
      { member, code, signals: { device: 'hers' } },
    ]
  },
  async approveReferral(shop, { by }) {
    const referral = await reviewOf(shop, by)
    return [{ referral }, { referral, reason: 'Her sister' }]
  },
  async rejectReferral(shop, { by }) {
    const referral = await reviewOf(shop, by)
    return [{ referral }, { referral, reason: 'Her cat' }]
  },
  async redeemReward(shop, { by: member }) {
    await offerMug(shop, member)
    return [
      { member, reward: 'mug' },
      { member, reward: 'mug', quantity: 2 },
    ]
  },
  async fulfilReward(shop, { by }) {
    const redemption = await redemptionOf(shop, by)
    return [{ redemption }, { redemption, reference: 'JP-1' }]
  },
  async cancelRedemption(shop, { by }) {
    const redemption = await redemptionOf(shop, by)
    return [{ redemption }, { redemption, reason: 'Too blue' }]
  },

  async giveBenefit(shop, { by: member }) {
    await brewTea(shop)
    return [
      { member, ...tea },
      { member, ...tea, reason: 'Sorry' },
    ]
  },
  async useEntitlement(shop, { by: member }) {
    await brewTea(shop)
    await shop.do('giveBenefit', { member, ...tea })
    return [
      { member, key: 'tea', times: 2 },
      { member, key: 'tea' },
    ]
  },
  async returnEntitlement(shop, { by: member }) {
    await brewTea(shop)
    await shop.do('giveBenefit', { member, ...tea })
    const made = await shop.do('useEntitlement', { member, key: 'tea' }, { select: 'use { id }' })
    return [
      { use: made.use.id, reason: 'Closed' },
      { use: made.use.id, reason: 'Shut' },
    ]
  },
  async takeBackBenefit(shop, { by: member }) {
    const benefit = await offPurchase(shop, member)
    return [
      { benefit, reason: 'A mistake' },
      { benefit, reason: 'Another' },
    ]
  },
  async useBenefit(shop, { by: member }) {
    const benefit = await offPurchase(shop, member)
    return [
      { benefit, amount: 400, currency: 'JPY', order: 'A-1' },
      { benefit, amount: 500, currency: 'JPY', order: 'A-1' },
    ]
  },
  endMembership: (_, { by: member }) => [
    { member, end: 'LEFT' },
    { member, end: 'REMOVED' },
  ],
  async makeCoupons(shop) {
    await makeTea(shop)
    return [
      { coupon: 'tea', count: 3 },
      { coupon: 'tea', count: 4 },
    ]
  },
  async addCouponWord(shop) {
    await makeTea(shop)
    return [
      { coupon: 'tea', word: 'SUMMER' },
      { coupon: 'tea', word: 'WINTER' },
    ]
  },
  async issueCoupon(shop, { by: member }) {
    await makeTea(shop)
    return [
      { member, coupon: 'tea' },
      { member, coupon: 'tea', validFor: 'P30D' },
    ]
  },
  async redeemCoupon(shop, { by: member }) {
    const code = await makeTea(shop)
    return [
      { member, code },
      { member, code, hold: true },
    ]
  },
  async releaseCoupon(shop, { by }) {
    const code = await makeTea(shop)
    return [{ redemption: await reserve(shop, by, code) }, { redemption: await reserve(shop, by, code) }]
  },
  async cancelCouponRedemption(shop, { by }) {
    const redemption = await reserve(shop, by, await makeTea(shop))
    return [
      { redemption, reason: 'Ordered twice' },
      { redemption, reason: 'Ordered thrice' },
    ]
  },
  activateCampaign: (shop) => makeCampaigns(shop),
  pauseCampaign: (shop) => makeCampaigns(shop),
  endCampaign: (shop) => makeCampaigns(shop),
  giveConsent: (_, { by: member }) => [
    { ...consent, member, textVersion: 'v1' },
    { ...consent, member, textVersion: 'v2' },
  ],
  withdrawConsent: (_, { by: member }) => [
    { ...consent, member },
    { ...consent, member, source: 'phone' },
  ],
  importProgram(shop) {
    return Promise.all([drafted(shop, 'ANT'), drafted(shop, 'BEE')])
  },
  async retireDefinition(shop) {
    await shop.do('importProgram', await drafted(shop, 'ANT'))
    return [
      { kind: 'currency', key: 'ANT' },
      { kind: 'currency', key: 'ANT', note: 'Enough of it' },
    ]
  },
  async requestAddressVerification(shop, { by: member }) {
    const value = `U${randomUUID().replaceAll('-', '')}`
    const { address } = await shop.do('addAddress', { member, channel: 'line', value })
    return [{ address: address.id, channel: 'line' }, { address: address.id }]
  },
}

/** A coupon for tea that the word SPRING opens. */
async function makeTea(shop: Shop): Promise<string> {
  const benefit = { money: { amount: 100, currency: 'JPY' } }
  await shop.do('defineCoupon', { key: 'tea', coupon: { name: { en: 'Tea', ja: 'お茶' }, benefit } })
  await shop.do('addCouponWord', { coupon: 'tea', word: 'SPRING' })
  return 'SPRING'
}

async function reserve(shop: Shop, member: object, code: string): Promise<string> {
  const select = 'redemption { id }'
  return (await shop.do('redeemCoupon', { member, code, hold: true }, { select })).redemption.id
}

async function makeCampaigns(shop: Shop): Promise<readonly [object, object]> {
  const name = { en: 'Spring', ja: '春' }
  for (const key of ['one', 'other']) await shop.do('defineCampaign', { key, campaign: { name } })
  return [{ campaign: 'one' }, { campaign: 'other' }]
}

/** A referral program, and the member's code. */
async function openReferrals(shop: Shop, member: object): Promise<string> {
  const program = {
    name: { en: 'Friends', ja: 'お友だち' },
    benefits: { referrer: { points: { amount: '5' } } },
    qualifying: { nthPurchase: 1 },
  }
  await shop.do('defineReferralProgram', { key: 'friends', program })
  return referralCode(shop, member)
}

/** A claim whom somebody has to look at. */
async function reviewOf(shop: Shop, referrer: object): Promise<string> {
  const code = await openReferrals(shop, referrer)
  const signals = { ip: '192.0.2.1' }
  await shop.do('noteReferralSignals', { member: referrer, signals })
  const { by: member } = await shop.member('aki')
  return (await shop.do('claimReferral', { member, code, signals }, { select: 'referral { id }' })).referral
    .id
}

/** A mug for a point, and points to have it. */
async function offerMug(shop: Shop, member: object) {
  await grant(shop, member)
  const held = { goods: { sku: 'MUG' }, fulfilment: 'MANUAL', reservation: { for: 'P1D' } }
  const reward = { name: { en: 'Mug', ja: 'マグカップ' }, cost: { points: 1 }, ...held }
  await shop.do('defineReward', { key: 'mug', reward })
}

async function redemptionOf(shop: Shop, member: object): Promise<string> {
  await offerMug(shop, member)
  const select = 'redemption { id }'
  return (await shop.do('redeemReward', { member, reward: 'mug' }, { select })).redemption.id
}

/** The program with one currency more. */
async function drafted(shop: Shop, key: string) {
  const { document } = (await shop.ask(shop.staff, '{ program { document } }')).data.program
  const added = { name: { en: key, ja: key }, expiry: { never: true } }
  return { document: { ...document, currencies: { ...document.currencies, [key]: added } } }
}

const tea = { benefit: { entitlement: { key: 'tea' } }, reason: 'Welcome' }
const brewTea = (shop: Shop) =>
  shop.do('defineEntitlement', {
    key: 'tea',
    entitlement: { name: { en: 'Tea', ja: 'お茶' }, kind: 'SERVICE', quota: { times: 5, per: 'GRANT' } },
  })
const offPurchase = async (shop: Shop, member: object) => {
  const benefit = { money: { amount: 500, currency: 'JPY' } }
  const given = await shop.do(
    'giveBenefit',
    { member, benefit, reason: 'Sorry' },
    { select: 'benefit { id }' },
  )
  return given.benefit.id
}

const consent = { purpose: 'offers', channel: 'line', source: 'form' }
/** An answer without what only the first one is told: secrets and codes. */
function toldOnce(told: Record<string, unknown>): Record<string, unknown> {
  const { secret: _secret, plainCode: _code, codes: _codes, ...answer } = told
  return answer
}

const keyed = Object.values(schema.getMutationType()?.getFields() ?? {})
  .filter(({ args }) => {
    const type = args[0] && getNamedType(args[0].type)
    return isInputObjectType(type) && 'idempotencyKey' in type.getFields()
  })
  .map(({ name }) => name)

test('every mutation with a key is tried below', () => {
  expect(Object.keys(MAKINGS).sort()).toEqual(keyed.sort())
})

describe.each(keyed)('%s', (mutation) => {
  const by = ({ token }: TestMember) => (MEMBERS_ALONE.includes(`Mutation.${mutation}`) ? { as: token } : {})
  it('sent again happens once and is answered alike; its key is refused for anything else', async () => {
    const shop = await open({ testClock: NOW })
    const mia = await shop.member('mia')
    const idempotencyKey = randomUUID()
    const [input, other] = (await MAKINGS[mutation]?.(shop, mia)) ?? []
    const first = toldOnce(await shop.do(mutation, { ...input, idempotencyKey }, by(mia)))
    expect(first.__typename).toMatch(/Payload$/)
    const before = await fingerprint(shop.ground.databaseUrl)

    expect(toldOnce(await shop.do(mutation, { ...input, idempotencyKey }, by(mia)))).toEqual(first)
    expect(await shop.do(mutation, { ...other, idempotencyKey }, by(mia))).toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    })
    expect(await fingerprint(shop.ground.databaseUrl)).toEqual(before)
  })

  it('sent twenty times at once happens once and is answered alike twenty times', async () => {
    const shop = await open({ testClock: NOW })
    const mia = await shop.member('mia')
    const [input] = (await MAKINGS[mutation]?.(shop, mia)) ?? []
    const request = { ...input, idempotencyKey: randomUUID() }
    const answers = await Promise.all(Array.from({ length: 20 }, () => shop.do(mutation, request, by(mia))))
    expect(answers[0].__typename).toMatch(/Payload$/)
    for (const answer of answers) expect(toldOnce(answer)).toEqual(toldOnce(answers[0]))
    const client = shop.ground.app.db.tenant(shop.tenant.id)
    const text = 'select count(*)::int as n from op where own() and idempotency_key = $1'
    expect(await client.query({ text, values: [request.idempotencyKey] })).toEqual([{ n: 1 }])
  })
})

it('reads the objects of a replay fresh', async () => {
  const shop = await open()
  const { by: member } = await shop.member('mia')
  const input = { member, points: 10, reason: 'Birthday', idempotencyKey: 'birthday-2026' }
  const select = 'wallet { available } transaction { points }'
  expect(await shop.do('grantPoints', input, { select })).toMatchObject({ wallet: { available: '10' } })
  await shop.do('spendPoints', { member, points: 4, reason: 'Soap' })
  expect(await shop.do('grantPoints', input, { select })).toMatchObject({
    wallet: { available: '6' },
    transaction: { points: '10' },
  })
})

it('takes the same input in another spelling for the same', async () => {
  const shop = await open({ testClock: NOW })
  const { by: member } = await shop.member('mia')
  const input = { ...order(member, 'o-1'), idempotencyKey: 'k' }
  const first = await shop.do('recordPurchase', input)
  const spelled = { ...input, total: '900', purchasedAt: '2026-04-01T09:00:00.000+09:00' }
  expect(await shop.do('recordPurchase', spelled)).toEqual(first)
})

describe('a refusal of the ledger stays what it was', () => {
  it('when the points came later', async () => {
    const shop = await open()
    const { by: member } = await shop.member('mia')
    await shop.do('grantPoints', { member, points: 10, reason: 'Birthday' })
    const spend = { member, points: 60, reason: 'Soap', idempotencyKey: 'k' }
    const refusal = await shop.do('spendPoints', spend)
    expect(refusal).toMatchObject({
      code: 'INSUFFICIENT_POINTS',
      available: '10',
      required: '60',
      message: 'This needs 60 points; the balance is 10.',
    })
    await shop.do('grantPoints', { member, points: 100, reason: 'Contest' })
    expect(await shop.do('spendPoints', spend)).toEqual(refusal)
    expect(await shop.do('holdPoints', { ...spend, expiresIn: 'PT1M' })).toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    })
    expect(await shop.do('spendPoints', { ...spend, idempotencyKey: 'k2' })).toHaveProperty('transaction.id')
  })

  it('when the stage allows it later', async () => {
    const shop = await open({ testClock: NOW })
    const { by: member } = await shop.member('mia')
    await shop.do('recordPurchase', order(member, 'o-1'))
    const move = { member, stage: 'negotiation', reason: 'Asked', idempotencyKey: 'k' }
    const refusal = await shop.do('moveMember', move)
    expect(refusal).toMatchObject({
      code: 'TRANSITION_NOT_ALLOWED',
      from: 'customer',
      to: 'negotiation',
      allowed: [],
    })
    await shop.do('refundPurchase', { orderId: 'o-1' })
    expect(await shop.do('moveMember', move)).toEqual(refusal)
    expect(await shop.do('moveMember', { ...move, idempotencyKey: 'k2' })).toHaveProperty('member.id')
  })

  it.each([
    ['recordPurchase', 'DUPLICATE_ORDER', (by: object) => order(by, 'o-1')],
    ['refundPurchase', 'REFUND_EXCEEDS_PURCHASE', () => ({ orderId: 'o-1', amount: 901 })],
  ] as const)('%s: %s, twenty times over', async (mutation, code, input) => {
    const shop = await open({ testClock: NOW })
    const { by } = await shop.member('mia')
    await shop.do('recordPurchase', order(by, 'o-1'))
    const request = { ...input(by), idempotencyKey: 'k' }
    const refusal = await shop.do(mutation, request)
    expect(refusal).toMatchObject({ code })
    const before = await fingerprint(shop.ground.databaseUrl)
    for (let i = 0; i < 20; i++) expect(await shop.do(mutation, request)).toEqual(refusal)
    expect(await fingerprint(shop.ground.databaseUrl)).toEqual(before)
  })
})

describe('what was not judged is not remembered', () => {
  it('an unknown member may come to be known', async () => {
    const shop = await open()
    const grantNobody = { member: { externalId: 'noa' }, points: 10, reason: 'Birthday', idempotencyKey: 'k' }
    expect(await shop.do('grantPoints', grantNobody)).toMatchObject({ code: 'NOT_FOUND', what: 'member' })
    await shop.member('noa')
    expect(await shop.do('grantPoints', grantNobody)).toHaveProperty('transaction.id')
  })

  it('a purchase of tomorrow can be recorded tomorrow', async () => {
    const shop = await open({ testClock: NOW })
    const { by } = await shop.member('mia')
    const tomorrow = { ...order(by), purchasedAt: '2026-04-02T00:00:00Z', idempotencyKey: 'k' }
    expect(await shop.do('recordPurchase', tomorrow)).toMatchObject({
      code: 'BAD_INPUT',
      field: 'input.purchasedAt',
    })
    await shop.clock('2026-04-02T00:00:00Z')
    expect(await shop.do('recordPurchase', tomorrow)).toHaveProperty('purchase.id')
  })

  it('a wrong number may be put right under the same key', async () => {
    const shop = await open()
    const { by: member } = await shop.member('mia')
    const wrong = { member, points: 0, reason: 'Birthday', idempotencyKey: 'k' }
    expect(await shop.do('grantPoints', wrong)).toMatchObject({ code: 'BAD_INPUT', field: 'input.points' })
    expect(await shop.do('grantPoints', { ...wrong, points: 1 })).toHaveProperty('transaction.id')
  })
})

it('keeps the keys of one tenant from another', async () => {
  const [shop, other] = [await open(), await open()]
  const [mia, aki] = [await shop.member('mia'), await other.member('aki')]
  const input = { points: 10, reason: 'Birthday', idempotencyKey: 'k' }
  expect(await shop.do('grantPoints', { ...input, member: mia.by })).toHaveProperty('transaction.id')
  expect(await other.do('grantPoints', { ...input, member: aki.by })).toHaveProperty('transaction.id')
})
