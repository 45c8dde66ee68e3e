// Who is in a space is counted for those who see it, and named only when it wants to be.
import { expect, test } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { idOfKind, makeSpace, write } from '../support/house.ts'

const open = testApp({ role: 'web' })

const QUERY = `query ($space: ID!, $thread: ID) {
  presence(space: $space, thread: $thread) { present typing people { displayName } } }`
const seen = async (shop: Shop, { token }: TestMember, space: string, thread?: string) =>
  (await shop.ask(token, QUERY, { space, thread })).data.presence

test('who is there is counted for a minute, who writes for ten seconds, and named who wants to be', async () => {
  const shop = await open({ testClock: '2026-04-01T00:00:00Z' })
  const [mia, aki, eve] = [await shop.member('mia'), await shop.member('aki'), await shop.member('eve')]
  await shop.do('saveProfile', { hasPresence: true }, { as: mia.token })
  const space = await makeSpace(shop, 'club')
  const typingIn = idOfKind('Comment', await write(shop, { space: 'club', kind: 'POST', by: 'mia' }))
  await shop.do('beHere', { space, typingIn }, { as: mia.token })
  await shop.do('beHere', { space }, { as: aki.token })
  const people = [{ displayName: 'mia' }]
  expect(await seen(shop, eve, space, typingIn)).toEqual({ present: 2, typing: 1, people })
  await shop.clock('2026-04-01T00:00:10Z')
  expect(await seen(shop, eve, space, typingIn)).toEqual({ present: 2, typing: 0, people })
  await shop.do('blockMember', { other: eve.id }, { as: mia.token })
  expect(await seen(shop, eve, space)).toEqual({ present: 2, typing: 0, people: [] })
  await shop.do('pauseMembership', {}, { as: aki.token })
  expect(await seen(shop, eve, space)).toEqual({ present: 1, typing: 0, people: [] })
  await shop.clock('2026-04-01T00:01:00Z')
  expect(await seen(shop, eve, space)).toEqual({ present: 0, typing: 0, people: [] })
})

test('who writes is told of the one thread, to those who see it, by who sees it', async () => {
  const shop = await open()
  const [mia, eve] = [await shop.member('mia'), await shop.member('eve')]
  const space = await makeSpace(shop, 'club')
  const post = async (more: object = {}) =>
    idOfKind('Comment', await write(shop, { space: 'club', kind: 'POST', by: 'mia', ...more }))
  const [one, other, hidden] = [await post(), await post(), await post({ isPrivate: true })]
  await shop.do('beHere', { space, typingIn: one }, { as: mia.token })
  expect(await seen(shop, eve, space, one)).toMatchObject({ present: 1, typing: 1 })
  expect(await seen(shop, eve, space, other)).toMatchObject({ present: 1, typing: 0 })
  await shop.do('beHere', { space, typingIn: hidden }, { as: mia.token })
  expect(await seen(shop, mia, space, hidden)).toMatchObject({ present: 1, typing: 1 })
  expect(await seen(shop, eve, space, hidden)).toBeNull()
  const beHere = await shop.do('beHere', { space, typingIn: hidden }, { as: eve.token })
  expect(beHere).toMatchObject({ code: 'NOT_FOUND' })
})

test('nobody is counted for, nor is there, who may not see the space', async () => {
  const shop = await open()
  const [mia, eve] = [await shop.member('mia'), await shop.member('eve')]
  const space = await makeSpace(shop, 'secret', { join: 'INVITATION', isListed: false })
  await shop.do('placeInSpace', { space, member: mia.by, standing: 'JOINED' })
  await shop.do('beHere', { space }, { as: mia.token })
  expect(await seen(shop, eve, space)).toBeNull()
  expect(await shop.do('beHere', { space }, { as: eve.token })).toMatchObject({ code: 'NOT_FOUND' })
  expect((await seen(shop, mia, space)).present).toBe(1)
})
