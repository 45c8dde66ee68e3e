import inbox from '@engawa/channel-inbox'
import { graphql } from 'graphql'
import { expect, test } from 'vitest'
import { deliver } from '../../api/domains/touchpoints/index.ts'
import type { Context } from '../../api/graph/context.ts'
import { encodeId } from '../../api/graph/ids.ts'
import { makeViewer, type ViewerKind } from '../../api/platform/auth/viewer.ts'
import { processClock } from '../../api/platform/clock.ts'
import { schema } from '../../api/schema.ts'
import { testDatabase } from '../support/database.ts'
import { channelsOf, openShop, type Shop, scripted } from './shop.ts'

const database = testDatabase()
const now = new Date('2026-04-01T00:00:00Z')
const ports = {
  channels: await channelsOf({ inbox: async () => ({ default: inbox }) }),
  clock: processClock,
}

interface Caller {
  readonly kind: ViewerKind
  readonly scopes?: readonly string[]
  readonly memberId?: string
}
const staff: Caller = { kind: 'STAFF', scopes: ['*'] }

async function ask(shop: Shop, caller: Caller, source: string, variableValues: object = {}) {
  const statements: string[] = []
  const viewer = makeViewer({
    tenant: {
      id: shop.tenant.tenantId,
      key: 'shop',
      name: 'Shop',
      timeZone: 'Asia/Tokyo',
      locale: 'ja',
      hasTestClock: true,
    },
    kind: caller.kind,
    sub: 'somebody',
    asked: caller.scopes ?? [],
    jti: undefined,
    issuer: 'test',
    issuedAt: now,
    expiresAt: new Date('2099-01-01'),
    tokenKey: 'test',
  })
  const unused = () => expect.fail('it is not needed here')
  const contextValue: Context = {
    viewer: { ...viewer, memberId: caller.memberId ?? null },
    db: {
      ...shop.tenant,
      query: (statement) => {
        statements.push(statement.text)
        return shop.tenant.query(statement)
      },
    },
    now: async () => now,
    requestId: 'test',
    isDryRun: false,
    poke: () => {},
    asOf: unused,
    follow: unused,
    ownMember: unused,
    sees: unused,
    use: unused,
    refreshAuth: unused,
    egress: { fetch: unused, connect: unused, refusal: unused },
  }
  const { data, errors } = await graphql({
    schema,
    source,
    contextValue,
    variableValues: { ...variableValues },
  })
  // What the answer says, as plain objects.
  return {
    data: JSON.parse(JSON.stringify(data ?? null)),
    errors: errors?.map(({ originalError }) => originalError),
    statements,
  }
}

const open = () => openShop(database.url, { clockAt: now })

const nextTouch = `nextTouch {
  __typename
  ... on PlannedTouch { at channel purpose touchpoint { id state plannedAt settledAt } }
  ... on NoTouch { reason }
}`

test('nextTouch tells what is planned, or why nothing is, with as many statements for one as for three', async () => {
  const shop = await open()
  const [planned, idle, ended] = [await shop.member(), await shop.member(), await shop.member()]
  const touchpoint = await shop.plan(planned, { dueAt: new Date('2026-04-02T00:00:00Z') })
  await shop.end(ended)
  const source = `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Member { ${nextTouch} } } }`
  const ids = [planned, idle, ended].map((id) => encodeId('Member', id))
  const all = await ask(shop, staff, source, { ids })
  expect(all.errors).toBeUndefined()
  expect(all.data.nodes.map((node: { nextTouch: object }) => node.nextTouch)).toEqual([
    {
      __typename: 'PlannedTouch',
      at: '2026-04-02T00:00:00.000Z',
      channel: 'inbox',
      purpose: 'thank-you',
      touchpoint: {
        id: encodeId('Touchpoint', touchpoint),
        state: 'PLANNED',
        plannedAt: '2026-04-02T00:00:00.000Z',
        settledAt: null,
      },
    },
    { __typename: 'NoTouch', reason: 'NOTHING_PLANNED' },
    { __typename: 'NoTouch', reason: 'MEMBERSHIP_ENDED' },
  ])
  const one = await ask(shop, staff, source, { ids: ids.slice(0, 1) })
  expect([one.statements.length, all.statements.length]).toEqual([1, 1])
})

test('where nothing is planned, a pause of the staff and consents that were all withdrawn are the reason', async () => {
  const shop = await open()
  const [paused, rested, refusing, agreeing] = await Promise.all([1, 2, 3, 4].map(() => shop.member()))
  const pause = (member: string | undefined, until: string | null) =>
    shop.everything.query(
      `insert into touch_pause (tenant_id, member_id, paused_by, since, until, actor) values ($1, $2, 'STAFF', now(), $3, 'test')`,
      [shop.tenant.tenantId, member, until],
    )
  await pause(paused, null)
  await pause(rested, '2026-03-31')
  for (const member of [refusing, agreeing]) await shop.agree(member ?? '', 'line')
  await shop.withdraw(refusing ?? '', 'line')
  const source = `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Member { ${nextTouch} } } }`
  const ids = [paused, rested, refusing, agreeing].map((id) => encodeId('Member', id ?? ''))
  const { data, errors, statements } = await ask(shop, staff, source, { ids })
  expect(errors).toBeUndefined()
  expect(data.nodes.map((node: { nextTouch: { reason: string } }) => node.nextTouch.reason)).toEqual([
    'PAUSED_BY_STAFF',
    'NOTHING_PLANNED',
    'NO_CONSENT',
    'NOTHING_PLANNED',
  ])
  expect(statements).toHaveLength(1)
})

