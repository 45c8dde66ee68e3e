// A word in every column of every table that tells something of a member: an export tells it, and an erasure takes it away.
import { expect, test } from 'vitest'
import { newId } from '../../api/platform/ids.ts'
import { usingDatabase } from '../support/database.ts'
import { onServer } from '../support/server.ts'

type Client = Parameters<Parameters<typeof onServer>[1]>[0]

interface Column {
  readonly table: string
  readonly name: string
  readonly type: string
  /** The first word of an enumeration. */
  readonly label: string | null
  /** Whether it holds one of a few words, or the key of something that is defined. */
  readonly isKey: boolean
}

/** Every column of the tables of which member_places speaks, but those that PostgreSQL fills itself. */
const COLUMNS = `
  select p.name as table, a.attname as name, format_type(a.atttypid, null) as type,
    (select e.enumlabel from pg_enum e where e.enumtypid = a.atttypid order by e.enumsortorder limit 1) as label,
    exists (select from pg_constraint k where k.conrelid = a.attrelid and a.attnum = any (k.conkey)
      and (k.contype = 'f' or k.contype = 'c' and cardinality(k.conkey) = 1 and pg_get_constraintdef(k.oid) ~ 'ANY|~|= ''')) as "isKey"
  from (select distinct name from member_places()) p
  join pg_attribute a on a.attrelid = to_regclass('public.' || p.name) and a.attnum > 0 and not a.attisdropped
    and a.attgenerated = ''
  order by 1, a.attnum`

/**
 * What an erasure leaves, because it names nobody: keys of what is defined, kinds and states, ids, amounts, periods, the
 * numbers of orders and certificates, and what the staff call their own. A new column is none of these until it is said.
 */
const NAMES_NOBODY = Object.entries({
  adjustment: 'currency',
  asset: 'media_type storage_key',
  bridged_text: 'key',
  benefit_grant: 'points_currency source_id',
  confirmation: 'channel',
  consent: 'kind purpose',
  consent_event: 'channel purpose',
  content: 'entitlement personas skus stages state',
  content_check_run: 'word',
  content_evidence: 'target',
  content_idea: 'features need skus title',
  // Where it has a name from outside, nobody of the members wrote it: a constraint of 0055_bridge.sql.
  contribution: 'outside_name reactions root_state sku',
  coupon_redemption: 'campaign currency order_id points_in',
  coupon_slot: 'period',
  delivery: 'channel cost',
  earn_basis: 'line rule source_id source_type',
  earn_usage: 'period rule',
  earning: 'cap_period line multipliers rule source_id source_type times_period',
  enrolment: 'certificate',
  entitlement_usage: 'entitlement source',
  event_log: 'payload type',
  imported_vote: 'key source',
  lifecycle_state: 'manual_stage silent_stage stage',
  lot: 'awaits expiry line rule source_id source_type',
  member: 'locale time_zone',
  member_checklist: 'done',
  notification_fact: 'key subject',
  op: 'kind',
  outbox: 'payload type',
  partner_movement: 'reference',
  post_facts: 'topics',
  purchase: 'order_id',
  referral: 'suspicions',
  referral_change: 'from_state to_state',
  refund: 'lines',
  research_answer: 'question',
  reward_redemption: 'currency',
  reward_redemption_change: 'from_state to_state',
  reward_slot: 'reward_key',
  segment_entry: 'segment',
  signal: 'channel effects',
  stage_change: 'from_stage to_stage',
  suppression: 'channel kind',
  task: 'assignee',
  tier_decision: 'from_tier inputs to_tier',
  tier_standing: 'tier',
  touch_decision: 'channel',
  touchpoint: 'channel purpose source_id source_type',
  webhook_failure: 'payload type',
}).flatMap(([table, names]) => names.split(' ').map((name) => `${table}.${name}`))

