// Every kind of news, for everybody who may have lost its sight: before it is told, and between the telling and the sending.
import { expect, test } from 'vitest'
import { KINDS } from '../../api/domains/notifications/kinds.ts'
import { testDatabase } from '../support/database.ts'
import { openVillage, type Village } from './village.ts'

const database = testDatabase()

/** What is about something written, and what is about the member itself or another one. */
const WRITTEN = [
  'ANSWER',
  'ANSWER_ACCEPTED',
  'ANSWER_REQUESTED',
  'COMMENT',
  'IDEA',
  'JUDGED',
  'MENTION',
  'MOVED',
  'POST',
  'QUESTION_CLOSED',
  'REPLY',
  'SEAT_GIVEN',
]
const PERSONAL = ['BADGE', 'FLAG_ANSWERED', 'INTRODUCTION', 'MESSAGE', 'SPACE']
/** What is told of a text that only its author may see. */
const OF_OWN = [...PERSONAL, 'JUDGED'].sort()
const ALL = [...WRITTEN, ...PERSONAL].sort()

/** A member who is in the club and wants to hear of everything by mail. */
async function listener(village: Village, club: string, name: string) {
  const id = await village.neighbour(name)
  await village.sql(
    `select space_member_put($1, $2, 'JOINED', 'MEMBER', 'test', tenant_now(current_tenant()))`,
    [club, id],
  )
  await village.sql('select follow_set($1, $2, $3, true)', [id, 'SPACE', club])
  await village.sql(`select notification_choose($1, '{POST,REPLY}', 'email', true)`, [id])
  return id
}

interface Ground {
  readonly club: string
  readonly rin: string
  readonly aki: string
  readonly own: string
  readonly asked: string
  readonly others: string
  readonly answer: string
}

/** A club with a listener, who wrote a post, a question and an answer there, and with Aki. */
async function ground(village: Village, name: string): Promise<Ground> {
  const { write, sql } = village
  const club = await village.newSpace({ join: 'INVITATION' })
  const rin = await listener(village, club, name)
  const aki = await village.neighbour('Aki')
  await sql(`select space_member_put($1, $2, 'JOINED', 'MEMBER', 'test', tenant_now(current_tenant()))`, [
    club,
    aki,
  ])
  const own = await write(rin, { space: club, title: 'Canary own' })
  const asked = await write(rin, { space: club, kind: 'QUESTION', title: 'Canary why' })
  const others = await write(aki, { space: club, kind: 'QUESTION', title: 'Canary how' })
  const answer = await write(rin, { kind: 'ANSWER', parent: others, body: 'Canary so' })
  return { club, rin, aki, own, asked, others, answer }
}

/** One fact of each kind for the listener, all of it by Aki. */
async function everyKind(
  { write, sql, space }: Village,
  { club, rin, aki, own, asked, others, answer }: Ground,
) {
  const [named] = await sql<{ name: string }>('select external_id as name from member where id = $1', [rin])
  const thread = await write(aki, { space: club, title: 'Canary new' })
  await sql('select follow_set($1, $2, $3, true)', [rin, 'THREAD', thread])
  await write(aki, { parent: thread, body: 'Canary reply' })
  await write(aki, { parent: own, body: 'Canary comment' })
  await write(aki, { kind: 'ANSWER', parent: asked, body: 'Canary answer' })
  await write(aki, { space: club, title: 'Canary you', mentions: [named?.name ?? ''] })
  const announced = `select announce($2, $1, $3, tenant_now(current_tenant()))`
  await sql(announced, [rin, 'answer.accepted', { question: others, answer }])
  await sql(announced, [rin, 'answer.requested', { question: others }])
  await sql(announced, [rin, 'contribution.moved', { contribution: own }])
  await sql(
    `select notification_note('QUESTION_CLOSED', 'closed ' || $1::text, $1::uuid, null, $2, null, tenant_now(current_tenant()))`,
    [asked, rin],
  )
  await sql(announced, [rin, 'badge.earned', { badge: 'helper' }])
  await sql(announced, [rin, 'flag.answered', { flag: rin }])
  await sql(announced, [rin, 'gathering.seat_given', { contribution: others }])
  await sql(announced, [rin, 'idea.status_changed', { contribution: others, to: 'PLANNED' }])
  const noted = `select notification_note($2::text, $2 || $1::text, $3, null, $1::text::uuid, $4, tenant_now(current_tenant()))`
  await sql(noted, [rin, 'JUDGED', own, null])
  await sql(noted, [rin, 'SPACE', null, space])
  const open = { is_open_to_introductions: true, messages_from: 'MEMBERS' }
  await sql('select profile_save($1, null, $2)', [rin, open])
  await sql(`select introduction_propose($3, '', $1, null, $2, 'Canary hello', 'test')`, [
    aki,
    rin,
    `i ${rin}`,
  ])
  await sql(`select message_send($3, '', $1, null, $2, 'Canary psst', 'test')`, [aki, rin, `m ${rin}`])
}

const kindsTold = async ({ sql }: Village, member: string) =>
  (
    await sql<{ kind: string }>(
      `select distinct n.kind from notification n join notification_part p on p.tenant_id = n.tenant_id
         and p.notification_id = n.id where n.member_id = $1 order by 1`,
      [member],
    )
  ).map(({ kind }) => kind)

