import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'

const database = testDatabase()
let client: pg.Client

beforeAll(async () => {
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  // A session that lives by clocks which change must not change what is computed.
  await client.query(`set time zone 'America/New_York'`)
  await client.query(`create temporary table zone as
    select name from pg_timezone_names where name !~ '^(posix|right)/' and name not in ('localtime', 'posixrules', 'Factory')`)
})
afterAll(() => client.end())

async function rows<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
  return (await client.query<Row>(text, values)).rows
}

/** The days around which a zone changes its clocks, in 2026. */
const changes = `select distinct z.name, day::date as day
  from zone z, generate_series('2026-01-01Z'::timestamptz, '2026-12-31Z', '24 hours') day
  where zone_offset(z.name, day) <> zone_offset(z.name, day + interval '24 hours')`

test('a local time is the first instant at which the clocks show it or later, at every change of every zone', async () => {
  const [found] = await rows<{ zones: number; wrong: unknown[] }>(`
    with change as (${changes}),
    asked as (
      select c.name, local, local_instant(local, c.name) as at
      from change c, generate_series(c.day - interval '1 day', c.day + interval '2 days', '30 minutes') local
    )
    select count(distinct name)::int as zones, array_agg(row(name, local, at)) filter (where
      (at at time zone name) < local
      or exists (
        select from unnest(array['1 second', '29 minutes', '1 hour', '119 minutes', '2 hours', '3 hours', '24 hours']) d
        where ((at - d::interval) at time zone name) >= local)) as wrong
    from asked`)
  expect(found?.wrong).toBeNull()
  expect(found?.zones).toBeGreaterThan(100)
})

test.each([
  ['America/New_York', '2026-03-08 02:30', '2026-03-08T07:00:00Z'],
  ['America/New_York', '2026-11-01 01:30', '2026-11-01T05:30:00Z'],
  ['Europe/Berlin', '2026-03-29 02:00', '2026-03-29T01:00:00Z'],
  ['Europe/Berlin', '2026-10-25 02:59', '2026-10-25T00:59:00Z'],
  ['Australia/Lord_Howe', '2026-10-04 02:15', '2026-10-03T15:30:00Z'],
  ['Pacific/Apia', '2011-12-30 08:00', '2011-12-30T10:00:00Z'],
  ['Asia/Tokyo', '2026-03-08 02:30', '2026-03-07T17:30:00Z'],
])('%s shows %s first at %s', async (zone, local, at) => {
  const [found] = await rows<{ at: Date }>('select local_instant($1, $2) as at', [local, zone])
  expect(found?.at).toEqual(new Date(at))
})

test('a weekday is the weekday of the zone, in every zone', async () => {
  const [found] = await rows<{ asked: number; wrong: unknown[] }>(`
    with asked as (
      select z.name, after, time, local_due(jsonb_build_object('time', time, 'weekdays', '["MON"]'::jsonb), z.name, after) as at
      from zone z, unnest(array['00:00', '08:00', '23:59']) time,
        unnest(array['2026-01-04T20:00:00Z', '2026-06-15T03:00:00Z', '2026-10-25T00:30:00Z']::timestamptz[]) after
    )
    select count(*)::int as asked, array_agg(row(name, after, time, at)) filter (where
      extract(isodow from at at time zone name) <> 1 or (at at time zone name)::time <> time::time
      or at < after or at - after > interval '169 hours') as wrong
    from asked`)
  expect(found?.wrong).toBeNull()
  expect(found?.asked).toBeGreaterThan(3_000)
})

test('of several weekdays the next one counts, and the instant asked from counts itself', async () => {
  const due = async (intent: object, after: string) =>
    (
      await rows<{ at: Date }>(`select local_due($1, 'Asia/Tokyo', $2) as at`, [
        JSON.stringify(intent),
        after,
      ])
    )[0]?.at
  const [monday, thursday] = [new Date('2026-03-29T23:00:00Z'), new Date('2026-04-01T23:00:00Z')]
  const intent = { time: '08:00', weekdays: ['THU', 'MON'] }
  expect(await due(intent, '2026-03-28T00:00:00Z')).toEqual(monday)
  expect(await due(intent, monday.toISOString())).toEqual(monday)
  expect(await due(intent, '2026-03-29T23:00:00.001Z')).toEqual(thursday)
  expect(await due({ time: '08:00' }, '2026-03-29T23:00:00.001Z')).toEqual(new Date('2026-03-30T23:00:00Z'))
  expect(await due({ time: '08:00', date: '2026-03-30' }, '2026-05-01T00:00:00Z')).toEqual(monday)
})