test('touches need their scope; a member sees its own', async () => {
  const shop = await open()
  const member = await shop.member()
  const touchpoint = await shop.plan(member)
  const source = 'query ($id: ID!) { node(id: $id) { ... on Touchpoint { purpose member { id } } } }'
  const variables = { id: encodeId('Touchpoint', touchpoint) }
  const seen = { node: { purpose: 'thank-you', member: { id: encodeId('Member', member) } } }
  expect((await ask(shop, { kind: 'MEMBER', memberId: member }, source, variables)).data).toEqual(seen)
  const reader: Caller = { kind: 'INTEGRATION', scopes: ['touchpoints:read', 'members:read'] }
  expect((await ask(shop, reader, source, variables)).data).toEqual(seen)
  const other: Caller = { kind: 'MEMBER', memberId: await shop.member() }
  expect(await ask(shop, other, source, variables)).toMatchObject({ data: { node: null }, errors: undefined })
  const poor: Caller = { kind: 'INTEGRATION', scopes: ['members:read'] }
  expect((await ask(shop, poor, source, variables)).errors).toMatchObject([{ code: 'FORBIDDEN' }])
})

test('the inbox shows what arrived, newest first, and pages', async () => {
  const shop = await open()
  const member = await shop.member({ locale: 'en', name: 'Anna' })
  for (const [day, order] of [
    ['02', 'A-1'],
    ['03', 'A-2'],
    ['04', 'A-3'],
  ]) {
    await shop.everything.query('update tenant set clock_at = $2 where id = $1', [
      shop.tenant.tenantId,
      `2026-04-${day}`,
    ])
    await deliver(shop.tenant, await shop.plan(member, { order: order ?? '' }), ports)
  }
  await shop.plan(member)
  const source = `query ($id: ID!, $after: String) { node(id: $id) { ... on Member {
    inbox(first: 2, after: $after) { nodes { title body receivedAt readAt touchpoint { state } } pageInfo { endCursor hasNextPage } }
  } } }`
  const own: Caller = { kind: 'MEMBER', memberId: member }
  const first = await ask(shop, own, source, { id: encodeId('Member', member) })
  expect(first.errors).toBeUndefined()
  const { nodes, pageInfo } = first.data.node.inbox
  expect(nodes[0]).toMatchObject({
    title: 'Thank you for your purchase',
    body: expect.stringContaining('Thank you for your order A-3.'),
    receivedAt: '2026-04-04T00:00:00.000Z',
    readAt: null,
    touchpoint: { state: 'ACCEPTED' },
  })
  expect(nodes).toHaveLength(2)
  expect(pageInfo.hasNextPage).toBe(true)
  const second = await ask(shop, own, source, { id: encodeId('Member', member), after: pageInfo.endCursor })
  expect(second.data.node.inbox).toMatchObject({
    nodes: [{ receivedAt: '2026-04-02T00:00:00.000Z' }],
    pageInfo: { hasNextPage: false },
  })
  expect(first.statements).toHaveLength(1)
})

test('the inbox is for the member and for staff, not for integrations', async () => {
  const shop = await open()
  const member = await shop.member()
  const touchpoint = await shop.plan(member)
  await deliver(shop.tenant, touchpoint, ports)
  const source = `query ($id: ID!) { node(id: $id) { ... on Member { inbox { nodes { title } } } } }`
  const variables = { id: encodeId('Member', member) }
  const seen = { node: { inbox: { nodes: [{ title: 'ご購入ありがとうございます' }] } } }
  expect((await ask(shop, staff, source, variables)).data).toEqual(seen)
  const program = await ask(shop, { kind: 'INTEGRATION', scopes: ['*'] }, source, variables)
  expect(program.data).toEqual({ node: { inbox: null } })
  expect(program.errors).toMatchObject([{ code: 'FORBIDDEN' }])
})

test('markInboxRead marks one’s own message and answers it; anybody else’s is not found', async () => {
  const shop = await open()
  const member = await shop.member()
  const touchpoint = await shop.plan(member)
  await deliver(shop.tenant, touchpoint, ports)
  const item = encodeId('InboxItem', String((await shop.delivery(touchpoint)).id))
  const source = `mutation ($item: ID!) { markInboxRead(input: { item: $item }) {
    __typename
    ... on MarkInboxReadPayload { item { id readAt } }
    ... on NotFoundError { what }
  } }`
  const stranger = await ask(shop, { kind: 'MEMBER', memberId: await shop.member() }, source, { item })
  expect(stranger.data.markInboxRead).toEqual({ __typename: 'NotFoundError', what: 'inbox item' })
  expect(await shop.delivery(touchpoint)).toMatchObject({ read_at: null })
  const owner = await ask(shop, { kind: 'MEMBER', memberId: member }, source, { item })
  expect(owner.data.markInboxRead).toEqual({
    __typename: 'MarkInboxReadPayload',
    item: { id: item, readAt: '2026-04-01T00:00:00.000Z' },
  })
  expect((await ask(shop, staff, source, { item })).errors).toMatchObject([{ code: 'FORBIDDEN' }])
  const malformed = await ask(shop, { kind: 'MEMBER', memberId: member }, source, { item: 'x' })
  expect(malformed.errors).toMatchObject([{ code: 'BAD_INPUT', field: 'input.item' }])
})

test('a touch that is not in an inbox is no inbox item', async () => {
  const shop = await open()
  const touchpoint = await shop.plan(await shop.member(), { channel: 'scripted' })
  const { plugins } = scripted({ mode: 'none' }, [{ is: 'accepted', at: now }])
  await deliver(shop.tenant, touchpoint, { ...ports, channels: await channelsOf(plugins) })
  const id = encodeId('InboxItem', String((await shop.delivery(touchpoint)).id))
  const { data, errors } = await ask(shop, staff, 'query ($id: ID!) { node(id: $id) { id } }', { id })
  expect({ data, errors }).toEqual({ data: { node: null }, errors: undefined })
})
