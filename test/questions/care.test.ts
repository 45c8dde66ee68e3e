// Who may know the answer, who is called in time, and who is asked for advice.
import { expect, test } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { makeSpace } from '../support/house.ts'
import { onServer } from '../support/server.ts'

const open = testApp({ role: 'web' })
const DAY = '2026-04-01T00:00:00Z'

interface Hall {
  readonly shop: Shop
  readonly space: string
  ask(by: TestMember, asked?: object): Promise<string>
  answer(by: TestMember | null, question: string): Promise<string>
  /** Everything about the question that staff see of its wait. */
  stand(question: string): Promise<object>
  /** The tasks to answer questions, as `state outcome`. */
  tasks(): Promise<string[]>
  sql(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>
}

/** A shop on a test clock with an open space for questions. */
async function openHall(): Promise<Hall> {
  const shop = await open({ testClock: DAY, locale: 'en' })
  const space = await makeSpace(shop, 'qa', { kind: 'QA' })
  return {
    shop,
    space,
    async ask(by, asked = {}) {
      const given = { space, title: 'How long does it keep?', body: 'The soap.', ...asked }
      return (await shop.do('askQuestion', given, { as: by.token, select: 'question { id }' })).question.id
    },
    async answer(by, question) {
      const as = by?.token ?? shop.staff
      const given = { question, body: 'A year.' }
      return (await shop.do('answerQuestion', given, { as, select: 'answer { id }' })).answer.id
    },
    async stand(question) {
      const text =
        'query ($id: ID!) { node(id: $id) { ... on Question { standing escalatesAt escalatedAt } } }'
      return (await shop.ask(shop.staff, text, { id: question })).data.node
    },
    async tasks() {
      const { data } = await shop.ask(shop.staff, '{ tasks(first: 50) { nodes { kind state outcome } } }')
      return data.tasks.nodes.map(
        (task: Record<string, string>) => `${task.kind} ${task.state} ${task.outcome}`,
      )
    },
    sql: (text, values = []) =>
      onServer(shop.ground.databaseUrl, async (client) => {
        await client.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.id])
        return (await client.query(text, [...values])).rows
      }),
  }
}

const people = async (shop: Shop, ...names: string[]) => {
  const found = []
  for (const name of names) found.push(await shop.member(name))
  return found as [TestMember, TestMember, TestMember, TestMember, TestMember, TestMember]
}

const SUGGESTED =
  'query ($id: ID!) { node(id: $id) { ... on Question { suggestedAnswerers { externalId } } } }'
async function suggested({ shop }: Hall, question: string): Promise<string[]> {
  const { data } = await shop.ask(shop.staff, SUGGESTED, { id: question })
  return data.node.suggestedAnswerers.map(({ externalId }: { externalId: string }) => externalId)
}

/** A question about soap that `by` asked and `helper` solved. */
async function solve(hall: Hall, by: TestMember, helper: TestMember, asked: object) {
  const question = await hall.ask(by, asked)
  const answer = await hall.answer(helper, question)
  await hall.shop.do('acceptAnswer', { question, answer }, { as: by.token })
  return question
}

const soap = (shop: Shop, by: TestMember) =>
  shop.do('recordPurchase', {
    ...{ orderId: `o-${by.by.externalId}`, member: by.by, currency: 'JPY', total: '100', purchasedAt: DAY },
    lines: [{ sku: 'SOAP', name: 'Soap', quantity: 1, amount: '100' }],
  })

test('those are suggested who solved like questions, had them solved, or bought the product, by the stated score', async () => {
  const hall = await openHall()
  const [mia, ken, aki, emi, leo, uma] = await people(hall.shop, 'mia', 'ken', 'aki', 'emi', 'leo', 'uma')
  // Ken: 3 + 3 by tag and product; aki: 3 by its words; emi: 1 that was solved for her and 1 for the soap; leo: 1.
  await solve(hall, emi, ken, { title: 'Which scent?', body: 'Rose?', tags: ['soap'] })
  await solve(hall, uma, ken, { title: 'What is in it?', body: 'Oils?', sku: 'SOAP' })
  await solve(hall, uma, aki, { title: 'How long does the soap keep?', body: 'The soap.' })
  await soap(hall.shop, emi)
  await soap(hall.shop, leo)
  const question = await hall.ask(mia, { tags: ['soap'], sku: 'SOAP' })
  await hall.answer(uma, question)
  expect(await suggested(hall, question)).toEqual(['ken', 'aki', 'emi', 'leo'])
})

