import { type CheckedText, type CheckOpinion, defineContentCheck } from '@engawa/sdk'
import { beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import links from '../../plugins/links/index.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { idOfKind, makeSpace, write } from '../support/house.ts'
import { onServer } from '../support/server.ts'
import { until } from '../support/until.ts'

/** A service of somebody else's: what it was told, and what it says to it. */
const told: CheckedText[] = []
const service: { say: (text: CheckedText) => Promise<CheckOpinion> | CheckOpinion } = {
  say: () => ({ is: 'approve' }),
}
const judge = defineContentCheck({
  id: 'judge',
  sdk: '^0.1',
  config: { schema: z.strictObject({ key: z.string().min(8) }), version: 1, secrets: ['key'] },
  judge(_ctx, text) {
    told.push(text)
    return service.say(text)
  },
})
const open = testApp({
  deployment: {
    plugins: { inbox: () => import('@engawa/channel-inbox') },
    checks: { judge: async () => ({ default: judge }), links: async () => ({ default: links }) },
  },
})

let shop: Shop
let mia: TestMember
let noa: TestMember
let thread: string
beforeAll(async () => {
  shop = await open()
  mia = await shop.member('mia', { email: 'mia@example.com' })
  noa = await shop.member('noa')
  const space = await makeSpace(shop, 'tea')
  await shop.do('placeInSpace', { space, member: noa.by, standing: 'JOINED', role: 'MODERATOR' })
  thread = idOfKind('Post', await write(shop, { space: 'tea', kind: 'POST' }))
  await configure('judge', { config: { key: 'canary-secret' } })
})

const configure = (check: string, given: object = {}) =>
  shop.do(
    'configureContentCheck',
    { check, isEnabled: true, ...given },
    { select: 'check { key isEnabled kinds upToTrust }' },
  )
const say = async (body: string, as = mia.token) => {
  const { comment } = await shop.do(
    'addComment',
    { on: thread, body },
    { as, select: 'comment { id state }' },
  )
  return comment as { id: string; state: string }
}
const stateOf = async (id: string, as = shop.staff) => {
  const { data } = await shop.ask(as, 'query ($id: ID!) { node(id: $id) { ... on Comment { state } } }', {
    id,
  })
  return data.node?.state ?? null
}
const caseOf = async (id: string) => {
  const { data } = await shop.ask(
    shop.staff,
    `{ moderationQueue(first: 100) { nodes { reason history { note }
      contribution { ... on Node { id } checks { check state reason score } } } } }`,
  )
  return data.moderationQueue.nodes.find(
    (each: { contribution: { id: string } | null }) => each.contribution?.id === id,
  )
}
const settled = (id: string) =>
  until(async () => (await runsOf(id)).every(({ state }) => state !== 'WAITING'))
const runsOf = async (id: string) => {
  const { data } = await shop.ask(
    shop.staff,
    'query ($id: ID!) { node(id: $id) { ... on Comment { checks { check state reason score } } } }',
    { id },
  )
  return data.node.checks as { check: string; state: string; reason: string | null; score: number | null }[]
}
const sql = (text: string, values: unknown[] = []) =>
  onServer(shop.ground.databaseUrl, async (client) => {
    await client.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.id])
    return (await client.query(text, values)).rows
  })

test('a text waits for the check, seen by its author alone, and is published when it passes', async () => {
  let pass: (opinion: CheckOpinion) => void = () => {}
  service.say = () => new Promise((resolve) => (pass = resolve))
  const { id, state } = await say('こんにちは')
  expect(state).toBe('PENDING')
  await until(() => told.length > 0)
  const kai = await shop.member('kai')
  expect([await stateOf(id, mia.token), await stateOf(id, kai.token)]).toEqual(['PENDING', null])
  expect(await caseOf(id)).toBeUndefined()
  pass({ is: 'approve', score: 0.1 })
  await settled(id)
  expect(await stateOf(id, kai.token)).toBe('PUBLISHED')
  const events = await sql(
    `select type from event_log where payload ->> 'contribution' = $1::text
    union all select type from outbox where payload ->> 'contribution' = $1::text`,
    [(await sql('select id from contribution where body = $1', ['こんにちは']))[0].id],
  )
  expect(events.map(({ type }) => type)).toContain('comment.published')
})

test('the check is told the text and how its author stands, and nothing of who that is', async () => {
  service.say = () => ({ is: 'approve' })
  const { id } = await say('これは **太字** です')
  await settled(id)
  const last = told.at(-1)
  expect(last).toEqual({
    ...{ kind: 'COMMENT', title: null, body: 'これは 太字 です', tags: [], language: 'ja' },
    author: { trust: 0, stood: 1 },
  })
  expect(JSON.stringify(told)).not.toMatch(/mia|example\.com/)
})

