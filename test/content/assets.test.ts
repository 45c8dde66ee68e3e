import { expect, it } from 'vitest'
import { sweepAssets } from '../../api/domains/content/index.ts'
import { readConfig } from '../../api/platform/config.ts'
import { openStorage } from '../../api/platform/storage/index.ts'
import { type Shop, testApp } from '../support/app.ts'
import { headOf, history } from '../support/history.ts'
import { makeSite, node, publish } from './site.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
const picture = Buffer.concat([PNG, Buffer.alloc(3000, 7)])
const announced = { name: '石けん "A".png', mediaType: 'image/png', size: picture.length }

const announce = (shop: Shop, more: object = {}, as = shop.staff) =>
  shop.do(
    'createUpload',
    { ...announced, ...more },
    { as, select: 'asset { id url } upload { url contentType expiresAt }' },
  )
const put = (
  url: string,
  body: Buffer<ArrayBuffer>,
  headers: Record<string, string> = { 'content-type': 'image/png' },
) => fetch(url, { method: 'PUT', body, headers }).then(({ status }) => status)
const attach = (shop: Shop, asset: string, to: string, as = shop.staff) =>
  shop.do('attachAsset', { asset, to }, { as, select: 'asset { id }' })

async function house(more: object = {}) {
  const shop = await open({ testClock: NOW })
  const site = await makeSite(shop)
  const content = await publish(shop, site, more)
  return { shop, site, content, mia: await shop.member('mia', { attributes: { club: 'gold' } }) }
}

/** A picture that is part of the content, and its address for a member. */
async function shown(shop: Shop, content: string, as: string) {
  const { asset, upload } = await announce(shop)
  expect(await put(upload.url, picture)).toBe(204)
  expect(await attach(shop, asset.id, content)).toMatchObject({ asset: { id: asset.id } })
  return { id: asset.id, url: (await node(shop, as, asset.id, '... on Asset { url }')).url as string }
}

