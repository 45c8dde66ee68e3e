import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call } from '../../platform/operation.ts'
import type { Writer } from '../contributions/index.ts'
import { type MemberBy, namesOf } from '../members/index.ts'
import type { CareFacts } from './care.store.ts'
import type { OfQuestion } from './service.ts'

/** Calls staff to questions that nobody answered in time, at most so many; how many they were. */
export function settleQuestions(tx: Tx, most: number): Promise<number> {
  return call<number>(tx, 'select questions_settle_due($1) as outcome', [most])
}

/** Says how questions of a space (a uuid; null: of all that have no own setting) are looked after. Throws NotFoundError. */
export async function setCare(
  tx: Tx,
  space: string | null,
  care: CareFacts,
): Promise<{ space: string | null }> {
  raise(
    await call<Outcome>(tx, 'select question_setting_put($1, $2) as outcome', [space, JSON.stringify(care)]),
  )
  return { space }
}

/**
 * Makes a member the expert of a consultation (a uuid); null: nobody any more. Throws NotFoundError, AccessDeniedError,
 * SpaceNotEnabledError, BadInputError.
 */
export async function assignExpert(
  tx: Tx,
  { question, expert }: { readonly question: string; readonly expert: MemberBy | null },
  { member, actor }: Writer,
): Promise<OfQuestion> {
  const values = [question, member, ...(expert ? namesOf(expert) : [null, null]), actor]
  return raise(
    await call<Outcome<OfQuestion>>(tx, 'select question_assign($1, $2, $3, $4, $5) as outcome', values),
  )
}
