import { beforeEach, expect, it, test } from 'vitest'
import { roughly } from '../../api/domains/contributions/teasers.graphql.ts'
import { type Shop, testApp } from '../support/app.ts'
import { idOfKind, makeSpace, write } from '../support/house.ts'

const open = testApp({ role: 'web' })
let shop: Shop
let space: string
let post: string

beforeEach(async () => {
  shop = await open({ testClock: '2026-04-10T00:00:00Z', locale: 'en' })
  space = await makeSpace(shop, 'salon', { isWelcome: true })
  await shop.member('mia')
  post = await say()
})

async function say(more: object = {}, at = 'salon'): Promise<string> {
  const text = { title: 'First soap', body: 'secret body', html: '<p>secret body</p>', tags: ['BEGINNER'] }
  return idOfKind('Post', await write(shop, { space: at, kind: 'POST', by: 'mia', ...text, ...more }))
}

const tease = (contribution = post, teaser: string | null = 'How others began.', as = shop.staff) =>
  shop.do('teaseThread', { contribution, teaser }, { as })

const teased = async (token = shop.integration, args = '', of = shop) => {
  const { data, errors } = await of.ask(
    token,
    `{ publicTeasers(first: 50${args}) { nodes { thread title teaser spaceName isWelcome tags comments answers since } } }`,
  )
  expect(errors).toEqual([])
  return data.publicTeasers.nodes
}
const threads = async (...given: Parameters<typeof teased>) =>
  (await teased(...given)).map(({ thread }: { thread: string }) => thread)

it('shows a thread outside by its title and a few words, and neither its text nor its author', async () => {
  await tease()
  expect(await teased()).toEqual([
    {
      ...{
        thread: post,
        title: 'First soap',
        teaser: 'How others began.',
        spaceName: 'salon',
        isWelcome: true,
      },
      ...{ tags: ['BEGINNER'], comments: 0, answers: 0, since: '2026-04-10T00:00:00.000Z' },
    },
  ])
  const { errors } = await shop.ask(shop.integration, '{ publicTeasers { nodes { body html author } } }')
  expect(errors).toHaveLength(3)
})

test('counts are told to the unit up to ten, and in tens above', () => {
  expect([0, 1, 10, 11, 19, 20, 109].map(roughly)).toEqual([0, 1, 10, 10, 10, 20, 100])
})

it('shows the newest first, a change of words where it was, and what is shown again as new', async () => {
  const later = await say({ title: 'Second' })
  await tease()
  await shop.clock('2026-04-11T00:00:00Z')
  await tease(later)
  await shop.clock('2026-04-11T01:00:00Z')
  await tease(post, 'Other words.')
  expect(await threads()).toEqual([later, post])
  await shop.clock('2026-04-12T00:00:00Z')
  await tease(post, null)
  expect(await threads()).toEqual([later])
  await tease()
  expect(await threads()).toEqual([post, later])
})

it.each([
  ['removed', () => shop.do('removeContribution', { contribution: post })],
  [
    'deleted',
    async () =>
      shop.do('deleteContribution', { contribution: post }, { as: await shop.token('member', 'mia') }),
  ],
  ['in a space that is switched off', () => shop.do('disableSpace', { space })],
  ['in a space that is not listed', () => makeSpace(shop, 'salon', { isListed: false })],
  [
    'by somebody who is erased',
    () => shop.do('eraseMember', { member: { externalId: 'mia' }, texts: 'KEEP' }),
  ],
])('shows nothing any more that is %s', async (_, happens) => {
  await tease()
  expect(await threads()).toEqual([post])
  await happens()
  expect(await threads()).toEqual([])
})

it('is gone with its removal and there again with its return', async () => {
  await tease()
  await shop.do('removeContribution', { contribution: post })
  expect(await threads()).toEqual([])
  await shop.do('restoreContribution', { contribution: post })
  expect(await threads()).toEqual([post])
})

it('tells a space, and those where beginners are welcome, from the others', async () => {
  const other = await makeSpace(shop, 'club')
  const there = await say({}, 'club')
  for (const id of [post, there]) await tease(id)
  expect(await threads(shop.integration, `, space: "${other}"`)).toEqual([there])
  expect(await threads(shop.integration, ', isWelcome: true')).toEqual([post])
  expect(await threads(shop.integration, ', isWelcome: false')).toEqual([there])
})

it('shows a member what it sees itself, and a stranger nothing', async () => {
  await makeSpace(shop, 'vips', { see: { attribute: { name: 'vip', equals: true } } })
  const hidden = await say({ by: undefined }, 'vips')
  for (const id of [post, hidden]) await tease(id)
  const vip = await shop.member('vip', { attributes: { vip: true } })
  const aki = await shop.member('aki')
  expect(new Set(await threads(vip.token))).toEqual(new Set([post, hidden]))
  expect(await threads(aki.token)).toEqual([post])
  expect(await threads(await shop.token('member', 'nobody'))).toEqual([])
})

