import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import type { CompiledRule } from '../audiences/index.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** A question of a feedback form. */
export interface FeedbackQuestion {
  readonly key: string
  readonly label: string
  readonly kind: 'TEXT' | 'SCALE' | 'CHOICE'
  readonly choices: readonly string[]
  readonly isRequired: boolean
}

/** A panel or test sale as it is to be: JSON for research_save of 0036_posts.sql. */
export interface NewResearch {
  readonly key: string
  readonly kind: 'PANEL' | 'TEST_SALE'
  readonly title: string
  readonly description: string
  /** Null: every member is invited. */
  readonly audience: CompiledRule | null
  readonly sku: string | null
  readonly stock: number | null
  readonly perMember: number | null
  readonly form: readonly FeedbackQuestion[]
  readonly opensAt: Date | null
  readonly closesAt: Date | null
}

interface Done {
  /** A uuid. */
  readonly research: string
}

/** Opens a panel or test sale, or changes it. Throws BadInputError. */
export async function saveResearch(tx: Tx, research: NewResearch, actor: string): Promise<Done> {
  const values = [actor, JSON.stringify(research)]
  return raise(await call<Outcome<Done>>(tx, 'select research_save($1, $2) as outcome', values))
}

/** What a member takes of a test sale, which is named by its key. */
export interface Taking {
  readonly research: string
  readonly member: MemberBy
  readonly quantity: number
}

/** Takes so many of a test sale. Throws NotFoundError, AccessDeniedError, IdempotencyKeyReusedError. */
export async function takeFromTestSale(tx: Tx, taking: Taking, { key, hash, actor }: Operation) {
  return raise(
    await call<Outcome<Done & { readonly quantity: number }>>(
      tx,
      'select research_take($1, $2, $3, $4, $5, $6, $7) as outcome',
      [key, hash, ...namesOf(taking.member), taking.research, taking.quantity, actor],
    ),
  )
}

/** A member's answer to one question. */
export interface FeedbackAnswer {
  readonly question: string
  readonly words: string | null
  readonly number: number | null
}

/** Keeps what a member answers, instead of what it answered before. Throws NotFoundError, AccessDeniedError, BadInputError. */
export async function answerResearch(
  tx: Tx,
  research: string,
  member: MemberBy,
  answers: readonly FeedbackAnswer[],
): Promise<Done> {
  const values = [research, ...namesOf(member), JSON.stringify(answers)]
  return raise(await call<Outcome<Done>>(tx, 'select research_answer_put($1, $2, $3, $4) as outcome', values))
}
