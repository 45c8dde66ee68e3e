import { beforeAll, expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { onServer } from '../support/server.ts'

/*
 * What every table has to keep, so that tenants cannot meet, and so that one database can become
 * many on the same key. Read from the catalogue of the migrated database.
 */

/** The tables that belong to no tenant, or are the tenants. */
const EXCEPT = ['tenant', 'sequencer', 'bucket_edge']

/** What only the database's own functions write. */
const LEDGER = [
  'op',
  'wallet',
  'lot',
  'posting',
  'hold',
  'debt_posting',
  'earn_basis',
  'coupon_counter',
  'coupon_code',
  'coupon_slot',
  'coupon_redemption',
  'budget',
  'campaign_use',
  'campaign_run',
  'coupon_guess',
]

const database = testDatabase()
const ask = <Row extends object>(text: string) =>
  onServer(database.url, async (client) => (await client.query<Row>(text)).rows)

const TABLES = `
  select c.oid, c.relname::text as name from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    and c.relname <> all ('{${EXCEPT}}')`

let tables: string[]
beforeAll(async () => {
  tables = (await ask<{ name: string }>(TABLES)).map(({ name }) => name)
})

test('the catalogue was seen', () => {
  expect(tables).toEqual(
    expect.arrayContaining(['issuer', 'op', 'outbox', 'event_log', 'member', 'wallet', 'purchase']),
  )
})

test('every primary and unique key leads with the tenant', async () => {
  const wrong = await ask(`
    select t.name, i.indexrelid::regclass::text as key from (${TABLES}) t
    left join pg_index i on i.indrelid = t.oid and i.indisunique
    left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    where a.attname is distinct from 'tenant_id' or not exists (
      select from pg_index p where p.indrelid = t.oid and p.indisprimary)`)
  expect(wrong).toEqual([])
})

test('every foreign key leads with the tenant, on both sides; but for the constant bucket_edge', async () => {
  const wrong = await ask(`
    select t.name, f.conname, pg_get_constraintdef(f.oid) as key from (${TABLES}) t
    join pg_constraint f on f.conrelid = t.oid and f.contype = 'f'
    join pg_attribute a on a.attrelid = f.conrelid and a.attnum = f.conkey[1]
    join pg_attribute b on b.attrelid = f.confrelid and b.attnum = f.confkey[1]
    where (a.attname <> 'tenant_id' or b.attname <> case f.confrelid::regclass::text when 'tenant' then 'id' else 'tenant_id' end)
      and f.confrelid::regclass::text <> 'bucket_edge'`)
  expect(wrong).toEqual([])
})

test('every table has row-level security that its owner cannot pass either', async () => {
  const wrong = await ask(`
    select c.relname from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      and c.relname not in ('sequencer', 'bucket_edge')
      and not (c.relrowsecurity and c.relforcerowsecurity)`)
  expect(wrong).toEqual([])
})

test("every table's policy compares with the tenant of the transaction; only the system role and members' eyes have another", async () => {
  const wrong = await ask(`
    select t.name, p.policyname, p.qual, p.with_check, p.roles::text[] from (${TABLES}) t
    join pg_class c on c.oid = t.oid and not c.relispartition
    left join pg_policies p on p.schemaname = 'public' and p.tablename = t.name and p.roles <> '{engawa_system}'
      and p.policyname not in ('sight', 'tests') -- test/support/global-setup.ts makes the latter, for a user who is no superuser
    where p.qual is distinct from '(tenant_id = ( SELECT app_tenant() AS app_tenant))' or p.with_check is not null`)
  // The functions of search alone read past it, by keys that are the tenant's own: an index on arrays is not used behind it.
  expect(wrong).toEqual([
    {
      name: 'search_document',
      policyname: 'reader',
      qual: 'true',
      with_check: null,
      roles: ['engawa_owner'],
    },
  ])
  expect(await ask(`select cmd from pg_policies where policyname = 'reader'`)).toEqual([{ cmd: 'SELECT' }])
})

test("a member's eyes only ever take away: their policies are restrictive, for reading, and spare the product alone", async () => {
  const policies = await ask<{ name: string }>(`
    select tablename as name from pg_policies where schemaname = 'public' and policyname = 'sight'`)
  expect(policies.map(({ name }) => name)).toContain('contribution')
  const wrong = await ask(`
    select tablename, permissive, cmd, roles::text, qual from pg_policies
    where schemaname = 'public' and policyname = 'sight'
      and (permissive, cmd, roles::text) is distinct from ('RESTRICTIVE', 'SELECT', '{engawa_app}')
       or policyname = 'sight' and qual not like '((( SELECT app_member() AS app_member) IS NULL) OR %'
         and qual <> '(( SELECT app_member() AS app_member) IS NULL)'`)
  expect(wrong).toEqual([])
})

test('tables and functions belong to a role that cannot log in; three functions to those whose rights they run with', async () => {
  const wrong = await ask(`
    select name, rolname from (
      select relname::text as name, relowner as owner from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'S', 'v', 'm')
      union all select proname::text, proowner from pg_proc p
      where pronamespace = 'public'::regnamespace
        and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')) o
    join pg_roles r on r.oid = o.owner where r.rolcanlogin or r.rolname <> 'engawa_owner' order by name`)
  expect(wrong).toEqual([
    { name: 'audience_matches', rolname: 'engawa_app' },
    { name: 'audiences_matched', rolname: 'engawa_app' },
    { name: 'every_tenant', rolname: 'engawa_system' },
  ])
})

test('the system role may ask what is due, in every table that can hold something due', async () => {
  await onServer(database.url, async (client) => {
    await client.query('set role engawa_system')
    expect((await client.query('select due_tenants()')).rows).toEqual([])
  })
})

test('no role of ours logs in, passes row-level security, or may become another of them', async () => {
  const wrong = await ask(`
    select r.rolname, m.rolname as becomes from pg_roles r
    left join pg_roles m on m.rolname like 'engawa\\_%' and m.oid <> r.oid and pg_has_role(r.oid, m.oid, 'member')
    where r.rolname in ('engawa_owner', 'engawa_app', 'engawa_system')
      and (m.rolname is not null or r.rolcanlogin or r.rolsuper or r.rolbypassrls)`)
  expect(wrong).toEqual([])
})

test('functions with the rights of their owner say where they look, and are nobody else’s to call', async () => {
  const wrong = await ask(`
    select p.proname, p.proconfig from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.prosecdef
      and (p.proconfig is null or not 'search_path=public, pg_temp' = any (p.proconfig)
        or has_function_privilege('public', p.oid, 'execute'))`)
  expect(wrong).toEqual([])
})

test('the application role reads the ledger and writes none of it', async () => {
  const granted = await ask<{ name: string }>(`
    select c.relname::text as name from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relname = any ('{${LEDGER}}')
      and (has_table_privilege('engawa_app', c.oid, 'insert, update, delete, truncate')
        or has_any_column_privilege('engawa_app', c.oid, 'insert, update'))`)
  expect(granted).toEqual([])
  expect(tables).toEqual(expect.arrayContaining(['op', 'wallet', 'lot', 'posting', 'hold']))
})
