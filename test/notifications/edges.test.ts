// What a message and a digest leave out, each for one reason alone.
import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { openVillage, type Village } from './village.ts'

const database = testDatabase()
const DAILY = { period: 'DAILY', local_time: '08:00', weekday: null, channels: ['email'] }

/** A member in Tokyo, who gets a digest at 23:00 UTC. */
async function reader(village: Village, name = 'Rin') {
  const id = await village.neighbour(name)
  await village.agree(id, 'email', { purpose: 'community-digest' })
  await village.sql('select digest_set($1, $2)', [id, JSON.stringify(DAILY)])
  return id
}

const refusalOf = async (village: Village, touch: string | undefined) =>
  (
    await village.sql<{ reason: string | null }>(
      `select contact_refusal($1, 'email', tenant_now(current_tenant())) ->> 'reason' as reason`,
      [touch],
    )
  )[0]?.reason

test('of what was removed only its author is told, and not the moderator, who still sees it', async () => {
  const village = await openVillage(database.url)
  const [aki, emi] = [await village.neighbour('Aki'), await village.neighbour('Emi')]
  await village.sql(
    `select space_member_put($1, $2, 'JOINED', 'MODERATOR', 'test', tenant_now(current_tenant()))`,
    [village.space, aki],
  )
  const post = await village.write(aki)
  const comment = await village.write(emi, { parent: post, body: 'Rude.' })
  await village.settle()
  await village.sql(`select contribution_set_state($1, null, 'REMOVED', 'test')`, [comment])
  await village.at('2026-04-01T00:02:00Z')
  expect([await village.mails(), await village.touches(aki)]).toEqual([
    [
      'Emi: [Shop] Somebody looked at what you wrote / Dear Emi,\n\nthis is about Shop.\n\n“Rude.” in Garden\n',
    ],
    ['NOT_SENT NOTHING_TO_SAY NOTHING_TO_SAY'],
  ])
})

test('a digest leaves out what was read and spaces of which the member wants to hear less', async () => {
  const village = await openVillage(database.url)
  const [rin, aki] = [await reader(village), await village.neighbour('Aki')]
  const quiet = await village.newSpace()
  await village.sql(`select space_notice_set($1, $2, 'MENTIONS')`, [rin, quiet])
  const read = await village.write(aki, { title: 'Read' })
  await village.write(aki, { title: 'Quiet', space: quiet })
  await village.write(aki, { title: 'New' })
  await village.sql(
    `insert into read_mark (tenant_id, member_id, root_id, read_at) values (current_tenant(), $1, $2, tenant_now(current_tenant()))`,
    [rin, read],
  )
  await village.at('2026-04-01T23:00:00Z')
  expect((await village.mails()).map((mail) => mail.split('\n').slice(4))).toEqual([['- New (Garden)']])
})

test('what comes after a window belongs to the next, however late the message goes; what is lost before the claim is not said', async () => {
  const village = await openVillage(database.url)
  const [rin, aki] = [await reader(village), await village.neighbour('Aki')]
  const first = await village.write(aki, { title: 'First' })
  const stand = (at: string) =>
    village.sql('update tenant set clock_at = $1 where id = current_tenant()', [at])
  await stand('2026-04-01T23:00:00Z')
  await village.settle()
  await stand('2026-04-01T23:00:10Z')
  await village.write(aki, { title: 'Later' })
  const [touch] = await village.sql<{ id: string; said: string }>(
    `select t.id, (touch_says(t.id) -> 'parameters' -> 'items')::text as said from touchpoint t where t.member_id = $1`,
    [rin],
  )
  expect([touch?.said.includes('First'), touch?.said.includes('Later')]).toEqual([true, false])
  expect(await refusalOf(village, touch?.id)).toBeNull()
  await village.sql(`select contribution_set_state($1, null, 'REMOVED', 'test')`, [first])
  expect(await refusalOf(village, touch?.id)).toBe('NO_ACCESS')
})

test('what was imported is news to nobody', async () => {
  const village = await openVillage(database.url)
  const [aki, emi] = [await village.neighbour('Aki'), await village.neighbour('Emi')]
  await village.sql('select follow_set($1, $2, $3, true)', [emi, 'MEMBER', aki])
  const what = { kind: 'POST', space: village.space, body: 'Old.', html: '<p>Old.</p>', format: 'MARKDOWN' }
  const write = `select contribution_write($1, 'test', $2) ->> 'is' as done`
  const done = await village.sql(write, [aki, { ...what, sourceKey: 'import 1' }])
  await village.settle()
  expect([done, await village.told(emi)]).toEqual([[{ done: 'done' }], []])
})

test('news goes by mail to who agreed to news, and of what others say only to who chose that', async () => {
  const village = await openVillage(database.url)
  const [aki, emi] = [await village.neighbour('Aki'), await village.neighbour('Emi')]
  const ken = await village.member({ name: 'Ken', locale: 'en' })
  await village.agree(ken, 'email', { purpose: 'newsletter' })
  for (const id of [emi, ken]) await village.sql('select follow_set($1, $2, $3, true)', [id, 'MEMBER', aki])
  const post = await village.write(ken)
  await village.write(aki, { parent: post })
  await village.write(aki, { title: 'New' })
  await village.settle()
  await village.at('2026-04-01T00:02:00Z')
  expect([await village.told(ken), await village.told(emi)]).toEqual([
    ['COMMENT × 1', 'POST × 1'],
    ['POST × 1'],
  ])
  expect(await village.mails()).toEqual([])
})
