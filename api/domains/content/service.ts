import type { Tx } from '../../platform/db.ts'
import { BadInputError, type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { compiledRule, saveAudience } from '../audiences/index.ts'
import type { Kept, Written } from '../contributions/index.ts'
import { type MemberBy, namesOf } from '../members/index.ts'
import { settleBatch } from './store.ts'

/** What is special to content, as it is to be. What is left out of a change stays. */
export interface ContentFacts {
  readonly kind?: string
  readonly teaser?: string | null
  readonly isTeased?: boolean
  readonly isPublic?: boolean
  readonly purpose?: string
  readonly need?: string
  readonly stages?: readonly string[]
  readonly skus?: readonly string[]
  readonly personas?: readonly string[]
  readonly link?: string | null
  readonly entitlement?: string | null
  readonly series?: string | null
  /** The audience that may read it, as a uuid. */
  readonly gate?: string | null
}

/** Keeps the audience rule of a gate; gives its id, null for none. Throws BadInputError naming the field. */
export async function gateOf(tx: Tx, rule: unknown, field: string): Promise<string | null> {
  return rule == null ? null : saveAudience(tx, compiledRule(rule, field))
}

/**
 * Publishes content in a space (uuid), or keeps a draft of it. Throws NotFoundError, SpaceNotEnabledError,
 * BadInputError, IdempotencyKeyReusedError.
 */
export async function publishContent(
  tx: Tx,
  asked: {
    readonly space: string
    readonly what: Written
    readonly facts: ContentFacts
    readonly isDraft: boolean
  },
  { key, hash, actor }: Operation,
): Promise<Kept> {
  const { gate = null, ...facts } = asked.facts
  const what = { ...asked.what, space: asked.space, gate, isDraft: asked.isDraft }
  return raise(
    await call<Outcome<Kept>>(tx, 'select content_publish($1, $2, $3, $4, $5) as outcome', [
      key,
      hash,
      actor,
      JSON.stringify(what),
      JSON.stringify(facts),
    ]),
  )
}

/**
 * Makes content of a post (uuid) whose author allowed it, once. Throws NotFoundError, AccessDeniedError,
 * SpaceNotEnabledError, BadInputError, IdempotencyKeyReusedError.
 */
export async function promotePost(
  tx: Tx,
  asked: {
    readonly post: string
    readonly space: string
    readonly what: Written
    readonly facts: ContentFacts & { readonly gate?: string | null }
    readonly isDraft: boolean
  },
  { key, hash, actor }: Operation,
): Promise<{ readonly contribution: string; readonly is_new: boolean }> {
  const { gate = null, ...facts } = asked.facts
  const what = { ...asked.what, space: asked.space, gate, isDraft: asked.isDraft }
  return raise(
    await call<Outcome<{ contribution: string; is_new: boolean }>>(
      tx,
      'select content_promote($1, $2, $3, $4, $5, $6) as outcome',
      [key, hash, actor, asked.post, JSON.stringify(what), JSON.stringify(facts)],
    ),
  )
}

/** Changes content (uuid), and publishes a draft when told. Throws NotFoundError, AccessDeniedError, BadInputError. */
export async function updateContent(
  tx: Tx,
  asked: {
    readonly id: string
    readonly what: Written | null
    readonly facts: ContentFacts
    readonly publish: boolean
  },
  actor: string,
): Promise<{ readonly contribution: string }> {
  if (asked.publish && asked.what === null) {
    throw new BadInputError('input.isPublished', 'input.isPublished needs the text as it is to be.')
  }
  const what = asked.what && JSON.stringify({ ...asked.what, publish: asked.publish })
  return raise(
    await call<Outcome<{ contribution: string }>>(tx, 'select content_update($1, $2, $3, $4) as outcome', [
      asked.id,
      actor,
      what,
      JSON.stringify(asked.facts),
    ]),
  )
}

/** Takes content (uuid) away from its readers. Throws NotFoundError, AccessDeniedError. */
export async function retireContent(
  tx: Tx,
  id: string,
  actor: string,
): Promise<{ readonly contribution: string }> {
  return raise(
    await call<Outcome<{ contribution: string }>>(tx, 'select content_retire($1, $2) as outcome', [
      id,
      actor,
    ]),
  )
}

/** A reader says what some content (uuid) was to it. Throws NotFoundError, MembershipEndedError. */
export async function rateContent(
  tx: Tx,
  asked: {
    readonly id: string
    readonly member: MemberBy
    readonly rating: string
    readonly comment: string | null
  },
): Promise<{ readonly contribution: string; readonly member: string }> {
  return raise(
    await call<Outcome<{ contribution: string; member: string }>>(
      tx,
      'select content_rate($1, $2, $3, $4, $5) as outcome',
      [asked.id, ...namesOf(asked.member), asked.rating, asked.comment],
    ),
  )
}

/** Begins a series or changes it; `firstBy` null: no issue is awaited any more. */
export async function saveSeries(
  tx: Tx,
  asked: {
    readonly key: string
    readonly name: object
    readonly every: string
    readonly firstBy: Date | null
  },
): Promise<{ readonly key: string }> {
  return raise(
    await call<Outcome<{ key: string }>>(tx, 'select series_save($1, $2, $3, $4) as outcome', [
      asked.key,
      JSON.stringify(asked.name),
      asked.every,
      asked.firstBy,
    ]),
  )
}

/** Books issues that did not come in time, at most so many; how many there were. */
export function settleContent(tx: Tx, most: number): Promise<number> {
  return settleBatch(tx, most)
}
