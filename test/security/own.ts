import { randomUUID } from 'node:crypto'
import { makeSpace } from '../support/house.ts'
import type { Shop } from '../support/shop.ts'
import {
  articleIn,
  courseIn,
  firstSteps,
  makeLibrary,
  makeNote,
  makeTask,
  referralCode,
  WHOLE_LADDER,
  type World,
} from '../support/world.ts'

/** A tenant with a member who has one of everything. */
export interface Side {
  readonly shop: Shop
  readonly world: World
}

/** The arguments of a question about what is one's own, which is answered when it is asked once. */
type Own = (side: Side) => object | Promise<object>

/** A message to the member itself, all parts of it, for some Monday to come. */
const message = {
  channels: 'inbox',
  content: { title: 'Hi', body: 'There.' },
  purpose: 'service',
  at: { local: { time: '08:00', weekdays: 'MON' } },
}

async function newTouch({ shop, world }: Side): Promise<string> {
  const sent = await shop.do('sendTouchpoint', { to: { member: world.by }, ...message })
  return sent.touchpoint.id
}

/** What staff noted about the member. */
const newNote = ({ shop, world }: Side): Promise<string> => makeNote(shop, world.by)

/** A call that somebody is to make to the member. */
const newTask = ({ shop, world }: Side): Promise<string> => makeTask(shop, world.by)

const april = { from: '2026-04-01T00:00:00Z', until: '2026-05-01T00:00:00Z' }

const fresh = () => `fresh ${randomUUID()}`

/** An earn rule with every field that it can have at once. */
const earnRule = {
  ...{ name: { en: 'Tea', ja: 'お茶' }, on: { purchase: true }, points: { per: { minor: 100, points: 1 } } },
  ...{
    multipliers: [{ by: '1.5', when: { stage: 'customer' } }],
    rounding: 'HALF_UP',
    audience: { stage: 'customer' },
  },
  ...{ window: { from: '2020-01-01T00:00:00Z', until: '2020-02-01T00:00:00Z' }, purchaseCurrency: 'JPY' },
  ...{
    caps: { perMember: { points: 10, per: 'DAY' } },
    cooldown: 'P1D',
    maxTimes: { times: 3, per: 'WEEK' },
  },
  ...{ budget: 1000, group: 'tea', match: 'FIRST', order: 7, currency: 'POINTS', pending: { for: 'P14D' } },
  ...{ expiry: { rolling: { months: 3, endOf: 'MONTH' } }, priority: 40, class: 'PROMOTIONAL' },
}

async function newMember({ shop }: Side) {
  return (await shop.member(fresh())).by
}

/** Somebody who takes messages and wants to be introduced; the id. */
async function newPerson({ shop }: Side): Promise<string> {
  const { id, by } = await shop.member(fresh())
  await shop.do('saveProfile', { member: by, messagesFrom: 'MEMBERS', isOpenToIntroductions: true })
  return id
}

/** Somebody who wrote to the member, which would soon have written too much itself; the id. */
async function newCorrespondent({ shop, world }: Side): Promise<string> {
  const { id, by } = await shop.member(fresh())
  await shop.do('sendMessage', { member: by, to: world.ids.Member, body: 'Hello' })
  return id
}

/** A member's post that looks for somebody; the id. */
async function newSearch({ shop, world }: Side): Promise<string> {
  const { token: as } = await shop.member(fresh())
  const input = { space: world.ids.Space, kind: 'COLLABORATION', title: 'A stall', body: `Who? ${fresh()}` }
  return (await shop.do('publishPost', input, { as, select: 'post { id }' })).post.id
}

/** Somebody who offered the member how to be reached, and to whom the member did when it is to; the id. */
async function newOfferer(side: Side, isMutual = false): Promise<string> {
  const other = await newCorrespondent(side)
  const offer = (member: object, to: string | undefined) =>
    side.shop.do('offerContact', { member, to, fields: [{ kind: 'OTHER', value: 'x' }] })
  await offer({ id: other }, side.world.ids.Member)
  if (isMutual) await offer(side.world.by, other)
  return other
}

/** Somebody who asked to get to know the member; the id. */
async function newAcquaintance({ shop, world }: Side): Promise<string> {
  const { id, by } = await shop.member(fresh())
  await shop.do('proposeIntroduction', { member: by, to: world.ids.Member })
  return id
}

async function newHold({ shop, world }: Side): Promise<string> {
  const input = { member: world.by, points: 1, expiresIn: 'PT1H', reason: 'Cart' }
  return (await shop.do('holdPoints', input, { select: 'hold { id }' })).hold.id
}

async function newSpend({ shop, world }: Side): Promise<string> {
  const input = { member: world.by, points: 1, reason: 'Soap' }
  return (await shop.do('spendPoints', input, { select: 'transaction { id }' })).transaction.id
}

const purchase = (side: Side) => ({
  member: side.world.by,
  orderId: fresh(),
  purchasedAt: '2026-01-01T00:00:00Z',
  currency: 'JPY',
  total: 1000,
})

async function newOrder(side: Side): Promise<string> {
  const bought = purchase(side)
  await side.shop.do('recordPurchase', bought)
  return bought.orderId
}

const hookUrl = 'https://hooks.example.com/engawa'

async function newEndpoint({ shop }: Side): Promise<string> {
  const added = await shop.do('addWebhookEndpoint', { url: hookUrl }, { select: 'endpoint { id }' })
  return added.endpoint.id
}

/** An address as the channel line has them. */
const lineUser = () => `U${randomUUID().replaceAll('-', '')}`

async function newAddress(side: Side): Promise<string> {
  const input = { member: await newMember(side), channel: 'line', value: lineUser() }
  return (await side.shop.do('addAddress', input, { select: 'address { id }' })).address.id
}

const consent = { purpose: 'offers', channel: 'line', source: 'form' }

/** The token of the question that was asked last. */
async function newToken({ shop: { ground, tenant } }: Side): Promise<string> {
  const text = 'select q.id from confirmation q where own(q) order by q.id desc limit 1'
  const [asked] = await ground.app.db.tenant(tenant.id).query<{ id: string }>({ text, values: [] })
  return ground.app.links.confirmToken({ tenant: tenant.id, confirmation: asked?.id ?? '' })
}

async function newSuppression({ shop, world }: Side): Promise<string> {
  const target = { member: { member: world.by, channel: 'line' } }
  const input = { target, reason: 'Asked by phone' }
  return (await shop.do('suppressAddress', input, { select: 'suppression { id }' })).suppression.id
}

const gift = {
  name: { en: 'Mug', ja: 'マグカップ' },
  description: { en: 'Blue.', ja: '青い。' },
  cost: { points: 1, currency: 'POINTS' },
  costs: { when: { membership: ['PAUSED'] }, points: 2 },
  audience: { membership: ['ACTIVE'] },
  window: { from: '2020-01-01T00:00:00Z', until: '2099-01-01T00:00:00Z' },
  stock: 1000,
  perMember: { limit: 1000, period: 'YEAR' },
  goods: { sku: 'MUG' },
  fulfilment: 'MANUAL',
  reservation: { for: 'P100Y' },
}

const offered = {
  name: { en: 'Tea', ja: 'お茶' },
  type: 'SINGLE_PURCHASE',
  threshold: 1,
  thresholdIs: 'AT_LEAST',
  currency: 'JPY',
  benefits: { money: { amount: 1, currency: 'JPY' } },
  validFor: 'P30D',
  from: '2020-01-01T00:00:00Z',
  until: '2099-01-01T00:00:00Z',
  endIs: 'EXCLUSIVE',
  audience: { membership: ['ACTIVE'] },
  stock: 1000,
  perMember: 1000,
  howGiven: 'CLAIMED',
  label: 'REPEAT_DISCOUNT',
  campaign: 'spring',
}

async function newOffer({ shop }: Side, offer: object = offered): Promise<string> {
  const key = fresh()
  await shop.do('defineOffer', { key, offer })
  return key
}

/** An offer that the member has completed. */
async function newReceipt(side: Side): Promise<string> {
  const { shop, world } = side
  const { type, threshold } = offered
  const offer = await newOffer(side, { type, threshold })
  const input = { member: world.by, offer, at: '2026-01-01T00:00:00Z' }
  const given = await shop.do('receiveOffer', input, { select: 'receipt { id }' })
  await shop.do('recordPurchase', purchase(side))
  return given.receipt.id
}

