import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Auth, revokeTokens, type Viewer } from '../../api/platform/auth/index.ts'
import { BadInputError } from '../../api/platform/errors/index.ts'
import { type Claims, type IssuerKey, issuerKey, signToken } from '../support/issuer.ts'
import { openSigningIn } from './signing-in.ts'

let place: Awaited<ReturnType<typeof openSigningIn>>
let key: IssuerKey
let here: Auth
let there: Auth
let n = 0
let sub = ''

beforeAll(async () => {
  place = await openSigningIn()
  key = await issuerKey('k1')
  await place.trust('https://id', key)
  await place.trust('https://id', key, await place.newTenant('rival'))
  here = await place.open()
  there = await place.open()
})
afterAll(() => place[Symbol.asyncDispose]())
beforeEach(() => {
  sub = `u-${++n}`
})

const token = (claims: Claims = {}) =>
  signToken(key, { iss: 'https://id', tenant: 'shop', sub, jti: `j-${sub}`, ...claims })
const enter = (node: Auth, text: string) => node.authenticate(`Bearer ${text}`)
const revoked = 'The token was revoked; sign in again.'
const seconds = () => Date.now() / 1000

async function viewerOf(node: Auth, text: string): Promise<Viewer> {
  const viewer = await enter(node, text)
  return viewer ?? expect.fail('anonymous')
}

test('a token revoked by its id is refused here at once and elsewhere within two seconds', async () => {
  const [one, other] = [await token(), await token({ jti: 'another' })]
  const viewer = await viewerOf(here, one)
  await enter(there, one)
  await revokeTokens(place.tx, { jti: `j-${sub}` })
  await here.refresh()
  await expect(enter(here, one)).rejects.toThrow(revoked)
  expect(here.isGood(viewer)).toBe(false)
  await expect.poll(() => enter(there, one).catch(() => null), { timeout: 2_000 }).toBeNull()
  for (const node of [here, there]) expect(await enter(node, other)).not.toBeNull()
})

test('revoking a subject refuses what was issued until then, and nothing later or of others', async () => {
  const old = await token({ iat: seconds() })
  await enter(here, old)
  await revokeTokens(place.tx, { subject: { kind: 'MEMBER', sub } })
  await here.refresh()
  await expect(enter(here, old)).rejects.toThrow(revoked)
  await expect(enter(here, await token({ iat: undefined }))).rejects.toThrow(revoked)
  for (const good of [
    { iat: seconds() + 1 },
    { kind: 'staff' },
    { sub: 'somebody-else' },
    { tenant: 'rival' },
  ]) {
    expect(await enter(here, await token({ iat: seconds() - 5, ...good }))).not.toBeNull()
  }
})

test('a revocation that is rolled back revokes nothing', async () => {
  const text = await token()
  const undone = place.tx.transaction(async (tx) => {
    await revokeTokens(tx, { jti: `j-${sub}` })
    throw new Error('no')
  })
  await expect(undone).rejects.toThrow('no')
  await here.refresh()
  expect(await enter(here, text)).not.toBeNull()
})

test('a revocation that commits late is seen, though later ones were seen before', async () => {
  const text = await token()
  await enter(here, text)
  await place.tx.transaction(async (tx) => {
    await revokeTokens(tx, { jti: `j-${sub}` })
    await revokeTokens(place.tx, { jti: 'a later one' })
    await here.refresh()
    expect(await enter(here, text)).not.toBeNull()
  })
  await here.refresh()
  await expect(enter(here, text)).rejects.toThrow(revoked)
})

test('a node that starts later knows what was revoked before', async () => {
  const text = await token()
  await revokeTokens(place.tx, { jti: `j-${sub}` })
  await expect(enter(await place.open(), text)).rejects.toThrow(revoked)
})

test('listeners on every node learn whose tokens became worthless, once', async () => {
  const [mine, other] = [
    await viewerOf(here, await token()),
    await viewerOf(here, await token({ jti: 'x', sub: 'y' })),
  ]
  const heard: boolean[][] = []
  const listener = (matches: (viewer: Viewer) => boolean) => heard.push([matches(mine), matches(other)])
  const stops = [here.onRevoked(listener), there.onRevoked(listener)]
  await revokeTokens(place.tx, { subject: { kind: 'MEMBER', sub } })
  await Promise.all([here.refresh(), here.refresh(), there.refresh()])
  await there.refresh()
  for (const stop of stops) stop()
  await revokeTokens(place.tx, { jti: 'nobody listens' })
  await here.refresh()
  expect(heard).toEqual([
    [true, false],
    [true, false],
  ])
})

test('a listener that throws does not keep the others from hearing', async () => {
  let calls = 0
  const stops = [
    here.onRevoked(() => {
      throw new Error('broken')
    }),
    here.onRevoked(() => calls++),
  ]
  await revokeTokens(place.tx, { jti: 'one more' })
  await here.refresh()
  for (const stop of stops) stop()
  expect(calls).toBe(1)
})

test.each([
  [{ jti: '' }, 'jti'],
  [{ jti: 'x'.repeat(251) }, 'jti'],
  [{ subject: { kind: 'STAFF', sub: '' } }, 'subject.sub'],
] as const)('%j is refused', async (revocation, field) => {
  const error = await revokeTokens(place.tx, revocation).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(BadInputError)
  expect(error).toMatchObject({ field })
})
