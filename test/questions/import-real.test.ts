import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { plainText } from '../../api/domains/contributions/index.ts'
import { readAnswering } from '../../api/domains/insight/community.store.ts'
import { readRows } from '../../api/domains/questions/export-rows.ts'
import { Export, importQuestions } from '../../api/domains/questions/index.ts'
import { countTexts, findSimilar } from '../../api/domains/search/service.ts'
import type { TenantClient } from '../../api/platform/db.ts'
import { testApp } from '../support/app.ts'
import { openQuestions } from './house.ts'

const dir = join(import.meta.dirname, '../../../shared/data/stackexchange')
const isThere = existsSync(dir)
if (!isThere) process.stderr.write(`SKIPPED: the import of a real site needs ${dir}.\n`)

const open = testApp()

interface Kept {
  readonly key: string
  readonly kind: string
  readonly score: number
  readonly answers: number
  readonly comments: number
  readonly views: string
  readonly accepted: string | null
}

it.skipIf(!isThere)(
  "every post of a real site comes out with the site's own counters",
  { timeout: 240_000 },
  async () => {
    const house = await openQuestions(open)
    const db = house.shop.ground.app.db.tenant(house.shop.tenant.id)
    const place = { source: 'se', space: house.space, actor: 'operator:import' }
    const notes: string[] = []
    const report = { note: (text: string) => notes.push(text), progress: () => {} }
    const files = await Export.open(dir)
    const began = performance.now()
    const { sum, aside } = await importQuestions(db, files, place, report)
    const lines = 1986 + 3461 + 3413 + 12_560 + 327
    console.log(`import: ${Math.round((lines * 1000) / (performance.now() - began))} rows a second`)
    expect(sum).toEqual({
      ...{ members: 3461, questions: 612, answers: 1060, comments: 3413, votes: 10_375, accepted: 389 },
      ...{ duplicates: 11, known: 0, unlisted: 0, checked: 1672, differing: 0 },
    })
    expect(Object.fromEntries(aside)).toEqual({
      ...{
        'excerpts of tag wikis (type 4)': 157,
        'tag wikis (type 5)': 157,
        'votes on what is set aside': 167,
      },
      ...{ 'votes on removed posts': 587, 'votes of other kinds than for and against': 1431 },
      ...{ 'links of other kinds than duplicates': 313, 'duplicates of, or by, removed questions': 3 },
    })
    expect(notes).toEqual([])
    const rows = await house.query<Kept>(
      `select c.source_key as key, c.kind, c.score, c.answer_count as answers, c.comment_count as comments,
       c.view_count::text as views, x.source_key as accepted
     from contribution c
     left join accepted_answer a on a.question_id = c.id
     left join contribution x on x.id = a.answer_id where c.kind in ('QUESTION', 'ANSWER')`,
      [],
    )
    const kept = new Map(rows.map((row) => [row.key, row]))
    let posts = 0
    for await (const row of readRows(join(dir, 'Posts.xml.gz'))) {
      if (row.PostTypeId !== '1' && row.PostTypeId !== '2') continue
      posts++
      const accepted = row.AcceptedAnswerId === undefined ? null : `se:post:${row.AcceptedAnswerId}`
      expect(kept.get(`se:post:${row.Id}`)).toEqual({
        ...{ key: `se:post:${row.Id}`, kind: row.PostTypeId === '1' ? 'QUESTION' : 'ANSWER' },
        ...{
          score: Number(row.Score),
          answers: Number(row.AnswerCount ?? 0),
          comments: Number(row.CommentCount),
        },
        ...{ views: row.ViewCount ?? '0', accepted },
      })
    }
    expect(posts).toBe(kept.size)
    const all = { from: new Date('2000-01-01'), until: new Date('2100-01-01'), space: null }
    expect(await readAnswering(db, all)).toMatchObject(await answeringOf(join(dir, 'Posts.xml.gz')))
    await countTexts(db, true)
    const [duplicates, related] = await suggestions(db)
    console.log(`suggested: ${duplicates.found} of the duplicates, ${related.found} of what is related`)
    // The site's people said so: they are about the same matter, not always in the same words.
    expect(duplicates).toEqual({ of: 11, found: expect.toSatisfy((found) => found >= 5) })
    expect(related).toEqual({ of: 294, found: expect.toSatisfy((found) => found >= 80) })
  },
)

/** For how many of the site's duplicates, and of its related questions, the other is among the first five suggestions. */
async function suggestions(db: TenantClient) {
  const asked = new Map<string, { title: string; body: string }>()
  for await (const { PostTypeId, Id = '', Title = '', Body = '' } of readRows(join(dir, 'Posts.xml.gz')))
    if (PostTypeId === '1') asked.set(Id, { title: Title, body: plainText(Body).slice(0, 5_000) })
  const rows = await db.query<{ id: string; key: string }>({
    name: 'test',
    text: "select c.id, split_part(c.source_key, ':', 3) as key from contribution c where own(c) and c.kind = 'QUESTION'",
    values: [],
  })
  const keys = new Map(rows.map(({ id, key }) => [id, key]))
  const [duplicates, related] = [
    { of: 0, found: 0 },
    { of: 0, found: 0 },
  ]
  for await (const { PostId = '', RelatedPostId = '', LinkTypeId } of readRows(
    join(dir, 'PostLinks.xml.gz'),
  )) {
    const text = asked.get(PostId)
    if (!text || !asked.has(RelatedPostId)) continue
    const like = await findSimilar(db, text, { kinds: ['QUESTION'], space: null, most: 6 })
    const others = like.map(({ id }) => keys.get(id)).filter((key) => key !== PostId)
    const count = LinkTypeId === '3' ? duplicates : related
    count.of += 1
    count.found += Number(others.slice(0, 5).includes(RelatedPostId))
  }
  return [duplicates, related] as const
}

/** How the questions of an export were answered, counted from its rows: by others than who asked, in whole minutes. */
async function answeringOf(file: string) {
  const posts: Readonly<Record<string, string>>[] = []
  for await (const row of readRows(file)) posts.push(row as Readonly<Record<string, string>>)
  const answers = Map.groupBy(
    posts.filter(({ PostTypeId }) => PostTypeId === '2'),
    ({ ParentId }) => ParentId,
  )
  const questions = posts.filter(({ PostTypeId }) => PostTypeId === '1')
  const waited = questions.map(({ Id, OwnerUserId, CreationDate }) => {
    const others = (answers.get(Id) ?? []).filter(
      (answer) => !OwnerUserId || answer.OwnerUserId !== OwnerUserId,
    )
    const first = Math.min(...others.map((answer) => Date.parse(`${answer.CreationDate}Z`)))
    return (first - Date.parse(`${CreationDate}Z`)) / 60_000
  })
  const sorted = waited.toSorted((a, b) => a - b)
  expect(sorted[Math.ceil(questions.length * 0.9) - 1]).toBe(Number.POSITIVE_INFINITY)
  return {
    ...{ questions: questions.length, matured: questions.length, accepted: 389 },
    unanswered: waited.filter((minutes) => minutes === Number.POSITIVE_INFINITY).length,
    answeredWithinDay: waited.filter((minutes) => minutes <= 1440).length,
    medianMinutes: expect.closeTo(sorted[Math.ceil(questions.length * 0.5) - 1] ?? 0, 6),
    p90Minutes: null, // it lies among the unanswered
  }
}
