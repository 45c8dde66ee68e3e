import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'

/** One reported fact, as signals_take of 0010_signals.sql reads it. */
export interface NewSignal {
  readonly kind: string
  readonly dedupe_key: string
  readonly occurred_at: string
  readonly key: string | undefined
  readonly provider_id: string | undefined
  readonly identity: string | undefined
  readonly permanence: string | undefined
  readonly status: string | undefined
  readonly machine: string | undefined
  readonly reply_intent: string | undefined
  readonly reply_text: string | undefined
  readonly reply_token?: string
  readonly reply_seconds?: number
  readonly raw: unknown
}

/** signals_take of 0010_signals.sql. Returns how many were new. */
export async function takeCall(
  tx: Tx,
  channel: { readonly id: string; readonly kind: string },
  signals: readonly NewSignal[],
): Promise<number> {
  const { taken } = await call<{ readonly taken: number }>(tx, 'select signals_take($1, $2, $3) as outcome', [
    channel.id,
    channel.kind,
    JSON.stringify(signals),
  ])
  return taken
}
