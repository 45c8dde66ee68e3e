// What others decide of a member and of what it wrote is told to it, with what the decision says, and to nobody else.
import { beforeAll, expect, test } from 'vitest'
import { type House, houses, publish } from '../posts/house.ts'
import { tell } from '../support/house.ts'
import type { TestMember } from '../support/shop.ts'

const open = houses()
let house: House
beforeAll(async () => {
  house = await open()
})

/** What a member was told of these kinds, the newest first. */
async function news({ token }: TestMember, ...kinds: string[]) {
  await tell(house.shop)
  const query = `{ viewer { member { notifications(first: 50) { nodes {
    kind count target object { title state } actors { displayName isStaff } } } } } }`
  const { data } = await house.shop.ask(token, query)
  const { nodes } = data.viewer.member.notifications
  return nodes.filter(({ kind }: { kind: string }) => kinds.includes(kind))
}

const JUDGEMENT =
  'query ($id: ID!) { node(id: $id) { ... on Post { state judgement { state note canAppeal } } } }'
const judgement = async (id: string, { token }: { token: string }) =>
  (await house.shop.ask(token, JUDGEMENT, { id })).data.node

test('whoever waited for a seat is told that there is one, and the voters of an idea what became of it', async () => {
  const { shop, club, mia, aki, mod } = house
  const gathering = {
    startsAt: '2026-05-01T09:00:00Z',
    endsAt: '2026-05-01T11:00:00Z',
    place: 'Kyoto',
    seats: 1,
  }
  const tea = await publish(shop, { space: club, kind: 'EVENT', title: 'Tea', gathering })
  for (const [by, isComing] of [
    [mia, true],
    [aki, true],
    [mia, false],
  ] as const)
    await shop.do('answerGathering', { post: tea, isComing }, { as: by.token })
  const told = { count: 1, target: null, actors: [] }
  expect(await news(aki, 'SEAT_GIVEN')).toEqual([
    { ...told, kind: 'SEAT_GIVEN', object: { title: 'Tea', state: 'PUBLISHED' } },
  ])
  expect(await news(mia, 'SEAT_GIVEN')).toEqual([])
  const idea = await publish(shop, { space: club, kind: 'IDEA', title: 'Refills' }, mia)
  await shop.do('voteForIdea', { post: idea, votes: 2 }, { as: aki.token })
  await shop.do('setIdeaStatus', { post: idea, status: 'PLANNED' }, { as: mod.token })
  for (const by of [mia, aki]) expect(await news(by, 'IDEA')).toHaveLength(1)
  expect(await news(mod, 'IDEA')).toEqual([])
})

test('what a moderator takes away at once is a case: its author is told, reads why nobody else does, and may appeal', async () => {
  const { shop, club, mia, aki, mod } = house
  const post = await publish(shop, { space: club, title: 'Cheap pills' }, mia)
  expect(await judgement(post, mia)).toEqual({ state: 'PUBLISHED', judgement: null })
  await shop.do('removeContribution', { contribution: post }, { as: mod.token })
  const removed = { state: 'REMOVED', judgement: { state: 'REMOVED', note: null, canAppeal: true } }
  expect(await judgement(post, mia)).toEqual(removed)
  expect([await judgement(post, aki), await judgement(post, mod)]).toEqual([
    null,
    { state: 'REMOVED', judgement: null },
  ])
  expect(await news(mia, 'JUDGED')).toEqual([
    {
      kind: 'JUDGED',
      count: 1,
      target: null,
      object: { title: 'Cheap pills', state: 'REMOVED' },
      actors: [],
    },
  ])
  expect(await news(aki, 'JUDGED')).toEqual([])
  const appeal = { contribution: post, text: 'They are not.' }
  expect((await shop.do('appealModeration', appeal, { as: mia.token })).__typename).toBe(
    'AppealModerationPayload',
  )
  const query = '{ moderationQueue { nodes { version reason decidedBy history { step actor } } } }'
  const [asked] = (await shop.ask(mod.token, query)).data.moderationQueue.nodes
  expect(asked.history).toEqual([
    { step: 'APPEALED', actor: 'member:mia' },
    { step: 'OPENED', actor: 'member:mia' },
    { step: 'REMOVED', actor: 'member:mod' },
    { step: 'OPENED', actor: 'member:mod' },
  ])
  const decision = { contribution: post, version: asked.version, decision: 'KEPT', note: 'You are right.' }
  await shop.do('decideModeration', decision)
  expect(await judgement(post, mia)).toEqual({
    ...{ state: 'PUBLISHED', judgement: { state: 'KEPT', note: 'You are right.', canAppeal: false } },
  })
  expect(await news(mia, 'JUDGED')).toMatchObject([{ count: 2, object: { state: 'PUBLISHED' } }])
})

