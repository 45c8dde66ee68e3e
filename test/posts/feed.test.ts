import { beforeAll, describe, expect, it, test } from 'vitest'
import { arranged, type Candidate } from '../../api/domains/posts/feed.ts'
import type { TestMember } from '../support/app.ts'
import { type House, houses, publish } from './house.ts'

const open = houses()

interface Page {
  readonly ids: string[]
  readonly next: string | null
}

async function feed({ shop }: House, by: TestMember, args: string): Promise<Page> {
  const query = `{ viewer { feed(${args}) { nodes { id } pageInfo { hasNextPage endCursor } } } }`
  const { data, errors } = await shop.ask(by.token, query)
  expect(errors).toEqual([])
  const { nodes, pageInfo } = data.viewer.feed
  const ids = nodes.map(({ id }: { id: string }) => id)
  return { ids, next: pageInfo.hasNextPage ? pageInfo.endCursor : null }
}

describe('a feed', () => {
  let house: House
  let posts: Record<string, string>

  beforeAll(async () => {
    house = await open()
    const { shop, club, lab, mia, aki } = house
    posts = {
      inLab: await publish(shop, { space: lab }, aki),
      inClub: await publish(shop, { space: club }, aki),
      tagged: await publish(shop, { space: lab, tags: ['tea'] }, aki),
      own: await publish(shop, { space: lab }, mia),
    }
  })

  it('is everything that one may see, until one joins or follows something', async () => {
    const fresh = await house.shop.member('fresh')
    const { ids } = await feed(house, fresh, 'orderBy: NEW')
    expect(ids).toEqual([posts.own, posts.tagged, posts.inClub, posts.inLab])
  })

  it('is what is in spaces that one joined, under tags that one follows, and in threads of one’s own', async () => {
    const { shop, club, mia } = house
    await shop.do('joinSpace', { space: club }, { as: mia.token })
    expect((await feed(house, mia, 'orderBy: NEW')).ids).toEqual([posts.own, posts.inClub])
    await shop.do('follow', { target: { tag: 'tea' } }, { as: mia.token })
    expect((await feed(house, mia, 'orderBy: NEW')).ids).toEqual([posts.own, posts.tagged, posts.inClub])
  })

  it('shows nothing of a space that was switched off', async () => {
    const { shop, club, mia } = house
    await shop.do('disableSpace', { space: club })
    expect((await feed(house, mia, 'orderBy: NEW')).ids).toEqual([posts.own, posts.tagged])
    await shop.do('enableSpace', { space: club })
  })

  it('begins where something happened last, with ACTIVE', async () => {
    const { shop, mia, aki } = house
    await shop.clock('2026-04-02T00:00:00Z')
    await shop.do('addComment', { on: posts.inClub, body: 'Yes.' }, { as: aki.token })
    expect((await feed(house, mia, 'orderBy: ACTIVE')).ids).toEqual([posts.inClub, posts.own, posts.tagged])
  })

  it('begins with the best of the window, with TOP', async () => {
    const { shop, mia, aki } = house
    await shop.do('react', { contribution: posts.tagged, kind: 'UP' }, { as: mia.token })
    await shop.do('react', { contribution: posts.inClub, kind: 'DOWN' }, { as: mia.token })
    await shop.do('react', { contribution: posts.own, kind: 'LIKE' }, { as: aki.token })
    const top = (window: string) => feed(house, mia, `orderBy: TOP, window: ${window}`)
    expect((await top('WEEK')).ids).toEqual([posts.own, posts.tagged, posts.inClub])
    await shop.clock('2026-04-20T00:00:00Z')
    expect((await top('WEEK')).ids).toEqual([])
    expect((await top('MONTH')).ids).toHaveLength(3)
  })
})

