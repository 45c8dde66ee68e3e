import type { AuthScopes } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { BadInputError, NotFoundError } from '../../platform/errors/index.ts'
import { memberRef } from './graphql.ts'
import type { MemberBy } from './service.ts'

/** A member's token for what is its own, or a staff or integration token with this scope. */
export const ownOrWrites = (scope: string): { $any: Partial<AuthScopes> } => ({
  $any: { member: true, writes: scope },
})

interface Named {
  readonly id?: string | null
  readonly externalId?: string | null
}

/**
 * Whom a mutation, or a question at `field`, is about: the one that was named, or, for a member's token, the member itself, who may name nobody
 * else. Throws NotFoundError, and BadInputError when nobody was named.
 */
export function subjectOf(
  named: Named | null | undefined,
  { viewer }: Context,
  field = 'input.member',
): MemberBy {
  const by = named ? memberRef(named, field) : null
  if (viewer?.kind !== 'MEMBER') {
    if (!by)
      throw new BadInputError(field, `${field} must name a member; only a member's token may leave it out.`)
    return by
  }
  const isSelf = !by || ('id' in by ? by.id === viewer.memberId : by.externalId === viewer.sub)
  if (viewer.memberId === null || !isSelf) throw new NotFoundError('member')
  return { id: viewer.memberId }
}

/** The only member whose things the viewer may touch; null: anybody's. Throws NotFoundError for a member nobody knows. */
export function onlyOf({ viewer }: Context): string | null {
  if (viewer?.kind !== 'MEMBER') return null
  if (viewer.memberId === null) throw new NotFoundError('member')
  return viewer.memberId
}
