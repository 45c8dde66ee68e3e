import { beforeAll, expect, test } from 'vitest'
import { searchText } from '../../api/platform/text/index.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { idOfKind, makeSpace, write } from '../support/house.ts'

const open = testApp()
let shop: Shop
let mia: TestMember
let noa: TestMember
let thread: string
beforeAll(async () => {
  shop = await open()
  mia = await shop.member('mia')
  noa = await shop.member('noa')
  const space = await makeSpace(shop, 'tea')
  await shop.do('placeInSpace', { space, member: noa.by, standing: 'JOINED', role: 'MODERATOR' })
  thread = idOfKind('Comment', await write(shop, { space: 'tea', kind: 'POST' }))
})

const POLICY = {
  limits: [{ action: 'FLAG', most: 1000, per: 'P1D' }],
  ...{ repeatWithin: 'PT5M', reviewFirst: 0, hideAt: 3, trust: [], keepFor: 'P14D', keepShare: 90 },
}
const policy = (more: object) => shop.do('defineModeration', { ...POLICY, ...more })
const say = (body: string, as = mia.token) =>
  shop.do('addComment', { on: thread, body }, { as, select: 'comment { id state }' })
const flag = (contribution: string, as: string) =>
  shop.do(
    'flagContribution',
    { contribution, reason: 'SPAM' },
    { as, select: 'flag { state contribution { state } }' },
  )
const caseOf = async (id: string, state = 'OPEN', as = shop.staff) => {
  const query = `query ($state: ModerationState) { moderationQueue(state: $state, first: 100) { nodes {
    state reason score version decidedBy note contribution { ... on Node { id } state } history { step actor } } } }`
  const { data } = await shop.ask(as, query, { state })
  return data.moderationQueue.nodes.find(
    (each: { contribution: { id: string } | null }) => each.contribution?.id === id,
  )
}
const decide = (contribution: string, version: number, decision: string, as = shop.staff) =>
  shop.do(
    'decideModeration',
    { contribution, version, decision, note: 'See the rules.' },
    { as, select: 'case { state note version }' },
  )

test('flags hide something from a weight on, a decision answers them and brings it back', async () => {
  await policy({})
  const { comment } = await say('買ってください')
  const others = await Promise.all(['f1', 'f2', 'f3'].map((name) => shop.member(name)))
  const states: string[] = []
  for (const { token } of others)
    states.push((await flag(comment.id, token)).flag.contribution?.state ?? 'HIDDEN')
  expect(states).toEqual(['PUBLISHED', 'PUBLISHED', 'HIDDEN'])
  const opened = await caseOf(comment.id)
  expect(opened).toMatchObject({ reason: 'FLAGGED', score: 3, contribution: { state: 'PENDING' } })
  expect(opened.history.map(({ step }: { step: string }) => step)).toEqual([
    ...['HIDDEN', 'FLAGGED', 'FLAGGED', 'FLAGGED', 'OPENED'],
  ])
  expect((await decide(comment.id, opened.version, 'KEPT')).case).toMatchObject({ state: 'KEPT' })
  expect((await flag(comment.id, others[0]?.token ?? '')).flag).toEqual({
    state: 'REJECTED',
    contribution: { state: 'PUBLISHED' },
  })
})

test('a member flags a thing once, never its own, and nothing that it does not see', async () => {
  const { comment } = await say('一度だけ')
  await flag(comment.id, noa.token)
  await flag(comment.id, noa.token)
  expect(await caseOf(comment.id)).toMatchObject({ score: 1, version: 2 })
  expect(await flag(comment.id, mia.token)).toMatchObject({ __typename: 'AccessDeniedError', reason: 'OWN' })
  await shop.do('removeContribution', { contribution: comment.id })
  const kai = await shop.member('kai')
  expect(await flag(comment.id, kai.token)).toMatchObject({ __typename: 'NotFoundError' })
})

test('of two moderators who decide at once, one is told that the other was first', async () => {
  for (let i = 0; i < 20; i++) {
    const { comment } = await say(`どちらが先か ${i}`)
    await flag(comment.id, noa.token)
    const { version } = await caseOf(comment.id)
    const decided = await Promise.all([
      decide(comment.id, version, 'KEPT'),
      decide(comment.id, version, 'REMOVED', noa.token),
    ])
    expect(decided.filter((each) => each.__typename === 'CaseChangedError')).toHaveLength(1)
  }
})

test('moderators see the cases of their spaces, and nobody else sees any', async () => {
  const { comment } = await say('誰に見えるか')
  await flag(comment.id, noa.token)
  expect(await caseOf(comment.id, 'OPEN', noa.token)).toMatchObject({ state: 'OPEN' })
  expect(await caseOf(comment.id, 'OPEN', mia.token)).toBeUndefined()
  const { version } = await caseOf(comment.id)
  expect(await decide(comment.id, version, 'REMOVED', mia.token)).toMatchObject({
    __typename: 'NotFoundError',
  })
})

