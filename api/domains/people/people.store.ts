import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** A member as another may see it. */
export interface Person {
  /** A uuid. */
  readonly id: string
  readonly displayName: string
  /** What it shows of itself, by the name of the field. */
  readonly fields: Readonly<Record<string, string>>
  readonly interests: readonly string[]
  /** Those that the viewer cares about as well. */
  readonly shared: readonly string[]
}

/** people_seen of 0040_people.sql: those of these members whom the viewer may see, by id. */
export async function readPeople(
  tx: Tx,
  viewer: string,
  members: readonly string[],
): Promise<ReadonlyMap<string, Person>> {
  const rows = await tx.query<Person>({
    name: 'people_seen',
    text: 'select id, display_name as "displayName", fields, interests, shared from people_seen($1, $2)',
    values: [viewer, members],
  })
  return new Map(rows.map((row) => [row.id, row]))
}

/** Where a member stands in the directory. */
export interface DirectoryPlace {
  readonly name: string
  readonly id: string
}

/** A part of the directory. `from` is excluded; without it the part begins at the very end. */
export interface DirectoryPart {
  readonly from: DirectoryPlace | null
  readonly isBackward: boolean
  readonly limit: number
}

/** directory_page of 0060_people_pages.sql. */
export function readDirectory(
  tx: Tx,
  viewer: string,
  { search, interest }: { search: string | null; interest: string | null },
  { from, isBackward, limit }: DirectoryPart,
): Promise<DirectoryPlace[]> {
  return tx.query<DirectoryPlace>({
    name: 'directory_page',
    text: 'select id, name from directory_page($1, $2, $3, $4, $5, $6, $7)',
    values: [viewer, search, interest, from?.name ?? null, from?.id ?? null, isBackward, limit],
  })
}

/** profile_save of 0040_people.sql. */
export function saveCall<Answer>(tx: Tx, by: MemberBy, profile: object) {
  return call<Answer>(tx, 'select profile_save($1, $2, $3) as outcome', [
    ...namesOf(by),
    JSON.stringify(profile),
  ])
}

/** introductions_suggested of 0040_people.sql: ids of members, the closest first. */
export async function readSuggested(tx: Tx, viewer: string, most: number): Promise<string[]> {
  const rows = await tx.query<{ id: string }>({
    name: 'introductions_suggested',
    text: 'select id from introductions_suggested($1, $2) id',
    values: [viewer, most],
  })
  return rows.map(({ id }) => id)
}
