import type { Tx } from '../../platform/db.ts'
import type { Denial } from '../../platform/errors/index.ts'

/** Something that a viewer may want to do with a space, or with what is written in one. */
export type Action = 'SEE' | 'POST' | 'REPLY' | 'REACT' | 'EDIT' | 'MODERATE'

/** Whether a viewer may do something. */
export interface Permission {
  readonly isAllowed: boolean
  /** Null when it may, and where a token lacks the scope. */
  readonly reason: Denial | null
  /** The audience rule that would open it; null when no rule decides. */
  readonly unlock: unknown
  /** In how many seconds it may be tried again; null when waiting does not help. */
  readonly retryAfter: number | null
}

/** What somebody wants to do with a space or with something written (a uuid). */
export interface Wish {
  readonly action: Action
  readonly resource: string
}

type Answer =
  | { readonly is: 'done' }
  | { readonly is: 'not_found' }
  | { readonly is: 'space_not_enabled' }
  | {
      readonly is: 'access_denied'
      readonly reason: Denial
      readonly unlock: unknown
      readonly retry_after?: number
    }

/** May not, and nothing is known that would help. */
export const REFUSED: Permission = { isAllowed: false, reason: null, unlock: null, retryAfter: null }

/**
 * What a member (a uuid; null: staff) would be answered for each wish, in their order; null where there is nothing like
 * it for the one who asks. One statement.
 */
export async function readPermissions(
  tx: Tx,
  member: string | null,
  wishes: readonly Wish[],
): Promise<(Permission | null)[]> {
  const asked = wishes.map(({ action, resource }) => ({ action: action.toLowerCase(), resource }))
  const rows = await tx.query<{ answer: Answer }>({
    name: 'permissions',
    text: 'select p as answer from permissions($1, $2) p',
    values: [member, JSON.stringify(asked)],
  })
  return rows.map(({ answer }) => {
    if (answer.is === 'not_found') return null
    if (answer.is === 'done') return { ...REFUSED, isAllowed: true }
    if (answer.is === 'space_not_enabled') return { ...REFUSED, reason: 'NOT_ENABLED' }
    return {
      ...REFUSED,
      reason: answer.reason,
      unlock: answer.unlock,
      retryAfter: answer.retry_after ?? null,
    }
  })
}
