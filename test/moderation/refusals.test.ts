import { beforeAll, expect, test } from 'vitest'
import { decodeId } from '../../api/graph/ids.ts'
import { searchText } from '../../api/platform/text/index.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { idOfKind, makeSpace, write } from '../support/house.ts'
import { onServer } from '../support/server.ts'

// Each refusal and guard of moderation by itself: every one of these was seen red with its line taken away.

const open = testApp({ role: 'web' })
let shop: Shop
let mia: TestMember
let kai: TestMember
let noa: TestMember
let threads: string[]
beforeAll(async () => {
  shop = await open()
  ;[mia, kai, noa] = await Promise.all([shop.member('mia'), shop.member('kai'), shop.member('noa')])
  const space = await makeSpace(shop, 'tea')
  await shop.do('placeInSpace', { space, member: noa.by, standing: 'JOINED', role: 'MODERATOR' })
  const posts = [
    await write(shop, { space: 'tea', kind: 'POST' }),
    await write(shop, { space: 'tea', kind: 'POST' }),
  ]
  threads = posts.map((id) => idOfKind('Post', id))
})

const POLICY = {
  ...{
    limits: [] as object[],
    repeatWithin: 'PT5M',
    reviewFirst: 0,
    hideAt: 100,
    keepFor: 'P14D',
    keepShare: 90,
  },
  trust: [{ level: 1, threads: 9999, days: 0, given: 0, received: 0 }],
}
const policy = (more: object) => shop.do('defineModeration', { ...POLICY, ...more })
const owner = <Row extends object>(text: string, values: unknown[] = []) =>
  onServer(shop.ground.databaseUrl, async (client) => {
    await client.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.id])
    return (await client.query<Row>(text, values)).rows
  })
const idOf = async (member: TestMember) =>
  (
    await owner<{ id: string }>('select id from member where external_id = $1 and tenant_id = $2', [
      member.by.externalId,
      shop.tenant.id,
    ])
  )[0]?.id ?? ''
/** Rows as the member's own requests find them. */
const seenBy = async (member: TestMember, table: string) =>
  (
    await shop.ground.app.db
      .tenant(shop.tenant.id)
      .as(await idOf(member))
      .query({ text: `select 1 from ${table}`, values: [] })
  ).length
const say = async (body: string, as = mia.token, on = threads[0]) =>
  shop.do('addComment', { on, body }, { as, select: 'comment { id state }' })
const text = async (body: string) => (await say(body)).comment.id as string
const flag = (contribution: string, as: string) =>
  shop.do('flagContribution', { contribution, reason: 'SPAM' }, { as, select: 'flag { state }' })
const decide = (contribution: string, version: number, decision = 'REMOVED', as = shop.staff) =>
  shop.do('decideModeration', { contribution, version, decision }, { as, select: 'case { state version }' })
const appeal = (contribution: string, as = mia.token) =>
  shop.do('appealModeration', { contribution, text: 'Why?' }, { as })
const remove = (contribution: string, as = mia.token) =>
  shop.do('deleteContribution', { contribution }, { as })
const cases = async (id: string) =>
  (
    await owner<{ state: string; version: number; score: number; content: string }>(
      `select m.state, m.version, m.score, c.state as content from moderation_case m
       join contribution c on c.tenant_id = m.tenant_id and c.id = m.contribution_id where m.contribution_id = $1`,
      [decodeId(id, 'id').id],
    )
  )[0]

test('flags and what happened to a case are there for moderators, a flag for who made it, and nobody else', async () => {
  await flag(await text('だれが見るか'), kai.token)
  expect(await seenBy(kai, 'moderation_flag')).toBe(1)
  expect(await seenBy(noa, 'moderation_flag')).toBe(1)
  expect(await seenBy(mia, 'moderation_flag')).toBe(0)
  expect(await seenBy(noa, 'moderation_step')).toBe(2)
  expect([await seenBy(mia, 'moderation_step'), await seenBy(kai, 'moderation_step')]).toEqual([0, 0])
  expect([await seenBy(mia, 'moderation_case'), await seenBy(kai, 'moderation_case')]).toEqual([0, 0])
})

