import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, it, onTestFinished } from 'vitest'
import { Export, importQuestions } from '../../api/domains/questions/index.ts'
import { testApp } from '../support/app.ts'
import { onServer } from '../support/server.ts'
import { type House, openQuestions } from './house.ts'

const open = testApp()

type Row = Readonly<Record<string, string | number>>
const DAY = '2020-03-01T10:00:00.123'

const quoted = (value: string | number) =>
  String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

/** Writes an export; a name that ends with .gz is packed. */
async function exported(files: Readonly<Record<string, readonly Row[]>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'engawa-export-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  for (const [name, rows] of Object.entries(files)) {
    const lines = rows.map(
      (row) =>
        `  <row ${Object.entries(row)
          .map(([key, value]) => `${key}="${quoted(value)}"`)
          .join(' ')} />`,
    )
    const text = `\uFEFF<?xml version="1.0" encoding="utf-8"?>\n<rows>\n${lines.join('\n')}\n</rows>`
    await writeFile(join(dir, name), name.endsWith('.gz') ? gzipSync(text) : text)
  }
  return dir
}

const question = (Id: number, more: Row = {}): Row => ({
  ...{ Id, PostTypeId: 1, CreationDate: DAY, Score: 0, Body: '<p>How?</p>', Title: `Question ${Id}` },
  ...{ Tags: '|q#|dry-skin|', OwnerUserId: 1, AnswerCount: 0, CommentCount: 0, ViewCount: 7, ...more },
})
const answer = (Id: number, ParentId: number, more: Row = {}): Row => ({
  ...{ Id, PostTypeId: 2, ParentId, CreationDate: DAY, Score: 0, Body: '<p>So.</p>', OwnerUserId: 2 },
  ...{ CommentCount: 0, ...more },
})
const vote = (Id: number, PostId: number, VoteTypeId: number, more: Row = {}): Row => ({
  ...{ Id, PostId, VoteTypeId, CreationDate: DAY, ...more },
})
const users = [1, 2, 3].map((Id) => ({ Id, DisplayName: `Name ${Id}` }))

async function imported(house: House, dir: string) {
  const db = house.shop.ground.app.db.tenant(house.shop.tenant.id)
  const notes: string[] = []
  const place = { source: 'se', space: house.space, actor: 'operator:import' }
  const done = await importQuestions(db, await Export.open(dir), place, {
    note: (text) => notes.push(text),
    progress: () => {},
  })
  return { ...done, aside: Object.fromEntries(done.aside), notes }
}

const kept = (house: House) =>
  house.query<Readonly<Record<string, unknown>>>(
    `select c.source_key as key, c.up_votes as up, c.down_votes as down, c.html, c.tags, m.display_name as by,
       to_char(c.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS') as at, q.state, q.closed_reason as closed
     from contribution c left join member m on m.id = c.author_id left join question q on q.contribution_id = c.id
     order by c.source_key`,
    [],
  )

it('takes questions, answers, votes, acceptance and duplicates, in whatever order they lie in the files', async () => {
  const house = await openQuestions(open)
  const dir = await exported({
    'Users.xml.gz': users,
    'Posts.xml': [
      // An answer that stands in front of its question.
      answer(1, 2, { Score: 2, Body: '<p onclick="x()">So<script>1</script></p>' }),
      question(2, { AcceptedAnswerId: 1, Score: -1, AnswerCount: 1 }),
      question(3, { ClosedDate: DAY, OwnerUserId: 99 }),
    ],
    'Votes.xml.gz': [
      ...[vote(1, 1, 2), vote(2, 1, 2, { UserId: 3 }), vote(3, 2, 3, { UserId: 1 })],
      ...[vote(4, 1, 1), vote(5, 77, 2), vote(6, 78, 3)],
    ],
    'PostLinks.xml': [
      { Id: 1, PostId: 3, RelatedPostId: 2, LinkTypeId: 3, CreationDate: DAY },
      { Id: 2, PostId: 3, RelatedPostId: 77, LinkTypeId: 3, CreationDate: DAY },
    ],
  })
  const { sum, aside } = await imported(house, dir)
  expect(sum).toMatchObject({ members: 3, votes: 3, accepted: 1, duplicates: 1, checked: 3, differing: 0 })
  expect(aside).toEqual({
    'votes on removed posts': 2,
    'votes of other kinds than for and against': 1,
    'duplicates of, or by, removed questions': 1,
  })
  const common = { at: DAY, tags: ['q#', 'dry-skin'], html: '<p>How?</p>' }
  expect(await kept(house)).toEqual([
    {
      ...common,
      key: 'se:post:1',
      up: 2,
      down: 0,
      html: '<p>So</p>',
      tags: [],
      by: 'Name 2',
      state: null,
      closed: null,
    },
    { ...common, key: 'se:post:2', up: 0, down: 1, by: 'Name 1', state: 'ACCEPTED', closed: null },
    { ...common, key: 'se:post:3', up: 0, down: 0, by: null, state: 'CLOSED', closed: 'DUPLICATE' },
  ])
  expect((await imported(house, dir)).sum).toMatchObject({
    members: 0,
    questions: 0,
    votes: 0,
    accepted: 0,
    known: 11,
  })
})

