import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Db, openDb } from '../../api/platform/db.ts'
import {
  createTenant,
  currentTenant,
  inTenant,
  openTenants,
  type Tenant,
} from '../../api/platform/tenancy.ts'
import { testDatabase, usingDatabase } from '../support/database.ts'
import { onServer } from '../support/server.ts'

const database = testDatabase()
const shop = { name: 'Shop', timeZone: 'Asia/Tokyo', locale: 'ja-jp' }
let db: Db
let bare: Db
let mine: Tenant
let other: Tenant

beforeAll(async () => {
  db = openDb({ url: database.url, appConnections: 2 })
  bare = openDb({ url: database.url, appConnections: 2, withoutFirstWall: true })
  mine = await createTenant(db.system, { ...shop, key: 'mine' })
  other = await createTenant(db.system, { ...shop, key: 'other', testClock: new Date(0) })
  for (const tenant of [mine, other]) {
    await db.tenant(tenant.id).query({ text: REVOKE, values: [tenant.id, `of ${tenant.key}`] })
  }
})
afterAll(() => Promise.all([db.close(), bare.close()]))

const REVOKE = 'insert into revocation (tenant_id, id, jti) values ($1, uuid_v7(), $2)'
const TRUST = `insert into issuer (tenant_id, issuer, audience, jwks_url, algorithms)
  values (current_tenant(), 'https://id.example', 'shop', 'https://id.example/jwks', '{ES256}')`
const READ = 'select r.jti from revocation r where own(r) and r.jti like $1 order by r.jti'

test('the first wall holds where the second is down', async () => {
  const { url } = await usingDatabase()
  await onServer(url, (client) => client.query('alter table revocation disable row level security'))
  const [walled, open] = [openDb({ url }), openDb({ url, withoutFirstWall: true })]
  const tenant = await createTenant(walled.system, { ...shop, key: 'a' })
  const { id } = await createTenant(walled.system, { ...shop, key: 'b' })
  await walled.tenant(tenant.id).query({ text: REVOKE, values: [tenant.id, 'of a'] })
  const seen = async (db: Db) => [
    await db.tenant(id).query({ text: READ, values: ['of %'] }),
    await db.tenant(id).prisma.revocation.findMany({ select: { jti: true } }),
  ]
  expect(await seen(walled)).toEqual([[], []])
  expect(await seen(open)).toEqual([[{ jti: 'of a' }], [{ jti: 'of a' }]])
  await Promise.all([walled.close(), open.close()])
})

describe('the second wall', () => {
  test('SQL without any filter sees one tenant', async () => {
    for (const tenant of [mine, other, mine]) {
      const client = bare.tenant(tenant.id)
      await expect(client.query({ text: READ, values: ['of %'] })).resolves.toEqual([
        { jti: `of ${tenant.key}` },
      ])
      await expect(client.query({ text: 'select key from tenant', values: [] })).resolves.toEqual([
        { key: tenant.key },
      ])
    }
  })

  test('Prisma without any filter sees one tenant, in one turn with another', async () => {
    const read = (tenant: Tenant) =>
      bare.tenant(tenant.id).prisma.revocation.findMany({ select: { jti: true } })
    await expect(Promise.all([read(mine), read(other), read(mine)])).resolves.toEqual([
      [{ jti: 'of mine' }],
      [{ jti: 'of other' }],
      [{ jti: 'of mine' }],
    ])
  })

  test("another tenant's row cannot be written, changed or removed", async () => {
    const client = bare.tenant(mine.id)
    await expect(client.query({ text: REVOKE, values: [other.id, 'x'] })).rejects.toMatchObject({
      code: '42501',
    })
    await db.tenant(other.id).query({ text: TRUST, values: [] })
    await client.query({ text: `update issuer set audience = 'changed'`, values: [] })
    await client.query({ text: 'delete from issuer', values: [] })
    const kept = await db
      .tenant(other.id)
      .query({ text: 'select audience from issuer where own()', values: [] })
    expect(kept).toEqual([{ audience: 'shop' }])
  })

  test('without a tenant the application role sees no row', async () => {
    await onServer(database.url, async (client) => {
      await client.query('set role engawa_app')
      const { rows } = await client.query(
        'select (select count(*)::int from tenant), count(*)::int as n from revocation',
      )
      expect(rows).toEqual([{ count: 0, n: 0 }])
    })
  })
})

describe('the scope', () => {
  test('holds for what the work starts, and for nothing else', async () => {
    const inner = await inTenant(mine.id, async () => {
      await new Promise(setImmediate)
      return [currentTenant(), await inTenant(other.id, async () => currentTenant()), currentTenant()]
    })
    expect(inner).toEqual([mine.id, other.id, mine.id])
    expect(currentTenant()).toBeUndefined()
  })

  test('a lazy promise starts inside', async () => {
    // biome-ignore lint/suspicious/noThenProperty: this is what Prisma's promises are
    const lazy = { then: (done: (tenant: string | undefined) => void) => done(currentTenant()) }
    await expect(inTenant(mine.id, () => lazy as PromiseLike<string | undefined>)).resolves.toBe(mine.id)
  })
})

describe('the directory', () => {
  test('finds a tenant by id and by key, and knows who lives on a test clock', async () => {
    const tenants = openTenants(db.system)
    await expect(tenants.byKey('mine')).resolves.toEqual({
      ...shop,
      locale: 'ja-JP',
      id: mine.id,
      key: 'mine',
      hasTestClock: false,
    })
    await expect(tenants.byId(other.id)).resolves.toMatchObject({ key: 'other', hasTestClock: true })
    await expect(tenants.byKey('nobody')).resolves.toBeUndefined()
    await expect(tenants.byId('no uuid')).resolves.toBeUndefined()
  })

  test('sees a new name within two seconds', async () => {
    const tenants = openTenants(db.system)
    const tenant = await createTenant(db.system, { ...shop, key: 'renamed' })
    await tenants.byId(tenant.id)
    await db.system.query('update tenant set name = $2 where id = $1', [tenant.id, 'New'])
    await expect.poll(async () => (await tenants.byId(tenant.id))?.name, { timeout: 2_500 }).toBe('New')
  })

  test.each([
    ['key', { key: 'Mine' }, 'A key is 1 to 63 lower-case letters'],
    ['key', { key: 'mine' }, 'There is a tenant with the key mine already.'],
    ['name', { name: ' ' }, 'A name has 1 to 200 characters.'],
    ['timeZone', { timeZone: 'Asia/Tokio' }, 'Asia/Tokio is not a time zone.'],
    ['timeZone', { timeZone: '+09:00' }, 'Give an IANA name such as Asia/Tokyo.'],
    ['locale', { locale: 'japanese language' }, 'Give one such as ja-JP.'],
  ])('a tenant with a wrong %s is refused: %o', async (field, wrong, message) => {
    const made = createTenant(db.system, { ...shop, key: 'fresh', ...wrong })
    await expect(made).rejects.toMatchObject({
      code: 'BAD_INPUT',
      field,
      message: expect.stringContaining(message),
    })
    await expect(openTenants(db.system).byKey('fresh')).resolves.toBeUndefined()
  })
})