test('what happened to a case stays, whoever tries', async () => {
  for (const tried of [`update moderation_step set step = 'KEPT'`, 'delete from moderation_step'])
    await expect(owner(tried)).rejects.toThrow('what happened stays')
})

test('what its author takes away ends its case, makes its flags moot, and judges nobody', async () => {
  const id = await text('自分で消す')
  await flag(id, kai.token)
  await remove(id)
  expect(await cases(id)).toMatchObject({ state: 'WITHDRAWN', content: 'DELETED' })
  const [{ state }] = (await owner<{ state: string }>(
    'select state from moderation_flag order by at desc limit 1',
  )) as [{ state: string }]
  expect(state).toBe('MOOT')
  const judged = await owner(
    `select from outbox where type = 'contribution.judged' and tenant_id = $1
    union all select from event_log where type = 'contribution.judged' and tenant_id = $1`,
    [shop.tenant.id],
  )
  expect(judged).toHaveLength(0)
})

test('a case that is closed is not decided again, and what is taken away afterwards is another decision', async () => {
  const id = await text('一度だけ決める')
  await flag(id, kai.token)
  await decide(id, 2, 'KEPT')
  const before = await cases(id)
  expect(before).toMatchObject({ state: 'KEPT', version: 3 })
  expect(await decide(id, 3, 'REMOVED')).toMatchObject({ __typename: 'CaseChangedError', version: 3 })
  await shop.do('removeContribution', { contribution: id })
  expect(await cases(id)).toMatchObject({ state: 'REMOVED', version: 5, content: 'REMOVED' })
})

test('a decision about an older version is refused while the case is open, too', async () => {
  const id = await text('見たあとで変わる')
  await flag(id, kai.token)
  await flag(id, noa.token)
  expect(await decide(id, 2)).toMatchObject({ __typename: 'CaseChangedError', version: 3 })
  expect(await cases(id)).toMatchObject({ state: 'OPEN', content: 'PUBLISHED' })
})

test('deciding brings nothing back that its author took away', async () => {
  const id = await text('消したものは戻らない')
  await remove(id)
  await flag(id, noa.token)
  expect((await decide(id, 2, 'KEPT')).case).toMatchObject({ state: 'KEPT' })
  expect(await cases(id)).toMatchObject({ content: 'DELETED' })
})

test('an appeal is for the author alone, of what was taken away and is seen, once', async () => {
  const id = await text('もう一度見てほしい')
  expect(await appeal(id)).toMatchObject({ reason: 'LOCKED' })
  await flag(id, kai.token)
  await decide(id, 2)
  expect(await appeal(id, noa.token)).toMatchObject({ reason: 'NOT_AUTHOR' })
  expect(await appeal(id, kai.token)).toMatchObject({ __typename: 'NotFoundError' })
  expect(await appeal(id)).not.toHaveProperty('reason')
  await decide(id, (await cases(id))?.version ?? 0)
  expect(await appeal(id)).toMatchObject({ reason: 'LOCKED' })
})

test('a moderator is not judged in its own space, and is elsewhere', async () => {
  await makeSpace(shop, 'coffee')
  const other = idOfKind('Post', await write(shop, { space: 'coffee', kind: 'POST' }))
  await shop.do('defineWatchedWords', { key: 'hold', action: 'QUEUE', words: ['保留語'] })
  expect((await say('保留語です', noa.token)).comment.state).toBe('PUBLISHED')
  expect((await say('保留語です', noa.token, other)).comment.state).toBe('PENDING')
})

test('of several watched words the sharpest decides, whatever the lists are called', async () => {
  await shop.do('defineWatchedWords', { key: 'a', action: 'FLAG', words: ['緩い語'] })
  await shop.do('defineWatchedWords', { key: 'b', action: 'BLOCK', words: ['厳しい語'] })
  expect(await say('緩い語と厳しい語')).toMatchObject({ reason: 'WATCHED_WORD' })
})