const kindsSent = async ({ sql }: Village, member: string) =>
  (
    await sql<{ kind: string }>(
      `select n.kind from touchpoint t join notification n on n.tenant_id = t.tenant_id and n.id = t.source_id::uuid
       where t.member_id = $1 and t.state = 'ACCEPTED' order by 1`,
      [member],
    )
  ).map(({ kind }) => kind)

type Happening = (village: Village, ground: Ground) => Promise<unknown>
const state =
  (to: string, by = 'null'): Happening =>
  ({ sql }, { club }) =>
    sql(
      `select contribution_set_state(c.id, ${by === 'author' ? 'c.author_id' : 'null'}, $2, 'test') from contribution c
       where c.tenant_id = current_tenant() and c.space_id = $1`,
      [club, to],
    )

const HAPPENINGS: readonly [string, Happening, readonly string[]][] = [
  ['nothing happens', async () => {}, ALL],
  [
    'the member leaves the space',
    ({ sql }, { club, rin }) =>
      sql(`select space_member_put($1, $2, 'LEFT', 'MEMBER', 'test', tenant_now(current_tenant()))`, [
        club,
        rin,
      ]),
    PERSONAL,
  ],
  [
    'the member is banned',
    ({ sql }, { club, rin }) =>
      sql(`select space_member_put($1, $2, 'BANNED', 'MEMBER', 'test', tenant_now(current_tenant()))`, [
        club,
        rin,
      ]),
    PERSONAL,
  ],
  [
    'the space is switched off',
    ({ sql }, { club }) => sql('select space_enable($1, false)', [club]),
    PERSONAL,
  ],
  // Of its post, its question and its answer: that these are gone is news to whoever wrote them.
  ['everything is removed', state('REMOVED'), [...OF_OWN, 'JUDGED', 'JUDGED'].sort()],
  ['everything is taken for spam', state('SPAM'), OF_OWN],
  ['everything is taken back', state('DELETED', 'author'), OF_OWN],
  [
    'everything is moved to where the member is not',
    async (village, { club }) =>
      village.sql(
        'update contribution c set space_id = $2 where c.tenant_id = current_tenant() and c.space_id = $1',
        [club, await village.newSpace({ join: 'INVITATION' })],
      ),
    PERSONAL,
  ],
  [
    'the member blocks who did it',
    ({ sql }, { rin, aki }) => sql('select member_block_set($1, $2, false, true)', [rin, aki]),
    ['BADGE', 'FLAG_ANSWERED', 'JUDGED', 'MOVED', 'QUESTION_CLOSED', 'SPACE'], // about its own texts, or nobody's
  ],
  [
    'who did it blocks the member',
    ({ sql }, { rin, aki }) => sql('select member_block_set($1, $2, false, true)', [aki, rin]),
    ['BADGE', 'FLAG_ANSWERED', 'JUDGED', 'MOVED', 'QUESTION_CLOSED', 'SPACE'], // about its own texts, or nobody's
  ],
  [
    'the membership rests',
    ({ sql }, { rin }) => sql(`select membership_pause($1, null, null, null, true, 'test')`, [rin]),
    [],
  ],
  [
    'what is paid is over',
    ({ sql }, { rin }) =>
      sql(`select membership_paid($1, null, tenant_now(current_tenant()), 'test')`, [rin]),
    [],
  ],
  ['the member leaves the program', ({ end }, { rin }) => end(rin), []],
]

test('every kind of notification is looked at here', () => {
  expect(ALL).toEqual(Object.keys(KINDS).sort())
})

test.each(['before it is told', 'before it is sent'])(
  'whatever happens to sight %s, nobody is told, counted or sent what is not theirs',
  async (when) => {
    const village = await openVillage(database.url)
    const grounds: Ground[] = []
    for (const i of HAPPENINGS.keys()) grounds.push(await ground(village, `Rin ${i}:`))
    await village.settle()
    for (const table of ['notification_part', 'notification', 'touchpoint'])
      await village.sql(`delete from ${table} where tenant_id = current_tenant()`)
    for (const each of grounds) await everyKind(village, each)
    if (when === 'before it is sent') await village.settle()
    for (const [i, [, happens]] of HAPPENINGS.entries()) await happens(village, grounds[i] ?? expect.fail())
    await village.settle()
    await village.at('2026-04-01T00:02:00Z')
    const mails = await village.mails()
    const found = []
    for (const [i, [what]] of HAPPENINGS.entries()) {
      const { rin } = grounds[i] ?? expect.fail()
      const said = mails.filter((mail) => mail.startsWith(`Rin ${i}:`)).join()
      const [told, sent] = [await kindsTold(village, rin), await kindsSent(village, rin)]
      // A message and the note of an introduction are for the product: no mail says them.
      found.push([what, told, sent, said.includes('Canary'), /psst|hello/.test(said)])
    }
    expect(found).toEqual(
      HAPPENINGS.map(([what, , theirs]) => {
        const told = when === 'before it is told' ? [...new Set(theirs)] : ALL
        return [what, told, theirs, theirs.includes('JUDGED'), false]
      }),
    )
  },
  120_000, // thirteen worlds in one, on a machine that may be busy
)
