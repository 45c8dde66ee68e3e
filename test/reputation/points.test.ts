import { expect, it } from 'vitest'
import { type TestMember, testApp } from '../support/app.ts'
import { openReputation, type ReputationHouse } from './house.ts'

const open = testApp({ role: 'web' })

/** Ten points for a vote for an answer and three for a post, 25 a day at most. */
const rule = {
  name: { en: 'A vote', ja: '投票' },
  on: { activity: 'vote.received' },
  points: { formula: '10 * answer + 3 * post' },
  caps: { perMember: { points: 25, per: 'DAY' } },
}

async function paying(testClock = '2026-04-01T14:59:00Z') {
  const house = await openReputation(open, { testClock })
  await house.shop.do('defineEarnRule', { key: 'votes', rule })
  const [ken, ...voters] = await house.people('ken', 'a', 'b', 'c', 'd')
  if (!ken) throw new Error('nobody')
  const answer = await house.answer(ken, await house.ask(voters[0] ?? null))
  return { house, ken, voters, answer }
}

async function differences({ shop }: ReputationHouse) {
  return (await shop.ask(shop.staff, '{ ledgerCheck { differences { expected } } }')).data.ledgerCheck
    .differences
}

it('pays nobody for votes until a rule says so', async () => {
  const house = await openReputation(open)
  const [ken, mia] = (await house.people('ken', 'mia')) as [TestMember, TestMember]
  await house.vote(mia, await house.answer(ken, await house.ask(mia)))
  expect([await house.points(ken), await house.totals(ken)]).toEqual([[0], [10]])
})

it('pays a vote for an answer by its own lot, and takes that very lot back with the vote', async () => {
  const { house, ken, voters, answer } = await paying()
  for (const voter of voters.slice(0, 2)) await house.vote(voter, answer)
  expect(await house.points(ken)).toEqual([20])
  for (let i = 0; i < 3; i++)
    for (const isOn of [false, true]) await house.vote(voters[0] as TestMember, answer, 'UP', isOn)
  expect(await house.points(ken)).toEqual([20])
  await house.vote(voters[0] as TestMember, answer, 'DOWN')
  expect(await house.points(ken)).toEqual([10])
  const rows = await house.query('select from activity where name = $1', ['vote.received'])
  expect(rows).toHaveLength(1)
  expect(await differences(house)).toEqual([])
})

it('keeps to the cap of the rule by the day of the tenant', async () => {
  const { house, ken, voters, answer } = await paying()
  for (const voter of voters.slice(0, 3)) await house.vote(voter, answer)
  expect(await house.points(ken)).toEqual([25])
  await house.shop.clock('2026-04-01T15:00:00Z') // midnight in Tokyo
  await house.vote(voters[3] as TestMember, answer)
  expect(await house.points(ken)).toEqual([35])
})

it('takes back what a moderator removes, owes what was spent, and pays again for what comes back', async () => {
  const { house, ken, voters, answer } = await paying()
  for (const voter of voters.slice(0, 2)) await house.vote(voter, answer)
  await house.shop.do('spendPoints', { member: ken.by, points: 15, reason: 'Soap' })
  await house.put(answer, 'REMOVED')
  const [wallet] = await house.query<object>(
    "select available::int, debt::int from wallet where currency = 'POINTS' and available + debt > 0",
    [],
  )
  expect([await house.totals(ken), wallet]).toEqual([[0], expect.anything()])
  const owed = await house.points(ken)
  await house.put(answer, 'PUBLISHED')
  expect([await house.totals(ken), owed, await house.points(ken)]).toEqual([[20], [-15], [5]])
  expect(await differences(house)).toEqual([])
})

it('pays a vote for a post as the rule has it, and nobody who has left', async () => {
  const { house, ken, voters, answer } = await paying()
  const space = await house.shop.do(
    'defineSpace',
    {
      key: 'hall',
      space: { kind: 'COMMUNITY', name: { en: 'Hall', ja: '広間' }, purpose: { en: 'To talk', ja: '話す' } },
    },
    { select: 'space { id }' },
  )
  const said = { space: space.space.id, body: 'Hi.' }
  const { post } = await house.shop.do('publishPost', said, { as: ken.token, select: 'post { id }' })
  for (const { token } of voters.slice(0, 2))
    await house.shop.do('react', { contribution: post.id, kind: 'UP' }, { as: token })
  expect([await house.points(ken), await house.totals(ken)]).toEqual([[6], [10]])
  await house.shop.do('endMembership', { member: ken.by, end: 'LEFT' })
  const before = await house.points(ken)
  await house.vote(voters[0] as TestMember, answer)
  expect(await house.points(ken)).toEqual(before)
})
