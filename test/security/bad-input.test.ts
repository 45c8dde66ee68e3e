// Bad input is refused by a name and a field, and leaves nothing behind.
import { isEnumType } from 'graphql'
import { UnsecuredJWT } from 'jose'
import { afterEach, beforeAll, describe, expect, it, test } from 'vitest'
import { encodeId } from '../../api/graph/ids.ts'
import { mintDevelopmentToken } from '../../api/platform/auth/index.ts'
import { newId } from '../../api/platform/ids.ts'
import { schema } from '../../api/schema.ts'
import { type Shop, testApp } from '../support/app.ts'
import { fingerprint } from '../support/fingerprint.ts'
import { headOf } from '../support/history.ts'
import { issuerKey, signToken } from '../support/issuer.ts'
import { makeWorld, type World } from '../support/world.ts'
import { rowsOf } from './foreign.ts'
import { MEMBERS_ALONE, OWN } from './own.ts'
import { LEAVES, operationOn, putAt, ROOTS } from './places.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'
let shop: Shop
let mia: World
let foreignCursor: string
let before: Record<string, string>
const own: Record<string, object> = {}

beforeAll(async () => {
  const elsewhere = await open({ testClock: NOW })
  await elsewhere.member('somebody')
  foreignCursor = await headOf(elsewhere)
  shop = await open({ testClock: NOW })
  mia = await makeWorld(shop, 'mia')
  await shop.do('grantPoints', { member: mia.by, points: 100, reason: 'Welcome' })
  const key = await issuerKey('k')
  const issuer = { issuer: 'https://id.example', audience: 'shop', algorithms: ['ES256'] }
  own['Mutation.addIssuer'] = { input: { ...issuer, jwks: { keys: [key.publicJwk] } } }
  for (const root of Object.keys(ROOTS)) own[root] ??= (await OWN[root]?.({ shop, world: mia })) ?? {}
  // One line stands for a list of one.
  Object.assign(Object(Object(own['Mutation.recordPurchase']).input), { lines: { sku: 'soap', amount: 1 } })
  Object.assign(Object(Object(own['Mutation.refundPurchase']).input), { lines: { sku: 'soap', quantity: 1 } })
  await rowsOf(shop) // when it is told, everything is logged
  before = await fingerprint(shop.ground.databaseUrl)
})

afterEach(async () => {
  expect(await fingerprint(shop.ground.databaseUrl)).toEqual(before)
})

const UNFIT = ['a\0b', '\ud800', 'x\udc00y']
const NO_NUMBERS = [
  '9223372036854775808',
  '-9223372036854775809',
  '1.5',
  1.5,
  1e300,
  '',
  'NaN',
  '0x10',
  true,
  '-1',
  -1,
]

/** What is bad wherever a value of the type is taken. A type without any here fails the test. */
const BAD: Record<string, readonly unknown[]> = {
  Amount: NO_NUMBERS,
  Boolean: ['yes', 'true', 1, {}],
  CurrencyCode: ['XXQ', 'jpy', 'YEN', '', 392, ...UNFIT],
  Cursor: ['', 'nonsense', 7, ...UNFIT],
  DateTime: ['2026-02-30T00:00:00Z', '2026-04-01T00:00:00', '2026-04-01', 'yesterday', '', 0, ...UNFIT],
  Duration: ['P', '', '-P1D', 'P101Y', '1 day', 86_400, ...UNFIT],
  ID: ['', 'nonsense', '%%%', encodeId('Nonsense', 'x'), 'x'.repeat(5_000), {}, ...UNFIT],
  Int: [2_147_483_648, 1.5, '1', true],
  JSON: [...UNFIT, ...UNFIT.map((text) => ({ deep: [{ text }] })), { 'na\0me': 1 }, { '\ud800': 1 }],
  LocalDate: ['2026-02-30', '2026-4-1', '2026-04-01T00:00:00Z', '', 20260401, ...UNFIT],
  LocalTime: ['8:00', '24:00', '08:60', '08:00:00', '', 800, ...UNFIT],
  Minor: NO_NUMBERS,
  Points: [...NO_NUMBERS, '0', 0],
  String: [5, true, {}, ...UNFIT],
  TimeZone: ['Mars/Olympus', '', 9, ...UNFIT],
}

/** What is bad elsewhere, and not here. */
const FINE: Record<string, readonly unknown[]> = {
  'Mutation.adjustPoints input.points': ['-1', -1],
  'Mutation.recordCost input.amount': ['-1', -1],
  'Mutation.defineCurrency input.currency.debtLimit': ['0', 0],
  'Mutation.defineCurrency input.currency.value.micro': ['0', 0],
  'Mutation.defineOperations input.adjustment.approvalAbove': ['0', 0],
  'Mutation.defineOperations input.adjustment.dailyPerOperator': ['0', 0],
  'Mutation.defineOperations input.delight.monthlyPerOperator': ['0', 0],
}

