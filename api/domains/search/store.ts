import type { Tx } from '../../platform/db.ts'
import type { Likeness, SearchQuery, SearchText } from '../../platform/text/index.ts'

/** Something that was found; `id` is a uuid. */
export interface Found {
  readonly id: string
  readonly score: number
}

/** Where to look; ids are uuids, and null is everywhere. */
export interface Within {
  readonly kinds: readonly string[] | null
  readonly space: string | null
}

/** search_find of 0039_search.sql: at most 500, the best first. */
export function find(
  tx: Tx,
  query: SearchQuery,
  { kinds, space, sku, tag }: Within & { readonly sku: string | null; readonly tag: string | null },
): Promise<Found[]> {
  return tx.query<Found>({
    name: 'search_find',
    text: 'select id, score from search_find($1, $2, $3, $4, $5)',
    values: [JSON.stringify(query), kinds, space, sku, tag],
  })
}

/** search_like of 0061_likeness.sql: at most so many, the likest first. */
export function findLike(
  tx: Tx,
  likeness: Likeness,
  { kinds, space, most }: Within & { readonly most: number },
): Promise<Found[]> {
  return tx.query<Found>({
    name: 'search_like',
    text: 'select id, score from search_like($1, $2, $3, $4)',
    values: [JSON.stringify(likeness), kinds, space, most],
  })
}

/** search_outdated of 0039_search.sql; what is answered stays as it is until the transaction ends. */
export function outdated(
  tx: Tx,
  version: number,
  most: number,
): Promise<{ readonly id: string; readonly title: string | null; readonly html: string }[]> {
  return tx.query({
    name: 'search_outdated',
    text: 'select id, title, html from search_outdated($1, $2)',
    values: [version, most],
  })
}

/** search_reput of 0039_search.sql. */
export async function putTexts(
  tx: Tx,
  texts: readonly { readonly id: string; readonly search: SearchText }[],
): Promise<void> {
  await tx.query({ text: 'select search_reput($1)', values: [JSON.stringify(texts)] })
}

/** search_recount of 0039_search.sql: how many texts there are; null when they were counted within a day. */
export async function recount(
  tx: Tx,
  { sample, isForced }: { readonly sample: number; readonly isForced: boolean },
): Promise<number | null> {
  const [row] = await tx.query<{ documents: number | null }>({
    text: 'select search_recount($1, $2) as documents',
    values: [sample, isForced],
  })
  return row?.documents ?? null
}
