import type { Tx } from '../../platform/db.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** An introduction as one of the two sees it. */
export interface IntroductionRow {
  /** A uuid. */
  readonly id: string
  /** The other member, a uuid. */
  readonly otherId: string
  readonly note: string | null
  readonly state: 'PROPOSED' | 'INTRODUCED' | 'DECLINED'
  /** Whether it is the other who asked. */
  readonly isAsked: boolean
  readonly at: Date
}

/** introductions_of of 0060_people_pages.sql: a page of a member's introductions. */
export function readIntroductions(
  tx: Tx,
  member: string,
  page: { readonly from: string | null; readonly isBackward: boolean; readonly limit: number },
): Promise<IntroductionRow[]> {
  return introductionsOf(tx, [member, null, page.from, page.isBackward, page.limit])
}

/** The introduction (a uuid) as that member sees it; null when it is none of its own. */
export async function readIntroduction(tx: Tx, member: string, id: string): Promise<IntroductionRow | null> {
  const [row] = await introductionsOf(tx, [member, id, null, false, 1])
  return row ?? null
}

function introductionsOf(tx: Tx, values: readonly unknown[]): Promise<IntroductionRow[]> {
  return tx.query<IntroductionRow>({
    name: 'introductions_of',
    text: `select id, other_id as "otherId", note, state, is_asked as "isAsked", at
           from introductions_of($1, $2, $3, $4, $5)`,
    values: [...values],
  })
}

/** introduction_propose of 0040_people.sql. */
export function proposeCall<Answer>(
  tx: Tx,
  by: MemberBy,
  { other, note, operation }: { other: string; note: string | null; operation: Operation },
) {
  return call<Answer>(tx, 'select introduction_propose($1, $2, $3, $4, $5, $6, $7) as outcome', [
    operation.key,
    operation.hash,
    ...namesOf(by),
    other,
    note,
    operation.actor,
  ])
}

/** introduction_answer of 0040_people.sql. */
export function answerCall<Answer>(tx: Tx, by: MemberBy, other: string, accepts: boolean) {
  return call<Answer>(tx, 'select introduction_answer($1, $2, $3, $4) as outcome', [
    ...namesOf(by),
    other,
    accepts,
  ])
}
