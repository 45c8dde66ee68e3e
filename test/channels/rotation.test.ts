// Another master key: all secrets come under it, whatever happens on the way.
import { randomBytes } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { run } from '../../api/cli.ts'
import { readSaved, sealedSettings } from '../../api/domains/channels/index.ts'
import { sealedWebhookSecrets } from '../../api/domains/webhooks/index.ts'
import { type Rotated, rotateKeys } from '../../api/platform/key-rotation.ts'
import { openVault, SealedError, type Vault } from '../../api/platform/vault.ts'
import { usingDatabase } from '../support/database.ts'
import { type Ground, openGround } from './tenant.ts'

const [old, present] = [randomBytes(32), randomBytes(32)]
const dataDir = '/nonexistent'
const vaultWith = (secretKey: Buffer, previousSecretKey?: Buffer) =>
  openVault({ secretKey, previousSecretKey, dataDir })

/** So many channels that have a secret each, under the old key. */
async function sealed(ground: Ground, count: number): Promise<void> {
  const vault = vaultWith(old)
  for (let n = 0; n < count; n++) {
    const place = sealedSettings.placeOf(ground.tenant.tenantId, `c-${n}`)
    const { sealed, dataKey, keyId } = await vault.seal(place, JSON.stringify({ token: `canary-${n}` }))
    const values = [`c-${n}`, sealed, dataKey, keyId]
    const text = `select channel_configure($1, null, '{}', 1, true, 0, '{token}', $2, $3, $4, 'test')`
    await ground.tenant.query({ text, values })
  }
}

const rotate = (ground: Ground, vault: Vault, onProgress?: (rotated: Rotated) => void) =>
  rotateKeys(ground.db.system, [sealedSettings, sealedWebhookSecrets], {
    vault,
    ...(onProgress && { onProgress }),
  })

const tokens = (ground: Ground, vault: Vault, count: number) =>
  Promise.all(
    Array.from(
      { length: count },
      async (_, n) => (await readSaved(ground.tenant, `c-${n}`, vault))?.config.token,
    ),
  )
const all = (count: number) => Array.from({ length: count }, (_, n) => `canary-${n}`)

test('stopped in the middle and run again, it ends with every secret under the present key', async () => {
  const ground = await openGround((await usingDatabase()).url)
  await sealed(ground, 450)
  const both = vaultWith(present, old)
  const seen: number[] = []
  const stopping = rotate(ground, both, ({ done }) => {
    seen.push(done)
    throw new Error('stopped')
  })
  await expect(stopping).rejects.toThrow('stopped')
  expect(seen).toEqual([200])
  expect(await tokens(ground, both, 450)).toEqual(all(450))
  expect(await rotate(ground, both)).toEqual({ done: 250, total: 250, unopened: 0 })
  expect(await tokens(ground, vaultWith(present), 450)).toEqual(all(450))
  await expect(readSaved(ground.tenant, 'c-0', vaultWith(old))).rejects.toThrow(SealedError)
  expect(await rotate(ground, both)).toEqual({ done: 0, total: 0, unopened: 0 })
})

test('what no key opens stays as it is, and is counted; the rest is done', async () => {
  const ground = await openGround((await usingDatabase()).url)
  await sealed(ground, 3)
  await ground.everything.query(`update channel_setting set key_id = 'lost' where channel = 'c-1'`)
  expect(await rotate(ground, vaultWith(present, old))).toEqual({ done: 2, total: 3, unopened: 1 })
  await ground.everything.query(`update channel_setting set key_id = $1 where channel = 'c-1'`, [
    await vaultWith(old).keyId(),
  ])
  expect(await rotate(ground, vaultWith(present, old))).toEqual({ done: 1, total: 1, unopened: 0 })
})

test('a secret that is set while it runs is not overwritten', async () => {
  const ground = await openGround((await usingDatabase()).url)
  await sealed(ground, 1)
  const both = vaultWith(present, old)
  const place = sealedSettings.placeOf(ground.tenant.tenantId, 'c-0')
  const late: Vault = {
    ...both,
    async rewrap(...given) {
      const { sealed, dataKey, keyId } = await vaultWith(old).seal(place, '{"token": "newer"}')
      const text = `select channel_configure('c-0', 1, '{}', 1, true, 0, '{token}', $1, $2, $3, 'test')`
      await ground.tenant.query({ text, values: [sealed, dataKey, keyId] })
      return both.rewrap(...given)
    },
  }
  await rotate(ground, late)
  expect(await tokens(ground, both, 1)).toEqual(['newer'])
})

test('the command does it, and fails as long as something cannot be opened', async () => {
  const { url } = await usingDatabase()
  const ground = await openGround(url)
  await sealed(ground, 2)
  const before = { ...process.env }
  onTestFinished(() => {
    process.env = before
  })
  const rotating = (previous: string) => {
    const keys = { ENGAWA_SECRET_KEY: present.toString('hex'), ENGAWA_SECRET_KEY_PREVIOUS: previous }
    process.env = { ...before, ...keys, DATABASE_URL: url }
    return run(['secrets', 'rotate'])
  }
  expect(await rotating('')).toBe(1)
  expect(await rotating(old.toString('hex'))).toBe(0)
  expect(await tokens(ground, vaultWith(present), 2)).toEqual(all(2))
})
