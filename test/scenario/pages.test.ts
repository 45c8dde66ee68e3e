import { createHash } from 'node:crypto'
import { isObjectType } from 'graphql'
import { beforeAll, describe, expect, it, test } from 'vitest'
import { deliverDue } from '../../api/domains/touchpoints/index.ts'
import { schema } from '../../api/schema.ts'
import { type Shop, testApp } from '../support/app.ts'
import { idOfKind, makeSpace, tell, write } from '../support/house.ts'
import { reportOpened } from '../support/opened.ts'
import { onServer } from '../support/server.ts'
import {
  articleIn,
  courseIn,
  firstSteps,
  LADDER,
  makeLibrary,
  makeNote,
  referralCode,
} from '../support/world.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'
let shop: Shop
/** The id of the member that ways call FRIEND 0. */
let friend0: string

/** How to reach each list, with `@` for the page's arguments. A list of the schema without a way fails the test. */
const WAYS: Record<string, readonly string[]> = {
  'Answer.comments': ['questions(last: 1) { nodes { answers(first: 1) { nodes { comments(@) { # } } } } }'],
  'Answer.revisions': ['questions(last: 1) { nodes { answers(first: 1) { nodes { revisions(@) { # } } } } }'],
  'Comment.comments': [
    'member(by: {externalId: "friend 0"}) { contributions(last: 1) { nodes { ... on Comment { comments(@) { # } } } } }',
  ],
  'Comment.revisions': [
    'member(by: {externalId: "friend 0"}) { contributions(last: 1) { nodes { ... on Comment { revisions(@) { # } } } } }',
  ],
  'Consent.history': ['member(by: {externalId: "mia"}) { consents(last: 1) { nodes { history(@) { # } } } }'],
  'Content.comments': ['content(last: 1) { nodes { content { comments(@) { # } } } }'],
  'Content.revisions': ['content(last: 1) { nodes { content { revisions(@) { # } } } }'],
  'Delivery.signals': ['doubtfulDeliveries(first: 1) { nodes { signals(@) { # } } }'],
  'FaqEntry.comments': ['faq(last: 1) { nodes { comments(@) { # } } }'],
  'FaqEntry.revisions': ['faq(last: 1) { nodes { revisions(@) { # } } }'],
  'Member.addresses': ['member(by: {externalId: "mia"}) { addresses(@) { # } }'],
  'Member.benefits': ['member(by: {externalId: "mia"}) { benefits(@) { # } }'],
  'Member.checklists': ['member(by: {externalId: "mia"}) { checklists(@) { # } }'],
  'Member.consents': ['member(by: {externalId: "mia"}) { consents(@) { # } }'],
  'Member.contributions': ['member(by: {externalId: "mia"}) { contributions(@) { # } }'],
  'Member.coupons': ['member(by: {externalId: "mia"}) { coupons(@) { # } }'],
  'Member.enrolments': ['member(by: {externalId: "mia"}) { enrolments(@) { # } }'],
  'Member.flags': ['member(by: {externalId: "friend 0"}) { flags(@) { # } }'],
  'Member.inbox': ['member(by: {externalId: "mia"}) { inbox(@) { # } }'],
  'Member.membershipChanges': ['member(by: {externalId: "mia"}) { membershipChanges(@) { # } }'],
  'Member.notes': ['false', 'true'].map(
    (isRemoved) => `member(by: {externalId: "mia"}) { notes(isRemoved: ${isRemoved}, @) { # } }`,
  ),
  'Member.notifications': ['member(by: {externalId: "mia"}) { notifications(@) { # } }'],
  'Member.offerReceipts': ['member(by: {externalId: "mia"}) { offerReceipts(@) { # } }'],
  'Member.purchases': ['member(by: {externalId: "mia"}) { purchases(@) { # } }'],
  'Member.referrals': ['member(by: {externalId: "mia"}) { referrals(@) { # } }'],
  'Member.reputationEntries': ['member(by: {externalId: "mia"}) { reputationEntries(@) { # } }'],
  'Member.rewardRedemptions': ['member(by: {externalId: "mia"}) { rewardRedemptions(@) { # } }'],
  'Member.signals': ['member(by: {externalId: "mia"}) { signals(@) { # } }'],
  'Member.stageHistory': ['member(by: {externalId: "mia"}) { stageHistory(@) { # } }'],
  'Member.tierHistory': ['member(by: {externalId: "mia"}) { tierHistory(@) { # } }'],
  'Member.timeline': ['member(by: {externalId: "mia"}) { timeline(@) { # } }'],
  'Post.comments': ['space(key: "posts") { posts(first: 1) { nodes { comments(@) { # } } } }'],
  'Post.revisions': ['space(key: "posts") { posts(first: 1) { nodes { revisions(@) { # } } } }'],
  'ProductDiscussion.entries': ['productDiscussion(sku: "SOAP") { entries(@) { # } }'],
  'Query.adjustments': ['adjustments(@) { # }', 'adjustments(state: DONE, operator: "staff:anna", @) { # }'],
  'Query.broadcasts': ['broadcasts(@) { # }'],
  'Query.complaints': ['complaints(@) { # }', 'complaints(state: OPEN, @) { # }'],
  'Query.content': ['content(@) { # }', 'content(filter: {state: DRAFT, kind: ARTICLE}, @) { # }'],
  'Query.contentIdeas': ['contentIdeas(@) { # }', 'contentIdeas(state: OPEN, @) { # }'],
  'Query.conversations': ['conversations(member: {externalId: "mia"}, @) { # }'],
  'Query.courses': ['courses(@) { # }'],
  'Query.directory': [
    'directory(member: {externalId: "mia"}, @) { # }',
    'directory(member: {externalId: "mia"}, search: "FRIEND", interest: "Tea", @) { # }',
  ],
  'Query.doubtfulDeliveries': [
    'doubtfulDeliveries(@) { # }',
    'doubtfulDeliveries(doubt: POSSIBLE_MISS, @) { # }',
  ],
  'Query.faq': ['faq(@) { # }', 'faq(tag: "tea", stage: PUBLISHED, @) { # }'],
  'Query.faqCandidates': ['faqCandidates(@) { # }'],
  'Query.introductions': ['introductions(member: {externalId: "mia"}, @) { # }'],
  'Query.members': [
    'members(@) { # }',
    ...['OLDEST', 'COOLEST', 'MOST_EXPECTED_PURCHASES'].map((order) => `members(orderBy: ${order}, @) { # }`),
    'members(filter: {not: {stage: ["visitor"]}}, search: "mia", @) { # }',
  ],
  'Query.messages': ['messages(member: {externalId: "mia"}, with: "FRIEND 0", @) { # }'],
  'Query.moderationQueue': ['moderationQueue(state: KEPT, @) { # }'],
  'Query.offers': ['offers(@) { # }'],
  'Query.partnerMovements': ['partnerMovements(partner: "cafe", @) { # }'],
  'Query.publicTeasers': ['publicTeasers(@) { # }', 'publicTeasers(isWelcome: false, @) { # }'],
  'Query.questions': ['questions(@) { # }', 'questions(standing: OPEN, tag: "tea", @) { # }'],
  'Query.referrals': ['referrals(@) { # }', 'referrals(state: CLAIMED, @) { # }'],
  'Query.rewardRedemptions': [
    'rewardRedemptions(@) { # }',
    'rewardRedemptions(state: REQUESTED, reward: "mug", @) { # }',
  ],
  'Query.rewards': ['rewards(@) { # }'],
  'Query.search': [
    'search(query: "because", @) { # }',
    'search(query: "because", kinds: [COMMENT], @) { # }',
  ],
  'Query.spaces': ['spaces(@) { # }', 'spaces(kind: QA, @) { # }'],
  'Query.stuckChecklists': ['stuckChecklists(@) { # }'],
  'Query.suppressions': ['suppressions(@) { # }', 'suppressions(reason: MANUAL, isLifted: false, @) { # }'],
  'Query.tasks': ['tasks(@) { # }', 'tasks(state: OPEN, assignee: "anna", @) { # }'],
  'Query.templates': ['templates(@) { # }'],
  'Query.threads': ['ACTIVE', 'NEW', 'TOP'].map((order) => `threads(orderBy: ${order}, @) { # }`),
  'Query.webhookEndpoints': ['webhookEndpoints(@) { # }'],
  'Question.answers': ['questions(last: 1) { nodes { answers(@) { # } } }'],
  'Question.comments': ['questions(last: 1) { nodes { comments(@) { # } } }'],
  'Question.revisions': ['questions(last: 1) { nodes { revisions(@) { # } } }'],
  'Space.memberships': [
    'space(key: "space 0") { memberships(@) { # } }',
    'space(key: "space 0") { memberships(standing: JOINED, @) { # } }',
  ],
  'Space.posts': [
    'space(key: "posts") { posts(@) { # } }',
    ...['NEW', 'ACTIVE', 'TOP'].map((order) => `space(key: "posts") { posts(orderBy: ${order}, @) { # } }`),
    'space(key: "posts") { posts(kind: TIP, tag: "tea", @) { # } }',
  ],
  'Viewer.drafts': ['viewer { drafts(@) { # } }'],
  'Viewer.feed': ['NEW', 'ACTIVE', 'TOP'].map((order) => `viewer { feed(orderBy: ${order}, @) { # } }`),
  'Wallet.postings': ['member(by: {externalId: "mia"}) { wallet { postings(@) { # } } }'],
  'Wallet.statement': ['member(by: {externalId: "mia"}) { wallet { statement(@) { # } } }'],
  'WebhookEndpoint.failures': ['webhookEndpoints(first: 1) { nodes { failures(@) { # } } }'],
}

