// Totals leak nothing: every figure that a member can ask for is the same whether or not there is something it may not see.
import { isObjectType, parse, TypeInfo, visit, visitWithTypeInfo } from 'graphql'
import { beforeAll, describe, expect, test } from 'vitest'
import { decodeId } from '../../api/graph/ids.ts'
import { searchText } from '../../api/platform/text/index.ts'
import { schema } from '../../api/schema.ts'
import { type Shop, testApp } from '../support/app.ts'
import { makeSpace, tell } from '../support/house.ts'
import { onServer } from '../support/server.ts'
import type { TestMember } from '../support/shop.ts'

const open = testApp({ role: 'web' })

/** Who looks, and may not see into the club. */
const WATCHERS = ['outside', 'left', 'stranger'] as const

/** Every figure about what is written, and every place where a list says whether it goes on. */
const FIGURES = [
  `{ spaces(first: 10) { pageInfo { hasNextPage hasPreviousPage } nodes { key unreadCount viewerVotesLeft
    posts(first: 10) { pageInfo { hasNextPage } nodes { title isUnread ...counted unreadCount helpfulCount rating
      comments(first: 10) { pageInfo { hasNextPage } nodes { body ...counted } }
      poll { voters options { number label votes } } idea { votes voters viewerVotes }
      gathering { seats taken waiting viewerAnswer } } } } } }`,
  `{ questions(first: 10, tag: "tea") { pageInfo { hasNextPage } nodes { title standing ...counted answerCount meTooCount
    answers(first: 10) { nodes { body ...counted thanksCount } } } } }`,
  `{ search(query: "tea", first: 2) { pageInfo { hasNextPage hasPreviousPage } nodes { title } }
    similarQuestions(title: "tea", body: "tea") { title }
    productDiscussion(sku: "TEA") { averageRating reviewCount topics { topic count }
      entries(first: 50) { pageInfo { hasNextPage } nodes { title } } } }`,
  `{ content(first: 20) { pageInfo { hasNextPage } nodes { title useful notUseful unwanted satisfaction
    content { ...counted } } } }`,
  '{ directory(first: 50) { pageInfo { hasNextPage } nodes { displayName interests sharedInterests } } suggestedMembers { displayName } }',
  `{ viewer { feed(first: 50) { pageInfo { hasNextPage } nodes { title } } drafts { nodes { title } }
    member { unreadNotifications helpedCount reputation trust { level criteria { has level needs } }
      notifications(first: 50) { nodes { kind count actorCount } } } }
    conversations(first: 50) { pageInfo { hasNextPage } nodes { unread } } }`,
].map((query) =>
  query.includes('...counted')
    ? `${query} fragment counted on Contribution { commentCount score upVotes downVotes viewCount revision
         reactions { kind count } }`
    : query,
)

/** The same of a space and of a member that were named. */
const NAMED = `query ($space: ID!, $member: MemberBy!, $thread: ID!) {
  threadArrivals(contribution: $thread) { claimed joined stayed }
  presence(space: $space) { present typing people { displayName } }
  member(by: $member) { helpedCount unreadNotifications reputation }
  communityReport(from: "2026-01-01T00:00:00Z", until: "2027-01-01T00:00:00Z") { maturity { members } } }`

/** What is named in NAMED. */
type Named = Readonly<Record<'club' | 'post', string>>

const figuresFor = async (shop: Shop, token: string, { club: space, post: thread }: Named) => {
  const answers = []
  for (const query of FIGURES) answers.push(await shop.ask(token, query))
  answers.push(await shop.ask(token, NAMED, { space, thread, member: { externalId: 'author' } }))
  return answers.map(({ data, errors }) => ({ data, errors }))
}

const COUNTED = [
  ...['Answer', 'Comment', 'Content', 'ContentCard', 'Gathering', 'Idea', 'Member', 'Notification', 'Poll'],
  ...[
    'PollOption',
    'Post',
    'Presence',
    'ProductDiscussion',
    'ProductTopicCount',
    'Question',
    'ReactionCount',
  ],
  ...['Space', 'ThreadArrivals', 'Trust', 'TrustProgress', 'Conversation'],
]

