// The shop's own questions and answers: candidates, editing, publishing, reviewing, retiring; and what need not be asked.
import { beforeEach, expect, test } from 'vitest'
import { decodeId, encodeId } from '../../api/graph/ids.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { makeSpace } from '../support/house.ts'
import { overlapping } from '../support/overlap.ts'
import { onServer } from '../support/server.ts'

const open = testApp({ role: 'web' })
let shop: Shop
let qa: string
let club: string
let mia: TestMember
let ken: TestMember
let vip: TestMember

beforeEach(async () => {
  shop = await open({ testClock: '2026-04-01T00:00:00Z', locale: 'en' })
  qa = await makeSpace(shop, 'qa', { kind: 'QA' })
  const see = { attribute: { name: 'vip', equals: true } }
  club = await makeSpace(shop, 'club', { kind: 'QA', see })
  ;[mia, ken] = [await shop.member('mia'), await shop.member('ken', { attributes: { vip: true } })]
  vip = await shop.member('vip', { attributes: { vip: true } })
})

async function ask(title: string, space = qa, by = vip) {
  const asked = { space, title, body: 'How?', sku: 'SOAP' }
  return (await shop.do('askQuestion', asked, { as: by.token, select: 'question { id }' })).question
    .id as string
}

/** A question that ken solved. */
async function solve(title: string, space = qa) {
  const question = await ask(title, space)
  const given = { question, body: 'A year.' }
  const { answer } = await shop.do('answerQuestion', given, { as: ken.token, select: 'answer { id }' })
  await shop.do('acceptAnswer', { question, answer: answer.id }, { as: vip.token })
  return { question, answer: answer.id as string }
}

async function draft(question: string | null, more: object = {}) {
  const given = { space: qa, question, title: 'How long does it keep?', body: 'A **year**.', ...more }
  return (await shop.do('draftFaq', given, { select: 'entry { id }' })).entry.id as string
}
const publish = (entry: string, more: object = {}) =>
  shop.do('publishFaq', { entry, ...more }, { select: 'entry { stage }' })

const ENTRY = `query ($id: ID!) { node(id: $id) { ... on FaqEntry { title html stage revision sku demand reviewAt reviewedAt conflicts { id }
  question { title } creditedTo { displayName isFormerMember } } } }`
const entryFor = async (token: string, id: string) => (await shop.ask(token, ENTRY, { id })).data.node

const list = async (token: string, args = '') =>
  (await shop.ask(token, `{ faq(first: 50${args}) { nodes { title } } }`)).data.faq.nodes.map(
    ({ title }: { title: string }) => title,
  )

test('a solved question becomes a candidate by its views or its duplicates, and is none once it is an entry', async () => {
  await shop.do('setQuestionCare', { space: qa, faqViews: 2, faqDuplicates: 2 })
  const [seen, asked, plain] = [await solve('Seen'), await solve('Asked'), await solve('Plain')]
  const unsolved = await ask('Unsolved')
  const candidates = async () =>
    (
      await shop.ask(shop.staff, '{ faqCandidates(first: 9) { nodes { title } } }')
    ).data.faqCandidates.nodes.map(({ title }: { title: string }) => title)
  const views = [seen.question, unsolved].map((contribution, i) => ({
    ...{ key: `k${i}`, at: '2026-04-01T00:00:00Z', kind: 'PAGE', resource: `/${i}` },
    ...{ level: 1, seconds: 9, contribution },
  }))
  await shop.do('recordSession', { session: 's', views }, { as: mia.token })
  await shop.do('closeQuestion', {
    question: await ask('Dup 1'),
    reason: 'DUPLICATE',
    duplicateOf: asked.question,
  })
  await shop.clock('2026-04-01T00:01:00Z')
  expect(await candidates()).toEqual([])
  await shop.do('recordSession', { session: 's', views }, { as: ken.token })
  await shop.do('closeQuestion', {
    question: await ask('Dup 2'),
    reason: 'DUPLICATE',
    duplicateOf: asked.question,
  })
  await shop.clock('2026-04-01T00:02:00Z')
  expect(await candidates()).toEqual(['Seen', 'Asked'])
  const entry = await draft(seen.question)
  expect(await candidates()).toEqual(['Asked'])
  await shop.do('retireFaq', { entry })
  expect(await candidates()).toEqual(['Seen', 'Asked'])
  expect((await shop.ask(mia.token, '{ faqCandidates(first: 9) { nodes { title } } }')).errors).toMatchObject(
    [{ code: 'FORBIDDEN' }],
  )
  expect(plain.question).toBeTruthy()
})

