// What the API says that a viewer may do is what a mutation that tries it is answered.
import { beforeAll, expect, test } from 'vitest'
import { askDry } from '../scenario/dry.ts'
import { type Shop, testApp } from '../support/app.ts'
import { mutationOf, resultOf } from '../support/asking.ts'
import { idOfKind, makeSpace, write } from '../support/house.ts'

const open = testApp({ role: 'web' })
let shop: Shop
const tokens: Record<string, string> = {}
const spaces: Record<string, string> = {}
const posts: Record<string, string> = {}

const vips = { attribute: { name: 'vip', equals: true } }

beforeAll(async () => {
  shop = await open({ testClock: '2026-04-01T00:00:00Z', locale: 'en' })
  const rules = {
    open: {},
    ruled: { post: vips, reply: { not: vips }, react: vips },
    club: { join: 'REQUEST' },
    hidden: { see: vips },
    closed: { cover: [{ weekdays: [7], from: '09:00', to: '18:00' }], isClosedOutsideCover: true },
    off: {},
  }
  for (const [key, rule] of Object.entries(rules)) spaces[key] = await makeSpace(shop, key, rule)
  for (const name of ['author', 'plain', 'vip', 'mod', 'banned']) {
    const attributes = { vip: ['author', 'vip'].includes(name) }
    const member = await shop.member(name, { attributes })
    tokens[name] = member.token
    if (name === 'author')
      await shop.do('placeInSpace', { space: spaces.club, member: member.by, standing: 'JOINED' })
    if (name === 'mod')
      for (const space of [spaces.club, spaces.ruled])
        await shop.do('placeInSpace', { space, member: member.by, standing: 'JOINED', role: 'MODERATOR' })
    if (name === 'banned')
      await shop.do('placeInSpace', { space: spaces.open, member: member.by, standing: 'BANNED' })
  }
  for (const space of Object.keys(rules))
    posts[space] = idOfKind(
      'Post',
      await write(shop, { space, kind: 'POST', ...(space !== 'closed' && { by: 'author' }) }),
    )
  posts.removed = idOfKind('Post', await write(shop, { space: 'open', kind: 'POST', by: 'author' }))
  await shop.do('removeContribution', { contribution: posts.removed })
  await shop.do('disableSpace', { space: spaces.off })
  tokens.stranger = await shop.token('member', 'nobody-yet')
  tokens.staff = shop.staff
  tokens.reader = await shop.token('staff', 'ann', 'community:read')
})

const ALLOWED = { isAllowed: true, reason: null, unlock: null, retryAfter: null }

/** What a mutation answers, as a permission. */
function meant(result: {
  __typename?: string
  code?: string
  reason?: string
  unlock?: unknown
  retryAfter?: number
}) {
  const denied = (reason: string | null, unlock: unknown = null, retryAfter: number | null = null) => ({
    ...{ isAllowed: false, reason, unlock, retryAfter },
  })
  if (result.__typename === 'NotFoundError') return null
  if (result.__typename === 'SpaceNotEnabledError') return denied('NOT_ENABLED')
  if (result.__typename === 'AccessDeniedError')
    return denied(result.reason ?? '', result.unlock, result.retryAfter)
  if (result.code === 'FORBIDDEN') return denied(null)
  expect(result.code).toBeUndefined()
  return ALLOWED
}

async function tried(token: string, mutation: string, input: object) {
  const { query, variables } = mutationOf(mutation, input)
  const { data = null, errors = [] } = await askDry(shop, query, variables, token)
  return meant(
    resultOf(mutation, {
      ...{ status: 200, statements: [], data },
      errors: errors.map(({ message, extensions }) => ({ message, code: String(extensions.code) })),
    }),
  )
}

const ASK = `query ($space: ID!, $post: ID!) { viewer {
  POST: can(action: POST, resource: $space) { ...all } MODERATE: can(action: MODERATE, resource: $space) { ...all }
  REPLY: can(action: REPLY, resource: $post) { ...all } REACT: can(action: REACT, resource: $post) { ...all }
  EDIT: can(action: EDIT, resource: $post) { ...all } SEE: can(action: SEE, resource: $post) { ...all } } }
  fragment all on Permission { isAllowed reason unlock retryAfter }`

const PLACES = ['open', 'ruled', 'club', 'hidden', 'closed', 'off', 'removed']
const WHO = ['stranger', 'author', 'plain', 'vip', 'mod', 'banned', 'staff', 'reader']

test.each(WHO)('%s may do what the mutations let it do, and is refused for their reasons', async (who) => {
  const token = tokens[who] ?? ''
  for (const place of PLACES) {
    const [space, post] = [spaces[place] ?? spaces.open, posts[place] ?? '']
    const { data, errors } = await shop.ask(token, ASK, { space, post })
    expect(errors).toEqual([])
    const placing = { space, member: { externalId: 'plain' }, standing: 'INVITED' }
    const query = `{ node(id: "${post}") { ... on Contribution { viewerCanEdit } } }`
    const { node } = (await shop.ask(token, query)).data
    if (node) expect([place, node.viewerCanEdit]).toEqual([place, data.viewer.EDIT.isAllowed])
    expect({ place, ...data.viewer }).toEqual({
      place,
      POST: await tried(token, 'publishPost', { space, body: 'Hello.' }),
      MODERATE: await tried(token, 'placeInSpace', placing),
      REPLY: await tried(token, 'addComment', { on: post, body: 'Yes.' }),
      REACT: await tried(token, 'react', { contribution: post, kind: 'LIKE' }),
      EDIT: await tried(token, 'editContribution', { contribution: post, body: 'Other words.' }),
      SEE: node && ALLOWED,
    })
  }
})

test('a space says what the viewer may do in it, with the rule that would let it, and many at once are one statement', async () => {
  const query = `{ spaces { nodes { key
    post: viewerCan(action: POST) { isAllowed reason unlock } react: viewerCan(action: REACT) { isAllowed } } } }`
  const { data, statements } = await shop.ask(tokens.plain ?? '', query)
  expect(data.spaces.nodes).toEqual([
    { key: 'open', post: { isAllowed: true, reason: null, unlock: null }, react: { isAllowed: true } },
    {
      key: 'ruled',
      post: { isAllowed: false, reason: 'AUDIENCE', unlock: vips },
      react: { isAllowed: false },
    },
    {
      key: 'club',
      post: { isAllowed: false, reason: 'NOT_JOINED', unlock: null },
      react: { isAllowed: false },
    },
    {
      key: 'closed',
      post: { isAllowed: false, reason: 'NOT_COVERED', unlock: null },
      react: { isAllowed: true },
    },
  ])
  expect(statements.filter((name) => name.includes('permissions'))).toHaveLength(1)
})

test('an id of something else is bad input', async () => {
  const query = 'query ($id: ID!) { viewer { can(action: SEE, resource: $id) { isAllowed } } }'
  const { errors } = await shop.ask(tokens.plain ?? '', query, { id: idOfKind('Tier', crypto.randomUUID()) })
  expect(errors).toMatchObject([{ code: 'BAD_INPUT', field: 'resource' }])
})
