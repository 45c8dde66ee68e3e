import { beforeAll, expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { idOfKind, makeSpace, tell, write } from '../support/house.ts'
import type { TestMember } from '../support/shop.ts'

const open = testApp({ role: 'web' })
let shop: Shop
let aki: TestMember
let emi: TestMember
let space: string
const LIST = `{ viewer { member { unreadNotifications notifications { nodes {
  id kind at readAt count actorCount object { title body author { displayName } space { name } } } } } } }`
const MINE = `{ viewer { notificationSettings { choices { kind channel isOn } places { kind target level isPaused }
  digest { period time weekday channels nextAt } } } }`

beforeAll(async () => {
  shop = await open({ testClock: '2026-04-01T00:00:00Z', locale: 'en' })
  ;[aki, emi] = [await shop.member('aki'), await shop.member('emi')]
  space = await makeSpace(shop, 'garden')
  const roses = idOfKind(
    'Comment',
    await write(shop, { space: 'garden', kind: 'POST', by: 'aki', title: 'Roses' }),
  )
  await shop.do('addComment', { on: roses, body: 'Canary.' }, { as: emi.token })
  await tell(shop)
})

const listOf = async ({ token }: TestMember) => (await shop.ask(token, LIST)).data.viewer.member

test('a member reads what it was told, with what it is about, in a constant number of statements', async () => {
  const { unreadNotifications, notifications } = await listOf(aki)
  expect(notifications.nodes).toMatchObject([
    {
      ...{ kind: 'COMMENT', at: '2026-04-01T00:00:00.000Z', readAt: null, count: 1, actorCount: 1 },
      object: { title: null, body: 'Canary.', author: { displayName: 'emi' }, space: { name: 'garden' } },
    },
  ])
  expect(unreadNotifications).toBe(1)
  const { statements } = await shop.ask(aki.token, LIST)
  expect(statements.length).toBeLessThanOrEqual(4)
})

test('once the place is lost the notification tells nothing of it and is not counted, until the member is back', async () => {
  await shop.do('disableSpace', { space })
  const answer = await shop.ask(aki.token, LIST)
  const { unreadNotifications, notifications } = answer.data.viewer.member
  await shop.do('enableSpace', { space })
  expect(notifications.nodes).toMatchObject([{ kind: 'COMMENT', count: 0, actorCount: 0, object: null }])
  expect([unreadNotifications, JSON.stringify(answer).includes('Canary')]).toEqual([0, false])
  expect((await listOf(aki)).unreadNotifications).toBe(1)
})

test("nobody reads or marks another's notifications", async () => {
  const { notifications } = await listOf(aki)
  const [{ id }] = notifications.nodes
  expect((await listOf(emi)).notifications.nodes).toEqual([])
  const { data } = await shop.ask(emi.token, 'query ($id: ID!) { node(id: $id) { id } }', { id })
  expect(data.node).toBeNull()
  expect(
    await shop.do('markNotificationsRead', { notifications: [id] }, { as: emi.token, select: 'read' }),
  ).toMatchObject({ __typename: 'NotFoundError', what: 'notification' })
  expect((await listOf(aki)).unreadNotifications).toBe(1)
})

test('what is marked read is read, once', async () => {
  const until = { until: '2026-04-01T00:00:00Z' }
  const first = await shop.do('markNotificationsRead', until, { as: aki.token, select: 'read' })
  const again = await shop.do('markNotificationsRead', until, { as: aki.token, select: 'read' })
  expect([first.read, again.read, (await listOf(aki)).unreadNotifications]).toEqual([1, 0, 0])
})

test('settings of a space that was lost are listed as paused, and can be taken away', async () => {
  const settings = async () => (await shop.ask(emi.token, MINE)).data.viewer.notificationSettings
  await shop.do('setSpaceNotifications', { space, level: 'ALL' }, { as: emi.token })
  const place = { kind: 'SPACE', target: space, level: 'ALL', isPaused: false }
  expect((await settings()).places).toContainEqual(place)
  await shop.do('disableSpace', { space })
  expect((await settings()).places).toContainEqual({ ...place, isPaused: true })
  const removed = await shop.do('setSpaceNotifications', { space }, { as: emi.token })
  const again = await shop.do('setSpaceNotifications', { space, level: 'ALL' }, { as: emi.token })
  await shop.do('enableSpace', { space })
  expect([removed.__typename, again.code]).toEqual(['SetSpaceNotificationsPayload', 'NOT_FOUND'])
  expect((await settings()).places).not.toContainEqual(expect.objectContaining({ target: space }))
})

test('kinds and channels are chosen, and a digest is set by its hour and day', async () => {
  await shop.do('chooseNotifications', { kinds: ['POST'], channel: 'in-app', isOn: false }, { as: emi.token })
  await shop.do('setDigest', { period: 'WEEKLY', weekday: 'FRI', channels: ['inbox'] }, { as: emi.token })
  const { choices, digest } = (await shop.ask(emi.token, MINE)).data.viewer.notificationSettings
  expect(choices).toEqual([{ kind: 'POST', channel: 'in-app', isOn: false }])
  expect(digest).toEqual({
    ...{ period: 'WEEKLY', time: '08:00', weekday: 'FRI', channels: ['inbox'] },
    nextAt: '2026-04-02T23:00:00.000Z',
  })
  const strange = await shop.do('chooseNotifications', { channel: 'pigeon', isOn: true }, { as: emi.token })
  expect(strange).toMatchObject({ code: 'BAD_INPUT', field: 'input.channel' })
})

test('one click in a message ends the consent, also when the membership is over', async () => {
  const { links } = shop.ground.app
  const [emis] = await shop.ground.app.db.tenant(shop.tenant.id).query<{ id: string }>({
    text: `select id from member where own() and external_id = 'emi'`,
    values: [],
  })
  const given = { member: emi.by, purpose: 'community', channel: 'email', textVersion: 'v1', source: 'form' }
  await shop.do('giveConsent', given)
  await shop.do('endMembership', { member: emi.by, end: 'LEFT' })
  const url = links.unsubscribeUrl({
    tenant: shop.tenant.id,
    member: emis?.id ?? '',
    purpose: 'community',
    channel: 'email',
  })
  const { status } = await fetch(new URL(new URL(url).pathname, shop.url), { method: 'POST' })
  const query = `query ($by: MemberBy!) { member(by: $by) { consents { nodes { state } } } }`
  const { data } = await shop.ask(shop.staff, query, { by: emi.by })
  expect([status, data.member.consents.nodes]).toEqual([200, [{ state: 'WITHDRAWN' }]])
})