/** A reward that the member holds, of one that stays on offer. */
async function newRedemption({ shop, world }: Side): Promise<string> {
  const input = { member: world.by, reward: 'mug' }
  return (await shop.do('redeemReward', input, { select: 'redemption { id }' })).redemption.id
}

/** A partner that everybody may earn and spend at, and something that the member earned there. */
async function makePartner({ shop, world }: Side, reference: string = fresh()): Promise<string> {
  await shop.do('definePartner', partner)
  const bought = { member: world.by, partner: 'cafe', reference, currency: 'JPY', total: 1000 }
  return (await shop.do('earnAtPartner', bought, { select: 'movement { id }' })).movement.id
}

const partner = {
  key: 'cafe',
  partner: {
    name: { en: 'Café', ja: 'カフェ' },
    earn: { minor: 100, points: 1, money: 'JPY' },
    canBurn: true,
    currency: 'POINTS',
    settlement: { money: 'JPY', issuedMicro: 800_000, burnedMicro: 1_000_000 },
  },
}

const supportLevel = {
  key: 'regulars',
  level: {
    name: { en: 'Regulars', ja: '常連さん' },
    ...{ rank: 1, audience: { stage: 'customer' }, answeredWithin: 'PT4H' },
  },
}

const couponName = { en: 'Tea', ja: 'お茶' }
const coupon = { name: couponName, benefit: { points: { amount: 5 } } }

/** A campaign that nothing has moved yet. */
async function newCampaign({ shop }: Side): Promise<string> {
  const key = `fresh-${randomUUID()}`
  await shop.do('defineCampaign', { key, campaign: { name: couponName } })
  return key
}

async function newCouponRedemption(side: Side): Promise<string> {
  const { shop, world } = side
  const input = { member: world.by, code: await newWord(side), hold: true }
  return (await shop.do('redeemCoupon', input, { select: 'redemption { id }' })).redemption.id
}

async function newWord({ shop }: Side): Promise<string> {
  const word = `W${randomUUID()}`
  await shop.do('addCouponWord', { coupon: 'tea', word })
  return word
}

const friends = {
  name: { en: 'Friends', ja: 'お友だち' },
  benefits: { referrer: { points: { amount: '5' } }, friend: { points: { amount: '2' } } },
  qualifying: { firstPurchase: { atLeast: 1, currency: 'JPY' } },
  hold: 'P1D',
  newFor: 'P30D',
  limits: { perReferrer: { limit: 1000, period: 'YEAR' }, velocity: { claims: 1000, within: 'P1D' } },
  window: { from: '2020-01-01T00:00:00Z', until: '2099-01-01T00:00:00Z' },
}

/** A claim of a new friend of the member's whom somebody has to look at. */
async function newReview(side: Side): Promise<string> {
  const { shop, world } = side
  const signals = { ip: '192.0.2.1' }
  await shop.do('noteReferralSignals', { member: world.by, signals })
  const input = { member: await newMember(side), code: await referralCode(shop, world.by), signals }
  return (await shop.do('claimReferral', input, { select: 'referral { id }' })).referral.id
}

const keyed = async (input: object | Promise<object>) => ({
  input: { idempotencyKey: fresh(), ...(await input) },
})

async function newBenefit({ shop, world }: Side, benefit: object): Promise<string> {
  const input = { member: world.by, benefit, reason: 'Welcome' }
  return (await shop.do('giveBenefit', input, { select: 'benefit { id }' })).benefit.id
}

async function newUse({ shop, world }: Side): Promise<string> {
  const used = await shop.do('useEntitlement', { member: world.by, key: 'tea' }, { select: 'use { id }' })
  return used.use.id
}

async function newContent({ shop }: Side): Promise<string> {
  const article = articleIn(await makeLibrary(shop))
  return (await shop.do('publishContent', article, { select: 'content { id }' })).content.id
}

/** A file whose bytes have come. */
async function newAsset({ shop }: Side): Promise<string> {
  const body = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
  const file = { name: 'a.png', mediaType: 'image/png', size: body.length }
  const { asset, upload } = await shop.do('createUpload', file, { select: 'asset { id } upload { url }' })
  await fetch(upload.url, { method: 'PUT', body })
  return asset.id
}

/** A course that nobody is in; its key. */
async function newCourse({ shop }: Side): Promise<{ readonly key: string; readonly lesson: string }> {
  const key = fresh()
  const course = courseIn(await makeLibrary(shop))
  const saved = await shop.do('saveCourse', { key, course }, { select: 'course { lessons { id } }' })
  return { key, lesson: saved.course.lessons[0].id }
}

async function newLesson(side: Side): Promise<string> {
  const { key, lesson } = await newCourse(side)
  await side.shop.do('enrolInCourse', { member: side.world.by, course: key })
  return lesson
}

const idea0 = { title: 'The manual', need: 'I cannot find the switch' }

/** Everything about content that can be said at once. */
const wholeFacts = {
  ...{ teaser: 'Soft skin', isTeased: true, isPublic: false, stages: 'customer', skus: 'soap' },
  ...{ personas: 'parents', link: 'https://tool.example.com', entitlement: 'tea', series: 'weekly' },
}
const weekly = {
  ...{ key: 'weekly', name: { en: 'Weekly', ja: '毎週' }, every: 'P7D', firstBy: '2099-01-01T00:00:00Z' },
}

async function wholeContent({ shop }: Side) {
  await shop.do('saveContentSeries', weekly)
  const more = { format: 'MARKDOWN', tags: 'skin', facts: wholeFacts, audience: { stage: 'customer' } }
  return { ...articleIn(await makeLibrary(shop)), ...more }
}

const discount = { money: { amount: 500, currency: 'JPY' } }

/** Every part of a contact policy, one entry of each list standing for it. It holds nothing back. */
const wholePolicy = {
  input: {
    quietHours: { periods: { from: '03:00', to: '03:01', weekdays: 'MON' }, channels: 'inbox' },
    exemptPurposes: 'security',
    caps: { class: 'MARKETING', channel: 'inbox', most: 1000, within: 'PT1H' },
    stages: { stage: 'visitor', purposes: 'care', channels: 'inbox', longestSilence: 'P30D' },
    ignored: { after: 1000, response: 'STOP' },
    channelRules: { audience: { stage: 'lapsed' }, channels: 'inbox' },
    defaultChannels: 'inbox',
  },
}

/** Points that somebody asked to move who is nobody else: their limit of the day is fresh. */
async function newAdjustment({ shop, world }: Side): Promise<string> {
  const input = { member: world.by, points: 10_001, reason: 'A mistake of ours' }
  const as = await shop.token('staff', fresh(), '*')
  return (await shop.do('adjustPoints', input, { as, select: 'adjustment { id }' })).adjustment.id
}

const points = { en: 'Points', ja: 'ポイント' }

/** A currency of points with every part of it. */
const wholeCurrency = {
  name: points,
  expiry: { rolling: { months: 12, endOf: 'MONTH' } },
  value: { currency: 'JPY', micro: 1_000_000 },
  debtLimit: 500,
  warning: { before: 'P14D', extendBy: 'P30D', purpose: 'service' },
}

/** A remark that the member has just made. */
async function newComment({ shop, world }: Side): Promise<string> {
  const on = world.ids.Comment
  const { comment } = await shop.do(
    'addComment',
    { on, body: fresh() },
    { as: world.token, select: 'comment { id }' },
  )
  return comment.id
}

/** Somebody else flags something. */
async function flagged({ shop }: Side, contribution: string): Promise<void> {
  const { token } = await shop.member(fresh())
  await shop.do('flagContribution', { contribution, reason: 'SPAM' }, { as: token })
}

/** The same by somebody else. */
async function othersComment({ shop, world }: Side): Promise<string> {
  const { token } = await shop.member(fresh())
  const input = { on: world.ids.Comment, body: fresh() }
  return (await shop.do('addComment', input, { as: token, select: 'comment { id }' })).comment.id
}

