import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'

/** member_block_set of 0034_contributions.sql. */
export function blockCall<Answer>(
  tx: Tx,
  member: string,
  { other, isMute, isOn }: { other: string; isMute: boolean; isOn: boolean },
) {
  return call<Answer>(tx, 'select member_block_set($1, $2, $3, $4) as outcome', [member, other, isMute, isOn])
}
