// Who sees what is written in spaces, on every path that the schema has to it.
import { getNamedType, isInterfaceType, isObjectType } from 'graphql'
import { beforeAll, describe, expect, test } from 'vitest'
import { encodeId } from '../../api/graph/ids.ts'
import { schema } from '../../api/schema.ts'
import { testApp } from '../support/app.ts'
import { headOf, history } from '../support/history.ts'
import { type House, openHouse, VIEWERS, type Viewer } from '../support/house.ts'

const open = testApp({ role: 'web' })
let house: House
let beginning: string

beforeAll(async () => {
  const shop = await open()
  beginning = await headOf(shop)
  house = await openHouse(shop)
})

/** The GraphQL type that shows a kind; a kind without one is looked at through its comments. */
const TYPES: Record<string, string> = {
  CONTENT: 'Content',
  POST: 'Post',
  COMMENT: 'Comment',
  FAQ: 'FaqEntry',
  QUESTION: 'Question',
  ANSWER: 'Answer',
}

const idsOf = ({ texts }: House) =>
  Object.values(texts).flatMap(({ id, kind }) => (TYPES[kind] ? [encodeId(TYPES[kind], id)] : []))
const canaries = (answer: unknown) =>
  [...new Set([...JSON.stringify(answer).matchAll(/canary-([a-z-]+)/g)].map(([, name = '']) => name))].sort()
const seenBy = (viewer: Viewer, kinds = Object.keys(TYPES)) =>
  Object.entries(house.texts)
    .filter(([, { kind, seers }]) => kinds.includes(kind) && seers.includes(viewer))
    .map(([name]) => name)
    .sort()

/** For every field that leads to something written: a question that finds all there is of it, and of what kinds. */
const PATHS: Record<string, { query: string; kinds?: string[]; without?: string[]; isPart?: boolean }> = {
  'Query.node': {
    query:
      'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Contribution { title html comments { nodes { html } } } } }',
  },
  'Query.questions': {
    query: '{ questions(first: 100) { nodes { title html answers { nodes { html } } } } }',
    kinds: ['QUESTION', 'ANSWER'],
  },
  'Member.contributions': {
    query:
      '{ member(by: { externalId: "author" }) { contributions(first: 100) { nodes { title body html } } } }',
    kinds: ['ANSWER', 'COMMENT', 'FAQ', 'POST', 'QUESTION'],
    without: ['blocked-comment'], // somebody else's
  },
  'Space.posts': {
    query: '{ spaces(first: 100) { nodes { posts(first: 100) { nodes { title html } } } } }',
    kinds: ['POST'],
    without: ['draft', 'removed'], // a list is of what is published
  },
  'ProductDiscussion.entries': {
    query: '{ productDiscussion(sku: "SOAP") { entries(first: 100) { nodes { title html } } } }',
    kinds: ['POST', 'QUESTION'],
    without: ['draft', 'removed'],
  },
  'Query.threads': {
    query: `{ threads(first: 100) { nodes { title html } }
      kept: threads(kinds: [FAQ, CONTENT], orderBy: NEW, first: 100) { nodes { title body } } }`,
    kinds: ['CONTENT', 'FAQ', 'POST', 'QUESTION'],
    without: ['draft', 'content-draft', 'removed'],
  },
  'Query.faq': {
    query: '{ faq(first: 100) { nodes { title html question { html } } } }',
    kinds: ['FAQ'],
  },
  'Query.faqCandidates': {
    query: '{ faqCandidates(first: 100) { nodes { title html } } }',
    kinds: ['QUESTION'],
    isPart: true, // for staff, of what was solved
  },
  'Query.search': {
    query: '{ search(query: "canary", first: 100) { nodes { title html } } }',
    isPart: true, // of what fits best
  },
  'Query.similarQuestions': {
    query: '{ similarQuestions(title: "canary question club", body: "canary") { title html } }',
    kinds: ['FAQ', 'QUESTION'],
    isPart: true,
  },
  'Viewer.feed': {
    query: `{ viewer { ${['NEW', 'ACTIVE', 'TOP', 'FOR_YOU'].map((by) => `${by}: feed(orderBy: ${by}, first: 100) { nodes { title html } }`).join(' ')} } }`,
    kinds: ['POST'],
    isPart: true, // of what one joined and follows
  },
  'Viewer.drafts': {
    query: '{ viewer { drafts(first: 100) { nodes { title html } } } }',
    kinds: ['POST'],
    isPart: true, // one's own
  },
  'ContentCard.content': {
    query:
      '{ drafts: content(filter: { state: DRAFT }) { ...cards } content(first: 100) { ...cards } } fragment cards on ContentCardConnection { nodes { title teaser link content { body html } } }',
    kinds: ['CONTENT'],
  },
}