it('takes a file under its address, and gives it to who sees what it is part of', async () => {
  const { shop, content, mia } = await house()
  const { url } = await shown(shop, content, mia.token)
  const response = await fetch(url)
  expect([response.status, Buffer.from(await response.arrayBuffer())]).toEqual([200, picture])
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'image/png',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'content-disposition': `inline; filename="___ _A_.png"; filename*=UTF-8''%E7%9F%B3%E3%81%91%E3%82%93%20%22A%22.png`,
  })
  const part = await fetch(url, { headers: { range: 'bytes=8-15' } })
  expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 8-15/${picture.length}`])
  expect(Buffer.from(await part.arrayBuffer())).toEqual(picture.subarray(8, 16))
  expect((await fetch(url, { headers: { range: 'bytes=9999-' } })).status).toBe(416)
})

it('refuses another type, another size, a second time and a made-up address', async () => {
  const { shop } = await house()
  const { upload } = await announce(shop)
  const html = Buffer.alloc(picture.length, '<html><script>alert(1)</script>')
  expect(await put(upload.url, html)).toBe(415)
  expect(await put(upload.url, picture, { 'content-type': 'text/html' })).toBe(415)
  expect(await put(upload.url, Buffer.concat([picture, PNG]))).toBe(413)
  expect(await put(upload.url, picture.subarray(0, 100))).toBe(400)
  expect(await put(upload.url, picture)).toBe(204)
  expect(await put(upload.url, picture)).toBe(404)
  expect(await put(`${upload.url}x`, picture)).toBe(404)
  const late = (await announce(shop)).upload.url
  await shop.clock('2026-04-01T01:00:00Z')
  expect(await put(late, picture)).toBe(404)
})

it.each([
  [{ mediaType: 'text/html' }, 'input.mediaType'],
  [{ mediaType: 'image/svg+xml' }, 'input.mediaType'],
  [{ mediaType: 'constructor' }, 'input.mediaType'],
  [{ size: 0 }, 'input.size'],
  [{ size: 10 * 1024 * 1024 + 1 }, 'input.size'],
  [{ isDownload: true }, 'input.isDownload'],
])('announces no %j of a member', async (more, field) => {
  const { shop, mia } = await house()
  expect(await announce(shop, more, mia.token)).toMatchObject({ code: 'BAD_INPUT', field })
})

it('refuses an address at once when the membership ends, the rule changes, or its time is over', async () => {
  const audience = { attribute: { name: 'club', in: ['gold'] } }
  const { shop, content, mia } = await house({ audience })
  const { url } = await shown(shop, content, mia.token)
  const status = () => fetch(url).then((response) => response.status)
  expect(await status()).toBe(200)
  await shop.do('updateContent', { content, audience: { membership: ['PAUSED'] } })
  expect(await status()).toBe(404)
  await shop.do('updateContent', { content, audience: null })
  expect(await status()).toBe(200)
  await shop.clock('2026-04-01T00:14:59Z')
  expect(await status()).toBe(200)
  await shop.clock('2026-04-01T00:15:00Z')
  expect(await status()).toBe(404)
  const { url: anew } = await node(
    shop,
    mia.token,
    (await shown(shop, content, mia.token)).id,
    '... on Asset { url }',
  )
  await shop.do('endMembership', { member: mia.by, end: 'LEFT' })
  expect((await fetch(anew)).status).toBe(404)
})

it('shows a file to nobody else: not another member’s, not one of what is hidden, not to be attached by others', async () => {
  const { shop, content, mia } = await house({ audience: { attribute: { name: 'club', in: ['gold'] } } })
  const aki = await shop.member('aki')
  const { id } = await shown(shop, content, mia.token)
  expect(await node(shop, aki.token, id, 'id')).toBeNull()
  const own = await announce(shop, {}, mia.token)
  await put(own.upload.url, picture)
  expect(await node(shop, aki.token, own.asset.id, 'id')).toBeNull()
  expect(await attach(shop, own.asset.id, content, aki.token)).toMatchObject({ code: 'NOT_FOUND' })
  expect(await attach(shop, own.asset.id, content, mia.token)).toMatchObject({
    code: 'ACCESS_DENIED',
    reason: 'NOT_AUTHOR',
  })
  const bare = await announce(shop)
  expect(await attach(shop, bare.asset.id, content)).toMatchObject({
    code: 'ASSET_UNFIT',
    assetReason: 'NOT_UPLOADED',
  })
})

it('deletes what belongs to nothing after a day, bytes and all, and keeps what does', async () => {
  const { shop, content, mia } = await house()
  const { id } = await shown(shop, content, mia.token)
  const loose = await announce(shop)
  await put(loose.upload.url, picture)
  const { app, dataDir } = shop.ground
  const tenant = app.db.tenant(shop.tenant.id)
  const storage = openStorage(readConfig({ ENGAWA_DATA_DIR: dataDir }))
  const [row] = await tenant.query<{ key: string }>({
    text: 'select a.storage_key as key from asset a where own(a) and a.contribution_id is null',
    values: [],
  })
  await shop.clock('2026-04-01T23:59:59Z')
  expect(await sweepAssets(tenant, storage, 10)).toBe(0)
  expect(await storage.look(row?.key ?? '')).toMatchObject({ size: picture.length })
  await shop.clock('2026-04-02T00:00:00Z')
  expect([await sweepAssets(tenant, storage, 10), await sweepAssets(tenant, storage, 10)]).toEqual([1, 0])
  expect(await storage.look(row?.key ?? '')).toBeUndefined()
  expect(await node(shop, shop.staff, loose.asset.id, 'id')).toBeNull()
  expect(await node(shop, shop.staff, id, 'id')).toEqual({ id })
})

it('tells each quarter of the way once, and never goes back', async () => {
  const { shop, content, mia } = await house()
  const after = await headOf(shop)
  const { id } = await shown(shop, content, mia.token)
  const note = (percent: number) =>
    shop.do(
      'recordAssetProgress',
      { asset: id, percent, place: percent },
      { as: mia.token, select: 'asset { viewerProgress { percent place finishedAt } }' },
    )
  for (const percent of [10, 30, 20, 80, 80]) await note(percent)
  expect((await note(100)).asset.viewerProgress).toEqual({
    percent: 100,
    place: 100,
    finishedAt: '2026-04-01T00:00:00.000Z',
  })
  expect((await note(5)).asset.viewerProgress).toMatchObject({ percent: 100, place: 5 })
  const types = ['asset.progressed']
  const told = await history(shop, shop.staff, {
    after,
    types,
    selection: 'id type at member { id } ... on AssetProgressed { percent }',
  })
  expect(told.map(({ percent }) => percent)).toEqual([25, 75, 100])
})