test('nobody is suggested who blocks, may not see, wants no requests, or was asked this week', async () => {
  const hall = await openHall()
  const { shop } = hall
  const [mia, ken, aki, emi, leo, uma] = await people(shop, 'mia', 'ken', 'aki', 'emi', 'leo', 'uma')
  for (const by of [ken, aki, emi, leo, uma]) await soap(shop, by)
  const other = await hall.ask(mia, { title: 'Another one', body: 'About tea.' })
  const question = await hall.ask(mia, { sku: 'SOAP' })
  expect((await suggested(hall, question)).sort()).toEqual(['aki', 'emi', 'ken', 'leo', 'uma'])
  // A moderator sees it all the same.
  const moderates = { standing: 'JOINED', role: 'MODERATOR' }
  await shop.do('placeInSpace', { space: hall.space, member: ken.by, ...moderates })
  await shop.do('blockAuthor', { contribution: question }, { as: ken.token })
  await shop.do('placeInSpace', { space: hall.space, member: aki.by, standing: 'BANNED' })
  const off = { kinds: ['ANSWER_REQUESTED'], channel: 'in-app', isOn: false }
  expect(await shop.do('chooseNotifications', off, { as: emi.token })).toMatchObject({
    __typename: 'ChooseNotificationsPayload',
  })
  await shop.do('requestAnswer', { question: other, member: leo.by })
  expect(await suggested(hall, question)).toEqual(['uma'])
  await shop.clock('2026-04-07T23:59:59Z')
  expect(await suggested(hall, question)).toEqual(['uma'])
  await shop.clock('2026-04-08T00:00:00Z')
  expect((await suggested(hall, question)).sort()).toEqual(['leo', 'uma'])
})

test('suggestions take one statement, however many there are', async () => {
  const hall = await openHall()
  const [mia, ken, aki] = await people(hall.shop, 'mia', 'ken', 'aki')
  await soap(hall.shop, ken)
  const question = await hall.ask(mia, { sku: 'SOAP' })
  const { statements } = hall.shop.ground
  const count = async () => {
    const before = statements.length
    await suggested(hall, question)
    return statements.length - before
  }
  const one = await count()
  await soap(hall.shop, aki)
  expect(await count()).toBe(one)
})

test('whoever is asked to answer is told, once', async () => {
  const hall = await openHall()
  const { shop } = hall
  const [mia, ken] = await people(shop, 'mia', 'ken')
  const question = await hall.ask(mia)
  for (let i = 0; i < 2; i++) await shop.do('requestAnswer', { question, member: ken.by })
  await shop.clock('2026-04-01T00:02:00Z')
  const text = '{ viewer { member { notifications(first: 5) { nodes { kind count object { title } } } } } }'
  const { data } = await shop.ask(ken.token, text)
  expect(data.viewer.member.notifications.nodes).toEqual([
    { kind: 'ANSWER_REQUESTED', count: 1, object: { title: 'How long does it keep?' } },
  ])
})

test('messages of these kinds are headed in either language', async () => {
  const hall = await openHall()
  const [row] = await hall.sql(
    "select texts::text from template where tenant_id = $1 and key = 'notification'",
    [hall.shop.tenant.id],
  )
  for (const words of [
    'ご質問への回答をお願いします',
    'ご投稿の場所が変わりました',
    'Can you answer this question?',
    'What you wrote has a new place',
    'ご質問の受付が終了しました',
    'Your question was closed',
  ])
    expect(String(row?.texts)).toContain(`%}${words}{%`)
})

test('tasks to answer are listed with their questions in as many statements as one', async () => {
  const hall = await openHall()
  const { shop } = hall
  const [mia] = await people(shop, 'mia')
  const count = async () => {
    const before = shop.ground.statements.length
    const { data } = await shop.ask(shop.staff, '{ tasks(first: 50) { nodes { question { title } } } }')
    return [data.tasks.nodes.length, shop.ground.statements.length - before]
  }
  await hall.ask(mia)
  await shop.clock('2026-04-03T00:00:00Z')
  const [, one] = await count()
  for (let i = 0; i < 3; i++) await hall.ask(mia, { title: `Number ${i}` })
  await shop.clock('2026-04-05T00:00:00Z')
  expect(await count()).toEqual([4, one])
})

