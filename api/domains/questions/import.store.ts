import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'

/** Where an import puts what it finds. */
export interface ImportPlace {
  /** What the site is called among sources. */
  readonly source: string
  /** The space, a uuid. */
  readonly space: string
  readonly actor: string
}

/** What a batch brought: what was new, and what was there before. */
export interface Taken {
  readonly new: number
  readonly known: number
}

/** question_import_members of 0037_questions.sql; how many are new. */
export function takeMembers(tx: Tx, { source }: ImportPlace, rows: readonly object[]): Promise<number> {
  const text = 'select question_import_members($1, $2) as outcome'
  return call(tx, text, [source, JSON.stringify(rows)])
}

/** Which of these keys of the site are there already. */
export async function knownTexts(
  tx: Tx,
  { source }: ImportPlace,
  what: 'post' | 'comment',
  keys: readonly string[],
): Promise<string[]> {
  const prefix = `${source}:${what}:`
  const text = 'select source_key from contribution where own(contribution) and source_key = any ($1)'
  const rows = await tx.query<{ source_key: string }>({
    name: 'known_texts',
    text,
    values: [keys.map((key) => prefix + key)],
  })
  return rows.map((row) => row.source_key.slice(prefix.length))
}

/** question_import_texts; `orphans` stand under nothing that is there. */
export function takeTexts(
  tx: Tx,
  { source, space, actor }: ImportPlace,
  kind: 'QUESTION' | 'ANSWER' | 'COMMENT',
  rows: readonly object[],
): Promise<Taken & { readonly orphans: readonly string[] }> {
  const text = 'select question_import_texts($1, $2, $3, $4, $5) as outcome'
  return call(tx, text, [source, kind, space, JSON.stringify(rows), actor])
}

/** question_import_votes; `missing` are the posts of votes on what is not there. */
export function takeVotes(
  tx: Tx,
  { source }: ImportPlace,
  rows: readonly object[],
): Promise<Taken & { readonly missing: readonly string[] }> {
  return call(tx, 'select question_import_votes($1, $2) as outcome', [source, JSON.stringify(rows)])
}

/** question_import_accepted; `missing` are no answers to those questions. */
export function takeAccepted(
  tx: Tx,
  { source, actor }: ImportPlace,
  rows: readonly object[],
): Promise<Taken & { readonly missing: number }> {
  const text = 'select question_import_accepted($1, $2, $3) as outcome'
  return call(tx, text, [source, JSON.stringify(rows), actor])
}

/** question_import_duplicates; `missing` are about questions that are not there. */
export function takeDuplicates(
  tx: Tx,
  { source, actor }: ImportPlace,
  rows: readonly object[],
): Promise<Taken & { readonly missing: number }> {
  const text = 'select question_import_duplicates($1, $2, $3) as outcome'
  return call(tx, text, [source, JSON.stringify(rows), actor])
}

/** question_import_unlisted of 0056_import.sql; the posts that the site counts votes for, or against, that it does not list. */
export function takeUnlisted(
  tx: Tx,
  { source }: ImportPlace,
  rows: readonly object[],
): Promise<readonly { readonly post: string; readonly votes: number }[]> {
  return call(tx, 'select question_import_unlisted($1, $2) as outcome', [source, JSON.stringify(rows)])
}

/** question_import_differences. */
export function compareCounts(
  tx: Tx,
  { source }: ImportPlace,
  rows: readonly object[],
): Promise<{ readonly checked: number; readonly differences: readonly string[] }> {
  return call(tx, 'select question_import_differences($1, $2) as outcome', [source, JSON.stringify(rows)])
}

/** Tells the planner how large the tables have become. */
export async function tellPlanner(tx: Tx): Promise<void> {
  await tx.query({ text: 'select question_import_statistics()', values: [] })
}

/** The spaces for questions, by key. */
export function questionSpaces(tx: Tx): Promise<readonly { readonly id: string; readonly key: string }[]> {
  const text = "select id, key from space where kind = 'QA' and not is_retired order by key"
  return tx.query({ name: 'question_spaces', text, values: [] })
}
