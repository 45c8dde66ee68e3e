/** Members who write to each other. */
import type { Tx } from '../../platform/db.ts'
import { BadInputError, type Outcome, raise } from '../../platform/errors/index.ts'
import type { Operation } from '../../platform/operation.ts'
import type { MemberBy } from '../members/index.ts'
import { readCall, sendCall } from './messages.store.ts'

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
