import type { Tx } from '../../platform/db.ts'
import { BadInputError, type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'
import { key as keySchema, publish } from '../program/index.ts'
import type { Benefit } from './benefit.ts'
import { type EntitlementBody, MOST_USES } from './parts.ts'

/** A benefit and whose it is, both uuids. */
export interface Given {
  readonly benefit: string
  readonly member: string
}

/** A use of an entitlement; `remaining` is what was left right after it, null without limit. */
export interface Used {
  readonly use: string
  readonly member: string
  readonly remaining: string | null
}

/** Checks a key that names a definition. Throws BadInputError. */
export function checkKey(given: string, field: string): string {
  const read = keySchema.safeParse(given)
  if (read.success) return read.data
  throw new BadInputError(field, `${field} ${read.error.issues[0]?.message}.`)
}

/** Puts an entitlement in force, or a new version of it; an equal one changes nothing. */
export async function defineEntitlement(
  tx: Tx,
  { key, entitlement }: { readonly key: string; readonly entitlement: EntitlementBody },
  actor: string,
): Promise<void> {
  await publish(tx, [{ kind: 'entitlement', key, body: entitlement }], { actor })
}

/**
 * Uses an entitlement, so many `times` at once or not at all, from the allowances that end soonest. Throws
 * NotFoundError, MembershipEndedError, NotEntitledError, QuotaExceededError, IdempotencyKeyReusedError, BadInputError.
 */
export async function useEntitlement(
  tx: Tx,
  asked: { readonly member: MemberBy; readonly key: string; readonly times: number },
  { key, hash, actor }: Operation,
): Promise<Used> {
  if (asked.times < 1 || asked.times > MOST_USES) {
    throw new BadInputError('input.times', `input.times must be from 1 to ${MOST_USES}.`)
  }
  return raise(
    await call<Outcome<Used>>(tx, 'select entitlement_take($1, $2, $3, $4, $5, $6, $7) as outcome', [
      key,
      hash,
      ...namesOf(asked.member),
      asked.key,
      asked.times,
      actor,
    ]),
  )
}

/** Gives a use (a uuid) back, once. Throws NotFoundError, BenefitSettledError, IdempotencyKeyReusedError. */
export async function returnEntitlement(
  tx: Tx,
  { use, reason }: { readonly use: string; readonly reason: string },
  { key, hash, actor }: Operation,
) {
  return raise(
    await call<Outcome<{ use: string; member: string }>>(
      tx,
      'select entitlement_give_back($1, $2, $3, $4, $5) as outcome',
      [key, hash, use, reason, actor],
    ),
  )
}

/**
 * Gives a benefit by hand; no points. Throws NotFoundError, MembershipEndedError, IdempotencyKeyReusedError,
 * BadInputError.
 */
export async function giveBenefit(
  tx: Tx,
  given: { readonly member: MemberBy; readonly benefit: Benefit; readonly reason: string },
  { key, hash, actor }: Operation,
): Promise<Given> {
  return raise(
    await call<Outcome<Given>>(
      tx,
      'select benefit_give_by_hand($1, $2, $3, $4, $5::jsonb, $6, $7) as outcome',
      [key, hash, ...namesOf(given.member), JSON.stringify(given.benefit), given.reason, actor],
    ),
  )
}

/** Takes back what was given by hand (a uuid). Throws NotFoundError, BenefitSettledError, IdempotencyKeyReusedError. */
export async function takeBackBenefit(
  tx: Tx,
  { benefit, reason }: { readonly benefit: string; readonly reason: string },
  { key, hash, actor }: Operation,
): Promise<Given> {
  return raise(
    await call<Outcome<Given>>(tx, 'select benefit_take_back_by_hand($1, $2, $3, $4, $5) as outcome', [
      key,
      hash,
      benefit,
      reason,
      actor,
    ]),
  )
}

/** What the shop took off an order for a benefit. */
export interface Discounted {
  /** A uuid. */
  readonly benefit: string
  readonly orderId: string | null
  /** Minor units. */
  readonly amount: bigint
  readonly currency: string
}

/**
 * Writes down that a discount was taken off an order, once. Throws NotFoundError, MembershipEndedError,
 * BenefitSettledError, IdempotencyKeyReusedError, BadInputError.
 */
export async function useBenefit(
  tx: Tx,
  { benefit, orderId, amount, currency }: Discounted,
  { key, hash, actor }: Operation,
): Promise<Given> {
  return raise(
    await call<Outcome<Given>>(tx, 'select benefit_use($1, $2, $3, $4, $5, $6, $7) as outcome', [
      key,
      hash,
      benefit,
      orderId,
      amount,
      currency,
      actor,
    ]),
  )
}
