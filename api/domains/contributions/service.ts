import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import type { Written } from './written.ts'

/** Who writes: a member (a uuid), or staff (null). */
export interface Writer {
  readonly member: string | null
  /** As in staff:anna. */
  readonly actor: string
}

/** How a contribution stands. */
export type State = 'DRAFT' | 'PENDING' | 'PUBLISHED' | 'SPAM' | 'REMOVED' | 'DELETED'

/** A contribution after it was written or changed. */
export interface Kept {
  /** Its id, a uuid. */
  readonly contribution: string
  readonly state: State
  /** Why it waits, when it does. */
  readonly reason?: string | null
}

/** Comments on a contribution (uuid). Throws NotFoundError, SpaceNotEnabledError, AccessDeniedError, IdempotencyKeyReusedError. */
export async function addComment(
  tx: Tx,
  { to, what }: { readonly to: string; readonly what: Written },
  { member, actor }: Writer,
  { key, hash }: Operation,
): Promise<Kept> {
  const given = JSON.stringify({ ...what, parent: to })
  return raise(
    await call<Outcome<Kept>>(tx, 'select comment_write($1, $2, $3, $4, $5) as outcome', [
      key,
      hash,
      member,
      actor,
      given,
    ]),
  )
}

/** Changes what a contribution (uuid) says, and publishes a draft when told. Throws NotFoundError, AccessDeniedError. */
export async function editContribution(
  tx: Tx,
  { id, what, publish }: { readonly id: string; readonly what: Written; readonly publish: boolean },
  { member, actor }: Writer,
): Promise<Kept> {
  const given = JSON.stringify({ ...what, publish })
  return raise(
    await call<Outcome<Kept>>(tx, 'select contribution_edit($1, $2, $3, $4) as outcome', [
      id,
      member,
      actor,
      given,
    ]),
  )
}

/** Brings a contribution (uuid) into another state. Throws NotFoundError, AccessDeniedError. */
export async function setState(tx: Tx, id: string, state: State, { member, actor }: Writer): Promise<Kept> {
  return raise(
    await call<Outcome<Kept>>(tx, 'select contribution_set_state($1, $2, $3, $4) as outcome', [
      id,
      member,
      state,
      actor,
    ]),
  )
}

/** Sets or takes back a member's (uuid) reaction. Throws NotFoundError, SpaceNotEnabledError, AccessDeniedError. */
export async function react(
  tx: Tx,
  { id, member, kind, isOn }: { id: string; member: string; kind: string; isOn: boolean },
): Promise<void> {
  raise(
    await call<Outcome>(tx, 'select contribution_react($1, $2, $3, $4) as outcome', [id, member, kind, isOn]),
  )
}

/** What can be followed. */
export type FollowKind = 'MEMBER' | 'SPACE' | 'TAG' | 'THREAD'

/** Follows, or no longer follows; `target` is a uuid, or the tag. Throws NotFoundError. */
export async function follow(
  tx: Tx,
  { member, kind, target, isOn }: { member: string; kind: FollowKind; target: string; isOn: boolean },
): Promise<void> {
  raise(await call<Outcome>(tx, 'select follow_set($1, $2, $3, $4) as outcome', [member, kind, target, isOn]))
}

/**
 * Blocks or mutes whoever wrote something (a uuid), or ends that. Throws NotFoundError, also when it cannot be seen or
 * no member wrote it.
 */
export async function block(
  tx: Tx,
  { member, of, isMute, isOn }: { member: string; of: string; isMute: boolean; isOn: boolean },
): Promise<void> {
  raise(
    await call<Outcome>(tx, 'select author_block_set($1, $2, $3, $4) as outcome', [member, of, isMute, isOn]),
  )
}

/** A member (uuid) has read a thread (uuid) up to an instant, or now. Throws NotFoundError. */
export async function markRead(tx: Tx, member: string, thread: string, at: Date | null): Promise<void> {
  raise(await call<Outcome>(tx, 'select read_mark_set($1, $2, $3) as outcome', [member, thread, at]))
}
