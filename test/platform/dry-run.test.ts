import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type Db, openDb, type TenantClient } from '../../api/platform/db.ts'
import { TooCostlyError } from '../../api/platform/errors/index.ts'
import { createTenant } from '../../api/platform/tenancy.ts'
import { testDatabase } from '../support/database.ts'

const database = testDatabase()
let db: Db
let shop: TenantClient

beforeAll(async () => {
  db = openDb({ url: database.url, appConnections: 4 })
  const tenant = { key: 'shop', name: 'Shop', timeZone: 'Asia/Tokyo', locale: 'ja-JP' }
  shop = db.tenant((await createTenant(db.system, tenant)).id)
})
afterAll(() => db.close())

const sql = (text: string, ...values: unknown[]) => ({ text, values })
const revoke = (jti: string) =>
  sql('insert into revocation (tenant_id, id, jti) values (current_tenant(), uuid_v7(), $1)', jti)
const revoked = (jti: string) => sql('select jti from revocation r where own(r) and jti = $1', jti)
const dry = <T>(work: (client: TenantClient) => Promise<T>, milliseconds = 10_000) =>
  db.dryRun(shop.tenantId, milliseconds, work)

test('sees what it did; no other connection ever does', async () => {
  const seen = await dry(async (client) => {
    await client.query(revoke('dry'))
    return { inside: await client.query(revoked('dry')), outside: await shop.query(revoked('dry')) }
  })
  expect(seen).toEqual({ inside: [{ jti: 'dry' }], outside: [] })
  expect(await shop.query(revoked('dry'))).toEqual([])
})

test('a statement that fails leaves what was done before it, and spoils nothing after it', async () => {
  const rows = await dry(async (client) => {
    await client.query(revoke('before'))
    await expect(client.query(sql('select 1 / 0'))).rejects.toMatchObject({ code: '22012' })
    await client.query(revoke('after'))
    return client.query(sql(`select jti from revocation r where own(r) order by jti`))
  })
  expect(rows).toEqual([{ jti: 'after' }, { jti: 'before' }])
})

test('a transaction in it keeps everything or nothing, and is over when it is over', async () => {
  await dry(async (client) => {
    const kept = await client.transaction(async (tx) => {
      await tx.query(revoke('kept'))
      return tx
    })
    const failed = client.transaction(async (tx) => {
      await tx.query(revoke('lost'))
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    const swallowed = client.transaction(async (tx) => {
      await tx.query(revoke('swallowed'))
      await tx.query(sql('select 1 / 0')).catch(() => {})
    })
    await expect(swallowed).rejects.toMatchObject({ code: '25P02' })
    await expect(kept.query(revoked('kept'))).rejects.toThrow('The transaction is over.')
    expect(await client.query(sql('select jti from revocation r where own(r)'))).toEqual([{ jti: 'kept' }])
  })
})

test('what a commit would refuse is refused where it would be', async () => {
  await dry(async (client) => {
    await client.query(sql('create temp table a (id int primary key) on commit drop'))
    await client.query(
      sql('create temp table b (a int references a deferrable initially deferred) on commit drop'),
    )
    await expect(client.query(sql('insert into b values (1)'))).rejects.toMatchObject({ code: '23503' })
    const paired = client.transaction(async (tx) => {
      await tx.query(sql('insert into b values (2)'))
      await tx.query(sql('insert into a values (2)'))
    })
    await expect(paired).resolves.toBeUndefined()
    expect(await client.query(sql('select a from b'))).toEqual([{ a: 2 }])
  })
})

test('many questions at once are answered one after another, and each fails alone', async () => {
  const answers = await dry((client) =>
    Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => client.query(sql('select 1 / $1::int as n', n % 2))),
    ),
  )
  const told = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : answer.reason.code))
  expect(told).toEqual(Array.from({ length: 20 }, (_, n) => (n % 2 ? [{ n: 1 }] : '22012')))
})

test('one that takes too long is answered, undone, and gives its connection back', async () => {
  const only = openDb({ url: database.url, appConnections: 1 })
  onTestFinished(() => only.close())
  let late: TenantClient | undefined
  for (let i = 0; i < 4; i++) {
    const endless = only.dryRun(shop.tenantId, 20, async (client) => {
      late = client
      await client.query(revoke('late'))
      await new Promise(() => {})
    })
    await expect(endless).rejects.toThrow('nothing of it was done')
    // There is but one connection: this waits for it.
    expect(await only.tenant(shop.tenantId).query(revoked('late'))).toEqual([])
  }
  await expect(late?.query(revoked('late'))).rejects.toThrow('The dry run is over.')
})

test('three go on at a time; a fourth is told to come again', async () => {
  const ends: (() => void)[] = []
  const three = Array.from({ length: 3 }, () => dry(() => new Promise<void>((resolve) => ends.push(resolve))))
  await expect(dry(async () => {})).rejects.toBeInstanceOf(TooCostlyError)
  await expect.poll(() => ends.length).toBe(3)
  for (const end of ends) end()
  await Promise.all(three)
  await expect(dry(async () => 'again')).resolves.toBe('again')
})
