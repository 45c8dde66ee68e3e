import type { Tx } from '../../platform/db.ts'
import { FOLDING_VERSION, likenessOf, searchQuery, searchText } from '../../platform/text/index.ts'
import { plainText } from '../contributions/index.ts'
import { type Found, find, findLike, outdated, putTexts, recount, type Within } from './store.ts'

/** What somebody looks for, and where. */
export interface Wanted extends Within {
  readonly text: string
  readonly sku: string | null
  readonly tag: string | null
}

/** What is published and in sight of the viewer, at most 500, the best first. Nothing for a text without letters. */
export async function findContributions(tx: Tx, { text, ...within }: Wanted): Promise<Found[]> {
  return find(tx, searchQuery(text), within)
}

/** What is published, in sight of the viewer and like a text; at most `most`, the likest first. */
export async function findSimilar(
  tx: Tx,
  text: { readonly title: string; readonly body: string | null },
  within: Within & { readonly most: number },
): Promise<Found[]> {
  return findLike(tx, likenessOf(text), within)
}

/** Texts that are made ready in one transaction, and those that are counted: one statement of about a second. */
const BATCH = 200
const SAMPLE = 5_000

/** Makes all texts of a tenant ready that an older product made ready; how many. */
export async function reindex(tx: Tx): Promise<number> {
  let count = 0
  for (let done = BATCH; done === BATCH; count += done) done = await tx.transaction(reindexBatch)
  return count
}

async function reindexBatch(tx: Tx): Promise<number> {
  const texts = await outdated(tx, FOLDING_VERSION, BATCH)
  if (texts.length > 0) {
    await putTexts(
      tx,
      texts.map(({ id, title, html }) => ({ id, search: searchText({ title, body: plainText(html) }) })),
    )
  }
  return texts.length
}

/** Counts what texts of a tenant have in common, once a day or when told; how many there are, or null. */
export function countTexts(tx: Tx, isForced = false): Promise<number | null> {
  return recount(tx, { sample: SAMPLE, isForced })
}