/** What tells the entries of a list apart, where it is no id of theirs; the innermost list first. */
const ENTRIES = [
  ['revisions', 'id: revision'],
  ['conversations', 'id: person { id }'],
  ['introductions', 'id: note'],
  ['messages', 'id: body'],
  ['complaints', 'id: reason'],
  ['publicTeasers', 'id: thread'],
  ['entries', '... on Node { id }'],
  ['timeline', '... on Node { id }'],
  ['contributions', '... on Node { id }'],
  ['search', '... on Node { id }'],
  ['threads', '... on Node { id }'],
  ['moderationQueue', 'id: note'],
  ['flags', 'id: note'],
  ['memberships', 'id: displayName'],
] as const

interface Page {
  readonly edges: { readonly cursor: string; readonly node: { readonly id: string } }[]
  readonly nodes: { readonly id: string }[]
  readonly pageInfo: Record<
    'hasNextPage' | 'hasPreviousPage' | 'startCursor' | 'endCursor',
    boolean | string | null
  >
}

async function pageOf(way: string, args: Record<string, number | string | null>, of = shop): Promise<Page> {
  const given = Object.entries(args).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
  const entry =
    ENTRIES.find(([list]) => way.includes(`${list}(`) && !way.includes(`... on Comment { comments(`))?.[1] ??
    'id'
  const page = `edges { cursor node { ${entry} } } nodes { ${entry} } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }`
  const { data, errors } = await of.ask(of.staff, `{ ${filled(way, given.join(', '), page)} }`)
  expect(errors).toEqual([])
  let found = data
  while (!('edges' in found)) found = Object.values(found)[0]
  return found
}

