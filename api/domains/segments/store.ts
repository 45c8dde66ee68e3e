import type { Tx } from '../../platform/db.ts'

/** A segment in force, as the API tells it. */
export interface SegmentFacts {
  readonly key: string
  readonly version: number
  /** Texts by language. */
  readonly name: Readonly<Record<string, string>>
  /** The audience rule as JSON. */
  readonly rule: unknown
  readonly lookedAt: Date | null
  /** How many members the last look found. */
  readonly members: number
}

const SEGMENTS = `
  select s.key, s.version, s.name, a.rule -> 'rule' as rule, l.looked_at as "lookedAt",
         (select count(*)::int from segment_stay t
          where t.tenant_id = s.tenant_id and t.segment = s.key and t.left_at is null) as members
  from definition d
  join segment s on own(s) and (s.kind, s.key, s.version) = (d.kind, d.key, d.version)
  join audience a on own(a) and a.id = s.audience_id
  join segment_look l on own(l) and l.key = s.key
  where own(d) and d.kind = 'segment' and d.is_live`

/** The segments in force, by their keys; at most 100. */
export function readSegments(tx: Tx): Promise<SegmentFacts[]> {
  return tx.query({ name: 'segments', text: `${SEGMENTS} order by s.key limit 100`, values: [] })
}

/** The segments that the last looks found each of these members (uuids) in, by their keys. */
export async function readSegmentsOf(tx: Tx, members: readonly string[]): Promise<SegmentFacts[][]> {
  const rows = await tx.query<SegmentFacts & { member: string }>({
    name: 'segments_of',
    text: `select t.member_id as member, x.* from segment_stay t
           join (${SEGMENTS}) x on x.key = t.segment
           where own(t) and t.left_at is null
             and t.member_id in (select m::uuid from json_array_elements_text($1) m)
           order by x.key`,
    values: [JSON.stringify(members)],
  })
  return members.map((id) => rows.filter(({ member }) => member === id))
}
