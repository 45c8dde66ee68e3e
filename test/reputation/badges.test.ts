import { expect, it } from 'vitest'
import { settleBadges } from '../../api/domains/reputation/index.ts'
import { type TestMember, testApp } from '../support/app.ts'
import { openReputation, type ReputationHouse, uuidOf } from './house.ts'

const open = testApp({ role: 'web' })

/** Judges as the worker does, until nothing is left. */
async function judge({ shop }: ReputationHouse): Promise<void> {
  while ((await settleBadges(shop.ground.app.db.tenant(shop.tenant.id), 3)) > 0);
}

async function badges({ shop }: ReputationHouse, { by }: TestMember) {
  const query = 'query ($by: MemberBy!) { member(by: $by) { badges { key name times } } }'
  const { data } = await shop.ask(shop.staff, query, { by })
  const earned: { key: string; name: string; times: number }[] = data.member.badges
  return earned.map(({ key, times }) => `${key} ${times}`).sort()
}

const everybody = (house: ReputationHouse, ...names: string[]) =>
  house.people(...names) as Promise<[TestMember, TestMember, TestMember]>

it('gives a first answer, acceptance and thanks their badges, in the words of the tenant, and keeps them', async () => {
  const house = await openReputation(open)
  const [mia, ken] = await everybody(house, 'mia', 'ken')
  const question = await house.ask(mia)
  const answer = await house.answer(ken, question)
  await house.accept(mia, question, answer)
  await house.thank(mia, answer)
  await judge(house)
  expect(await badges(house, ken)).toEqual(['first-accepted 1', 'first-answer 1', 'first-thanks 1'])
  expect(await badges(house, mia)).toEqual([])
  await house.put(answer, 'REMOVED')
  await house.put(answer, 'PUBLISHED')
  await judge(house)
  expect(await badges(house, ken)).toEqual(['first-accepted 1', 'first-answer 1', 'first-thanks 1'])
  const shown =
    '{ questions { nodes { answers { nodes { author { helpedCount badges { name description } } } } } } }'
  const { data } = await house.shop.ask(mia.token, shown)
  const { author } = data.questions.nodes[0].answers.nodes[0]
  expect(author.helpedCount).toBe(1)
  expect(author.badges).toContainEqual({ name: 'はじめての回答', description: 'はじめて質問に答えました。' })
})

it('gives nobody a badge for answering itself', async () => {
  const house = await openReputation(open)
  const [mia] = await everybody(house, 'mia')
  await house.answer(mia, await house.ask(mia))
  await judge(house)
  expect(await badges(house, mia)).toEqual([])
})

it('judges what was done before a badge was defined, by every criterion of it, again for as much more', async () => {
  const house = await openReputation(open)
  const [mia, ken] = await everybody(house, 'mia', 'ken')
  for (let i = 0; i < 5; i++) await house.answer(ken, await house.ask(mia))
  await judge(house)
  const texts = { name: { en: 'Two', ja: '二' }, description: { en: 'Two.', ja: '二つ。' } }
  const define = (key: string, more: object) => house.shop.do('defineBadge', { key, ...texts, ...more })
  await define('pairs', { criteria: [{ count: 'ANSWERS', atLeast: 2 }], isRepeatable: true })
  await define('both', {
    criteria: [
      { count: 'ANSWERS', atLeast: 2 },
      { count: 'THANKS', atLeast: 1 },
    ],
  })
  await judge(house)
  expect(await badges(house, ken)).toEqual(['first-answer 1', 'pairs 2'])
  await house.thank(mia, await house.answer(ken, await house.ask(mia)))
  await judge(house)
  expect(await badges(house, ken)).toEqual(['both 1', 'first-answer 1', 'first-thanks 1', 'pairs 3'])
})

it('gives each badge once, with one event and its points, though twenty workers judge at once', async () => {
  const house = await openReputation(open)
  const { shop } = house
  const [mia, ken] = await everybody(house, 'mia', 'ken')
  const texts = { name: { en: 'One', ja: '一' }, description: { en: 'One.', ja: '一つ。' } }
  await shop.do('defineBadge', {
    ...{ key: 'paid', ...texts, criteria: [{ count: 'ANSWERS', atLeast: 1 }], points: 7 },
  })
  const rule = {
    name: { en: 'A badge', ja: 'バッジ' },
    on: { activity: 'badge.earned' },
    points: { formula: 'points' },
  }
  await shop.do('defineEarnRule', { key: 'badges', rule })
  await house.answer(ken, await house.ask(mia))
  const db = shop.ground.app.db.tenant(shop.tenant.id)
  const text = 'select badges_judge($1) as n'
  const judged = await Promise.all(
    Array.from({ length: 20 }, () => house.asOwner<{ n: number }>(text, [[uuidOf(ken), uuidOf(mia)]])),
  )
  expect(judged.reduce((sum, [row]) => sum + (row?.n ?? 0), 0)).toBe(2)
  await settleBadges(db, 100)
  expect(await badges(house, ken)).toEqual(['first-answer 1', 'paid 1'])
  expect(await house.points(ken)).toEqual([7])
  const activities = await house.query("select from activity where name = 'badge.earned'", [])
  expect(activities).toHaveLength(2)
})

it('gives none to whoever has left, and none for what was imported', async () => {
  const house = await openReputation(open)
  const [mia, ken] = await everybody(house, 'mia', 'ken')
  const answer = await house.answer(ken, await house.ask(mia))
  await house.answer(mia, await house.ask(ken))
  await house.asOwner("update contribution set source_key = 'se:post:1' where tenant_id = $1 and id = $2", [
    house.shop.tenant.id,
    answer,
  ])
  await house.shop.do('endMembership', { member: mia.by, end: 'LEFT' })
  await judge(house)
  expect([await badges(house, mia), await badges(house, ken)]).toEqual([[], []])
})