test('an entry is edited, published, due, reviewed and retired; what it said before is kept', async () => {
  const { question } = await solve('How long?')
  const entry = await draft(question)
  expect(await entryFor(mia.token, entry)).toBeNull()
  await shop.do('editContribution', { contribution: entry, body: 'Two years.', isPublished: true })
  expect(await entryFor(shop.staff, entry)).toMatchObject({
    stage: 'EDITING',
    html: expect.stringContaining('Two'),
  })
  expect(await publish(entry, { reviewAt: '2026-05-01T00:00:00Z' })).toMatchObject({
    entry: { stage: 'PUBLISHED' },
  })
  expect(await entryFor(mia.token, entry)).toMatchObject({
    ...{ stage: 'PUBLISHED', sku: 'SOAP', revision: 1, question: { title: 'How long?' }, conflicts: [] },
    creditedTo: { displayName: 'ken', isFormerMember: false },
  })
  await shop.do('editContribution', { contribution: entry, body: 'Three years.' })
  const revisions =
    'query ($id: ID!) { node(id: $id) { ... on FaqEntry { revision revisions(first: 5) { nodes { body } } } } }'
  expect((await shop.ask(mia.token, revisions, { id: entry })).data.node).toEqual({
    ...{ revision: 2, revisions: { nodes: [{ body: 'Two years.' }] } },
  })
  await shop.clock('2026-04-30T23:59:59Z')
  expect(await list(shop.staff, ', stage: DUE')).toEqual([])
  await shop.clock('2026-05-01T00:00:00Z')
  expect(await entryFor(shop.staff, entry)).toMatchObject({ stage: 'DUE' })
  await shop.clock('2026-05-02T00:00:00Z')
  expect(await eventsOf('faq.review_due')).toHaveLength(1)
  expect(await list(mia.token)).toEqual(['How long does it keep?'])
  await shop.do('reviewFaq', { entry, reviewAt: '2026-06-01T00:00:00Z' })
  expect(await entryFor(shop.staff, entry)).toMatchObject({
    stage: 'PUBLISHED',
    reviewedAt: '2026-05-02T00:00:00.000Z',
  })
  await shop.do('retireFaq', { entry })
  expect(await entryFor(shop.staff, entry)).toMatchObject({ stage: 'RETIRED' })
  expect([await list(mia.token), await entryFor(mia.token, entry)]).toEqual([[], null])
  await shop.clock('2026-07-01T00:00:00Z')
  expect(await eventsOf('faq.review_due')).toHaveLength(1)
  expect(await publish(entry)).toMatchObject({ reason: 'LOCKED' })
})

async function eventsOf(type: string) {
  const { rows } = await onServer(shop.ground.databaseUrl, (client) =>
    client.query(
      `select payload from outbox where tenant_id = $1 and type = $2
       union all select payload from event_log where tenant_id = $1 and type = $2`,
      [shop.tenant.id, type],
    ),
  )
  return rows
}

test('where others would read an entry than its source, that has to be said; the source stays where it is', async () => {
  const { question } = await solve('A secret of the club', club)
  const entry = await draft(question)
  expect(await publish(entry)).toMatchObject({ reason: 'WIDER_READERS', unlock: null })
  expect(await entryFor(mia.token, entry)).toBeNull()
  expect(await publish(entry, { isWiderOk: true })).toMatchObject({ entry: { stage: 'PUBLISHED' } })
  expect(await entryFor(mia.token, entry)).toMatchObject({
    question: null,
    creditedTo: { displayName: 'ken' },
  })
  expect(await entryFor(vip.token, entry)).toMatchObject({ question: { title: 'A secret of the club' } })
})

