import type { Tx } from './db.ts'

/** One request of a caller that must count once: its idempotency key, the hash of its input, and who asks. */
export interface Operation {
  readonly key: string
  /** SHA-256 of the mutation's name and its coerced input. */
  readonly hash: Uint8Array
  /** Who asks, as in `staff:anna`. */
  readonly actor: string
}

/** Calls a business function of the database, one statement, and gives the outcome that it answers. */
export async function call<Answer>(tx: Tx, text: string, values: readonly unknown[]): Promise<Answer> {
  const [row] = await tx.query<{ outcome: Answer }>({ text, values, name: 'call' })
  if (!row) throw new TypeError('a database function answered no row')
  return row.outcome
}
