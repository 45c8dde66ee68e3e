import { expect, test } from 'vitest'
import { deliver } from '../../api/domains/touchpoints/index.ts'
import { processClock } from '../../api/platform/clock.ts'
import { testDatabase } from '../support/database.ts'
import { channelsOf, scripted } from '../touchpoints/shop.ts'
import { accepted } from '../touchpoints/stage.ts'
import { openVillage, type Village } from './village.ts'

const database = testDatabase()
const DAILY = { period: 'DAILY', local_time: '08:00', weekday: null, channels: ['email'] }

/** A member who wants a digest by mail, on the clocks of New York. */
async function reader(village: Village, wish: object = DAILY) {
  const id = await village.neighbour('Rin')
  await village.agree(id, 'email', { purpose: 'community-digest' })
  await village.sql(`update member set time_zone = 'America/New_York' where id = $1`, [id])
  await village.sql('select digest_set($1, $2)', [id, JSON.stringify(wish)])
  return id
}
const windows = (village: Village, member: string) =>
  village.sql('select state, starts_at, due_at from digest where member_id = $1 order by starts_at', [member])

test('a daily digest tells at the hour of her own zone what is new, the livelier first, and not what she wrote', async () => {
  const village = await openVillage(database.url)
  const rin = await reader(village)
  const [aki, emi] = [await village.neighbour('Aki'), await village.neighbour('Emi')]
  await village.write(aki, { title: 'Moss' })
  const roses = await village.write(aki, { title: 'Roses' })
  for (const who of [emi, aki]) await village.write(who, { parent: roses })
  await village.write(rin, { title: 'Mine' })
  await village.at('2026-04-01T11:59:59Z')
  const before = await village.mails()
  await village.at('2026-04-01T12:00:00Z')
  const digests = (await village.mails()).filter((mail) => mail.startsWith('Rin'))
  expect(before.filter((mail) => mail.startsWith('Rin'))).toEqual([])
  expect(digests).toEqual([
    'Rin: [Shop] What is new: 2 / Dear Rin,\n\nthis is new for you:\n\n- Roses (Garden), replies: 2\n- Moss (Garden)',
  ])
  expect(await windows(village, rin)).toEqual([
    {
      state: 'FLUSHED',
      starts_at: new Date('2026-04-01T00:00:00Z'),
      due_at: new Date('2026-04-01T12:00:00Z'),
    },
    { state: 'OPEN', starts_at: new Date('2026-04-01T12:00:00Z'), due_at: new Date('2026-04-02T12:00:00Z') },
  ])
})

test('a weekly digest comes on its day, and in a new zone at its hour there', async () => {
  const village = await openVillage(database.url)
  const rin = await reader(village, { ...DAILY, period: 'WEEKLY', weekday: 'MON' })
  const due = async () => (await windows(village, rin)).at(-1)?.due_at
  const before = await due()
  await village.sql(`update member set time_zone = 'Asia/Tokyo' where id = $1`, [rin])
  expect([before, await due()]).toEqual([new Date('2026-04-06T12:00:00Z'), new Date('2026-04-05T23:00:00Z')])
})

test('a digest without anything new, or with nothing that she may still see, is not sent', async () => {
  const village = await openVillage(database.url)
  const rin = await reader(village)
  await village.at('2026-04-01T12:00:00Z')
  await village.write(await village.neighbour('Aki'), { title: 'Roses' })
  await village.at('2026-04-02T11:00:00Z')
  await village.sql(
    `select space_member_put($1, $2, 'BANNED', 'MEMBER', 'test', tenant_now(current_tenant()))`,
    [village.space, rin],
  )
  await village.at('2026-04-02T12:00:00Z')
  expect(await village.touches(rin)).toEqual([
    'NOT_SENT NOTHING_TO_SAY NOTHING_TO_SAY',
    'NOT_SENT NOTHING_TO_SAY NOTHING_TO_SAY',
  ])
})

test('twenty looks at once flush a window once, and a worker lost between flush and sending sends once', async () => {
  const village = await openVillage(database.url)
  const rin = await reader(village)
  await village.write(await village.neighbour('Aki'), { title: 'Roses' })
  await village.sql(`update tenant set clock_at = '2026-04-01T12:00:00Z' where id = current_tenant()`)
  const looks = Array.from({ length: 20 }, () =>
    village.tenant.query<{ n: number }>({ text: 'select digests_settle_due(100) as n', values: [] }),
  )
  expect((await Promise.all(looks)).flat().reduce((sum, { n }) => sum + n, 0)).toBe(1)
  // Nobody sent it then: whoever comes next does, and those after find it sent.
  const channel = scripted({ mode: 'none' }, [accepted], undefined, { id: 'email', kind: 'email' })
  const ports = { channels: await channelsOf(channel.plugins), clock: processClock }
  const [touch] = await village.sql<{ id: string }>('select id from touchpoint where member_id = $1', [rin])
  const tries = await Promise.all(
    Array.from({ length: 20 }, () => deliver(village.tenant, touch?.id ?? '', ports)),
  )
  expect([channel.sent.length, tries.filter((step) => step === 'settled').length > 0]).toEqual([1, true])
})

test('who wants no digest any more gets none, also of the window that was open', async () => {
  const village = await openVillage(database.url)
  const rin = await reader(village)
  await village.write(await village.neighbour('Aki'), { title: 'Roses' })
  await village.sql('select digest_set($1, null)', [rin])
  await village.at('2026-04-03T00:00:00Z')
  expect([await village.touches(rin), (await windows(village, rin)).map(({ state }) => state)]).toEqual([
    [],
    ['CALLED_OFF'],
  ])
})
