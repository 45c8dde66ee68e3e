import type { Tx } from '../../platform/db.ts'
import { BadInputError, DomainError, type Outcome, raise } from '../../platform/errors/index.ts'
import { call } from '../../platform/operation.ts'

/** Whom somebody wants to see as. */
export interface Eyes {
  /** The external id of a member; null: somebody who has just registered. */
  readonly member: string | null
  /** The key of a stage. */
  readonly stage: string | null
  readonly attributes: Readonly<Record<string, unknown>> | null
  readonly at: Date | null
}

/**
 * Makes a transaction that will be rolled back such as that member would find it, and tells the member's external id.
 * Throws BadInputError for a member or stage that is none, and for a membership that has ended.
 */
export async function viewAs(tx: Tx, { member, stage, attributes, at }: Eyes): Promise<string> {
  const given = [member, stage, attributes && JSON.stringify(attributes), at]
  const text = 'select view_as($1, $2, $3, $4) as outcome'
  const outcome = await call<Outcome<{ readonly external_id: string }>>(tx, text, given)
  try {
    return raise(outcome).external_id
  } catch (error) {
    const isRefusal = error instanceof DomainError || error instanceof BadInputError
    throw isRefusal ? new BadInputError('@viewAs', `@viewAs: ${error.message}`) : error
  }
}
