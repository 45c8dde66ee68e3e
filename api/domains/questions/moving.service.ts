import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { searchText } from '../../platform/text/index.ts'
import { plainText, type Writer } from '../contributions/index.ts'

/** What moved, a uuid: it is the same before and after. */
export interface Moved {
  readonly contribution: string
}

/**
 * Makes a question of a post (a uuid) in a space (a uuid) of kind QA. Throws NotFoundError, AccessDeniedError,
 * SpaceNotEnabledError, BadInputError, IdempotencyKeyReusedError.
 */
export async function convertPost(
  tx: Tx,
  given: { readonly post: string; readonly space: string; readonly title: string | null },
  { member, actor }: Writer,
  { key, hash }: Operation,
): Promise<Moved> {
  const values = [key, hash, given.post, given.space, given.title, member, actor]
  const moved = raise(
    await call<Outcome<Moved>>(tx, 'select post_to_question($1, $2, $3, $4, $5, $6, $7) as outcome', values),
  )
  if (given.title !== null) await searchAnew(tx, moved.contribution)
  return moved
}

/** A title that came with it is found as well. */
async function searchAnew(tx: Tx, id: string): Promise<void> {
  const [row] = await tx.query<{ title: string; html: string }>({
    text: 'select c.title, c.html from contribution c where own(c) and c.id = $1',
    values: [id],
  })
  if (!row) return
  const search = searchText({ title: row.title, body: plainText(row.html) })
  await tx.query({ text: 'select search_reput($1)', values: [JSON.stringify([{ id, search }])] })
}

/**
 * Makes a post of a question (a uuid) in a space (a uuid) of kind COMMUNITY. Throws NotFoundError, AccessDeniedError,
 * SpaceNotEnabledError, BadInputError, IdempotencyKeyReusedError.
 */
export async function moveToCommunity(
  tx: Tx,
  given: { readonly question: string; readonly space: string },
  { member, actor }: Writer,
  { key, hash }: Operation,
): Promise<Moved> {
  const values = [key, hash, given.question, given.space, member, actor]
  return raise(
    await call<Outcome<Moved>>(tx, 'select question_to_post($1, $2, $3, $4, $5, $6) as outcome', values),
  )
}

/**
 * Makes an answer of a comment (a uuid) on a question, or a comment of an answer. Throws NotFoundError,
 * AccessDeniedError, SpaceNotEnabledError, BadInputError, IdempotencyKeyReusedError.
 */
export async function convertReply(
  tx: Tx,
  given: { readonly reply: string; readonly to: 'ANSWER' | 'COMMENT' },
  { member, actor }: Writer,
  { key, hash }: Operation,
): Promise<Moved> {
  const values = [key, hash, given.reply, given.to, member, actor]
  return raise(
    await call<Outcome<Moved>>(tx, 'select reply_convert($1, $2, $3, $4, $5, $6) as outcome', values),
  )
}
