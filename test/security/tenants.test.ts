// Two tenants: whatever the one asks with ids of the other, nothing crosses.
import { randomUUID } from 'node:crypto'
import { isObjectType } from 'graphql'
import { beforeAll, describe, expect, it, test } from 'vitest'
import { addIssuer } from '../../api/platform/auth/index.ts'
import { openEgress } from '../../api/platform/egress.ts'
import { schema } from '../../api/schema.ts'
import { type Shop, testApp, usingApp } from '../support/app.ts'
import type { Answer } from '../support/asking.ts'
import { headOf, history } from '../support/history.ts'
import { type IssuerKey, issuerKey, signToken } from '../support/issuer.ts'
import { makeWorld, NODE_TYPES, type World } from '../support/world.ts'
import { idsOf, rowsOf, type Secrets, told } from './foreign.ts'
import { MEMBERS_ALONE, OWN, type Side } from './own.ts'
import { operationOn, PLACES, type Place, putAt, ROOTS } from './places.ts'

/** Looked at by a test of their own below. */
const APART = ['Mutation.addIssuer', 'Subscription.events']

/** The lists inside of something, with `@` for the page's arguments. */
const LISTS: Record<string, string> = {
  'Answer.comments': ofMember('contributions { nodes { ... on Answer { comments(@) { # } } } }'),
  'Answer.revisions': ofMember('contributions { nodes { ... on Answer { revisions(@) { # } } } }'),
  'Comment.comments': ofMember('contributions { nodes { ... on Comment { comments(@) { # } } } }'),
  'Comment.revisions': ofMember('contributions { nodes { revisions(@) { # } } }'),
  'Consent.history': ofMember('consents { nodes { history(@) { # } } }'),
  'Content.comments': 'content(last: 1) { nodes { content { comments(@) { # } } } }',
  'Content.revisions': 'content(last: 1) { nodes { content { revisions(@) { # } } } }',
  'FaqEntry.comments': 'faq(last: 1) { nodes { comments(@) { # } } }',
  'FaqEntry.revisions': 'faq(last: 1) { nodes { revisions(@) { # } } }',
  'Delivery.signals': ofMember('inbox { nodes { touchpoint { deliveries { signals(@) { # } } } } }'),
  'Member.addresses': ofMember('addresses(@) { # }'),
  'Member.benefits': ofMember('benefits(@) { # }'),
  'Member.checklists': ofMember('checklists(@) { # }'),
  'Member.consents': ofMember('consents(@) { # }'),
  'Member.contributions': ofMember('contributions(@) { # }'),
  'Member.coupons': ofMember('coupons(@) { # }'),
  'Member.enrolments': ofMember('enrolments(@) { # }'),
  'Member.flags': ofMember('flags(@) { # }'),
  'Member.inbox': ofMember('inbox(@) { # }'),
  'Member.membershipChanges': ofMember('membershipChanges(@) { # }'),
  'Member.notes': ofMember('notes(@) { # }'),
  'Member.notifications': ofMember('notifications(@) { # }'),
  'Member.offerReceipts': ofMember('offerReceipts(@) { # }'),
  'Member.purchases': ofMember('purchases(@) { # }'),
  'Member.referrals': ofMember('referrals(@) { # }'),
  'Member.reputationEntries': ofMember('reputationEntries(@) { # }'),
  'Member.rewardRedemptions': ofMember('rewardRedemptions(@) { # }'),
  'Member.signals': ofMember('signals(@) { # }'),
  'Member.stageHistory': ofMember('stageHistory(@) { # }'),
  'Member.tierHistory': ofMember('tierHistory(@) { # }'),
  'Member.timeline': ofMember('timeline(@) { # }'),
  'Question.answers': ofMember('contributions { nodes { ... on Question { answers(@) { # } } } }'),
  'Question.comments': ofMember('contributions { nodes { ... on Question { comments(@) { # } } } }'),
  'Question.revisions': ofMember('contributions { nodes { ... on Question { revisions(@) { # } } } }'),
  'Space.memberships': 'spaces(first: 1) { nodes { memberships(@) { # } } }',
  'Post.comments': ofMember('contributions { nodes { ... on Post { comments(@) { # } } } }'),
  'Post.revisions': ofMember('contributions { nodes { ... on Post { revisions(@) { # } } } }'),
  'ProductDiscussion.entries': 'productDiscussion(sku: "soap") { entries(@) { # } }',
  'Space.posts': 'space(key: "club") { posts(@) { # } }',
  'Viewer.drafts': 'viewer { drafts(@) { # } }',
  'Viewer.feed': 'viewer { feed(@) { # } }',
  'Wallet.postings': ofMember('wallet { postings(@) { # } }'),
  'Wallet.statement': ofMember('wallet { statement(@) { # } }'),
  'WebhookEndpoint.failures': 'webhookEndpoints(first: 1) { nodes { failures(@) { # } } }',
}

