import { beforeAll, expect, test } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { headOf, history } from '../support/history.ts'
import { idOfKind, makeSpace, write } from '../support/house.ts'

const open = testApp()
let shop: Shop
let mia: TestMember
beforeAll(async () => {
  shop = await open({ testClock: '2026-04-01T00:00:00Z' })
  mia = await shop.member('mia')
  await makeSpace(shop, 'tea')
  await shop.do('defineModeration', {
    ...{ limits: [], repeatWithin: 'PT5M', reviewFirst: 0, hideAt: 8, keepFor: 'P14D', keepShare: 50 },
    trust: [
      { level: 1, threads: 2, days: 2, given: 0, received: 0, within: 'P30D' },
      { level: 2, threads: 9, days: 9, given: 0, received: 0 },
    ],
  })
})

const trust = async () => {
  const query =
    'query ($by: MemberBy!) { member(by: $by) { trust { level criteria { level criterion needs has isMet } } } }'
  return (await shop.ask(mia.token, query, { by: mia.by })).data.member.trust
}
const readOne = async () => {
  const thread = idOfKind('Comment', await write(shop, { space: 'tea', kind: 'POST' }))
  await shop.do('markRead', { thread }, { as: mia.token })
}

test('reading on several days earns trust, one is told how far one is, and it fades slowly', async () => {
  const after = await headOf(shop)
  await readOne()
  expect(await trust()).toEqual({
    level: 0,
    criteria: expect.arrayContaining([
      { level: 1, criterion: 'THREADS_READ', needs: 2, has: 1, isMet: false },
      { level: 2, criterion: 'DAYS_VISITED', needs: 9, has: 1, isMet: false },
    ]),
  })
  await shop.clock('2026-04-02T00:00:00Z')
  await readOne()
  expect((await trust()).level).toBe(1)
  // One visit in the month is half of what the level asks: enough to stay.
  await shop.clock('2026-05-10T00:00:00Z')
  await readOne()
  expect((await trust()).level).toBe(1)
  await shop.clock('2026-07-01T00:00:00Z')
  const { comment } = await shop.do(
    'addComment',
    { on: idOfKind('Comment', await write(shop, { space: 'tea', kind: 'POST' })), body: 'Back again.' },
    { as: mia.token, select: 'comment { id }' },
  )
  expect(comment.id).toBeDefined()
  expect((await trust()).level).toBe(0)
  const told = await history(shop, shop.staff, { after, types: ['trust.changed'] })
  expect(told.map(({ at }) => at.slice(0, 10))).toEqual(['2026-04-02', '2026-07-01'])
})
