import { expect, it } from 'vitest'
import { type TestMember, testApp } from '../support/app.ts'
import { idOfKind } from '../support/house.ts'
import { openReputation, type ReputationHouse } from './house.ts'

const open = testApp({ role: 'web' })

async function ties({ shop }: ReputationHouse, of: TestMember, as = of.token) {
  const query = `query ($by: MemberBy!) { member(by: $by) { connections {
    id strength acceptedCount thanksCount replyCount reactionCount isIntroduced } } }`
  const { data, errors } = await shop.ask(as, query, { by: of.by })
  return errors[0]?.code ?? data.member?.connections ?? null
}

/** mia asked, ken solved it and noa voted for it, a while before now. */
async function talk(testClock?: string) {
  const house = await openReputation(open, testClock === undefined ? {} : { testClock })
  const [mia, ken, noa] = (await house.people('mia', 'ken', 'noa')) as [TestMember, TestMember, TestMember]
  const question = await house.ask(mia)
  const answer = await house.answer(ken, question)
  await house.accept(mia, question, answer)
  await house.thank(mia, answer)
  await house.vote(mia, answer)
  await house.vote(noa, answer)
  return { house, mia, ken, noa, question, answer }
}

it('ties whoever helped to whom it helped, both ways, and halves that in half a year', async () => {
  const { house, mia, ken } = await talk('2026-01-01T00:00:00Z')
  const tie = { acceptedCount: 1, thanksCount: 1, replyCount: 1, reactionCount: 1, isIntroduced: false }
  expect(await ties(house, ken)).toEqual([{ id: mia.id, strength: 11, ...tie }])
  expect(await ties(house, mia)).toEqual([{ id: ken.id, strength: 11, ...tie }])
  await house.shop.clock('2026-06-30T00:00:00Z')
  expect(await ties(house, ken)).toEqual([{ id: mia.id, strength: 5.5, ...tie }])
  await house.shop.clock('2028-01-02T00:00:00Z')
  expect(await ties(house, ken)).toEqual([])
})

it('ties those who were introduced to each other', async () => {
  const { house, mia, noa } = await talk()
  const wish = { isOpenToIntroductions: true }
  for (const { token } of [mia, noa]) await house.shop.do('saveProfile', wish, { as: token })
  await house.shop.do('proposeIntroduction', { to: noa.id }, { as: mia.token })
  expect((await ties(house, noa)).length).toBe(0)
  await house.shop.do('answerIntroduction', { to: mia.id, accepts: true }, { as: noa.token })
  expect(await ties(house, noa)).toMatchObject([{ id: mia.id, strength: 5, isIntroduced: true }])
})

it('ties nobody by votes alone, by what is gone, to whom one blocked, or who left', async () => {
  const { house, mia, ken, noa, answer } = await talk()
  expect(await ties(house, noa)).toEqual([])
  await house.put(answer, 'REMOVED')
  expect(await ties(house, ken)).toEqual([])
  await house.put(answer, 'PUBLISHED')
  expect(await ties(house, ken)).toMatchObject([{ id: mia.id, acceptedCount: 0 }])
  const blocked = { contribution: idOfKind('Answer', answer) }
  await house.shop.do('blockAuthor', blocked, { as: mia.token })
  expect([await ties(house, ken), await ties(house, mia)]).toEqual([[], []])
  await house.shop.do('unblockAuthor', blocked, { as: mia.token })
  await house.shop.do('endMembership', { member: mia.by, end: 'LEFT' })
  expect(await ties(house, ken)).toEqual([])
})

it('tells ties to the member itself, and staff who may read communities', async () => {
  const { house, mia, ken } = await talk()
  expect(await ties(house, ken, house.shop.staff)).toMatchObject([{ id: mia.id }])
  expect(await ties(house, ken, mia.token)).toBeNull()
  expect(await ties(house, ken, await house.shop.token('staff', 'anna', 'members:read'))).toBe('FORBIDDEN')
})

it('counts whom a member helped once each: who asked, had the same trouble or gave thanks, where it still stands', async () => {
  const { house, ken, mia, noa, question, answer } = await talk()
  const helped = async () =>
    (await house.shop.ask(ken.token, '{ viewer { member { helpedCount } } }')).data.viewer.member.helpedCount
  expect(await helped()).toBe(1) // mia asked and thanked
  await house.shop.do('addMeToo', { question: idOfKind('Question', question) }, { as: noa.token })
  expect(await helped()).toBe(2)
  await house.thank(noa, answer)
  expect(await helped()).toBe(2)
  await house.accept(mia, question, null)
  expect(await helped()).toBe(2) // by their thanks
  await house.put(question, 'REMOVED')
  expect(await helped()).toBe(0)
})