const wholeSpace = {
  ...{
    kind: 'COMMUNITY',
    name: { en: 'Tea', ja: 'お茶' },
    purpose: { en: 'To talk of tea', ja: 'お茶の話' },
  },
  ...{ theme: { en: 'Tea', ja: 'お茶' }, goal: { en: 'Better tea', ja: 'よりよいお茶' } },
  ...{ see: { stage: 'customer' }, post: { stage: 'customer' }, reply: { stage: 'customer' } },
  ...{ react: { stage: 'customer' }, join: 'REQUEST', isListed: true },
  ...{
    owner: 'anna',
    isWelcome: true,
    isClosedOutsideCover: false,
    cover: { weekdays: 1, from: '09:00', to: '18:00' },
  },
}

async function newSpace({ shop }: Side): Promise<string> {
  return makeSpace(shop, fresh())
}

/** A question that staff, unless told, have just asked. */
async function newQuestion({ shop }: Side, as = shop.staff, kind = 'QUESTION'): Promise<string> {
  const space = await makeSpace(shop, fresh(), { kind: 'QA' })
  const asked = { space, title: 'Which tea?', body: fresh(), kind }
  return (await shop.do('askQuestion', asked, { as, select: 'question { id }' })).question.id
}

/** The same with an answer of theirs. */
async function newAnswer(side: Side): Promise<{ question: string; answer: string }> {
  const question = await newQuestion(side)
  const given = { question, body: fresh() }
  const { answer } = await side.shop.do('answerQuestion', given, { select: 'answer { id }' })
  return { question, answer: answer.id }
}

/** An entry of the FAQ that is being edited. */
async function newEntry({ shop, world }: Side): Promise<string> {
  const given = { space: world.ids.Space, title: 'Which tea?', body: fresh() }
  return (await shop.do('draftFaq', given, { select: 'entry { id }' })).entry.id
}

/** What nobody but a member does, for itself. */
export const MEMBERS_ALONE = [
  ...['markInboxRead', 'react', 'unreact', 'follow', 'unfollow', 'markRead', 'blockAuthor', 'unblockAuthor'],
  ...['chooseNotifications', 'markNotificationsRead', 'setDigest', 'setSpaceNotifications'],
  ...[
    'appealModeration',
    'flagContribution',
    'markInboxRead',
    'react',
    'unreact',
    'follow',
    'unfollow',
    'markRead',
    'blockAuthor',
    'unblockAuthor',
  ],
  ...['chooseNotifications', 'markNotificationsRead', 'setDigest', 'setSpaceNotifications', 'recordSession'],
  ...['addMeToo', 'removeMeToo', 'rateHelp', 'thankAnswer', 'noteDeflection'],
].map((name) => `Mutation.${name}`)

/** A post of staff's in the space of the world. */
async function newPost({ shop, world }: Side, more: object = {}): Promise<string> {
  const input = { space: world.ids.Space, kind: 'IDEA', title: 'Tea', body: 'Tea.', ...more }
  return (await shop.do('publishPost', input, { select: 'post { id }' })).post.id
}

/** A post that is shown to people who are no members; the id. */
async function newTeaser(side: Side): Promise<string> {
  const contribution = await newPost(side)
  await side.shop.do('teaseThread', { contribution, teaser: 'A word.' })
  return contribution
}

const wholeGathering = {
  startsAt: '2099-01-01T00:00:00Z',
  endsAt: '2099-01-02T00:00:00Z',
  place: 'Kyoto',
  seats: 5,
}
const wholePoll = { options: ['Tea', 'Rice'], isMultiple: false, closesAt: '2099-01-01T00:00:00Z' }

/** A post with every part that it can have at once. */
const wholePost = ({ world }: Side) => ({
  ...{ space: world.ids.Space, kind: 'EVENT', title: 'Tea', body: 'Come.', format: 'MARKDOWN', tags: 'tea' },
  ...{ sku: 'soap', topics: 'PRICE', canBePromoted: true, poll: wholePoll, gathering: wholeGathering },
})

const feedbackForm = {
  key: 'smell',
  label: 'How is it?',
  kind: 'CHOICE',
  choices: ['Good', 'Bad'],
  isRequired: true,
}

const wholeResearch = (key: string) => ({
  ...{ key, title: 'Soap', description: 'A soap.', sku: 'soap', form: feedbackForm },
  ...{ opensAt: '2020-01-01T00:00:00Z', closesAt: '2099-01-01T00:00:00Z', invitees: { stage: 'customer' } },
})

/** A test sale of which the member has something. */
async function newTestSale({ shop, world }: Side): Promise<string> {
  const key = fresh()
  const { invitees: _, ...sale } = wholeResearch(key)
  await shop.do('openTestSale', { ...sale, stock: 1000, perMember: 1000 })
  await shop.do('takeFromTestSale', { key, member: world.by })
  return key
}

async function newComplaint(side: Side): Promise<string> {
  const post = await newPost(side)
  await side.shop.do('markAsComplaint', { post })
  return post
}