/** The same once more, as another request. */
function asAnother(variables: object): object {
  const { input } = variables as { readonly input?: object }
  return input && 'idempotencyKey' in input
    ? { ...variables, input: { ...input, idempotencyKey: randomUUID() } }
    : variables
}

function ofMember(list: string): string {
  return `member(by: {externalId: "yuki"}) { ${list} }`
}

/** The lists that are asked for by themselves: their cursors are among the places. */
const ROOT_LISTS = [
  'Query.adjustments',
  'Query.broadcasts',
  'Query.content',
  'Query.contentIdeas',
  'Query.courses',
  'Query.complaints',
  'Query.conversations',
  'Query.directory',
  'Query.doubtfulDeliveries',
  'Query.faq',
  'Query.faqCandidates',
  'Query.introductions',
  'Query.members',
  'Query.messages',
  'Query.moderationQueue',
  'Query.offers',
  'Query.partnerMovements',
  'Query.publicTeasers',
  'Query.questions',
  'Query.referrals',
  'Query.rewardRedemptions',
  'Query.rewards',
  'Query.search',
  'Query.spaces',
  'Query.stuckChecklists',
  'Query.suppressions',
  'Query.tasks',
  'Query.templates',
  'Query.threads',
  'Query.webhookEndpoints',
]

const ASKED = PLACES.filter(({ root }) => !APART.includes(root)).map((place) => ({
  ...place,
  at: `${place.root} ${place.path.join('.')}`,
}))
/** The types whose ids are worth a second try at a place: those that it takes, and one that it refuses. */
const worth = new Map<string, readonly string[]>()
/** Behind the last place of a root it is looked whether anything of theirs changed. */
const LAST_OF_ROOTS = new Set(new Map(ASKED.map(({ root, at }) => [root, at])).values())

test('every root field and every list of the schema has a case', () => {
  expect([...Object.keys(OWN), ...APART].sort()).toEqual(Object.keys(ROOTS).sort())
  const lists = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .flatMap((type) => Object.values(type.getFields()).map((field) => ({ type, field })))
    .filter(({ field }) => field.args.some(({ name }) => name === 'first'))
    .map(({ type, field }) => `${type.name}.${field.name}`)
  expect([...Object.keys(LISTS), ...ROOT_LISTS].sort()).toEqual(lists.sort())
})

