import { beforeAll, expect, test } from 'vitest'
import { deliverDue } from '../../api/domains/touchpoints/index.ts'
import { decodeId } from '../../api/graph/ids.ts'
import { type Shop, testApp } from '../support/app.ts'
import { onServer } from '../support/server.ts'
import type { TestMember } from '../support/shop.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z' // nine in the morning in Tokyo, a Wednesday
let shop: Shop
let mia: TestMember

beforeAll(async () => {
  shop = await open({ testClock: NOW })
  mia = await shop.member('mia', { timeZone: 'Asia/Tokyo' })
})

const content = { title: 'Hello', body: 'There.' }
const TOUCH =
  'touchpoint { id member { externalId } channel channels purpose state plannedAt } broadcast { id state planned } warnings'

const send = (own: Shop, input: object, as = own.staff) =>
  own.do('sendTouchpoint', { purpose: 'service', content, ...input }, { as, select: TOUCH })

const inboxOf = async (own: Shop, { token }: TestMember) => {
  const { data } = await own.ask(token, '{ viewer { member { inbox { nodes { title body } } } } }')
  return data.viewer.member.inbox.nodes
}

/** The member states which channels it likes best. */
const prefers = (own: Shop, { id }: TestMember, channels: string[]) =>
  onServer(own.ground.databaseUrl, (client) =>
    client.query('insert into preference (tenant_id, member_id, channels) values ($1, $2, $3)', [
      own.tenant.id,
      decodeId(id, 'id').id,
      channels,
    ]),
  )

const deliver = (own: Shop) => deliverDue(own.ground.app.db, own.tenant.id, own.ground.app.delivery)

test('a message to a member is planned through the channels in their order, and arrives', async () => {
  const own = await open({ testClock: NOW })
  const ken = await own.member('ken')
  const sent = await send(own, { to: { member: ken.by }, channels: ['line', 'inbox', 'line'] })
  expect(sent).toEqual({
    __typename: 'SendTouchpointPayload',
    touchpoint: {
      id: expect.any(String),
      member: { externalId: 'ken' },
      ...{ channel: 'line', channels: ['line', 'inbox'], purpose: 'service', state: 'PLANNED' },
      plannedAt: '2026-04-01T00:00:00.000Z',
    },
    broadcast: null,
    warnings: [],
  })
  await deliver(own)
  expect(await inboxOf(own, ken)).toEqual([content])
})

test('without channels it goes by what suits the member, and its own wish comes first', async () => {
  const own = await open({ testClock: NOW })
  await own.do('saveContactPolicy', {
    channelRules: [{ audience: { attribute: { name: 'age', atLeast: 65 } }, channels: ['task', 'inbox'] }],
  })
  const old = await own.member('old', { attributes: { age: 70 } })
  const channelsOf = async (member: TestMember) =>
    (await send(own, { to: { member: member.by } })).touchpoint.channels
  expect(await channelsOf(await own.member('young'))).toEqual(['inbox'])
  expect(await channelsOf(old)).toEqual(['task', 'inbox'])
  await prefers(own, old, ['line', 'task'])
  expect(await channelsOf(old)).toEqual(['line', 'task', 'inbox'])
})

test('a template is said with its parameters, and one that is not there is bad input', async () => {
  const own = await open({ testClock: NOW, locale: 'en' })
  const ken = await own.member('ken')
  const by = { to: { member: ken.by }, content: null }
  await send(own, { ...by, template: 'thank-you', parameters: { order: 'B-1' } })
  expect(await send(own, { ...by, template: 'nothing' })).toMatchObject({
    code: 'BAD_INPUT',
    field: 'input.template',
  })
  await deliver(own)
  expect(await inboxOf(own, ken)).toMatchObject([{ title: 'Thank you for your purchase' }])
})

test('a local time is the next one where the member lives, and moves with the member', async () => {
  const own = await open({ testClock: NOW })
  const ken = await own.member('ken', { timeZone: 'Asia/Tokyo' })
  const monday = { to: { member: ken.by }, at: { local: { time: '08:00', weekdays: ['MON'] } } }
  const { touchpoint } = await send(own, monday)
  expect(touchpoint.plannedAt).toBe('2026-04-05T23:00:00.000Z')
  const next = async () =>
    (
      await own.ask(
        own.staff,
        '{ member(by: {externalId: "ken"}) { nextTouch { ... on PlannedTouch { at } } } }',
      )
    ).data.member.nextTouch.at
  await own.do('updateMember', { member: ken.by, timeZone: 'America/New_York' })
  expect(await next()).toBe('2026-04-06T12:00:00.000Z')
  const date = await send(own, {
    to: { member: ken.by },
    at: { local: { time: '02:30', date: '2027-03-14' } },
  })
  expect(date.touchpoint.plannedAt).toBe('2027-03-14T07:00:00.000Z')
})

