import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import type { Writer, Written } from '../contributions/index.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

interface Done {
  /** A uuid. */
  readonly post: string
}

/** Opens a case about a post (uuid). Throws NotFoundError, AccessDeniedError. */
export async function openComplaint(
  tx: Tx,
  { post, reason }: { readonly post: string; readonly reason: string | null },
  { member, actor }: Writer,
): Promise<Done> {
  const values = [post, member, reason, actor]
  return raise(await call<Outcome<Done>>(tx, 'select complaint_open($1, $2, $3, $4) as outcome', values))
}

/**
 * Settles the case that is open about a post (uuid), by a comment. Throws NotFoundError, SpaceNotEnabledError,
 * AccessDeniedError, IdempotencyKeyReusedError.
 */
export async function resolveComplaint(
  tx: Tx,
  { post, what }: { readonly post: string; readonly what: Written },
  { member, actor }: Writer,
  { key, hash }: Operation,
): Promise<Done> {
  return raise(
    await call<Outcome<Done>>(tx, 'select complaint_resolve($1, $2, $3, $4, $5, $6) as outcome', [
      key,
      hash,
      post,
      member,
      actor,
      JSON.stringify(what),
    ]),
  )
}

/** Notes that a member stumbled over a feature. Throws NotFoundError, MembershipEndedError, IdempotencyKeyReusedError. */
export async function reportStumble(
  tx: Tx,
  stumble: { readonly member: MemberBy; readonly feature: string; readonly note: string | null },
  { key, hash, actor }: Operation,
) {
  return raise(
    await call<Outcome<{ readonly feature: string }>>(
      tx,
      'select stumble_report($1, $2, $3, $4, $5, $6, $7) as outcome',
      [key, hash, ...namesOf(stumble.member), stumble.feature, stumble.note, actor],
    ),
  )
}
