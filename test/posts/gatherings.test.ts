import { beforeAll, describe, expect, it, test } from 'vitest'
import { calendarOf } from '../../api/domains/posts/calendar.ts'
import type { TestMember } from '../support/app.ts'
import { headOf, history } from '../support/history.ts'
import { type House, houses, look, publish } from './house.ts'

const open = houses()
let house: House
beforeAll(async () => {
  house = await open()
})

const when = { startsAt: '2026-05-01T09:00:00Z', endsAt: '2026-05-01T11:00:00Z', place: 'Kyoto' }
const newGathering = (seats?: number, more: object = {}) =>
  publish(house.shop, {
    space: house.club,
    kind: 'EVENT',
    title: 'Tea',
    gathering: { ...when, seats, ...more },
  })
const answer = async (by: TestMember, post: string, isComing = true) =>
  (await house.shop.do('answerGathering', { post, isComing }, { as: by.token, select: 'answer' })).answer
const standing = async (post: string) => {
  const fields = 'gathering { taken waiting guests { displayName answer } }'
  const { gathering } = await look(house.shop, post, fields)
  return [gathering.taken, gathering.waiting, gathering.guests]
}
const crowdOf = (name: string, n: number) =>
  Promise.all(Array.from({ length: n }, (_, i) => house.shop.member(`${name} ${i}`)))

describe('a gathering', () => {
  it('never gives more seats than it has to twenty who come at once, and seats them as others leave', async () => {
    const post = await newGathering(7)
    const crowd = await crowdOf('guest', 20)
    const answers = await Promise.all(crowd.map((by) => answer(by, post)))
    expect(answers.filter((each) => each === 'COMING')).toHaveLength(7)
    expect(answers.filter((each) => each === 'WAITING')).toHaveLength(13)
    // Half of all leave at once, seated or not.
    await Promise.all(crowd.slice(0, 10).map((by) => answer(by, post, false)))
    expect((await standing(post)).slice(0, 2)).toEqual([7, 3])
    await Promise.all(crowd.slice(10).map((by) => answer(by, post, false)))
    expect((await standing(post)).slice(0, 2)).toEqual([0, 0])
  })

  it('seats whoever has waited longest when somebody leaves, and tells so', async () => {
    const { shop, mia, aki, mod } = house
    const post = await newGathering(1)
    expect(await answer(mia, post)).toBe('COMING')
    expect(await answer(aki, post)).toBe('WAITING')
    expect(await answer(mod, post)).toBe('WAITING')
    expect(await answer(aki, post)).toBe('WAITING')
    const before = await headOf(shop)
    expect(await answer(mia, post, false)).toBe('LEFT')
    expect((await look(shop, post, 'gathering { viewerAnswer }', aki)).gathering.viewerAnswer).toBe('COMING')
    const told = await history(shop, shop.staff, { after: before, types: ['gathering.seat_given'] })
    expect(told.map(({ member }) => member?.id)).toEqual([aki.id])
    expect(await answer(mia, post)).toBe('WAITING')
    await answer(aki, post, false)
    expect((await look(shop, post, 'gathering { viewerAnswer }', mod)).gathering.viewerAnswer).toBe('COMING')
  })

  it('passes over who may not see it any more', async () => {
    const { shop, mia } = house
    const [gone, next] = await crowdOf('waits', 2)
    if (!gone || !next) throw new Error('nobody waits')
    const post = await newGathering(1)
    await answer(mia, post)
    await answer(gone, post)
    await answer(next, post)
    await shop.do('endMembership', { member: gone.by, end: 'LEFT' })
    await answer(mia, post, false)
    const [, , guests] = await standing(post)
    expect(guests).toContainEqual({ displayName: 'waits 1', answer: 'COMING' })
    expect(guests).toContainEqual({ displayName: 'waits 0', answer: 'WAITING' })
  })

  it('takes as many as like without seats, and nobody when it is over', async () => {
    const { shop, mia, aki } = house
    const post = await newGathering()
    expect([await answer(mia, post), await answer(aki, post)]).toEqual(['COMING', 'COMING'])
    await shop.clock('2026-05-01T11:00:00Z')
    const said = await shop.do('answerGathering', { post, isComing: false }, { as: mia.token })
    expect(said).toMatchObject({ __typename: 'AccessDeniedError', reason: 'GATHERING_OVER' })
  })
})

test('a calendar gets the gathering as RFC 5545 has it', () => {
  const text = calendarOf({
    ...{ id: 'x', title: 'お茶会; tea, rice\\', place: 'あ'.repeat(30), revision: 2 },
    ...{ startsAt: new Date('2026-05-01T09:00:00Z'), endsAt: new Date('2026-05-01T11:00:00Z') },
    ...{ createdAt: new Date('2026-04-01T00:00:00Z'), editedAt: null },
  })
  expect(text.split('\r\n')).toEqual([
    ...[
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:-//Engawa//EN',
      'BEGIN:VEVENT',
      'UID:x@engawa',
      'SEQUENCE:1',
    ],
    ...['DTSTAMP:20260401T000000Z', 'DTSTART:20260501T090000Z', 'DTEND:20260501T110000Z'],
    'SUMMARY:お茶会\\; tea\\, rice\\\\',
    ...[`LOCATION:${'あ'.repeat(22)}`, ` ${'あ'.repeat(8)}`, 'END:VEVENT', 'END:VCALENDAR', ''],
  ])
})
