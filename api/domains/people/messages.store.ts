import type { Tx } from '../../platform/db.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** A conversation as one of the two sees it. */
export interface ConversationRow {
  /** A uuid. */
  readonly id: string
  readonly otherId: string
  /** When the newest message was written, as PostgreSQL's JSON writes it, with microseconds. */
  readonly lastAt: string
  readonly unread: number
}

/** conversations_of of 0060_people_pages.sql: a page of a member's conversations. */
export function readConversations(
  tx: Tx,
  member: string,
  page: {
    readonly from: { readonly at: string; readonly id: string } | null
    readonly isBackward: boolean
    readonly limit: number
  },
): Promise<ConversationRow[]> {
  return tx.query<ConversationRow>({
    name: 'conversations_of',
    text: `select id, other_id as "otherId", to_json(last_at) #>> '{}' as "lastAt", unread
           from conversations_of($1, $2, $3, $4, $5)`,
    values: [member, page.from?.at ?? null, page.from?.id ?? null, page.isBackward, page.limit],
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

/** messages_of of 0060_people_pages.sql: a page of what two members wrote to each other. */
export function readMessages(
  tx: Tx,
  member: string,
  other: string,
  page: { readonly from: string | null; readonly isBackward: boolean; readonly limit: number },
): Promise<MessageRow[]> {
  return tx.query<MessageRow>({
    name: 'messages_of',
    text: 'select id, author_id as "authorId", body, at from messages_of($1, $2, $3, $4, $5)',
    values: [member, other, page.from, page.isBackward, page.limit],
  })
}

/** message_of of 0060_people_pages.sql: the message (a uuid), for one of the two between whom it was sent. */
export async function readMessage(tx: Tx, member: string, id: string): Promise<MessageRow | null> {
  const [row] = await tx.query<MessageRow>({
    name: 'message_of',
    text: 'select id, author_id as "authorId", body, at from message_of($1, $2)',
    values: [member, id],
  })
  return row ?? null
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
