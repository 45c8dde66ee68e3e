import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'

/** What an erasure does with the rows of one section. */
export interface ErasedSection {
  readonly section: string
  readonly entries: number
  readonly fate: 'KEPT' | 'EMPTIED' | 'DELETED'
}

/** member_erase_preview of 0040_people.sql. */
export function readErasure(tx: Tx, member: string): Promise<ErasedSection[]> {
  return tx.query<ErasedSection>({
    name: 'member_erase_preview',
    text: `select section, sum(entries)::int as entries, fate from member_erase_preview($1)
           group by section, fate order by section, fate`,
    values: [member],
  })
}

/** member_erase of 0040_people.sql. */
export function eraseCall<Answer>(
  tx: Tx,
  member: string,
  { folded, textsToo, actor }: { folded: string; textsToo: boolean; actor: string },
) {
  return call<Answer>(tx, 'select member_erase($1, null, $2, $3, $4) as outcome', [
    member,
    folded,
    textsToo,
    actor,
  ])
}
