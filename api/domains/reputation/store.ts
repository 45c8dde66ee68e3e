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

/** What ties a member to another. */
export interface Tie {
  /** A uuid. */
  readonly otherId: string
  readonly displayName: string
  readonly strength: number
  readonly accepted: number
  readonly thanks: number
  readonly replies: number
  readonly reactions: number
  readonly isIntroduced: boolean
  readonly lastAt: Date
}

/** The ties of each of these members (uuids), in their order, at most `most` each: ties_of, one statement. */
export async function tiesOf(tx: Tx, members: readonly string[], most: number): Promise<Tie[][]> {
  const rows = await tx.query<Tie & { member_id: string }>({
    name: 'ties_of',
    text: `select m as member_id, t.other_id as "otherId", t.display_name as "displayName", t.strength, t.accepted, t.thanks,
             t.replies, t.reactions, t.is_introduced as "isIntroduced", t.last_at as "lastAt"
           from unnest($1::uuid[]) m, ties_of(m, $2) t`,
    values: [members, most],
  })
  return members.map((id) => rows.filter((row) => row.member_id === id))
}

/** Somebody on a leaderboard. */
export interface Leader {
  /** A uuid. */
  readonly id: string
  readonly displayName: string
  readonly gained: number
  readonly rank: number
}

/** Who gained most, as a member (a uuid; null: staff) may know: leaderboard, one statement. */
export async function leaders(
  tx: Tx,
  viewer: string | null,
  { space, from, until, most }: { space: string | null; from: Date; until: Date; most: number },
): Promise<Leader[]> {
  const rows = await tx.query<Leader>({
    name: 'leaderboard',
    text: `select member_id as id, display_name as "displayName", gained::int, rank from leaderboard($1, $2, $3, $4, $5)`,
    values: [viewer, space, from, until, most],
  })
  return rows
}
