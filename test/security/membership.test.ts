// Access ends where it is ended, on every node: for the next request, and for all that is open.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openApp } from '../../api/app.ts'
import { readConfig } from '../../api/platform/config.ts'
import { openLog } from '../../api/platform/log.ts'
import deployment from '../../engawa.config.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { ask } from '../support/asking.ts'
import { until } from '../support/until.ts'
import { type OpenEnd, openSocket, openStream } from './open-ends.ts'

const open = testApp()
const left: OpenEnd[] = []
let first: Shop
let second: Awaited<ReturnType<typeof openApp>>
let nodes: string[]

beforeAll(async () => {
  first = await open()
  const { databaseUrl, dataDir } = first.ground
  second = await openApp({
    config: readConfig({ PORT: '0', ENGAWA_DATA_DIR: dataDir }),
    databaseUrl,
    role: 'web',
    log: openLog({ level: 'fatal' }),
    deployment,
  })
  nodes = [first.url, second.url ?? '']
})
afterAll(async () => {
  for (const end of left) end.leave()
  await second.close()
})

/** Everything that one token can keep open, on both nodes. */
async function openAll(token: string): Promise<OpenEnd[]> {
  const ends = await Promise.all(
    nodes.flatMap((url) => [
      openSocket(url, token, true),
      openSocket(url, token, false),
      openStream(url, token),
    ]),
  )
  left.push(...ends)
  return ends
}

const CLOSED = [expect.stringMatching(/^4403 /), expect.stringMatching(/^4403 /), 'over']

/** How a request with the token is answered, by both nodes. */
async function codes(token: string): Promise<(string | undefined)[]> {
  const answers = nodes.map((url) => ask(url, token, { query: '{ viewer { kind } }' }))
  return (await Promise.all(answers)).map(({ errors }) => errors[0]?.code)
}

const claimsOf = (token: string) => JSON.parse(atob(token.split('.')[1] ?? ''))

interface Ending {
  readonly what: string
  readonly code: string
  /** The token that ends, of a new member. */
  token(shop: Shop, member: TestMember): string | Promise<string>
  end(shop: Shop, member: TestMember, token: string): unknown
  /** Whether another token of the same subject ends as well. */
  readonly endsOthers: boolean
}

const ENDINGS: readonly Ending[] = [
  {
    what: 'a membership ends',
    code: 'FORBIDDEN',
    token: (_, { token }) => token,
    end: (shop, { by }) => shop.do('endMembership', { member: by, end: 'LEFT' }),
    endsOthers: true,
  },
  {
    what: 'a token is revoked by its id',
    code: 'UNAUTHENTICATED',
    token: (_, { token }) => token,
    end: (shop, _, token) => shop.do('revokeTokens', { jti: claimsOf(token).jti }),
    endsOthers: false,
  },
  {
    what: 'the tokens of a member are revoked',
    code: 'UNAUTHENTICATED',
    token: (_, { token }) => token,
    end: (shop, _, token) =>
      shop.do('revokeTokens', { subject: { kind: 'MEMBER', sub: claimsOf(token).sub } }),
    endsOthers: true,
  },
  {
    what: 'the tokens of an integration are revoked',
    code: 'UNAUTHENTICATED',
    token: (shop, { by }) => shop.token('integration', by.externalId, '*'),
    end: (shop, _, token) =>
      shop.do('revokeTokens', { subject: { kind: 'INTEGRATION', sub: claimsOf(token).sub } }),
    endsOthers: false,
  },
  {
    what: 'a token expires',
    code: 'UNAUTHENTICATED',
    token: (shop, { by }) => shop.token('member', by.externalId, '', 4),
    end: (_shop, _member, token) => until(() => claimsOf(token).exp * 1000 <= Date.now()),
    endsOthers: false,
  },
]

test.concurrent.each(ENDINGS)(
  'when $what, requests are refused and all that is open ends, on both nodes',
  async ({ what, code, token: tokenOf, end, endsOthers }) => {
    const shop = await open()
    const [member, neighbour] = [await shop.member(what), await shop.member(`not ${what}`)]
    const token = await tokenOf(shop, member)
    const another = await shop.token('member', what)
    const [ends, stay, others] = await Promise.all([
      openAll(token),
      openAll(neighbour.token),
      openAll(another),
    ])
    for (const { by } of [member, neighbour])
      await shop.do('updateMember', { member: by, displayName: 'Updated' })
    const streams = [...ends, ...stay, ...others].filter((_, i) => i % 3 !== 1)
    await until(() => streams.every((each) => each.heard().includes('member.updated')))
    expect(await codes(token)).toEqual([undefined, undefined])

    await end(shop, member, token)
    const began = performance.now()

    const isRevocation = code === 'UNAUTHENTICATED'
    // The node that was told knows at once, another within two seconds.
    expect((await codes(token)).slice(0, isRevocation ? 1 : 2)).toEqual(isRevocation ? [code] : [code, code])
    expect(await Promise.all(ends.map(({ ended }) => ended))).toEqual([...CLOSED, ...CLOSED])
    expect(performance.now() - began).toBeLessThan(5_000)
    expect(await codes(token)).toEqual([code, code])

    if (endsOthers) await Promise.all(others.map(({ ended }) => ended))
    const isMemberless = code === 'FORBIDDEN'
    if (!isMemberless) await shop.do('grantPoints', { member: member.by, points: 1, reason: 'Afterwards' })
    await shop.do('grantPoints', { member: neighbour.by, points: 1, reason: 'Afterwards' })
    const staying = stay.filter((_, i) => i % 3 !== 1)
    await until(() => staying.every((each) => each.heard().includes('points.posted')))
    expect(stay.every((each) => each.isOpen())).toBe(true)
    expect(others.every((each) => each.isOpen())).toBe(!endsOthers)
    for (const each of [...ends, ...(endsOthers ? others : [])]) {
      expect(each.heard()).not.toMatch(/points\.posted/)
      if (claimsOf(token).kind === 'member') expect(each.heard()).not.toMatch(/membership\.ended/)
    }
  },
)

test('a token made after the revocation of its subject is good', async () => {
  const shop = await open()
  const member = await shop.member('comes back')
  await shop.do('revokeTokens', { subject: { kind: 'MEMBER', sub: 'comes back' } })
  await until(async () => (await codes(member.token)).every((code) => code === 'UNAUTHENTICATED'), 2_000)
  expect(await codes(await shop.token('member', 'comes back'))).toEqual([undefined, undefined])
})

test('who is gone before it connects is not let in', async () => {
  const shop = await open()
  const member = await shop.member('gone')
  await shop.do('endMembership', { member: member.by, end: 'REMOVED' })
  for (const url of nodes) {
    const socket = await openSocket(url, member.token, false)
    expect(await socket.ended).toMatch(/^4403 /)
    const stream = await openStream(url, member.token)
    expect([await stream.ended, stream.heard()]).toEqual(['over', expect.stringContaining('"FORBIDDEN"')])
    expect(stream.heard()).not.toContain('Checkpoint')
  }
})
