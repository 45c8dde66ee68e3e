import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { openVillage, type Village } from './village.ts'

const database = testDatabase()

/** Emi answers a post of Aki, who hears of it by mail a minute later unless something comes between. */
async function answered(village: Village) {
  const [aki, emi] = [await village.neighbour('Aki'), await village.neighbour('Emi')]
  const post = await village.write(aki, { title: 'Roses', body: 'Which ones?' })
  const comment = await village.write(emi, { parent: post, body: 'The red ones.' })
  await village.settle()
  return { aki, emi, post, comment }
}

test('after a minute one mail tells what happened, with everybody who joined in meanwhile', async () => {
  const village = await openVillage(database.url)
  const { post } = await answered(village)
  const ken = await village.neighbour('Ken')
  await village.at('2026-04-01T00:00:30Z')
  await village.write(ken, { parent: post, body: 'Or white.' })
  await village.at('2026-04-01T00:00:59Z')
  expect(await village.mails()).toEqual([])
  await village.at('2026-04-01T00:01:00Z')
  expect(await village.mails()).toEqual([
    'Aki: [Shop] There is a comment for you / Dear Aki,\n\nthis is about Ken and one other.\n\n“Roses” in Garden\nOr white.',
  ])
})

test('what comes after the mail goes with the next one', async () => {
  const village = await openVillage(database.url)
  const { emi, post } = await answered(village)
  await village.at('2026-04-01T00:02:00Z')
  await village.write(emi, { parent: post, body: 'Or none.' })
  await village.at('2026-04-01T00:05:00Z')
  const mails = await village.mails()
  expect(mails.map((mail) => mail.split('\n').at(-1))).toEqual(['The red ones.', 'Or none.'])
})

test.each<
  [string, string, (village: Village, facts: Awaited<ReturnType<typeof answered>>) => Promise<unknown>]
>([
  [
    'the comment was taken back',
    'NOT_SENT NOTHING_TO_SAY NOTHING_TO_SAY',
    ({ sql }, { comment, emi }) =>
      sql(`select contribution_set_state($1, $2, 'DELETED', 'test')`, [comment, emi]),
  ],
  [
    'the space was switched off',
    'NOT_SENT NOTHING_TO_SAY NOTHING_TO_SAY',
    ({ sql, space }) => sql('select space_enable($1, false)', [space]),
  ],
  [
    'the member was banned from the space',
    'NOT_SENT NOTHING_TO_SAY NOTHING_TO_SAY',
    ({ sql, space }, { aki }) =>
      sql(`select space_member_put($1, $2, 'BANNED', 'MEMBER', 'test', tenant_now(current_tenant()))`, [
        space,
        aki,
      ]),
  ],
  [
    'the writer was blocked',
    'NOT_SENT NOTHING_TO_SAY NOTHING_TO_SAY',
    ({ sql }, { aki, emi }) => sql('select member_block_set($1, $2, false, true)', [aki, emi]),
  ],
  [
    'it was read already',
    'NOT_SENT NOTHING_TO_SAY NOTHING_TO_SAY',
    ({ sql }, { aki }) => sql(`select notifications_read($1, '{}', tenant_now(current_tenant()))`, [aki]),
  ],
  [
    'the member no longer wants to hear of the space',
    'NOT_SENT NOTHING_TO_SAY NOTHING_TO_SAY',
    ({ sql, space }, { aki }) => sql(`select space_notice_set($1, $2, 'NONE')`, [aki, space]),
  ],
  ['the membership ended', 'NOT_SENT NOTHING_TO_SAY NOTHING_TO_SAY', ({ end }, { aki }) => end(aki)],
  [
    'the consent was withdrawn',
    'NOT_SENT NO_CONSENT NO_CONSENT',
    ({ withdraw }, { aki }) => withdraw(aki, 'email', 'community'),
  ],
])('nothing is sent when before the minute is over %s', async (_, decided, happens) => {
  const village = await openVillage(database.url)
  const facts = await answered(village)
  await happens(village, facts)
  await village.at('2026-04-01T00:10:00Z')
  expect(await village.mails()).toEqual([])
  expect(await village.touches(facts.aki)).toEqual([decided])
})

test('what may no longer be seen between the writing and the sending is written anew, without it', async () => {
  const village = await openVillage(database.url)
  const { aki, emi, post } = await answered(village)
  const second = await village.write(emi, { parent: post, body: 'Secret.' })
  await village.settle()
  await village.sql(`update tenant set clock_at = '2026-04-01T00:01:00Z' where id = current_tenant()`)
  const [touch] = await village.sql<{ id: string }>('select id from touchpoint where member_id = $1', [aki])
  await village.sql('select touch_says($1)', [touch?.id])
  await village.sql(`select contribution_set_state($1, $2, 'DELETED', 'test')`, [second, emi])
  const [refusal] = await village.sql<{ said: string }>(
    `select contact_refusal($1, 'email', tenant_now(current_tenant())) ->> 'reason' as said`,
    [touch?.id],
  )
  await village.at('2026-04-01T00:02:00Z')
  expect(refusal?.said).toBe('NO_ACCESS')
  expect((await village.mails()).map((mail) => mail.split('\n').at(-1))).toEqual(['The red ones.'])
})

test('quiet hours keep news back, and the caps of the tenant hold for them', async () => {
  const village = await openVillage(database.url)
  const policy = {
    quietHours: { periods: [{ from: '09:00', to: '10:00', weekdays: [] }], channels: ['email'] },
    caps: [{ class: 'SERVICE', channel: 'email', most: 1, within: 'P1D' }],
  }
  await village.sql(`select contact_policy_save($1, 'test')`, [JSON.stringify(policy)])
  const { aki, emi, post } = await answered(village)
  const other = await village.write(aki)
  await village.at('2026-04-01T00:59:00Z')
  expect(await village.mails()).toEqual([])
  await village.at('2026-04-01T01:00:00Z')
  await village.write(emi, { parent: other })
  await village.at('2026-04-01T01:30:00Z')
  expect([(await village.mails()).length, await village.touches(aki)]).toEqual([
    1,
    ['ACCEPTED QUIET_HOURS', 'PLANNED FREQUENCY_CAP'],
  ])
  expect(post.length).toBe(36)
})