test('staff are called when nobody has answered for 48 hours, not a second before, and once', async () => {
  const hall = await openHall()
  const { shop } = hall
  const [mia] = await people(shop, 'mia')
  const question = await hall.ask(mia)
  expect(await hall.stand(question)).toEqual({
    ...{ standing: 'OPEN', escalatesAt: '2026-04-03T00:00:00.000Z', escalatedAt: null },
  })
  await shop.clock('2026-04-02T23:59:59Z')
  expect(await hall.tasks()).toEqual([])
  await shop.clock('2026-04-03T00:00:00Z')
  expect(await hall.tasks()).toEqual(['ANSWER OPEN null'])
  await shop.clock('2026-05-01T00:00:00Z')
  expect(await hall.tasks()).toEqual(['ANSWER OPEN null'])
  expect(await hall.stand(question)).toEqual({
    ...{ standing: 'OPEN', escalatesAt: null, escalatedAt: '2026-04-03T00:00:00.000Z' },
  })
  const told = await hall.sql(
    `select payload from outbox where type = 'question.escalated' and tenant_id = $1
    union all select payload from event_log where type = 'question.escalated' and tenant_id = $1`,
    [shop.tenant.id],
  )
  expect(told).toHaveLength(1)
})

test('twenty workers at once call staff once', async () => {
  const hall = await openHall()
  const { shop } = hall
  const [mia] = await people(shop, 'mia')
  await hall.ask(mia)
  await hall.sql(`update question set escalates_at = '2026-03-31T00:00:00Z' where tenant_id = $1`, [
    shop.tenant.id,
  ])
  const settled = await Promise.all(
    Array.from({ length: 20 }, async () => (await hall.sql('select questions_settle_due(10) as n'))[0]?.n),
  )
  expect(settled.toSorted()).toEqual([...Array(19).fill(0), 1])
  expect(await hall.tasks()).toEqual(['ANSWER OPEN null'])
})

test.each([
  ['an answer', 'DONE', (hall: Hall, question: string) => hall.answer(null, question)],
  [
    'closing',
    'OVERTAKEN',
    ({ shop }: Hall, question: string) => shop.do('closeQuestion', { question, reason: 'SOLVED' }),
  ],
  [
    'removing',
    'OVERTAKEN',
    ({ shop }: Hall, contribution: string) => shop.do('removeContribution', { contribution }),
  ],
] as const)('%s ends the task, as %s', async (_what, outcome, happens) => {
  const hall = await openHall()
  const [mia] = await people(hall.shop, 'mia')
  const question = await hall.ask(mia)
  await hall.shop.clock('2026-04-03T00:00:00Z')
  await happens(hall, question)
  expect(await hall.tasks()).toEqual([`ANSWER COMPLETED ${outcome}`])
})

test('what is answered or closed in time calls nobody; what waits again waits anew', async () => {
  const hall = await openHall()
  const { shop } = hall
  const [mia, ken] = await people(shop, 'mia', 'ken')
  const [answered, closed] = [await hall.ask(mia), await hall.ask(mia, { title: 'Another' })]
  const answer = await hall.answer(ken, answered)
  await shop.do('closeQuestion', { question: closed, reason: 'UNCLEAR' })
  await shop.clock('2026-04-04T00:00:00Z')
  expect(await hall.tasks()).toEqual([])
  await shop.do('deleteContribution', { contribution: answer }, { as: ken.token })
  await shop.do('reopenQuestion', { question: closed })
  for (const question of [answered, closed])
    expect(await hall.stand(question)).toMatchObject({ escalatesAt: '2026-04-06T00:00:00.000Z' })
})