describe.each(['NEW', 'ACTIVE', 'TOP', 'FOR_YOU'])('the pages of a feed by %s', (order) => {
  it('neither repeat nor skip, whatever happens between them', async () => {
    const house = await open()
    const { shop, club, mia, aki } = house
    const ids: string[] = []
    for (let hour = 0; hour < 7; hour++) {
      await shop.clock(`2026-04-01T0${hour}:00:00Z`)
      ids.push(await publish(shop, { space: club }, aki))
    }
    const like = (id: string | undefined) =>
      shop.do('react', { contribution: id, kind: 'UP' }, { as: mia.token })
    await like(ids[2])
    const whole = (await feed(house, mia, `orderBy: ${order}, first: 100`)).ids
    expect([...whole].sort()).toEqual([...ids].sort())

    const seen: string[] = []
    let after = ''
    for (let page = 0; page < 4; page++) {
      const { ids: shown, next } = await feed(house, mia, `orderBy: ${order}, first: 2${after}`)
      seen.push(...shown)
      after = `, after: ${JSON.stringify(next)}`
      await shop.clock(`2026-04-01T1${page}:00:00Z`)
      await publish(shop, { space: club }, aki)
      for (const id of ids.filter((each) => !seen.includes(each)).slice(0, 1)) {
        await like(id)
        await shop.do('addComment', { on: id, body: 'Yes.' }, { as: aki.token })
      }
    }
    expect(seen).toEqual(whole)
  })
})

test('a cursor of a feed is none of another order or another member', async () => {
  const house = await open()
  const { shop, club, mia, aki } = house
  for (let i = 0; i < 3; i++) await publish(shop, { space: club }, aki)
  for (const order of ['NEW', 'FOR_YOU']) {
    const { next } = await feed(house, mia, `orderBy: ${order}, first: 1`)
    const other = order === 'NEW' ? 'FOR_YOU' : 'NEW'
    for (const [by, asked] of [
      [mia, other],
      [aki, order],
    ] as const) {
      const query = `{ viewer { feed(orderBy: ${asked}, after: ${JSON.stringify(next)}) { nodes { id } } } }`
      expect((await shop.ask(by.token, query)).errors).toMatchObject([{ code: 'BAD_INPUT', field: 'after' }])
    }
  }
})

test('what one may like comes first: followed tags, what others react to, what is fresh', async () => {
  const house = await open()
  const { shop, club, mia, aki } = house
  const old = await publish(shop, { space: club }, aki)
  await shop.clock('2026-04-01T08:00:00Z')
  const [plain, tagged, liked] = [
    await publish(shop, { space: club }, aki),
    await publish(shop, { space: club, tags: ['tea'] }, aki),
    await publish(shop, { space: club }, aki),
  ]
  await shop.do('joinSpace', { space: club }, { as: mia.token })
  await shop.do('follow', { target: { tag: 'tea' } }, { as: mia.token })
  for (const kind of ['UP', 'LIKE', 'HELPFUL']) {
    await shop.do('react', { contribution: liked, kind }, { as: mia.token })
  }
  // ln 5 = 1.61 > 1.5 × ln 2 = 1.04 > ln 2 = 0.69, all over 2^1.5; eight hours take the old one to a tenth.
  expect((await feed(house, mia, 'orderBy: FOR_YOU')).ids).toEqual([liked, tagged, plain, old])
})

describe('a page', () => {
  const of = (author: string, space: string, n: number): Candidate[] =>
    Array.from({ length: n }, (_, i) => ({ id: `${author}${space}${i}`, author, space }))
  const counted = (page: readonly Candidate[], name: 'author' | 'space') =>
    Math.max(...[...Map.groupBy(page, (each) => each[name]).values()].map((group) => group.length))

  it('holds at most 3 of one author and 10 of one space, and loses nobody', () => {
    const others = Array.from({ length: 12 }, (_, i) => of(`o${i}`, 'club', 1)).flat()
    const more = Array.from({ length: 12 }, (_, i) => of(`p${i}`, 'lab', 1)).flat()
    const all = [...of('busy', 'club', 9), ...others, ...more]
    const pages = arranged(all, 15)
    expect(pages.map(({ id }) => id).sort()).toEqual(all.map(({ id }) => id).sort())
    expect([counted(pages.slice(0, 15), 'author'), counted(pages.slice(0, 15), 'space')]).toEqual([3, 10])
    expect([counted(pages.slice(15, 30), 'author'), counted(pages.slice(15, 30), 'space')]).toEqual([3, 8])
  })

  it('holds more of one when there is nothing else, and is full', () => {
    const all = of('busy', 'club', 9)
    expect(arranged(all, 5)).toEqual(all)
  })
})
