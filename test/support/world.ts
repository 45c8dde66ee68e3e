import { randomUUID } from 'node:crypto'
import { isObjectType } from 'graphql'
import { deliverDue } from '../../api/domains/touchpoints/index.ts'
import { decodeId, encodeId } from '../../api/graph/ids.ts'
import { newId } from '../../api/platform/ids.ts'
import { schema } from '../../api/schema.ts'
import { idOfKind, makeSpace, tell, write } from './house.ts'
import { reportOpened } from './opened.ts'
import { onServer } from './server.ts'
import type { Shop, TestMember } from './shop.ts'

/** The types that can be fetched by `node`. */
export const NODE_TYPES = Object.values(schema.getTypeMap())
  .filter((type) => isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Node'))
  .map(({ name }) => name)
  .sort()

/** A member who has one of everything; `ids` by the type's name. */
export interface World extends TestMember {
  readonly ids: Readonly<Record<string, string>>
  readonly orderId: string
}

/** A ladder on which everybody stands from the first day. */
export const LADDER = {
  tiers: [
    { key: 'bronze', name: { en: 'Bronze', ja: 'ブロンズ' }, threshold: 0 },
    { key: 'gold', name: { en: 'Gold', ja: 'ゴールド' }, threshold: 100_000 },
  ],
  measure: { spend: { currency: 'JPY' } },
  window: { calendar: 'YEAR' },
  falls: 'ONE_LEVEL',
  grace: { months: 1, endOf: 'MONTH' },
}

/** The same with one tier standing for all, every part of it given. */
export const WHOLE_LADDER = {
  ...LADDER,
  tiers: { key: 'bronze', name: { en: 'Bronze', ja: 'ブロンズ' }, threshold: 0, neverFalls: false },
}

/** Makes a member who has one of everything that the API can show. */
export async function makeWorld(shop: Shop, externalId: string): Promise<World> {
  await shop.do('defineTierLadder', { ladder: LADDER })
  const member = await shop.member(externalId, {
    email: `${externalId}@example.com`,
    attributes: { city: 'Kyoto' },
  })
  const orderId = `order-of-${externalId}`
  const { now } = (await shop.ask(shop.staff, '{ viewer { tenant { now } } }')).data.viewer.tenant
  const lines = [{ sku: 'soap', quantity: 2, amount: 5000 }]
  const bought = { member: member.by, orderId, purchasedAt: now, currency: 'JPY', total: 5000, lines }
  await shop.do('recordPurchase', bought)
  await shop.do('recordActivity', {
    member: member.by,
    name: 'lesson.finished',
    key: `lesson of ${externalId}`,
  })
  const held = await shop.do('holdPoints', {
    member: member.by,
    points: 10,
    expiresIn: 'PT1H',
    reason: 'Cart',
  })
  const agreed = { member: member.by, purpose: 'offers', channel: 'line', textVersion: 'v1', source: 'form' }
  const { consent } = await shop.do('giveConsent', agreed, {
    select: 'consent { id history { nodes { id } } }',
  })
  const value = `U${randomUUID().replaceAll('-', '')}`
  await shop.do('addAddress', { member: member.by, channel: 'line', value })
  const target = { member: { member: member.by, channel: 'line' } }
  const { suppression } = await shop.do('suppressAddress', { target, reason: 'Asked by phone' })
  const redeemed = { ...(await makeRedemption(shop, member.by)), ...(await makeCoupons(shop, externalId)) }
  const Referral = await makeReferral(shop, member.by)
  const isOpen = { messagesFrom: 'MEMBERS', isOpenToIntroductions: true }
  await shop.do('saveProfile', { member: member.by, ...isOpen })
  await shop.do('setPaidThrough', { member: member.by, through: '2099-01-01T00:00:00Z' })
  await deliverDue(shop.ground.app.db, shop.tenant.id, shop.ground.app.delivery)
  const query = `query ($by: MemberBy!) { member(by: $by) {
    id addresses { nodes { id } } membershipChanges { nodes { id } } stageHistory { nodes { id } } tierHistory { nodes { id } } purchases { nodes { id } } inbox { nodes { id touchpoint { id deliveries { id } } } }
    wallet { id postings(first: 1) { nodes { id transaction { id } } } } }
    template(key: "thank-you") { id } }`
  const { data } = await shop.ask(shop.staff, query, { by: member.by })
  const { id, addresses, membershipChanges, stageHistory, tierHistory, purchases, inbox, wallet } =
    data.member
  const ids = {
    ...{
      Member: id,
      Address: addresses.nodes[0].id,
      Consent: consent.id,
      ConsentChange: consent.history.nodes[0].id,
      Suppression: suppression.id,
      MembershipChange: membershipChanges.nodes[0].id,
      StageChange: stageHistory.nodes[0].id,
      TierDecision: tierHistory.nodes[0].id,
      Purchase: purchases.nodes[0].id,
      Wallet: wallet.id,
    },
    ...{ Posting: wallet.postings.nodes[0].id, PointsTransaction: wallet.postings.nodes[0].transaction.id },
    ...{ Hold: held.hold.id, InboxItem: inbox.nodes[0].id, Touchpoint: inbox.nodes[0].touchpoint.id },
    ...redeemed,
    Referral,
    ...(await makeTalk(shop, member)),
    Template: data.template.id,
    ...(await makeBenefits(shop, member.by)),
    ...(await makeOffer(shop, externalId)),
    ...(await makeWebhooks(shop)),
    ...(await makeContent(shop, member)),
    Adjustment: await makeAdjustment(shop, member.by),
    MemberNote: await makeNote(shop, member.by),
    Broadcast: await makeBroadcast(shop),
    Task: await makeTask(shop, member.by),
    Delivery: inbox.nodes[0].touchpoint.deliveries[0].id,
    PartnerMovement: await makePartnerMovement(shop, member.by),
    Signal: await makeSignal(shop, inbox.nodes[0].touchpoint.deliveries[0].id),
  }
  return { ...member, ids, orderId }
}

/** A course of one lesson, about whatever. */
export const courseIn = (space: string) => ({
  ...{ space, title: 'Skin care', summary: 'One step' },
  lessons: [{ key: 'first', title: 'Soap', body: 'Use little.' }],
})

/** The first steps with a brush. */
export const firstSteps = {
  ...{ key: 'brush', name: { en: 'Brush', ja: 'ブラシ' }, sku: 'BRUSH', stuckAfter: 'PT1H' },
  steps: [{ key: 'unpack', title: { en: 'Unpack', ja: '箱から出す' } }],
  help: { en: 'Call us.', ja: 'お電話ください。' },
}

/** A place for content; its id. */
export async function makeLibrary(shop: Shop): Promise<string> {
  const name = { en: 'Library', ja: '図書室' }
  const space = { kind: 'SITE', name, purpose: { en: 'Help yourself', ja: '役立つ情報' } }
  return (await shop.do('defineSpace', { key: 'library', space }, { select: 'space { id }' })).space.id
}

/** An article as the API takes it. */
export const articleIn = (space: string) => ({
  ...{ space, title: 'Dry skin', body: 'Use little soap.' },
  ...{ kind: 'ARTICLE', purpose: 'RETENTION', need: 'My skin is dry' },
})

/** Content for everybody, a course that the member is in, and a file of the member's own. */
async function makeContent(shop: Shop, { by, token }: TestMember) {
  const space = await makeLibrary(shop)
  const select = 'content { id card { id } }'
  const { content } = await shop.do('publishContent', articleIn(space), { select })
  const saved = { key: 'skin', course: courseIn(space) }
  const { course } = await shop.do('saveCourse', saved, { select: 'course { id lessons { id } }' })
  const { enrolment } = await shop.do('enrolInCourse', { member: by, course: 'skin' })
  const asked = { title: 'The manual', need: 'I cannot find the switch' }
  const { idea } = await shop.do('saveContentIdea', asked, { select: 'idea { id }' })
  await shop.do('saveChecklist', firstSteps)
  const begun = { member: by, checklist: 'brush' }
  const { checklist } = await shop.do('doChecklistStep', begun, { select: 'checklist { id }' })
  const file = { name: 'me.png', mediaType: 'image/png', size: 100 }
  const { asset } = await shop.do('createUpload', file, { as: token, select: 'asset { id }' })
  return {
    ...{ Content: content.id, ContentCard: content.card.id, Asset: asset.id },
    ...{ ContentIdea: idea.id, MemberChecklist: checklist.id },
    ...{ Course: course.id, Lesson: course.lessons[0].id, Enrolment: enrolment.id },
  }
}

/** Something to use, given to a member and used once. */
async function makeBenefits(shop: Shop, member: object) {
  const entitlement = { name: { en: 'Tea', ja: 'お茶' }, kind: 'SERVICE' }
  await shop.do('defineEntitlement', { key: 'tea', entitlement })
  const prices = [{ sku: 'soap', price: 2500 }]
  const priceList = { name: { en: 'Everybody', ja: '定価' }, currency: 'JPY', prices }
  await shop.do('definePriceList', { key: 'everybody', priceList })
  const given = { member, benefit: { entitlement: { key: 'tea' } }, reason: 'Welcome' }
  const { benefit } = await shop.do('giveBenefit', given, { select: 'benefit { id }' })
  const used = await shop.do('useEntitlement', { member, key: 'tea' }, { select: 'use { id }' })
  return { Benefit: benefit.id, EntitlementUse: used.use.id }
}

/** A remark of the member's in a space that everybody is in. */
async function makeTalk(shop: Shop, { token, by }: TestMember) {
  const Space = await makeSpace(shop, 'club')
  await shop.do('joinSpace', { space: Space }, { as: token })
  const post = await write(shop, { space: 'club', kind: 'CONTENT', by: by.externalId })
  const on = idOfKind('Comment', post)
  const { comment } = await shop.do(
    'addComment',
    { on, body: 'I agree.' },
    { as: token, select: 'comment { id }' },
  )
  await shop.do('editContribution', { contribution: comment.id, body: 'I agree with you.' }, { as: token })
  await shop.do('addComment', { on: comment.id, body: 'So do we.' })
  await tell(shop)
  const query = '{ viewer { member { notifications(first: 1) { nodes { id } } } } }'
  const { data } = await shop.ask(token, query)
  const Notification = data.viewer.member.notifications.nodes[0].id
  const talk = await write(shop, { space: 'club', kind: 'POST', by: by.externalId })
  const asked = await makeQuestion(shop, token)
  return { Space, Comment: comment.id, Notification, Post: idOfKind('Post', talk), ...asked }
}

/** A question of the member's that it changed, and answered itself, in a space that everybody is in. */
async function makeQuestion(shop: Shop, token: string) {
  const space = await makeSpace(shop, 'qa', { kind: 'QA' })
  const asked = { space, title: 'Which tea?', body: 'In the evening.', tags: ['tea'] }
  const { question } = await shop.do('askQuestion', asked, { as: token, select: 'question { id }' })
  const given = { question: question.id, body: 'Barley.' }
  const { answer } = await shop.do('answerQuestion', given, { as: token, select: 'answer { id }' })
  for (const { id } of [question, answer])
    await shop.do('editContribution', { contribution: id, body: 'Barley?' }, { as: token })
  const entry = {
    space,
    question: question.id,
    title: 'Which tea?',
    body: 'Barley.',
    sku: 'soap',
    tags: ['tea'],
  }
  const drafted = await shop.do('draftFaq', entry, { select: 'entry { id }' })
  const FaqEntry = drafted.entry.id as string
  await shop.do('publishFaq', { entry: FaqEntry, reviewAt: '2027-01-01T00:00:00Z' })
  await shop.do('editContribution', { contribution: FaqEntry, body: 'Barley tea.' })
  await shop.do('addComment', { on: FaqEntry, body: 'Thank you.' }, { as: token })
  return { Question: question.id, Answer: answer.id, FaqEntry }
}

/** What staff noted about a member, said twice; its id. */
export async function makeNote(shop: Shop, member: object): Promise<string> {
  const added = await shop.do('addMemberNote', { member, body: 'Likes tee.' }, { select: 'note { id }' })
  await shop.do('editMemberNote', { note: added.note.id, body: 'Likes tea.' })
  return added.note.id
}

/** A call that somebody is to make to a member; its id. */
export async function makeTask(shop: Shop, member: object): Promise<string> {
  const content = { title: 'Call', body: 'Ask how it is.', data: { kind: 'CALL', assignee: 'anna' } }
  const { touchpoint } = await shop.do('sendTouchpoint', {
    to: { member },
    ...{ channels: ['task'], content, purpose: 'service' },
  })
  await deliverDue(shop.ground.app.db, shop.tenant.id, shop.ground.app.delivery)
  const { data } = await shop.ask(
    shop.staff,
    '{ tasks(state: OPEN, last: 50) { nodes { id touchpoint { id } } } }',
  )
  const tasks: { id: string; touchpoint: { id: string } | null }[] = data.tasks.nodes
  return tasks.find((task) => task.touchpoint?.id === touchpoint.id)?.id ?? ''
}

/** A coupon of the member's own, and a reservation of one by a word of its own, `TEA` and the member's external id. */
async function makeCoupons(shop: Shop, externalId: string): Promise<Readonly<Record<string, string>>> {
  const name = { en: 'Spring', ja: '春' }
  const benefit = { money: { amount: 100, currency: 'JPY' } }
  await shop.do('defineCampaign', { key: 'spring', campaign: { name } })
  await shop.do('defineCoupon', { key: 'tea', coupon: { name, benefit, limits: { total: 1_000_000 } } })
  const [member, coupon, word] = [{ externalId }, 'tea', `TEA${externalId}`]
  await shop.do('addCouponWord', { coupon, word })
  const { issued } = await shop.do('issueCoupon', { member, coupon }, { select: 'issued { id }' })
  const held = { member, code: word, hold: true }
  const { redemption } = await shop.do('redeemCoupon', held, { select: 'redemption { id }' })
  return { IssuedCoupon: issued.id, CouponRedemption: redemption.id }
}

/** The code by which a member recommends. */
export async function referralCode(shop: Shop, by: object): Promise<string> {
  const query = 'query ($by: MemberBy!) { member(by: $by) { referralCode } }'
  return (await shop.ask(shop.staff, query, { by })).data.member.referralCode
}

/** A friend of a member, who said so. */
async function makeReferral(shop: Shop, referrer: { readonly externalId: string }): Promise<string> {
  const program = {
    name: { en: 'Friends', ja: 'お友だち' },
    benefits: { referrer: { points: { amount: '5' } } },
    qualifying: { firstPurchase: { atLeast: 1, currency: 'JPY' } },
    hold: 'P1D',
  }
  await shop.do('defineReferralProgram', { key: 'friends', program })
  const { by: member } = await shop.member(`friend-of-${referrer.externalId}`)
  const input = { member, code: await referralCode(shop, referrer) }
  return (await shop.do('claimReferral', input, { select: 'referral { id }' })).referral.id
}

/** A reward that everybody may have, and a member's redemption of it. */
async function makeRedemption(shop: Shop, member: object): Promise<Readonly<Record<string, string>>> {
  const reward = {
    name: { en: 'Mug', ja: 'マグカップ' },
    cost: { points: 1 },
    goods: { sku: 'MUG' },
    fulfilment: 'MANUAL',
    reservation: { for: 'P1Y' },
  }
  await shop.do('defineReward', { key: 'mug', reward })
  const select = 'redemption { id reward { id } }'
  const { redemption } = await shop.do('redeemReward', { member, reward: 'mug' }, { select })
  return { Reward: redemption.reward.id, RewardRedemption: redemption.id }
}

/** More points than one may move alone: they wait for another operator. */
async function makeAdjustment(shop: Shop, member: object): Promise<string> {
  const input = { member, points: 10_001, reason: 'A mistake of ours' }
  return (await shop.do('adjustPoints', input, { select: 'adjustment { id }' })).adjustment.id
}

/** An offer of the member's own, which has been given to it. */
async function makeOffer(shop: Shop, externalId: string): Promise<Readonly<Record<string, string>>> {
  const key = `of-${externalId}`
  const money = { amount: 500, currency: 'JPY' }
  const offer = { type: 'SPEND_TOTAL', threshold: 100_000_000, benefits: { money }, validFor: 'P30D' }
  const { offer: made } = await shop.do('defineOffer', { key, offer }, { select: 'offer { id }' })
  const input = { member: { externalId }, offer: key, key: `receipt-${externalId}` }
  const { receipt } = await shop.do('receiveOffer', input, { select: 'receipt { id }' })
  return { Offer: made.id, OfferReceipt: receipt.id }
}

/** A broadcast for a time that does not come. */
async function makeBroadcast(shop: Shop): Promise<string> {
  const said = { template: 'thank-you', parameters: { order: 'A-1' }, purpose: 'service' }
  const to = { audience: { stage: 'customer' } }
  const { broadcast } = await shop.do('sendTouchpoint', {
    to,
    ...said,
    at: { instant: '2099-01-01T00:00:00Z' },
  })
  return broadcast.id
}

/** Something that a member earned at a partner. */
async function makePartnerMovement(shop: Shop, member: object): Promise<string> {
  await shop.do('definePartner', {
    key: 'cafe',
    partner: {
      name: { en: 'Café', ja: 'カフェ' },
      earn: { minor: 100, points: 1, money: 'JPY' },
      settlement: { money: 'JPY', issuedMicro: 800_000, burnedMicro: 0 },
    },
  })
  const bought = { member, partner: 'cafe', reference: randomUUID(), currency: 'JPY', total: 1000 }
  return (await shop.do('earnAtPartner', bought, { select: 'movement { id }' })).movement.id
}

/** Something that was reported of a delivery. */
async function makeSignal(shop: Shop, delivery: string): Promise<string> {
  await reportOpened(shop, delivery)
  const query = 'query ($id: ID!) { node(id: $id) { ... on Delivery { signals { nodes { id } } } } }'
  return (await shop.ask(shop.staff, query, { id: delivery })).data.node.signals.nodes[0].id
}

/** An endpoint that is sent nothing, with something on its failure list. */
async function makeWebhooks(shop: Shop): Promise<Readonly<Record<string, string>>> {
  const url = 'https://hooks.example.com/engawa'
  const { endpoint } = await shop.do('addWebhookEndpoint', { url }, { select: 'endpoint { id }' })
  await shop.do('disableWebhookEndpoint', { endpoint: endpoint.id })
  const failure = newId()
  await onServer(shop.ground.databaseUrl, (client) =>
    client.query(
      `insert into webhook_failure (tenant_id, id, endpoint_id, kind, pos, event_id, type, payload, at, booked_at, attempts)
       values ($1, $2, $3, 'GIVEN_UP', 1, $4, 'member.registered', '{}', now(), now(), 10)`,
      [shop.tenant.id, failure, decodeId(endpoint.id, 'id').id, newId()],
    ),
  )
  return { WebhookEndpoint: endpoint.id, WebhookFailure: encodeId('WebhookFailure', failure) }
}
