import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { testApp } from '../support/app.ts'
import { onServer } from '../support/server.ts'
import { DAY, exported, imported, type Row } from './export.ts'
import { type House, openQuestions } from './house.ts'

const open = testApp()

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
      question(1, { Score: 5, AnswerCount: 1, Body: 'a\u{1F34B}b' }),
      question(2, { CreationDate: 'yesterday' }),
      answer(3, 4),
      { Id: 5, PostTypeId: 5, CreationDate: DAY, Body: 'wiki', Score: 0 },
      ...[answer(6, 1, { Score: 2 }), answer(6, 1, { Score: 2 }), answer(7, 6)],
    ],
  })
  const { sum, aside, notes } = await imported(house, dir)
  // Without votes the site's own score counts, and without users those who wrote.
  expect(sum).toMatchObject({ members: 2, questions: 1, answers: 1, checked: 3, differing: 0 })
  expect(aside).toEqual({
    'tag wikis (type 5)': 1,
    'rows that cannot be read': 1,
    'answers to removed questions': 2,
  })
  expect(notes).toEqual(['row 2: CreationDate "yesterday" is no date and time'])
  // An answer is none to an answer, also when that is there by now.
  expect(await imported(house, dir)).toMatchObject({
    sum: { answers: 0 },
    aside: { 'answers to removed questions': 2 },
  })
  expect(await kept(house)).toMatchObject([
    { key: 'se:post:1', up: 5, by: 'User 1', html: 'a\u{1F34B}b' },
    { key: 'se:post:6', up: 2, by: 'User 2' },
  ])
})

it("makes a score the site's own where votes are not listed, and follows when they are", async () => {
  const house = await openQuestions(open)
  const posts = [question(1, { Score: 5 }), question(2, { Score: -3 }), question(3, { Score: 1 })]
  const scores = async (score: readonly number[], listed: readonly Row[]) => {
    const Posts = posts.map((post, i) => ({ ...post, Score: score[i] ?? 0 }))
    const votes = listed.length === 0 ? {} : { 'Votes.xml': listed }
    const { sum, notes } = await imported(house, await exported({ 'Posts.xml': Posts, ...votes }))
    const now = await house.query<{ key: string; score: number }>(
      `select format('%s: +%s -%s', source_key, up_votes, down_votes) as key, score from contribution order by source_key`,
      [],
    )
    return { unlisted: sum.unlisted, differing: sum.differing, notes, now: now.map(({ key }) => key) }
  }
  const before = { unlisted: 0, differing: 0, notes: [] }
  const first = ['se:post:1: +5 -0', 'se:post:2: +0 -3', 'se:post:3: +1 -0']
  expect(await scores([5, -3, 1], [])).toEqual({ ...before, now: first })
  expect(await scores([5, -3, 1], [])).toEqual({ ...before, now: first })
  const listed = [vote(1, 1, 2), vote(2, 1, 2), vote(3, 1, 3), vote(4, 2, 2), vote(5, 3, 2)]
  expect(await scores([5, -3, 1], listed)).toEqual({
    ...{ unlisted: 2, differing: 0, now: ['se:post:1: +6 -1', 'se:post:2: +1 -4', 'se:post:3: +1 -0'] },
    notes: [
      'post 1: 4 in its score come from votes that the export does not list',
      'post 2: -4 in its score come from votes that the export does not list',
    ],
  })
  expect((await scores([1, -3, 1], listed)).now).toEqual([
    ...['se:post:1: +2 -1', 'se:post:2: +1 -4', 'se:post:3: +1 -0'],
  ])
})

it('goes on behind rows that hold nonsense', async () => {
  const house = await openQuestions(open)
  const dir = await exported({
    'Posts.xml': [
      question(1, { Score: 'many' }),
      question(2, { ViewCount: '1e9' }),
      question(3, { CreationDate: '2018-02-30T00:00:00' }),
      { ...question(4), Id: 'x' },
      question(5, { AnswerCount: '1.5', CommentCount: '', Body: '', Title: '', Tags: '<<>>' }),
    ],
    'Comments.xml': [{ Id: 1, PostId: 1, Text: 'x', Score: 'few', CreationDate: DAY }],
    'Votes.xml': [vote(1, 1, 2, { CreationDate: '2018-13-01T00:00:00' })],
  })
  const { sum, aside, notes } = await imported(house, dir)
  expect(sum).toMatchObject({ questions: 2, comments: 0, votes: 0, checked: 0 })
  expect(aside).toEqual({ 'rows that cannot be read': 7 })
  expect(notes).toEqual([
    'row 2: ViewCount "1e9" is no whole number of at most 9 digits',
    'row 3: CreationDate "2018-02-30T00:00:00" is no date and time',
    'a row without a whole number as its Id: "x"',
    'row 1: Score "few" is no whole number of at most 9 digits',
    'row 1: CreationDate "2018-13-01T00:00:00" is no date and time',
    'row 1: Score "many" is no whole number of at most 9 digits',
    'row 5: AnswerCount "1.5" is no whole number of at most 9 digits',
  ])
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