test.each([
  ['queue', 'PENDING', 'CHECK', 'QUEUED'],
  ['spam', 'SPAM', 'CHECK', 'SPAM'],
] as const)(
  'what the check takes for %s is %s, before a moderator with the reason',
  async (is, state, reason, ran) => {
    service.say = () => ({ is, reason: 'too loud, canary-secret', score: 0.7 })
    const { id } = await say(`うるさい ${is}`)
    await settled(id)
    expect(await stateOf(id)).toBe(state)
    const checks = [{ check: 'judge', state: ran, reason: 'too loud, [redacted]', score: 0.7 }]
    expect(await caseOf(id)).toMatchObject({ reason, contribution: { checks } })
  },
)

test('a check that fails is asked again, and then somebody looks: the text is never lost', async () => {
  service.say = () => {
    throw new Error('away')
  }
  const { id } = await say('届かない')
  for (let tries = 1; tries <= 3; tries++) {
    await until(async () => {
      const [run] = await sql(
        "select tries, due_at > clock_timestamp() + interval '5 seconds' as rests, state from content_check_run where key = $1 order by at desc, contribution_id desc limit 1",
        ['judge'],
      )
      return run.tries === tries && (run.rests || run.state === 'FAILED')
    })
    await sql(`update content_check_run set due_at = clock_timestamp() where state = 'WAITING'`)
  }
  await settled(id)
  expect(await stateOf(id)).toBe('PENDING')
  expect(await caseOf(id)).toMatchObject({
    reason: 'CHECK',
    contribution: { checks: [{ check: 'judge', state: 'FAILED', reason: 'The plugin threw Error.' }] },
  })
})

test('a run whose worker was killed is taken by the next, and its answer counts once', async () => {
  service.say = () => new Promise(() => {})
  const before = told.length
  await say('途中で落ちる')
  await until(() => told.length > before)
  service.say = () => ({ is: 'approve' })
  const runs = await sql(
    `select contribution_id as id, revision from content_check_run where state = 'WAITING'`,
  )
  await sql(`update content_check_run set due_at = clock_timestamp() where state = 'WAITING'`)
  const tell = () =>
    sql('select content_check_told($1, $2, $3, $4, null, null, null) as counted', [
      runs[0].id,
      'judge',
      runs[0].revision,
      'APPROVED',
    ])
  const counted = await Promise.all(Array.from({ length: 20 }, tell))
  expect(counted.filter(([row]) => row.counted).length).toBeLessThanOrEqual(1)
  const [row] = await sql(
    'select state, (select count(*)::int from follow f where f.target = c.root_id::text) as follows from contribution c where id = $1',
    [runs[0].id],
  )
  expect(row.state).toBe('PUBLISHED')
  expect((await tell())[0].counted).toBe(false)
})

test('what was changed while it was judged is judged as it is now', async () => {
  let pass: (opinion: CheckOpinion) => void = () => {}
  service.say = () => new Promise((resolve) => (pass = resolve))
  const { id } = await say('やさしい文')
  await until(() => told.at(-1)?.body === 'やさしい文')
  const first = pass
  service.say = ({ body }) => ({ is: body === 'ひどい文' ? 'spam' : 'approve' })
  await shop.do('editContribution', { contribution: id, body: 'ひどい文' }, { as: mia.token })
  first({ is: 'approve' })
  await settled(id)
  expect(await stateOf(id)).toBe('SPAM')
})

test('who decided meanwhile is not overruled by a check that comes late', async () => {
  let pass: (opinion: CheckOpinion) => void = () => {}
  service.say = () => new Promise((resolve) => (pass = resolve))
  const { id } = await say('人が先に見る')
  await until(() => told.at(-1)?.body === '人が先に見る')
  await shop.do('restoreContribution', { contribution: id })
  pass({ is: 'spam' })
  await settled(id)
  expect([await stateOf(id), (await runsOf(id))[0]?.state]).toEqual(['PUBLISHED', 'MOOT'])
  expect(await caseOf(id)).toBeUndefined()
})

