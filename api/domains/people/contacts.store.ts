import type { Tx } from '../../platform/db.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** Ways of reaching somebody, by kind. */
export type ContactFields = Readonly<Record<string, string>>

/** How contacts of a member and another stand. */
export interface Contacts {
  readonly otherId: string
  /** What the member offered; null: nothing. */
  readonly own: ContactFields | null
  /** Whether the other offered something. */
  readonly isOffered: boolean
  /** What the other offered, once both did. */
  readonly theirs: ContactFields | null
}

/** introduce_members of 0050_people_again.sql. */
export function introduceCall<Answer>(
  tx: Tx,
  by: MemberBy,
  { other, note, operation }: { other: string; note: string | null; operation: Operation },
) {
  return call<Answer>(tx, 'select introduce_members($1, $2, $3, $4, $5, $6, $7) as outcome', [
    operation.key,
    operation.hash,
    ...namesOf(by),
    other,
    note,
    operation.actor,
  ])
}

/** reply_privately of 0050_people_again.sql. */
export function replyCall<Answer>(
  tx: Tx,
  by: MemberBy,
  { post, body, operation }: { post: string; body: string; operation: Operation },
) {
  return call<Answer>(tx, 'select reply_privately($1, $2, $3, $4, $5, $6, $7) as outcome', [
    operation.key,
    operation.hash,
    ...namesOf(by),
    post,
    body,
    operation.actor,
  ])
}

/** contact_offer_set of 0050_people_again.sql: null takes the offer back. */
export function offerCall<Answer>(
  tx: Tx,
  by: MemberBy,
  { other, fields, isAnswer }: { other: string; fields: ContactFields | null; isAnswer: boolean },
) {
  return call<Answer>(tx, 'select contact_offer_set($1, $2, $3, $4, $5) as outcome', [
    ...namesOf(by),
    other,
    fields && JSON.stringify(fields),
    isAnswer,
  ])
}

/** contacts_of of 0050_people_again.sql. */
export function readContacts(tx: Tx, member: string, others: readonly string[]): Promise<Contacts[]> {
  return tx.query<Contacts>({
    name: 'contacts_of',
    text: `select other_id as "otherId", own, is_offered as "isOffered", theirs
           from contacts_of($1, array(select value::uuid from json_array_elements_text($2)))`,
    values: [member, JSON.stringify(others)],
  })
}

/** conversation_posts of 0050_people_again.sql: which posts conversations are about, as far as the member sees them. */
export function readTopics(
  tx: Tx,
  member: string,
  conversations: readonly string[],
): Promise<{ conversation: string; contribution: string }[]> {
  return tx.query<{ conversation: string; contribution: string }>({
    name: 'conversation_posts',
    text: `select conversation_id as conversation, contribution_id as contribution
           from conversation_posts($1, array(select value::uuid from json_array_elements_text($2)))`,
    values: [member, JSON.stringify(conversations)],
  })
}