function filled(way: string, args: string, page: string): string {
  return way.replace('FRIEND 0', friend0).replace('@', args).replace('#', page)
}

const ids = ({ nodes }: Page) => nodes.map(({ id }) => JSON.stringify(id))

/** Everything of mia happens at one instant, three times over: only the ids tell entries apart. */
beforeAll(async () => {
  shop = await open({ testClock: NOW })
  for (let i = 0; i < 9; i++) await shop.member(`mia ${i}`, { email: `m${i}@example.com` })
  const { by: member } = await shop.member('mia')
  for (let i = 0; i < 9; i++) {
    await shop.do('saveChecklist', { ...firstSteps, key: `steps ${i}` })
    await shop.do('doChecklistStep', { member, checklist: `steps ${i}` })
    await shop.do('saveContentIdea', { title: `Idea ${i}`, need: 'I cannot find the switch' })
    await shop.do('removeMemberNote', { note: await makeNote(shop, member) })
    await makeNote(shop, member)
  }
  for (const day of ['2026-04-01T00:00:00Z', '2026-04-02T00:00:00Z', '2026-04-03T00:00:00Z']) {
    await shop.clock(day)
    const orders = Array.from({ length: 3 }, (_, i) => ({
      orderId: `${day} ${i}`,
      purchasedAt: day,
      currency: 'JPY',
      total: 200,
    }))
    for (const order of orders) await shop.do('recordPurchase', { member, ...order })
    for (const { orderId } of orders) await shop.do('refundPurchase', { orderId })
    for (const order of orders) await agree(member, order.orderId)
    const benefit = { percent: { basisPoints: 500 } }
    for (const { orderId } of orders) await shop.do('giveBenefit', { member, benefit, reason: orderId })
    await deliverDue(shop.ground.app.db, shop.tenant.id, shop.ground.app.delivery)
  }
  const said = {
    content: { title: 'Hi', body: 'There.' },
    purpose: 'service',
    at: { instant: '2099-01-01T00:00:00Z' },
  }
  const call = { kind: 'CALL', assignee: 'anna' }
  await shop.do('definePartner', {
    key: 'cafe',
    partner: {
      name: { en: 'Café', ja: 'カフェ' },
      earn: { minor: 100, points: 1, money: 'JPY' },
      settlement: { money: 'JPY', issuedMicro: 0, burnedMicro: 0 },
    },
  })
  for (let i = 0; i < 9; i++) {
    const bought = { partner: 'cafe', reference: `r-${i}`, currency: 'JPY', total: 100 }
    await shop.do('earnAtPartner', { member, ...bought })
  }
  await shop.do('grantPoints', { member, points: 9, reason: 'Welcome' })
  const tea = { name: { en: 'Tea', ja: 'お茶' }, benefit: { points: { amount: 5 } } }
  await shop.do('defineCoupon', { key: 'tea', coupon: tea })
  const program = {
    name: { en: 'Friends', ja: 'お友だち' },
    benefits: { referrer: { points: { amount: '5' } } },
    qualifying: { nthPurchase: 1 },
  }
  await shop.do('defineReferralProgram', { key: 'friends', program })
  const code = await referralCode(shop, member)
  const mug = { cost: { points: 1 }, goods: { sku: 'MUG' }, fulfilment: 'MANUAL' }
  for (let i = 0; i < 9; i++) {
    const name = { en: `Mug ${i}`, ja: `マグ ${i}` }
    await shop.do('defineReward', { key: i === 0 ? 'mug' : `mug ${i}`, reward: { name, ...mug } })
    await shop.do('redeemReward', { member, reward: 'mug' })
    await shop.do('defineOffer', { key: `tea ${i}`, offer: { type: 'INFORMATION' } })
    await makeContent(i, member)
    await shop.do('receiveOffer', { member, offer: 'tea 0' })
    await shop.do('issueCoupon', { member, coupon: 'tea' })
    const { by: friend } = await shop.member(`friend ${i}`)
    await shop.do('claimReferral', { member: friend, code })
  }
  await shop.do('defineTierLadder', { ladder: LADDER })
  for (let i = 0; i < 9; i++) {
    await shop.do('adjustPoints', { member, points: 1, reason: 'A mistake of ours' })
    await shop.do('sendTouchpoint', {
      to: { member },
      ...{ channels: ['task'], content: { title: 'Call', body: 'Ask.', data: call }, purpose: 'service' },
    })
    await shop.do('moveTier', { member, tier: i % 2 ? 'bronze' : 'gold', reason: 'A mishap of ours' })
    const texts = [{ locale: 'en', title: 'Hi', body: 'There.' }]
    await shop.do('saveTemplate', { key: `template-${i}`, texts })
    await shop.do('sendTouchpoint', { to: { audience: { stage: ['repeat'] } }, ...said })
  }
  await deliverDue(shop.ground.app.db, shop.tenant.id, shop.ground.app.delivery)
  await onServer(shop.ground.databaseUrl, (client) =>
    client.query(`update delivery set doubt = 'POSSIBLE_MISS' where tenant_id = $1 and channel = 'inbox'`, [
      shop.tenant.id,
    ]),
  )
  await failWebhooks()
  await talk()
  await meet()
  await post()
  const { data } = await shop.ask(shop.staff, '{ doubtfulDeliveries(first: 1) { nodes { id } } }')
  await reportOpened(shop, data.doubtfulDeliveries.nodes[0].id, 9)
})

