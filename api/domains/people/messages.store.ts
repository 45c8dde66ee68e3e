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

/** introductions_of of 0040_people.sql: the newest first, or the one. */
export function readIntroductions(
  tx: Tx,
  member: string,
  { id, most }: { id: string | null; most: number },
): Promise<IntroductionRow[]> {
  return tx.query<IntroductionRow>({
    name: 'introductions_of',
    text: `select id, other_id as "otherId", note, state, is_asked as "isAsked", at
           from introductions_of($1, $2, $3)`,
    values: [member, id, most],
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

/** A conversation as one of the two sees it. */
export interface ConversationRow {
  /** A uuid. */
  readonly id: string
  readonly otherId: string
  readonly lastAt: Date
  /** The same to the microsecond. */
  readonly lastAtText: string
  readonly unread: number
}

/** Where a page of conversations goes on. */
export interface ConversationPlace {
  readonly at: string
  readonly id: string
}

/** conversations_of of 0040_people.sql: the newest first, or the one with another member. */
export function readConversations(
  tx: Tx,
  member: string,
  { other, before, most }: { other: string | null; before: ConversationPlace | null; most: number },
): Promise<ConversationRow[]> {
  return tx.query<ConversationRow>({
    name: 'conversations_of',
    text: `select id, other_id as "otherId", last_at as "lastAt", last_at::text as "lastAtText", unread
           from conversations_of($1, $2, $3, $4, $5)`,
    values: [member, other, before?.at ?? null, before?.id ?? null, most],
  })
}

/** A message. */
export interface MessageRow {
  /** A uuid. */
  readonly id: string
  readonly authorId: string
  readonly body: string
  readonly at: Date
}

/** messages_of of 0040_people.sql: the newest first, with another member, or the one. */
export function readMessages(
  tx: Tx,
  member: string,
  asked: { other: string | null; id: string | null; before: string | null; most: number },
): Promise<MessageRow[]> {
  return tx.query<MessageRow>({
    name: 'messages_of',
    text: 'select id, author_id as "authorId", body, at from messages_of($1, $2, $3, $4, $5)',
    values: [member, asked.other, asked.id, asked.before, asked.most],
  })
}

/** message_send of 0040_people.sql. */
export function sendCall<Answer>(
  tx: Tx,
  by: MemberBy,
  { other, body, operation }: { other: string; body: string; operation: Operation },
) {
  return call<Answer>(tx, 'select message_send($1, $2, $3, $4, $5, $6, $7) as outcome', [
    operation.key,
    operation.hash,
    ...namesOf(by),
    other,
    body,
    operation.actor,
  ])
}

/** conversation_read of 0040_people.sql. */
export function readCall<Answer>(tx: Tx, by: MemberBy, other: string) {
  return call<Answer>(tx, 'select conversation_read($1, $2, $3) as outcome', [...namesOf(by), other])
}

/** member_block_set of 0034_contributions.sql. */
export function blockCall<Answer>(
  tx: Tx,
  member: string,
  { other, isMute, isOn }: { other: string; isMute: boolean; isOn: boolean },
) {
  return call<Answer>(tx, 'select member_block_set($1, $2, $3, $4) as outcome', [member, other, isMute, isOn])
}
