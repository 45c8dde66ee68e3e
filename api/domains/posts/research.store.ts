import type { Tx } from '../../platform/db.ts'

/** How many members are invited to each of these (uuids) now. */
export async function inviteesOf(tx: Tx, research: readonly string[]): Promise<number[]> {
  const rows = await tx.query<{ id: string; count: number }>({
    name: 'invitees',
    text: `
      with everybody as materialized (
        select array_agg(m.id) as ids from member m where own(m) and m.membership = 'ACTIVE'
      )
      select r.id, (select count(*)::int from audience_matches(r.audience_id, e.ids)) as count
      from research r, everybody e
      where own(r) and r.id in (select value::uuid from json_array_elements_text($1))`,
    values: [JSON.stringify(research)],
  })
  const found = new Map(rows.map(({ id, count }) => [id, count]))
  return research.map((id) => found.get(id) ?? 0)
}