/** Nine spaces, nine in the first of them, and nine remarks on a remark that was changed nine times. */
async function talk() {
  const spaces: string[] = []
  for (let i = 0; i < 9; i++) spaces.push(await makeSpace(shop, `space ${i}`, { kind: 'QA' }))
  const post = idOfKind('Comment', await write(shop, { space: 'space 0', kind: 'POST', by: 'mia' }))
  const friend = await shop.token('member', 'friend 0')
  const remark = { as: friend, select: 'comment { id }' }
  for (let i = 0; i < 9; i++) {
    const on = idOfKind('Comment', await write(shop, { space: 'space 0', kind: 'POST', by: 'mia' }))
    await shop.do('addComment', { on, body: 'Thank you.' })
  }
  await tell(shop)
  const { comment } = await shop.do('addComment', { on: post, body: 'Why?' }, remark)
  const mia = await shop.token('member', 'mia')
  for (let i = 0; i < 9; i++) {
    await shop.do('editContribution', { contribution: comment.id, body: `Why ${i}?` }, { as: friend })
    const answer = { as: mia, select: 'comment { id }' }
    const said = await shop.do('addComment', { on: comment.id, body: `Because ${i}.` }, answer)
    const flag = { contribution: said.comment.id, reason: 'OTHER', note: `flag ${i}` }
    await shop.do('flagContribution', flag, { as: friend })
    const decision = { contribution: said.comment.id, version: 2, decision: 'KEPT', note: `note ${i}` }
    await shop.do('decideModeration', decision)
    await shop.do('joinSpace', { space: spaces[0], member: { externalId: `friend ${i}` } })
  }
  await askAndAnswer(spaces[0] ?? '', mia)
  await keepFaq(spaces[1] ?? '', mia)
  for (let i = 1; i < 10; i++)
    await shop.do('setPaidThrough', { member: { externalId: 'mia' }, through: `209${i}-01-01T00:00:00Z` })
}

