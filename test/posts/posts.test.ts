import { beforeAll, describe, expect, it, test } from 'vitest'
import { type House, houses, look, publish } from './house.ts'

const open = houses()
let house: House

beforeAll(async () => {
  house = await open()
})

const review = {
  ...{ kind: 'REVIEW', title: 'Fine', body: 'It **works**.', sku: 'LOTION', rating: 4 },
  ...{ topics: ['PRICE', 'QUALITY'], tags: ['dry-skin'] },
}

describe('a post', () => {
  it('says what it is, and what it is about', async () => {
    const { shop, club, mia, aki } = house
    const id = await publish(shop, { space: club, ...review }, mia)
    const fields =
      'kind title html sku rating topics tags author { displayName } state isPinned viewerCanEdit'
    expect(await look(shop, id, fields, aki)).toEqual({
      ...{
        kind: 'REVIEW',
        title: 'Fine',
        html: '<p>It <strong>works</strong>.</p>',
        sku: 'LOTION',
        rating: 4,
      },
      ...{ topics: ['PRICE', 'QUALITY'], tags: ['dry-skin'], author: { displayName: 'mia' } },
      ...{ state: 'PUBLISHED', isPinned: false, viewerCanEdit: false },
    })
  })

  it.each([
    ['title', { kind: 'TIP' }],
    ['rating', { kind: 'TALK', rating: 4 }],
    ['rating', { ...review, rating: undefined }],
    ['rating', { ...review, rating: 6 }],
    ['sku', { ...review, sku: undefined }],
    ['gathering', { kind: 'EVENT', title: 'Tea' }],
    ['poll.options', { poll: { options: ['One'] } }],
    ['poll.options', { poll: { options: ['One', 'One'] } }],
    ['space', { space: undefined }],
  ])('is refused for its %s in %o', async (field, given) => {
    const { shop, club, mia } = house
    const said = await shop.do('publishPost', { space: club, body: 'Hi.', ...given }, { as: mia.token })
    expect(said).toMatchObject({ code: 'BAD_INPUT', field: `input.${field}` })
  })

  it('is for those whom the space lets post, and the refusal says what would open it', async () => {
    const { shop, mia } = house
    const rule = { attribute: { name: 'role', equals: 'cook' } }
    const space = { kind: 'COMMUNITY', name: { en: 'K', ja: 'K' }, purpose: { en: 'K', ja: 'K' }, post: rule }
    const { space: kitchen } = await shop.do(
      'defineSpace',
      { key: 'kitchen', space },
      { select: 'space { id }' },
    )
    const said = await shop.do('publishPost', { space: kitchen.id, body: 'Hi.' }, { as: mia.token })
    expect(said).toMatchObject({ __typename: 'AccessDeniedError', reason: 'AUDIENCE', unlock: rule })
  })
})

describe('a draft', () => {
  it("is its author's alone until it is published, with all that it has", async () => {
    const { shop, club, mia, aki, mod } = house
    const poll = { options: ['Tea', 'Rice'] }
    const { post } = await shop.do(
      'saveDraft',
      { space: club, body: 'Soon.', poll },
      { as: mia.token, select: 'post { id state }' },
    )
    expect(post.state).toBe('DRAFT')
    expect([await look(shop, post.id, 'body', aki), await look(shop, post.id, 'body', mod)]).toEqual([
      null,
      null,
    ])
    const drafts = '{ viewer { drafts { nodes { id poll { options { label } } } } } }'
    const { data } = await shop.ask(mia.token, drafts)
    expect(data.viewer.drafts.nodes).toEqual([
      { id: post.id, poll: { options: [{ label: 'Tea' }, { label: 'Rice' }] } },
    ])
    expect(await publish(shop, { draft: post.id, kind: 'TIP', title: 'Now', body: 'Done.' }, aki)).toContain(
      'There is no such draft.',
    )
    // Staff see it, and do not finish it either; who sees nothing of it proves little.
    const finished = { draft: post.id, kind: 'TIP', title: 'Now', body: 'Done.' }
    expect(await shop.do('publishPost', finished)).toMatchObject({ message: 'There is no such draft.' })
    const edited = { contribution: post.id, body: 'Done.', isPublished: true }
    expect(await shop.do('editContribution', edited)).toMatchObject({ __typename: 'NotFoundError' })
    expect(await look(shop, post.id, 'state body', mia)).toEqual({ state: 'DRAFT', body: 'Soon.' })
    expect(await publish(shop, { draft: post.id, kind: 'TIP', title: 'Now', body: 'Done.' }, mia)).toBe(
      post.id,
    )
    expect(await look(shop, post.id, 'kind title state poll { voters }', aki)).toEqual({
      ...{ kind: 'TIP', title: 'Now', state: 'PUBLISHED', poll: null },
    })
  })
})

test('a moderator pins a post, others are refused', async () => {
  const { shop, club, mia, mod } = house
  const post = await publish(shop, { space: club }, mia)
  expect(await shop.do('pinPost', { post, isPinned: true }, { as: mia.token })).toMatchObject({
    __typename: 'AccessDeniedError',
    reason: 'NOT_MODERATOR',
  })
  await shop.do('pinPost', { post, isPinned: true }, { as: mod.token })
  const pinned = async () =>
    (await shop.ask(mia.token, '{ space(key: "club") { pinnedPosts { id isPinned } } }')).data.space
      .pinnedPosts
  expect(await pinned()).toEqual([{ id: post, isPinned: true }])
  await shop.do('pinPost', { post, isPinned: false }, { as: mod.token })
  expect(await pinned()).toEqual([])
})

