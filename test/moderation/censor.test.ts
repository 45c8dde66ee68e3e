import { beforeAll, expect, test } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { makeSpace } from '../support/house.ts'

const open = testApp()
let shop: Shop
let mia: TestMember
let noa: TestMember
let kai: TestMember
let space: string
beforeAll(async () => {
  shop = await open()
  ;[mia, noa, kai] = await Promise.all([shop.member('mia'), shop.member('noa'), shop.member('kai')])
  space = await makeSpace(shop, 'tea')
  await shop.do('placeInSpace', { space, member: noa.by, standing: 'JOINED', role: 'MODERATOR' })
  await shop.do('defineWatchedWords', {
    ...{ key: 'rude', action: 'CENSOR' },
    words: ['ばか', 'ガッデム', 'サーバー攻撃', 'damn', 'ぱち*'],
  })
})

let count = 0
const TEXT = 'id state title body html source'
const say = async (body: string, { as = mia.token, title = `Tea ${count++}` } = {}) =>
  (await shop.do('publishPost', { space, kind: 'TALK', title, body }, { as, select: `post { ${TEXT} }` }))
    .post
const seen = async (id: string, as: string) =>
  (await shop.ask(as, `query ($id: ID!) { node(id: $id) { ... on Post { ${TEXT} } } }`, { id })).data.node

test.each([
  ['お前はばかだ', 'お前は＊＊だ'],
  ['お前はバカだ', 'お前は＊＊だ'],
  ['お前はﾊﾞｶだ', 'お前は＊＊だ'],
  ['お前はば\u200bかだ', 'お前は＊＊だ'],
  ['お前はハ\u3099カだ', 'お前は＊＊だ'],
  ['ｶﾞｯﾃﾞﾑ！', '＊＊＊＊！'],
  ['さーばー攻撃とｻｰﾊﾞｰ攻撃', '＊＊＊＊＊＊と＊＊＊＊＊＊'],
  ['ＤＡＭＮ it, Damn', '**** it, ****'],
  ['damnation and goddamn', 'damnation and goddamn'],
  ['ぱちんこ', '＊＊んこ'],
  ['ふつうの文です', 'ふつうの文です'],
])('"%s" is served as "%s", and kept as it was written', async (body, served) => {
  const { id, state } = await say(body)
  expect(state).toBe('PUBLISHED')
  const others = await seen(id, kai.token)
  expect([others.html, others.body, others.source]).toEqual([`<p>${served}</p>`, served, null])
  const source = served === body ? null : body
  expect((await seen(id, mia.token)).source).toBe(source)
  expect((await seen(id, noa.token)).source).toBe(source)
})

test('a title is masked too, and marks and links stay what they are', async () => {
  const { id } = await say('**ばか** [damn](https://damn.example/ばか)', { title: 'バカ' })
  const others = await seen(id, kai.token)
  expect([others.title, others.state]).toEqual(['＊＊', 'PUBLISHED'])
  expect(others.html).toMatch(
    /^<p><strong>＊＊<\/strong> <a href="https:\/\/damn\.example\/[^"]*"[^>]*>\*\*\*\*<\/a><\/p>$/,
  )
})

test('a word that marks break up waits for somebody', async () => {
  expect(await say('ば**か**')).toMatchObject({ state: 'PENDING' })
  expect(await say('&#12400;か')).toMatchObject({ state: 'PENDING' })
})

test('what is changed is masked anew, and what is not changed keeps what was written', async () => {
  const { id } = await say('ばかな話', { title: 'ばか' })
  const edit = (given: object) =>
    shop.do(
      'editContribution',
      { contribution: id, ...given },
      { as: mia.token, select: 'contribution { state }' },
    )
  await edit({ body: 'あほな話' })
  expect(await seen(id, kai.token)).toMatchObject({ title: '＊＊', body: 'あほな話' })
  await edit({ title: 'よい話', body: 'あほな話' })
  expect(await seen(id, mia.token)).toMatchObject({ title: 'よい話', source: null })
  await edit({ body: 'またばかな話' })
  expect(await seen(id, mia.token)).toMatchObject({ body: 'また＊＊な話', source: 'またばかな話' })
  const revisions =
    'query ($id: ID!) { node(id: $id) { ... on Post { revisions(first: 9) { nodes { body title } } } } }'
  expect(JSON.stringify((await shop.ask(kai.token, revisions, { id })).data)).not.toContain('ばか')
})

test('staff and moderators are not masked, and an erased member leaves nothing as it was written', async () => {
  expect((await say('ばかと言わないで', { as: noa.token })).body).toBe('ばかと言わないで')
  const zoe = await shop.member('zoe')
  const { id } = await say('ばかな人', { as: zoe.token })
  await shop.do('eraseMember', { member: zoe.by, texts: 'KEEP' })
  expect(await seen(id, shop.staff)).toMatchObject({ body: '＊＊な人', source: null })
})

test('how texts are processed is said in the language of the shop, by version, to whoever may write', async () => {
  const notice = async (as: string) =>
    (await shop.ask(as, '{ space(key: "tea") { notice { text version } } }')).data.space?.notice
  expect(await notice(mia.token)).toBeNull()
  const define = (ja: string) => shop.do('defineContributionNotice', { text: { en: 'We read it.', ja } })
  await define('人が読みます。')
  expect(await notice(mia.token)).toEqual({ text: '人が読みます。', version: 1 })
  await define('人とサービスが読みます。')
  expect(await notice(mia.token)).toEqual({ text: '人とサービスが読みます。', version: 2 })
})