/** Nine who are listed, asked to get to know mia and wrote to it, one of them nine times. */
async function meet() {
  const { id: to } = (await shop.ask(shop.staff, '{ member(by: {externalId: "mia"}) { id } }')).data.member
  const isOpen = { messagesFrom: 'MEMBERS', isOpenToIntroductions: true }
  await shop.do('saveProfile', { member: { externalId: 'mia' }, ...isOpen })
  const shown = { isListed: true, interests: ['Tea'], interestsSight: 'MEMBERS' }
  for (let i = 0; i < 9; i++) {
    const member = { externalId: `friend ${i}` }
    await shop.do('saveProfile', { member, ...shown })
    await shop.do('proposeIntroduction', { member, to, note: `Number ${i}.` })
    await shop.do('sendMessage', { member, to, body: `Hello ${i}.` })
  }
  const friend = await shop.ask(shop.staff, '{ member(by: {externalId: "friend 0"}) { id } }')
  friend0 = friend.data.member.id
  for (let i = 1; i < 9; i++)
    await shop.do('sendMessage', { member: { externalId: 'friend 0' }, to, body: `Hello again ${i}.` })
}

/** Ten questions; nine answers to the first of them, which was changed and remarked on as often as its first answer. */
async function askAndAnswer(space: string, as: string) {
  const ask = (body: string) =>
    shop.do(
      'askQuestion',
      { space, title: `Tea? ${body}`, body, tags: ['tea'] },
      { as, select: 'question { id }' },
    )
  const { question } = await ask('The first.')
  for (let i = 0; i < 9; i++) await ask(`Number ${i}.`)
  const friend = { as: await shop.token('member', 'friend 0') }
  const { data } = await shop.ask(shop.staff, '{ questions(first: 9) { nodes { id } } }')
  for (const { id } of data.questions.nodes) await shop.do('react', { contribution: id, kind: 'UP' }, friend)
  const answers: { id: string }[] = []
  for (let i = 0; i < 9; i++) {
    const given = { question: question.id, body: `Answer ${i}.` }
    answers.push((await shop.do('answerQuestion', given, { as, select: 'answer { id }' })).answer)
  }
  for (let i = 0; i < 9; i++) {
    for (const { id } of [question, ...answers.slice(0, 1)]) {
      await shop.do('editContribution', { contribution: id, body: `Again ${i}.` }, { as })
      await shop.do('addComment', { on: id, body: `Remark ${i}.` }, { as })
    }
  }
}

