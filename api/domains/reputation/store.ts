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

/** A badge that a member earned. */
export interface EarnedBadge {
  readonly key: string
  /** Texts by language. */
  readonly name: unknown
  readonly description: unknown
  readonly times: number
  readonly firstAt: Date
  readonly lastAt: Date
}

/** The badges of each of these members (uuids), in their order: badges_of, one statement. */
export async function badgesOf(tx: Tx, members: readonly string[]): Promise<EarnedBadge[][]> {
  const rows = await tx.query<EarnedBadge & { member_id: string }>({
    name: 'badges_of',
    text: `select member_id, key, name, description, times, first_at as "firstAt", last_at as "lastAt" from badges_of($1)`,
    values: [members],
  })
  return members.map((id) => rows.filter((row) => row.member_id === id))
}

/** How many people each of these members (uuids) helped, in their order: helped_counts, one statement. */
export async function helpedBy(tx: Tx, members: readonly string[]): Promise<number[]> {
  const rows = await tx.query<{ member_id: string; helped: number }>({
    name: 'helped_counts',
    text: 'select member_id, helped from helped_counts($1)',
    values: [members],
  })
  const found = new Map(rows.map((row) => [row.member_id, row.helped]))
  return members.map((id) => found.get(id) ?? 0)
}
