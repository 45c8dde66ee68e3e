import { beforeAll, expect, test } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { makeSpace } from '../support/house.ts'
import { until } from '../support/until.ts'
import { makeSite, node } from './site.ts'

const open = testApp()
let shop: Shop
let mia: TestMember
let kai: TestMember
let club: string
let site: string
beforeAll(async () => {
  shop = await open()
  ;[mia, kai] = await Promise.all([shop.member('mia'), shop.member('kai')])
  club = await makeSpace(shop, 'club')
  site = await makeSite(shop)
})

let count = 0
const tip = async (by = mia, allows = true, given: object = {}) => {
  const text = {
    kind: 'TIP',
    title: `Little soap ${count++}`,
    body: 'Use **little** soap.',
    tags: ['dry-skin'],
  }
  const asked = { space: club, ...text, ...given }
  const { post } = await shop.do('publishPost', asked, { as: by.token, select: 'post { id }' })
  if (allows) await shop.do('allowPromotion', { post: post.id, isAllowed: true }, { as: by.token })
  return post.id as string
}
const SELECT = `isNew content { id title html tags state author { displayName isStaff isFormerMember } viewerCanEdit
  card { id post { ... on Node { id } } } }`
const promote = (post: string, given: object = {}) =>
  shop.do(
    'promotePostToContent',
    { post, space: site, purpose: 'RETENTION', need: 'My skin is dry', ...given },
    { select: SELECT },
  )

test('a post becomes content of the site, credited to its author, with links both ways, once', async () => {
  const post = await tip()
  const made = await promote(post)
  expect(made).toMatchObject({
    isNew: true,
    content: {
      ...{ state: 'PUBLISHED', html: '<p>Use <strong>little</strong> soap.</p>', tags: ['dry-skin'] },
      author: { displayName: 'mia', isStaff: false, isFormerMember: false },
      card: { post: { id: post } },
    },
  })
  expect(await node(shop, kai.token, post, '... on Post { promotedTo { id content { id } } }')).toEqual({
    promotedTo: { id: made.content.card.id, content: { id: made.content.id } },
  })
  expect(await promote(post, { title: 'Another' })).toMatchObject({
    isNew: false,
    content: { id: made.content.id },
  })
})

test('without permission, or when it is taken back, nothing is made of it', async () => {
  const refused = { __typename: 'AccessDeniedError', reason: 'NO_PERMISSION' }
  expect(await promote(await tip(mia, false))).toMatchObject(refused)
  const post = await tip()
  await shop.do('allowPromotion', { post, isAllowed: false }, { as: mia.token })
  expect(await promote(post)).toMatchObject(refused)
  const gone = await tip()
  await shop.do('deleteContribution', { contribution: gone }, { as: mia.token })
  expect(await promote(gone)).toMatchObject(refused)
})

test('twenty who promote at once make one, and the author earns by it once', async () => {
  const rule = { on: { activity: 'post.promoted' }, points: { fixed: 50 }, name: { en: 'Tip', ja: 'コツ' } }
  await shop.do('defineEarnRule', { key: 'promoted', rule })
  const by = await shop.member('rin')
  const post = await tip(by)
  const made = await Promise.all(Array.from({ length: 20 }, () => promote(post)))
  expect(made.filter(({ isNew }) => isNew)).toHaveLength(1)
  expect(new Set(made.map(({ content }) => content.id)).size).toBe(1)
  const query = 'query ($by: MemberBy!) { member(by: $by) { wallet { available } } }'
  const held = async () => (await shop.ask(shop.staff, query, { by: by.by })).data.member.wallet.available
  await until(async () => (await held()) !== '0')
  expect(await held()).toBe('50')
})

test('its author is credited and does not change it, and is a former member once erased', async () => {
  const by = await shop.member('zoe')
  const { content } = await promote(await tip(by))
  const change = { contribution: content.id, body: 'Mine again.' }
  expect(await shop.do('editContribution', change, { as: by.token })).toMatchObject({ reason: 'NOT_AUTHOR' })
  expect(await node(shop, by.token, content.id, '... on Content { viewerCanEdit }')).toEqual({
    viewerCanEdit: false,
  })
  await shop.do('eraseMember', { member: by.by, texts: 'KEEP' })
  expect(
    await node(shop, shop.staff, content.id, '... on Content { author { displayName isFormerMember } }'),
  ).toEqual({
    author: { displayName: null, isFormerMember: true },
  })
})

test('content goes into a site alone, and a post without a title gets one', async () => {
  expect(await promote(await tip(), { space: club })).toMatchObject({
    code: 'BAD_INPUT',
    field: 'input.space',
  })
  const talk = await tip(mia, true, { kind: 'TALK', title: null, body: `Talk ${count++}.` })
  expect(await promote(talk)).toMatchObject({ code: 'BAD_INPUT', field: 'input.title' })
  expect(await promote(talk, { title: 'Talk' })).toMatchObject({ content: { title: 'Talk' } })
})
