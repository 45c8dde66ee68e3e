import { beforeAll, expect, test } from 'vitest'
import { normalised } from '../../api/platform/text/index.ts'
import { type TestMember, testApp } from '../support/app.ts'
import { onServer } from '../support/server.ts'
import { corpus } from './corpus.ts'
import { type Library, openLibrary } from './library.ts'

const open = testApp()
let library: Library
let ids: string[]
let mia: TestMember
beforeAll(async () => {
  library = await openLibrary(open)
  mia = await library.shop.member('mia')
  ids = await library.write(...corpus)
})

const at = (...found: string[]) => found.map((id) => ids.indexOf(id)).sort((a, b) => a - b)
const texts = corpus.map(({ title = '', body }) => normalised(`${title}\n\n${body}`))

/** All terms of so many Japanese characters that stand in the corpus. */
function termsOf(size: number): string[] {
  const runs = texts.flatMap((text) => text.match(/[\p{sc=Han}\p{sc=Hira}ー々]+/gu) ?? [])
  const all = runs.flatMap((run) => {
    const letters = Array.from(run)
    return letters
      .map((_, from) => letters.slice(from, from + size).join(''))
      .filter((term) => term.length >= size)
  })
  return [...new Set(all)]
}

test.each([2, 3])('every Japanese term of %i characters is found wherever it stands', async (size) => {
  const terms = termsOf(size).filter((_, place) => place % 7 === 0)
  expect(terms.length).toBeGreaterThan(100)
  const wrong: string[] = []
  await Promise.all(
    terms.map(async (term) => {
      const found = at(...(await library.search(term, mia)))
      const expected = texts.flatMap((text, place) => (text.includes(term) ? [place] : []))
      if (found.join() !== expected.join()) wrong.push(`${term}: ${found.join()} for ${expected.join()}`)
    }),
  )
  expect(wrong).toEqual([])
})

test.each([
  ['ポイント', 'ﾎﾟｲﾝﾄ', 'ぽいんと', 'ポイント'.normalize('NFD')],
  ['サーバー', 'サーバ', 'ｻｰﾊﾞｰ', 'さーばー'],
  ['髙橋', '高橋', '髙橋'],
  ['iPhone15', 'ＩＰＨＯＮＥ１５', 'iphone15', 'iPh'],
  ['東京都庁', '東\u200b京都庁'],
])('%s is found in whatever way it is written', async (term, ...others) => {
  const found = at(...(await library.search(term, mia)))
  expect(found.length).toBeGreaterThan(0)
  for (const other of others) expect(at(...(await library.search(other, mia)))).toEqual(found)
})

test('all terms of a query stand in what is found', async () => {
  const both = at(...(await library.search('iPhone15 充電', mia)))
  expect(both).toEqual(
    texts.flatMap((text, i) => (text.includes('iphone15') && text.includes('充電') ? [i] : [])),
  )
  expect(both.length).toBeGreaterThan(0)
  expect(await library.search('iPhone15 存在しない語', mia)).toEqual([])
  expect(await library.search('!?', mia)).toEqual([])
})

test('a title counts more than a text, a whole word more than a part of one', async () => {
  const [word, part, title] = await library.write(
    { body: '京都へ旅をした。' },
    { body: '東京都へ旅をした。' },
    { title: '京都', body: '旅をした。' },
  )
  expect(await library.search('京都 旅を', mia)).toEqual([title, word, part])
})

test('only what a member sees is found, whoever wrote it and wherever it stands', async () => {
  const noa = await library.shop.member('noa')
  const [seen, club, draft, gone] = await library.write(
    { body: '秘密の花園', by: noa },
    { body: '秘密の会議', space: 'club' },
    { body: '秘密の下書き', by: noa, isDraft: true },
    { body: '秘密の投稿', by: noa },
  )
  await library.query('select contribution_set_state($1, null, $2, $3)', [gone, 'REMOVED', 'staff:anna'])
  const found = async (by?: TestMember | null) => (await library.search('秘密', by)).sort()
  expect(await found(mia)).toEqual([seen])
  expect(await found(noa)).toEqual([seen])
  expect(await found(null)).toEqual([seen, club].sort())
  expect(await library.similar('秘密の会議', mia)).not.toContain(club)
  expect(await library.similar('秘密の会議', null)).toContain(club)
  expect(draft).toBeDefined()
})