/** For every root field one question about what is one's own. Issuers are looked at apart. */
export const OWN: Record<string, Own> = {
  'Query.leaderboard': ({ world }) => ({
    space: world.ids.Space,
    from: april.from,
    until: april.until,
    most: 5,
  }),
  'Query.adjustments': () => ({}),
  'Query.backTestProgram': () => ({ input: { document: {}, days: 1, members: 1 } }),
  'Query.broadcasts': () => ({}),
  'Query.currencies': () => ({}),
  'Query.operations': () => ({}),
  'Query.certificate': async (side) => {
    const lesson = await newLesson(side)
    const select = 'enrolment { certificate }'
    const done = await side.shop.do('finishLesson', { member: side.world.by, lesson }, { select })
    return { number: done.enrolment.certificate }
  },
  'Query.contentIdeas': () => ({ state: 'OPEN' }),
  'Query.stuckChecklists': () => ({}),
  'Mutation.saveContentIdea': async (side) => {
    const { idea } = await side.shop.do('saveContentIdea', idea0, { select: 'idea { id }' })
    const about = { skus: 'soap', features: 'checkout' }
    return {
      input: { ...idea0, ...about, idea: idea.id, content: await newContent(side), isDismissed: false },
    }
  },
  'Mutation.supportContentIdea': async (side) => {
    const { idea } = await side.shop.do('saveContentIdea', idea0, { select: 'idea { id }' })
    return { input: { idea: idea.id, contribution: await newContent(side), note: 'Seen' } }
  },
  'Mutation.saveChecklist': () => ({ input: { ...firstSteps, key: fresh(), steps: firstSteps.steps[0] } }),
  'Mutation.doChecklistStep': ({ world }) => ({
    input: { member: world.by, checklist: 'brush', step: 'unpack' },
  }),
  'Query.content': () => ({
    filter: {
      ...{ kind: 'ARTICLE', purpose: 'RETENTION', stage: 'customer', sku: 'soap', persona: 'parents' },
      ...{ series: 'weekly', isPublic: false, state: 'PUBLISHED' },
    },
  }),
  'Query.contentMatrix': () => ({ skus: 'soap', personas: 'parents', gapsOnly: false }),
  'Query.contentSeries': () => ({}),
  'Query.courses': () => ({}),
  'Query.downloads': () => ({}),
  'Mutation.publishContent': async (side) => keyed({ ...(await wholeContent(side)), isDraft: false }),
  'Mutation.updateContent': async (side) => {
    const { space: _, ...change } = await wholeContent(side)
    const { series: __, ...facts } = wholeFacts
    return { input: { ...change, content: await newContent(side), facts, isPublished: false } }
  },
  'Mutation.retireContent': async (side) => ({ input: { content: await newContent(side) } }),
  'Mutation.rateContent': async (side) => ({
    input: {
      member: side.world.by,
      content: await newContent(side),
      rating: 'USEFUL',
      comment: 'It helped',
    },
  }),
  'Mutation.saveContentSeries': () => ({ input: weekly }),
  'Mutation.createUpload': () => ({
    input: { name: 'a.png', mediaType: 'image/png', size: 100, isDownload: false },
  }),
  'Mutation.attachAsset': async (side) => ({
    input: { asset: await newAsset(side), to: await newContent(side) },
  }),
  'Mutation.recordAssetProgress': async (side) => {
    const asset = await newAsset(side)
    await side.shop.do('attachAsset', { asset, to: await newContent(side) })
    return { input: { member: side.world.by, asset, percent: 50, place: 12 } }
  },
  'Mutation.saveCourse': async (side) => {
    const { lessons, ...course } = courseIn(await makeLibrary(side.shop))
    const lesson = {
      ...lessons[0],
      ...{ summary: 'One step', format: 'MARKDOWN', after: 'P1D', opensAt: '2020-01-01T00:00:00Z' },
      afterActivity: 'visit',
      assets: await newAsset(side),
    }
    const whole = { ...course, audience: { stage: 'customer' }, lessons: lesson, isRetired: false }
    return { input: { key: fresh(), course: whole } }
  },
  'Mutation.enrolInCourse': async (side) =>
    keyed({ member: side.world.by, course: (await newCourse(side)).key, isAnew: false }),
  'Mutation.finishLesson': async (side) => keyed({ member: side.world.by, lesson: await newLesson(side) }),
  'Query.contactPolicy': async ({ shop }) => {
    await shop.do('saveContactPolicy', wholePolicy.input)
    return {}
  },
  'Query.campaigns': () => ({}),
  'Query.channels': () => ({}),
  'Query.contentChecks': () => ({}),
  'Query.priceFor': ({ world }) => ({ member: world.by, sku: 'soap', currency: 'JPY' }),
  'Query.pricesFor': ({ world }) => ({ member: world.by, skus: ['soap'], currency: 'JPY' }),
  'Query.quotePurchase': async (side) => ({
    input: {
      ...{ member: side.world.by, currency: 'JPY', lines: { sku: 'soap', quantity: 1, amount: 5000 } },
      benefits: await newBenefit(side, discount),
    },
  }),
  'Mutation.defineStacking': () => ({ input: { stacking: { categories: { key: 'benefit', order: 1 } } } }),
  'Query.benefitStatement': ({ world }) => ({ member: world.by }),
  'Query.checkEntitlement': ({ world }) => ({ member: world.by, key: 'tea' }),
  'Query.coupon': () => ({ key: 'tea' }),
  'Query.coupons': () => ({ campaign: 'spring' }),
  'Query.couponUsable': async (side) => ({ member: side.world.by, code: await newWord(side) }),
  'Query.doubtfulDeliveries': () => ({}),
  'Query.ledgerCheck': () => ({}),
  'Query.liability': () => ({ currency: 'POINTS', at: '2099-01-01T00:00:00Z' }),
  'Query.lifetimeValueByCohort': () => ({ currency: 'JPY' }),
  'Query.member': ({ world }) => ({ by: world.by }),
  'Query.memberCosts': async ({ shop }) => {
    await shop.do('recordCost', { purpose: 'RETENTION', measure: 'Letters', amount: 5, currency: 'JPY' })
    return { currency: 'JPY', from: '2020-01-01T00:00:00Z', until: '2100-01-01T00:00:00Z' }
  },
  'Query.members': () => ({}),
  'Query.moderationQueue': () => ({ state: 'OPEN' }),
  'Query.node': ({ world }) => ({ id: world.id }),
  'Query.nodes': ({ world }) => ({ ids: Object.values(world.ids).slice(0, 1) }),
  'Query.partnerMovements': async (side) => {
    await makePartner(side)
    return { partner: 'cafe' }
  },
  'Query.partnerSettlement': async (side) => {
    await makePartner(side)
    return { partner: 'cafe', from: '2020-01-01T00:00:00Z', until: '2100-01-01T00:00:00Z' }
  },
  'Query.partners': async ({ shop }) => {
    await shop.do('definePartner', partner)
    return {}
  },
  'Query.previewProgram': () => ({ document: {} }),
  'Query.previewTemplate': ({ world }) => ({
    key: 'thank-you',
    member: world.by,
    channel: 'inbox',
    parameters: { order: 'A-1' },
  }),
  'Query.offers': () => ({}),
  'Query.program': () => ({}),
  'Query.programDiff': () => ({ draft: {} }),
  'Query.programVersions': () => ({}),
  'Query.purchase': ({ world }) => ({ orderId: world.orderId }),
  'Query.purposes': () => ({}),
  'Query.previewTierLadder': () => ({ key: 'default', ladder: WHOLE_LADDER }),
  'Query.revenueConcentration': () => ({ currency: 'JPY' }),
  'Query.earnRules': () => ({}),
  'Query.productLabels': () => ({}),
  'Query.segments': () => ({}),
  'Query.supportLevels': async ({ shop }) => {
    await shop.do('defineSupportLevel', supportLevel)
    return {}
  },
  'Query.referrals': () => ({}),
  'Query.rewardRedemptions': () => ({}),
  'Query.rewards': () => ({}),
  'Query.complaints': async (side) => {
    await newComplaint(side)
    return { state: 'OPEN' }
  },
  'Query.productDiscussion': async (side) => {
    await newPost(side, { sku: 'soap', topics: ['PRICE'] })
    return { sku: 'soap' }
  },
  'Query.research': async (side) => ({ key: await newTestSale(side), kind: 'TEST_SALE' }),
  'Query.complaintClusters': async ({ shop, world }) => {
    await shop.do('reportStumble', { member: world.by, feature: 'checkout' })
    return { within: 'P30D' }
  },
  'Query.stumbles': async ({ shop, world }) => {
    await shop.do('reportStumble', { member: world.by, feature: 'checkout' })
    return { within: 'P30D' }
  },
  'Query.search': ({ world }) => ({
    ...{ query: 'agree', kinds: 'COMMENT', space: world.ids.Space, sku: 'soap', tag: 'tea' },
  }),
  'Query.similarQuestions': ({ world }) => ({
    ...{ title: 'Do you agree?', body: 'I do.', space: world.ids.Space, most: 3 },
  }),
  'Query.faq': ({ world }) => ({
    ...{ space: world.ids.Space, sku: 'soap', tag: 'tea', stage: 'PUBLISHED' },
  }),
  'Query.faqCandidates': ({ world }) => ({ space: world.ids.Space }),
  'Query.questionCare': ({ world }) => ({ space: world.ids.Space }),
  'Query.questions': ({ world }) => ({
    ...{ space: world.ids.Space, standing: 'OPEN', tag: 'tea', sku: 'soap' },
  }),
  'Query.threads': ({ world }) => ({
    ...{ orderBy: 'NEW', kinds: ['POST'], space: world.ids.Space, tag: 'tea', sku: 'soap' },
  }),
  'Query.space': () => ({ key: 'club' }),
  'Query.spaces': () => ({ kind: 'COMMUNITY' }),
  'Query.stages': () => ({}),
  'Query.suppressions': () => ({}),
  'Query.tasks': () => ({}),
  'Query.template': () => ({ key: 'thank-you' }),
  'Query.templates': () => ({}),
  'Query.tierLadders': () => ({}),
  'Query.tiers': () => ({ ladder: 'default' }),
  'Query.viewer': () => ({}),
  'Query.webhookEndpoints': () => ({}),
  'Mutation.addWebhookEndpoint': () => keyed({ url: hookUrl, types: ['member.registered'] }),
  'Query.whyNot': ({ world }) => ({ member: world.by, touchpoint: world.ids.Touchpoint }),
  'Mutation.burnAtPartner': async (side) => {
    await makePartner(side)
    return keyed({ member: side.world.by, partner: 'cafe', reference: fresh(), points: 1 })
  },
  'Mutation.activateCampaign': async (side) => keyed({ campaign: await newCampaign(side) }),
  'Mutation.addCouponWord': () => keyed({ coupon: 'tea', word: `W${randomUUID()}` }),
  'Mutation.cancelCouponRedemption': async (side) =>
    keyed({ redemption: await newCouponRedemption(side), reason: 'Ordered twice' }),
  'Mutation.defineCampaign': () => ({
    input: { key: `fresh-${randomUUID()}`, campaign: { name: couponName } },
  }),
  'Mutation.defineCoupon': () => ({ input: { key: `fresh-${randomUUID()}`, coupon } }),
  'Mutation.endCampaign': async (side) => keyed({ campaign: await newCampaign(side) }),
  'Mutation.issueCoupon': ({ world }) => keyed({ member: world.by, coupon: 'tea' }),
  'Mutation.makeCoupons': () => keyed({ coupon: 'tea', count: 2, prefix: 'TEA' }),
  'Mutation.pauseCampaign': async (side) => keyed({ campaign: await newCampaign(side) }),
  'Mutation.redeemCoupon': async (side) =>
    keyed({ member: side.world.by, code: await newWord(side), orderId: fresh() }),
  'Mutation.releaseCoupon': async (side) => keyed({ redemption: await newCouponRedemption(side) }),
  'Mutation.cancelTouchpoint': async (side) => ({ input: { touchpoint: await newTouch(side) } }),
  'Mutation.addMemberNote': async (side) => keyed({ member: await newMember(side), body: 'Likes tea.' }),
  'Mutation.editMemberNote': async (side) => ({ input: { note: await newNote(side), body: fresh() } }),
  'Mutation.removeMemberNote': async (side) => ({ input: { note: await newNote(side) } }),
  'Mutation.completeTask': async (side) =>
    keyed({
      task: await newTask(side),
      outcome: 'DONE',
      note: 'Glad to hear from us.',
      cost: { amount: 500, currency: 'JPY' },
    }),
  'Mutation.approveReferral': async (side) => keyed({ referral: await newReview(side) }),
  'Mutation.cancelRedemption': async (side) => keyed({ redemption: await newRedemption(side) }),
  'Mutation.adjustPoints': ({ world }) => keyed({ member: world.by, points: 5, reason: 'A mistake of ours' }),
  'Mutation.approveAdjustment': async (side) =>
    keyed({ adjustment: await newAdjustment(side), note: 'Seen' }),
  'Mutation.defineCurrency': () => ({ input: { key: 'STAMPS', currency: wholeCurrency } }),
  'Mutation.defineOperations': () => ({
    input: {
      adjustment: { approvalAbove: 10_000, dailyPerOperator: 50_000 },
      delight: { monthlyPerOperator: 10_000 },
    },
  }),
  'Mutation.extendPoints': ({ world }) =>
    keyed({ member: world.by, within: 'P1D', by: 'P1D', reason: 'A holiday' }),
  'Mutation.grantDelight': ({ world }) => keyed({ member: world.by, points: 5, reason: 'A smile' }),
  'Mutation.rejectAdjustment': async (side) => keyed({ adjustment: await newAdjustment(side), note: 'Seen' }),
  'Mutation.transferPoints': async (side) =>
    keyed({ member: side.world.by, to: await newMember(side), points: 1, reason: 'For you' }),
  'Mutation.captureHold': async (side) => keyed({ hold: await newHold(side) }),
  'Mutation.checkChannel': () => ({ input: { channel: 'inbox' } }),
  'Mutation.configureChannel': () => ({ input: { channel: 'inbox', config: {}, isEnabled: true } }),
  'Mutation.definePartner': () => ({ input: partner }),
  'Mutation.defineSegment': () => ({
    input: {
      key: 'buyers',
      segment: { name: { en: 'Buyers', ja: 'お客様' }, audience: { stage: 'customer' }, every: 'PT1H' },
    },
  }),
  'Mutation.recordActivity': ({ world }) =>
    keyed({
      member: world.by,
      name: 'lesson.finished',
      key: fresh(),
      at: '2026-01-01T00:00:00Z',
      properties: { n: 1 },
    }),
  'Mutation.defineEarnRule': () => ({ input: { key: `tea-${randomUUID()}`, rule: earnRule } }),
  'Mutation.defineProductLabel': () => ({
    input: { key: `care-${randomUUID()}`, label: { name: { en: 'Care', ja: 'ケア' }, skus: ['soap'] } },
  }),
  'Mutation.claimReferral': async (side) =>
    keyed({
      member: await newMember(side),
      code: await referralCode(side.shop, side.world.by),
      signals: { device: fresh() },
    }),
  'Mutation.defineReferralProgram': () => ({ input: { key: fresh(), program: friends } }),
  'Mutation.defineReward': () => ({ input: { key: fresh(), reward: gift } }),
  'Mutation.defineEntitlement': () => ({
    input: { key: `fresh-${randomUUID()}`, entitlement: { name: { en: 'Spa', ja: '温泉' }, kind: 'TOOL' } },
  }),
  'Mutation.definePriceList': () => ({
    input: {
      key: `fresh-${randomUUID()}`,
      priceList: {
        ...{ name: { en: 'Spring', ja: '春' }, currency: 'JPY' },
        prices: { sku: `s-${randomUUID()}`, price: 900 },
      },
    },
  }),
  'Mutation.giveBenefit': ({ world }) => keyed({ member: world.by, benefit: discount, reason: 'Welcome' }),
  'Mutation.takeBackBenefit': async (side) =>
    keyed({ benefit: await newBenefit(side, discount), reason: 'A mistake' }),
  'Mutation.useBenefit': async (side) =>
    keyed({ benefit: await newBenefit(side, discount), amount: 500, currency: 'JPY', order: 'A-1' }),
  'Mutation.useEntitlement': ({ world }) => keyed({ member: world.by, key: 'tea' }),
  'Mutation.returnEntitlement': async (side) => keyed({ use: await newUse(side), reason: 'Closed' }),
  'Mutation.defineSupportLevel': () => ({ input: supportLevel }),
  'Mutation.claimOffer': async (side) => keyed({ member: side.world.by, offer: await newOffer(side) }),
  'Mutation.defineOffer': () => ({ input: { key: fresh(), offer: offered } }),
  'Mutation.receiveOffer': async (side) =>
    keyed({ member: side.world.by, offer: await newOffer(side), key: fresh(), at: '2026-01-01T00:00:00Z' }),
  'Mutation.retireOffer': async (side) => ({ input: { key: await newOffer(side) } }),
  'Mutation.useOffer': async (side) => keyed({ receipt: await newReceipt(side) }),
  'Mutation.viewOffer': ({ world }) => ({ input: { receipt: world.ids.OfferReceipt } }),
  'Mutation.disableChannel': () => ({ input: { channel: 'line' } }),
  'Mutation.disableWebhookEndpoint': ({ world }) => ({ input: { endpoint: world.ids.WebhookEndpoint } }),
  'Mutation.earnAtPartner': async (side) => {
    await makePartner(side)
    const bought = { partner: 'cafe', reference: fresh(), currency: 'JPY', total: 500 }
    return keyed({ member: side.world.by, ...bought, at: '2026-01-01T00:00:00Z' })
  },
  'Mutation.enableWebhookEndpoint': ({ world }) => ({ input: { endpoint: world.ids.WebhookEndpoint } }),
  'Mutation.addAddress': async (side) => ({
    input: { member: await newMember(side), channel: 'line', value: lineUser() },
  }),
  'Mutation.confirmConsent': async (side) => {
    const given = { ...consent, purpose: 'newsletter', textVersion: 'v1', member: await newMember(side) }
    await side.shop.do('giveConsent', given)
    return { input: { token: await newToken(side) } }
  },
  'Mutation.endMembership': async (side) => keyed({ member: await newMember(side), end: 'LEFT' }),
  'Mutation.allowPromotion': async (side) => ({ input: { post: await newPost(side), isAllowed: true } }),
  'Mutation.answerGathering': async (side) => {
    const post = await newPost(side, { kind: 'EVENT', gathering: wholeGathering })
    return { input: { post, member: side.world.by, isComing: true } }
  },
  'Mutation.answerResearch': async (side) => {
    const answers = { question: 'smell', words: 'Good' }
    return { input: { key: await newTestSale(side), member: side.world.by, answers } }
  },
  'Mutation.importThread': ({ world }) => ({
    input: {
      ...{ network: 'discord', space: world.ids.Space },
      posts: {
        ...{ sourceKey: fresh(), author: { externalKey: 'k1', displayName: 'Kay' }, title: 'Tea' },
        ...{ body: 'Tea.', format: 'MARKDOWN', at: '2026-03-01T00:00:00Z' },
      },
    },
  }),
  'Mutation.linkIdentity': ({ world }) => ({
    input: { member: world.by, network: 'discord', externalKey: fresh() },
  }),
  'Mutation.unlinkIdentity': async ({ shop, world }) => {
    const input = { member: world.by, network: 'discord', externalKey: fresh() }
    await shop.do('linkIdentity', input)
    return { input }
  },
  'Mutation.noteCrossPost': async (side) => ({
    input: { post: await newPost(side), network: 'discord', url: 'https://discord.example/1' },
  }),
  'Mutation.markAsComplaint': async (side) => ({ input: { post: await newPost(side), reason: 'Broken' } }),
  'Mutation.openResearchPanel': () => ({ input: wholeResearch(fresh()) }),
  'Mutation.openTestSale': () => ({ input: { ...wholeResearch(fresh()), stock: 5, perMember: 1 } }),
  'Mutation.pinPost': async (side) => ({ input: { post: await newPost(side), isPinned: true } }),
  'Mutation.publishPost': (side) => keyed(wholePost(side)),
  'Mutation.reportStumble': ({ world }) =>
    keyed({ member: world.by, feature: 'checkout', note: 'Where is the button?' }),
  'Mutation.resolveComplaint': async (side) => keyed({ post: await newComplaint(side), body: 'Mended.' }),
  'Mutation.saveDraft': (side) => keyed(wholePost(side)),
  'Mutation.setIdeaStatus': async (side) => ({
    input: {
      ...{ post: await newPost(side), status: 'MERGED', mergedInto: await newPost(side), note: 'The same.' },
    },
  }),
  'Mutation.setIdeaVotes': ({ world }) => ({ input: { space: world.ids.Space, votes: 1000 } }),
  'Mutation.takeFromTestSale': async (side) =>
    keyed({ key: await newTestSale(side), member: side.world.by, quantity: 2 }),
  'Mutation.voteForIdea': async (side) => ({
    input: { post: await newPost(side), member: side.world.by, votes: 0 },
  }),
  'Mutation.voteInPoll': async (side) => ({
    input: { post: await newPost(side, { poll: wholePoll }), member: side.world.by, options: 1 },
  }),
  'Mutation.acceptAnswer': async (side) => {
    const { question, answer } = await newAnswer(side)
    return keyed({ question, answer, expectedCurrentAnswer: null })
  },
  'Mutation.addMeToo': async (side) => ({ input: { question: await newQuestion(side) } }),
  'Mutation.answerQuestion': async (side) =>
    keyed({ question: await newQuestion(side), body: 'Barley.', format: 'MARKDOWN', isOfficial: false }),
  'Mutation.askQuestion': async (side) =>
    keyed({
      ...{ space: await makeSpace(side.shop, fresh(), { kind: 'QA' }), title: 'Which tea?', body: 'For me.' },
      ...{ format: 'MARKDOWN', tags: 'tea', sku: 'soap', kind: 'QUESTION', isPrivate: false },
    }),
  'Mutation.convertPostToQuestion': async (side) =>
    keyed({
      post: await newPost(side, { kind: 'TALK', body: fresh() }),
      ...{ space: await makeSpace(side.shop, fresh(), { kind: 'QA' }), title: 'Which tea?' },
    }),
  'Mutation.moveToCommunity': async (side) =>
    keyed({ question: await newQuestion(side), space: await makeSpace(side.shop, fresh()) }),
  'Mutation.convertToAnswer': async (side) => {
    const said = { on: await newQuestion(side), body: fresh() }
    const { comment } = await side.shop.do('addComment', said, { select: 'comment { id }' })
    return keyed({ reply: comment.id })
  },
  'Mutation.convertToComment': async (side) => keyed({ reply: (await newAnswer(side)).answer }),
  'Mutation.draftFaq': async (side) =>
    keyed({
      ...{
        space: side.world.ids.Space,
        question: await newQuestion(side),
        title: 'Which tea?',
        body: 'Barley.',
      },
      ...{ format: 'MARKDOWN', tags: 'tea', sku: 'soap' },
    }),
  'Mutation.publishFaq': async (side) => ({
    input: { entry: await newEntry(side), isWiderOk: true, reviewAt: '2099-01-01T00:00:00Z' },
  }),
  'Mutation.reviewFaq': ({ world }) => ({
    input: { entry: world.ids.FaqEntry, reviewAt: '2099-01-01T00:00:00Z' },
  }),
  'Mutation.retireFaq': async (side) => ({ input: { entry: await newEntry(side) } }),
  'Mutation.noteDeflection': ({ world }) => ({
    input: {
      ...{
        session: fresh(),
        space: world.ids.Space,
        opened: world.ids.FaqEntry,
        question: world.ids.Question,
      },
    },
  }),
  'Mutation.assignExpert': async (side) => ({
    input: { question: await newQuestion(side, side.shop.staff, 'CONSULTATION'), expert: side.world.by },
  }),
  'Mutation.setQuestionCare': ({ world }) => ({
    input: {
      ...{ space: world.ids.Space, escalatesAfter: 'PT48H', answersWithin: 'PT24H' },
      ...{ faqViews: 100, faqDuplicates: 3 },
    },
  }),
  'Mutation.closeQuestion': async (side) => ({
    input: {
      ...{ question: await newQuestion(side), reason: 'DUPLICATE', duplicateOf: await newQuestion(side) },
    },
  }),
  'Mutation.markAnswerOfficial': async (side) => ({
    input: { answer: (await newAnswer(side)).answer, isOfficial: true },
  }),
  'Mutation.rateHelp': async (side) => ({
    input: { question: await newQuestion(side, side.world.token), isSatisfied: true },
  }),
  'Mutation.removeMeToo': async (side) => ({ input: { question: await newQuestion(side) } }),
  'Mutation.reopenQuestion': async (side) => ({ input: { question: await newQuestion(side) } }),
  'Mutation.requestAnswer': async (side) => ({
    input: { question: await newQuestion(side), member: side.world.by },
  }),
  'Mutation.thankAnswer': async (side) => ({ input: { answer: (await newAnswer(side)).answer } }),
  'Mutation.unacceptAnswer': async (side) => {
    const { question } = await newAnswer(side)
    return keyed({ question, expectedCurrentAnswer: null })
  },
  'Mutation.addComment': ({ world }) => keyed({ on: world.ids.Comment, body: 'So it is.' }),
  'Mutation.blockAuthor': async (side) => ({
    input: { contribution: await othersComment(side), isMute: false },
  }),
  'Query.publicTeasers': async (side) => {
    await newTeaser(side)
    return { space: side.world.ids.Space, isWelcome: false }
  },
  'Mutation.teaseThread': async (side) => ({
    input: { contribution: await newPost(side), teaser: 'A word.' },
  }),
  'Mutation.recordTeaserViews': async (side) =>
    keyed({ contribution: await newTeaser(side), day: '2026-01-01', views: 3 }),
  'Mutation.recordMention': () =>
    keyed({ source: 'news', url: `https://news.example/${randomUUID()}`, at: '2026-01-01T00:00:00Z' }),
  'Query.communityReport': ({ world }) => ({ ...april, space: world.ids.Space }),
  'Query.funnel': () => ({ ...april, steps: { resource: '/*' }, within: 'P1D' }),
  'Query.stickiness': ({ world }) => ({ ...april, space: world.ids.Space }),
  'Query.stickinessRevenue': () => ({ ...april, currency: 'JPY', bands: 3 }),
  'Mutation.recordSession': async ({ shop, world }) => {
    const { now } = (await shop.ask(shop.staff, '{ viewer { tenant { now } } }')).data.viewer.tenant
    const look = { key: fresh(), at: now, kind: 'SCREEN', resource: '/', level: 1, seconds: 3 }
    return { input: { session: fresh(), views: { ...look, contribution: world.ids.Comment } } }
  },
  'Mutation.chooseNotifications': () => ({ input: { kinds: ['REPLY'], channel: 'inbox', isOn: true } }),
  'Mutation.markNotificationsRead': ({ world }) => ({
    input: { notifications: world.ids.Notification, until: '2020-01-01T00:00:00Z' },
  }),
  'Mutation.setDigest': () => ({
    input: { period: 'WEEKLY', time: '08:00', weekday: 'FRI', channels: 'inbox' },
  }),
  'Mutation.setSpaceNotifications': ({ world }) => ({ input: { space: world.ids.Space, level: 'ALL' } }),
  'Mutation.appealModeration': async (side) => {
    const contribution = await newComment(side)
    await flagged(side, contribution)
    await side.shop.do('decideModeration', { contribution, version: 2, decision: 'REMOVED' })
    return { input: { contribution, text: 'Why?' } }
  },
  'Mutation.decideModeration': async (side) => {
    const contribution = await newComment(side)
    await flagged(side, contribution)
    return { input: { contribution, version: 2, decision: 'REMOVED', note: 'Spam.' } }
  },
  'Mutation.defineModeration': () => ({
    input: {
      limits: { action: 'POST', most: 100, per: 'PT1H', upToTrust: 1 },
      ...{ repeatWithin: 'PT1S', reviewFirst: 0, hideAt: 8, keepFor: 'P14D', keepShare: 90 },
      trust: { level: 1, threads: 5, days: 1, given: 0, received: 0, within: 'P1Y' },
    },
  }),
  'Mutation.defineBadge': () => ({
    input: {
      ...{ key: fresh(), name: { en: 'Tea', ja: 'お茶' }, description: { en: 'For tea.', ja: 'お茶に。' } },
      ...{ criteria: { count: 'ANSWERS', atLeast: 3 }, isRepeatable: true, points: 5 },
    },
  }),
  'Mutation.defineOutreach': () => ({
    input: {
      ...{ key: fresh(), signal: 'STUMBLE', about: fresh(), times: 3, within: 'P1D', assignee: fresh() },
      title: { en: 'Offer help', ja: '声をかける' },
    },
  }),
  'Mutation.defineReputation': () => ({
    input: {
      amounts: { cause: 'VOTE_UP', on: 'ANSWER', amount: 10 },
      ...{ perDay: 200, perPairAndDay: 60, perContribution: 500, exempt: 'ACCEPTED', floor: 1 },
    },
  }),
  'Mutation.configureContentCheck': () => ({
    input: { check: 'links', isEnabled: false, config: {}, kinds: 'POST', upToTrust: 1 },
  }),
  'Mutation.defineContributionNotice': () => ({ input: { text: { en: fresh(), ja: fresh() } } }),
  'Mutation.promotePostToContent': async (side) => {
    const { tags: _, ...content } = await wholeContent(side)
    const said = { space: await newSpace(side), kind: 'TALK', title: fresh(), body: fresh() }
    const { post } = await side.shop.do('publishPost', said, { select: 'post { id }' })
    return keyed({ ...content, post: post.id, isDraft: false })
  },
  'Mutation.registerProspect': async ({ shop }) => {
    const pdf = Buffer.from('%PDF-1.7 tea')
    const file = { name: 'a.pdf', mediaType: 'application/pdf', size: pdf.length, isDownload: true }
    const { asset, upload } = await shop.do('createUpload', file, { select: 'asset { id } upload { url }' })
    await fetch(upload.url, { method: 'PUT', body: pdf })
    return keyed({
      ...{ asset: asset.id, email: 'rin@example.com', displayName: 'Rin', locale: 'ja' },
      ...{ purpose: 'newsletter', textVersion: '1', proof: {}, touch: { title: 'Hi', body: 'There.' } },
    })
  },
  'Mutation.upgradeProspect': async (side) => ({
    input: { member: side.world.id, becomes: side.world.by.externalId },
  }),
  'Mutation.defineWatchedWords': () => ({ input: { key: fresh(), action: 'FLAG', words: fresh() } }),
  'Mutation.flagContribution': async (side) =>
    keyed({ contribution: await othersComment(side), reason: 'SPAM', note: 'See.' }),
  'Mutation.defineSpace': () => ({ input: { key: fresh(), space: wholeSpace } }),
  'Mutation.deleteContribution': async (side) => ({ input: { contribution: await newComment(side) } }),
  'Mutation.disableSpace': async (side) => ({ input: { space: await newSpace(side) } }),
  'Mutation.editContribution': async (side) => ({
    input: {
      ...{ contribution: await newComment(side), title: 'So', body: 'So it is.', format: 'MARKDOWN' },
      ...{ tags: 'tea', isPublished: true },
    },
  }),
  'Mutation.enableSpace': async (side) => ({ input: { space: await newSpace(side), isReadyOnly: false } }),
  'Mutation.follow': ({ world }) => ({ input: { target: { space: world.ids.Space } } }),
  'Mutation.joinSpace': async (side) => ({ input: { space: await newSpace(side), member: side.world.by } }),
  'Mutation.leaveSpace': async (side) => ({ input: { space: await newSpace(side), member: side.world.by } }),
  'Mutation.markRead': ({ world }) => ({ input: { thread: world.ids.Comment, at: '2026-01-01T00:00:00Z' } }),
  'Mutation.placeInSpace': async (side) => ({
    input: { space: await newSpace(side), member: side.world.by, standing: 'JOINED', role: 'MODERATOR' },
  }),
  'Mutation.react': ({ world }) => ({ input: { contribution: world.ids.Comment, kind: 'LIKE' } }),
  'Mutation.removeContribution': async (side) => ({ input: { contribution: await newComment(side) } }),
  'Mutation.restoreContribution': async (side) => ({ input: { contribution: await newComment(side) } }),
  'Mutation.unblockAuthor': async (side) => ({
    input: { contribution: await othersComment(side), isMute: false },
  }),
  'Mutation.unfollow': ({ world }) => ({ input: { target: { space: world.ids.Space } } }),
  'Mutation.unreact': ({ world }) => ({ input: { contribution: world.ids.Comment, kind: 'LIKE' } }),
  'Query.conversations': ({ world }) => ({ member: world.by }),
  'Query.directory': ({ world }) => ({ member: world.by, search: 'y', interest: 'Tea' }),
  'Query.introductions': ({ world }) => ({ member: world.by }),
  'Query.messages': async (side) => ({ member: side.world.by, with: await newCorrespondent(side) }),
  'Query.suggestedMembers': ({ world }) => ({ member: world.by }),
  'Query.threadArrivals': ({ world }) => ({ contribution: world.ids.Comment }),
  'Mutation.inviteToThread': ({ world }) => ({
    input: { member: world.by, contribution: world.ids.Comment },
  }),
  'Query.presence': ({ world }) => ({ member: world.by, space: world.ids.Space, thread: world.ids.Comment }),
  'Mutation.beHere': ({ world }) => ({
    input: { member: world.by, space: world.ids.Space, typingIn: world.ids.Comment },
  }),
  'Mutation.introduceMembers': async (side) => {
    const [to, other] = [await newPerson(side), await newPerson(side)]
    return keyed({ member: { id: other }, to, note: 'Tea!' })
  },
  'Mutation.replyPrivately': async (side) =>
    keyed({ member: await newMember(side), post: await newSearch(side), body: 'I do.' }),
  'Mutation.offerContact': async (side) => ({
    input: {
      member: side.world.by,
      to: await newCorrespondent(side),
      fields: { kind: 'EMAIL', value: 'a@b.c' },
    },
  }),
  'Mutation.acceptContact': async (side) => ({
    input: { member: side.world.by, to: await newOfferer(side), fields: { kind: 'PHONE', value: '1' } },
  }),
  'Mutation.withdrawContact': async (side) => ({
    input: { member: side.world.by, to: await newOfferer(side, true) },
  }),
  'Mutation.deriveInterests': ({ world }) => ({ input: { member: world.by, isOn: true } }),
  'Mutation.dropInterest': async (side) => {
    const interest = fresh()
    await side.shop.do('saveProfile', { member: side.world.by, interests: [interest] })
    return { input: { member: side.world.by, interest } }
  },
  'Mutation.answerIntroduction': async (side) => ({
    input: { member: side.world.by, to: await newAcquaintance(side), accepts: true },
  }),
  'Mutation.blockMember': async ({ shop, world }) => ({
    input: { member: world.by, other: (await shop.member(fresh())).id, isMute: true },
  }),
  'Mutation.markConversationRead': async (side) => ({
    input: { member: side.world.by, with: await newCorrespondent(side) },
  }),
  'Mutation.proposeIntroduction': async (side) =>
    keyed({ member: side.world.by, to: await newPerson(side), note: 'Tea?' }),
  'Mutation.saveProfile': async (side) => ({
    input: {
      ...{ member: await newMember(side), isListed: true, interests: ['Tea'], interestsSight: 'MEMBERS' },
      fields: { field: 'ABOUT', value: 'Tea.', sight: 'SHARED' },
      ...{ messagesFrom: 'SHARED', isOpenToIntroductions: true, hasPresence: true },
    },
  }),
  'Mutation.sendMessage': async (side) =>
    keyed({ member: side.world.by, to: await newPerson(side), body: 'Hello' }),
  'Mutation.unblockMember': async ({ shop, world }) => ({
    input: { member: world.by, other: (await shop.member(fresh())).id },
  }),
  'Mutation.eraseMember': async (side) => ({ input: { member: await newMember(side), texts: 'ERASE' } }),
  'Query.erasurePreview': ({ world }) => ({ member: world.by }),
  'Query.exportMember': ({ world }) => ({ member: world.by }),
  'Mutation.leaveProgram': async (side) => ({ input: { member: await newMember(side), reason: 'Moved' } }),
  'Mutation.pauseMembership': async (side) => ({
    input: { member: await newMember(side), until: '2099-01-01T00:00:00Z', reason: 'A journey' },
  }),
  'Mutation.resumeMembership': async (side) => ({ input: { member: await newMember(side) } }),
  'Mutation.returnMembership': async (side) => ({
    input: { member: await newMember(side), reason: 'Asked for' },
  }),
  'Mutation.setPaidThrough': async (side) => ({
    input: { member: await newMember(side), through: '2099-01-01T00:00:00Z' },
  }),
  'Mutation.setRenewal': async (side) => ({ input: { member: await newMember(side), renews: false } }),
  'Mutation.fulfilReward': async (side) => keyed({ redemption: await newRedemption(side) }),
  'Mutation.giveBackAtPartner': async (side) => {
    const reference = fresh()
    await makePartner(side, reference)
    return keyed({ partner: 'cafe', reference, amount: 100, reason: 'Cup broken' })
  },
  'Mutation.giveConsent': ({ world }) => keyed({ ...consent, textVersion: 'v1', member: world.by }),
  'Mutation.grantPoints': ({ world }) => keyed({ member: world.by, points: 5, reason: 'Sorry' }),
  'Mutation.holdPoints': ({ world }) =>
    keyed({ member: world.by, points: 1, expiresIn: 'PT1H', reason: 'Cart' }),
  'Mutation.importProgram': async ({ shop }) => {
    const { program } = (await shop.ask(shop.staff, '{ program { document } }')).data
    const drop = { name: { en: 'Drop', ja: 'しずく' }, expiry: { never: true } }
    const document = { ...program.document, currencies: { ...program.document.currencies, DROP: drop } }
    return keyed({ document, note: 'Drops' })
  },
  'Mutation.liftSuppression': async (side) => ({
    input: { suppression: await newSuppression(side), reason: 'Asked again' },
  }),
  'Mutation.markInboxRead': ({ world }) => ({ input: { item: world.ids.InboxItem } }),
  'Mutation.moveMember': async (side) =>
    keyed({ member: await newMember(side), stage: 'negotiation', reason: 'Asked for a price' }),
  'Mutation.defineTierLadder': () => ({ input: { key: 'default', ladder: WHOLE_LADDER } }),
  'Mutation.moveTier': ({ world }) =>
    keyed({ member: world.by, ladder: 'default', tier: 'bronze', reason: 'A mishap of ours' }),
  'Mutation.pauseTouches': ({ world }) => ({ input: { member: world.by, reason: 'Complaint' } }),
  'Mutation.recordCost': ({ world }) =>
    keyed({
      ...{ purpose: 'SERVICE', measure: 'Parcel', amount: 450, currency: 'JPY', member: world.by },
      at: '2026-01-01T00:00:00Z',
    }),
  'Mutation.recordPurchase': (side) => keyed(purchase(side)),
  'Mutation.noteReferralSignals': ({ world }) => ({
    input: { member: world.by, signals: { ip: '192.0.2.9' } },
  }),
  'Mutation.redeemReward': ({ world }) => keyed({ member: world.by, reward: 'mug' }),
  'Mutation.refundPurchase': async (side) => keyed({ orderId: await newOrder(side), amount: 100 }),
  'Mutation.refundSpend': async (side) => keyed({ transaction: await newSpend(side), reason: 'Broken' }),
  'Mutation.removeWebhookEndpoint': async (side) => ({ input: { endpoint: await newEndpoint(side) } }),
  'Mutation.replayWebhookEvents': ({ world }) =>
    keyed({ endpoint: world.ids.WebhookEndpoint, failures: [world.ids.WebhookFailure] }),
  'Mutation.rotateWebhookSecret': ({ world }) => ({ input: { endpoint: world.ids.WebhookEndpoint } }),
  'Mutation.registerMember': () => keyed({ externalId: fresh(), displayName: 'New' }),
  'Mutation.removeAddress': async (side) => ({ input: { address: await newAddress(side) } }),
  'Mutation.requestAddressVerification': async (side) =>
    keyed({ address: await newAddress(side), channel: 'line' }),
  'Mutation.resumeTouches': ({ world }) => ({ input: { member: world.by } }),
  'Mutation.rejectReferral': async (side) => keyed({ referral: await newReview(side) }),
  'Mutation.retireReferralProgram': async ({ shop }) => {
    const key = fresh()
    await shop.do('defineReferralProgram', { key, program: friends })
    return { input: { key } }
  },
  'Mutation.retireReward': async ({ shop }) => {
    const key = fresh()
    await shop.do('defineReward', { key, reward: gift })
    return { input: { key } }
  },
  'Mutation.retireDefinition': async ({ shop }) => {
    const key = `C${randomUUID().replaceAll('-', '').slice(0, 20).toUpperCase()}`
    const { program } = (await shop.ask(shop.staff, '{ program { document } }')).data
    const drop = { name: { en: 'Drop', ja: 'しずく' }, expiry: { never: true } }
    const document = { ...program.document, currencies: { ...program.document.currencies, [key]: drop } }
    await shop.do('importProgram', { document })
    return keyed({ kind: 'currency', key })
  },
  'Mutation.revokeTokens': () => ({ input: { jti: fresh() } }),
  'Mutation.saveContactPolicy': () => wholePolicy,
  'Mutation.saveTemplate': () => ({
    input: {
      key: `fresh-${randomUUID()}`,
      texts: { locale: 'ja', kind: 'line', title: 'Hi', body: 'There.' },
    },
  }),
  'Mutation.savePurpose': () => ({
    input: { key: 'care', name: { en: 'Care', ja: 'お手入れ' }, class: 'MARKETING', consent: 'SINGLE' },
  }),
  'Mutation.sendTest': async ({ shop }) => {
    await shop.member('anna')
    return keyed({ channels: 'inbox', content: message.content })
  },
  'Mutation.sendTouchpoint': ({ world }) => keyed({ to: { member: world.by }, ...message }),
  'Mutation.spendPoints': ({ world }) => keyed({ member: world.by, points: 1, reason: 'Soap' }),
  'Mutation.suppressAddress': ({ world }) => ({
    input: { target: { member: { member: world.by, channel: 'line' } }, reason: 'Asked by phone' },
  }),
  'Mutation.updateMember': ({ world }) => ({ input: { member: world.by, displayName: 'Yuki' } }),
  'Mutation.updateWebhookEndpoint': ({ world }) => ({
    input: { endpoint: world.ids.WebhookEndpoint, url: hookUrl, description: 'Orders' },
  }),
  'Mutation.updatePreferences': ({ world }) => ({
    input: { member: world.by, quietHours: { from: '21:00', to: '07:00' } },
  }),
  'Mutation.verifyAddress': async (side) => {
    await side.shop.do('requestAddressVerification', { address: await newAddress(side), channel: 'line' })
    return { input: { token: await newToken(side) } }
  },
  'Mutation.voidHold': async (side) => keyed({ hold: await newHold(side) }),
  'Mutation.withdrawConsent': ({ world }) => keyed({ ...consent, member: world.by }),
}
