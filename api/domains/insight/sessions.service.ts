import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call } from '../../platform/operation.ts'

/** One look of a member at a page or screen. */
export interface Look {
  readonly key: string
  readonly at: Date
  readonly session: string
  readonly kind: 'PAGE' | 'SCREEN'
  readonly resource: string
  /** What was shown (a uuid). */
  readonly contribution: string | null
  readonly level: number
  readonly seconds: number
}

/** Records what a member (a uuid) looked at, in one statement. Throws NotFoundError, BadInputError. */
export async function recordSession(tx: Tx, member: string, looks: readonly Look[]) {
  return raise(
    await call<Outcome<{ readonly recorded: number }>>(tx, 'select session_record($1, $2) as outcome', [
      member,
      JSON.stringify(looks),
    ]),
  )
}

/** Adds views to the contributions that they are of, at most so many rows; how many those were. */
export function settleViews(tx: Tx, limit: number): Promise<number> {
  return call<number>(tx, 'select views_settle_due($1) as outcome', [limit])
}