const badOf = (type: string) =>
  (isEnumType(schema.getType(type)) ? ['NO_SUCH', 'no such', 5] : BAD[type]) ?? []

test('every type that is taken has bad values', () => {
  const types = [...new Set(LEAVES.map(({ type }) => type))].filter((type) => badOf(type).length === 0)
  expect(types).toEqual([])
})

interface Told {
  readonly status: number
  readonly code?: string
  readonly field?: string
  readonly message?: string
}

/** What a request came to: its first error, as plain JSON or from a stream. */
async function told(body: object, { token = shop.staff, isStream = false } = {}): Promise<Told> {
  const response = await fetch(shop.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: isStream ? 'text/event-stream' : 'application/json',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  const { data, errors } = JSON.parse(text.startsWith('{') ? text : (/data: (\{.*)/.exec(text)?.[1] ?? '{}'))
  const [error = { message: JSON.stringify(data), extensions: {} }] = errors ?? []
  return { status: response.status, message: error.message, ...error.extensions }
}

const askerOf = (root: string) => ({
  token: MEMBERS_ALONE.includes(root) ? mia.token : shop.staff,
  isStream: root.startsWith('Subscription'),
})

describe.each(LEAVES.map((leaf) => ({ ...leaf, field: leaf.path.join('.') })))('$root $field', (leaf) => {
  it(`is refused by its name as a bad ${leaf.type}`, async () => {
    const { root, field, type } = leaf
    const fine = FINE[`${root} ${field}`] ?? []
    for (const value of badOf(type).filter((bad) => !fine.includes(bad))) {
      const variables = putAt(leaf, own[root] ?? {}, value)
      const answer = await told({ query: operationOn(root, 1), variables }, askerOf(root))
      // Inside of JSON, the name goes on to where it is bad.
      const named = answer.field?.replace(/\.\d+/g, '').replace(/\.deep\.text$/, '')
      const at = { value, code: answer.code, field: named }
      expect(at).toEqual({ value, code: 'BAD_INPUT', field })
      expect([200, 400]).toContain(answer.status)
    }
  })
})

const line = { sku: 'soap', amount: 1 }
const bought = { orderId: 'o-1', purchasedAt: NOW, currency: 'JPY', total: 100 }

test.each([
  ['recordPurchase', { purchasedAt: '2026-04-01T00:05:01Z' }, 'input.purchasedAt'],
  [
    'recordPurchase',
    { lines: Array.from({ length: 501 }, (_, i) => ({ ...line, sku: `s${i}` })) },
    'input.lines',
  ],
  ['recordPurchase', { lines: [line, { ...line, quantity: 0 }] }, 'input.lines.1.quantity'],
  ['recordPurchase', { lines: [line, { ...line, sku: '' }] }, 'input.lines.1.sku'],
  ['recordPurchase', { lines: [line, { ...line, amount: -1 }] }, 'input.lines.1.amount'],
  ['recordPurchase', { orderId: '' }, 'input.orderId'],
  ['recordPurchase', { orderId: 'x'.repeat(201) }, 'input.orderId'],
  ['recordPurchase', { idempotencyKey: '' }, 'input.idempotencyKey'],
  ['recordPurchase', { idempotencyKey: 'engawa:1' }, 'input.idempotencyKey'],
  ['recordPurchase', { idempotencyKey: 'x'.repeat(201) }, 'input.idempotencyKey'],
  ['refundPurchase', { lines: [{ sku: 'soap', quantity: 1 }], amount: 1 }, 'input.amount'],
  ['refundPurchase', { lines: [] }, 'input.lines'],
  ['refundPurchase', { lines: [{ sku: 'soap', quantity: 0 }] }, 'input.lines.0.quantity'],
  ['refundPurchase', { amount: 0 }, 'input.amount'],
  ['refundPurchase', { refundedAt: '2027-04-01T00:00:00Z' }, 'input.refundedAt'],
  ['grantPoints', { reason: '' }, 'input.reason'],
  ['grantPoints', { reason: 'x'.repeat(5_000) }, 'input.reason'],
  ['grantPoints', { expiresAt: '2020-01-01T00:00:00Z' }, 'input.expiresAt'],
  ['spendPoints', { reason: ' ' }, 'input.reason'],
  ['holdPoints', { expiresIn: 'PT0S' }, 'input.expiresIn'],
  ['moveMember', { reason: '' }, 'input.reason'],
  ['registerMember', { externalId: '' }, 'input.externalId'],
  ['registerMember', { displayName: 'x'.repeat(201) }, 'input.displayName'],
  ['registerMember', { email: 'nonsense' }, 'input.email'],
  ['registerMember', { locale: 'not a locale' }, 'input.locale'],
  ['registerMember', { attributes: ['list'] }, 'input.attributes'],
  ['registerMember', { attributes: { long: 'x'.repeat(100_000) } }, 'input.attributes'],
])('%s %o is bad input', async (mutation, change, field) => {
  const usual = { recordPurchase: { ...bought, member: mia.by } }[mutation]
  const base = usual ? { input: { idempotencyKey: newId(), ...usual } } : own[`Mutation.${mutation}`]
  const variables = { input: { ...Object(Object(base).input), ...change } }
  if (mutation === 'refundPurchase' && !('lines' in change)) Reflect.deleteProperty(variables.input, 'lines')
  if (mutation === 'refundPurchase' && !('amount' in change))
    Reflect.deleteProperty(variables.input, 'amount')
  const answer = await told({ query: operationOn(`Mutation.${mutation}`, 1), variables })
  expect(answer).toMatchObject({ code: 'BAD_INPUT', field })
})

test.each([
  ['{ members(first: 0) { nodes { id } } }', 'first'],
  ['{ members(first: 101) { nodes { id } } }', 'first'],
  ['{ members(first: 1, last: 1) { nodes { id } } }', 'last'],
  ['{ members(orderBy: TALLEST) { nodes { id } } }', 'orderBy'],
  ['{ member(by: {}) { id } }', 'by'],
  ['{ member(by: {id: "x", externalId: "y"}) { id } }', 'by'],
  ['{ node(id: "a\\u0000b") { id } }', 'id'],
  ['{ purchase(orderId: "a\\u0000b") { id } }', 'orderId'],
  ['{ nobody }', 'query'],
  ['{', 'query'],
])('%s is bad input', async (query, field) => {
  const answer = await told({ query })
  expect(answer).toMatchObject({ code: 'BAD_INPUT', field })
  expect([200, 400]).toContain(answer.status)
})

test('the id of another type is bad input, whatever wants one', async () => {
  const wants = LEAVES.filter(({ root, type }) => type === 'ID' && !root.startsWith('Query.node'))
  for (const leaf of wants) {
    const variables = putAt(leaf, own[leaf.root] ?? {}, encodeId('Stage', newId()))
    const answer = await told({ query: operationOn(leaf.root, 1), variables }, askerOf(leaf.root))
    const named = answer.field?.replace(/\.\d+/g, '')
    expect([answer.code, named]).toEqual(['BAD_INPUT', leaf.path.join('.')])
  }
})

test("the cursor of another tenant's log is bad input", async () => {
  const body = { query: operationOn('Subscription.events', 1), variables: { after: foreignCursor } }
  expect(await told(body, { isStream: true })).toMatchObject({ code: 'BAD_INPUT', field: 'after' })
})

test('a body of 10 MB is refused by its size', async () => {
  const variables = { input: { idempotencyKey: 'k', displayName: 'x'.repeat(10 * 1024 * 1024) } }
  const answer = await told({ query: operationOn('Mutation.registerMember', 1), variables })
  expect(answer).toMatchObject({ status: 413, code: 'BAD_INPUT', field: 'body' })
})

test('a token that does not count does nothing', async () => {
  const { dataDir } = shop.ground
  const claims = { tenant: shop.tenant.key, kind: 'staff', scope: '*', sub: 'anna' }
  const expired = await shop.token('staff', 'anna', '*', -1)
  const tokens = {
    expired,
    ofNoTenant: await mintDevelopmentToken({
      dataDir,
      tenant: 'no-such',
      kind: 'staff',
      sub: 'anna',
      scopes: ['*'],
    }),
    ofAStranger: await signToken(await issuerKey('k'), { ...claims, iss: 'https://evil.example' }),
    forged: await signToken(await issuerKey('k'), { ...claims, iss: 'engawa-development', aud: 'engawa' }),
    unsigned: new UnsecuredJWT(claims).setExpirationTime('1h').encode(),
    changed: shop.staff.replace(
      /\.[^.]+\./,
      `.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`,
    ),
    nonsense: 'nonsense',
  }
  for (const [what, token] of Object.entries(tokens)) {
    const body = { query: operationOn('Mutation.grantPoints', 1), variables: own['Mutation.grantPoints'] }
    expect({ what, ...(await told(body, { token })) }).toMatchObject({
      what,
      status: 401,
      code: 'UNAUTHENTICATED',
    })
  }
})
