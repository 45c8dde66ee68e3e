import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import type { MemberBy } from './service.ts'
import { namesOf } from './store.ts'

/** A note, and whom it is about; uuids. */
export interface NoteOf {
  readonly note: string
  readonly member: string
}

/** Writes a note about a member, once. Throws NotFoundError, MembershipEndedError when it was erased, IdempotencyKeyReusedError. */
export async function addNote(
  tx: Tx,
  by: MemberBy,
  body: string,
  { key, hash, actor }: Operation,
): Promise<NoteOf> {
  const values = [key, hash, ...namesOf(by), body, actor]
  return raise(await call<Outcome<NoteOf>>(tx, 'select note_add($1, $2, $3, $4, $5, $6) as outcome', values))
}

/** Lets a note (a uuid) say something else, or takes it away (null); what it said is kept. Throws NotFoundError. */
export async function changeNote(tx: Tx, note: string, body: string | null, actor: string): Promise<NoteOf> {
  return raise(
    await call<Outcome<NoteOf>>(tx, 'select note_change($1, $2, $3) as outcome', [note, body, actor]),
  )
}
