import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import type { State, Writer, Written } from '../contributions/index.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** A question or an answer (uuids) after something happened to it. */
export interface OfQuestion {
  readonly question: string
}
/** The same for an answer. */
export interface OfAnswer {
  readonly answer: string
}

/** Why a question was closed. */
export type ClosedReason = 'DUPLICATE' | 'UNCLEAR' | 'OFF_TOPIC' | 'SOLVED' | 'OTHER'

/** What is asked, where (a uuid) and how. */
export interface NewQuestion {
  readonly what: Written
  readonly space: string
  readonly kind: 'QUESTION' | 'CONSULTATION'
  readonly isPrivate: boolean
}

/**
 * Asks a question. Under the same title by the same member within five minutes it is the same question. Throws NotFoundError,
 * SpaceNotEnabledError, AccessDeniedError, IdempotencyKeyReusedError, BadInputError.
 */
export async function askQuestion(
  tx: Tx,
  { what, space, kind, isPrivate }: NewQuestion,
  { member, actor }: Writer,
  { key, hash }: Operation,
): Promise<OfQuestion & { readonly state: State; readonly is_new: boolean }> {
  const given = JSON.stringify({ ...what, space, questionKind: kind, isPrivate })
  const values = [key, hash, member, actor, given]
  return raise(
    await call<Outcome<OfQuestion & { state: State; is_new: boolean }>>(
      tx,
      'select question_ask($1, $2, $3, $4, $5) as outcome',
      values,
    ),
  )
}

/** Answers a question (a uuid). Throws NotFoundError, SpaceNotEnabledError, AccessDeniedError, IdempotencyKeyReusedError. */
export async function answerQuestion(
  tx: Tx,
  given: { readonly question: string; readonly what: Written; readonly isOfficial: boolean },
  { member, actor }: Writer,
  { key, hash }: Operation,
): Promise<OfAnswer & OfQuestion & { readonly state: State }> {
  const what = JSON.stringify({ ...given.what, isOfficial: given.isOfficial })
  const values = [key, hash, given.question, member, actor, what]
  return raise(
    await call<Outcome<OfAnswer & OfQuestion & { state: State }>>(
      tx,
      'select question_answer($1, $2, $3, $4, $5, $6) as outcome',
      values,
    ),
  )
}

/**
 * Accepts an answer (null: none any more). `expected` is the one that the caller believes to be accepted, null for none,
 * undefined when it does not matter. Throws NotFoundError, AccessDeniedError, AcceptedAnswerChangedError,
 * IdempotencyKeyReusedError.
 */
export async function acceptAnswer(
  tx: Tx,
  given: {
    readonly question: string
    readonly answer: string | null
    readonly expected: string | null | undefined
  },
  { member, actor }: Writer,
  { key, hash }: Operation,
): Promise<OfQuestion> {
  const expected = given.expected === undefined ? null : JSON.stringify(given.expected)
  const values = [key, hash, given.question, given.answer, expected, member, actor]
  return raise(
    await call<Outcome<OfQuestion>>(
      tx,
      'select answer_accept($1, $2, $3, $4, $5, $6, $7) as outcome',
      values,
    ),
  )
}

/** Closes a question, or with null opens it again. Throws NotFoundError, AccessDeniedError, BadInputError. */
export async function closeQuestion(
  tx: Tx,
  given: {
    readonly question: string
    readonly reason: ClosedReason | null
    readonly duplicateOf: string | null
  },
  { member, actor }: Writer,
): Promise<OfQuestion> {
  const values = [given.question, member, given.reason, given.duplicateOf, actor]
  return raise(
    await call<Outcome<OfQuestion>>(tx, 'select question_close($1, $2, $3, $4, $5) as outcome', values),
  )
}

/** A member (uuid) has the same trouble, or no longer. Throws NotFoundError, SpaceNotEnabledError, AccessDeniedError. */
export async function meToo(tx: Tx, question: string, member: string, isOn: boolean): Promise<OfQuestion> {
  const values = [question, member, isOn]
  return raise(await call<Outcome<OfQuestion>>(tx, 'select question_me_too($1, $2, $3) as outcome', values))
}

/** Says whether the help was any good. Throws NotFoundError, AccessDeniedError. */
export async function rateHelp(
  tx: Tx,
  question: string,
  member: string,
  isSatisfied: boolean,
): Promise<OfQuestion> {
  const values = [question, member, isSatisfied]
  return raise(await call<Outcome<OfQuestion>>(tx, 'select question_rate($1, $2, $3) as outcome', values))
}

/** Gives thanks for an answer, once. Throws NotFoundError, AccessDeniedError. */
export async function thankAnswer(tx: Tx, answer: string, member: string): Promise<OfAnswer> {
  return raise(await call<Outcome<OfAnswer>>(tx, 'select answer_thank($1, $2) as outcome', [answer, member]))
}

/** The shop stands behind an answer, or no longer. Throws NotFoundError. */
export async function markOfficial(tx: Tx, answer: string, isOfficial: boolean): Promise<OfAnswer> {
  return raise(
    await call<Outcome<OfAnswer>>(tx, 'select answer_mark($1, $2) as outcome', [answer, isOfficial]),
  )
}

/** Asks a member to answer. Throws NotFoundError, AccessDeniedError. */
export async function requestAnswer(
  tx: Tx,
  question: string,
  of: MemberBy,
  { member, actor }: Writer,
): Promise<OfQuestion> {
  const values = [question, member, ...namesOf(of), actor]
  return raise(
    await call<Outcome<OfQuestion>>(tx, 'select answer_ask_for($1, $2, $3, $4, $5) as outcome', values),
  )
}
