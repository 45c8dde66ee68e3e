import { beforeAll, expect, test } from 'vitest'
import { startSearchUpkeep } from '../../api/domains/search/index.ts'
import { reindex } from '../../api/domains/search/service.ts'
import { decodeId } from '../../api/graph/ids.ts'
import { openLog } from '../../api/platform/log.ts'
import { searchText } from '../../api/platform/text/index.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { idOfKind, makeSpace, write } from '../support/house.ts'
import { onServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const open = testApp({ role: 'web' })
let shop: Shop
let mia: TestMember
let post: string
beforeAll(async () => {
  shop = await open()
  mia = await shop.member('mia')
  await makeSpace(shop, 'tea')
  post = idOfKind('Comment', await write(shop, { space: 'tea', kind: 'POST' }))
  for (const n of [1, 2, 3, 4, 5]) await comment(`抹茶の点て方、その${n}。${'抹茶'.repeat(n)}`)
})

const comment = async (body: string) =>
  (await shop.do('addComment', { on: post, body }, { as: mia.token, select: 'comment { id }' })).comment.id
const ask = async (query: string, variables: object, token = mia.token) =>
  (await shop.ask(token, query, variables)).data
const SEARCH = `query ($query: String!, $first: Int, $after: String, $last: Int, $before: String) {
  search(query: $query, first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { body space { key } author { displayName } } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`

test('pages of what is found are as stable as the order, forwards and backwards', async () => {
  const whole = (await ask(SEARCH, { query: '抹茶' })).search.edges
  const bodies = whole.map(({ node }: { node: { body: string } }) => node.body.length)
  expect(bodies).toEqual([21, 19, 17, 15, 13])
  const first = (await ask(SEARCH, { query: '抹茶', first: 2 })).search
  expect(first.edges).toEqual(whole.slice(0, 2))
  expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false })
  const next = (await ask(SEARCH, { query: '抹茶', first: 2, after: first.pageInfo.endCursor })).search
  expect(next.edges).toEqual(whole.slice(2, 4))
  const back = (await ask(SEARCH, { query: '抹茶', last: 2, before: next.pageInfo.endCursor })).search
  expect(back.edges).toEqual(whole.slice(1, 3))
  expect(whole[0].node).toMatchObject({ space: { key: 'tea' }, author: { displayName: 'mia' } })
})

test('a page is read with the same number of statements, however much is on it', async () => {
  const count = async (first: number) => {
    const { statements } = shop.ground
    const before = statements.length
    await ask(SEARCH, { query: '抹茶', first })
    return statements.length - before
  }
  await count(1)
  expect(await count(5)).toBe(await count(2))
})

test('what was edited or deleted is found as it is', async () => {
  const id = await comment('縁側の猫')
  await shop.do('editContribution', { contribution: id, body: '軒下の猫' }, { as: mia.token })
  const found = async (query: string) => (await ask(SEARCH, { query })).search.edges.length
  expect([await found('縁側'), await found('軒下')]).toEqual([0, 1])
  await shop.do('deleteContribution', { contribution: id }, { as: mia.token })
  expect(await found('軒下')).toBe(0)
})

const outdate = (id: string) =>
  shop.ground.app.db.tenant(shop.tenant.id).query({
    text: 'select search_reput($1)',
    values: [
      JSON.stringify([{ id: decodeId(id, 'id').id, search: { ...searchText({ body: 'x' }), version: 1 } }]),
    ],
  })

test('texts that an older version made ready are made ready anew', async () => {
  const db = shop.ground.app.db.tenant(shop.tenant.id)
  await outdate(await comment('古い索引の話'))
  const found = async () => (await ask(SEARCH, { query: '古い索引' })).search.edges.length
  expect(await found()).toBe(0)
  expect(await reindex(db)).toBe(1)
  expect(await found()).toBe(1)
  expect(await reindex(db)).toBe(0)
})

test('the worker makes texts ready and counts them by itself', async () => {
  const { app, databaseUrl } = shop.ground
  await outdate(await comment('もっと古い索引の話'))
  const count = (text: string) => onServer(databaseUrl, (client) => client.query(text, [shop.tenant.id]))
  await count('delete from search_count where tenant_id = $1')
  const upkeep = startSearchUpkeep({ db: app.db, log: openLog({ level: 'silent' }) })
  await until(async () => (await count('select from search_count where tenant_id = $1')).rowCount === 1)
  await upkeep.stop()
  expect((await ask(SEARCH, { query: 'もっと古い' })).search.edges).toHaveLength(1)
})

test('a search without words, or with a page of another list, is refused', async () => {
  const refused = async (variables: object) => (await shop.ask(mia.token, SEARCH, variables)).errors?.[0]
  expect(await refused({ query: ' ' })).toMatchObject({ code: 'BAD_INPUT', field: 'query' })
  const after = Buffer.from('["x","y"]').toString('base64url')
  expect(await refused({ query: 'a', after })).toMatchObject({ code: 'BAD_INPUT', field: 'after' })
})
