// What an endpoint is told, and what it never is.
import { type GraphQLObjectType, getNamedType, isLeafType, isObjectType } from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../api/schema.ts'
import { type Shop, testApp } from '../support/app.ts'
import { headOf, history, type Told } from '../support/history.ts'
import { until } from '../support/until.ts'
import { isSignedWith, quick, receive, untilSent } from './receiver.ts'

const open = testApp(quick)

/** Everything that happens in a member's life in the core. */
async function live(shop: Shop) {
  const { by: member } = await shop.member('mia', { displayName: 'Canary', email: 'canary@example.com' })
  await shop.do('updateMember', { member, displayName: 'Canary II' })
  const purchasedAt = new Date().toISOString()
  await shop.do('recordPurchase', { member, orderId: 'canary-1', purchasedAt, currency: 'JPY', total: 5000 })
  await shop.do('refundPurchase', { orderId: 'canary-1', amount: 100, reason: 'Canary' })
  await shop.do('grantPoints', { member, points: 50, reason: 'Canary' })
  await shop.do('holdPoints', { member, points: 5, expiresIn: 'PT1H', reason: 'Canary' })
  await shop.do('endMembership', { member, end: 'LEFT', reason: 'Canary' })
}

/** All that the schema shows of each type of event, things by their ids; under a name of its own where two differ. */
function selection(): string {
  const known = new Map<string, string>()
  const event = schema.getType('Event')
  const common = event && 'getFields' in event ? Object.keys(event.getFields()) : []
  const shown = (type: GraphQLObjectType) =>
    Object.values(type.getFields())
      .filter(({ name }) => !common.includes(name))
      // A webhook tells plain values, and things that have an id.
      .filter(({ type: of }) => {
        const named = getNamedType(of)
        return isLeafType(named) || ('getFields' in named && 'id' in named.getFields())
      })
      .map(({ name, type: of }) => {
        const named = getNamedType(of)
        const isNew = (known.get(name) ?? String(of)) === String(of)
        known.set(name, known.get(name) ?? String(of))
        return `${isNew ? '' : `${type.name}_${name}: `}${name}${isLeafType(named) ? '' : ' { id }'}`
      })
      .join(' ')
  const types = Object.values(schema.getTypeMap()).filter(
    (type) => isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Event'),
  ) as GraphQLObjectType[]
  const parts = types.filter((type) => shown(type)).map((type) => `... on ${type.name} { ${shown(type)} }`)
  return `id type at bookedAt member { id } ${parts.join(' ')}`
}

test('a webhook tells what GraphQL shows of the event, things by the ids that the API gives, and nothing personal', async () => {
  const shop = await open()
  const after = await headOf(shop)
  const receiver = await receive(shop)
  await live(shop)
  let events: Told[] = []
  await until(async () => {
    events = await history(shop, shop.staff, { after, selection: selection() })
    return events.length === receiver.provider.requests.length
  })
  const told = receiver.provider.requests.map(({ text }) => JSON.parse(text))
  const shown = events.map(({ id, type, at, bookedAt, member, ...facts }) => {
    const own = Object.entries(facts).filter(([, value]) => value !== null)
    const data = own.map(([name, value]) => [name.replace(/^.*_/, ''), Object(value).id ?? value])
    return { type, timestamp: at, data: { id, bookedAt, member: member?.id, ...Object.fromEntries(data) } }
  })
  expect(told).toEqual(shown)
  expect(new Set(events.map(({ type }) => type)).size).toBeGreaterThan(7)
  expect(JSON.stringify(told)).not.toMatch(/canary/i)
})

test('an endpoint sees what the scopes of whoever added it cover, and after an update those of the editor', async () => {
  const shop = await open()
  const narrow = await shop.token('staff', 'ben', 'settings members:read')
  const receiver = await receive(shop, { as: narrow })
  const types = () => [...new Set(receiver.tries.map(({ type }) => type))]
  await live(shop)
  await untilSent(shop, receiver)
  expect(types().sort()).toEqual([
    'member.registered',
    'member.stage_changed',
    'member.updated',
    'membership.ended',
  ])
  expect(await receiver.look('scopes types')).toEqual({ scopes: ['members:read', 'settings'], types: null })
  const { endpoint } = receiver
  const points = { endpoint, types: ['points.posted'] }
  expect(await shop.do('updateWebhookEndpoint', points, { as: narrow })).toMatchObject({ code: 'FORBIDDEN' })
  await shop.do('updateWebhookEndpoint', points)
  const { by: member } = await shop.member('noa')
  await shop.do('grantPoints', { member, points: 5, reason: 'Welcome' })
  await untilSent(shop, receiver)
  expect(types()).toContain('points.posted')
})

test.each(['integration', 'member'] as const)('%s tokens see and change no endpoint', async (kind) => {
  const shop = await open()
  const { endpoint } = await receive(shop)
  await shop.member('mia')
  const as = await shop.token(kind, 'mia', '*')
  const query = '{ webhookEndpoints { nodes { id url } } }'
  expect(await shop.ask(as, query)).toMatchObject({
    data: { webhookEndpoints: null },
    errors: [{ code: 'FORBIDDEN' }],
  })
  const node = await shop.ask(as, 'query ($id: ID!) { node(id: $id) { id } }', { id: endpoint })
  expect(JSON.stringify(node.data)).not.toContain(endpoint)
  const added = await shop.do('addWebhookEndpoint', { url: 'https://hooks.example.com/' }, { as })
  expect(added).toMatchObject({ code: 'FORBIDDEN' })
})

test('two tenants with endpoints at one address get their own events, each under its own secret', async () => {
  const [ours, theirs] = [await open(), await open()]
  const [mine, other] = [await receive(ours), await receive(theirs)]
  await theirs.do('updateWebhookEndpoint', { endpoint: other.endpoint, url: `${mine.provider.url}/hook` })
  await Promise.all([ours.member('a'), theirs.member('b'), ours.member('c')])
  await Promise.all([untilSent(ours, mine), untilSent(theirs, other)])
  expect(mine.accepted).toHaveLength(3)
  const own = await Promise.all(mine.provider.requests.map((request) => isSignedWith(mine.secret, request)))
  const foreign = await Promise.all(
    mine.provider.requests.map((request) => isSignedWith(other.secret, request)),
  )
  expect([own.filter(Boolean).length, foreign.filter(Boolean).length]).toEqual([2, 1])
})

test('a list of endpoints is as many statements for 2 as for 12', async () => {
  const shop = await open()
  const query =
    '{ webhookEndpoints(first: 50) { nodes { url backlog oldSecretsEndAt failures(first: 5) { nodes { id } } } } }'
  const counts: number[] = []
  for (const more of [2, 10]) {
    for (let i = 0; i < more; i++) {
      const { endpoint } = await shop.do('addWebhookEndpoint', { url: 'https://hooks.example.com/' })
      await shop.do('disableWebhookEndpoint', { endpoint: endpoint.id })
    }
    const { data, errors, statements } = await shop.ask(shop.staff, query)
    expect([errors, data.webhookEndpoints.nodes.length]).toEqual([[], counts.length === 0 ? 2 : 12])
    counts.push(statements.length)
  }
  expect(counts).toEqual([2, 2])
})
