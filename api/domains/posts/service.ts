import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import type { State, Writer, Written } from '../contributions/index.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** A post as it is written: JSON for post_write of 0036_posts.sql. */
export interface NewPost extends Written {
  /** A uuid; null for a draft that has one. */
  readonly space: string | null
  /** The draft (a uuid) that it goes on with. */
  readonly draft: string | null
  readonly postKind: 'TALK' | 'TIP' | 'REVIEW' | 'COLLABORATION' | 'IDEA' | 'EVENT'
  readonly rating: number | null
  readonly topics: readonly ('PRICE' | 'QUALITY')[]
  readonly mayPromote: boolean
  readonly poll: {
    readonly options: readonly string[]
    readonly isMultiple: boolean
    readonly closesAt: Date | null
  } | null
  readonly gathering: {
    readonly startsAt: Date
    readonly endsAt: Date
    readonly place: string
    readonly seats: number | null
  } | null
}

/** Which post (a uuid) something happened to. */
interface Done {
  readonly post: string
}

/**
 * Writes a post, or a draft of one. Throws NotFoundError, SpaceNotEnabledError, AccessDeniedError,
 * IdempotencyKeyReusedError.
 */
export async function writePost(
  tx: Tx,
  { post, isDraft }: { readonly post: NewPost; readonly isDraft: boolean },
  { member, actor }: Writer,
  { key, hash }: Operation,
): Promise<Done & { readonly state: State }> {
  const what = JSON.stringify({ ...post, isDraft })
  return raise(
    await call<Outcome<Done & { readonly state: State }>>(
      tx,
      'select post_write($1, $2, $3, $4, $5) as outcome',
      [key, hash, member, actor, what],
    ),
  )
}

/** Puts a post (uuid) to the top of its space, or takes it from there. Throws NotFoundError, AccessDeniedError. */
export async function pinPost(tx: Tx, post: string, isPinned: boolean, { member }: Writer): Promise<Done> {
  const values = [post, member, isPinned]
  return raise(await call<Outcome<Done>>(tx, 'select post_pin($1, $2, $3) as outcome', values))
}

/** The author lets the house make content of a post (uuid), or no longer. Throws NotFoundError, AccessDeniedError. */
export async function allowPromotion(tx: Tx, post: string, isAllowed: boolean, { member }: Writer) {
  const values = [post, member, isAllowed]
  return raise(await call<Outcome<Done>>(tx, 'select post_allow($1, $2, $3) as outcome', values))
}

/** Gives an idea (uuid) so many of a member's votes. Throws NotFoundError, SpaceNotEnabledError, AccessDeniedError. */
export async function voteForIdea(tx: Tx, post: string, member: MemberBy, votes: number) {
  const values = [post, ...namesOf(member), votes]
  return raise(
    await call<Outcome<Done & { readonly votes: number; readonly remaining: number }>>(
      tx,
      'select idea_vote_set($1, $2, $3, $4) as outcome',
      values,
    ),
  )
}

/** Into which status an idea (uuid) is brought. */
export interface IdeaChange {
  readonly post: string
  readonly status: 'OPEN' | 'PLANNED' | 'SHIPPED' | 'DECLINED' | 'MERGED'
  /** The idea (uuid) that gets its votes. */
  readonly mergedInto: string | null
  readonly note: string | null
}

/** Brings an idea into a status. Throws NotFoundError, SpaceNotEnabledError, AccessDeniedError, BadInputError. */
export async function setIdeaStatus(
  tx: Tx,
  { post, status, mergedInto, note }: IdeaChange,
  { member }: Writer,
): Promise<Done> {
  const values = [post, member, status, mergedInto, note]
  return raise(await call<Outcome<Done>>(tx, 'select idea_status_set($1, $2, $3, $4, $5) as outcome', values))
}

/** Says how many votes each member has for the ideas of a space (uuid). Throws NotFoundError. */
export async function setIdeaBudget(tx: Tx, space: string, votes: number) {
  return raise(
    await call<Outcome<{ readonly space: string }>>(tx, 'select idea_budget_set($1, $2) as outcome', [
      space,
      votes,
    ]),
  )
}

/** Votes in a poll (uuid) for these options. Throws NotFoundError, SpaceNotEnabledError, AccessDeniedError, BadInputError. */
export async function voteInPoll(tx: Tx, post: string, member: MemberBy, options: readonly number[]) {
  const values = [post, ...namesOf(member), options]
  return raise(await call<Outcome<Done>>(tx, 'select poll_vote_set($1, $2, $3, $4) as outcome', values))
}

/** A member comes to a gathering (uuid), or does not. Throws NotFoundError, SpaceNotEnabledError, AccessDeniedError. */
export async function answerGathering(tx: Tx, post: string, member: MemberBy, isComing: boolean) {
  return raise(
    await call<Outcome<Done & { readonly state: 'COMING' | 'WAITING' | 'LEFT' }>>(
      tx,
      'select gathering_answer($1, $2, $3, $4) as outcome',
      [post, ...namesOf(member), isComing],
    ),
  )
}
