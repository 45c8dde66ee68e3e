import type { Tx } from '../../platform/db.ts'
import { BadInputError, type Outcome, raise } from '../../platform/errors/index.ts'
import type { Operation } from '../../platform/operation.ts'
import { endMembershipCall, registerCall, updateCall } from './store.ts'

/** A member named by id (uuid), or by the tenant's own id for the person. */
export type MemberBy = { readonly id: string } | { readonly externalId: string }

/** What the tenant tells of a new member. Nulls take the tenant's locale and time zone. */
export interface NewMember {
  readonly externalId: string
  readonly displayName: string
  readonly email?: string | null | undefined
  readonly locale?: string | null | undefined
  readonly timeZone?: string | null | undefined
  readonly attributes?: unknown
}

/** What changes of a member; what is undefined stays, a null e-mail or attribute is removed. */
export type MemberChanges = Partial<Omit<NewMember, 'externalId'>>

/** How a membership ends. */
export type MembershipEnd = 'LEFT' | 'REMOVED' | 'EXPIRED'

/** Registers a person once per external id; a known one comes back unchanged. Throws MembershipEndedError. */
export async function registerMember(
  tx: Tx,
  member: NewMember,
  operation: Partial<Operation> & { actor: string },
) {
  checkExternalId(member.externalId)
  checkProfile(member, 'input')
  return raise(await registerCall<Outcome<{ member: string; is_new: boolean }>>(tx, member, operation))
}

/** Changes a member's profile. Throws NotFoundError, MembershipEndedError. */
export async function updateMember(tx: Tx, by: MemberBy, changes: MemberChanges) {
  checkProfile(changes, 'input')
  return raise(await updateCall<Outcome<{ member: string }>>(tx, by, changes))
}

/** Ends a membership. Throws NotFoundError, MembershipEndedError, IdempotencyKeyReusedError. */
export async function endMembership(
  tx: Tx,
  by: MemberBy,
  { end, reason, operation }: { end: MembershipEnd; reason: string | null; operation: Operation },
) {
  return raise(await endMembershipCall<Outcome<{ member: string }>>(tx, by, { end, reason, operation }))
}

const MAX_ATTRIBUTES_BYTES = 16_384

function checkExternalId(externalId: string): void {
  if (externalId.trim() === '' || externalId.length > 200) {
    throw new BadInputError('input.externalId', 'An external id has 1 to 200 characters.')
  }
}

function checkProfile({ displayName, email, locale, attributes }: MemberChanges, at: string): void {
  if (displayName !== undefined && (displayName.trim() === '' || displayName.length > 200)) {
    throw new BadInputError(`${at}.displayName`, 'A display name has 1 to 200 characters.')
  }
  if (email != null && (email.length > 254 || !/^[^\s@]+@[^\s@]+$/.test(email))) {
    throw new BadInputError(
      `${at}.email`,
      'An e-mail address looks like name@example.com and has at most 254 characters.',
    )
  }
  if (locale != null && !isLocale(locale)) {
    throw new BadInputError(`${at}.locale`, 'A locale is a BCP 47 tag such as ja or en-GB.')
  }
  if (attributes == null) return
  if (typeof attributes !== 'object' || Array.isArray(attributes)) {
    throw new BadInputError(`${at}.attributes`, 'Attributes are a JSON object of names and values.')
  }
  if (JSON.stringify(attributes).length > MAX_ATTRIBUTES_BYTES) {
    throw new BadInputError(
      `${at}.attributes`,
      `Attributes hold at most ${MAX_ATTRIBUTES_BYTES} bytes of JSON.`,
    )
  }
}

function isLocale(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1
  } catch {
    return false
  }
}
