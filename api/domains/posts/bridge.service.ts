import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call } from '../../platform/operation.ts'
import type { Written } from '../contributions/index.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** Something that was written in a network elsewhere: JSON for thread_import of 0055_bridge.sql. */
export interface OutsideText extends Written {
  /** Its key there. */
  readonly key: string
  /** The key of what it comments on; null: what the thread began with. */
  readonly parent: string | null
  readonly authorKey: string
  readonly authorName: string
  readonly at: Date
}

interface Done {
  /** A uuid. */
  readonly post: string
}

/** Takes in a thread from a network. Throws NotFoundError, SpaceNotEnabledError, BadInputError. */
export async function importThread(
  tx: Tx,
  thread: { readonly network: string; readonly space: string; readonly posts: readonly OutsideText[] },
  actor: string,
) {
  const values = [thread.network, thread.space, JSON.stringify(thread.posts), actor]
  return raise(
    await call<Outcome<Done & { readonly imported: number }>>(
      tx,
      'select thread_import($1, $2, $3, $4) as outcome',
      values,
    ),
  )
}

/** Who a member is in a network. */
export interface Identity {
  readonly member: MemberBy
  readonly network: string
  readonly externalKey: string
}

/** Says who a member is in a network. Throws NotFoundError, MembershipEndedError, BadInputError. */
export async function linkIdentity(tx: Tx, { member, network, externalKey }: Identity) {
  return raise(
    await call<Outcome<{ readonly member: string }>>(tx, 'select identity_link($1, $2, $3, $4) as outcome', [
      ...namesOf(member),
      network,
      externalKey,
    ]),
  )
}

/** Takes that back. Throws NotFoundError. */
export async function unlinkIdentity(tx: Tx, { member, network, externalKey }: Identity) {
  return raise(
    await call<Outcome<{ readonly member: string }>>(
      tx,
      'select identity_unlink($1, $2, $3, $4) as outcome',
      [...namesOf(member), network, externalKey],
    ),
  )
}

/** Notes where a post (uuid) stands in a network. Throws NotFoundError. */
export async function noteCrossPost(tx: Tx, post: string, network: string, url: string): Promise<Done> {
  return raise(
    await call<Outcome<Done>>(tx, 'select cross_post_note($1, $2, $3) as outcome', [post, network, url]),
  )
}
