import { beforeAll, expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { makeSpace, write } from '../support/house.ts'
import { onServer } from '../support/server.ts'

const open = testApp({ role: 'web' })
let shop: Shop
const MARCH = 'from: "2026-03-01T00:00:00Z", until: "2026-04-01T00:00:00Z"'

/** Who asked on 2 March at noon, and who answered how many minutes later; nobody's name is staff. */
const ASKED: readonly (readonly [asker: string, ...answers: (readonly [by: string, minutes: number])[]])[] = [
  ['aki', ['aki', 1], ['emi', 10], ['staff', 20]],
  ['aki', ['emi', 30]],
  ['ken', ['staff', 60]],
  ['ken', ['ken', 5]],
  ['emi', ['aki', 2_000]],
]

beforeAll(async () => {
  shop = await open({ testClock: '2026-03-01T00:00:00Z', locale: 'en' })
  for (const name of ['aki', 'emi', 'ken', 'leo']) await shop.member(name)
  await makeSpace(shop, 'qa', { kind: 'QA' })
  const at = (minutes: number) =>
    new Date(Date.parse('2026-03-02T12:00:00Z') + minutes * 60_000).toISOString()
  const by = (name: string) => (name === 'staff' ? {} : { by: name })
  for (const [asker, ...answers] of ASKED) {
    const question = await write(shop, { space: 'qa', kind: 'QUESTION', ...by(asker), at: at(0) })
    for (const [name, minutes] of answers)
      await write(shop, { space: 'qa', kind: 'ANSWER', parent: question, ...by(name), at: at(minutes) })
  }
  await shop.clock('2026-04-01T00:00:00Z')
  // Too fresh to be called unanswered, and outside the span anyway.
  await write(shop, { space: 'qa', kind: 'QUESTION', by: 'aki' })
  await shop.do('endMembership', { member: { externalId: 'leo' }, end: 'LEFT' })
})

const asked = async (query: string) => {
  const { data, errors } = await shop.ask(shop.staff, query)
  expect(errors).toEqual([])
  return data.communityReport
}

test('questions count as answered by others than who asked, and those without stand for the longest wait', async () => {
  const { answering } = await asked(`{ communityReport(${MARCH}) { answering(minutesPerAnswer: 15) {
    questions matured unanswered unansweredBasisPoints answeredWithinDay medianMinutes p90Minutes
    firstByMembers firstByStaff peerAnswered peerAnsweredBasisPoints staffMinutesSaved } } }`)
  expect(answering).toEqual({
    ...{ questions: 5, matured: 5, unanswered: 1, unansweredBasisPoints: 2000, answeredWithinDay: 3 },
    // 10, 30, 60, 2000 and one that waits still.
    ...{ medianMinutes: 60, p90Minutes: null, firstByMembers: 3, firstByStaff: 1 },
    ...{ peerAnswered: 2, peerAnsweredBasisPoints: 5000, staffMinutesSaved: 30 },
  })
})

test('questions are answered in time by what their space says', async () => {
  const inTime = async (answersWithin: string | null) => {
    await shop.do('setQuestionCare', { answersWithin })
    return (await asked(`{ communityReport(${MARCH}) { answering { answeredInTime } } }`)).answering
      .answeredInTime
  }
  expect(await inTime('PT24H')).toBe(3)
  expect(await inTime('PT30M')).toBe(2)
  expect(await inTime('PT29M')).toBe(1)
  expect(await inTime(null)).toBe(0)
})

test('a question is called unanswered only when it is a day old', async () => {
  const { answering } = await asked(
    '{ communityReport(from: "2026-04-01T00:00:00Z", until: "2026-04-02T00:00:00Z") { answering { questions matured unanswered unansweredBasisPoints } } }',
  )
  expect(answering).toEqual({ questions: 1, matured: 0, unanswered: 0, unansweredBasisPoints: null })
})

test('members who are there, reply and help are told apart, and how they are tied', async () => {
  const { maturity, helpers } = await asked(`{ communityReport(${MARCH}) {
    maturity { members active replying helping activeBasisPoints replyingBasisPoints helpingBasisPoints ties mutualTies }
    helpers { name answers accepted member { externalId } } } }`)
  expect(maturity).toEqual({
    // Leo was one of them until the span ended.
    ...{ members: 4, active: 3, replying: 2, helping: 2, ties: 1, mutualTies: 1 },
    ...{ activeBasisPoints: 7500, replyingBasisPoints: 5000, helpingBasisPoints: 5000 },
  })
  expect(helpers).toEqual([
    { name: 'emi', answers: 2, accepted: 0, member: { externalId: 'emi' } },
    { name: 'aki', answers: 1, accepted: 0, member: { externalId: 'aki' } },
  ])
})

test('who helps is read at once, however many they are', async () => {
  const count = async (who: string) =>
    (await shop.ask(shop.staff, `{ communityReport(${MARCH}) { helpers { ${who} } } }`)).statements.length
  expect((await count('member { externalId email }')) - (await count('name'))).toBe(1)
})

test('a span is told part by part, on the calendar of the tenant', async () => {
  const parts = async (every: string) => {
    const query = `{ communityReport(from: "2026-02-28T15:00:00Z", until: "2026-04-15T15:00:00Z") {
      maturityOverTime(every: "${every}") { startsAt endsAt members active ties mutualTies activeBasisPoints } } }`
    const { data, errors } = await shop.ask(shop.staff, query)
    return errors[0] ?? data.communityReport.maturityOverTime
  }
  // A month of Tokyo, and half of the next.
  expect(await parts('P1M')).toEqual([
    {
      ...{ startsAt: '2026-02-28T15:00:00.000Z', endsAt: '2026-03-31T15:00:00.000Z', members: 4, active: 3 },
      ...{ ties: 1, mutualTies: 1, activeBasisPoints: 7500 },
    },
    {
      ...{ startsAt: '2026-03-31T15:00:00.000Z', endsAt: '2026-04-15T15:00:00.000Z', members: 3, active: 1 },
      ...{ ties: 0, mutualTies: 0, activeBasisPoints: 3333 },
    },
  ])
  expect(await parts('P2D')).toHaveLength(23)
  expect(await parts('PT1H')).toMatchObject({ code: 'BAD_INPUT', field: 'every' })
})

test('the report of a space stands beside what the space is for', async () => {
  const { data } = await shop.ask(shop.staff, '{ space(key: "qa") { id } }')
  const report = await asked(
    `{ communityReport(${MARCH}, space: "${data.space.id}") { space { key purpose goal } } }`,
  )
  expect(report.space).toEqual({ key: 'qa', purpose: 'A place for qa', goal: null })
  expect((await asked(`{ communityReport(${MARCH}) { space { key } } }`)).space).toBeNull()
})

test('who left is told by how they took part', async () => {
  const { churn } = await asked(
    `{ communityReport(${MARCH}) { churn { level members ended endedBasisPoints } } }`,
  )
  expect(churn).toEqual([
    { level: 'NONE', members: 1, ended: 1, endedBasisPoints: 10_000 },
    { level: 'WRITING', members: 1, ended: 0, endedBasisPoints: 0 },
    { level: 'HELPING', members: 2, ended: 0, endedBasisPoints: 0 },
  ])
})

test('of the views of solved questions those are self-service that no own question follows', async () => {
  await onServer(shop.ground.databaseUrl, async (client) => {
    await client.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.id])
    const solved = `select a.root_id from contribution a where a.tenant_id = $1 and a.kind = 'ANSWER'
      and a.author_id = (select id from member where tenant_id = $1 and external_id = 'emi') order by a.id limit 1`
    const answer = `select id from contribution where tenant_id = $1 and kind = 'ANSWER' and root_id = (${solved})
      and author_id = (select id from member where tenant_id = $1 and external_id = 'emi')`
    for (const text of [
      `insert into question (tenant_id, contribution_id) select $1, (${solved}) on conflict do nothing`,
      `insert into answer (tenant_id, contribution_id, question_id) select $1, (${answer}), (${solved}) on conflict do nothing`,
      `insert into acceptance (tenant_id, question_id, answer_id, actor, at) select $1, (${solved}), (${answer}), 'test', now()`,
      `insert into accepted_answer (tenant_id, question_id, answer_id, acceptance_id, at)
       select tenant_id, question_id, answer_id, id, at from acceptance where tenant_id = $1`,
    ])
      await client.query(text, [shop.tenant.id])
    await client.query(
      `insert into contribution_view (tenant_id, contribution_id, member_id, day, at)
       select $1, (${solved}), m.id, '2026-03-30', '2026-03-30T00:00:00Z' from member m
       where m.tenant_id = $1 and m.external_id in ('ken', 'emi')`,
      [shop.tenant.id],
    )
  })
  await write(shop, { space: 'qa', kind: 'QUESTION', by: 'ken', at: '2026-04-02T00:00:00Z' })
  const { maturity } = await asked(
    `{ communityReport(${MARCH}) { maturity { solvedViews selfServedBasisPoints } } }`,
  )
  expect(maturity).toEqual({ solvedViews: 2, selfServedBasisPoints: 5000 })
})

