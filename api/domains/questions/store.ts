import type { Tx } from '../../platform/db.ts'

const TIES = `
  select q.contribution_id as id,
    exists (select from me_too t where own(t) and t.contribution_id = q.contribution_id and t.member_id = $2) as tied
  from question q where own(q) and q.contribution_id in (select i::uuid from json_array_elements_text($1) i)`

/** Whether a member (uuid) has the trouble of each of these questions (uuids): one statement. */
export async function meToosOf(tx: Tx, ids: readonly string[], member: string): Promise<boolean[]> {
  const rows = await tx.query<{ id: string; tied: boolean }>({
    name: 'me_toos',
    text: TIES,
    values: [JSON.stringify(ids), member],
  })
  const found = new Map(rows.map((row) => [row.id, row.tied]))
  return ids.map((id) => found.get(id) ?? false)
}

const THANKS = `
  select t.contribution_id as id, count(*)::int as n from answer_thanks t
  where own(t) and t.contribution_id in (select i::uuid from json_array_elements_text($1) i) group by 1`

/** How many thanked for each of these answers (uuids): one statement. */
export async function thanksOf(tx: Tx, ids: readonly string[]): Promise<number[]> {
  const rows = await tx.query<{ id: string; n: number }>({
    name: 'answer_thanks',
    text: THANKS,
    values: [JSON.stringify(ids)],
  })
  const found = new Map(rows.map((row) => [row.id, row.n]))
  return ids.map((id) => found.get(id) ?? 0)
}

/** How many people each of these members (uuids) helped: helped_counts, one statement. */
export async function helpedBy(tx: Tx, members: readonly string[]): Promise<number[]> {
  const rows = await tx.query<{ member_id: string; helped: number }>({
    name: 'helped_counts',
    text: 'select member_id, helped from helped_counts($1)',
    values: [members],
  })
  const found = new Map(rows.map((row) => [row.member_id, row.helped]))
  return members.map((id) => found.get(id) ?? 0)
}

/** Members (uuids) who may know the answer to a question (uuid), likeliest first: suggested_answerers. */
export async function suggestedAnswerers(tx: Tx, question: string, limit: number): Promise<string[]> {
  const rows = await tx.query<{ id: string }>({
    name: 'suggested_answerers',
    text: 'select s as id from suggested_answerers($1, $2) s',
    values: [question, limit],
  })
  return rows.map(({ id }) => id)
}