/** The types of all that was announced, logged or not. */
const facts = ({ shop }: House) =>
  onServer(shop.ground.databaseUrl, async (client) => {
    const text = `select type from outbox where tenant_id = $1 union select type from event_log where tenant_id = $1`
    const { rows } = await client.query<{ type: string }>(text, [shop.tenant.id])
    return rows.map(({ type }) => type)
  })

it('lets nobody earn, and announces nothing', async () => {
  const house = await openQuestions(open)
  const posts = [question(1, { AcceptedAnswerId: 2 }), answer(2, 1)]
  await imported(
    house,
    await exported({ 'Users.xml': users, 'Posts.xml': posts, 'Votes.xml': [vote(1, 2, 2, { UserId: 3 })] }),
  )
  const [sums] = await house.query(
    'select (select count(*) from lot) as lots, (select count(*) from activity) as activities',
    [],
  )
  expect(sums).toEqual({ lots: 0n, activities: 0n })
  expect(await facts(house)).toEqual(['program.published'])
})

it('tells what it cannot take, and takes the rest', async () => {
  const house = await openQuestions(open)
  const dir = await exported({
    'Posts.xml': [
      question(1, { Score: 5, Body: 'a\u{1F34B}b' }),
      question(2, { CreationDate: 'yesterday' }),
      answer(3, 4),
      { Id: 5, PostTypeId: 5, CreationDate: DAY, Body: 'wiki', Score: 0 },
    ],
  })
  const { sum, aside, notes } = await imported(house, dir)
  // Without votes the site's own score counts, and without users those who wrote.
  expect(sum).toMatchObject({ members: 2, questions: 1, answers: 0, checked: 1, differing: 0 })
  expect(aside).toEqual({
    'tag wikis (type 5)': 1,
    'rows that cannot be read': 1,
    'answers to removed questions': 1,
  })
  expect(notes).toEqual(['row 2: CreationDate "yesterday" is no date and time'])
  expect(await kept(house)).toMatchObject([{ key: 'se:post:1', up: 5, by: 'User 1', html: 'a\u{1F34B}b' }])
})

it('names a post whose counters differ from the rows that there are', async () => {
  const house = await openQuestions(open)
  const { notes } = await imported(house, await exported({ 'Posts.xml': [question(1, { AnswerCount: 3 })] }))
  expect(notes).toEqual(['post 1: 3 answers there, 0 here'])
})

it('says where a file is damaged', async () => {
  const house = await openQuestions(open)
  const cut = await exported({})
  await writeFile(join(cut, 'Posts.xml'), '<posts><row Id="1" PostTypeId="1" /><row')
  await expect(imported(house, cut)).rejects.toThrow(/Posts\.xml is no sound XML: /)
  await writeFile(join(cut, 'Posts.xml'), '')
  await rm(join(cut, 'Posts.xml'))
  await expect(imported(house, cut)).rejects.toThrow(/There is no Posts\.xml or Posts\.xml\.gz/)
  await writeFile(join(cut, 'Posts.xml.gz'), gzipSync('<posts></posts>').subarray(0, 20))
  await expect(imported(house, cut)).rejects.toThrow(/cannot be unpacked/)
})
