import { z } from 'zod'
import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'
import { bare, definePart, duration, optional, readBody, text } from '../program/index.ts'

/** What a cost was paid for. */
export type CostPurpose = 'ACQUISITION' | 'RETENTION' | 'SERVICE'

/** A cost, in minor units; negative for a correction. */
export interface NewCost {
  readonly purpose: CostPurpose
  readonly measure: string
  readonly amount: bigint
  readonly currency: string
  readonly at?: Date | null | undefined
  readonly member: MemberBy | null
}

/** Books a cost. Refusals: not_found, key_reused. */
export async function recordCost(tx: Tx, cost: NewCost, op: Operation): Promise<{ readonly entry: string }> {
  return raise(
    await call<Outcome<{ readonly entry: string }>>(
      tx,
      'select cost_record($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) as outcome',
      [
        op.key,
        op.hash,
        cost.purpose,
        cost.measure,
        cost.amount,
        cost.currency,
        cost.at ?? null,
        ...(cost.member ? namesOf(cost.member) : [null, null]),
        op.actor,
      ],
    ),
  )
}

const body = z
  .strictObject({
    name: text,
    rank: z.int('must be a whole number').min(0, 'must be 0 or more').max(1_000, 'must be at most 1000'),
    audience: optional(z.json()),
    answeredWithin: duration,
  })
  .transform(bare)

/** What a level of support is, and who is entitled to it: everybody without an audience. */
export type SupportLevelBody = z.infer<typeof body>

/** `supportLevels` of a program. */
export const supportLevelPart = definePart<SupportLevelBody>({
  kind: 'supportLevel',
  section: 'supportLevels',
  read: (given, field) => readBody(body, given, field),
  audiences: ({ audience }) => ({ audience }),
})
