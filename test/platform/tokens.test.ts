import { createHmac, createPublicKey } from 'node:crypto'
import { SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Auth } from '../../api/platform/auth/index.ts'
import { UnauthenticatedError } from '../../api/platform/errors/index.ts'
import { type Claims, type IssuerKey, issuerKey, signToken } from '../support/issuer.ts'
import { openSigningIn } from './signing-in.ts'

const good: Claims = { iss: 'https://id.shop.example', tenant: 'shop' }
const now = () => Math.floor(Date.now() / 1000)

let place: Awaited<ReturnType<typeof openSigningIn>>
let auth: Auth
let key: IssuerKey
let rsa: IssuerKey

beforeAll(async () => {
  place = await openSigningIn()
  key = await issuerKey('k1')
  rsa = await issuerKey('k1', 'RS256')
  await place.trust('https://id.shop.example', key)
  await place.trust('https://rsa.shop.example', rsa)
  auth = await place.open()
})
afterAll(() => place[Symbol.asyncDispose]())

async function refusal(token: string): Promise<string> {
  const error = await auth.authenticate(`Bearer ${token}`).then(
    () => expect.fail('the token was accepted'),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(UnauthenticatedError)
  const { message } = error as UnauthenticatedError
  const [, payload = 'none'] = token.split('.')
  expect(message).not.toContain(payload)
  return message
}

test('a good token gives its viewer, the same object the next time', async () => {
  const exp = now() + 60
  const token = await signToken(key, {
    ...good,
    kind: 'staff',
    sub: 'mia',
    scope: 'points:read points:write',
    exp,
    jti: 'j1',
  })
  const viewer = await auth.authenticate(`Bearer ${token}`)
  expect(viewer).toMatchObject({
    tenant: { key: 'shop', timeZone: 'Asia/Tokyo', hasTestClock: false },
    kind: 'STAFF',
    sub: 'mia',
    actor: 'staff:mia',
    jti: 'j1',
    expiresAt: new Date(exp * 1000),
  })
  expect([...(viewer?.scopes ?? [])]).toEqual(['points:read', 'points:write'])
  expect(await auth.authenticate(`bearer ${token}`)).toBe(viewer)
})

test('no header is anonymous', async () => {
  expect([await auth.authenticate(undefined), await auth.authenticate(null)]).toEqual([null, null])
})

test.each(['', 'Bearer', 'Bearer a b', 'Basic dXNlcjpwYXNz', 'Bearer café'])(
  'the header %j is refused',
  async (header) => {
    await expect(auth.authenticate(header)).rejects.toThrow(
      'The header Authorization must be `Bearer <token>`.',
    )
  },
)

test.each<[name: string, claims: Claims, message: string]>([
  ['no exp', { exp: undefined }, 'The token must have the claim "exp".'],
  ['expired a second ago', { exp: now() - 1 }, 'The token has expired (claim "exp"); sign in again.'],
  ['not yet valid', { nbf: now() + 60 }, 'The token is not valid yet (claim "nbf").'],
  ['issued in the future', { iat: now() + 120 }, 'The token\'s claim "iat" is in the future.'],
  ['a wrong audience', { aud: 'another' }, 'The token\'s claim "aud" must be or contain "shop".'],
  ['no audience', { aud: undefined }, 'The token must have the claim "aud".'],
  ['no tenant', { tenant: undefined }, 'The token must have the claim "tenant".'],
  [
    'a tenant that is not text',
    { tenant: ['shop'] },
    'The token\'s claim "tenant" must be text of 1 to 63 characters.',
  ],
  ['no issuer', { iss: undefined }, 'The token must have the claim "iss".'],
  ['no subject', { sub: undefined }, 'The token must have the claim "sub".'],
  ['an empty subject', { sub: '' }, 'The token\'s claim "sub" must be text of 1 to 250 characters.'],
  ['no kind', { kind: undefined }, 'The token must have the claim "kind".'],
  [
    'an unknown kind',
    { kind: 'root' },
    'The token\'s claim "kind" must be "member", "integration" or "staff".',
  ],
  [
    'a kind of the prototype',
    { kind: 'constructor' },
    'The token\'s claim "kind" must be "member", "integration" or "staff".',
  ],
  [
    'a scope that is a list',
    { scope: ['a'] },
    'The token\'s claim "scope" must be text, scopes separated by spaces.',
  ],
])('a token with %s is refused, and told why', async (_, claims, message) => {
  expect(await refusal(await signToken(key, { ...good, ...claims }))).toBe(message)
})

const untrusted = /^The token's claim "iss" must be an issuer that the tenant of its claim "tenant" trusts;/

test.each<[name: string, claims: Claims]>([
  ['a tenant that does not exist', { tenant: 'nowhere' }],
  ['an issuer that nobody trusts', { iss: 'https://evil.example' }],
  ['SQL for a tenant', { tenant: "shop' or '1'='1" }],
  ['SQL for an issuer', { iss: "x' or '1'='1" }],
])('%s gets the same answer as any stranger', async (_, claims) => {
  expect(await refusal(await signToken(key, { ...good, ...claims }))).toMatch(untrusted)
})

test('the issuer of one tenant cannot sign for another', async () => {
  const theirs = await issuerKey('k1')
  await place.trust('https://id.rival.example', theirs, await place.newTenant('rival'))
  await auth.refresh()
  const claims = { ...good, iss: 'https://id.rival.example' }
  expect(await refusal(await signToken(theirs, claims))).toMatch(untrusted)
  expect(await refusal(await signToken(theirs, good))).toBe("The token's signature is not right.")
  expect(
    await auth.authenticate(`Bearer ${await signToken(theirs, { ...claims, tenant: 'rival' })}`),
  ).not.toBeNull()
})

test.each(['none', 'NoNe', 'NONE'])('an unsigned token with alg %s is refused', async (alg) => {
  const payload = new UnsecuredJWT({ ...good, aud: 'shop', sub: 'u', kind: 'staff', exp: now() + 60 })
    .encode()
    .split('.')[1]
  const header = Buffer.from(JSON.stringify({ alg })).toString('base64url')
  for (const signature of ['', 'AAAA']) {
    expect(await refusal(`${header}.${payload}.${signature}`)).toMatch(
      /"alg" must be one of|well-formed|Bearer/,
    )
  }
})

test('a public RSA key used as an HMAC secret is refused', async () => {
  const claims = {
    ...good,
    iss: 'https://rsa.shop.example',
    aud: 'shop',
    sub: 'u',
    kind: 'staff',
    exp: now() + 60,
  }
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const pem = createPublicKey({ key: rsa.publicJwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
  for (const secret of [pem, JSON.stringify(rsa.publicJwk)]) {
    const signed = `${encode({ alg: 'HS256', kid: 'k1' })}.${encode(claims)}`
    const token = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
    expect(await refusal(token)).toBe(
      'The token\'s header "alg" must be one of the algorithms of its issuer: RS256.',
    )
  }
  const stranger = await issuerKey('k1', 'RS256')
  expect(await refusal(await signToken(stranger, claims))).toBe("The token's signature is not right.")
})

test('keys that the token brings or points to are not looked at', async () => {
  const own = await issuerKey('k1')
  for (const header of [
    { jwk: own.publicJwk },
    { jku: 'http://127.0.0.1:9/jwks' },
    { x5u: 'http://127.0.0.1:9/cert' },
  ]) {
    expect(await refusal(await signToken(own, good, header))).toBe("The token's signature is not right.")
  }
})

test.each(['../../../../dev/null', '/etc/passwd', "' union select 'key' --", '', '__proto__', 'k2'])(
  'the kid %j is a name that does not fit, and nothing else',
  async (kid) => {
    expect(await refusal(await signToken(key, good, { kid }))).toMatch(/^No key of the issuer fits/)
  },
)

test('an extension that must be understood and is not, is refused', async () => {
  const token = await new SignJWT({ ...good, aud: 'shop', sub: 'u', kind: 'member', exp: now() + 60 })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', crit: ['urn:x'], 'urn:x': 1 })
    .sign(key.privateKey, { crit: { 'urn:x': true } })
  expect(await refusal(token)).toMatch(/"crit"/)
})

test.each(['JOSE', 'secevent+jwt', 'dpop+jwt', 7])('typ %j is refused', async (typ) => {
  expect(await refusal(await signToken(key, good, { typ }))).toMatch(/"typ" must be "JWT"/)
})

test.each(['JWT', 'at+jwt', 'application/at+jwt', undefined])('typ %j is accepted', async (typ) => {
  expect(
    await auth.authenticate(`Bearer ${await signToken(key, good, typ === undefined ? {} : { typ })}`),
  ).not.toBeNull()
})

test.each(['x', 'a.b', 'a.b.c', `${'a'.repeat(9000)}`, 'e30.e30.AAAA', 'bnVsbA.bnVsbA.AAAA'])(
  'rubbish is refused (%#)',
  async (token) => {
    expect(await refusal(token)).toMatch(/well-formed|longer than|must have the claim/)
  },
)

test('one flipped bit anywhere in a token is refused', async () => {
  const token = await signToken(key, good)
  const [head = '', payload = '', signature = ''] = token
    .split('.')
    .map((part) => Buffer.from(part, 'base64url'))
  for (let i = 0; i < 20; i++) {
    const parts = [head, payload, signature].map((part) => Buffer.from(part))
    const part = parts[i % 3] ?? Buffer.alloc(1)
    part[(i * 7) % part.length] = (part[(i * 7) % part.length] ?? 0) ^ 1
    await refusal(parts.map((bytes) => bytes.toString('base64url')).join('.'))
  }
})

test.each<[kind: string, scope: string, can: string[], cannot: string[]]>([
  ['staff', '*', ['settings', 'introspect', 'lifecycle:write', 'points:write'], []],
  ['staff', 'points:read', ['points:read'], ['points:write', 'settings', '*']],
  ['staff', '', [], ['points:read']],
  ['integration', '*', ['points:write', 'events:read'], ['settings', 'introspect', 'lifecycle:write']],
  ['integration', 'settings points:write', ['points:write'], ['settings']],
  ['member', '* points:write settings', [], ['points:write', 'settings', 'points:read']],
])('a %s token with scope %j', async (kind, scope, can, cannot) => {
  const viewer = await auth.authenticate(`Bearer ${await signToken(key, { ...good, kind, scope })}`)
  expect(can.filter((name) => !viewer?.can(name))).toEqual([])
  expect(cannot.filter((name) => viewer?.can(name))).toEqual([])
  if (kind === 'member') expect(viewer?.scopes.size).toBe(0)
})

test('a remembered token is refused from its expiry on', async () => {
  let time = Date.now()
  const node = await place.open({ clock: { now: () => new Date(time) } })
  const token = await signToken(key, { ...good, exp: now() + 10 })
  const viewer = await node.authenticate(`Bearer ${token}`)
  expect(viewer && node.isGood(viewer)).toBe(true)
  time += 10_000
  expect(viewer && node.isGood(viewer)).toBe(false)
  await expect(node.authenticate(`Bearer ${token}`)).rejects.toThrow('The token has expired (claim "exp")')
})
