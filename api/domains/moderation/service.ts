import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import type { Writer } from '../contributions/index.ts'

/** Why a member flags something. */
export type FlagReason = 'SPAM' | 'ABUSE' | 'OFF_TOPIC' | 'PERSONAL_DATA' | 'ILLEGAL' | 'OTHER'

/** How a case is decided. */
export type Decision = 'KEPT' | 'REMOVED' | 'SPAM'

/** A member flags something (a uuid), once. Throws NotFoundError, AccessDeniedError, IdempotencyKeyReusedError. */
export async function flagContribution(
  tx: Tx,
  asked: {
    readonly id: string
    readonly member: string
    readonly reason: FlagReason
    readonly note: string | null
  },
  { key, hash, actor }: Operation,
) {
  return raise(
    await call<Outcome<{ readonly flag: string; readonly contribution: string }>>(
      tx,
      'select contribution_flag($1, $2, $3, $4, $5, $6, $7) as outcome',
      [key, hash, asked.id, asked.member, actor, asked.reason, asked.note],
    ),
  )
}

/** Decides a case in the version that was looked at. Throws NotFoundError, CaseChangedError. */
export async function decideCase(
  tx: Tx,
  asked: {
    readonly id: string
    readonly version: number
    readonly decision: Decision
    readonly note: string | null
  },
  { member, actor }: Writer,
) {
  return raise(
    await call<Outcome<{ readonly contribution: string }>>(
      tx,
      'select moderation_decide($1, $2, $3, $4, $5, $6) as outcome',
      [asked.id, member, actor, asked.version, asked.decision, asked.note],
    ),
  )
}

/** Whoever wrote what was taken away asks for another look, once. Throws NotFoundError, AccessDeniedError. */
export async function appeal(
  tx: Tx,
  { id, text }: { readonly id: string; readonly text: string },
  { member, actor }: { readonly member: string; readonly actor: string },
) {
  return raise(
    await call<Outcome<{ readonly contribution: string }>>(
      tx,
      'select moderation_appeal($1, $2, $3, $4) as outcome',
      [id, member, actor, text],
    ),
  )
}

/** What was decided of a text. */
export interface Judgement {
  readonly state: 'OPEN' | 'KEPT' | 'REMOVED' | 'SPAM' | 'WITHDRAWN'
  readonly note: string | null
  readonly decidedAt: Date | null
  readonly appealedAt: Date | null
  readonly canAppeal: boolean
}

/** What was decided of these texts (uuids), in their order; null for others than their authors and staff. One statement. */
export async function judgementsOf(tx: Tx, contributions: readonly string[]): Promise<(Judgement | null)[]> {
  const rows = await tx.query<{ readonly id: string } & Judgement>({
    name: 'judgements',
    text: `select contribution_id as id, state, note, decided_at as "decidedAt", appealed_at as "appealedAt",
        can_appeal as "canAppeal"
      from judgements(array(select i::uuid from json_array_elements_text($1) i))`,
    values: [JSON.stringify(contributions)],
  })
  const found = new Map(rows.map((row) => [row.id, row]))
  return contributions.map((id) => found.get(id) ?? null)
}

/** What a member has of what a level of trust asks. */
export interface Criterion {
  readonly level: number
  readonly criterion: 'THREADS_READ' | 'DAYS_VISITED' | 'REACTIONS_GIVEN' | 'REACTIONS_RECEIVED'
  readonly needs: number
  readonly has: number
  readonly isMet: boolean
}

/** How far a member is trusted. */
export interface Trust {
  readonly level: number
  readonly criteria: readonly Criterion[]
}

/** How far these members (uuids) are trusted, in their order: one statement. */
export async function trustOf(tx: Tx, members: readonly string[]): Promise<Trust[]> {
  const rows = await tx.query<{ id: string } & Trust>({
    name: 'trust_of',
    text: `select m.id, coalesce((select t.level from trust t where own(t) and t.member_id = m.id), 0) as level,
             coalesce((select json_agg(json_build_object('level', p.level, 'criterion', p.criterion, 'needs', p.needs,
                         'has', p.has, 'isMet', p.is_met)) from trust_progress(m.id) p), '[]') as criteria
           from member m
           where own(m) and m.id in (select i::uuid from json_array_elements_text($1) i)`,
    values: [JSON.stringify(members)],
  })
  return members.map((id) => rows.find((row) => row.id === id) ?? { level: 0, criteria: [] })
}

/** What those who write are told of how it is processed. */
export interface Notice {
  /** By language. */
  readonly text: unknown
  readonly version: number
  readonly publishedAt: Date
}

/** The notice in force; undefined when the tenant has none. */
export async function readNotice(tx: Tx): Promise<Notice | undefined> {
  const [row] = await tx.query<Notice>({
    name: 'contribution_notice',
    text: `select d.body -> 'text' as text, d.version, d.published_at as "publishedAt" from definition d
      where own(d) and d.kind = 'contributionNotice' and d.key = 'contributionNotice' and d.is_live`,
    values: [],
  })
  return row
}
