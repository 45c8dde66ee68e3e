import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'
import { type Publication, publish } from '../program/index.ts'
import type { LadderBody } from './ladder.ts'
import type { LadderMove, Move } from './store.ts'

/** A move by hand: to a tier of a ladder until an instant or for good; without a tier it ends such a move. */
export interface Moving {
  readonly member: MemberBy
  readonly ladder: string
  readonly tier: string | null
  readonly until: Date | null
  readonly reason: string
}

/** Who was moved on which ladder, and the decision (a uuid), null when there was nothing to end. */
export interface Moved {
  readonly member: string
  readonly ladder: string
  readonly decision: string | null
}

/** Moves a member by hand. Throws NotFoundError, MembershipEndedError, IdempotencyKeyReusedError, BadInputError. */
export async function moveTier(
  tx: Tx,
  { member, ladder, tier, until, reason }: Moving,
  { key, hash, actor }: Operation,
): Promise<Moved> {
  return raise(
    await call<Outcome<Moved>>(tx, 'select tier_move($1, $2, $3, $4, $5, $6, $7, $8, $9) as outcome', [
      ...[key, hash],
      ...namesOf(member),
      ...[ladder, tier, until, reason, actor],
    ]),
  )
}

/** Puts a ladder in force, or a new version of it; its members are asked anew within moments, in batches. */
export function defineLadder(
  tx: Tx,
  { key, ladder }: { readonly key: string; readonly ladder: LadderBody },
  actor: string,
): Promise<Publication> {
  return publish(tx, [{ kind: 'tierLadder', key, body: ladder }], { actor })
}

/** Whom a ladder would move if it came into force now; nothing changes. */
export function previewLadder(
  tx: Tx,
  { key, ladder }: { readonly key: string; readonly ladder: LadderBody },
): Promise<Move[]> {
  return call<Move[]>(tx, 'select tier_preview($1, $2::jsonb) as outcome', [key, JSON.stringify(ladder)])
}

/** The same of several ladders, their bodies as their part reads them, in the order given. */
export function previewLadders(
  tx: Tx,
  ladders: readonly { readonly key: string; readonly body: object }[],
): Promise<LadderMove[]> {
  return tx.query<LadderMove>({
    text: `select l.key as ladder, m."from", m."to", m.members
      from rows from (jsonb_to_recordset($1::jsonb) as (key text, body jsonb)) with ordinality l (key, body, n),
        rows from (jsonb_to_recordset(tier_preview(l.key, l.body)) as ("from" text, "to" text, members int))
          with ordinality m ("from", "to", members, n)
      order by l.n, m.n`,
    values: [JSON.stringify(ladders)],
  })
}

/**
 * Books what is due for at most `limit` members: those to be asked anew because a ladder changed, those whose points
 * changed, and those whose tier's validity ended. How many it looked at; 0: nothing is left to do.
 */
export function settleTiers(tx: Tx, limit: number): Promise<number> {
  return call<number>(tx, 'select tiers_settle_due($1) as outcome', [limit])
}