test('an entry waits for its source, which goes to where fewer read it at the same moment', async () => {
  const { question } = await solve('How?')
  const entry = await draft(question)
  const see = { attribute: { name: 'vip', equals: true } }
  const uuids = [question, await makeSpace(shop, 'inner', { see }), entry].map((id) => decodeId(id, 'id').id)
  const ground = { url: shop.ground.databaseUrl, tenantId: shop.tenant.id }
  const answers = await overlapping(ground, async (client, nth) => {
    const moves = `select question_to_post('moves', '\\x01', $1, $2, null, 'test') as outcome`
    const publishes = `select faq_publish($1, false, null, 'test') as outcome`
    const { rows } = await (nth === 1
      ? client.query(moves, uuids.slice(0, 2))
      : client.query(publishes, uuids.slice(2)))
    return rows[0].outcome
  })
  expect(answers).toMatchObject([{ is: 'done' }, { is: 'access_denied', reason: 'WIDER_READERS' }])
})

test.each([
  ['of the same space', () => ({ from: club, to: club })],
  ['of an open space in a closed one', () => ({ from: qa, to: club })],
])('an entry from a question %s has no wider readers', async (_what, places) => {
  const { from, to } = places()
  const { question } = await solve('How?', from)
  expect(await publish(await draft(question, { space: to }))).toMatchObject({ entry: { stage: 'PUBLISHED' } })
})

test('an entry from a private question always has wider readers', async () => {
  const asked = { space: qa, title: 'Mine', body: 'How?', isPrivate: true }
  const { question } = await shop.do('askQuestion', asked, { as: vip.token, select: 'question { id }' })
  expect(await publish(await draft(question.id))).toMatchObject({ reason: 'WIDER_READERS' })
})

test('whoever gave the answer earns once by faq.credited, however many entries come of it', async () => {
  const rule = {
    name: { en: 'Credits', ja: '掲載' },
    on: { activity: 'faq.credited' },
    points: { fixed: 30 },
  }
  await shop.do('defineEarnRule', { key: 'faq', rule })
  const { question } = await solve('How?')
  const points = async () =>
    (await shop.ask(ken.token, '{ viewer { member { wallet { available } } } }')).data.viewer.member.wallet
      .available
  const before = Number(await points())
  for (let i = 0; i < 2; i++) await publish(await draft(question, { title: `Entry ${i}` }))
  expect(Number(await points())).toBe(before + 30)
  const [, entry] = [await draft(null), await draft(null)]
  await publish(entry)
  expect(await entryFor(mia.token, entry)).toMatchObject({ question: null, creditedTo: null })
})

test('the credit of an erased member goes to a former member, and the answer stays accepted', async () => {
  const { question, answer } = await solve('How?')
  const entry = await draft(question)
  await publish(entry)
  await shop.do('eraseMember', { member: ken.by, texts: 'KEEP' })
  expect(await entryFor(mia.token, entry)).toMatchObject({
    creditedTo: { displayName: null, isFormerMember: true },
  })
  const text = `query ($id: ID!) { node(id: $id) { ... on Question { standing
    acceptedAnswer { id author { displayName isFormerMember } } } } }`
  expect((await shop.ask(mia.token, text, { id: question })).data.node).toEqual({
    standing: 'ACCEPTED',
    acceptedAnswer: { id: answer, author: { displayName: null, isFormerMember: true } },
  })
})

test('entries come by demand: views, the same trouble, duplicates, and openings while writing', async () => {
  const [plain, wanted] = [await draft(null, { title: 'Plain' }), await solve('Wanted')]
  const entry = await draft(wanted.question, { title: 'Wanted' })
  for (const each of [plain, entry]) await publish(each)
  expect(await list(mia.token)).toEqual(['Plain', 'Wanted'])
  await shop.do('addMeToo', { question: wanted.question }, { as: mia.token })
  await shop.do('closeQuestion', {
    question: await ask('Dup'),
    reason: 'DUPLICATE',
    duplicateOf: wanted.question,
  })
  for (let i = 0; i < 2; i++)
    await shop.do('noteDeflection', { session: 's1', opened: [entry] }, { as: mia.token })
  expect(await list(mia.token)).toEqual(['Wanted', 'Plain'])
  // One has the same trouble: 5; a duplicate: 10; opened once in a session: 3. Whoever asked the duplicate asked this too.
  expect(await entryFor(shop.staff, entry)).toMatchObject({ demand: 18 })
  expect(await entryFor(mia.token, entry)).toMatchObject({ demand: null })
})

