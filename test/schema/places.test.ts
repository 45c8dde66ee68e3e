// Nothing that is known of a member is forgotten when it is told, or emptied.
import { expect, test } from 'vitest'
import { newId } from '../../api/platform/ids.ts'
import { testDatabase } from '../support/database.ts'
import { onServer } from '../support/server.ts'

const database = testDatabase()
const ask = <Row extends object>(text: string, values: unknown[] = []) =>
  onServer(database.url, async (client) => (await client.query<Row>(text, values)).rows)

/** Tables that name a member, and, however far, those that hang on one of them. */
const ABOUT_MEMBERS = `
  with recursive about as (
    select c.oid from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and (c.oid = 'member'::regclass
        or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname ~ '(^|_)member_id$')
        or exists (select from pg_constraint f where f.conrelid = c.oid and f.confrelid = 'member'::regclass))
    union
    select f.conrelid from about join pg_constraint f on f.contype = 'f' and f.confrelid = about.oid
  )
  select c.relname::text as name from about join pg_class c using (oid) where not c.relispartition order by 1`

test('every table that tells something of a member says so in member_places (schema/migrations/0044_hooks.sql)', async () => {
  const about = (await ask<{ name: string }>(ABOUT_MEMBERS)).map(({ name }) => name)
  const places = (await ask<{ name: string }>('select name from member_places()')).map(({ name }) => name)
  expect(about).toEqual(
    expect.arrayContaining(['address', 'purchase_line', 'posting', 'contribution_revision']),
  )
  expect(about.filter((name) => !places.includes(name))).toEqual([])
})

test('what is told of a table is told once, to somebody or to nobody', async () => {
  const places = await ask<{ name: string; told: string }>('select name, told from member_places()')
  const told = places.filter((place) => place.told !== 'NONE').map(({ name }) => name)
  expect(told.length).toBe(new Set(told).size)
  expect(places.filter((place) => !['ALL', 'STAFF', 'NONE'].includes(place.told))).toEqual([])
})

test('every place can be told and counted', async () => {
  await onServer(database.url, async (client) => {
    await client.query("select set_config('app.tenant', $1, false)", [newId()])
    for (const text of [
      'select * from member_export($1, null, null, 10, false)',
      'select * from member_erase_preview($1)',
    ])
      expect((await client.query(text, [newId()])).rows).toEqual([])
  })
})