test('every figure of what is written is asked for here', () => {
  const isNumber = (name: string) => /^(Int|Float)!?$/.test(name)
  const all = COUNTED.flatMap((name) => {
    const type = schema.getType(name)
    if (!isObjectType(type)) return expect.fail(name)
    return Object.values(type.getFields()).flatMap(({ name: field, type: of }) =>
      isNumber(String(of)) ? [`${name}.${field}`] : [],
    )
  })
  const asked = new Set<string>()
  const info = new TypeInfo(schema)
  for (const text of [...FIGURES, NAMED])
    visit(
      parse(text),
      visitWithTypeInfo(info, {
        Field({ name }) {
          const parent = info.getParentType()?.name
          const isOfAll = parent === 'Contribution'
          for (const type of isOfAll ? ['Answer', 'Comment', 'Content', 'Post', 'Question'] : [parent])
            asked.add(`${type}.${name.value}`)
        },
      }),
    )
  expect(all.filter((field) => !asked.has(field))).toEqual([])
})

async function contribute(shop: Shop, who: TestMember, what: object): Promise<string> {
  const given = { title: 'Some tea', body: `Tea ${JSON.stringify(what)}`, tags: ['tea'], sku: 'TEA', ...what }
  return (await shop.do('publishPost', given, { as: who.token, select: 'post { id }' })).post.id
}

let asked = 0
async function ask(shop: Shop, who: TestMember, space: string): Promise<string> {
  const given = { space, title: 'Which tea?', body: `Tea for ${asked++}?`, tags: ['tea'], sku: 'TEA' }
  return (await shop.do('askQuestion', given, { as: who.token, select: 'question { id }' })).question.id
}

async function answerIt(shop: Shop, who: TestMember, question: string): Promise<string> {
  const given = { question, body: `Green tea, ${asked}.` }
  return (await shop.do('answerQuestion', given, { as: who.token, select: 'answer { id }' })).answer.id
}

/** A shop with an open space and a club; `isFull` puts things where the watchers may not see them. */
async function shopWith(isFull: boolean) {
  asked = 0
  const shop = await open({ testClock: '2026-04-01T00:00:00Z', locale: 'en' })
  const spaces = {
    open: await makeSpace(shop, 'open'),
    club: await makeSpace(shop, 'club', {
      join: 'REQUEST',
      isListed: false,
      see: { attribute: { name: 'vip', equals: true } },
    }),
    qa: await makeSpace(shop, 'qa', { kind: 'QA' }),
    secret: await makeSpace(shop, 'secret', { kind: 'QA', join: 'INVITATION', isListed: false }),
    site: await makeSpace(shop, 'site', { kind: 'SITE' }),
  }
  const people: Record<string, TestMember> = {}
  for (const name of ['author', 'other', 'outside', 'left']) {
    const member = await shop.member(name, {
      attributes: { vip: name !== 'outside', friend: name === 'author' },
    })
    people[name] = member
    for (const space of [spaces.club, spaces.secret])
      await shop.do('placeInSpace', {
        space,
        member: member.by,
        standing: name === 'left' ? 'LEFT' : 'JOINED',
      })
    await shop.do('joinSpace', { space: spaces.open }, { as: member.token })
  }
  const named = (name: string) => people[name] ?? expect.fail(name)
  const [author, other, outside, left] = ['author', 'other', 'outside', 'left'].map(named) as [
    TestMember,
    TestMember,
    TestMember,
    TestMember,
  ]
  await shop.do('placeInSpace', { space: spaces.secret, member: outside.by, standing: 'LEFT' })
  for (const { token } of [outside, left]) await shop.do('follow', { target: { tag: 'tea' } }, { as: token })
  const post = await contribute(shop, author, { space: spaces.open })
  await contribute(shop, author, { space: spaces.open, poll: { options: ['Green', 'Black'] } })
  const question = await ask(shop, author, spaces.qa)
  await answerIt(shop, other, question)
  await shop.do('publishContent', {
    space: spaces.site,
    kind: 'ARTICLE',
    purpose: 'RETENTION',
    title: 'On tea',
    body: 'Tea.',
    need: 'Tea',
  })
  if (isFull) await fill(shop, { ...spaces, post, question }, { author, other, left })
  await tell(shop)
  return { shop, people, spaces: { ...spaces, post } }
}

