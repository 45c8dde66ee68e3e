import type { Tx } from '../../platform/db.ts'

/** The reputation of each of these members (uuids), in their order: reputations, one statement. */
export async function reputationsOf(tx: Tx, members: readonly string[]): Promise<number[]> {
  const rows = await tx.query<{ member_id: string; reputation: string }>({
    name: 'reputations',
    text: 'select member_id, reputation from reputations($1)',
    values: [members],
  })
  const found = new Map(rows.map((row) => [row.member_id, Number(row.reputation)]))
  return members.map((id) => found.get(id) ?? 0)
}