test('whoever flags is told when it was answered, and reads what; an author whose text stays is not bothered', async () => {
  const { shop, club, mia, aki } = house
  const post = await publish(shop, { space: club, title: 'Fine' }, mia)
  await shop.do('markNotificationsRead', { until: '2026-04-01T00:00:00Z' }, { as: mia.token })
  await shop.do('flagContribution', { contribution: post, reason: 'SPAM' }, { as: aki.token })
  const flags = async () => {
    const query = '{ viewer { member { flags { nodes { reason state contribution { title } } } } } }'
    return (await shop.ask(aki.token, query)).data.viewer.member.flags.nodes
  }
  expect(await flags()).toEqual([{ reason: 'SPAM', state: 'OPEN', contribution: { title: 'Fine' } }])
  expect(await news(aki, 'FLAG_ANSWERED')).toEqual([])
  await shop.do('decideModeration', { contribution: post, version: 2, decision: 'KEPT' })
  expect(await flags()).toEqual([{ reason: 'SPAM', state: 'REJECTED', contribution: { title: 'Fine' } }])
  expect(await news(aki, 'FLAG_ANSWERED')).toMatchObject([{ count: 1, object: null, actors: [] }])
  expect(await news(mia, 'JUDGED')).toMatchObject([{ count: 2 }]) // what was told before
})

test('whoever is asked into a space, or let in, is told which; nobody is of what it does itself', async () => {
  const { shop, lab, club, mia, aki } = house
  await shop.do('placeInSpace', { space: lab, member: mia.by, standing: 'INVITED' })
  await shop.do('joinSpace', { space: lab }, { as: mia.token })
  await shop.do('joinSpace', { space: club }, { as: mia.token })
  expect(await news(mia, 'SPACE')).toEqual([
    { kind: 'SPACE', count: 1, target: lab, object: null, actors: [] },
  ])
  const { space } = await shop.do(
    'defineSpace',
    {
      key: 'salon',
      space: {
        kind: 'COMMUNITY',
        name: { en: 'S', ja: 'S' },
        purpose: { en: 'P', ja: 'P' },
        join: 'REQUEST',
      },
    },
    { select: 'space { id }' },
  )
  await shop.do('joinSpace', { space: space.id }, { as: aki.token })
  expect(await news(aki, 'SPACE')).toEqual([])
  await shop.do('placeInSpace', { space: space.id, member: aki.by, standing: 'JOINED' })
  expect(await news(aki, 'SPACE')).toMatchObject([{ target: space.id }])
})

test('a notification counts who did it, and names three of them', async () => {
  const { shop, club, mod } = house
  const post = await publish(shop, { space: club, title: 'Hello' }, mod)
  for (const name of ['ann', 'bea', 'cho', 'dan'])
    await shop.do('addComment', { on: post, body: `I am ${name}.` }, { as: (await shop.member(name)).token })
  const [told] = await news(mod, 'COMMENT')
  expect([told.count, told.actors.length]).toEqual([4, 3])
  expect(told.actors.every(({ isStaff }: { isStaff: boolean }) => !isStaff)).toBe(true)
})
