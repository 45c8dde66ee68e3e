import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { readConfig } from '../../api/platform/config.ts'
import { newId } from '../../api/platform/ids.ts'
import { openStorage } from '../../api/platform/storage/index.ts'
import { usingApp } from '../support/app.ts'
import { makeSite, node, publish } from './site.ts'

const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), Buffer.alloc(100, 1)])

/** What stands for a bucket: it keeps what is put, and asks for a signature that has not expired in name. */
async function bucket() {
  const kept = new Map<string, Buffer>()
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://bucket')
    const isSigned = url.searchParams.has('X-Amz-Signature') || request.headers.authorization !== undefined
    const body = Buffer.concat(await request.toArray())
    if (!isSigned) return response.writeHead(403).end()
    const found = kept.get(url.pathname)
    if (request.method === 'PUT') kept.set(url.pathname, body)
    else if (request.method === 'DELETE') kept.delete(url.pathname)
    else if (!found) return response.writeHead(404).end()
    const [, end] = /^bytes=0-(\d+)$/.exec(request.headers.range ?? '') ?? []
    const part = end === undefined ? found : found?.subarray(0, Number(end) + 1)
    response.writeHead(200, { 'content-length': String(part?.length ?? 0) })
    return response.end(request.method === 'HEAD' ? undefined : part)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const env = {
    ENGAWA_S3_BUCKET: 'engawa-files',
    ENGAWA_S3_REGION: 'ap-northeast-1',
    ENGAWA_S3_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ENGAWA_S3_ACCESS_KEY_ID: 'key',
    ENGAWA_S3_SECRET_ACCESS_KEY: 'secret',
  }
  return { kept, env }
}

it('lets files come to a bucket and go from it under signed addresses, looking at them before they are part of anything', async () => {
  const { kept, env } = await bucket()
  const shop = await (await usingApp({ role: 'web', env }))()
  const content = await publish(shop, await makeSite(shop))
  const mia = await shop.member('mia')
  const file = { name: 'a.png', mediaType: 'image/png', size: PNG.length }
  const begin = () => shop.do('createUpload', file, { select: 'asset { id } upload { url }' })
  const attach = (asset: string) => shop.do('attachAsset', { asset, to: content }, { select: 'asset { id }' })

  const { asset, upload } = await begin()
  expect(upload.url).toMatch(/X-Amz-Expires=3600.*X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost/)
  expect(await attach(asset.id)).toMatchObject({ code: 'ASSET_UNFIT', assetReason: 'NOT_UPLOADED' })
  await fetch(upload.url, { method: 'PUT', body: PNG, headers: { 'content-type': 'image/png' } })
  expect(await attach(asset.id)).toMatchObject({ asset: { id: asset.id } })
  const { url } = await node(shop, mia.token, asset.id, '... on Asset { url }')
  const response = await fetch(url, { redirect: 'manual' })
  expect([response.status, response.headers.get('location')]).toEqual([
    302,
    expect.stringMatching(/X-Amz-Expires=60&/),
  ])
  expect(Buffer.from(await (await fetch(url)).arrayBuffer())).toEqual(PNG)

  const other = await begin()
  await fetch(other.upload.url, { method: 'PUT', body: Buffer.alloc(PNG.length, '<script>') })
  expect(await attach(other.asset.id)).toMatchObject({ assetReason: 'NOT_AS_ANNOUNCED' })
  expect(kept.size).toBe(2)
  await openStorage(readConfig(env)).delete([...kept.keys()][0]?.replace('/engawa-files/', '') ?? '')
  expect(kept.size).toBe(1)
})

it('keeps nothing of a file that breaks off, and takes no key that leads elsewhere', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'engawa-files-'))
  onTestFinished(() => rm(dataDir, { recursive: true }))
  const storage = openStorage(readConfig({ ENGAWA_DATA_DIR: dataDir }))
  const key = `${newId()}/${newId()}`
  const broken = (async function* () {
    yield PNG
    throw new Error('cut')
  })()
  await expect(storage.put?.(key, broken)).rejects.toThrow('cut')
  expect(await storage.look(key)).toBeUndefined()
  expect((await readdir(join(dataDir, 'files'))).filter((name) => name.startsWith('unfinished'))).toEqual([])
  for (const wrong of ['../../etc/passwd', `${newId()}/../${newId()}`, 'x', `${newId()}`]) {
    await expect(async () => storage.read(wrong)).rejects.toThrow('a file is kept under the ids')
  }
})