/** Nine questions that were solved and asked again, and nine entries, the last of them changed and remarked on. */
async function keepFaq(space: string, as: string) {
  await shop.do('setQuestionCare', { space, faqDuplicates: 1 })
  const ask = async (title: string) => {
    const asked = { space, title, body: 'How?' }
    return (await shop.do('askQuestion', asked, { as, select: 'question { id }' })).question.id
  }
  let last = ''
  for (let i = 0; i < 9; i++) {
    const question = await ask(`Solved ${i}`)
    const { answer } = await shop.do('answerQuestion', { question, body: 'So.' }, { select: 'answer { id }' })
    await shop.do('acceptAnswer', { question, answer: answer.id })
    const duplicate = { question: await ask(`Again ${i}`), reason: 'DUPLICATE', duplicateOf: question }
    await shop.do('closeQuestion', duplicate)
    const entry = { space, title: `Entry ${i}`, body: 'So.', tags: ['tea'] }
    last = (await shop.do('draftFaq', entry, { select: 'entry { id }' })).entry.id
    await shop.do('publishFaq', { entry: last })
  }
  for (let i = 0; i < 9; i++) {
    await shop.do('editContribution', { contribution: last, body: `So ${i}.` })
    await shop.do('addComment', { on: last, body: `Yes ${i}.` })
  }
}

/** Content that came out, a draft, a course, and another time in the first one. */
async function makeContent(i: number, member: object) {
  const space = await makeLibrary(shop)
  for (const isDraft of [false, true]) await shop.do('publishContent', { ...articleIn(space), isDraft })
  const { data } = await shop.ask(shop.staff, '{ content(last: 1) { nodes { content { id } } } }')
  const [{ content }] = data.content.nodes
  await shop.do('editContribution', { contribution: content.id, body: `Use little soap ${i}.` })
  await shop.do('addComment', { on: content.id, body: `Yes, ${i}.` })
  await shop.do('saveCourse', { key: `course ${i}`, course: courseIn(space) })
  await shop.do('enrolInCourse', { member, course: 'course 0', isAnew: true })
}

/** Nine posts and drafts in a space, nine remarks on the last of them, which was changed nine times. All complain. */
async function post() {
  const space = await makeSpace(shop, 'posts')
  let last = ''
  for (let i = 0; i < 9; i++) {
    const tip = { space, kind: 'TIP', title: `Tip ${i}`, body: 'Tea.', tags: ['tea'], sku: 'SOAP' }
    last = (await shop.do('publishPost', tip, { select: 'post { id }' })).post.id
    await shop.do('saveDraft', tip)
    await shop.do('markAsComplaint', { post: last, reason: `Reason ${i}` })
    await shop.do('teaseThread', { contribution: last, teaser: 'Tea.' })
  }
  for (let i = 0; i < 9; i++) {
    await shop.do('addComment', { on: last, body: `Yes ${i}.` })
    await shop.do('editContribution', { contribution: last, body: `Tea ${i}.` })
  }
}

/** Nine endpoints that are sent nothing, the first with nine events that it did not get. */
async function failWebhooks() {
  const url = 'https://hooks.example.com/engawa'
  for (let i = 0; i < 9; i++) {
    const { endpoint } = await shop.do('addWebhookEndpoint', { url }, { select: 'endpoint { id }' })
    await shop.do('disableWebhookEndpoint', { endpoint: endpoint.id })
  }
  await onServer(shop.ground.databaseUrl, (client) =>
    client.query(
      `insert into webhook_failure (tenant_id, id, endpoint_id, kind, pos, event_id, type, payload, at, booked_at, attempts)
       select e.tenant_id, uuid_v7(), e.id, 'GIVEN_UP', n, uuid_v7(), 'member.registered', '{}', now(), now(), 10
       from (select * from webhook_endpoint where tenant_id = $1 order by id limit 1) e, generate_series(1, 9) n`,
      [shop.tenant.id],
    ),
  )
}

/** Three addresses, consents and suppressions a day, and three words about the first consent of all. */
async function agree(member: object, order: string) {
  const consent = { member, channel: 'line', textVersion: 'v1', source: 'form' }
  const digest = createHash('md5').update(order).digest('hex')
  for (const purpose of ['first', `p-${digest}`]) await shop.do('giveConsent', { ...consent, purpose })
  const value = `U${digest}`
  await shop.do('addAddress', { member, channel: 'line', value })
  await shop.do('suppressAddress', {
    target: { value: { channel: 'line', value } },
    reason: 'Asked by phone',
  })
}