test('the report is for staff alone', async () => {
  const query = `{ communityReport(${MARCH}) { maturity { members } } }`
  const codes = []
  for (const token of [shop.integration, await shop.token('member', 'aki'), await shop.token('staff', 'bo')])
    codes.push((await shop.ask(token, query)).errors[0]?.code)
  expect(codes).toEqual(['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN'])
})

test('questions are solved by an accepted answer or without one, and whoever asked says whether it was helped', async () => {
  const shop = await open({ testClock: '2026-04-01T00:00:00Z' })
  const [space, { token }] = [await makeSpace(shop, 'qa', { kind: 'QA' }), await shop.member('aki')]
  const ask = async (title: string): Promise<string> => {
    const asked = await shop.do(
      'askQuestion',
      { space, title, body: title },
      { as: token, select: 'question { id }' },
    )
    return asked.question.id
  }
  const [one, two, three, four] = [
    await ask('One?'),
    await ask('Two?'),
    await ask('Three?'),
    await ask('Four?'),
  ]
  const given = { question: one, body: 'So.' }
  const { answer } = await shop.do('answerQuestion', given, { select: 'answer { id }' })
  await shop.do('acceptAnswer', { question: one, answer: answer.id }, { as: token })
  for (const question of [one, two])
    await shop.do('closeQuestion', { question, reason: 'SOLVED' }, { as: token })
  await shop.do('closeQuestion', { question: three, reason: 'UNCLEAR' })
  const rate = (question: string, isSatisfied: boolean) =>
    shop.do('rateHelp', { question, isSatisfied }, { as: token })
  for (const rating of [rate(one, true), rate(two, true), rate(four, false)]) await rating
  const { data } = await shop.ask(
    shop.staff,
    `{ communityReport(from: "2026-04-01T00:00:00Z", until: "2026-05-01T00:00:00Z") {
      answering { questions accepted solved solvedBasisPoints rated satisfiedBasisPoints } } }`,
  )
  expect(data.communityReport.answering).toEqual({
    ...{
      questions: 4,
      accepted: 1,
      solved: 2,
      solvedBasisPoints: 5000,
      rated: 3,
      satisfiedBasisPoints: 6666,
    },
  })
})
