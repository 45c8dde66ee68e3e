import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Db, openDb, type TenantClient } from '../../api/platform/db.ts'
import { createTenant } from '../../api/platform/tenancy.ts'
import { testDatabase } from '../support/database.ts'
import { onServer } from '../support/server.ts'

const database = testDatabase()
let db: Db
let shop: TenantClient
let other: TenantClient

beforeAll(async () => {
  db = openDb({ url: database.url, appConnections: 2 })
  const tenant = { name: 'Shop', timeZone: 'Asia/Tokyo', locale: 'ja-JP' }
  shop = db.tenant((await createTenant(db.system, { ...tenant, key: 'shop' })).id)
  other = db.tenant((await createTenant(db.system, { ...tenant, key: 'other' })).id)
})
afterAll(() => db.close())

const revoke = (jti: string) => ({
  text: 'insert into revocation (tenant_id, id, jti) values (current_tenant(), uuid_v7(), $1)',
  values: [jti],
  name: 'revoke',
})
const revoked = (jti: string) => ({
  text: 'select jti from revocation r where own(r) and jti = $1',
  values: [jti],
})

describe('a statement', () => {
  test('returns bigint, Date, and text for a day', async () => {
    const text = `select 9007199254740993 as n, timestamptz '2026-01-02 03:04:05.678+09' as at, date '2026-01-02' as day, 1.10 as d`
    await expect(shop.query({ text, values: [] })).resolves.toEqual([
      { n: 9007199254740993n, at: new Date('2026-01-01T18:04:05.678Z'), day: '2026-01-02', d: '1.10' },
    ])
  })

  test('says own(alias), or own(), and is sent with the tenant as one value more', async () => {
    const text = `select $2 || (select string_agg(t.issuer, ',') from issuer t where own(t) and t.issuer <> $1)
      as a, (select count(*)::int from issuer where own()) as b`
    await expect(shop.query({ text, values: ['x', 'y'] })).resolves.toEqual([{ a: null, b: 0 }])
  })

  test('whose values do not fit its own() is refused before it is sent', async () => {
    await expect(shop.query({ ...revoked('x'), values: [] })).rejects.toThrow('1 placeholders, but 0 values')
  })

  test('is never compiled: the queries of the clock would take seconds', async () => {
    const jit = `select current_setting('jit') as jit`
    expect(await shop.query({ text: jit, values: [] })).toEqual([{ jit: 'off' }])
    expect((await db.system.query(jit)).rows).toEqual([{ jit: 'off' }])
  })

  test('is sent again when it and another waited for each other, three times at most', async () => {
    await onServer(database.url, (client) =>
      client.query(`create sequence meetings;
        create function meet(times int) returns int language plpgsql security definer as $$
        declare n int := nextval('public.meetings');
        begin
          if n <= times then raise exception 'deadlock detected' using errcode = 'deadlock_detected'; end if;
          return n;
        end $$`),
    )
    const meet = (times: number) =>
      shop.query({ text: 'select public.meet($1) as n', values: [times], name: 'meet' })
    await expect(meet(3)).resolves.toEqual([{ n: 4 }])
    await expect(meet(8)).rejects.toMatchObject({ code: '40P01' })
    await expect(meet(8)).resolves.toEqual([{ n: 9 }])
  })

  test('fails with the stack of its caller', async () => {
    const failed = shop.query({ text: 'select 1 / 0', values: [] })
    await expect(failed).rejects.toMatchObject({
      code: '22012',
      stack: expect.stringContaining('tenant-client.ts'),
    })
  })

  test('without a name is prepared at its third use', async () => {
    const text = 'select count(*)::int as n from pg_prepared_statements where statement like $1'
    const seen = () =>
      db.tenant(shop.tenantId).transaction((tx) => tx.query({ text, values: ['%as n from pg_prep%'] }))
    await expect(seen()).resolves.toEqual([{ n: 0 }])
    await expect(seen()).resolves.toEqual([{ n: 0 }])
    await expect(seen()).resolves.toEqual([{ n: 1 }])
  })
})

