import { expect, it } from 'vitest'
import { type TestMember, testApp } from '../support/app.ts'
import { type House, openQuestions } from './house.ts'

const open = testApp()

async function checked({ shop }: House) {
  return (await shop.ask(shop.staff, '{ ledgerCheck { differences { expected } } }')).data.ledgerCheck
    .differences
}

it('pays ten points for an accepted answer, and takes exactly that lot back', async () => {
  const house = await openQuestions(open)
  const [mia, ken] = [await house.shop.member('mia'), await house.shop.member('ken')]
  const question = await house.ask(mia)
  expect(await house.state(question)).toBe('OPEN')
  const answer = await house.answer(ken, question)
  expect(await house.state(question)).toBe('ANSWERED')
  expect(await house.accept(mia, question, answer)).toBe('done')
  expect(await house.points(mia, ken)).toEqual([0, 10])
  expect(await house.state(question)).toBe('ACCEPTED')
  expect(await house.accept(mia, question, null)).toBe('done')
  expect(await house.points(mia, ken)).toEqual([0, 0])
  expect(await house.state(question)).toBe('ANSWERED')
  expect(await checked(house)).toEqual([])
})

it('pays nobody for an answer to its own question', async () => {
  const house = await openQuestions(open)
  const mia = await house.shop.member('mia')
  const question = await house.ask(mia)
  expect(await house.accept(mia, question, await house.answer(mia, question))).toBe('done')
  expect(await house.points(mia)).toEqual([0])
})

it('accepts only answers to the very question, by whoever asked, and not behind the back of another tab', async () => {
  const house = await openQuestions(open)
  const [mia, ken] = [await house.shop.member('mia'), await house.shop.member('ken')]
  const [question, other] = [await house.ask(mia), await house.ask(mia)]
  const [answer, stray] = [await house.answer(ken, question), await house.answer(ken, other)]
  expect(await house.accept(mia, question, stray)).toBe('not_found')
  expect(await house.accept(ken, question, answer)).toBe('access_denied')
  expect(await house.accept(mia, question, answer, stray)).toBe('not_found')
  expect(await house.accept(mia, question, answer, answer)).toBe('accepted_answer_changed')
  expect(await house.accept(mia, question, answer, null)).toBe('done')
  expect(await house.accept(mia, question, null, null)).toBe('accepted_answer_changed')
  expect(await house.points(ken)).toEqual([10])
})

it.each([
  ['the answer is removed', (h: House, _q: string, a: string) => h.put(a, 'REMOVED')],
  ['the answer is deleted', (h: House, _q: string, a: string) => h.put(a, 'DELETED')],
  ['the question is removed', (h: House, q: string) => h.put(q, 'REMOVED')],
])('takes the points back when %s', async (_when, happens) => {
  const house = await openQuestions(open)
  const [mia, ken] = [await house.shop.member('mia'), await house.shop.member('ken')]
  const question = await house.ask(mia)
  const answer = await house.answer(ken, question)
  await house.accept(mia, question, answer)
  await happens(house, question, answer)
  expect(await house.points(ken)).toEqual([0])
  expect(await house.accepted(question)).toBeNull()
  expect(await checked(house)).toEqual([])
})

it('accepts through staff when whoever asked has left', async () => {
  const house = await openQuestions(open)
  const [mia, ken] = [await house.shop.member('mia'), await house.shop.member('ken')]
  const question = await house.ask(mia)
  const answer = await house.answer(ken, question)
  await house.shop.do('endMembership', { member: mia.by, end: 'LEFT' })
  expect(await house.accept(mia, question, answer)).toBe('not_found')
  expect(await house.accept(null, question, answer)).toBe('done')
  expect(await house.points(ken)).toEqual([10])
})

it('stays with one accepted answer and exact sums when 50 clients accept and take back 20 answers', async () => {
  const house = await openQuestions(open)
  const mia = await house.shop.member('mia')
  const members = await Promise.all(Array.from({ length: 10 }, (_, i) => house.shop.member(`m${i}`)))
  const question = await house.ask(mia)
  const answers: { id: string; by: TestMember }[] = []
  for (let i = 0; i < 20; i++) {
    const by = i < 2 ? mia : (members[i % 10] as TestMember) // there are ten
    answers.push({ by, id: await house.answer(by, question) })
  }
  const toggles = Array.from({ length: 50 }, async (_, client) => {
    for (let turn = 0; turn < 2; turn++) {
      const pick = answers[(client * 7 + turn * 3) % 20]
      await house.accept(mia, question, turn % 2 === 0 ? (pick?.id ?? null) : null)
    }
  })
  await Promise.all(toggles)
  expect(await house.points(mia, ...members)).toEqual(Array(11).fill(0))
  const last = answers.at(-1)
  await house.accept(mia, question, last?.id ?? null)
  expect(await house.accepted(question)).toBe(last?.id)
  expect(await house.points(mia, ...members)).toEqual([
    0,
    ...members.map((each) => (each === last?.by ? 10 : 0)),
  ])
  expect(await checked(house)).toEqual([])
})

it('takes twenty answers at once, and counts them all', async () => {
  const house = await openQuestions(open)
  const mia = await house.shop.member('mia')
  const question = await house.ask(mia)
  const answers = await Promise.all(Array.from({ length: 20 }, () => house.answer(mia, question)))
  expect(new Set(answers).size).toBe(20)
  const [row] = await house.query<{ answer_count: number }>(
    'select answer_count from contribution where id = $1',
    [question],
  )
  expect(row?.answer_count).toBe(20)
})
