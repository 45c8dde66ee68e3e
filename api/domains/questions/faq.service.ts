import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import type { Written } from '../contributions/index.ts'

/** An entry of the FAQ (a uuid) after something happened to it. */
export interface OfEntry {
  readonly entry: string
}

/** Tells of entries that are to be looked at again, at most so many; how many they were. */
export function settleFaq(tx: Tx, most: number): Promise<number> {
  return call<number>(tx, 'select faq_settle_due($1) as outcome', [most])
}

/** Begins an entry in a space (a uuid), perhaps from a question (a uuid). Throws NotFoundError, SpaceNotEnabledError, IdempotencyKeyReusedError. */
export async function draftFaq(
  tx: Tx,
  given: { readonly what: Written; readonly space: string; readonly source: string | null },
  { key, hash, actor }: Operation,
): Promise<OfEntry> {
  const what = JSON.stringify({ ...given.what, space: given.space, source: given.source })
  return raise(
    await call<Outcome<OfEntry>>(tx, 'select faq_draft($1, $2, $3, $4) as outcome', [key, hash, actor, what]),
  )
}

/** Publishes an entry (a uuid) that is being edited. Throws NotFoundError, AccessDeniedError, SpaceNotEnabledError. */
export async function publishFaq(
  tx: Tx,
  given: { readonly entry: string; readonly isWiderOk: boolean; readonly reviewAt: Date | null },
  actor: string,
): Promise<OfEntry> {
  const values = [given.entry, given.isWiderOk, given.reviewAt, actor]
  return raise(await call<Outcome<OfEntry>>(tx, 'select faq_publish($1, $2, $3, $4) as outcome', values))
}

/** Says that a published entry (a uuid) holds, and when to look again. Throws NotFoundError. */
export async function reviewFaq(
  tx: Tx,
  entry: string,
  reviewAt: Date | null,
  actor: string,
): Promise<OfEntry> {
  const values = [entry, reviewAt, actor]
  return raise(await call<Outcome<OfEntry>>(tx, 'select faq_review($1, $2, $3) as outcome', values))
}

/** Takes an entry (a uuid) out of the FAQ. Throws NotFoundError. */
export async function retireFaq(tx: Tx, entry: string, actor: string): Promise<OfEntry> {
  return raise(await call<Outcome<OfEntry>>(tx, 'select faq_retire($1, $2) as outcome', [entry, actor]))
}

/**
 * Notes what a member (a uuid) opened of questions and entries (uuids) while it wrote a question, and what it asked in
 * the end. Throws NotFoundError.
 */
export async function noteDeflection(
  tx: Tx,
  member: string,
  given: {
    readonly session: string
    readonly space: string | null
    readonly opened: readonly string[]
    readonly question: string | null
  },
): Promise<void> {
  const values = [member, given.session, given.space, given.opened, given.question]
  raise(await call<Outcome>(tx, 'select deflection_note($1, $2, $3, $4, $5) as outcome', values))
}
