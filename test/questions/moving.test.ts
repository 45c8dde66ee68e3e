// Posts that become questions, questions that become posts, and replies that change sides.
import { beforeAll, expect, test } from 'vitest'
import { decodeId, encodeId } from '../../api/graph/ids.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { makeSpace } from '../support/house.ts'
import { onServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const open = testApp({ role: 'web' })
let shop: Shop
let talk: string
let qa: string
let hidden: string
let mia: TestMember
let ken: TestMember
let vip: TestMember
let mod: TestMember

beforeAll(async () => {
  shop = await open({ testClock: '2026-04-01T00:00:00Z', locale: 'en' })
  talk = await makeSpace(shop, 'talk')
  qa = await makeSpace(shop, 'qa', { kind: 'QA' })
  const see = { attribute: { name: 'vip', equals: true } }
  hidden = await makeSpace(shop, 'hidden', { kind: 'QA', see })
  ;[mia, ken, mod] = [await shop.member('mia'), await shop.member('ken'), await shop.member('mod')]
  vip = await shop.member('vip', { attributes: { vip: true } })
  for (const space of [talk, qa]) {
    const place = { space, member: mod.by, standing: 'JOINED', role: 'MODERATOR' }
    await shop.do('placeInSpace', place)
  }
})

const uuid = (id: string) => decodeId(id, 'id').id
const as = (type: string, id: string) => encodeId(type, uuid(id))

/** A post of mia's with a comment of ken's, which staff answered. */
async function newPost(more: object = {}) {
  const given = {
    space: talk,
    kind: 'TIP',
    title: 'Soap keeps',
    body: `${crypto.randomUUID()}?`,
    tags: ['soap'],
  }
  const { post } = await shop.do(
    'publishPost',
    { ...given, ...more },
    { as: mia.token, select: 'post { id }' },
  )
  const { comment } = await shop.do(
    'addComment',
    { on: post.id, body: 'A canary year.' },
    { as: ken.token, select: 'comment { id }' },
  )
  await shop.do('addComment', { on: comment.id, body: 'Or a canary decade.' })
  return { post: post.id as string, comment: comment.id as string }
}

/** A question of mia's that ken solved, with a comment and another answer. */
async function newQuestion(space = qa) {
  const asked = { space, title: `Keeps ${crypto.randomUUID()}`, body: 'How long?' }
  const { question } = await shop.do('askQuestion', asked, { as: mia.token, select: 'question { id }' })
  const answers: string[] = []
  for (const by of [ken.token, shop.staff]) {
    const given = { question: question.id, body: 'A year.' }
    answers.push((await shop.do('answerQuestion', given, { as: by, select: 'answer { id }' })).answer.id)
  }
  const said = { on: question.id, body: 'So do I wonder.' }
  const { comment } = await shop.do('addComment', said, { as: ken.token, select: 'comment { id }' })
  return {
    question: question.id as string,
    answers: answers as [string, string],
    comment: comment.id as string,
  }
}

const THREAD = `query ($id: ID!) { node(id: $id) { __typename ... on Contribution {
  title commentCount isFollowed author { displayName } space { key } comments(first: 9) { nodes { html } }
  movedFrom { kind space { key } at } ... on Question { standing answerCount answers(first: 9) { nodes { html } } } } } }`
const look = async (token: string, id: string) => (await shop.ask(token, THREAD, { id })).data.node

const points = async ({ token }: TestMember) =>
  (await shop.ask(token, '{ viewer { member { wallet { available } } } }')).data.viewer.member.wallet
    .available

test('a post becomes a question with all that belongs to it, and tells where it comes from', async () => {
  const { post } = await newPost()
  await shop.do('react', { contribution: post, kind: 'UP' }, { as: ken.token })
  const done = await shop.do('convertPostToQuestion', { post, space: qa }, { as: mod.token })
  expect(done.__typename).toBe('ConvertPostToQuestionPayload')
  expect(await look(mia.token, as('Question', post))).toEqual({
    ...{ __typename: 'Question', title: 'Soap keeps', standing: 'OPEN', commentCount: 1, answerCount: 0 },
    ...{ isFollowed: true, author: { displayName: 'mia' }, space: { key: 'qa' } },
    movedFrom: { kind: 'POST', space: { key: 'talk' }, at: '2026-04-01T00:00:00.000Z' },
    comments: { nodes: [{ html: expect.stringContaining('A canary year.') }] },
    answers: { nodes: [] },
  })
  expect(await look(shop.staff, post)).toBeNull()
  const lists = `{ questions(first: 50) { nodes { id upVotes } } spaces(first: 9) { nodes { posts(first: 50) { nodes { id } } } }
    search(query: "soap keeps", first: 50) { nodes { __typename title } } }`
  const { data } = await shop.ask(ken.token, lists)
  expect(data.questions.nodes).toContainEqual({ id: as('Question', post), upVotes: 1 })
  expect(JSON.stringify(data.spaces)).not.toContain(post)
  expect(data.search.nodes).toContainEqual({ __typename: 'Question', title: 'Soap keeps' })
  const answered = { question: as('Question', post), body: 'Two.' }
  expect((await shop.do('answerQuestion', answered, { as: ken.token })).__typename).toBe(
    'AnswerQuestionPayload',
  )
})

test('what goes to a space that one may not see is nowhere for one, and its author is told', async () => {
  const { post } = await newPost({ title: 'A canary post', body: 'Of canaries.' })
  await shop.do('convertPostToQuestion', { post, space: hidden })
  const paths = `query ($ids: [ID!]!) { nodes(ids: $ids) { id } questions(first: 99) { nodes { title comments { nodes { html } } } }
    search(query: "canary", first: 99) { nodes { title html } } similarQuestions(title: "A canary post") { title }
    viewer { feed(first: 99) { nodes { title } } member { contributions(first: 99) { nodes { title html } } } } }`
  const ids = ['Post', 'Question'].map((type) => as(type, post))
  for (const { token } of [mia, ken, mod]) {
    const { data } = await shop.ask(token, paths, { ids })
    expect(data.nodes).toEqual([null, null])
    expect(JSON.stringify([data.questions, data.search, data.similarQuestions, data.viewer])).not.toMatch(
      /canary post|canaries/,
    )
  }
  const seen = await look(vip.token, as('Question', post))
  expect(seen).toMatchObject({
    title: 'A canary post',
    commentCount: 1,
    movedFrom: { space: { key: 'talk' } },
  })
  const told = await onServer(shop.ground.databaseUrl, (client) =>
    client.query(
      `select member_id from outbox where type = 'contribution.moved' and payload ->> 'contribution' = $1
       union all select member_id from event_log where type = 'contribution.moved' and payload ->> 'contribution' = $1`,
      [uuid(post)],
    ),
  )
  expect(told.rows).toEqual([{ member_id: uuid(mia.id) }])
})

test('the author is told in its list, of what it may still see', async () => {
  const { post } = await newPost({ title: 'Told of' })
  await shop.do('convertPostToQuestion', { post, space: qa })
  await shop.clock('2026-04-01T00:05:00Z')
  const text = '{ viewer { member { notifications(first: 50) { nodes { kind object { title } } } } } }'
  const { nodes } = (await shop.ask(mia.token, text)).data.viewer.member.notifications
  expect(nodes).toContainEqual({ kind: 'MOVED', object: { title: 'Told of' } })
  expect(JSON.stringify(nodes)).not.toContain('A canary post')
})

test('a question that is talk becomes a post; its answers are comments, and what one earned is taken back', async () => {
  const { question, answers } = await newQuestion()
  const before = Number(await points(ken))
  await shop.do('acceptAnswer', { question, answer: answers[0] }, { as: mia.token })
  expect(Number(await points(ken))).toBe(before + 10)
  const done = await shop.do('moveToCommunity', { question, space: talk }, { as: mod.token })
  expect(done.__typename).toBe('MoveToCommunityPayload')
  expect(Number(await points(ken))).toBe(before)
  const post = await look(ken.token, as('Post', question))
  expect(post).toMatchObject({ __typename: 'Post', commentCount: 3, space: { key: 'talk' } })
  expect(post.comments.nodes).toHaveLength(3)
  for (const id of [question, answers[0]]) expect(await look(shop.staff, id)).toBeNull()
  const { data } = await shop.ask(shop.staff, '{ ledgerCheck { differences { expected } } }')
  expect(data.ledgerCheck.differences).toEqual([])
})

test('there and back it is a question again, whose former answers nobody accepts as they are', async () => {
  const { question, answers } = await newQuestion()
  await shop.do('moveToCommunity', { question, space: talk })
  await shop.do('convertPostToQuestion', { post: as('Post', question), space: qa })
  expect(await look(ken.token, question)).toMatchObject({ standing: 'OPEN', commentCount: 3, answerCount: 0 })
  const accepts = { question, answer: answers[0] }
  expect(await shop.do('acceptAnswer', accepts, { as: mia.token })).toMatchObject({ code: 'NOT_FOUND' })
  expect(await shop.do('markAnswerOfficial', { answer: answers[0], isOfficial: true })).toMatchObject({
    code: 'NOT_FOUND',
  })
  await shop.do('convertToAnswer', { reply: as('Comment', answers[0]) })
  expect((await shop.do('acceptAnswer', accepts, { as: mia.token })).__typename).toBe('AcceptAnswerPayload')
  expect(await look(ken.token, question)).toMatchObject({
    standing: 'ACCEPTED',
    commentCount: 2,
    answerCount: 1,
  })
})

test('a comment becomes an answer and an answer a comment, and the counters follow', async () => {
  const { question, answers, comment } = await newQuestion()
  const stand = async () => {
    const { standing, answerCount, commentCount } = await look(mia.token, question)
    return [standing, answerCount, commentCount]
  }
  expect(await stand()).toEqual(['ANSWERED', 2, 1])
  await shop.do('convertToAnswer', { reply: comment }, { as: mod.token })
  expect(await stand()).toEqual(['ANSWERED', 3, 0])
  await shop.do('acceptAnswer', { question, answer: answers[0] }, { as: mia.token })
  for (const reply of [as('Answer', comment), ...answers])
    await shop.do('convertToComment', { reply }, { as: mod.token })
  expect(await stand()).toEqual(['OPEN', 0, 3])
})

test('only moderators and staff move, only what fits, and only to where it belongs', async () => {
  const { post, comment } = await newPost()
  const { question } = await newQuestion()
  const convert = (input: object, token = shop.staff) =>
    shop.do('convertPostToQuestion', input, { as: token })
  expect(await convert({ post, space: qa }, mia.token)).toMatchObject({ reason: 'NOT_MODERATOR' })
  expect(await convert({ post, space: hidden }, mod.token)).toMatchObject({ code: 'NOT_FOUND' })
  expect(await convert({ post, space: talk })).toMatchObject({ code: 'BAD_INPUT', field: 'input.space' })
  const idea = await newPost({ kind: 'IDEA' })
  expect(await convert({ post: idea.post, space: qa })).toMatchObject({
    code: 'BAD_INPUT',
    field: 'input.post',
  })
  const bare = await newPost({ kind: 'TALK', title: null })
  expect(await convert({ post: bare.post, space: qa })).toMatchObject({ field: 'input.title' })
  expect(await shop.do('moveToCommunity', { question, space: qa })).toMatchObject({ field: 'input.space' })
  expect(await shop.do('convertToAnswer', { reply: comment })).toMatchObject({ code: 'BAD_INPUT' })
  await shop.do('removeContribution', { contribution: post })
  expect(await convert({ post, space: qa })).toMatchObject({ reason: 'LOCKED' })
  await convert({ post: bare.post, space: qa, title: 'Zebras' })
  const { data } = await shop.ask(ken.token, '{ search(query: "zebras", first: 5) { nodes { title } } }')
  expect(data.search.nodes).toEqual([{ title: 'Zebras' }])
})

test('what was a post keeps what it earned, and loses it when it is taken away', async () => {
  const rule = { name: { en: 'Posts', ja: '投稿' }, on: { activity: 'post.published' }, points: { fixed: 7 } }
  expect((await shop.do('defineEarnRule', { key: 'posts', rule })).__typename).toBe('DefineEarnRulePayload')
  const before = Number(await points(mia))
  const { post } = await newPost()
  expect(Number(await points(mia))).toBe(before + 7)
  await shop.do('convertPostToQuestion', { post, space: qa })
  expect(Number(await points(mia))).toBe(before + 7)
  await shop.do('removeContribution', { contribution: as('Question', post) })
  expect(Number(await points(mia))).toBe(before)
})

test('while twenty write in it, a thread goes as a whole', async () => {
  const { post, comment } = await newPost({ title: 'Crowded' })
  const write = (on: string) => shop.do('addComment', { on, body: `Word ${crypto.randomUUID()}.` })
  const all = [
    ...Array.from({ length: 10 }, () => write(post)),
    shop.do('convertPostToQuestion', { post, space: hidden }),
    ...Array.from({ length: 10 }, () => write(comment)),
  ]
  const done = await Promise.all(all)
  expect(done.filter(({ __typename }) => !/Payload$/.test(__typename ?? ''))).toEqual([])
  const { rows } = await onServer(shop.ground.databaseUrl, (client) =>
    client.query(
      `select c.space_id <> r.space_id as is_lost, count(*)::int as n from contribution c
       join contribution r on r.tenant_id = c.tenant_id and r.id = c.root_id where c.root_id = $1 group by 1`,
      [uuid(post)],
    ),
  )
  expect(rows).toEqual([{ is_lost: false, n: 23 }])
})

test('whoever is just writing in a thread that moves goes with it, and neither waits for the other without end', async () => {
  const { post, comment } = await newPost({ title: 'Busy' })
  await onServer(shop.ground.databaseUrl, async (client) => {
    await client.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.id])
    await client.query('begin')
    await client.query('select from contribution where id = $1 for no key update', [uuid(comment)])
    const moved = shop.do('convertPostToQuestion', { post, space: hidden })
    const waiting = `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    await until(async () => (await client.query(waiting)).rows[0].n > 0)
    const what = {
      kind: 'COMMENT',
      parent: uuid(comment),
      body: 'Late.',
      format: 'MARKDOWN',
      html: '<p>Late.</p>',
    }
    await client.query(`select contribution_write(null, 'test', $1)`, [JSON.stringify(what)])
    await client.query('commit')
    expect((await moved).__typename).toBe('ConvertPostToQuestionPayload')
    const { rows } = await client.query(
      `select (select s.key from space s where s.tenant_id = c.tenant_id and s.id = c.space_id) as key, count(*)::int as n
       from contribution c where c.root_id = $1 group by 1`,
      [uuid(post)],
    )
    expect(rows).toEqual([{ key: 'hidden', n: 4 }])
  })
})