/** Everything that the watchers may not see, where it could show in a figure. */
async function fill(
  shop: Shop,
  {
    club,
    secret,
    open: hall,
    site,
    post,
    question,
  }: Record<'club' | 'secret' | 'open' | 'site' | 'post' | 'question', string>,
  { author, other, left }: Record<'author' | 'other' | 'left', TestMember>,
) {
  const take = async (contribution: string, to: string, by: string | null = null) =>
    onServer(shop.ground.databaseUrl, async (client) => {
      await client.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.id])
      const { rows } = await client.query<{ done: { is: string } }>(
        `select contribution_set_state($1, $2, $3, 'staff:anna') as done`,
        [decodeId(contribution, 'id').id, by && decodeId(by, 'id').id, to],
      )
      expect(rows[0]?.done.is).toBe('done')
    })
  // In the open: what was removed, taken for spam, taken back, or is a draft.
  for (const [state, by] of [
    ['REMOVED', null],
    ['SPAM', null],
    ['DELETED', author.id],
  ] as const) {
    const said = await shop.do(
      'addComment',
      { on: post, body: `Tea ${state}` },
      { as: author.token, select: 'comment { id }' },
    )
    await take(said.comment.id, state, by)
    await take(await answerIt(shop, author, await ask(shop, author, secret)), state, by)
    await take(
      await contribute(shop, author, {
        space: hall,
        kind: 'REVIEW',
        rating: 1,
        topics: ['PRICE'],
        title: state,
      }),
      state,
      by,
    )
    const reply = await shop.do(
      'answerQuestion',
      { question, body: `Tea ${state}` },
      { as: author.token, select: 'answer { id }' },
    )
    if (reply.answer) await take(reply.answer.id, state, by)
  }
  await shop.do(
    'saveDraft',
    { space: hall, title: 'Draft of tea', body: 'Tea', kind: 'POST' },
    { as: author.token },
  )
  // In the club: reviews, ideas with votes, a question with an accepted answer, thanks, views, reactions, who is there.
  await contribute(shop, author, { space: club, kind: 'REVIEW', rating: 1, topics: ['PRICE', 'QUALITY'] })
  await contribute(shop, author, { space: club, poll: { options: ['a', 'b'] } })
  const inside = await contribute(shop, author, { space: club })
  await shop.do('addComment', { on: inside, body: `Tea, @left and @outside!` }, { as: other.token })
  await shop.do('react', { contribution: inside, kind: 'LIKE' }, { as: other.token })
  for (const i of [1, 2]) {
    const asked = await ask(shop, other, secret)
    const answer = await answerIt(shop, author, asked)
    await shop.do('acceptAnswer', { question: asked, answer }, { as: other.token })
    await shop.do('thankAnswer', { answer }, { as: i === 1 ? other.token : left.token })
  }
  await shop.do('beHere', { space: club }, { as: author.token })
  await shop.do('publishContent', {
    ...{
      space: site,
      kind: 'ARTICLE',
      purpose: 'RETENTION',
      title: 'Tea for few',
      body: 'Tea.',
      need: 'Tea',
    },
    audience: { attribute: { name: 'friend', equals: true } },
  })
  // Somebody who came to the open by an invite of another's.
  const program = {
    name: { en: 'Friends', ja: 'お友だち' },
    benefits: { referrer: { points: { amount: '5' } } },
    qualifying: { nthPurchase: 1 },
  }
  await shop.do('defineReferralProgram', { key: 'friends', program })
  const invited = { as: author.token, select: 'referralCode' }
  const { referralCode: code } = await shop.do('inviteToThread', { contribution: post }, invited)
  await shop.do('claimReferral', { code }, { as: other.token })
  // Members who do not want to be found, and messages between others.
  await shop.do('saveProfile', { interests: ['Tea'], messagesFrom: 'MEMBERS' }, { as: other.token })
  await shop.do('sendMessage', { to: other.id, body: 'Tea?' }, { as: author.token })
  expect(left.by.externalId).toBe('left')
  expect(searchText({ title: 'tea', body: '' }).norm).toContain('tea')
}

describe('what a member may not see', () => {
  let bare: Awaited<ReturnType<typeof shopWith>>
  let full: Awaited<ReturnType<typeof shopWith>>
  beforeAll(async () => {
    ;[bare, full] = [await shopWith(false), await shopWith(true)]
  })

  test.each(WATCHERS)('changes no figure for somebody who is %s', async (who) => {
    const answers = []
    for (const { shop, spaces } of [bare, full])
      answers.push(await figuresFor(shop, await shop.token('member', who), spaces))
    expect(answers[1]).toEqual(answers[0])
    expect(JSON.stringify(answers[0]).includes('Some tea')).toBe(who !== 'stranger')
  })

  test('is counted for who sees it', async () => {
    const answers = []
    for (const { shop, people, spaces } of [bare, full])
      answers.push(await figuresFor(shop, people.author?.token ?? '', spaces))
    const [before = [], after = []] = answers
    const same = after.flatMap((answer, i) =>
      JSON.stringify(answer) === JSON.stringify(before[i]) ? [i] : [],
    )
    expect([before.flatMap(({ errors }) => errors).length, same]).toEqual([2, [4]]) // who wants to be found is the same for all
  })
})