test('sent again with the same key it is one touch; with another input it is refused', async () => {
  const input = { idempotencyKey: 'send-1', to: { member: mia.by } }
  const sent = await Promise.all(Array.from({ length: 20 }, () => send(shop, input)))
  expect(new Set(sent.map(({ touchpoint }) => touchpoint.id)).size).toBe(1)
  expect(await send(shop, { ...input, priority: 60 })).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
})

test.each([
  ['input.purpose', { purpose: 'test' }],
  ['input.purpose', { purpose: 'consent-confirmation' }],
  ['input.purpose', { purpose: ' ' }],
  ['input.purpose', { purpose: 'Birthday Greeting' }],
  ['input.channels', { channels: [] }],
  ['input.channels.1', { channels: ['inbox', 'pigeon'] }],
  ['input.template', { content: null }],
  ['input.template', { template: 'thank-you' }],
  ['input.content.title', { content: { title: 'a\nBcc: b', body: 'x' } }],
  ['input.content.title', { content: { title: '=1', body: 'x' } }],
  ['input.content.url', { content: { title: 'x', body: 'x', url: 'javascript:1' } }],
  ['input.parameters', { parameters: ['list'] }],
  ['input.parameters', { parameters: { x: 'x'.repeat(17_000) } }],
  ['input.at.local.time', { at: { local: { time: '25:00' } } }],
  ['input.at.local.date', { at: { local: { time: '08:00', weekdays: ['MON'], date: '2026-04-06' } } }],
  ['input.priority', { priority: 101 }],
  ['input.expiresAt', { expiresAt: NOW }],
])('%s is bad input, case %#', async (field, input) => {
  expect(await send(shop, { to: { member: mia.by }, ...input })).toMatchObject({ code: 'BAD_INPUT', field })
})

test('nobody who is not there, or has left, is sent anything', async () => {
  await shop.member('left')
  await shop.do('endMembership', { member: { externalId: 'left' }, end: 'LEFT' })
  expect(await send(shop, { to: { member: { externalId: 'nobody' } } })).toMatchObject({ code: 'NOT_FOUND' })
  expect(await send(shop, { to: { member: { externalId: 'left' } } })).toMatchObject({
    code: 'MEMBERSHIP_ENDED',
  })
})

test.each([{ all: [] }, { membership: ['ACTIVE'] }, { any: [{ not: { membership: ['ENDED'] } }] }])(
  'to %j alone nothing is planned without saying that it is meant',
  async (audience) => {
    expect(await send(shop, { to: { audience } })).toMatchObject({
      ...{ touchpoint: null, broadcast: null, warnings: ['UNIFORM_AUDIENCE'] },
    })
    expect(await send(shop, { to: { audience }, isUniformOk: true })).toMatchObject({
      broadcast: { state: 'PLANNED', planned: 0 },
      warnings: [],
    })
  },
)

test('who matches when it is sent gets it, not who matched when it was planned', async () => {
  const own = await open({ testClock: NOW })
  const [stays, leaves, comes] = [
    await own.member('stays'),
    await own.member('leaves'),
    await own.member('comes'),
  ]
  const city = (member: TestMember, is: string) =>
    own.do('updateMember', { member: member.by, attributes: { city: is } })
  await Promise.all([city(stays, 'Kyoto'), city(leaves, 'Kyoto')])
  const audience = { attribute: { name: 'city', equals: 'Kyoto' } }
  const { broadcast } = await send(own, { to: { audience }, at: { instant: '2026-04-02T00:00:00Z' } })
  await Promise.all([city(leaves, 'Osaka'), city(comes, 'Kyoto')])
  await own.clock('2026-04-02T00:00:00Z')
  expect([await inboxOf(own, stays), await inboxOf(own, leaves), await inboxOf(own, comes)]).toEqual([
    [content],
    [],
    [content],
  ])
  const { data } = await own.ask(
    own.staff,
    '{ broadcasts { nodes { id state planned finishedAt purpose audience } } }',
  )
  expect(data.broadcasts.nodes).toEqual([
    {
      ...{ id: broadcast.id, state: 'SENT', planned: 2, purpose: 'service' },
      ...{ finishedAt: '2026-04-02T00:00:00.000Z', audience },
    },
  ])
})

