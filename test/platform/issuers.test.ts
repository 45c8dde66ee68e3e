import { afterAll, beforeAll, expect, test } from 'vitest'
import { addIssuer, type NewIssuer } from '../../api/platform/auth/index.ts'
import { openEgress } from '../../api/platform/egress.ts'
import { BadInputError, UnauthenticatedError, UnavailableError } from '../../api/platform/errors/index.ts'
import { type IssuerKey, issuerKey, keyServer, signToken } from '../support/issuer.ts'
import { openSigningIn } from './signing-in.ts'

let place: Awaited<ReturnType<typeof openSigningIn>>
beforeAll(async () => {
  place = await openSigningIn()
})
afterAll(() => place[Symbol.asyncDispose]())

const times = { coolDown: 60_000, maxAge: 600_000, timeout: 2_000 }

/** A tenant that trusts a key server, and a node with these times. */
async function withServer(keyTimes: typeof times, ...keys: IssuerKey[]) {
  const server = await keyServer(...keys)
  const egress = openEgress({ allow: [server.host] })
  const issuer: NewIssuer = {
    issuer: server.url,
    audience: 'shop',
    jwksUrl: server.url,
    algorithms: ['ES256'],
  }
  await addIssuer(place.tx, issuer, egress)
  const auth = await place.open({ egress, keyTimes })
  const enter = async (key: IssuerKey, header = {}) =>
    auth.authenticate(`Bearer ${await signToken(key, { iss: server.url, tenant: 'shop' }, header)}`)
  return { server, auth, enter }
}

test('keys are read once for any number of tokens', async () => {
  const key = await issuerKey('k1')
  const { server, enter } = await withServer(times, key)
  await Promise.all(Array.from({ length: 20 }, (_, i) => enter(key, { n: i })))
  expect(server.requests()).toBe(1)
})

test('200 unknown keys cause no read inside the cool-down, and good tokens go on', async () => {
  const key = await issuerKey('k1')
  const { server, enter } = await withServer(times, key)
  await enter(key)
  const flood = Array.from({ length: 200 }, (_, i) => enter(key, { kid: `unknown-${i}` }))
  const answers = await Promise.allSettled(flood)
  expect(answers.filter(({ status }) => status === 'rejected').length).toBe(200)
  expect(server.requests()).toBe(1)
  expect(await enter(key)).not.toBeNull()
})

test('a failing key server is not hammered, and it is not the token that is blamed', async () => {
  const key = await issuerKey('k1')
  const { server, enter } = await withServer(times, key)
  server.broken = { status: 500, body: 'oops' }
  for (let i = 0; i < 50; i++) await expect(enter(key)).rejects.toThrow(UnavailableError)
  expect(server.requests()).toBe(1)
})

test.each([
  ['a redirect', { status: 302, body: '' }],
  ['no JSON', { status: 200, body: '<html>' }],
  ['no key set', { status: 200, body: '{"keys":"many"}' }],
  ['a list', { status: 200, body: '[]' }],
  ['too much', { status: 200, body: `{"keys":[],"x":"${'x'.repeat(300_000)}"}` }],
])('a key server that answers %s gives no keys', async (_, broken) => {
  const key = await issuerKey('k1')
  const { server, enter } = await withServer(times, key)
  server.broken = broken
  await expect(enter(key)).rejects.toThrow(UnavailableError)
})

test('rotation: a new key is accepted after the cool-down, a removed one refused after the maximum age', async () => {
  const [old, next] = [await issuerKey('old'), await issuerKey('next')]
  const { server, enter } = await withServer({ ...times, coolDown: 100, maxAge: 400 }, old)
  await enter(old)
  server.keys = [old, next]
  await expect(enter(next)).rejects.toThrow(UnauthenticatedError) // cooling down
  await expect.poll(() => enter(next).catch(() => null), { timeout: 5_000 }).not.toBeNull()
  server.keys = [next]
  await expect.poll(() => enter(old).catch(() => null), { timeout: 5_000 }).toBeNull()
  expect(await enter(next)).not.toBeNull()
})

