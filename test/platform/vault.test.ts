import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openVault, SealedError } from '../../api/platform/vault.ts'

async function folder(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'engawa-vault-'))
  onTestFinished(() => rm(dataDir, { recursive: true }))
  return dataDir
}

async function vaultWith(secretKey?: Buffer, previousSecretKey?: Buffer) {
  return openVault({ secretKey, previousSecretKey, dataDir: await folder() })
}

const place = 'channel_setting/t-1/line'

test('what is sealed opens with the same key, and differs each time', async () => {
  const vault = await vaultWith(randomBytes(32))
  const [one, two] = [await vault.seal(place, 'canary'), await vault.seal(place, 'canary')]
  expect(await vault.open(place, one)).toBe('canary')
  expect(Buffer.compare(one.sealed, two.sealed)).not.toBe(0)
  expect(Buffer.compare(one.dataKey, two.dataKey)).not.toBe(0)
  expect(Buffer.from(one.sealed).includes('canary')).toBe(false)
})

test('it opens in no other place, with no other key, and not with a bit of it changed', async () => {
  const key = randomBytes(32)
  const vault = await vaultWith(key)
  const sealed = await vault.seal(place, 'canary')
  const flipped = Uint8Array.from(sealed.sealed)
  flipped[20] = (flipped[20] ?? 0) ^ 1
  await expect(vault.open('channel_setting/t-2/line', sealed)).rejects.toThrow(SealedError)
  await expect(vault.open(place, { ...sealed, sealed: flipped })).rejects.toThrow(SealedError)
  await expect(vault.open(place, { ...sealed, sealed: new Uint8Array(3) })).rejects.toThrow(SealedError)
  await expect((await vaultWith(randomBytes(32))).open(place, sealed)).rejects.toThrow(
    'The stored secrets cannot be opened with this ENGAWA_SECRET_KEY.',
  )
})

test('what the previous key sealed opens, and is wrapped anew without touching what is sealed', async () => {
  const [old, present] = [randomBytes(32), randomBytes(32)]
  const sealed = await (await vaultWith(old)).seal(place, 'canary')
  const vault = await vaultWith(present, old)
  expect(await vault.open(place, sealed)).toBe('canary')
  const anew = { ...sealed, ...(await vault.rewrap(place, sealed)) }
  expect(anew.keyId).toBe(await vault.keyId())
  expect(await (await vaultWith(present)).open(place, anew)).toBe('canary')
  await expect((await vaultWith(old)).open(place, anew)).rejects.toThrow(SealedError)
})

test('without a key of its own it makes one in the data directory that only the owner may read', async () => {
  const dataDir = await folder()
  const without = { secretKey: undefined, previousSecretKey: undefined, dataDir }
  const sealed = await openVault(without).seal(place, 'canary')
  expect(await openVault(without).open(place, sealed)).toBe('canary')
  expect((await stat(join(dataDir, 'secret-key'))).mode & 0o777).toBe(0o600)
  // Whoever sets a key later still opens what is there.
  expect(await openVault({ ...without, secretKey: randomBytes(32) }).open(place, sealed)).toBe('canary')
})

test('processes that make the key of a data directory at once make one', async () => {
  const dataDir = await folder()
  const vaults = Array.from({ length: 20 }, () =>
    openVault({ secretKey: undefined, previousSecretKey: undefined, dataDir }),
  )
  const ids = await Promise.all(vaults.map((vault) => vault.keyId()))
  expect(new Set(ids).size).toBe(1)
})

test('a file that holds no key is named and left as it is', async () => {
  const dataDir = await folder()
  await writeFile(join(dataDir, 'secret-key'), 'hunter2')
  const vault = openVault({ secretKey: undefined, previousSecretKey: undefined, dataDir })
  await expect(vault.seal(place, 'canary')).rejects.toThrow('secret-key does not hold a key of 32 bytes')
  expect(await readFile(join(dataDir, 'secret-key'), 'utf8')).toBe('hunter2')
})
