import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { developmentKey } from '../../api/platform/auth/development.ts'
import { mintDevelopmentToken, type Viewer } from '../../api/platform/auth/index.ts'
import { UnauthenticatedError } from '../../api/platform/errors/index.ts'
import { issuerKey } from '../support/issuer.ts'
import { signingIn } from './signing-in.ts'

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'engawa-key-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  return join(dir, 'data')
}

test('while no issuer exists development tokens are accepted, and from the first one on they are not', async () => {
  const place = await signingIn()
  const auth = await place.open()
  const token = await mintDevelopmentToken({
    dataDir: place.dataDir,
    tenant: 'shop',
    kind: 'staff',
    sub: 'mia',
    scopes: ['*'],
  })
  const viewer = await auth.authenticate(`Bearer ${token}`)
  expect(viewer).toMatchObject({ kind: 'STAFF', actor: 'staff:mia', issuer: 'engawa-development' })
  expect(auth.isDevelopment).toBe(true)

  const closed: boolean[] = []
  auth.onRevoked((matches) => closed.push(matches(viewer as Viewer)))
  await place.trust('https://id.rival.example', await issuerKey('k'), await place.newTenant('rival'))
  await auth.refresh()
  expect(auth.isDevelopment).toBe(false)
  expect(closed).toEqual([true])
  await expect(auth.authenticate(`Bearer ${token}`)).rejects.toThrow(UnauthenticatedError)
})

test('a development token is about one tenant, lives as long as it was told and can be told apart', async () => {
  const place = await signingIn()
  const auth = await place.open()
  const wish = { dataDir: place.dataDir, tenant: 'shop', kind: 'member', sub: 'u-1', ttlSeconds: 90 } as const
  const viewers = await Promise.all(
    [1, 2].map(async () => auth.authenticate(`Bearer ${await mintDevelopmentToken(wish)}`)),
  )
  expect(new Set(viewers.map((viewer) => viewer?.jti)).size).toBe(2)
  expect(Number(viewers[0]?.expiresAt) - Number(viewers[0]?.issuedAt)).toBe(90_000)
  const elsewhere = await mintDevelopmentToken({ ...wish, tenant: 'nowhere' })
  await expect(auth.authenticate(`Bearer ${elsewhere}`)).rejects.toThrow(UnauthenticatedError)
})

test('the key of another data directory is not accepted', async () => {
  const place = await signingIn()
  const auth = await place.open()
  const token = await mintDevelopmentToken({
    dataDir: await folder(),
    tenant: 'shop',
    kind: 'member',
    sub: 'u',
  })
  await expect(auth.authenticate(`Bearer ${token}`)).rejects.toThrow("The token's signature is not right.")
})

test('processes that make the key at once get the same one, which only its owner can read', async () => {
  const dataDir = await folder()
  const script = `
    import { developmentKey } from ${JSON.stringify(join(import.meta.dirname, '../../api/platform/auth/development.ts'))}
    import { exportJWK } from 'jose'
    console.log((await exportJWK((await developmentKey(process.argv[1])).publicKey)).x)`
  const made = await Promise.all(
    Array.from({ length: 4 }, () =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, dataDir], {
        cwd: import.meta.dirname,
      }),
    ),
  )
  expect(new Set(made.map(({ stdout }) => stdout)).size).toBe(1)
  expect(await readdir(dataDir)).toEqual(['development-key.json'])
  expect((await stat(join(dataDir, 'development-key.json'))).mode & 0o777).toBe(0o600)
})

test.each(['', '{', '{}', 'null', '{"kty":"oct","k":"AAAA"}'])(
  'a key file that holds %j is named',
  async (content) => {
    const dataDir = await folder()
    await developmentKey(dataDir)
    const file = join(dataDir, 'development-key.json')
    await chmod(file, 0o600)
    await writeFile(file, content)
    await expect(developmentKey(dataDir)).rejects.toThrow(file)
  },
)