test('an issuer with two keys needs the token to name one', async () => {
  const keys = [await issuerKey('a'), await issuerKey('b')]
  const { enter } = await withServer(times, ...keys)
  const [, second = await issuerKey('b')] = keys
  await expect(enter(second, { kid: undefined })).rejects.toThrow('its header "kid" must name one.')
  expect(await enter(second)).not.toBeNull()
})

test('an issuer that changes is known to this node at once and to others within two seconds', async () => {
  const [before, after] = [await issuerKey('k'), await issuerKey('k')]
  const [here, there] = [await place.open(), await place.open()]
  await place.trust('https://changes.example', before)
  await here.refresh()
  const token = async (key: IssuerKey) =>
    `Bearer ${await signToken(key, { iss: 'https://changes.example', tenant: 'shop' })}`
  const [old, young] = [await token(before), await token(after)]
  expect(await here.authenticate(old)).not.toBeNull()
  await place.trust('https://changes.example', after)
  await here.refresh()
  expect(await here.authenticate(young)).not.toBeNull()
  await expect(here.authenticate(old)).rejects.toThrow(UnauthenticatedError) // though it was verified before
  await expect.poll(() => there.authenticate(young).catch(() => null), { timeout: 2_000 }).not.toBeNull()
})

const inline = { issuer: 'https://id.example', audience: 'shop', algorithms: ['ES256'] }
const url = { ...inline, jwksUrl: 'https://id.example/jwks' }

test.each<[name: string, input: () => Promise<NewIssuer> | NewIssuer, field: string]>([
  ['no name', () => ({ ...url, issuer: '' }), 'issuer'],
  ['the name of the development key', () => ({ ...url, issuer: 'engawa-development' }), 'issuer'],
  ['no audience', () => ({ ...url, audience: ' ' }), 'audience'],
  ['no algorithm', () => ({ ...url, algorithms: [] }), 'algorithms'],
  ['alg none', () => ({ ...url, algorithms: ['ES256', 'none'] }), 'algorithms'],
  ['a shared secret', () => ({ ...url, algorithms: ['HS256'] }), 'algorithms'],
  ['no keys', () => inline, 'jwksUrl'],
  ['keys and an address', () => ({ ...url, jwks: { keys: [] } }), 'jwks'],
  ['a plain http address', () => ({ ...inline, jwksUrl: 'http://id.example/jwks' }), 'jwksUrl'],
  ['a private address', () => ({ ...inline, jwksUrl: 'https://169.254.169.254/' }), 'jwksUrl'],
  ['an address that is none', () => ({ ...inline, jwksUrl: 'jwks.json' }), 'jwksUrl'],
  ['an empty set', () => ({ ...inline, jwks: { keys: [] } }), 'jwks'],
  ['a thing that is no set', () => ({ ...inline, jwks: 'keys' }), 'jwks'],
  ['a secret key', () => ({ ...inline, jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } }), 'jwks'],
  [
    'a private key',
    async () => ({ ...inline, jwks: { keys: [{ ...(await issuerKey('k')).publicJwk, d: 'AAAA' }] } }),
    'jwks',
  ],
  [
    'keys of another algorithm',
    async () => ({ ...inline, jwks: { keys: [(await issuerKey('k', 'EdDSA')).publicJwk] } }),
    'jwks',
  ],
])('an issuer with %s is refused, and nothing is stored', async (_, input, field) => {
  const adding = addIssuer(place.tx, await input(), openEgress({ allow: [] }))
  const error = await adding.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(BadInputError)
  expect(error).toMatchObject({ field })
  const stored = await place.db.system.query("select from issuer where issuer in ('', $1)", [inline.issuer])
  expect(stored.rowCount).toBe(0)
})
