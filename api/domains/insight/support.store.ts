import type { Tx } from '../../platform/db.ts'

/** A level of support in force. */
export interface SupportLevelFacts {
  readonly key: string
  /** Texts by language. */
  readonly name: unknown
  readonly rank: number
  /** ISO 8601. */
  readonly answeredWithin: string
}

const COLUMNS = 's.key, s.name, s.rank, s.answered_within as "answeredWithin"'

/** The levels in force, the highest first; at most 100. */
export function readSupportLevels(tx: Tx): Promise<SupportLevelFacts[]> {
  return tx.query({
    name: 'support_levels',
    text: `select ${COLUMNS} from definition d
           join support_level s on own(s) and (s.kind, s.key, s.version) = (d.kind, d.key, d.version)
           where own(d) and d.kind = 'supportLevel' and d.is_live order by s.rank desc, s.key limit 100`,
    values: [],
  })
}

/** The level that each of these members (uuids) is entitled to now; null: none. */
export async function readSupportLevelsOf(
  tx: Tx,
  members: readonly string[],
): Promise<(SupportLevelFacts | null)[]> {
  const rows = await tx.query<SupportLevelFacts & { readonly member: string }>({
    name: 'support_levels_of',
    text: `select l.member_id as member, ${COLUMNS}
           from support_levels_of(array(select m::uuid from json_array_elements_text($1) m)) l
           join definition d on own(d) and d.kind = 'supportLevel' and d.key = l.key and d.is_live
           join support_level s on own(s) and (s.kind, s.key, s.version) = (d.kind, d.key, d.version)`,
    values: [JSON.stringify(members)],
  })
  const found = new Map(rows.map((row) => [row.member, row]))
  return members.map((id) => found.get(id) ?? null)
}
