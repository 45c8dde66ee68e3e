import { beforeAll, expect, test } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { makeSpace } from '../support/house.ts'
import { publish } from './house.ts'

const open = testApp({ role: 'web' })
let shop: Shop
let mia: TestMember

/** A post on the 1st, a question on the 2nd and a post on the 3rd; on the 4th somebody answers the question. */
beforeAll(async () => {
  shop = await open({ testClock: '2026-04-01T00:00:00Z' })
  mia = await shop.member('mia')
  const [talk, qa] = [await makeSpace(shop, 'talk'), await makeSpace(shop, 'qa', { kind: 'QA' })]
  await publish(shop, { space: talk, title: 'One', tags: ['Know-How'] }, mia)
  await shop.clock('2026-04-02T00:00:00Z')
  const asked = { space: qa, title: 'Two?', body: 'Who knows?', tags: ['Know-How'], sku: 'SOAP' }
  const { question } = await shop.do('askQuestion', asked, { as: mia.token, select: 'question { id }' })
  await shop.clock('2026-04-03T00:00:00Z')
  const three = await publish(shop, { space: talk, title: 'Three' }, mia)
  await shop.do('react', { contribution: three, kind: 'UP' }, { as: (await shop.member('ken')).token })
  await shop.clock('2026-04-04T00:00:00Z')
  await shop.do('answerQuestion', { question: question.id, body: 'I do.' })
})

const titles = async (args: string, list = 'threads') => {
  const { data, errors } = await shop.ask(mia.token, `{ ${list}${args} { nodes { title } } }`)
  return errors[0] ?? data[list].nodes.map(({ title }: { title: string }) => title)
}

test.each([
  ['', ['Two?', 'Three', 'One']],
  ['(orderBy: NEW)', ['Three', 'Two?', 'One']],
  ['(orderBy: TOP, first: 1)', ['Three']],
  ['(kinds: [POST])', ['Three', 'One']],
  ['(kinds: [CONTENT, FAQ])', []],
  ['(sku: "SOAP")', ['Two?']],
  ['(tag: "ＫＮＯＷ-how")', ['Two?', 'One']],
])('the forum%s shows posts and questions side by side: %j', async (args, expected) => {
  expect(await titles(args)).toEqual(expected)
})

test('a tag is one in whatever case and width, in every list', async () => {
  expect(await titles('(tag: "ＫＮＯＷ-how")', 'questions')).toEqual(['Two?'])
  const { data } = await shop.ask(
    mia.token,
    '{ space(key: "talk") { posts(tag: "KNOW-HOW") { nodes { title } } } }',
  )
  expect(data.space.posts.nodes).toEqual([{ title: 'One' }])
})

test('a reply begins no thread', async () => {
  expect(await titles('(kinds: [POST, ANSWER])')).toMatchObject({ code: 'BAD_INPUT', field: 'kinds' })
})