/** These are reached from something that another path finds, by the same reader: the questions above go through them. */
const THROUGH = [
  'Comment.comments',
  'Comment.on',
  'Complaint.post',
  'Complaint.resolution',
  'Content.comments',
  'ContentCard.post',
  'ContentEvidence.contribution',
  'Conversation.posts',
  'EntryDeflection.entry',
  'Idea.mergedInto',
  'ModerationCase.contribution',
  'ModerationFlag.contribution',
  'Notification.object',
  'Post.comments',
  'Referral.thread',
  'ReputationEntry.contribution',
  'Space.pinnedPosts',
  'Task.question',
  ...['FaqEntry.comments', 'FaqEntry.conflicts', 'FaqEntry.question'],
  ...['Answer.comments', 'Answer.question', 'Question.acceptedAnswer'],
  ...['Question.answers', 'Question.comments', 'Question.duplicateOf'],
]

test('every field that leads to something written is walked here', () => {
  const written = (name: string): boolean => {
    const type = schema.getType(name)
    const isOne =
      name === 'Contribution' ||
      (isObjectType(type) && type.getInterfaces().some((each) => each.name === 'Contribution'))
    return isOne || (/Connection$/.test(name) && written(name.replace(/Connection$/, '')))
  }
  const fields = Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type) && !isInterfaceType(type))
    .filter(({ name }) => !/Payload$|Connection$|Edge$|Subscription/.test(name))
    .filter((type) => !(isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Event')))
    .flatMap((type) =>
      (isObjectType(type) ? Object.values(type.getFields()) : [])
        .filter((field) => written(getNamedType(field.type).name))
        .map((field) => `${type.name}.${field.name}`),
    )
  expect([...Object.keys(PATHS).filter((path) => path !== 'Query.node'), ...THROUGH].sort()).toEqual(
    fields.sort(),
  )
})

describe.each(Object.entries(PATHS))('%s', (path, { query, kinds, without = [], isPart = false }) => {
  test.each(VIEWERS)('shows a %s what is theirs to see, and nothing else', async (viewer) => {
    const { shop, tokens } = house
    const { data } = await shop.ask(tokens[viewer], query, { ids: idsOf(house) })
    const found = canaries(data)
    const may = seenBy(viewer, kinds).filter((name) => !without.includes(name))
    expect(found.filter((name) => !may.includes(name))).toEqual([])
    const isOthersProfile = path.startsWith('Member.') && viewer !== 'staff'
    if (!isOthersProfile && !isPart) expect(found).toEqual(may)
  })
})

const TOLD = [
  [
    'comment.published',
    '... on CommentPublished { comment { html } }',
    ['blocked-comment', 'open-comment', 'club-comment', 'removed-comment'],
  ],
  ['post.published', '... on PostPublished { post { html } }', ['open', 'club', 'private', 'removed', 'off']],
] as const

test.each(VIEWERS.flatMap((viewer) => TOLD.map((what) => [viewer, ...what] as const)))(
  'live events tell a %s by %s of nothing but what they see',
  async (viewer, type, inside, names) => {
    const { shop, tokens } = house
    const selection = `id type at member { id } ${inside}`
    const told = await history(shop, tokens[viewer], { after: beginning, types: [type], selection })
    const published: readonly string[] = names
    const may = seenBy(viewer).filter((name) => published.includes(name))
    expect(canaries(told)).toEqual(may)
    expect(told).toHaveLength(viewer === 'staff' ? published.length : may.length)
  },
)

test('whoever leaves the program sees nothing with the next request', async () => {
  const { shop } = house
  const leaver = await shop.member('leaver', { attributes: { vip: true } })
  const query = 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Contribution { html } } }'
  const ask = () => shop.ask(leaver.token, query, { ids: idsOf(house) })
  expect(canaries((await ask()).data)).toEqual([
    ...['blocked-comment', 'content', 'content-hidden', 'content-teased', 'open', 'open-comment', 'open-faq'],
  ])
  await shop.do('endMembership', { member: leaver.by, end: 'LEFT' })
  expect((await ask()).errors).toMatchObject([{ code: 'FORBIDDEN' }])
})

test('a rule that changes counts with the next request', async () => {
  const { shop, tokens } = house
  const query = 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Contribution { html } } }'
  const ask = async () => canaries((await shop.ask(tokens.inside, query, { ids: idsOf(house) })).data)
  expect(await ask()).toContain('club-comment')
  await shop.do('updateMember', { member: { externalId: 'inside' }, attributes: { vip: false } })
  expect(await ask()).not.toContain('club-comment')
  await shop.do('updateMember', { member: { externalId: 'inside' }, attributes: { vip: true } })
  expect(await ask()).toContain('club-comment')
})

test('both ends of the rule agree: what a member sees, and who sees it', async () => {
  const { shop, texts } = house
  const client = shop.ground.app.db.tenant(shop.tenant.id)
  const members = await client.query<{ id: string; name: string }>({
    text: 'select m.id, m.external_id as name from member m where own(m)',
    values: [],
  })
  for (const { id } of Object.values(texts)) {
    const seers = await client.query<{ id: string }>({
      text: 'select id from contribution_seers($1, array(select m.id from member m where own(m))) id',
      values: [id],
    })
    for (const member of members) {
      const own = await client
        .as(member.id)
        .query({ text: 'select from contribution c where own(c) and c.id = $1', values: [id] })
      expect([member.name, own.length === 1]).toEqual([
        member.name,
        seers.some((each) => each.id === member.id),
      ])
    }
  }
})
