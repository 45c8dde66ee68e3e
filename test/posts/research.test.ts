import { beforeAll, describe, expect, it, test } from 'vitest'
import type { TestMember } from '../support/app.ts'
import { type House, houses, look, publish } from './house.ts'

const open = houses()
let house: House
beforeAll(async () => {
  house = await open()
})

const form = [
  { key: 'smell', label: 'How does it smell?', kind: 'SCALE', isRequired: true },
  { key: 'colour', label: 'Which colour?', kind: 'CHOICE', choices: ['Blue', 'Green'] },
  { key: 'else', label: 'Anything else?', kind: 'TEXT' },
]
const about = { title: 'Soap', description: 'A new soap.', form }
const cooks = { attribute: { name: 'role', equals: 'cook' } }

describe('a panel', () => {
  it('is there for those who are invited, and what they answer for staff', async () => {
    const { shop, mia } = house
    const cook = await shop.member('cook', { attributes: { role: 'cook' } })
    await shop.do('openResearchPanel', { key: 'soap', ...about, invitees: cooks })
    const list = '{ research(key: "soap") { kind hasViewerAnswered form { key kind } } }'
    expect((await shop.ask(mia.token, list)).data.research).toEqual([])
    expect((await shop.ask(cook.token, list)).data.research).toMatchObject([
      { kind: 'PANEL', hasViewerAnswered: false },
    ])
    const answers = [
      { question: 'smell', number: 5 },
      { question: 'colour', words: 'Blue' },
    ]
    const answer = (by: TestMember, given: object[]) =>
      shop.do('answerResearch', { key: 'soap', answers: given }, { as: by.token })
    expect(await answer(mia, answers)).toMatchObject({ __typename: 'NotFoundError' })
    for (const wrong of [
      [],
      [{ question: 'smell', number: 6 }],
      [...answers, { question: 'rank', number: 1 }],
      [
        { question: 'smell', number: 1 },
        { question: 'colour', words: 'Red' },
      ],
    ]) {
      expect(await answer(cook, wrong)).toMatchObject({ code: 'BAD_INPUT', field: 'input.answers' })
    }
    await answer(cook, [{ question: 'smell', number: 1 }])
    await answer(cook, answers)
    const told = `{ research(key: "soap") { inviteeCount answers { question number words displayName } } }`
    const [research] = (await shop.ask(shop.staff, told)).data.research
    expect(research.inviteeCount).toBe(1)
    expect(research.answers).toHaveLength(2)
    expect(research.answers).toContainEqual({
      question: 'smell',
      number: 5,
      words: null,
      displayName: 'cook',
    })
    expect((await shop.ask(cook.token, told)).errors).toMatchObject([
      { code: 'FORBIDDEN' },
      { code: 'FORBIDDEN' },
    ])
    expect((await shop.ask(cook.token, list)).data.research).toMatchObject([{ hasViewerAnswered: true }])
  })
})

describe('a test sale', () => {
  const take = (by: TestMember, key: string, quantity = 1) =>
    house.shop.do(
      'takeFromTestSale',
      { key, quantity },
      { as: by.token, select: 'quantity research { left }' },
    )

  it('never sells more than it has to twenty at once', async () => {
    const { shop } = house
    await shop.do('openTestSale', { key: 'few', ...about, stock: 7 })
    const crowd = await Promise.all(Array.from({ length: 20 }, (_, i) => shop.member(`buyer ${i}`)))
    const said = await Promise.all(crowd.map((by) => take(by, 'few')))
    expect(said.filter(({ quantity }) => quantity === 1)).toHaveLength(7)
    expect(said.filter(({ reason }) => reason === 'SOLD_OUT')).toHaveLength(13)
    const { data } = await shop.ask(shop.staff, '{ research(key: "few") { left } }')
    expect(data.research).toEqual([{ left: 0 }])
    expect(await shop.do('openTestSale', { key: 'few', ...about, stock: 6 })).toMatchObject({
      field: 'input.stock',
    })
    await shop.do('openTestSale', { key: 'few', ...about, stock: 8 })
    expect((await shop.ask(shop.staff, '{ research(key: "few") { left } }')).data.research).toEqual([
      { left: 1 },
    ])
  })

  it('gives each member as many as it may have, while it is open, and asks who took something', async () => {
    const { shop, mia } = house
    const sale = { key: 'many', ...about, stock: 50, perMember: 2, closesAt: '2026-04-03T00:00:00Z' }
    await shop.do('openTestSale', sale)
    const answers = [{ question: 'smell', number: 3 }]
    const answer = () => shop.do('answerResearch', { key: 'many', answers }, { as: mia.token })
    expect(await answer()).toMatchObject({ reason: 'NOT_TAKEN' })
    expect(await take(mia, 'many', 2)).toMatchObject({ quantity: 2, research: { left: 48 } })
    expect(await take(mia, 'many')).toMatchObject({ reason: 'LIMIT_REACHED' })
    expect((await answer()).__typename).toBe('AnswerResearchPayload')
    await shop.clock('2026-04-03T00:00:00Z')
    expect(await take(await shop.member('late'), 'many')).toMatchObject({ reason: 'RESEARCH_CLOSED' })
  })
})

describe('a complaint', () => {
  const complaints = async (by?: TestMember) => {
    const query = '{ complaints { nodes { state reason post { id } resolution { body } } } }'
    return (await house.shop.ask(by?.token ?? house.shop.staff, query)).data.complaints.nodes
  }

  it('opens a case about the post, and how it was settled stands in the thread', async () => {
    const { shop, club, mia, aki, mod } = house
    const post = await publish(shop, { space: club, body: 'It broke.' }, mia)
    expect(await shop.do('markAsComplaint', { post }, { as: aki.token })).toMatchObject({
      reason: 'NOT_AUTHOR',
    })
    for (const reason of ['Broken', 'Again'])
      await shop.do('markAsComplaint', { post, reason }, { as: mia.token })
    const opened = [{ state: 'OPEN', reason: 'Broken', post: { id: post }, resolution: null }]
    expect([await complaints(mia), await complaints(mod), await complaints(aki)]).toEqual([
      opened,
      opened,
      [],
    ])
    const body = 'We sent a new one.'
    expect(await shop.do('resolveComplaint', { post, body }, { as: mia.token })).toMatchObject({
      reason: 'NOT_MODERATOR',
    })
    await shop.do('resolveComplaint', { post, body })
    expect(await complaints()).toMatchObject([{ state: 'RESOLVED', resolution: { body } }])
    expect(
      (await look(shop, post, 'comments { nodes { body author { isStaff } } }', aki)).comments.nodes,
    ).toEqual([{ body, author: { isStaff: true } }])
    expect(await shop.do('resolveComplaint', { post, body })).toMatchObject({
      message: 'There is no such complaint.',
    })
  })
})

test('stumbles are counted by feature, those of most members first', async () => {
  const { shop, mia, aki } = house
  const report = (by: TestMember, feature: string) => shop.do('reportStumble', { feature }, { as: by.token })
  for (const by of [mia, mia, aki]) await report(by, 'checkout')
  for (const by of [mia, mia, mia, mia]) await report(by, 'search')
  const query = '{ stumbles { feature count members } }'
  expect((await shop.ask(shop.staff, query)).data.stumbles).toEqual([
    { feature: 'checkout', count: 3, members: 2 },
    { feature: 'search', count: 4, members: 1 },
  ])
  expect((await shop.ask(mia.token, query)).errors).toMatchObject([{ code: 'FORBIDDEN' }])
})
