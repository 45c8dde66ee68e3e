import type { Tx } from '../../platform/db.ts'

/** One row of what is known of a member. */
export interface Told {
  /** The name of the table. */
  readonly section: string
  /** The row's key within it. */
  readonly key: readonly string[]
  readonly data: Readonly<Record<string, unknown>>
}

/** Where an export goes on: behind a row of a section. */
export interface ExportPlace {
  readonly section: string
  readonly key: readonly string[]
}

/** member_export of 0040_people.sql. */
export function readExport(
  tx: Tx,
  member: string,
  { after, most, isOwn }: { after: ExportPlace | null; most: number; isOwn: boolean },
): Promise<Told[]> {
  return tx.query<Told>({
    name: 'member_export',
    text: 'select section, key, data from member_export($1, $2, $3, $4, $5)',
    values: [member, after?.section ?? null, after && JSON.stringify(after.key), most, isOwn],
  })
}

/** A member as it is known. */
export interface FoundMember {
  /** A uuid. */
  readonly id: string
  readonly externalId: string
  readonly displayName: string
}

/** Whom a name means; null when there is none. */
export async function findMember(
  tx: Tx,
  [id, externalId]: readonly [id: string | null, externalId: string | null],
): Promise<FoundMember | null> {
  const [row] = await tx.query<FoundMember>({
    name: 'find_member',
    text: `select m.id, m.external_id as "externalId", m.display_name as "displayName" from member m
           where own(m) and (m.id = $1::uuid or m.external_id = $2::text)`,
    values: [id, externalId],
  })
  return row ?? null
}
