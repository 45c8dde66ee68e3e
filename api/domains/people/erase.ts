import type { Tx } from '../../platform/db.ts'
import { NotFoundError, type Outcome, raise } from '../../platform/errors/index.ts'
import { normalised } from '../../platform/text/index.ts'
import { type MemberBy, namesOf } from '../members/index.ts'
import { type ErasedSection, eraseCall, readErasure } from './erase.store.ts'
import { findMember } from './export.store.ts'

/** What an erasure would do, section by section; null when there is no such member. */
export async function erasureOf(tx: Tx, by: MemberBy): Promise<ErasedSection[] | null> {
  const member = await findMember(tx, namesOf(by))
  return member && readErasure(tx, member.id)
}

/** Takes everything away that tells who a member is; once more changes nothing. Throws NotFoundError. */
export async function eraseMember(
  tx: Tx,
  by: MemberBy,
  { textsToo, actor }: { textsToo: boolean; actor: string },
): Promise<{ readonly member: string; readonly erasedAt: Date }> {
  const member = await findMember(tx, namesOf(by))
  if (!member) throw new NotFoundError('member')
  const how = { folded: normalised(member.externalId), textsToo, actor }
  const done = raise(await eraseCall<Outcome<{ member: string; erased_at: string }>>(tx, member.id, how))
  return { member: done.member, erasedAt: new Date(done.erased_at) }
}
