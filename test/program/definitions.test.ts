import { beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { registerPredicates } from '../../api/domains/audiences/index.ts'
import { membershipPredicate } from '../../api/domains/members/index.ts'
import { definePart, publish, readBody, registerParts } from '../../api/domains/program/index.ts'
import { type Db, openDb } from '../../api/platform/db.ts'
import { newId } from '../../api/platform/ids.ts'
import { testDatabase } from '../support/database.ts'
import { onServer } from '../support/server.ts'

const body = z.strictObject({ minutes: z.int().min(1, 'must be 1 or more.'), audience: z.json().optional() })
registerPredicates(membershipPredicate)
registerParts(
  definePart<z.infer<typeof body>>({
    kind: 'tea',
    section: 'teas',
    read: (given, field) => readBody(body, given, field),
    audiences: ({ audience }) => ({ audience }),
  }),
)

const database = testDatabase()
let db: Db
beforeAll(async () => {
  db = openDb({ url: database.url })
  return () => db.close()
})

const tea = (key: string, minutes: number | null, audience?: object) => ({
  kind: 'tea',
  key,
  body: minutes === null ? null : { minutes, ...(audience && { audience }) },
})
const by = { actor: 'staff:anna' }

async function newTenant() {
  const id = newId()
  await onServer(database.url, async (client) => {
    await client.query(
      `insert into tenant (id, key, name, time_zone, locale) values ($1, $2, 'Shop', 'Asia/Tokyo', 'ja')`,
      [id, `shop-${id}`],
    )
  })
  const client = db.tenant(id)
  const before = await publish(client, [], by)
  return {
    client,
    /** Publications so far, but for those every tenant begins with. */
    version: async () => (await publish(client, [], by)).program - before.program,
    live: async () =>
      (
        await client.query<{ key: string; version: number; minutes: number }>({
          text: `select d.key, d.version, (d.body ->> 'minutes')::int as minutes from definition d
                 where own(d) and d.kind = 'tea' and d.is_live order by d.key`,
          values: [],
        })
      ).map(({ key, version, minutes }) => [key, version, minutes]),
  }
}

test('several definitions come into force together, as one version of the program', async () => {
  const { client, version, live } = await newTenant()
  const { changed } = await publish(client, [tea('green', 2), tea('black', 4)], by)
  expect(changed).toEqual([
    { kind: 'tea', key: 'green', version: 1 },
    { kind: 'tea', key: 'black', version: 1 },
  ])
  expect(await version()).toBe(1)
  expect(await live()).toEqual([
    ['black', 1, 4],
    ['green', 1, 2],
  ])
})

test('what is the same as the version in force makes no new one', async () => {
  const { client, version, live } = await newTenant()
  await publish(client, [tea('green', 2)], by)
  expect((await publish(client, [tea('green', 2)], by)).changed).toEqual([])
  expect((await publish(client, [tea('green', 2), tea('black', 4)], by)).changed).toHaveLength(1)
  expect(await version()).toBe(2)
  expect(await live()).toEqual([
    ['black', 1, 4],
    ['green', 1, 2],
  ])
})

test('a key that was retired comes back as its next version', async () => {
  const { client, live } = await newTenant()
  await publish(client, [tea('green', 2)], by)
  expect((await publish(client, [tea('green', null)], by)).changed).toEqual([
    { kind: 'tea', key: 'green', version: null },
  ])
  expect(await live()).toEqual([])
  expect((await publish(client, [tea('green', null)], by)).changed).toEqual([])
  await publish(client, [tea('green', 2)], by)
  expect(await live()).toEqual([['green', 2, 2]])
})

test('of twenty who publish the same key at once each gets a version of its own', async () => {
  const { client, live } = await newTenant()
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, i) => publish(client, [tea('green', i + 1)], by)),
  )
  const versions = all.map(({ changed }) => changed[0]?.version ?? 0).sort((a, b) => a - b)
  expect(versions).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
  expect((await live()).map(([key, version]) => [key, version])).toEqual([['green', 20]])
})

test('a version never changes, even for the owner of the tables', async () => {
  const { client } = await newTenant()
  await publish(client, [tea('green', 2)], by)
  const attempts = [
    `update definition set body = '{"minutes": 3}'`,
    'update definition set is_live = true',
    'update definition set actor = $$staff:bob$$',
    'delete from definition',
  ]
  for (const attempt of attempts) {
    const trying = onServer(`${database.url}`, async (owner) => {
      await owner.query('begin; set local role engawa_owner')
      await owner.query(`select set_config('app.tenant', $1, true)`, [client.tenantId])
      await owner.query(attempt)
    })
    await expect(trying).rejects.toThrow('stays what it is')
  }
})

test('an audience rule is checked, kept once and found by the definition', async () => {
  const { client } = await newTenant()
  const rule = { membership: ['ACTIVE'] }
  await publish(client, [tea('green', 2, rule), tea('black', 4, rule)], by)
  const rows = await client.query({
    text: `select count(distinct a.id)::int as audiences, count(*)::int as definitions
           from definition d join audience a on a.tenant_id = d.tenant_id and a.id = (d.audiences ->> 'audience')::uuid
           where own(d) and d.kind = 'tea'`,
    values: [],
  })
  expect(rows).toEqual([{ audiences: 1, definitions: 2 }])
  await expect(publish(client, [tea('white', 1, { stage: 5, not: {} })], by)).rejects.toThrow(
    'must have exactly one of',
  )
})

test('a body that is wrong is refused by the name of the field', () => {
  expect(() => readBody(body, { minutes: 0 }, 'input.tea')).toThrow('input.tea.minutes: must be 1 or more.')
  expect(() => readBody(body, { minutes: 1, sugar: 2 }, 'input.tea')).toThrow('input.tea.sugar')
})