describe.each([false, true])('two tenants, with the first wall taken away: %s', (withoutFirstWall) => {
  const open = testApp({ role: 'web', withoutFirstWall })
  /** Who asks; the other has a member and an order of the same names, and a member of its own name. */
  let us: Side
  let them: Side
  let berta: World
  /** Somebody of theirs whose names we use ourselves. */
  let bianca: World
  let tokens: Record<'staff' | 'integration' | 'member', string>
  let theirRows: Record<string, string>
  let secrets: Secrets
  let theirCursor: string
  let theirEvents: string
  const usedKeys: Record<string, string> = {}

  beforeAll(async () => {
    const [ours, theirs] = [await open(), await open()]
    us = { shop: ours, world: await makeWorld(ours, 'yuki') }
    theirEvents = await headOf(theirs)
    them = { shop: theirs, world: await makeWorld(theirs, 'yuki') }
    ;[berta, bianca] = [await makeWorld(theirs, 'berta'), await makeWorld(theirs, 'bianca')]
    for (const { by: member } of [them.world, berta, bianca]) {
      const attributes = { city: 'Canary Town' }
      await theirs.do('updateMember', {
        member,
        displayName: 'Canary',
        email: 'canary@example.com',
        attributes,
      })
      await theirs.do('grantPoints', { member, points: 500, reason: 'Canary Day' })
      await ours.do('grantPoints', { member: us.world.by, points: 500, reason: 'Welcome' })
    }
    for (const [root, own] of Object.entries(OWN)) {
      const variables = await own(them)
      const key = 'input' in variables && Object(variables.input).idempotencyKey
      const as = MEMBERS_ALONE.includes(root) ? them.world.token : theirs.staff
      const { data, errors } = await theirs.ask(as, operationOn(root), variables)
      expect([root, errors, Object.values(data ?? [null]).includes(null)]).toEqual([root, [], false])
      if (key) usedKeys[root] = key
    }
    const page = await theirs.ask(theirs.staff, '{ members(first: 1) { pageInfo { endCursor } } }')
    theirCursor = page.data.members.pageInfo.endCursor
    tokens = { staff: ours.staff, integration: ours.integration, member: us.world.token }
    theirRows = await rowsOf(theirs)
    secrets = { ids: idsOf(theirRows, await rowsOf(ours)), words: /canary|berta/i }
    expect(secrets.ids.size).toBeGreaterThan(50)
  })

  /** What of theirs can stand at a place. */
  async function foreign({ root, sort, at }: (typeof ASKED)[number]): Promise<string[]> {
    switch (sort) {
      case 'ID':
        return (worth.get(at) ?? NODE_TYPES).map((type) => berta.ids[type] ?? '')
      case 'Cursor':
        return [theirEvents]
      case 'page':
        return [theirCursor]
      case 'externalId':
        return [root === 'Mutation.registerMember' ? 'bianca' : 'berta']
      case 'orderId':
        return [(root === 'Mutation.recordPurchase' ? bianca : berta).orderId]
      case 'idempotencyKey':
        return [usedKeys[root] ?? '']
      case 'jti':
        return [JSON.parse(atob(them.shop.staff.split('.')[1] ?? '')).jti]
      case 'sub':
        return ['berta']
      case 'search':
        return ['Canary']
    }
  }

  /** How we are answered when a place names something of theirs; ids of another type are bad input. */
  function expected({ root, sort }: Place): string[] {
    const isQuery = root.startsWith('Query')
    if (sort === 'ID') {
      if (root === 'Query.node' || root === 'Query.nodes') return ['nothing']
      return ['BAD_INPUT', isQuery ? 'nothing' : 'NOT_FOUND']
    }
    if (sort === 'Cursor' || sort === 'page') return ['BAD_INPUT']
    const makesIt = root === 'Mutation.registerMember' || root === 'Mutation.recordPurchase'
    // A coupon may be used for an order that is still to be recorded.
    const isFree = root === 'Mutation.redeemCoupon' && sort === 'orderId'
    const isNew = isFree || sort === 'idempotencyKey' || sort === 'jti' || sort === 'sub'
    if (isNew || (makesIt && sort === (root.endsWith('Member') ? 'externalId' : 'orderId'))) return ['done']
    return [isQuery ? 'nothing' : 'NOT_FOUND']
  }

  describe.each(ASKED)('$at', (place) => {
    it('crosses nothing', async () => {
      const outcomes = new Set<string>()
      const refused: string[] = []
      const isOwnToken = MEMBERS_ALONE.includes(place.root)
      // An id of theirs is never taken, so what stands beside it serves again.
      const beside = place.sort === 'ID' ? await OWN[place.root]?.(us) : undefined
      for (const value of await foreign(place)) {
        for (const [kind, token] of Object.entries(tokens)) {
          const own = beside ? asAnother(beside) : await OWN[place.root]?.(us)
          const answer = await us.shop.ask(token, operationOn(place.root), putAt(place, own ?? {}, value))
          expect(told(answer.data, secrets, value)).toEqual([])
          expect(told(answer.errors, secrets, value)).toEqual([])
          const outcome = outcomeOf(answer)
          if (kind === (isOwnToken ? 'member' : 'staff')) outcomes.add(outcome)
          // The id of another type is read before anybody looks at the token.
          if (place.sort === 'ID' && outcome === 'BAD_INPUT') {
            refused.push(value)
            break
          }
        }
      }
      const isRefused = (type: string) => refused.includes(berta.ids[type] ?? '')
      const others = NODE_TYPES.filter((type) => !isRefused(type))
      worth.set(place.at, [...NODE_TYPES.filter(isRefused).slice(0, 1), ...others])
      expect([...outcomes].sort()).toEqual(expected(place))
      if (LAST_OF_ROOTS.has(place.at)) expect(await rowsOf(them.shop)).toEqual(theirRows)
    })
  })

  it.each(Object.keys(OWN))('%s about our own tells nothing of theirs', async (root) => {
    for (const token of Object.values(tokens)) {
      const { data, errors } = await us.shop.ask(token, operationOn(root), await OWN[root]?.(us))
      expect(told([data, errors], secrets)).toEqual([])
    }
  })

  it('nothing of theirs is changed by what we do with our own', async () => {
    expect(await rowsOf(them.shop)).toEqual(theirRows)
  })

  it.each(Object.values(LISTS))('%s does not go on from their place in it', async (list) => {
    const query = (args: string) =>
      `{ ${list.replace('@', args).replace('#', 'pageInfo { endCursor } nodes { __typename }')} }`
    const { data } = await them.shop.ask(them.shop.staff, query('first: 1'))
    const cursor = /"endCursor":"([^"]+)"/.exec(JSON.stringify(data))?.[1]
    for (const [args, field] of [
      [`first: 1, after: "${cursor}"`, 'after'],
      [`last: 1, before: "${cursor}"`, 'before'],
    ] as const) {
      const { errors } = await us.shop.ask(us.shop.staff, query(args))
      expect(errors).toMatchObject([{ code: 'BAD_INPUT', field }])
    }
  })

  it.each([
    { attribute: { name: 'city', equals: 'Canary Town' } },
    { purchases: { atLeast: 1 } },
    { stage: ['customer', 'prospect', 'negotiation'] },
    { freshnessBand: ['FRESH', 'COOLING', 'STALE', 'COLD'] },
    { membership: ['ACTIVE', 'ENDED'] },
    { not: { purchases: { atLeast: 1000 } } },
  ])('members who match %j are ours', async (filter) => {
    for (const orderBy of ['NEWEST', 'OLDEST', 'COOLEST', 'MOST_EXPECTED_PURCHASES']) {
      const { data, errors } = await us.shop.ask(us.shop.staff, operationOn('Query.members', 3), {
        filter,
        orderBy,
        first: 5,
      })
      expect(errors).toEqual([])
      expect(told(data, secrets)).toEqual([])
      expect(data.members.nodes.length > 0).toBe(!('attribute' in filter))
    }
  })

  it('their events are not told, whatever is asked for', async () => {
    const after = await headOf(us.shop)
    const selection = 'id type member { id externalId displayName }'
    await us.shop.do('updateMember', { member: us.world.by, displayName: 'Yuki B.' })
    await them.shop.do('updateMember', { member: berta.by, displayName: 'Canary' })
    const all = await history(us.shop, us.shop.staff, { after, selection })
    expect(all.map(({ type, member }) => [type, member?.id])).toEqual([['member.updated', us.world.id]])
    expect(await history(us.shop, us.shop.staff, { after, selection, member: berta.id })).toEqual([])
    for (const variables of [{ after: theirEvents }, { member: berta.ids.Wallet }]) {
      const answer = await streamed(variables)
      expect(answer).toContain('"code":"BAD_INPUT"')
      expect(answer).not.toContain('"next"')
    }
  })

  /** The stream to our staff, until it ends by itself. */
  async function streamed(variables: object): Promise<string> {
    const response = await fetch(us.shop.url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${us.shop.staff}`,
        accept: 'text/event-stream',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ query: operationOn('Subscription.events', 1), variables }),
    })
    return response.text()
  }

  it('their tokens still count', async () => {
    for (const token of [them.shop.staff, them.shop.integration, them.world.token, berta.token]) {
      const { data } = await them.shop.ask(token, '{ viewer { tenant { key } } }')
      expect(data).toEqual({ viewer: { tenant: { key: them.shop.tenant.key } } })
    }
  })
})

test('an issuer signs for the tenant that trusts it, and for no other', async () => {
  const open = await usingApp({ role: 'web' })
  const [ours, theirs] = [await open(), await open()]
  const [ourKey, theirKey] = [await issuerKey('k'), await issuerKey('k')]
  const issuer = { issuer: 'https://id.example', audience: 'shop', algorithms: ['ES256'] }
  const trust = (key: IssuerKey) => ({ ...issuer, jwks: { keys: [key.publicJwk] } })
  const { db } = theirs.ground.app
  await addIssuer(db.tenant(theirs.tenant.id), trust(theirKey), openEgress({ allow: [] }))
  const theirRows = await rowsOf(theirs)
  await ours.do('addIssuer', trust(ourKey))
  const keyOf = async (key: IssuerKey, { tenant }: Shop) => {
    const claims = { iss: issuer.issuer, tenant: tenant.key, kind: 'staff', scope: '*' }
    const { status, data } = await ours.ask(await signToken(key, claims), '{ viewer { tenant { key } } }')
    return data?.viewer.tenant.key ?? status
  }
  expect([await keyOf(ourKey, ours), await keyOf(theirKey, theirs)]).toEqual([
    ours.tenant.key,
    theirs.tenant.key,
  ])
  expect([await keyOf(ourKey, theirs), await keyOf(theirKey, ours)]).toEqual([401, 401])
  expect(await rowsOf(theirs)).toEqual(theirRows)
})

/** The code of a refusal; `nothing` for null, an empty list and a list of nulls; else `done`. */
function outcomeOf({ data, errors }: Answer): string {
  if (errors[0]) return errors[0].code
  const [result] = Object.values<ReturnType<typeof JSON.parse>>(data)
  const list = Array.isArray(result) ? result : result?.nodes
  if (result === null || (list ?? [1]).every((each: unknown) => each === null)) return 'nothing'
  return result.__typename?.endsWith('Error') ? result.code : 'done'
}
