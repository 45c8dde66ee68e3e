import { beforeAll, expect, test } from 'vitest'
import { deliverDue } from '../../api/domains/touchpoints/index.ts'
import { type Shop, testApp } from '../support/app.ts'
import type { TestMember } from '../support/shop.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'
let shop: Shop
let count = 0

beforeAll(async () => {
  shop = await open({ testClock: NOW })
})

const TASK = `id kind title body assignee deadlineAt state outcome note cost { amount currency } createdAt completedAt
  member { externalId } touchpoint { state }`

/** Gives somebody a task about a new member. */
async function given(data: object = { kind: 'CALL', assignee: 'anna' }, more: object = {}) {
  const member = await shop.member(`mia ${count++}`)
  return { member, task: await taskFor(member, data, more) }
}

async function taskFor(member: TestMember, data: object, more: object = {}) {
  const content = { title: 'Call', body: 'Ask how it is.', data }
  await shop.do('sendTouchpoint', {
    to: { member: member.by },
    channels: ['task'],
    content,
    purpose: 'service',
    ...more,
  })
  await deliverDue(shop.ground.app.db, shop.tenant.id, shop.ground.app.delivery)
  const { data: found } = await shop.ask(shop.staff, `{ tasks(last: 1) { nodes { ${TASK} } } }`)
  const [task] = found.tasks.nodes
  return task?.member.externalId === member.by.externalId ? task : undefined
}

const complete = (task: { id: string }, outcome: string, more: object = {}) =>
  shop.do('completeTask', { task: task.id, outcome, ...more }, { select: `task { ${TASK} }` })

test('a touch through the channel task is a task with its script, for whom it names, until its end', async () => {
  const { member, task } = await given(undefined, { expiresAt: '2026-04-09T00:00:00Z' })
  expect(task).toEqual({
    ...{ id: expect.any(String), kind: 'CALL', title: 'Call', body: 'Ask how it is.', assignee: 'anna' },
    ...{ deadlineAt: '2026-04-09T00:00:00.000Z', state: 'OPEN', outcome: null, note: null, cost: null },
    ...{ createdAt: '2026-04-01T00:00:00.000Z', completedAt: null },
    member: { externalId: member.by.externalId },
    touchpoint: { state: 'ACCEPTED' },
  })
})

test('a deadline of its own comes before the end of the touch, and a template may tell who does it', async () => {
  const { task } = await given(
    { kind: 'VISIT', deadline: '2026-04-03T09:00:00+09:00' },
    { expiresAt: '2026-04-09T00:00:00Z' },
  )
  expect(task).toMatchObject({ kind: 'VISIT', assignee: null, deadlineAt: '2026-04-03T00:00:00.000Z' })
  const data = { kind: 'LETTER', assignee: '{{ parameters.who }}' }
  await shop.do('saveTemplate', {
    key: 'letter',
    texts: [{ locale: 'ja', kind: 'task', title: 'x', body: 'y', data }],
  })
  const member = await shop.member('with a template')
  const said = { content: null, template: 'letter', parameters: { who: 'bert' } }
  expect(await taskFor(member, {}, said)).toMatchObject({ kind: 'LETTER', assignee: 'bert', title: 'x' })
})

test.each([
  ['DONE', 'CALL', 'DELIVERED', ['delivered', 'replied']],
  ['DONE', 'LETTER', 'DELIVERED', ['delivered']],
  ['NOT_REACHED', 'CALL', 'REFUSED', ['failed']],
  ['DECLINED', 'CALL', 'DELIVERED', ['delivered', 'replied']],
])('%s of a %s is reported by the channel: the touch is %s', async (outcome, kind, state, kinds) => {
  const { task } = await given({ kind })
  const cost = { amount: '500', currency: 'JPY' }
  const done = await complete(task, outcome, { note: 'On the second try.', cost })
  expect(done.task).toMatchObject({
    ...{ state: 'COMPLETED', outcome, note: 'On the second try.', cost },
    ...{ completedAt: '2026-04-01T00:00:00.000Z', touchpoint: { state } },
  })
  const { data } = await shop.ask(shop.staff, '{ doubtfulDeliveries { nodes { id } } }')
  expect(data.doubtfulDeliveries.nodes).toEqual([])
  const text = `select array_agg(s.kind order by s.kind) as kinds from signal s
    where own(s) and s.delivery_id = (select t.id from task t where own(t) and t.outcome is not null order by t.id desc limit 1)`
  expect(await shop.ground.app.db.tenant(shop.tenant.id).query({ text, values: [] })).toEqual([{ kinds }])
})

test('who declined is given no further task', async () => {
  const { member, task } = await given()
  await complete(task, 'DECLINED')
  expect(await taskFor(member, { kind: 'CALL' })).toEqual(expect.objectContaining({ id: task.id }))
  const query = `{ member(by: {externalId: "${member.by.externalId}"}) { timeline(first: 1) { nodes { ... on Touchpoint { state } } } } }`
  const { data } = await shop.ask(shop.staff, query)
  expect(data.member.timeline.nodes).toEqual([{ state: 'NOT_SENT' }])
})

test('of twenty that complete a task at once one does', async () => {
  const { task } = await given()
  const answers = await Promise.all(Array.from({ length: 20 }, () => complete(task, 'DONE')))
  expect(answers.filter(({ __typename }) => __typename === 'CompleteTaskPayload')).toHaveLength(1)
  expect(answers.filter(({ code, what }) => code === 'NOT_FOUND' && what === 'open task')).toHaveLength(19)
})

test('tasks are listed by person and state', async () => {
  const own = await open({ testClock: NOW })
  const mia = await own.member('mia')
  for (const assignee of ['anna', 'bert', 'anna']) {
    const content = { title: 'Call', body: 'Ask.', data: { kind: 'CALL', assignee } }
    await own.do('sendTouchpoint', {
      to: { member: mia.by },
      channels: ['task'],
      content,
      purpose: 'service',
    })
  }
  await deliverDue(own.ground.app.db, own.tenant.id, own.ground.app.delivery)
  const list = async (args: string) =>
    (await own.ask(own.staff, `{ tasks(${args}) { nodes { id assignee } } }`)).data.tasks.nodes
  const [first] = await list('assignee: "anna", first: 1')
  await own.do('completeTask', { task: first.id, outcome: 'DONE' })
  expect((await list('first: 9')).map(({ assignee }: { assignee: string }) => assignee)).toEqual([
    'anna',
    'bert',
    'anna',
  ])
  expect(await list('assignee: "anna", state: COMPLETED')).toEqual([first])
  expect(await list('assignee: "anna", state: OPEN')).toHaveLength(1)
  expect(await list('assignee: "nobody"')).toEqual([])
})

test('a cost below zero, and a note without words, are bad input', async () => {
  const { task } = await given()
  const cost = { amount: -1, currency: 'JPY' }
  expect(await complete(task, 'DONE', { cost })).toMatchObject({
    code: 'BAD_INPUT',
    field: 'input.cost.amount',
  })
  expect(await complete(task, 'DONE', { note: ' ' })).toMatchObject({
    code: 'BAD_INPUT',
    field: 'input.note',
  })
})
