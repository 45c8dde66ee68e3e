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

/** Those of these members (uuids) whose membership opens anything now. */
export async function readEntitled(tx: Tx, members: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ id: string }>({
    name: 'member_entitled',
    text: 'select id from member_entitled($1) id',
    values: [members],
  })
  return new Set(rows.map(({ id }) => id))
}

/** membership_pause of 0040_people.sql. */
export function pauseCall<Answer>(
  tx: Tx,
  by: MemberBy,
  {
    until,
    reason,
    isOwn,
    actor,
  }: { until: Date | null; reason: string | null; isOwn: boolean; actor: string },
) {
  const text = 'select membership_pause($1, $2, $3, $4, $5, $6) as outcome'
  return call<Answer>(tx, text, [...namesOf(by), until, reason, isOwn, actor])
}

/** membership_resume of 0040_people.sql. */
export function resumeCall<Answer>(
  tx: Tx,
  by: MemberBy,
  { isOwn, actor }: { isOwn: boolean; actor: string },
) {
  return call<Answer>(tx, 'select membership_resume($1, $2, $3, $4) as outcome', [
    ...namesOf(by),
    isOwn,
    actor,
  ])
}

/** membership_paid of 0040_people.sql. */
export function paidCall<Answer>(tx: Tx, by: MemberBy, through: Date | null, actor: string) {
  return call<Answer>(tx, 'select membership_paid($1, $2, $3, $4) as outcome', [
    ...namesOf(by),
    through,
    actor,
  ])
}

/** membership_renewal of 0040_people.sql. */
export function renewalCall<Answer>(tx: Tx, by: MemberBy, isStopped: boolean, actor: string) {
  return call<Answer>(tx, 'select membership_renewal($1, $2, $3, $4) as outcome', [
    ...namesOf(by),
    isStopped,
    actor,
  ])
}

/** membership_leave of 0040_people.sql. */
export function leaveCall<Answer>(tx: Tx, by: MemberBy, reason: string | null, actor: string) {
  return call<Answer>(tx, 'select membership_leave($1, $2, $3, $4) as outcome', [
    ...namesOf(by),
    reason,
    actor,
  ])
}

/** membership_return of 0040_people.sql. */
export function returnCall<Answer>(tx: Tx, by: MemberBy, reason: string | null, actor: string) {
  return call<Answer>(tx, 'select membership_return($1, $2, $3, $4) as outcome', [
    ...namesOf(by),
    reason,
    actor,
  ])
}

/** memberships_settle_due of 0040_people.sql. */
export async function settleMemberships(tx: Tx, most: number): Promise<number> {
  const [row] = await tx.query<{ settled: number }>({
    name: 'memberships_settle_due',
    text: 'select memberships_settle_due($1) as settled',
    values: [most],
  })
  return row?.settled ?? 0
}
