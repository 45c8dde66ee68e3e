import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** What a member cares about, and what tells of it. */
export interface InterestRow {
  readonly memberId: string
  readonly label: string
  readonly source: string
  readonly at: Date
}

/** interests_settle_due of 0050_people_again.sql. */
export function settleCall(tx: Tx, limit: number): Promise<number> {
  return call<number>(tx, 'select interests_settle_due($1) as outcome', [limit])
}

/** interests_derive_set of 0050_people_again.sql. */
export function deriveCall<Answer>(tx: Tx, by: MemberBy, isOn: boolean) {
  return call<Answer>(tx, 'select interests_derive_set($1, $2, $3) as outcome', [...namesOf(by), isOn])
}

/** interest_drop of 0050_people_again.sql: as it is compared, and as it stands in the list. */
export function dropCall<Answer>(tx: Tx, by: MemberBy, interest: string, label: string) {
  return call<Answer>(tx, 'select interest_drop($1, $2, $3, $4) as outcome', [
    ...namesOf(by),
    interest,
    label,
  ])
}

/** The interests of these members, those first that they said themselves. */
export function readInterests(tx: Tx, members: readonly string[]): Promise<InterestRow[]> {
  return tx.query<InterestRow>({
    name: 'interests_of',
    text: `select i.member_id as "memberId", i.label, i.source, i.at from interest i
           where own(i) and i.member_id in (select value::uuid from json_array_elements_text($1))
           order by i.source <> 'SAID', i.interest`,
    values: [JSON.stringify(members)],
  })
}

/** Which of these members agree that their interests are derived. */
export async function readDeriving(tx: Tx, members: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ id: string }>({
    name: 'interests_derived_for',
    text: `select p.member_id as id from profile p where own(p) and p.derives_since is not null
             and p.member_id in (select value::uuid from json_array_elements_text($1))`,
    values: [JSON.stringify(members)],
  })
  return new Set(rows.map(({ id }) => id))
}