test('the same text is taken from others and in other places, and not as a draft that is published', async () => {
  expect(await say('同じ文')).toHaveProperty('comment')
  expect(await say('同じ文', kai.token)).toHaveProperty('comment')
  expect(await say('同じ文', mia.token, threads[1])).toHaveProperty('comment')
  const [space] = (await owner<{ id: string }>(`select id from space where key = 'tea' and tenant_id = $1`, [
    shop.tenant.id,
  ])) as [{ id: string }]
  const search = searchText({ title: '下書き', body: '同じ下書き' })
  const what = {
    kind: 'POST',
    space: space.id,
    title: '下書き',
    body: '同じ下書き',
    format: 'MARKDOWN',
    html: 'x',
    search,
  }
  const author = await idOf(mia)
  const put = async (more: object) =>
    (
      await owner<{ o: { contribution: string } }>(`select contribution_write($1, 'test', $2) o`, [
        author,
        JSON.stringify({ ...what, ...more }),
      ])
    )[0]?.o
  const draft = await put({ isDraft: true })
  expect(await put({})).toMatchObject({ is: 'done', state: 'PUBLISHED' })
  const [edited] = await owner<{ o: object }>(`select contribution_edit($1, $2, 'test', $3) o`, [
    draft?.contribution,
    author,
    JSON.stringify({ ...what, publish: true }),
  ])
  expect(edited?.o).toMatchObject({ is: 'access_denied', reason: 'REPEATED' })
})

test('a limit and the look at first texts spare those who are trusted', async () => {
  const zoe = await shop.member('zoe')
  const trust = async (level: number) =>
    owner(
      `insert into trust (tenant_id, member_id, level, since) values ($1, $2, $3, tenant_now($1))
       on conflict (tenant_id, member_id) do update set level = excluded.level, since = excluded.since`,
      [shop.tenant.id, await idOf(zoe), level],
    )
  await policy({ limits: [{ action: 'COMMENT', most: 1, per: 'PT1H', upToTrust: 0 }], reviewFirst: 1 })
  await trust(0)
  expect((await say('はじめて', zoe.token)).comment.state).toBe('PENDING')
  expect(await say('つづけて', zoe.token)).toMatchObject({ reason: 'TOO_OFTEN' })
  await trust(1)
  expect((await say('信頼されて', zoe.token)).comment.state).toBe('PUBLISHED')
  await policy({})
})

test('members flag so often and no more', async () => {
  const rin = await shop.member('rin')
  await policy({ limits: [{ action: 'FLAG', most: 2, per: 'P1D' }] })
  const ids = [await text('通報一'), await text('通報二'), await text('通報三')]
  const said = []
  for (const id of ids) said.push((await flag(id, rin.token)).reason ?? 'done')
  expect(said).toEqual(['done', 'done', 'TOO_OFTEN'])
  await policy({})
})

test.each([
  [0, null, 0, 1],
  [2, null, 0, 3],
  [0, 'UPHELD', 6, 2.2],
  [0, 'REJECTED', 6, 0.1],
  [0, 'REJECTED', 5, 1],
])('a flag of somebody with trust %d and %s times %d weighs %d', async (level, state, times, weighs) => {
  const member = await shop.member(`flagger ${level} ${state} ${times}`)
  const id = await idOf(member)
  await owner(`insert into trust (tenant_id, member_id, level, since) values ($1, $2, $3, tenant_now($1))`, [
    ...[shop.tenant.id, id, level],
  ])
  for (let i = 0; i < times; i++) {
    const of = await write(shop, { space: 'tea', kind: 'POST', title: `${level} ${state} ${times} ${i}` })
    await owner(
      `insert into moderation_flag (tenant_id, contribution_id, member_id, reason, weight, state, at, answered_at)
       values ($1, $2, $3, 'SPAM', 1, $4, tenant_now($1) - interval '10 days', tenant_now($1))`,
      [shop.tenant.id, of, id, state],
    )
  }
  const flagged = await text(`重さ ${level} ${state} ${times}`)
  await flag(flagged, member.token)
  expect((await cases(flagged))?.score).toBeCloseTo(weighs, 6)
})