/** A value that holds the word, if the column can; ids are all the member's own, so that everything hangs together. */
function wordIn({ table, name, type, label, isKey }: Column, tenant: string, member: string): unknown {
  const word = isKey ? 'x' : `canary ${table}.${name}`
  if (name === 'tenant_id') return tenant
  if (table === 'member' && name === 'membership') return 'ACTIVE'
  if (table === 'member' && name === 'erased_at') return null
  if (table === 'member' && name === 'external_id') return 'canary-member'
  if (/^(actor|.*_by)$/.test(name) && type === 'text') return 'member:canary-member'
  if (type === '"char"') return 'x'
  if (type === 'uuid') return member
  if (type === 'uuid[]') return [member]
  if (/timestamp/.test(type)) return new Date()
  if (type === 'date') return '2026-01-01'
  if (type === 'boolean') return true
  if (type === 'smallint') return 7
  if (/int|numeric|double|real/.test(type)) return type.endsWith('[]') ? [1] : 900_000
  if (type === 'jsonb') return JSON.stringify({ said: word })
  if (type === 'text[]') return [word]
  if (type === 'bytea') return Buffer.from('x')
  if (type === 'text') return word
  if (type === 'interval') return '1 day'
  return label
}
/** Fills a row of each table, whatever it hangs on, and says which columns hold the word. */
async function fill(client: Client, tenant: string, member: string): Promise<string[]> {
  const { rows: columns } = await client.query<Column>(COLUMNS)
  const { rows: rules } = await client.query<{ drop: string }>(
    `select format('alter table %s drop constraint %I', c.conrelid::regclass, c.conname) as drop from pg_constraint c
     where c.contype in ('c', 'f') and c.connamespace = 'public'::regnamespace and c.conislocal and c.conrelid <> 0`,
  )
  for (const { drop } of rules) await client.query(drop)
  await client.query('set session_replication_role = replica')
  const held: string[] = []
  for (const [table, of] of Map.groupBy(columns, (column) => column.table)) {
    const values = of.map((column) => wordIn(column, tenant, member))
    const [names, places] = [of.map(({ name }) => `"${name}"`), of.map((_, i) => `$${i + 1}`)]
    await client.query(`insert into ${table} (${names}) overriding system value values (${places})`, values)
    held.push(...of.flatMap(({ name }, i) => (/canary/.test(String(values[i])) ? [`${table}.${name}`] : [])))
  }
  await client.query('set session_replication_role = origin')
  return held
}

/** Which columns of these tables hold the word. */
async function heldBy(client: Client, tables: readonly string[]): Promise<string[]> {
  const looks = tables.map(
    (table) =>
      `select '${table}.' || e.key as held from ${table} t, jsonb_each(to_jsonb(t)) e where e.value::text like '%canary%'`,
  )
  return (await client.query<{ held: string }>(looks.join(' union all '))).rows.map(({ held }) => held)
}

test('a word in every column of every table is told as a whole, and gone when the member is erased', async () => {
  const { url } = await usingDatabase()
  const [tenant, member] = [newId(), newId()]
  await onServer(url, async (client) => {
    await client.query(
      `insert into tenant (id, key, name, time_zone, locale) values ($1, 'shop', 'Shop', 'Asia/Tokyo', 'ja')`,
      [tenant],
    )
    await client.query(`select set_config('app.tenant', $1, false)`, [tenant])
    const held = await fill(client, tenant, member)
    const tables = [...new Set(held.map((column) => column.split('.')[0] ?? ''))]
    expect(tables.length).toBeGreaterThan(80)
    expect((await heldBy(client, tables)).sort()).toEqual(held.sort())

    const { rows: places } = await client.query<{ name: string; told: string }>(
      'select name, told from member_places()',
    )
    const toTell = held.filter((column) => {
      const [table, name = ''] = column.split('.')
      const isStaffs = /^(actor|requested_by|decided_by|assignee|idempotency_key)$/.test(name)
      return !isStaffs && places.some((place) => place.name === table && place.told !== 'NONE')
    })
    const { rows: told } = await client.query<{ held: string }>(
      `select x.section || '.' || e.key as held from member_export($1, null, null, 1000, false) x, jsonb_each(x.data) e
       where e.value::text like '%canary%'`,
      [member],
    )
    expect(told.map((row) => row.held).sort()).toEqual(toTell.sort())
    const { rows: own } = await client.query<{ section: string }>(
      'select distinct section from member_export($1, null, null, 1000, true)',
      [member],
    )
    const mine = new Set(places.filter((place) => place.told === 'ALL').map(({ name }) => name))
    expect(new Set(own.map(({ section }) => section))).toEqual(mine)

    await client.query(`select member_erase($1, null, 'canary', true, 'test')`, [member])
    expect((await heldBy(client, tables)).sort()).toEqual(NAMES_NOBODY.sort())
  })
})
