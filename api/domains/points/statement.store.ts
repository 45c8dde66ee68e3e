import type { Tx } from '../../platform/db.ts'

/** A points transaction as its link of the wallet's chain was hashed. */
export interface Proof {
  /** The transaction and its kind, as they stand in the text. */
  readonly transaction: string
  readonly kind: string
  readonly version: string
  /** Microseconds since 1970. */
  readonly micros: string
  readonly lines: readonly ProofLine[]
  readonly debts: readonly ProofDebt[]
  /** SHA-256 in hexadecimal. */
  readonly hash: string
}

/** A posting of a transaction. */
export interface ProofLine {
  readonly seq: number
  readonly lot: string
  readonly from: string
  readonly to: string
  readonly points: string
}

/** A change of what a wallet owes. */
export interface ProofDebt {
  readonly seq: number
  readonly kind: string
  readonly points: string
}

/** What proves these transactions (uuids); one statement for all of them. */
export async function proofsOf(tx: Tx, transactions: readonly string[]): Promise<ReadonlyMap<string, Proof>> {
  const rows = await tx.query<Proof>({
    name: 'points_proofs',
    text: `select o.transaction_id::text as transaction, o.kind, o.wallet_version::text as version,
             (extract(epoch from o.at) * 1000000)::bigint::text as micros, encode(o.chain_hash, 'hex') as hash,
             coalesce((select jsonb_agg(jsonb_build_object('seq', p.seq, 'lot', p.lot_id, 'from', p.from_bucket,
                                                           'to', p.to_bucket, 'points', p.amount::text) order by p.seq)
                       from posting p where own(p) and p.transaction_id = o.transaction_id), '[]') as lines,
             coalesce((select jsonb_agg(jsonb_build_object('seq', d.seq, 'kind', d.kind, 'points', d.amount::text)
                                        order by d.seq)
                       from debt_posting d where own(d) and d.transaction_id = o.transaction_id), '[]') as debts
           from op o where own(o) and o.transaction_id = any($1) and o.wallet_id is not null`,
    values: [transactions],
  })
  return new Map(rows.map((row) => [row.transaction, row]))
}
