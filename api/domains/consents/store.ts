import type { Tx } from '../../platform/db.ts'
import type { Outcome } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'
import type { NewAddress, NewConsent, NewPurpose, PreferenceChanges, Target, Withdrawal } from './service.ts'

// The functions of 0007_consents.sql.

/** consent_give. */
export function giveCall(tx: Tx, by: MemberBy, given: NewConsent & { kind: string }, op: Operation) {
  return call<Outcome<{ consent: string; member: string }>>(
    tx,
    'select consent_give($1, $2, $3, $4, $5, $6) as outcome',
    [
      op.key,
      op.hash,
      ...namesOf(by),
      JSON.stringify({
        purpose: given.purpose,
        channel: given.channel,
        kind: given.kind,
        text_version: given.textVersion,
        source: given.source,
        at: given.at ?? undefined,
        proof: given.proof ?? undefined,
      }),
      op.actor,
    ],
  )
}

/** consent_withdraw. */
export function withdrawCall(tx: Tx, by: MemberBy, taken: Withdrawal & { kind: string }, op: Operation) {
  return call<Outcome<{ consent: string; member: string }>>(
    tx,
    'select consent_withdraw($1, $2, $3, $4, $5, $6) as outcome',
    [
      op.key,
      op.hash,
      ...namesOf(by),
      JSON.stringify({
        purpose: taken.purpose,
        channel: taken.channel,
        kind: taken.kind,
        source: taken.source,
        at: taken.at ?? undefined,
        proof: taken.proof ?? undefined,
      }),
      op.actor,
    ],
  )
}

/** What a confirmation was about. */
export interface Confirmed {
  readonly is: 'done'
  readonly member: string
  readonly consent: string | null
  readonly address: string | null
}

/** confirmation_answer. */
export function answerCall(
  tx: Tx,
  confirmation: string,
  { member, actor }: { member: string | null; actor: string },
) {
  return call<Outcome<Confirmed>>(tx, 'select confirmation_answer($1, $2, $3) as outcome', [
    confirmation,
    member,
    actor,
  ])
}

/** address_add. */
export function addAddressCall(tx: Tx, by: MemberBy, { kind, value, identity, source }: NewAddress) {
  return call<Outcome<{ address: string; member: string; is_new: boolean }>>(
    tx,
    'select address_add($1, $2, $3, $4, $5, $6) as outcome',
    [...namesOf(by), kind, JSON.stringify(value), identity, source],
  )
}

/** address_remove. */
export function removeAddressCall(tx: Tx, address: string, member: string | null) {
  return call<Outcome<{ address: string; member: string }>>(tx, 'select address_remove($1, $2) as outcome', [
    address,
    member,
  ])
}

/** address_verification_ask. */
export function askVerificationCall(
  tx: Tx,
  { address, member, channel }: { address: string; member: string | null; channel: string },
  op: Operation,
) {
  return call<Outcome<{ address: string; member: string }>>(
    tx,
    'select address_verification_ask($1, $2, $3, $4, $5, $6) as outcome',
    [op.key, op.hash, address, member, channel, op.actor],
  )
}

/** The kind of an address that is there; undefined when it is none, or somebody else's than `member`. */
export async function readAddressKind(
  tx: Tx,
  address: string,
  member: string | null,
): Promise<string | undefined> {
  const [row] = await tx.query<{ kind: string }>({
    name: 'address_kind',
    text: `select a.kind from address a
      where own(a) and a.id = $1 and a.member_id = coalesce($2, a.member_id) and a.removed_at is null`,
    values: [address, member],
  })
  return row?.kind
}

/** purpose_save. */
export function savePurposeCall(tx: Tx, purpose: NewPurpose) {
  return call<Outcome<{ purpose: string }>>(tx, 'select purpose_save($1) as outcome', [
    JSON.stringify({
      key: purpose.key,
      name: purpose.name,
      class: purpose.class,
      consent: purpose.consent,
      wish: purpose.wish,
      requires_verified_address: purpose.requiresVerifiedAddress,
    }),
  ])
}

/** preference_save. What is undefined stays, null is forgotten. */
export function savePreferenceCall(tx: Tx, by: MemberBy, changes: PreferenceChanges) {
  const { channels, quietHours, preferredTime } = changes
  return call<Outcome<{ member: string }>>(tx, 'select preference_save($1, $2, $3) as outcome', [
    ...namesOf(by),
    JSON.stringify({
      channels: channels === null ? [] : channels,
      quiet_from: quietHours === null ? null : quietHours?.from,
      quiet_to: quietHours === null ? null : quietHours?.to,
      preferred_time: preferredTime,
    }),
  ])
}

/** Whose wish a pause is. */
export type PausedBy = 'MEMBER' | 'STAFF'

/** touches_pause. */
export function pauseCall(
  tx: Tx,
  by: MemberBy,
  pause: { pausedBy: PausedBy; endsAt: Date | null; reason: string | null; actor: string },
) {
  return call<Outcome<{ member: string }>>(tx, 'select touches_pause($1, $2, $3, $4, $5, $6) as outcome', [
    ...namesOf(by),
    pause.pausedBy,
    pause.endsAt,
    pause.reason,
    pause.actor,
  ])
}

/** touches_resume; every pause when `pausedBy` is null. */
export function resumeCall(tx: Tx, by: MemberBy, pausedBy: PausedBy | null) {
  return call<Outcome<{ member: string }>>(tx, 'select touches_resume($1, $2, $3) as outcome', [
    ...namesOf(by),
    pausedBy,
  ])
}

/** suppression_add. */
export function suppressCall(
  tx: Tx,
  target: Target,
  { endsAt, detail }: { endsAt: Date | null; detail: object },
) {
  return call<Outcome<{ suppression: string }>>(tx, 'select suppression_add($1, $2, $3) as outcome', [
    JSON.stringify(target),
    endsAt,
    JSON.stringify(detail),
  ])
}

/** suppression_lift. */
export function liftCall(tx: Tx, suppression: string, { reason, actor }: { reason: string; actor: string }) {
  return call<Outcome<{ suppression: string }>>(tx, 'select suppression_lift($1, $2, $3) as outcome', [
    suppression,
    reason,
    actor,
  ])
}
