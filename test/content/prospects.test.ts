import { beforeAll, expect, test } from 'vitest'
import { decodeId } from '../../api/graph/ids.ts'
import { type Shop, testApp } from '../support/app.ts'
import { overlapping } from '../support/overlap.ts'
import { onServer } from '../support/server.ts'

const open = testApp({ role: 'web' })
let shop: Shop
let asset: string
beforeAll(async () => {
  shop = await open()
  const bytes = Buffer.from('%PDF-1.7 what dry skin needs')
  const file = { name: 'guide.pdf', mediaType: 'application/pdf', size: bytes.length, isDownload: true }
  const made = await shop.do('createUpload', file, { select: 'asset { id } upload { url }' })
  await fetch(made.upload.url, { method: 'PUT', body: bytes, headers: { 'content-type': 'application/pdf' } })
  asset = made.asset.id
})

const SELECT = `isNew isConfirmed url member { id externalId email stage { key }
  consents(first: 5) { nodes { purpose state textVersion source } } }`
const fill = (given: object = {}, as = shop.integration) =>
  shop.do(
    'registerProspect',
    {
      asset,
      email: 'rin@example.com',
      displayName: 'Rin',
      purpose: 'newsletter',
      textVersion: 'form-3',
      ...given,
    },
    { as, select: SELECT },
  )

test('a form hands out the file, and keeps a prospect with consent that is still to be confirmed', async () => {
  const { member, url, ...rest } = await fill()
  expect(rest).toMatchObject({ isNew: true, isConfirmed: false })
  expect(member).toMatchObject({
    ...{ email: 'rin@example.com', externalId: expect.stringMatching(/^prospect:/) },
    stage: { key: 'prospect' },
    consents: {
      nodes: [{ purpose: 'newsletter', state: 'PENDING', textVersion: 'form-3', source: 'download' }],
    },
  })
  const got = await fetch(url)
  expect([got.status, await got.text()]).toEqual([200, '%PDF-1.7 what dry skin needs'])
  expect((await fetch(`${url}x`)).status).toBe(404)
})

test('the same address is the same person, however often and however many at once', async () => {
  const email = 'Many@Example.com'
  const made = await Promise.all(Array.from({ length: 20 }, () => fill({ email })))
  expect(new Set(made.map(({ member }) => member.id)).size).toBe(1)
  expect(made.filter(({ isNew }) => isNew)).toHaveLength(1)
  expect((await fill({ email: email.toLowerCase() })).isNew).toBe(false)
})

test('a second form for an address waits for the first, and is the same person', async () => {
  const what = JSON.stringify({
    ...{ asset: decodeId(asset, 'id').id, email: 'wait@example.com', name: 'Wait', locale: 'en', proof: {} },
    ...{ purpose: 'newsletter', channel: 'email', kind: 'email', textVersion: '1', touch: null },
  })
  const where = { url: shop.ground.databaseUrl, tenantId: shop.tenant.id }
  const [first, second] = await overlapping(where, async (client, nth) => {
    const text = `select prospect_register($1, '\\x01', $2, 'test') as outcome`
    return (await client.query(text, [`wait-${nth}`, what])).rows[0].outcome
  })
  expect([first.is_new, second]).toMatchObject([true, { is: 'done', is_new: false, member: first.member }])
})

test('whoever is a member already stays that member', async () => {
  const mia = await shop.member('mia', { email: 'mia@example.com' })
  expect(await fill({ email: 'mia@example.com' })).toMatchObject({
    isNew: false,
    member: { id: mia.id, externalId: 'mia' },
  })
})

test('a purpose that asks once is live at once, and the first touch is planned, once for a file', async () => {
  const touch = { title: 'Your guide', body: 'Here is more.' }
  const { member, isConfirmed } = await fill({ email: 'zoe@example.com', purpose: 'offers', touch })
  expect(isConfirmed).toBe(true)
  await fill({ email: 'zoe@example.com', purpose: 'offers', touch })
  const rows = await onServer(shop.ground.databaseUrl, async (client) => {
    const text = `select p.purpose, p.channel, p.source_type from touchpoint p
      where p.tenant_id = $1 and p.member_id = $2`
    return (await client.query(text, [shop.tenant.id, decodeId(member.id, 'id').id])).rows
  })
  expect(rows).toEqual([{ purpose: 'offers', channel: 'email', source_type: 'prospect' }])
})

test('a prospect becomes a member under the id of the shop, without a second identity', async () => {
  const { member } = await fill({ email: 'kai@example.com' })
  const upgrade = (externalId: string) =>
    shop.do(
      'upgradeProspect',
      { member: member.id, becomes: externalId },
      { select: 'member { id externalId email }' },
    )
  await shop.member('taken')
  expect(await upgrade('taken')).toMatchObject({ code: 'BAD_INPUT', field: 'input.becomes' })
  const upgraded = { id: member.id, externalId: 'kai', email: 'kai@example.com' }
  expect((await upgrade('kai')).member).toEqual(upgraded)
  expect((await upgrade('kai')).member).toEqual(upgraded)
  expect(await upgrade('other')).toMatchObject({ field: 'input.member' })
  expect(
    await shop.do(
      'registerMember',
      { externalId: 'kai', displayName: 'Kai' },
      { select: 'isNew member { id } ' },
    ),
  ).toMatchObject({ isNew: false, member: { id: member.id } })
})

test('what is not handed out, and purposes that are none, are not found', async () => {
  const file = { name: 'own.pdf', mediaType: 'application/pdf', size: 10 }
  const own = await shop.do('createUpload', file, { select: 'asset { id }' })
  expect(await fill({ asset: own.asset.id })).toMatchObject({ message: 'There is no such asset.' })
  expect(await fill({ purpose: 'nothing' })).toMatchObject({ message: 'There is no such purpose.' })
  expect(await fill({ email: 'nonsense' })).toMatchObject({ code: 'BAD_INPUT', field: 'input.email' })
  const mia = await shop.token('member', 'mia')
  expect(await fill({}, mia)).toMatchObject({ code: 'FORBIDDEN' })
})