test('two published entries about the same are flagged on both sides', async () => {
  const { question } = await solve('How?')
  const [one, two] = [
    await draft(question, { title: 'Keeping' }),
    await draft(question, { title: 'Storing' }),
  ]
  const named = { sku: 'TEA', title: 'Can children drink barley tea?' }
  const [three, four] = [
    await draft(null, named),
    await draft(null, { ...named, title: 'May children drink barley tea?' }),
  ]
  const other = await draft(null, { ...named, sku: 'MUG' })
  const unlike = await draft(null, { sku: 'TEA', title: 'Where is it grown?' })
  for (const entry of [one, three, other, unlike]) await publish(entry)
  expect((await entryFor(shop.staff, one)).conflicts).toEqual([])
  for (const entry of [two, four]) await publish(entry)
  const conflicts = async (entry: string) =>
    (await entryFor(shop.staff, entry)).conflicts.map(({ id }: { id: string }) => id)
  expect([await conflicts(one), await conflicts(two)]).toEqual([[two], [one]])
  expect([await conflicts(three), await conflicts(four)]).toEqual([[four], [three]])
  expect([await conflicts(other), await conflicts(unlike)]).toEqual([[], []])
  await shop.do('retireFaq', { entry: two })
  expect(await conflicts(one)).toEqual([])
})

test('an entry is suggested before asking, and found', async () => {
  const entry = await draft(null, { title: 'How long does the soap keep?' })
  const text = `{ similarQuestions(title: "How long does soap keep") { title } search(query: "soap keep", first: 5) { nodes { title } } }`
  expect((await shop.ask(mia.token, text)).data).toEqual({ similarQuestions: [], search: { nodes: [] } })
  await publish(entry)
  const found = { title: 'How long does the soap keep?' }
  expect((await shop.ask(mia.token, text)).data).toEqual({
    similarQuestions: [found],
    search: { nodes: [found] },
  })
})

const REPORT = `{ communityReport(from: "2026-04-01T00:00:00Z", until: "2026-05-01T00:00:00Z") { deflection {
  sessions opened deflected deflectedBasisPoints entries { entry { id title } opened deflected } } } }`
const deflection = async () => (await shop.ask(shop.staff, REPORT)).data.communityReport.deflection

test('of the sessions in which a suggestion was opened those are deflected that asked nothing, in all and by entry', async () => {
  const entry = await draft(null)
  await publish(entry)
  const { question } = await solve('How?')
  const note = (by: TestMember, session: string, more: object) =>
    shop.do('noteDeflection', { session, ...more }, { as: by.token })
  for (let i = 0; i < 3; i++) await note(mia, 'a', { opened: [entry] })
  await note(mia, 'a', { opened: [question] })
  await note(mia, 'b', { opened: [entry] })
  await note(mia, 'b', { question: await ask('All the same?', qa, mia) })
  await note(mia, 'c', { opened: [] })
  expect((await note(ken, 'a', { opened: [entry] })).__typename).toBe('NoteDeflectionPayload')
  expect(await deflection()).toMatchObject({ sessions: 1, opened: 1, deflected: 0 })
  await shop.clock('2026-04-01T01:00:01Z')
  expect(await deflection()).toEqual({
    ...{ sessions: 4, opened: 3, deflected: 2, deflectedBasisPoints: 6666 },
    entries: [{ entry: { id: entry, title: 'How long does it keep?' }, opened: 3, deflected: 2 }],
  })
})

test('nobody notes what it may not see, or what another asked', async () => {
  const hidden = await ask('Hidden', club)
  const others = await ask('Of another')
  for (const input of [{ opened: [hidden] }, { question: others }, { space: club }])
    expect(await shop.do('noteDeflection', { session: 's', ...input }, { as: mia.token })).toMatchObject({
      code: 'NOT_FOUND',
    })
  const comment = encodeId('Comment', '01890000-0000-7000-8000-000000000000')
  expect(
    await shop.do('noteDeflection', { session: 's', opened: [comment] }, { as: mia.token }),
  ).toMatchObject({
    code: 'NOT_FOUND',
  })
})
