/** Members who are introduced to each other, and write to each other. */
import type { Tx } from '../../platform/db.ts'
import { BadInputError, NotFoundError, type Outcome, raise } from '../../platform/errors/index.ts'
import { isId } from '../../platform/ids.ts'
import type { Operation } from '../../platform/operation.ts'
import type { MemberBy } from '../members/index.ts'
import { findMember } from './export.store.ts'
import {
  answerCall,
  blockCall,
  type ConversationPlace,
  type ConversationRow,
  type MessageRow,
  proposeCall,
  readCall,
  readConversations,
  readMessages,
  sendCall,
} from './messages.store.ts'

/** Asks another member (a uuid) to be introduced. Throws NotFoundError, AccessDeniedError, IdempotencyKeyReusedError. */
export async function proposeIntroduction(
  tx: Tx,
  by: MemberBy,
  what: { other: string; note: string | null; operation: Operation },
) {
  return raise(await proposeCall<Outcome<{ introduction: string; member: string }>>(tx, by, what))
}

/** Says yes or no to an introduction to another member. Throws NotFoundError. */
export async function answerIntroduction(tx: Tx, by: MemberBy, other: string, accepts: boolean) {
  return raise(await answerCall<Outcome<{ introduction: string; member: string }>>(tx, by, other, accepts))
}

/** Writes to another member. Throws NotFoundError, AccessDeniedError, IdempotencyKeyReusedError, BadInputError. */
export async function sendMessage(
  tx: Tx,
  by: MemberBy,
  { other, body, operation }: { other: string; body: string; operation: Operation },
) {
  const text = body.trim()
  if (text === '' || text.length > 5000)
    throw new BadInputError('input.body', 'A message has 1 to 5,000 characters.')
  return raise(
    await sendCall<Outcome<{ message: string; member: string; other: string }>>(tx, by, {
      other,
      body: text,
      operation,
    }),
  )
}

/** Notes that a member has read what another wrote to it. Throws NotFoundError. */
export async function markConversationRead(tx: Tx, by: MemberBy, other: string) {
  return raise(await readCall<Outcome<{ member: string; other: string }>>(tx, by, other))
}

/** How many conversations, or messages, a page has. */
export const MESSAGES_PAGE = 50

/** Some of a list, and where it goes on. */
export interface Some<Row> {
  readonly rows: readonly Row[]
  /** Where to go on; null at the end. */
  readonly next: string | null
}

/** A member's conversations, the newest first. Throws BadInputError. */
export async function conversationsOf(
  tx: Tx,
  member: string,
  { other, after }: { other: string | null; after: string | null },
): Promise<Some<ConversationRow>> {
  const before = after === null ? null : placeOf(after)
  const rows = await readConversations(tx, member, { other, before, most: MESSAGES_PAGE + 1 })
  return pageOf(rows, ({ lastAtText, id }) => JSON.stringify([lastAtText, id]))
}

/** What two members wrote to each other, the newest first. Throws BadInputError. */
export async function messagesWith(
  tx: Tx,
  member: string,
  { other, after }: { other: string; after: string | null },
): Promise<Some<MessageRow>> {
  const before = after === null ? null : Buffer.from(after, 'base64url').toString()
  if (before !== null && !isId(before)) throw foreignPlace()
  const rows = await readMessages(tx, member, { other, id: null, before, most: MESSAGES_PAGE + 1 })
  return pageOf(rows, ({ id }) => id)
}

function pageOf<Row>(rows: readonly Row[], place: (row: Row) => string): Some<Row> {
  const kept = rows.slice(0, MESSAGES_PAGE)
  const last = rows.length > MESSAGES_PAGE ? kept.at(-1) : undefined
  return { rows: kept, next: last === undefined ? null : Buffer.from(place(last)).toString('base64url') }
}

const INSTANT = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d)?$/

function placeOf(text: string): ConversationPlace {
  try {
    const [at, id]: unknown[] = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (typeof at === 'string' && INSTANT.test(at) && typeof id === 'string' && isId(id)) return { at, id }
  } catch {
    // Fall through to the same answer.
  }
  throw foreignPlace()
}

function foreignPlace(): BadInputError {
  return new BadInputError('after', 'after must be the next of an earlier page.')
}

/** Blocks or mutes another member, or ends that. Throws NotFoundError. */
export async function setBlock(
  tx: Tx,
  member: string,
  what: { other: string; isMute: boolean; isOn: boolean },
): Promise<void> {
  if (!(await findMember(tx, [what.other, null]))) throw new NotFoundError('member')
  raise(await blockCall<Outcome>(tx, member, what))
}
