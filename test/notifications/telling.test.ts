import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { openVillage } from './village.ts'

const database = testDatabase()

test('a comment is told to the author of what it is on and to those in the thread, but not to who wrote it', async () => {
  const village = await openVillage(database.url)
  const [aki, emi, ken] = await Promise.all(['Aki', 'Emi', 'Ken'].map((name) => village.neighbour(name)))
  const post = await village.write(aki ?? '', { title: 'Roses' })
  await village.write(emi ?? '', { parent: post })
  await village.settle()
  await village.write(ken ?? '', { parent: post })
  await village.settle()
  expect(await village.told(aki ?? '')).toEqual(['COMMENT × 2'])
  expect(await village.told(emi ?? '')).toEqual(['REPLY × 1'])
  expect(await village.told(ken ?? '')).toEqual([])
})

test('news that comes while an earlier one is unread joins it, and once it was read begins another', async () => {
  const village = await openVillage(database.url)
  const [aki, emi] = [await village.neighbour('Aki'), await village.neighbour('Emi')]
  const post = await village.write(aki)
  const told = []
  for (const reads of [false, true, false]) {
    await village.write(emi, { parent: post })
    await village.settle()
    if (reads) await village.sql(`select notifications_read($1, '{}', tenant_now(current_tenant()))`, [aki])
    told.push((await village.told(aki)).join(', '))
  }
  expect(told).toEqual(['COMMENT × 1', 'COMMENT × 2', 'COMMENT × 2, COMMENT × 1'])
})

test('a fact that is told twice, even at the same moment, is told once', async () => {
  const village = await openVillage(database.url)
  const [aki, emi] = [await village.neighbour('Aki'), await village.neighbour('Emi')]
  const post = await village.write(aki)
  for (let i = 0; i < 20; i++) {
    await village.write(emi, { parent: post })
    await Promise.all(
      [1, 2, 3].map(() => village.tenant.query({ text: 'select notifications_settle_due(100)', values: [] })),
    )
    await village.sql(`update notification_fact set due_at = at where tenant_id = current_tenant()`)
  }
  await village.settle()
  expect(await village.told(aki)).toEqual(['COMMENT × 20'])
})

test('a new thread is told to who follows its author, its space or its tag, and to who wants all of the space', async () => {
  const village = await openVillage(database.url)
  const ids = await Promise.all(
    ['Aki', 'Emi', 'Ken', 'Leo', 'Ume', 'Yui'].map((name) => village.neighbour(name)),
  )
  const [aki = '', emi, ken, leo, ume, yui] = ids
  const follow = 'select follow_set($1, $2, $3, true)'
  await village.sql(follow, [emi, 'MEMBER', aki])
  await village.sql(follow, [ken, 'SPACE', village.space])
  await village.sql(follow, [leo, 'TAG', 'roses'])
  await village.sql(`select space_notice_set($1, $2, 'ALL')`, [ume, village.space])
  await village.write(aki, { tags: ['roses'] })
  await village.settle()
  const told = await Promise.all([emi, ken, leo, ume, yui, aki].map((id) => village.told(id ?? '')))
  expect(told.map(String)).toEqual(['POST × 1', 'POST × 1', 'POST × 1', 'POST × 1', '', ''])
})

test.each([
  ['NONE', '', ''],
  ['MENTIONS', 'MENTION × 1', ''],
  ['ALL', 'MENTION × 1', 'REPLY × 1'],
])(
  'who wants %s of a space is told of mentions: %s, and of what others say: %s',
  async (level, own, others) => {
    const village = await openVillage(database.url)
    const [aki, emi] = [await village.neighbour('Aki'), await village.neighbour('Emi')]
    await village.sql(`select space_notice_set($1, $2, $3)`, [emi, village.space, level])
    const [who] = await village.sql<{ name: string }>(
      'select external_id as name from member where id = $1',
      [emi],
    )
    const post = await village.write(aki, { mentions: [who?.name ?? ''] })
    await village.settle()
    expect(String(await village.told(emi))).toBe(own)
    await village.sql(`select notifications_read($1, '{}', tenant_now(current_tenant()))`, [emi])
    await village.sql('delete from notification_part where member_id = $1', [emi])
    await village.write(aki, { parent: post })
    await village.settle()
    expect(String(await village.told(emi))).toBe(others)
  },
)

test.each([
  ['the reader blocked the writer', (a: string, b: string) => [b, a, false]],
  ['the writer blocked the reader', (a: string, b: string) => [a, b, false]],
  ['the reader muted the writer', (a: string, b: string) => [b, a, true]],
  ['the writer muted the reader', (a: string, b: string) => [a, b, true]],
] as const)('nothing is told when %s', async (_, block) => {
  const village = await openVillage(database.url)
  const [aki, emi] = [await village.neighbour('Aki'), await village.neighbour('Emi')]
  const post = await village.write(emi)
  const reply = await village.write(aki, { parent: post })
  await village.sql('select member_block_set($1, $2, $3, true)', block(aki, emi) as unknown[])
  await village.settle()
  expect([reply.length, await village.told(emi)]).toEqual([36, []])
})

test('an answer is told to who asked, and its acceptance to who answered: once, however often it is taken back', async () => {
  const village = await openVillage(database.url)
  const [aki, emi] = [await village.neighbour('Aki'), await village.neighbour('Emi')]
  const question = await village.write(aki, { kind: 'QUESTION', title: 'Why?' })
  const answer = await village.write(emi, { kind: 'ANSWER', parent: question })
  for (let i = 0; i < 3; i++)
    await village.sql(`select announce('answer.accepted', $1, $2, tenant_now(current_tenant()))`, [
      emi,
      JSON.stringify({ question, answer }),
    ])
  await village.settle()
  expect([await village.told(aki), await village.told(emi)]).toEqual([
    ['ANSWER × 1'],
    ['ANSWER_ACCEPTED × 1', 'BADGE × 1'], // for a first answer
  ])
})

test('a message says which badge was earned, and into which space the member is asked', async () => {
  const village = await openVillage(database.url)
  const emi = await village.neighbour('Emi')
  const now = 'tenant_now(current_tenant())'
  await village.sql(`select announce('badge.earned', $1, '{"badge": "first-answer"}', ${now})`, [emi])
  await village.sql(`select space_member_put($1, $2, 'INVITED', 'MEMBER', 'test', ${now})`, [
    await village.newSpace({ join: 'INVITATION' }),
    emi,
  ])
  await village.at('2026-04-01T00:02:00Z')
  const from = 'Dear Emi,\n\nthis is about Shop.\n\n'
  expect((await village.mails()).sort()).toEqual([
    `Emi: [Shop] A place for you / ${from}“Garden” in Shop\nTalk`,
    `Emi: [Shop] You earned a badge / ${from}“First answer” in Shop\nAnswered somebody for the first time.`,
  ])
})