describe('a transaction', () => {
  test('keeps everything, or nothing', async () => {
    await shop.transaction((tx) => tx.query(revoke('kept')))
    const failed = shop.transaction(async (tx) => {
      await tx.query(revoke('lost'))
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    await expect(shop.query(revoked('kept'))).resolves.toHaveLength(1)
    await expect(shop.query(revoked('lost'))).resolves.toHaveLength(0)
  })

  test('whose statement failed in silence does not seem to succeed', async () => {
    const swallowed = shop.transaction(async (tx) => {
      await tx.query(revoke('swallowed'))
      await tx.query({ text: 'select 1 / 0', values: [] }).catch(() => {})
    })
    await expect(swallowed).rejects.toThrow('rolled back: one of its statements had failed')
    await expect(shop.query(revoked('swallowed'))).resolves.toHaveLength(0)
  })

  test('is over when it is over, does not nest, and has no Prisma', async () => {
    const kept = await shop.transaction(async (tx) => {
      await expect(tx.transaction(async () => {})).rejects.toThrow('do not nest')
      expect(() => tx.prisma).toThrow('no Prisma inside a transaction')
      return tx
    })
    await expect(kept.query(revoked('x'))).rejects.toThrow('The transaction is over.')
  })

  test('leaves its connection to the next, whatever came of it', async () => {
    const backend = { text: 'select pg_backend_pid() as pid', values: [] }
    const used = new Set<number>()
    for (let i = 0; i < 20; i++) {
      await shop
        .transaction(async (tx) => {
          for (const { pid } of await tx.query<{ pid: number }>(backend)) used.add(pid)
          if (i % 2) await tx.query({ text: 'select 1 / 0', values: [] })
        })
        .catch(() => {})
    }
    expect(used.size).toBeLessThanOrEqual(2)
  })
})

describe('Prisma', () => {
  const row = (jti: string) => ({ tenantId: shop.tenantId, id: crypto.randomUUID(), jti })

  test('finds by key without gathering the tenants of one turn', async () => {
    const mine = await shop.prisma.revocation.create({ data: row('mine') })
    const key = { where: { tenantId_id: { tenantId: shop.tenantId, id: mine.id } } }
    const find = (client: TenantClient) => client.prisma.revocation.findUnique(key)
    await expect(Promise.all([find(shop), find(other), find(shop)])).resolves.toEqual([mine, null, mine])
    await expect(shop.prisma.revocation.findUniqueOrThrow(key)).resolves.toEqual(mine)
    await expect(other.prisma.revocation.findUniqueOrThrow(key)).rejects.toMatchObject({ code: 'P2025' })
  })

  test('writes rows of its own tenant, whatever they say', async () => {
    const { count } = await other.prisma.revocation.createMany({ data: [row('a'), row('b')] })
    expect(count).toBe(2)
    const issuer = {
      tenantId: shop.tenantId,
      issuer: 'i',
      audience: 'a',
      jwksUrl: 'u',
      algorithms: ['ES256'],
    }
    const where = { tenantId_issuer: { tenantId: shop.tenantId, issuer: 'i' } }
    await shop.prisma.issuer.upsert({ where, create: issuer, update: {} })
    await expect(other.prisma.issuer.update({ where, data: { audience: 'b' } })).rejects.toMatchObject({
      code: 'P2025',
    })
    await expect(other.prisma.revocation.count({ where: { jti: { in: ['a', 'b'] } } })).resolves.toBe(2)
    await expect(shop.prisma.revocation.count({ where: { jti: { in: ['a', 'b'] } } })).resolves.toBe(0)
  })

  test('runs a transaction as its tenant, with any isolation', async () => {
    const seen = await shop.prisma.$transaction(
      async (tx) => {
        await tx.revocation.create({ data: row('in prisma') })
        return tx.$queryRaw`select app_tenant()::text as tenant, current_setting('transaction_isolation') as isolation`
      },
      { isolationLevel: 'Serializable' },
    )
    expect(seen).toEqual([{ tenant: shop.tenantId, isolation: 'serializable' }])
    const { prisma } = other
    const both = await prisma.$transaction([
      prisma.tenant.findFirst(),
      prisma.$queryRaw`select app_tenant()::text as t`,
    ])
    expect(both).toMatchObject([{ id: other.tenantId }, [{ t: other.tenantId }]])
  })

  test('rolls back, and leaves its connection at rest', async () => {
    const failed = shop.prisma.$transaction(async (tx) => {
      await tx.revocation.create({ data: row('undone') })
      await tx.$queryRaw`select 1 / 0`
    })
    await expect(failed).rejects.toThrow('division by zero')
    await expect(shop.query(revoked('undone'))).resolves.toEqual([])
  })
})
