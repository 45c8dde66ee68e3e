import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** Who came by a thread. */
export interface Arrivals {
  /** The code of the member that asks; null: it has none, or staff ask. */
  readonly code: string | null
  readonly claimed: number
  readonly joined: number
  readonly stayed: number
}

/** thread_invite_of of 0052_invites.sql. */
export function inviteCall<Answer>(tx: Tx, by: MemberBy, contribution: string) {
  return call<Answer>(tx, 'select thread_invite_of($1, $2, $3) as outcome', [contribution, ...namesOf(by)])
}

/** thread_arrivals of 0052_invites.sql; member null: by the codes of all. */
export async function readArrivals(
  tx: Tx,
  contribution: string,
  member: string | null,
): Promise<Arrivals | null> {
  const [row] = await tx.query<Arrivals>({
    name: 'thread_arrivals',
    text: 'select code, claimed, joined, stayed from thread_arrivals($1, $2)',
    values: [contribution, member],
  })
  return row ?? null
}
