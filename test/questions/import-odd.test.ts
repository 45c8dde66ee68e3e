import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testApp } from '../support/app.ts'
import { DAY, exported, imported, type Row } from './export.ts'
import { openQuestions } from './house.ts'

const open = testApp()
/** In the suite a part of them: ENGAWA_FAULTS=250 for a release. */
const RUNS = Number(process.env.ENGAWA_FAULTS ?? 12)

/** What stands where a number, an instant, a key or a text should. */
const ODD = [
  ...['', ' ', '-1', '0', '1', '2', '1.5', '-5', '1e9', 'x', 'null', 'true', '2147483648'],
  ...['9223372036854775808', '2018-02-30T00:00:00', DAY, '0001-01-01T00:00:00', '9999-12-31T23:59:59.999'],
  ...['|||', '<p></p>', '<script>', '<a><b><c>', '\u{1F600}', '\u3042'.repeat(400)],
]

const numbers = (most: number) => Array.from({ length: most }, (_, i) => i + 1)

/** A small site: every third post asks, the two behind it answer. */
const SITE: Readonly<Record<string, readonly Row[]>> = {
  'Users.xml': numbers(6).map((i) => ({ Id: i - 2, DisplayName: `Name ${i}` })),
  'Posts.xml': numbers(12).map((i) =>
    i % 3 === 1
      ? {
          ...{ Id: i, PostTypeId: 1, CreationDate: DAY, Score: 1, Body: '<p>How?</p>', Title: `Title ${i}` },
          ...{ Tags: '<a><b>', OwnerUserId: i % 5, AnswerCount: 2, CommentCount: 1, ViewCount: 3 },
          ...{ AcceptedAnswerId: i + 1, ClosedDate: DAY, LastEditDate: DAY, LastActivityDate: DAY },
        }
      : {
          ...{ Id: i, PostTypeId: 2, ParentId: i - (i % 3 === 0 ? 2 : 1), CreationDate: DAY, Score: 0 },
          ...{ Body: '<p>So.</p>', OwnerUserId: i % 4, CommentCount: 1 },
        },
  ),
  'Comments.xml': numbers(12).map((i) => ({
    ...{ Id: i, PostId: i, Score: 1, Text: 'Hm.', CreationDate: DAY, UserId: i % 5 },
  })),
  'Votes.xml': numbers(20).map((i) => ({
    ...{ Id: i, PostId: 1 + (i % 12), VoteTypeId: 1 + (i % 3), CreationDate: DAY, UserId: i % 6 },
  })),
  'PostLinks.xml': numbers(6).map((i) => ({
    ...{
      Id: i,
      PostId: 1 + 3 * (i % 4),
      RelatedPostId: 1 + 3 * ((i + 1) % 4),
      LinkTypeId: 3,
      CreationDate: DAY,
    },
  })),
}

/** A change to one row: an attribute gone, another value of it, or the row once more. */
const damage = fc.constantFrom(...Object.keys(SITE)).chain((file) =>
  fc.integer({ min: 0, max: (SITE[file]?.length ?? 0) - 1 }).chain((at) =>
    fc.record({
      file: fc.constant(file),
      at: fc.constant(at),
      key: fc.constantFrom(...Object.keys(SITE[file]?.[at] ?? {})),
      value: fc.oneof(fc.constant('GONE'), fc.constant('TWICE'), fc.constantFrom(...ODD)),
    }),
  ),
)

function damaged(damages: readonly { file: string; at: number; key: string; value: string }[]) {
  const site = structuredClone(SITE) as Record<string, Record<string, string | number>[]> // a copy of our own
  for (const { file, at, key, value } of damages) {
    const row = site[file]?.[at] ?? {}
    if (value === 'GONE') delete row[key]
    else if (value === 'TWICE') site[file]?.push({ ...row })
    else row[key] = value
  }
  return site
}

test('whatever stands in its rows, an export is taken, and brings nothing the second time', async () => {
  const property = fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 12 }), async (damages) => {
    const house = await openQuestions(open)
    const dir = await exported(damaged(damages))
    const first = await imported(house, dir)
    expect(first.notes.length).toBeGreaterThanOrEqual(first.sum.differing)
    const texts = { members: 0, questions: 0, answers: 0, comments: 0 }
    const again = (await imported(house, dir)).sum
    expect(again).toMatchObject({ ...texts, votes: 0, accepted: 0, duplicates: 0 })
    expect(again.differing).toBe(first.sum.differing)
  })
  await fc.assert(property, { numRuns: RUNS })
})