it('is for moderators of the space and staff, and for whole threads that everybody there reads', async () => {
  const mia = await shop.token('member', 'mia')
  const refused = { member: { externalId: 'mia' }, space, standing: 'JOINED' }
  const by = (as: string, contribution = post) =>
    shop.do('teaseThread', { contribution, teaser: 'Words.' }, { as })
  expect(await by(mia)).toMatchObject({ code: 'ACCESS_DENIED' })
  await shop.do('placeInSpace', { ...refused, role: 'MODERATOR' })
  expect(await by(mia)).not.toHaveProperty('code')
  await makeSpace(shop, 'vips', { see: { attribute: { name: 'vip', equals: true } } })
  expect(await by(mia, await say({ by: undefined }, 'vips'))).toMatchObject({ code: 'NOT_FOUND' })
  const on = { on: post, body: 'A remark.' }
  const { comment } = await shop.do('addComment', on, { as: mia, select: 'comment { id }' })
  for (const id of [comment.id, await say({ isPrivate: true }), await say({ isDraft: true, by: undefined })])
    expect(await by(shop.staff, id)).toMatchObject({ code: 'BAD_INPUT' })
  const { token } = await shop.member('noa')
  expect(await by(token, await say({ isPrivate: true }))).toMatchObject({ code: 'NOT_FOUND' })
})

it('is taken back by staff alone where the space is switched off', async () => {
  await shop.do('placeInSpace', {
    member: { externalId: 'mia' },
    space,
    standing: 'JOINED',
    role: 'MODERATOR',
  })
  await tease()
  await shop.do('disableSpace', { space })
  const rows = async () =>
    shop.ground.app.db.tenant(shop.tenant.id).query<{ teaser: string | null }>({
      text: 'select teaser from public_teaser',
      values: [],
    })
  expect(await tease(post, null, await shop.token('member', 'mia'))).toHaveProperty('code')
  expect(await tease(post, 'Other words.')).toHaveProperty('code')
  expect(await rows()).toEqual([{ teaser: 'How others began.' }])
  expect(await tease(post, null)).not.toHaveProperty('code')
  expect(await rows()).toEqual([{ teaser: null }])
})

/** Of 9 April in Tokyo, where the tenant is. */
const counted = async (of?: string) => {
  const span = `from: "2026-04-09T00:00:00+09:00", until: "2026-04-10T00:00:00+09:00"${of ? `, space: "${of}"` : ''}`
  const { data, errors } = await shop.ask(
    shop.staff,
    `{ communityReport(${span}) { reach { teaserViews mentions } } }`,
  )
  expect(errors).toEqual([])
  return data.communityReport.reach
}

test('looks at teasers are counted by day, once for a key, and add up over a span and a space', async () => {
  const elsewhere = await makeSpace(shop, 'club')
  await tease()
  const views = { contribution: post, day: '2026-04-09', views: 5, idempotencyKey: 'a' }
  expect(await shop.do('recordTeaserViews', views, { select: 'views' })).toMatchObject({ views: 5 })
  expect(await shop.do('recordTeaserViews', views, { select: 'views' })).toMatchObject({ views: 5 })
  await tease(post, null)
  await Promise.all(
    Array.from({ length: 20 }, () =>
      shop.do('recordTeaserViews', { contribution: post, day: '2026-04-09', views: 1 }),
    ),
  )
  for (const day of ['2026-04-08', '2026-04-10'])
    await shop.do('recordTeaserViews', { contribution: post, day, views: 100 })
  expect(await counted()).toEqual({ teaserViews: 25, mentions: 0 })
  expect(await counted(space)).toEqual({ teaserViews: 25, mentions: 0 })
  expect(await counted(elsewhere)).toEqual({ teaserViews: 0, mentions: 0 })
})

test('looks are of a teaser that was shown, on a day that has begun', async () => {
  const views = { contribution: post, day: '2026-04-09', views: 1 }
  expect(await shop.do('recordTeaserViews', views)).toMatchObject({ code: 'NOT_FOUND' })
  await tease()
  expect(await shop.do('recordTeaserViews', { ...views, day: '2026-04-12' })).toMatchObject({
    code: 'BAD_INPUT',
  })
})

test('a page that speaks of the tenant counts once, at its instant', async () => {
  const say = (url: string, at: string) =>
    shop.do('recordMention', { source: 'news', url, at }, { select: 'isNew' })
  expect(await say('https://news.example/tea', '2026-04-09T00:00:00Z')).toMatchObject({ isNew: true })
  expect(await say('https://news.example/tea#top', '2026-04-09T01:00:00Z')).toMatchObject({ isNew: false })
  await say('https://news.example/soap', '2026-04-09T14:59:59Z')
  await say('https://news.example/late', '2026-04-09T15:00:00Z')
  expect(await counted()).toEqual({ teaserViews: 0, mentions: 2 })
  const bad = { source: 'news', url: 'javascript:alert(1)', at: '2026-04-09T00:00:00Z' }
  expect(await shop.do('recordMention', bad)).toMatchObject({ code: 'BAD_INPUT' })
  expect(await say('https://news.example/next', '2026-04-10T00:00:01Z')).toMatchObject({ code: 'BAD_INPUT' })
})
