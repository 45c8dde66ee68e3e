import type { Tx } from '../../platform/db.ts'

/** One entry of a member's timeline: which thing it is, and when it happened. */
export interface TimelineRow {
  readonly kind: 'Purchase' | 'StageChange' | 'PointsTransaction' | 'Touchpoint' | 'MemberNote'
  /** A uuid; of the transaction for points. */
  readonly id: string
  /** When it happened, as PostgreSQL's JSON writes it, with microseconds. */
  readonly at: string
}

/** A part of a timeline. `from` is excluded; without it the part begins at the very end. */
export interface TimelinePart {
  readonly limit: number
  /** Oldest first, as the last entries are read; else newest first. */
  readonly isBackward: boolean
  readonly from: { readonly at: string; readonly id: string } | null
}

/** The same part of the timelines of several members, with or without notes, one statement for all of them. */
export async function readTimelines(
  tx: Tx,
  members: readonly string[],
  { limit, isBackward, from }: TimelinePart,
  withNotes: boolean,
): Promise<ReadonlyMap<string, readonly TimelineRow[]>> {
  const rows = await tx.query<TimelineRow & { member_id: string }>({
    name: 'timeline',
    text: isBackward ? BACKWARD : FORWARD,
    // As JSON: knowing how many there are, PostgreSQL would plan it anew each time.
    values: [JSON.stringify(members), limit, from?.at ?? null, from?.id ?? null, withNotes],
  })
  const timelines = new Map<string, TimelineRow[]>(members.map((member) => [member, []]))
  for (const { member_id, ...row } of rows) timelines.get(member_id)?.push(row)
  return timelines
}

const FORWARD = timelines('<', 'desc')
const BACKWARD = timelines('>', 'asc')

function timelines(beyond: '<' | '>', direction: 'asc' | 'desc'): string {
  const part = (kind: TimelineRow['kind'], id: string, at: string, source: string) => `
    (select '${kind}' as kind, ${id} as id, ${at} as at from ${source}
     and ($3::timestamptz is null or (${at}, ${id}) ${beyond} ($3, $4::uuid))
     order by at ${direction}, id ${direction} limit $2)`
  return `
    select m.id as member_id, e.kind, e.id, to_json(e.at) #>> '{}' as at
    from (select value::uuid as id from json_array_elements_text($1)) m, lateral (
      select * from (
        ${part('Purchase', 'p.id', 'p.purchased_at', 'purchase p where own(p) and p.member_id = m.id')}
        union all
        ${part('StageChange', 'c.id', 'c.at', 'stage_change c where own(c) and c.member_id = m.id')}
        union all
        ${part('PointsTransaction', 'o.transaction_id', 'o.at', 'wallet w join op o on o.tenant_id = w.tenant_id and o.wallet_id = w.id where own(w) and w.member_id = m.id')}
        union all
        ${part('Touchpoint', 't.id', 't.planned_at', 'touchpoint t where own(t) and t.member_id = m.id')}
        union all
        ${part('MemberNote', 'n.id', 'n.at', 'member_note n where $5 and own(n) and n.member_id = m.id and n.body is not null')}
      ) x order by at ${direction}, id ${direction} limit $2
    ) e`
}
