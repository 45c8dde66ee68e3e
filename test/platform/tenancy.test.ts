import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Db, openDb } from '../../api/platform/db.ts'
import {
  createTenant,
  currentTenant,
  inTenant,
  openTenants,
  type Tenant,
} from '../../api/platform/tenancy.ts'
import { testDatabase } from '../support/database.ts'

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
const READ = 'select r.jti from revocation r where own(r) and r.jti like $1 order by r.jti'

describe('the first wall', () => {
  test('a text says own() and is sent with the tenant as one value more', async () => {
    const [row] = await db.tenant(mine.id).query<{ plan: string }>({
      text: `select (select string_agg(r.jti, ',') from revocation r where own(r) and r.jti <> $1) as plan,
                    (select count(*)::int from revocation where own()) as n`,
      values: ['x'],
    })
    expect(row).toEqual({ plan: 'of mine', n: 1 })
  })

  test('holds where the second does not: as a role that sees every row', async () => {
    const { rows } = await db.system.query('select jti from revocation order by jti')
    expect(rows).toHaveLength(2)
    await expect(db.tenant(mine.id).query({ text: READ, values: ['of %'] })).resolves.toEqual([
      { jti: 'of mine' },
    ])
  })

  test('a statement whose values do not fit its text is refused before it is sent', async () => {
    await expect(db.tenant(mine.id).query({ text: READ, values: [] })).rejects.toThrow(
      '1 placeholders, but 0 values',
    )
  })
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
    const own = 'select 1 from issuer where own()'
    await db.tenant(other.id).query({
      text: `insert into issuer (tenant_id, issuer, audience, jwks_url, algorithms)
             values (current_tenant(), 'i', 'a', 'u', '{ES256}')`,
      values: [],
    })
    await client.query({ text: `update issuer set audience = 'b'`, values: [] })
    await client.query({ text: 'delete from issuer', values: [] })
    await expect(db.tenant(other.id).query({ text: own, values: [] })).resolves.toHaveLength(1)
  })

  test('without a tenant, the application role sees nothing', async () => {
    const { rows } = await db.system.query(`
      select set_config('role', 'engawa_app', false), (select count(*)::int from tenant) as n`)
    expect(rows[0]?.n).toBe(2) // the role counts from the next statement
    const seen = await db.system.query('select count(*)::int as n from revocation')
    expect(seen.rows).toEqual([{ n: 0 }])
    await db.system.query('reset role')
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