test('every list of the schema is paged through below', () => {
  const lists = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .flatMap((type) => Object.values(type.getFields()).map((field) => ({ type, field })))
    .filter(({ field }) => field.args.some(({ name }) => name === 'first'))
    .map(({ type, field }) => `${type.name}.${field.name}`)
  expect(Object.keys(WAYS)).toEqual(lists.sort())
})

describe.each(Object.values(WAYS).flat())('%s', (way) => {
  let all: string[]
  beforeAll(async () => {
    all = ids(await pageOf(way, { first: 100 }))
    expect(all.length).toBeGreaterThan(8)
    expect(new Set(all).size).toBe(all.length)
  })

  it.each([1, 2, 4, 7])('forward by %i is the whole list', async (first) => {
    const seen: string[] = []
    for (let after: string | null = null, more = true; more; ) {
      const page: Page = await pageOf(way, { first, after })
      expect(page.edges.map(({ node }) => node)).toEqual(page.nodes)
      expect(page.pageInfo).toMatchObject({
        hasPreviousPage: after !== null,
        startCursor: page.edges[0]?.cursor,
        endCursor: page.edges.at(-1)?.cursor,
      })
      seen.push(...ids(page))
      after = String(page.pageInfo.endCursor)
      more = page.pageInfo.hasNextPage === true
    }
    expect(seen).toEqual(all)
  })

  it.each([1, 2, 4, 7])('backward by %i is the whole list', async (last) => {
    const seen: string[] = []
    for (let before: string | null = null, more = true; more; ) {
      const page: Page = await pageOf(way, { last, before })
      expect(page.pageInfo.hasNextPage).toBe(before !== null)
      seen.unshift(...ids(page))
      before = String(page.pageInfo.startCursor)
      more = page.pageInfo.hasPreviousPage === true
    }
    expect(seen).toEqual(all)
  })

  it('goes on from any entry, both ways', async () => {
    const { edges } = await pageOf(way, { first: 100 })
    for (const [i, { cursor }] of edges.entries()) {
      expect(ids(await pageOf(way, { first: 3, after: cursor }))).toEqual(all.slice(i + 1, i + 4))
      expect(ids(await pageOf(way, { last: 3, before: cursor }))).toEqual(all.slice(Math.max(0, i - 3), i))
    }
  })

  it('has twenty entries unless told', async () => {
    expect(ids(await pageOf(way, { after: null }))).toEqual(all.slice(0, 20))
  })

  it.each([
    [{ first: 0 }, 'first'],
    [{ first: 101 }, 'first'],
    [{ last: 101 }, 'last'],
    [{ first: -1 }, 'first'],
    [{ first: 1, last: 1 }, 'last'],
    [{ first: 1, before: 'x' }, 'before'],
    [{ first: 1, after: 'x' }, 'after'],
    [{ last: 1, before: '' }, 'before'],
  ])('refuses %o', async (args, field) => {
    const given = Object.entries(args).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    const { errors } = await shop.ask(shop.staff, `{ ${filled(way, given.join(', '), '__typename')} }`)
    expect(errors).toMatchObject([{ code: 'BAD_INPUT', field }])
  })

  it('refuses a cursor of another kind of list, and one of another tenant', async () => {
    const isTimeline = way.includes('timeline')
    const other = isTimeline ? 'members(@) { # }' : 'member(by: {externalId: "mia"}) { timeline(@) { # } }'
    const elsewhere = await open()
    await elsewhere.member('mia')
    const cursors = [
      (await pageOf(other, { first: 1 })).pageInfo.endCursor,
      (await pageOf('members(@) { # }', { first: 1 }, elsewhere)).pageInfo.endCursor,
    ]
    for (const after of cursors) {
      const query = `{ ${filled(way, `first: 3, after: "${after}"`, 'nodes { __typename }')} }`
      expect((await shop.ask(shop.staff, query)).errors).toMatchObject([
        { code: 'BAD_INPUT', field: 'after' },
      ])
    }
  })
})
