import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'

/** What is awaited under the address of an upload. */
export interface Awaited {
  /** Where the storage keeps it. */
  readonly key: string
  readonly mediaType: string
  readonly size: number
}

/** A file as it is handed out. */
export interface Handed extends Awaited {
  readonly name: string
}

/** asset_awaited of 0038_content.sql; null: nothing any more. */
export function readAwaited(tx: Tx, asset: string, until: Date): Promise<Awaited | null> {
  return call(tx, 'select asset_awaited($1, $2) as outcome', [asset, until])
}

/** asset_stored of 0038_content.sql: the bytes are there. */
export function noteStored(tx: Tx, asset: string): Promise<boolean> {
  return call(tx, 'select asset_stored($1) as outcome', [asset])
}

/** asset_loose of 0038_content.sql: a file that this member (a uuid; null: staff) may attach. */
export function readLoose(
  tx: Tx,
  asset: string,
  member: string | null,
): Promise<(Awaited & { readonly state: 'PENDING' | 'STORED' }) | null> {
  return call(tx, 'select asset_loose($1, $2) as outcome', [asset, member])
}

/** asset_for of 0038_content.sql: a file that this member (null: staff) may have now, until then; null: it may not. */
export function readFor(
  tx: Tx,
  asset: string,
  { member, until }: { readonly member: string | null; readonly until: Date },
): Promise<Handed | null> {
  return call(tx, 'select asset_for($1, $2, $3) as outcome', [asset, member, until])
}

/** assets_due of 0038_content.sql: files whose bytes are to be deleted. */
export function readDueAssets(tx: Tx, most: number): Promise<{ id: string; key: string }[]> {
  return tx.query({ name: 'assets_due', text: 'select id, key from assets_due($1)', values: [most] })
}

/** assets_forget of 0038_content.sql. */
export async function forgetAssets(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.query({ name: 'assets_forget', text: 'select assets_forget($1)', values: [ids] })
}
