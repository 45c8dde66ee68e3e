import type { Tx } from '../../platform/db.ts'

const UNREAD = `
  select i.id, (
    select count(*)::int from contribution c
    where own(c) and c.root_id = i.id and c.kind = 'COMMENT' and c.state = 'PUBLISHED' and c.author_id is distinct from $2
      and c.published_at > coalesce((select r.read_at from read_mark r
                                     where own(r) and r.member_id = $2 and r.root_id = i.id), '-infinity')) as count
  from (select value::uuid as id from json_array_elements_text($1)) i`

/** How many comments of others came into these threads (uuids) since a member (uuid) read them. */
export async function unreadIn(tx: Tx, threads: readonly string[], member: string): Promise<number[]> {
  return counted(
    threads,
    await tx.query({ name: 'unread', text: UNREAD, values: [JSON.stringify(threads), member] }),
  )
}

const UNREAD_THREADS = `
  select i.id, (
    select count(*)::int from (
      select from contribution c
      where own(c) and c.space_id = i.id and c.parent_id is null and c.state = 'PUBLISHED'
        and c.activity_at > coalesce((select r.read_at from read_mark r
                                      where own(r) and r.member_id = $2 and r.root_id = c.id), i.since, '-infinity')
      limit 1000) x) as count
  from (
    select value::uuid as id, (select sm.since from space_member sm
      where own(sm) and sm.space_id = value::uuid and sm.member_id = $2 and sm.state = 'JOINED') as since
    from json_array_elements_text($1)) i`

/**
 * In how many threads of these spaces (uuids) something happened since a member (uuid) read them, or else came into the
 * space; at most 1,000.
 */
export async function unreadThreadsIn(tx: Tx, spaces: readonly string[], member: string): Promise<number[]> {
  const rows = await tx.query<Count>({
    name: 'unread_threads',
    text: UNREAD_THREADS,
    values: [JSON.stringify(spaces), member],
  })
  return counted(spaces, rows)
}

const VOTES_LEFT = `
  select i.id, greatest(0, idea_budget(i.id) - coalesce((
    select sum(v.votes) from idea_vote v
    join idea on idea.tenant_id = v.tenant_id and idea.contribution_id = v.contribution_id
      and idea.status in ('OPEN', 'PLANNED')
    join contribution c on c.tenant_id = v.tenant_id and c.id = v.contribution_id and c.state = 'PUBLISHED'
    where own(v) and v.member_id = $2 and c.space_id = i.id), 0))::int as count
  from (select value::uuid as id from json_array_elements_text($1)) i`

/** How many votes a member (uuid) has left for the ideas of these spaces (uuids). */
export async function votesLeftIn(tx: Tx, spaces: readonly string[], member: string): Promise<number[]> {
  const rows = await tx.query<Count>({
    name: 'votes_left',
    text: VOTES_LEFT,
    values: [JSON.stringify(spaces), member],
  })
  return counted(spaces, rows)
}

interface Count {
  readonly id: string
  readonly count: number
}

function counted(ids: readonly string[], rows: readonly Count[]): number[] {
  const found = new Map(rows.map(({ id, count }) => [id, count]))
  return ids.map((id) => found.get(id) ?? 0)
}