test('a space has its own time, and the others that of the shop', async () => {
  const hall = await openHall()
  const { shop, space } = hall
  const [mia] = await people(shop, 'mia')
  const other = await makeSpace(shop, 'tea', { kind: 'QA' })
  const [here, there] = [await hall.ask(mia), await hall.ask(mia, { space: other })]
  const when = async () => [
    ((await hall.stand(here)) as { escalatesAt: string }).escalatesAt, // stand asks for it
    ((await hall.stand(there)) as { escalatesAt: string }).escalatesAt,
  ]
  await shop.do('setQuestionCare', { space, escalatesAfter: 'PT2H' })
  expect(await when()).toEqual(['2026-04-01T02:00:00.000Z', '2026-04-03T00:00:00.000Z'])
  await shop.do('setQuestionCare', { escalatesAfter: 'P1D', faqViews: 7 })
  expect(await when()).toEqual(['2026-04-01T02:00:00.000Z', '2026-04-02T00:00:00.000Z'])
  await shop.do('setQuestionCare', { space, answersWithin: 'PT1H' })
  expect(await when()).toEqual([null, '2026-04-02T00:00:00.000Z'])
  const { data } = await shop.ask(
    shop.staff,
    '{ questionCare { escalatesAfter answersWithin faqViews faqDuplicates } }',
  )
  expect(data.questionCare).toEqual({
    escalatesAfter: 'P1D',
    answersWithin: null,
    faqViews: 7,
    faqDuplicates: 3,
  })
})

test('staff book what came of a question to answer; that it was overtaken nobody books', async () => {
  const hall = await openHall()
  const { shop } = hall
  const [mia] = await people(shop, 'mia')
  await hall.ask(mia)
  await shop.clock('2026-04-03T00:00:00Z')
  const { data } = await shop.ask(
    shop.staff,
    '{ tasks(first: 1) { nodes { id title body question { title } } } }',
  )
  const [task] = data.tasks.nodes
  expect(task).toMatchObject({
    title: 'A question waits for an answer',
    body: '',
    question: { title: 'How long does it keep?' },
  })
  expect(await shop.do('completeTask', { task: task.id, outcome: 'OVERTAKEN' })).toMatchObject({
    code: 'BAD_INPUT',
  })
  await shop.do('completeTask', { task: task.id, outcome: 'DECLINED', note: 'By phone.' })
  expect(await hall.tasks()).toEqual(['ANSWER COMPLETED DECLINED'])
})

test('a private consultation is seen by its asker, its expert, moderators and staff; the expert before sees it no more', async () => {
  const hall = await openHall()
  const { shop } = hall
  const [mia, ken, aki, emi] = await people(shop, 'mia', 'ken', 'aki', 'emi')
  await shop.do('placeInSpace', { space: hall.space, member: emi.by, standing: 'JOINED', role: 'MODERATOR' })
  const question = await hall.ask(mia, { kind: 'CONSULTATION', isPrivate: true })
  const seers = async () => {
    const seen = []
    for (const [name, { token }] of Object.entries({ mia, ken, aki, emi, staff: { token: shop.staff } })) {
      const { data } = await shop.ask(
        token,
        'query ($id: ID!) { node(id: $id) { id } questions(first: 5) { nodes { id } } }',
        { id: question },
      )
      expect(data.questions.nodes.length).toBe(data.node === null ? 0 : 1)
      if (data.node) seen.push(name)
    }
    return seen
  }
  expect(await seers()).toEqual(['mia', 'emi', 'staff'])
  expect(await shop.do('assignExpert', { question, expert: ken.by }, { as: aki.token })).toMatchObject({
    code: 'NOT_FOUND',
  })
  expect(await shop.do('assignExpert', { question, expert: ken.by }, { as: mia.token })).toMatchObject({
    reason: 'NOT_MODERATOR',
  })
  await shop.do('assignExpert', { question, expert: ken.by }, { as: emi.token })
  expect(await seers()).toEqual(['mia', 'ken', 'emi', 'staff'])
  await shop.do('assignExpert', { question, expert: aki.by })
  expect(await seers()).toEqual(['mia', 'aki', 'emi', 'staff'])
  await hall.answer(aki, question)
  await shop.do('assignExpert', { question })
  expect(await seers()).toEqual(['mia', 'aki', 'emi', 'staff'])
})

test('only consultations have an expert, and only one who may see the place and does not ask itself', async () => {
  const hall = await openHall()
  const { shop } = hall
  const [mia, ken] = await people(shop, 'mia', 'ken')
  const question = await hall.ask(mia)
  expect(await shop.do('assignExpert', { question, expert: ken.by })).toMatchObject({ code: 'BAD_INPUT' })
  const advice = await hall.ask(mia, { title: 'Advice', kind: 'CONSULTATION' })
  await shop.do('placeInSpace', { space: hall.space, member: ken.by, standing: 'BANNED' })
  for (const expert of [ken.by, mia.by])
    expect(await shop.do('assignExpert', { question: advice, expert })).toMatchObject({ code: 'NOT_FOUND' })
})
