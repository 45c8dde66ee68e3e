import type { Tx } from '../../platform/db.ts'

/** How much each of these entries (uuids) is wanted: faq_demands, one statement. */
export async function demandsOf(tx: Tx, entries: readonly string[]): Promise<number[]> {
  const rows = await tx.query<{ id: string; demand: number }>({
    name: 'faq_demands',
    text: 'select d.id, d.demand::float8 as demand from faq_demands($1) d',
    values: [entries],
  })
  const found = new Map(rows.map(({ id, demand }) => [id, demand]))
  return entries.map((id) => found.get(id) ?? 0)
}

/** Who has the credit for an entry. */
export interface Credit {
  readonly author: { readonly id: string; readonly displayName: string } | null
  readonly isByStaff: boolean
}

/** Who has the credit for each of these entries (uuids); null: nobody. faq_credits, one statement. */
export async function creditsOf(tx: Tx, entries: readonly string[]): Promise<(Credit | null)[]> {
  const rows = await tx.query<{ id: string; member: string | null; name: string; is_by_staff: boolean }>({
    name: 'faq_credits',
    text: 'select c.id, c.member, c.name, c.is_by_staff from faq_credits($1) c',
    values: [entries],
  })
  const found = new Map(
    rows.map(({ id, member, name, is_by_staff: isByStaff }) => [
      id,
      { author: member === null ? null : { id: member, displayName: name }, isByStaff },
    ]),
  )
  return entries.map((id) => found.get(id) ?? null)
}

/** The other published entries (uuids) about the same as each of these (uuids): faq_conflicts, one statement. */
export async function conflictsOf(tx: Tx, entries: readonly string[]): Promise<string[][]> {
  const rows = await tx.query<{ id: string; other: string }>({
    name: 'faq_conflicts',
    text: 'select c.id, c.other from faq_conflicts($1) c order by c.id, c.other',
    values: [entries],
  })
  return entries.map((id) => rows.filter((row) => row.id === id).map(({ other }) => other))
}