test('an author asks for another look once, and gets back what was taken by mistake', async () => {
  const { comment } = await say('消さないで')
  const appeal = () =>
    shop.do(
      'appealModeration',
      { contribution: comment.id, text: 'なぜですか' },
      { as: mia.token, select: 'contribution { state }' },
    )
  expect(await appeal()).toMatchObject({ reason: 'LOCKED' })
  await flag(comment.id, noa.token)
  await decide(comment.id, (await caseOf(comment.id)).version, 'REMOVED')
  expect(await appeal()).toMatchObject({ contribution: { state: 'REMOVED' } })
  const again = await caseOf(comment.id)
  expect(again).toMatchObject({ reason: 'APPEAL', score: 0 })
  await decide(comment.id, again.version, 'KEPT')
  expect(await caseOf(comment.id, 'KEPT')).toMatchObject({
    decidedBy: 'staff:anna',
    contribution: { state: 'PUBLISHED' },
  })
  expect(await appeal()).toMatchObject({ reason: 'LOCKED' })
})

test.each([
  ['BLOCK', '禁止語', 'これは禁\u200b止語です', { reason: 'WATCHED_WORD', retryAfter: null }],
  ['BLOCK', 'サーバー攻撃', 'ｻｰﾊﾞｰ攻撃の話', { reason: 'WATCHED_WORD' }],
  ['BLOCK', 'cialis', 'Buy CIALIS now', { reason: 'WATCHED_WORD' }],
  ['QUEUE', '要確認', '要確認の話', { comment: { state: 'PENDING' } }],
  ['FLAG', '注意語', '注意語の話', { comment: { state: 'PUBLISHED' } }],
  ['BLOCK', 'cialis', 'A specialist told me', { comment: { state: 'PUBLISHED' } }],
])('a watched word to %s (%s) is found in "%s", or not', async (action, word, body, expected) => {
  await shop.do('defineWatchedWords', { key: word, action, words: [word] })
  const said = await say(body)
  expect(said).toMatchObject(expected)
  if (action !== 'BLOCK') expect(await caseOf(said.comment.id)).toMatchObject({ reason: 'WATCHED_WORD' })
})

test('the same text is not taken twice within minutes, in one place', async () => {
  expect(await say('まったく同じ文')).toHaveProperty('comment')
  const refused = await say('まったく 同じ文'.replace(' ', '\u200b'))
  expect(refused).toMatchObject({ reason: 'REPEATED' })
  expect(refused.retryAfter).toBeGreaterThan(0)
  expect(refused.retryAfter).toBeLessThanOrEqual(300)
  expect(await say('まったく同じ文', noa.token)).toHaveProperty('comment')
})

test('the first texts of members wait, staff and moderators do not', async () => {
  await policy({ reviewFirst: 1 })
  const kei = await shop.member('kei')
  const { comment } = await say('はじめまして', kei.token)
  expect(comment.state).toBe('PENDING')
  expect(await caseOf(comment.id)).toMatchObject({ reason: 'NEW_MEMBER' })
  expect((await say('お知らせ', noa.token)).comment.state).toBe('PUBLISHED')
  await decide(comment.id, (await caseOf(comment.id)).version, 'KEPT')
  expect((await say('二度目です', kei.token)).comment.state).toBe('PUBLISHED')
  await policy({})
})

test('who writes too often is told when to go on; twenty at once are counted one by one', async () => {
  await policy({ limits: [{ action: 'COMMENT', most: 5, per: 'PT1H' }] })
  const rio = await shop.member('rio')
  const said = await Promise.all(Array.from({ length: 20 }, (_, n) => say(`連投 ${n}`, rio.token)))
  const refused = said.filter(({ reason }) => reason === 'TOO_OFTEN')
  expect(refused).toHaveLength(15)
  expect(refused.every(({ retryAfter }) => retryAfter > 3500 && retryAfter <= 3600)).toBe(true)
  await policy({})
})

test('what an import or staff writes is not judged', async () => {
  await shop.do('defineWatchedWords', { key: 'import', action: 'BLOCK', words: ['輸入語'] })
  const text = { search: searchText({ body: '輸入語' }), body: '輸入語', html: '輸入語' }
  const imported = { space: 'tea', kind: 'POST', by: 'mia', sourceKey: 'so:1', ...text } as const
  await expect(write(shop, imported)).resolves.toBeDefined()
  const own = { ...imported, sourceKey: undefined, search: searchText({ body: '輸入語、再び' }) }
  await expect(write(shop, own)).rejects.toThrow('WATCHED_WORD')
  expect((await say('輸入語です', shop.staff)).comment.state).toBe('PUBLISHED')
})