test('local words come first: what they refuse or hold, no check is asked about', async () => {
  service.say = () => ({ is: 'approve' })
  await shop.do('defineWatchedWords', { key: 'hold', action: 'QUEUE', words: ['保留語'] })
  await shop.do('defineWatchedWords', { key: 'flag', action: 'FLAG', words: ['注意語'] })
  const before = told.length
  const held = await say('保留語です')
  expect([held.state, (await caseOf(held.id)).reason, told.length]).toEqual([
    'PENDING',
    'WATCHED_WORD',
    before,
  ])
  const flagged = await say('注意語です')
  await settled(flagged.id)
  expect([await stateOf(flagged.id), (await caseOf(flagged.id)).reason]).toEqual([
    'PUBLISHED',
    'WATCHED_WORD',
  ])
})

test('a watched word that was put in while a check was asked holds the text', async () => {
  let pass: (opinion: CheckOpinion) => void = () => {}
  service.say = () => new Promise((resolve) => (pass = resolve))
  const { id } = await say('はじめはふつう')
  await until(() => told.at(-1)?.body === 'はじめはふつう')
  service.say = () => ({ is: 'approve' })
  await shop.do('editContribution', { contribution: id, body: 'あとから保留語' }, { as: mia.token })
  pass({ is: 'approve' })
  await settled(id)
  expect([await stateOf(id), (await caseOf(id)).reason]).toEqual(['PENDING', 'WATCHED_WORD'])
})

test('deleting and restoring is no way around a check, nor around a moderator', async () => {
  service.say = () => ({ is: 'approve' })
  const { id } = await say('一度は出た文')
  await settled(id)
  service.say = () => ({ is: 'queue' })
  await shop.do('editContribution', { contribution: id, body: '変えた文' }, { as: mia.token })
  await settled(id)
  await shop.do('deleteContribution', { contribution: id }, { as: mia.token })
  await shop.do('restoreContribution', { contribution: id }, { as: mia.token })
  expect(await stateOf(id)).toBe('PENDING')
  expect(await caseOf(id)).toMatchObject({ reason: 'HELD' })
  await shop.do('restoreContribution', { contribution: id })
  expect(await stateOf(id)).toBe('PUBLISHED')
})

test('staff, moderators and kinds that are not its own pass by a check; two checks both have to pass', async () => {
  service.say = () => ({ is: 'spam' })
  expect((await say('お知らせ', noa.token)).state).toBe('PUBLISHED')
  await configure('judge', { kinds: ['POST'] })
  expect((await say('種類が違う')).state).toBe('PUBLISHED')
  service.say = () => ({ is: 'approve' })
  expect(await configure('judge', { upToTrust: 3 })).toMatchObject({ check: { kinds: [], upToTrust: 3 } })
  await configure('links')
  const { id } = await say('見て https://a.example https://b.example https://c.example')
  await settled(id)
  expect((await runsOf(id)).map(({ state, reason }) => [state, reason])).toEqual([
    ['APPROVED', null],
    ['QUEUED', '3 links'],
  ])
  expect(await stateOf(id)).toBe('PENDING')
  await configure('judge', { isEnabled: false })
  await configure('links', { isEnabled: false })
  expect((await say('もう見ない')).state).toBe('PUBLISHED')
})

test('a check is configured by its own schema, keeps its secret, and has to be deployed', async () => {
  expect(await configure('judge', { config: { key: 'short' } })).toMatchObject({
    code: 'BAD_INPUT',
    field: 'input.config.key',
  })
  expect(await configure('nobody')).toMatchObject({ __typename: 'NotFoundError' })
  expect(await configure('links', { upToTrust: 10 })).toMatchObject({ field: 'input.upToTrust' })
  const { data } = await shop.ask(shop.staff, '{ contentChecks { key isEnabled } }')
  expect(data.contentChecks).toEqual([
    { key: 'judge', isEnabled: false },
    { key: 'links', isEnabled: false },
  ])
  const [row] = await sql(
    `select config, sealed is not null as sealed from channel_setting where channel = 'judge'`,
  )
  expect(row).toEqual({ config: {}, sealed: true })
})

test('the check of links holds many links, links of newcomers and the same over and over', async () => {
  const config = { mostLinks: 2, stoodFirst: 1, mostRepeats: 10 }
  const says = async (body: string, stood = 1) => {
    const text = { kind: 'POST', title: null, body, tags: [], language: 'ja', author: { trust: 0, stood } }
    return (await links.judge({ config } as Parameters<typeof links.judge>[0], text)).is
  }
  expect(await says('ふつうの文です')).toBe('approve')
  expect(await says('https://a.example')).toBe('approve')
  expect(await says('https://a.example', 0)).toBe('queue')
  expect(await says('http://a.example www.b.example http://c.example')).toBe('queue')
  expect(await says('http://a.example '.repeat(5))).toBe('spam')
  expect(await says('買って '.repeat(10))).toBe('queue')
})
