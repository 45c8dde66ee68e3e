import type { Tx } from '../../platform/db.ts'

/** How a contribution stands to the member who looks at it. */
export interface Regard {
  readonly reactions: readonly string[]
  readonly isFollowed: boolean
  readonly isUnread: boolean
  readonly moderates: boolean
}

const REGARDS = `
  select c.id,
    coalesce((select array_agg(r.kind order by r.kind) from reaction r
              where own(r) and r.contribution_id = c.id and r.member_id = $2), '{}') as reactions,
    exists (select from follow f where own(f) and f.member_id = $2 and f.kind = 'THREAD'
            and f.target = c.root_id::text) as "isFollowed",
    c.activity_at > coalesce((select r.read_at from read_mark r
                              where own(r) and r.member_id = $2 and r.root_id = c.root_id), '-infinity') as "isUnread",
    c.space_id = any (viewer_moderated()) as moderates
  from contribution c
  where own(c) and c.id in (select i::uuid from json_array_elements_text($1) i)`

/** How these contributions (uuids) stand to a member (uuid): one statement, in the order of the ids. */
export async function regardsOf(tx: Tx, ids: readonly string[], member: string): Promise<Regard[]> {
  const rows = await tx.query<Regard & { id: string }>({
    name: 'regards',
    text: REGARDS,
    values: [JSON.stringify(ids), member],
  })
  const found = new Map(rows.map((row) => [row.id, row]))
  return ids.map((id) => found.get(id) ?? NONE)
}

const NONE: Regard = { reactions: [], isFollowed: false, isUnread: false, moderates: false }
