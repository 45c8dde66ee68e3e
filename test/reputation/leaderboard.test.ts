import { expect, it } from 'vitest'
import { encodeId } from '../../api/graph/ids.ts'
import { type TestMember, testApp } from '../support/app.ts'
import { idOfKind, makeSpace, write } from '../support/house.ts'
import { openReputation } from './house.ts'

const open = testApp({ role: 'web' })
const SPAN = 'from: "2026-04-01T00:00:00Z", until: "2026-05-01T00:00:00Z"'

it('ranks by what was gained in the span, the space and the sight of whoever looks, and leaves out who left', async () => {
  const house = await openReputation(open, { testClock: '2026-04-01T00:00:00Z' })
  const { shop } = house
  const [mia, ken, noa] = (await house.people('mia', 'ken', 'noa')) as [TestMember, TestMember, TestMember]
  await makeSpace(shop, 'club', { see: { attribute: { name: 'vip', equals: true } } })
  await shop.do('updateMember', { member: noa.by, attributes: { vip: true } })
  const post = await write(shop, { space: 'club', kind: 'POST', by: noa.by.externalId })
  await shop.do('updateMember', { member: mia.by, attributes: { vip: true } })
  await house.vote(mia, post)
  await house.vote(mia, await house.answer(ken, await house.ask(mia)))
  const look = async (token: string, args = SPAN) => {
    const { data } = await shop.ask(token, `{ leaderboard(${args}) { id gained rank } }`)
    return data.leaderboard.map(({ id, gained, rank }: { id: string; gained: number; rank: number }) => [
      [mia, ken, noa].findIndex((member) => member.id === id),
      gained,
      rank,
    ])
  }
  expect(await look(shop.staff)).toEqual([
    [1, 10, 1],
    [2, 5, 2],
  ])
  expect(await look(mia.token)).toEqual([
    [1, 10, 1],
    [2, 5, 2],
  ])
  expect(await look(ken.token)).toEqual([[1, 10, 1]])
  expect(await look(shop.staff, `space: "${encodeId('Space', house.space)}", ${SPAN}`)).toEqual([[1, 10, 1]])
  expect(await look(shop.staff, 'from: "2026-03-01T00:00:00Z", until: "2026-04-01T00:00:00Z"')).toEqual([])
  await shop.do('blockAuthor', { contribution: idOfKind('Post', post) }, { as: mia.token })
  expect(await look(mia.token)).toEqual([[1, 10, 1]])
  await shop.do('endMembership', { member: ken.by, end: 'LEFT' })
  expect(await look(shop.staff)).toEqual([[2, 5, 1]])
})

it('refuses a span that ends before it begins', async () => {
  const { shop } = await openReputation(open)
  const query = '{ leaderboard(from: "2026-05-01T00:00:00Z", until: "2026-04-01T00:00:00Z") { rank } }'
  expect((await shop.ask(shop.staff, query)).errors).toMatchObject([{ code: 'BAD_INPUT', field: 'until' }])
})