test('who has left finds nothing from the next search on', async () => {
  const kai = await library.shop.member('kai')
  expect((await library.search('充電', kai)).length).toBeGreaterThan(0)
  await library.shop.do('endMembership', { member: kai.by, end: 'LEFT' })
  expect(await library.search('充電', kai)).toEqual([])
  expect(await library.similar('充電器が壊れた', kai)).toEqual([])
})

test('no tenant finds what another wrote', async () => {
  const other = await openLibrary(open)
  const [theirs] = await other.write({ body: '充電器の話' })
  expect(await other.search('充電')).toEqual([theirs])
  expect(await library.search('充電')).not.toContain(theirs)
  expect(await other.similar('充電器の話')).toEqual([theirs])
})

test('what is looked for can be narrowed by kind, space, product and tag', async () => {
  const [question, tagged, clubs] = await library.write(
    { body: '限定の質問', kind: 'QUESTION', sku: 'soap' },
    { body: '限定の投稿', tags: ['sale'] },
    { body: '限定の会合', space: 'club' },
  )
  const found = (within: object) => library.search('限定の', null, within)
  expect(await found({ kinds: ['QUESTION'] })).toEqual([question])
  expect(await found({ tag: 'sale' })).toEqual([tagged])
  expect(await found({ sku: 'soap' })).toEqual([question])
  expect(await found({ space: await library.space('club') })).toEqual([clubs])
})

test('a search reads by indexes alone, and no more texts than have what it asks for', async () => {
  const { shop } = library
  await library.write(...Array.from({ length: 300 }, (_, n) => ({ body: `別の話、その${n}。` })))
  await onServer(shop.ground.databaseUrl, (client) => client.query('analyze search_document, contribution'))
  const read = await onServer(shop.ground.databaseUrl, async (client) => {
    await client.query('begin')
    await client.query(`select set_config('app.tenant', $1, true)`, [shop.tenant.id])
    await client.query('set local role engawa_app')
    const { rows } = await client.query<{ n: number }>(
      `select count(*)::int as n from search_find($1, null, null, null, null)`,
      [JSON.stringify({ pieces: [{ text: '充電', grams: ['充電'] }], patterns: [], words: [] })],
    )
    const { rows: counters } = await client.query<{ scans: number; keys: number; texts: number }>(
      `select sum(pg_stat_get_xact_numscans(c.oid)) filter (where c.relkind = 'r')::int as scans,
         sum(pg_stat_get_xact_numscans(c.oid)) filter (where c.relname = 'search_document_keys')::int as keys,
         sum(pg_stat_get_xact_tuples_fetched(c.oid)) filter (where c.relname = 'search_document')::int as texts
       from pg_class c
       where c.relname in ('search_document', 'contribution', 'search_document_keys', 'search_frequency')`,
    )
    return { found: rows[0]?.n ?? 0, ...counters[0] }
  })
  expect(read).toMatchObject({ scans: 0, keys: 1 })
  expect(read.found).toBeGreaterThan(0)
  // Once to see that it has the pair, and once to read it, at most.
  expect(read.texts).toBeLessThanOrEqual(2 * read.found)
})

test('a question like it is suggested, whatever else it says', async () => {
  const asked: readonly (readonly [string, string])[] = [
    ['スマホの充電が急に遅くなったのはなぜ', '充電'],
    ['パスワードを忘れてログインできません', 'ぱすわーど'],
    ['ポイントの有効期限を延ばす方法は', '有効期限'],
    ['注文した商品の配送先を変えたい', '配送先'],
  ]
  for (const [question, about] of asked) {
    const [first] = await library.similar(question, mia)
    expect(texts[ids.indexOf(first ?? '')]).toContain(about)
  }
})