test('a broadcast for a local time comes to each zone at its own hour', async () => {
  const own = await open({ testClock: NOW })
  const zones = { tokyo: 'Asia/Tokyo', berlin: 'Europe/Berlin', denver: 'America/Denver' }
  for (const [name, timeZone] of Object.entries(zones)) await own.member(name, { timeZone })
  const audience = { stage: ['prospect'] }
  await send(own, { to: { audience }, at: { local: { time: '08:00' } } })
  await own.clock('2026-04-02T12:00:00Z')
  const query = `{ members(orderBy: OLDEST) { nodes { externalId timeline { nodes { ... on Touchpoint { plannedAt settledAt } } } } } }`
  const { data } = await own.ask(own.staff, query)
  const at = data.members.nodes.map((m: { externalId: string; timeline: { nodes: object[] } }) => [
    m.externalId,
    m.timeline.nodes,
  ])
  const once = (instant: string) => [{ plannedAt: instant, settledAt: instant }]
  expect(at).toEqual([
    ['tokyo', once('2026-04-01T23:00:00.000Z')],
    ['berlin', once('2026-04-01T06:00:00.000Z')],
    ['denver', once('2026-04-01T14:00:00.000Z')],
  ])
})

test('a touch is called off once; what has come to an end is not', async () => {
  const own = await open({ testClock: NOW })
  const ken = await own.member('ken')
  const later = { to: { member: ken.by }, at: { instant: '2026-04-02T00:00:00Z' } }
  const cancel = async (input: object) =>
    own.do('cancelTouchpoint', input, { select: 'isCancelled touchpoint { state }' })
  const { touchpoint } = await send(own, later)
  expect(await cancel({ touchpoint: touchpoint.id })).toMatchObject({
    isCancelled: true,
    touchpoint: { state: 'CANCELLED' },
  })
  expect(await cancel({ touchpoint: touchpoint.id })).toMatchObject({ isCancelled: false })
  const now = await send(own, { to: { member: ken.by } })
  await deliver(own)
  expect(await cancel({ touchpoint: now.touchpoint.id })).toMatchObject({
    isCancelled: false,
    touchpoint: { state: 'ACCEPTED' },
  })
  await own.clock('2026-04-03T00:00:00Z')
  expect(await inboxOf(own, ken)).toEqual([content])
})

test('a broadcast that is called off reaches nobody more, planned or not', async () => {
  const own = await open({ testClock: NOW })
  const [early, late] = [
    await own.member('early', { timeZone: 'Asia/Tokyo' }),
    await own.member('late', { timeZone: 'Europe/Berlin' }),
  ]
  const local = { to: { audience: { stage: ['prospect'] } }, at: { local: { time: '10:00' } } }
  const { broadcast } = await send(own, local)
  await own.clock('2026-04-01T01:00:00Z')
  const { isCancelled, ...rest } = await own.do(
    'cancelTouchpoint',
    { broadcast: broadcast.id },
    { select: 'isCancelled broadcast { state planned }' },
  )
  expect([isCancelled, rest.broadcast]).toEqual([true, { state: 'CANCELLED', planned: 1 }])
  await own.clock('2026-04-03T00:00:00Z')
  expect([await inboxOf(own, early), await inboxOf(own, late)]).toEqual([[content], []])
})

test('a test goes to oneself and nobody else, without any consent, and only from staff', async () => {
  const own = await open({ testClock: NOW })
  const test = (as: string) =>
    own.do('sendTest', { content }, { as, select: 'touchpoint { purpose member { externalId } }' })
  expect(await test(own.staff)).toMatchObject({ code: 'NOT_FOUND', what: 'member' })
  const anna = await own.member('anna')
  expect(await test(own.staff)).toMatchObject({
    touchpoint: { purpose: 'test', member: { externalId: 'anna' } },
  })
  expect(await test(own.integration)).toMatchObject({ code: 'FORBIDDEN' })
  expect(await test(anna.token)).toMatchObject({ code: 'FORBIDDEN' })
  await deliver(own)
  expect(await inboxOf(own, anna)).toEqual([content])
})

test('sending needs touchpoints:write, and an audience what it asks of members', async () => {
  const writer = await shop.token('integration', 'till', 'touchpoints:write')
  expect(await send(shop, { to: { member: mia.by } }, mia.token)).toMatchObject({ code: 'FORBIDDEN' })
  expect(
    await send(shop, { to: { member: mia.by } }, await shop.token('staff', 'b', 'touchpoints:read')),
  ).toMatchObject({
    code: 'FORBIDDEN',
  })
  expect(await send(shop, { to: { audience: { stage: ['repeat'] } } }, writer)).toMatchObject({
    code: 'FORBIDDEN',
  })
})
