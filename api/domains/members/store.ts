import type { Tx } from '../../platform/db.ts'
import { call, type Operation } from '../../platform/operation.ts'
import type { MemberBy, MemberChanges, MembershipEnd, NewMember } from './service.ts'

/** The two parameters, p_member and p_external_id, by which every business function knows a member. */
export function namesOf(by: MemberBy): [id: string | null, externalId: string | null] {
  return 'id' in by ? [by.id, null] : [null, by.externalId]
}

/** member_register of 0002_members.sql. */
export function registerCall<Answer>(
  tx: Tx,
  member: NewMember,
  operation: Partial<Operation> & { actor: string },
) {
  return call<Answer>(tx, 'select member_register($1, $2, $3, $4, $5, $6, $7, $8, $9) as outcome', [
    operation.key ?? null,
    operation.hash ?? null,
    member.externalId,
    member.displayName,
    member.email ?? null,
    member.locale ?? null,
    member.timeZone ?? null,
    member.attributes == null ? null : JSON.stringify(member.attributes),
    operation.actor,
  ])
}

/** member_update of 0002_members.sql. */
export function updateCall<Answer>(tx: Tx, by: MemberBy, changes: MemberChanges) {
  return call<Answer>(tx, 'select member_update($1, $2, $3) as outcome', [
    ...namesOf(by),
    JSON.stringify({
      display_name: changes.displayName,
      email: changes.email,
      locale: changes.locale ?? undefined,
      time_zone: changes.timeZone ?? undefined,
      attributes: changes.attributes ?? undefined,
    }),
  ])
}

/** membership_end of 0002_members.sql. */
export function endMembershipCall<Answer>(
  tx: Tx,
  by: MemberBy,
  { end, reason, operation }: { end: MembershipEnd; reason: string | null; operation: Operation },
) {
  return call<Answer>(tx, 'select membership_end($1, $2, $3, $4, $5, $6, $7) as outcome', [
    operation.key,
    operation.hash,
    ...namesOf(by),
    end,
    reason,
    operation.actor,
  ])
}
