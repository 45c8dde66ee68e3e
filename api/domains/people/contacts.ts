/** Members who are brought together: by staff, by a post, and by telling each other how to be reached. */
import type { Tx } from '../../platform/db.ts'
import { BadInputError, type Outcome, raise } from '../../platform/errors/index.ts'
import type { Operation } from '../../platform/operation.ts'
import type { MemberBy } from '../members/index.ts'
import { introduceCall, offerCall, replyCall } from './contacts.store.ts'

/** Asks two members, who want to be introduced, to get to know each other. Throws NotFoundError, IdempotencyKeyReusedError. */
export async function introduceMembers(
  tx: Tx,
  by: MemberBy,
  what: { other: string; note: string | null; operation: Operation },
) {
  return raise(
    await introduceCall<Outcome<{ introduction: string; member: string; other: string }>>(tx, by, what),
  )
}

/**
 * Writes in private to the author of a post (a uuid) that looks for somebody to work with. Throws NotFoundError,
 * AccessDeniedError, IdempotencyKeyReusedError, BadInputError.
 */
export async function replyPrivately(
  tx: Tx,
  by: MemberBy,
  { post, body, operation }: { post: string; body: string; operation: Operation },
) {
  const text = body.trim()
  if (text === '' || text.length > 5000)
    throw new BadInputError('input.body', 'A message has 1 to 5,000 characters.')
  return raise(
    await replyCall<Outcome<{ message: string; member: string; other: string }>>(tx, by, {
      post,
      body: text,
      operation,
    }),
  )
}

/** Offers another member ways of being reached, or answers its offer. Throws NotFoundError, BadInputError. */
export async function offerContact(
  tx: Tx,
  by: MemberBy,
  what: {
    other: string
    fields: readonly { readonly kind: string; readonly value: string }[]
    isAnswer: boolean
  },
) {
  const fields = Object.fromEntries(what.fields.map(({ kind, value }, i) => [kind, checked(value, i)]))
  if (what.fields.length === 0 || Object.keys(fields).length < what.fields.length)
    throw new BadInputError('input.fields', 'Give at least one way of being reached, and each once.')
  return raise(await offerCall<Outcome<{ member: string; other: string }>>(tx, by, { ...what, fields }))
}

/** Takes one's own offer back: neither sees the other's any more. Throws NotFoundError. */
export async function withdrawContact(tx: Tx, by: MemberBy, other: string) {
  const what = { other, fields: null, isAnswer: false }
  return raise(await offerCall<Outcome<{ member: string; other: string }>>(tx, by, what))
}

function checked(value: string, i: number): string {
  const text = value.trim()
  if (text === '' || text.length > 200)
    throw new BadInputError(`input.fields.${i}.value`, 'A way of being reached has 1 to 200 characters.')
  return text
}