test('the posts of a space are found by kind and tag, in three orders', async () => {
  const { shop, mia, aki, lab: space } = house
  const [one, two, three] = [
    await publish(shop, { space, tags: ['tea'] }, mia),
    await publish(shop, { space, kind: 'TIP', title: 'Tip', tags: ['tea', 'rice'] }, mia),
    await publish(shop, { space, kind: 'TIP', title: 'Tip' }, mia),
  ]
  await shop.do('react', { contribution: two, kind: 'UP' }, { as: aki.token })
  await shop.clock('2026-04-02T00:00:00Z')
  await shop.do('addComment', { on: one, body: 'Yes.' }, { as: aki.token })
  const list = async (args: string) => {
    const { data } = await shop.ask(mia.token, `{ space(key: "lab") { posts${args} { nodes { id } } } }`)
    return data.space.posts.nodes.map(({ id }: { id: string }) => id)
  }
  expect(await list('')).toEqual([three, two, one])
  expect(await list('(orderBy: ACTIVE)')).toEqual([one, three, two])
  expect(await list('(orderBy: TOP)')).toEqual([two, three, one])
  expect(await list('(kind: TIP)')).toEqual([three, two])
  expect(await list('(tag: "TEA")')).toEqual([two, one])
  expect(await list('(kind: TIP, tag: "rice")')).toEqual([two])
})

test('what is unread is counted per thread and space, and reading ends that', async () => {
  const { shop, club, mia, aki } = await open()
  await shop.do('joinSpace', { space: club }, { as: aki.token })
  await shop.clock('2026-04-02T00:00:00Z')
  const post = await publish(shop, { space: club }, mia)
  for (const body of ['One.', 'Two.']) await shop.do('addComment', { on: post, body }, { as: mia.token })
  const unread = async () => [
    (await shop.ask(aki.token, '{ space(key: "club") { unreadCount } }')).data.space.unreadCount,
    (await look(shop, post, 'unreadCount', aki)).unreadCount,
    (await look(shop, post, 'unreadCount', mia)).unreadCount,
  ]
  expect(await unread()).toEqual([1, 2, 0])
  await shop.do('markRead', { thread: post }, { as: aki.token })
  expect(await unread()).toEqual([0, 0, 0])
  await shop.clock('2026-04-03T00:00:00Z')
  await shop.do('addComment', { on: post, body: 'Three.' }, { as: mia.token })
  expect(await unread()).toEqual([1, 1, 0])
})

test('the author allows a post to become content; nobody else', async () => {
  const { shop, club, mia, aki } = house
  const post = await publish(shop, { space: club, kind: 'TIP', title: 'Tip' }, mia)
  expect(await shop.do('allowPromotion', { post, isAllowed: true }, { as: aki.token })).toMatchObject({
    reason: 'NOT_AUTHOR',
  })
  await shop.do('allowPromotion', { post, isAllowed: true }, { as: mia.token })
  await shop.do('react', { contribution: post, kind: 'HELPFUL' }, { as: aki.token })
  expect(await look(shop, post, 'canBePromoted helpfulCount')).toEqual({
    canBePromoted: true,
    helpfulCount: 1,
  })
})

test('what is said of a product is in one place, with its figures', async () => {
  const { shop, club, mia, aki } = await open()
  const about = { space: club, sku: 'SOAP' }
  const ids = [
    await publish(shop, { ...about, ...review, sku: 'SOAP', body: 'Soft.' }, mia),
    await publish(shop, { ...about, ...review, sku: 'SOAP', rating: 5, topics: ['PRICE'] }, aki),
    await publish(shop, { ...about, topics: ['QUALITY'] }, mia),
  ]
  await publish(shop, { space: club, ...review }, mia)
  const { data } = await shop.ask(
    mia.token,
    `{ productDiscussion(sku: "SOAP") {
      reviewCount averageRating topics { topic count } entries { nodes { ... on Node { id } ... on Post { kind } } } } }`,
  )
  expect(data.productDiscussion).toEqual({
    ...{ reviewCount: 2, averageRating: 4.5 },
    topics: [
      { topic: 'PRICE', count: 2 },
      { topic: 'QUALITY', count: 2 },
    ],
    entries: {
      nodes: ids.reverse().map((id, i) => ({ id, kind: i === 0 ? 'TALK' : 'REVIEW' })),
    },
  })
})

test('a post earns once, loses that when it is taken away, and toggling mints nothing', async () => {
  const { shop, club, mia } = await open()
  const rule = { name: { en: 'Talk', ja: '投稿' }, on: { activity: 'post.published' }, points: { fixed: 5 } }
  await shop.do('defineEarnRule', { key: 'talk', rule })
  const available = async () => {
    const { data } = await shop.ask(mia.token, '{ viewer { member { wallet { available } } } }')
    return Number(data.viewer.member.wallet.available)
  }
  const [contribution] = [
    await publish(shop, { space: club }, mia),
    await publish(shop, { space: club }, mia),
  ]
  expect(await available()).toBe(10)
  for (let i = 0; i < 3; i++) {
    await shop.do('deleteContribution', { contribution }, { as: mia.token })
    expect(await available()).toBe(5)
    await shop.do('restoreContribution', { contribution }, { as: mia.token })
    expect(await available()).toBe(10)
  }
})
