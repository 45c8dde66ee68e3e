import { expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { makeSpace, spaceNamed, write } from '../support/house.ts'

const open = testApp({ role: 'web' })
/** A Monday, 08:59 in Tokyo. */
const MONDAY = '2026-04-05T23:59:00Z'
const WEEK = { weekdays: [1, 2, 3, 4, 5], from: '09:00', to: '18:00' }

const covered = async (shop: Shop, as = shop.staff) =>
  (await shop.ask(as, '{ space(key: "help") { isCovered coverChangesAt } }')).data.space

test('a space tells whether somebody is there, to the minute, by the zone of the shop', async () => {
  const shop = await open({ testClock: MONDAY })
  await makeSpace(shop, 'help', { cover: [WEEK] })
  const { token } = await shop.member('mia')
  expect(await covered(shop, token)).toEqual({ isCovered: false, coverChangesAt: '2026-04-06T00:00:00.000Z' })
  await shop.clock('2026-04-06T00:00:00Z')
  expect(await covered(shop, token)).toEqual({ isCovered: true, coverChangesAt: '2026-04-06T09:00:00.000Z' })
  await shop.clock('2026-04-10T09:00:00Z')
  expect(await covered(shop, token)).toEqual({ isCovered: false, coverChangesAt: '2026-04-13T00:00:00.000Z' })
})

test('shifts that meet are one, over midnight too; a space that says nothing has none', async () => {
  const shop = await open({ testClock: MONDAY })
  const night = [
    { weekdays: [1], from: '20:00', to: '24:00' },
    { weekdays: [2], from: '00:00', to: '06:00' },
  ]
  await makeSpace(shop, 'help', { cover: night })
  await shop.clock('2026-04-06T14:30:00Z')
  expect(await covered(shop)).toEqual({ isCovered: true, coverChangesAt: '2026-04-06T21:00:00.000Z' })
  await makeSpace(shop, 'help')
  expect(await covered(shop)).toEqual({ isCovered: null, coverChangesAt: null })
})

test('a community opens only with an owner, cover, a theme, a goal and something to read, when one asks for that', async () => {
  const shop = await open()
  const space = await makeSpace(shop, 'help')
  const ready = (input: object = { isReadyOnly: true }) =>
    shop.do('enableSpace', { space, ...input }, { select: 'space { isEnabled lacks }' })
  await shop.do('disableSpace', { space })
  expect(await ready()).toMatchObject({ __typename: 'AccessDeniedError', reason: 'NOT_READY' })
  const lacking = ['OWNER', 'COVER', 'CONTENT', 'THEME', 'GOAL']
  expect((await ready({})).space).toEqual({ isEnabled: true, lacks: lacking })
  await shop.do('defineSpace', {
    key: 'help',
    space: { ...spaceNamed('help'), owner: 'anna', cover: [WEEK] },
  })
  await write(shop, { space: 'help', kind: 'POST' })
  expect((await ready({})).space.lacks).toEqual(['THEME', 'GOAL'])
  expect(await ready()).toMatchObject({ reason: 'NOT_READY' })
  const both = { en: 'Dry skin', ja: '乾燥肌' }
  const whole = { ...spaceNamed('help'), owner: 'anna', cover: [WEEK], theme: both, goal: both }
  await shop.do('defineSpace', { key: 'help', space: whole })
  expect((await ready()).space).toEqual({ isEnabled: true, lacks: [] })
})

test('a space that closes outside its hours takes nothing from members then, and tells when it opens', async () => {
  const shop = await open({ testClock: MONDAY })
  const closing = { cover: [WEEK], isClosedOutsideCover: true }
  const space = await makeSpace(shop, 'help', closing)
  const [mia, ken] = [await shop.member('mia'), await shop.member('ken')]
  await shop.do('placeInSpace', { space, member: ken.by, standing: 'JOINED', role: 'MODERATOR' })
  const said = { space, kind: 'TALK', body: 'Is anybody there?' }
  const post = async (as: string, body = said.body) =>
    shop.do('publishPost', { ...said, body }, { as, select: 'post { id }' })
  const closed = { code: 'ACCESS_DENIED', reason: 'NOT_COVERED', retryAfter: 60 }
  expect(await post(mia.token)).toMatchObject(closed)
  const { id } = (await post(ken.token)).post
  expect(await shop.do('addComment', { on: id, body: 'Me too.' }, { as: mia.token })).toMatchObject(closed)
  expect(await shop.do('react', { contribution: id, kind: 'UP' }, { as: mia.token })).not.toHaveProperty(
    'code',
  )
  await shop.clock('2026-04-06T00:00:00Z')
  expect(await post(mia.token)).toHaveProperty('post.id')
  await shop.clock('2026-04-06T09:00:00Z')
  expect(await post(mia.token, 'Still?')).toMatchObject({ ...closed, retryAfter: 15 * 3600 })
  await shop.do('defineSpace', { key: 'help', space: { ...spaceNamed('help'), cover: [WEEK] } })
  expect(await post(mia.token, 'Still?')).toHaveProperty('post.id')
})

test('only a space with hours closes outside them', async () => {
  const shop = await open()
  const asked = { key: 'help', space: { ...spaceNamed('help'), isClosedOutsideCover: true } }
  expect(await shop.do('defineSpace', asked)).toMatchObject({
    ...{ code: 'BAD_INPUT', field: 'input.space.isClosedOutsideCover' },
  })
})

test.each([
  [{ weekdays: [1], from: '9:00', to: '18:00' }, 'input.space.cover.0.from'],
  [{ weekdays: [0], from: '09:00', to: '18:00' }, 'input.space.cover.0.weekdays.0'],
  [{ weekdays: [1], from: '18:00', to: '09:00' }, 'input.space.cover.0'],
])('hours such as %j are refused by their place', async (shift, field) => {
  const shop = await open()
  const asked = { key: 'help', space: { ...spaceNamed('help'), cover: [shift] } }
  expect(await shop.do('defineSpace', asked)).toMatchObject({ code: 'BAD_INPUT', field })
})

test('a place for questions needs neither theme nor goal', async () => {
  const shop = await open()
  await makeSpace(shop, 'ask', { kind: 'QA' })
  const { data } = await shop.ask(shop.staff, '{ space(key: "ask") { lacks } }')
  expect(data.space.lacks).toEqual(['OWNER', 'COVER', 'CONTENT'])
})

test('members do not see who looks after a space, nor what it lacks', async () => {
  const shop = await open()
  await makeSpace(shop, 'help', { owner: 'anna' })
  const { token } = await shop.member('mia')
  const { data } = await shop.ask(token, '{ space(key: "help") { key owner lacks isWelcome } }')
  expect(data.space).toEqual({ key: 'help', owner: null, lacks: null, isWelcome: false })
})
